"""An audit as SARIF 2.1.0 (OASIS, 2020), which code hosts and editors show beside the files.

Results are written as they come; the records that could not be judged stand at the end, as notifications.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

from agpis_sdk import __version__
from agpis_sdk.components import ComponentConfig
from agpis_sdk.records import AuditFinding, GalleryAudit
from agpis_sdk.report.finding_file import finding_file
from agpis_sdk.rules import Rule
from agpis_sdk.wording import json_printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


class SarifReporter:
    """Writes one SARIF log of one run."""

    _stream: TextIO
    _products: str

    def __init__(self, config: ComponentConfig) -> None:
        del config
        self._separator = "\n"
        self._notifications: list[dict[str, Any]] = []

    def start(self, stream: TextIO, products: str, rules: Sequence[Rule]) -> None:
        """Write the head: the tool and its rules."""
        self._stream, self._products = stream, products
        driver = {"name": "agpis", "semanticVersion": __version__, "rules": [_rule(rule) for rule in rules]}
        tool = _json({"driver": driver})
        head = f'{{"$schema": "{SCHEMA}", "version": "2.1.0", "runs": [{{"tool": {tool},\n'
        self._stream.write(f'{head}"columnKind": "unicodeCodePoints", "results": [')

    def add(self, audit: GalleryAudit) -> None:
        """Write a result per finding."""
        if audit.error is not None:
            self._notifications.append({"level": "error", "message": {"text": audit.error}})
        for finding in audit.findings:
            result = self._result(audit, finding)
            self._stream.write(f"{self._separator}{_json(result)}")
            self._separator = ",\n"

    def finish(self) -> None:
        """Write the notifications and close what is open."""
        invocation = {
            "executionSuccessful": not self._notifications,
            "toolExecutionNotifications": self._notifications,
        }
        self._stream.write(f'\n], "invocations": [{_json(invocation)}]}}]}}\n')

    def _result(self, audit: GalleryAudit, finding: AuditFinding) -> dict[str, Any]:
        names = finding.images or ("",)
        result: dict[str, Any] = {
            "ruleId": finding.code,
            "level": finding.severity,
            "message": {"text": _with_remedy(finding)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _uri(finding_file(audit, finding, self._products))}
                    },
                    "logicalLocations": [
                        {"fullyQualifiedName": f"{audit.product_id}/{name}".rstrip("/"), "kind": "resource"}
                        for name in names
                    ],
                }
            ],
            "partialFingerprints": {"agpis/v1": finding.fingerprint},
            "properties": {
                "score": finding.score,
                "checker": finding.checker,
                "regions": [region.model_dump() for region in finding.regions],
            },
        }
        if finding.suppressed is not None:
            result["suppressions"] = [{"kind": "inSource", "justification": finding.suppressed}]
        return result


def _with_remedy(finding: AuditFinding) -> str:
    # A `fix` of SARIF replaces bytes of a file, which no words can: what to do is part of the message.
    end = "" if finding.message.endswith((".", "!", "?", "…")) else "."
    return f"{finding.message}{end} {finding.remedy}" if finding.remedy else finding.message


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "defaultConfiguration": {"level": rule.severity},
        **({"help": {"text": rule.remedy}} if rule.remedy else {}),
    }


def _json(value: object) -> str:
    return json_printable(json.dumps(value, ensure_ascii=False))


def _uri(path: str) -> str:
    return Path(path).as_uri() if Path(path).is_absolute() else quote(os.fsencode(path))
