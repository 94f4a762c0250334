"""Lets `python -m agpis_sdk.cli` stand for `agpis`."""

from agpis_sdk.cli.app import command

command()
