"""How an audit is written: one class per format, each of which writes galleries as they come."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from agpis_sdk.records import AuditFinding, CandidateImage, GalleryAudit
from agpis_sdk.rules import Rule

FORMATS: Mapping[str, str] = {
    "text": "agpis_sdk.report.audit_text:TextFormat",
    "json": "agpis_sdk.report.audit_data:JsonFormat",
    "csv": "agpis_sdk.report.audit_data:CsvFormat",
    "github": "agpis_sdk.report.audit_github:GithubFormat",
    "sarif": "agpis_sdk.report.audit_sarif:SarifFormat",
}


@dataclass(frozen=True)
class AuditedFile:
    """What an audit was made of: the products file (`-` is standard input), and the rules that it can raise."""

    products: str
    rules: Sequence[Rule]


class AuditFormat(Protocol):
    """Writes the galleries of an audit to a stream."""

    def start(self, audited: AuditedFile) -> None:
        """Begin."""
        ...

    def add(self, audit: GalleryAudit) -> None:
        """Write what was found in one gallery."""
        ...

    def finish(self) -> None:
        """Write what must stand at the end."""
        ...


def audit_format(name: str, stream: TextIO) -> AuditFormat:
    """Return the format of a name that writes to a stream."""
    module, _, attribute = FORMATS[name].partition(":")
    made: AuditFormat = getattr(importlib.import_module(module), attribute)(stream)
    return made


def local_file(audit: GalleryAudit, finding: AuditFinding, products: str) -> str:
    """Return the file that a finding is about, relative to the working directory where it lies below it.

    That is the first image; the products file where the finding names no image or the image is not a local file.
    """
    by_id: Mapping[str, CandidateImage] = {image.id: image for image in audit.images}
    uri = by_id[finding.images[0]].uri if finding.images else products
    if "://" in uri:
        uri = products
    return relative(uri)


def relative(path: str) -> str:
    """Return a path relative to the working directory where it lies below it, with forward slashes."""
    absolute = Path(path).absolute()
    return (absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute).as_posix()
