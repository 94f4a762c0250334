"""The file that a finding is shown on, where a format points at files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from agpis_sdk.records import AuditFinding, CandidateImage, GalleryAudit


def finding_file(audit: GalleryAudit, finding: AuditFinding, products: str) -> str:
    """Return the file that a finding is about, relative to the working directory where it lies below it.

    That is the first image; the products file where the finding names no image or the image is no local file.
    """
    by_id: Mapping[str, CandidateImage] = {image.id: image for image in audit.images}
    uri = by_id[finding.images[0]].uri if finding.images else products
    if not uri or "://" in uri or uri[:5].lower() == "data:":
        uri = products
    return relative(uri)


def relative(path: str) -> str:
    """Return a path relative to the working directory where it lies below it, with forward slashes."""
    absolute = Path(path).absolute()
    return (absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute).as_posix()
