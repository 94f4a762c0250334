"""Image rules for the AGPIS SDK: shiny."""
