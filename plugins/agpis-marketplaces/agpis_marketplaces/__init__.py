"""Marketplace profiles for the AGPIS SDK."""
