"""The formats of an audit: each says everything, and programs can read it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from agpis_sdk.errors import InputFileError
from agpis_sdk.plugins import PluginHost, shipped_rules
from agpis_sdk.records import AuditFinding, CandidateImage, GalleryAudit
from agpis_sdk.report.audit_statistics import AuditStatistics
from agpis_sdk.report.baseline import read_baseline, write_baseline
from agpis_sdk.report.plugin import AUDIT_REPORTERS

# The required keys of SARIF 2.1.0 (OASIS, sections 3.13, 3.14, 3.18, 3.20, 3.27, 3.28, 3.35) for what is written here.
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "$schema": {"type": "string", "format": "uri"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "type": "array",
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "properties": {
                                                "shortDescription": TEXT,
                                                "defaultConfiguration": {"properties": {"level": LEVEL}},
                                            },
                                        },
                                    }
                                },
                            }
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "level", "locations"],
                            "properties": {
                                "message": TEXT,
                                "level": LEVEL,
                                "locations": {
                                    "type": "array",
                                    "items": {
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation"],
                                                "properties": {
                                                    "artifactLocation": {
                                                        "required": ["uri"],
                                                        "properties": {
                                                            "uri": {"type": "string", "format": "uri-reference"}
                                                        },
                                                    }
                                                },
                                            }
                                        },
                                    },
                                },
                                "partialFingerprints": {"additionalProperties": {"type": "string"}},
                                "suppressions": {
                                    "type": "array",
                                    "items": {
                                        "required": ["kind"],
                                        "properties": {"kind": {"enum": ["inSource", "external"]}},
                                    },
                                },
                            },
                        },
                    },
                    "invocations": {
                        "type": "array",
                        "items": {
                            "required": ["executionSuccessful"],
                            "properties": {
                                "toolExecutionNotifications": {"items": {"required": ["message"]}},
                            },
                        },
                    },
                },
            },
        },
    },
}


def finding(**changes: Any) -> AuditFinding:
    fields = {
        "code": "AGP121",
        "name": "watermark",
        "images": ("a",),
        "score": 0.9,
        "message": "a watermark",
        "severity": "error",
        "fingerprint": "f" * 64,
    }
    return AuditFinding.model_validate({**fields, **changes})


def gallery(*findings: AuditFinding, **changes: Any) -> GalleryAudit:
    images = ({"id": "a", "uri": "/shop/a b.jpg"}, {"id": "b", "uri": "https://shop.example/b.jpg"})
    return GalleryAudit.model_validate({"product_id": "P1", "images": images, "findings": findings, **changes})


def written(name: str, *audits: GalleryAudit) -> str:
    stream = io.StringIO()
    host = PluginHost.load(discover=False)
    reporter = host.create(host.reporter("audits", name, setting="--format"), {})
    reporter.start(stream, "products.jsonl", list(shipped_rules())[:3])
    for audit in audits:
        reporter.add(audit)
    reporter.finish()
    return stream.getvalue()


FAULTY = gallery(error="[E300] line 7: is list, not an object", product_id="line-7", images=())


@pytest.mark.parametrize("name", AUDIT_REPORTERS)
def test_a_faulty_record_is_said_in_every_format(name: str) -> None:
    assert "line 7: is list" in written(name, FAULTY)


@pytest.mark.parametrize("name", AUDIT_REPORTERS)
def test_a_suppressed_finding_comes_with_its_reason(name: str) -> None:
    assert "it is art" in written(name, gallery(finding(suppressed="it is art")))


@pytest.mark.parametrize("name", AUDIT_REPORTERS)
def test_a_finding_says_what_to_do_in_every_format(name: str) -> None:
    assert "Keep one." in written(name, gallery(finding(remedy="Keep one.")))


@pytest.mark.parametrize("name", ["json", "sarif"])
def test_an_audit_without_findings_is_valid_json(name: str) -> None:
    assert json.loads(written(name, gallery())) is not None


HOSTILE = "a\x1b[2J\x07\r\n\x9b31m\u202egnp\u2028  front  error    AGP999 forged: line"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def hostile() -> GalleryAudit:
    """Return an audit whose every text, the file's name included, tries to move the cursor or to forge a line."""
    found = finding(images=(HOSTILE,), message=HOSTILE, remedy=HOSTILE, suppressed=HOSTILE, checker=HOSTILE)
    images = ({"id": HOSTILE, "uri": f"/shop/{HOSTILE}.jpg"},)
    texts = {"product_id": HOSTILE, "title": HOSTILE, "category": HOSTILE, "seller": HOSTILE, "error": HOSTILE}
    return gallery(found, images=images, **texts)


@pytest.mark.parametrize("name", AUDIT_REPORTERS)
def test_no_format_passes_a_control_character_on(name: str) -> None:
    assert not CONTROL.search(written(name, hostile()))


@pytest.mark.parametrize(("name", "lines"), [("text", 4), ("csv", 3), ("github", 2)])
def test_a_finding_is_one_line_whatever_an_id_holds(name: str, lines: int) -> None:
    assert len(written(name, hostile()).splitlines()) == lines  # the product's or the head's, and the error's


def test_json_keeps_the_texts_as_they_are() -> None:
    (product,) = json.loads(written("json", hostile()))

    assert (product["product_id"], product["findings"][0]["message"]) == (HOSTILE, HOSTILE)


def test_sarif_keeps_the_texts_as_they_are_and_is_valid() -> None:
    log = json.loads(written("sarif", hostile()))

    jsonschema.validate(log, SARIF)
    assert log["runs"][0]["results"][0]["message"]["text"] == f"{HOSTILE}. {HOSTILE}"


@pytest.mark.parametrize("name", AUDIT_REPORTERS)
def test_every_format_can_be_written_where_a_path_is_not_utf_8(name: str) -> None:
    image = CandidateImage(id="a", uri="a.jpg").model_copy(update={"uri": "/shop/\udcff/a.jpg"})
    audit = gallery(finding()).model_copy(update={"images": (image,)})

    assert written(name, audit).encode()


@pytest.mark.parametrize("uri", ["", "data:image/png;base64,AAAA"])
def test_a_finding_on_an_image_without_a_file_is_shown_on_the_products_file(uri: str) -> None:
    audit = gallery(finding(), images=({"id": "a", "uri": uri},))

    assert written("github", audit).startswith("::error file=products.jsonl,")


class TestCsv:
    @pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
    def test_a_cell_that_a_spreadsheet_would_compute_begins_with_an_apostrophe(self, beginning: str) -> None:
        text = f"{beginning}HYPERLINK(A1)"
        audit = gallery(finding(message=text, images=(text,)), product_id=text, title=text, seller=text)

        (row,) = csv.DictReader(io.StringIO(written("csv", audit)))

        for column in ("product_id", "title", "seller", "message", "images"):
            assert row[column].startswith("'")
            assert row[column].endswith("HYPERLINK(A1)")

    def test_a_score_stays_a_number(self) -> None:
        (row,) = csv.DictReader(io.StringIO(written("csv", gallery(finding()))))

        assert float(row["score"]) == 0.9


class TestText:
    def test_a_long_image_name_does_not_push_the_other_lines_to_the_right(self) -> None:
        text = written("text", gallery(finding(), finding(images=("x" * 500,))))

        assert max(map(len, text.splitlines()[1:2])) < 120

    def test_a_finding_about_no_image_is_about_the_gallery(self) -> None:
        assert "  (gallery)  error" in written("text", gallery(finding(images=())))

    def test_of_many_images_the_first_and_the_last_are_named(self) -> None:
        assert "  a … c  error" in written("text", gallery(finding(images=("a", "b", "c"))))


class TestSarif:
    def test_has_the_keys_that_sarif_requires(self) -> None:
        log = json.loads(
            written("sarif", gallery(finding(), finding(suppressed="art"), finding(images=("b",))), FAULTY)
        )

        jsonschema.Draft202012Validator.check_schema(SARIF)
        jsonschema.validate(log, SARIF)
        assert len(log["runs"][0]["results"]) == 3

    def test_a_file_is_a_uri_and_a_remote_image_stands_on_the_products_file(self) -> None:
        log = json.loads(written("sarif", gallery(finding(), finding(images=("b",)))))

        uris = [
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            for result in log["runs"][0]["results"]
        ]
        assert uris == ["file:///shop/a%20b.jpg", "products.jsonl"]

    def test_a_file_below_the_working_directory_is_relative(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        audit = gallery(finding(), images=({"id": "a", "uri": str(tmp_path / "images" / "a.jpg")},))

        (result,) = json.loads(written("sarif", audit))["runs"][0]["results"]

        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "images/a.jpg"

    def test_a_faulty_record_makes_the_invocation_unsuccessful(self) -> None:
        (invocation,) = json.loads(written("sarif", FAULTY))["runs"][0]["invocations"]

        assert invocation["executionSuccessful"] is False


class TestGithub:
    def test_what_would_end_a_command_is_escaped(self) -> None:
        audit = gallery(finding(message="50% off\nnow", name="a:b,c"), product_id="P:1")

        assert written("github", audit) == (
            "::error file=/shop/a b.jpg,title=AGP121 a%3Ab%2Cc · P%3A1::a: 50%25 off%0Anow\n"
        )

    def test_what_is_suppressed_is_a_notice(self) -> None:
        assert written("github", gallery(finding(suppressed="art"))).startswith("::notice ")


class TestBaseline:
    def test_what_is_written_is_read_sorted_and_once(self, tmp_path: Path) -> None:
        path = tmp_path / "known.json"

        write_baseline(path, ["b", "a", "b"])

        assert json.loads(path.read_text()) == {"version": 1, "findings": ["a", "b"]}
        assert read_baseline(path) == {"a", "b"}
        assert [file.name for file in tmp_path.iterdir()] == ["known.json"]

    @pytest.mark.parametrize(
        ("text", "message"),
        [("[]", "is no baseline"), ('{"version": 2, "findings": []}', "is a baseline of version 2, not 1")],
    )
    def test_another_file_is_refused(self, tmp_path: Path, text: str, message: str) -> None:
        (tmp_path / "known.json").write_text(text)

        with pytest.raises(InputFileError, match=message):
            read_baseline(tmp_path / "known.json")


class TestStatistics:
    def test_findings_are_counted_by_rule_and_seller_and_products_once(self) -> None:
        statistics = AuditStatistics()
        statistics.add(
            gallery(finding(), finding(images=("b",)), finding(code="AGP103", severity="warning"), seller="Ann")
        )
        statistics.add(gallery(finding(), seller="Ann"))

        watermark, ann = statistics.by_rule["AGP121"], statistics.by_seller["Ann"]
        assert (watermark.errors, watermark.warnings, watermark.products) == (3, 0, 2)
        assert (ann.errors, ann.warnings, ann.products) == (3, 1, 2)

    def test_suppressed_findings_are_counted_apart(self) -> None:
        statistics = AuditStatistics()

        statistics.add(gallery(finding(suppressed="art")))

        assert (statistics.total.findings, statistics.suppressed, statistics.by_rule) == (0, 1, {})
