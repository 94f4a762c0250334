"""Plugins: `discovery` finds what is installed, `registry` loads it and knows its components and rules, `factories` makes them."""

from agpis_sdk.plugins.announcements import OwnedSpec as OwnedSpec
from agpis_sdk.plugins.discovery import PluginStatus as PluginStatus
from agpis_sdk.plugins.factories import imported as imported
from agpis_sdk.plugins.registry import PluginHost as PluginHost
from agpis_sdk.plugins.registry import shipped_rules as shipped_rules
