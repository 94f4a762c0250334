"""Text in images for the AGPIS SDK: read, told apart from what is printed on the product, and judged by its words."""
