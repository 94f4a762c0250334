"""Settings: strict, every section one model; precedence, highest first: `--set` > a shop's folder > file > profile > default."""

from agpis_sdk.config.loading import SHOP_FILE, LoadedConfig, load_config, merge
from agpis_sdk.config.sections import (
    Config,
    IndexSection,
    MediaSection,
    NoncomplianceSection,
    PluginsSection,
    PrimarySection,
    RaySection,
    ReviewSection,
    flatten,
)
from agpis_sdk.config.validation import config_schema, origin_of, validate

__all__ = [
    "SHOP_FILE",
    "Config",
    "IndexSection",
    "LoadedConfig",
    "MediaSection",
    "NoncomplianceSection",
    "PluginsSection",
    "PrimarySection",
    "RaySection",
    "ReviewSection",
    "config_schema",
    "flatten",
    "load_config",
    "merge",
    "origin_of",
    "validate",
]
