"""Where image bytes come from: files, http(s), and stores that the settings list; `SourcePolicy` says what is let in."""

from agpis_sdk.media.sources.masking import masked, without_secrets
from agpis_sdk.media.sources.policy import SourcePolicy
from agpis_sdk.media.sources.read import read_image_bytes
from agpis_sdk.media.sources.uris import ConfinedUri, resolve

__all__ = ["ConfinedUri", "SourcePolicy", "masked", "read_image_bytes", "resolve", "without_secrets"]
