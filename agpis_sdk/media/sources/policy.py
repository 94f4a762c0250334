"""What is let in: one object that every source asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError, ImageTooLargeError
from agpis_sdk.media.sources.masking import masked
from agpis_sdk.media.sources.uris import LOCAL, PROTOCOL_RELATIVE, scheme_of


@dataclass(frozen=True)
class SourcePolicy:
    """Where image bytes may come from, and how many, for one uri.

    `root` is the folder below which a file must be; None where the uri is the caller's own and comes from no record.
    """

    root: Path | None
    schemes: tuple[str, ...]
    allow_private: bool
    max_bytes: int
    timeout: float
    retries: int
    connections_per_host: int
    cache: str

    @classmethod
    def of(cls, uri: str, limits: MediaSection) -> SourcePolicy:
        """Return the policy for a uri: that of the settings, and the root that `resolve` has given the uri."""
        return cls(
            root=None if limits.allow_outside else getattr(uri, "root", None),
            schemes=limits.schemes,
            allow_private=limits.allow_private,
            max_bytes=limits.max_bytes,
            timeout=limits.timeout,
            retries=limits.retries,
            connections_per_host=limits.connections_per_host,
            cache=limits.cache,
        )

    def admit(self, uri: str) -> str:
        """Return the scheme of a uri; raise `ImageReadError` where it is not on the list."""
        scheme = scheme_of(uri)
        if scheme == PROTOCOL_RELATIVE:
            raise ImageReadError("has no scheme", item=masked(uri), remedy=f"write https:{masked(uri.strip())}")
        if "::" in scheme:
            raise ImageReadError(
                "chains protocols with ::, which are not read", item=masked(uri), remedy="name the file itself"
            )
        if scheme != LOCAL and scheme not in self.schemes:
            raise ImageReadError(
                f"{scheme}: is not among media.schemes ({', '.join(self.schemes)})",
                item=masked(uri),
                remedy="add it there if you trust the catalog",
            )
        return scheme

    def check_size(self, size: int, item: str) -> None:
        """Raise `ImageTooLargeError` where `size` bytes are more than `max_bytes`."""
        if size > self.max_bytes:
            raise ImageTooLargeError(
                f"{size:,} bytes, more than media.max_bytes = {self.max_bytes:,}",
                item=item,
                remedy="shrink it, or raise it",
            )
