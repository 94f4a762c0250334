"""Outcomes as pages and tables for people."""
