"""An example plugin for the AGPIS SDK."""
