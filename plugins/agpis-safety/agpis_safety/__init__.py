"""Safety checks for the AGPIS SDK: nudity, and how much skin is shown."""
