"""Reads the text in product images, for the AGPIS SDK."""
