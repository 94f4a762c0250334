"""An audit judges galleries as they stand: everything is looked at, nothing is chosen, removed or built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agpis_sdk.components import Context, DecodedImage, ImagePair, ImageSequence, image_finding, pair_finding
from agpis_sdk.errors import ConfigError
from agpis_sdk.pipeline.audit import Audit
from agpis_sdk.records import Finding, GalleryAudit, SequenceVerdict
from tests.pipeline.fakes import BAD, DULL, NOTE, TWIN, Stand, configured, flag, product, twins, verdict


def audited(stand: Stand, products: Sequence[Any], changes: Mapping[str, Any] | None = None) -> list[GalleryAudit]:
    return list(Audit(configured(changes or {}), host=stand.host()).run(products))


def found(audit: GalleryAudit) -> list[tuple[str, tuple[str, ...]]]:
    return [(finding.code, finding.images) for finding in audit.findings]


def refuse(*arguments: object) -> Any:
    raise AssertionError("an audit never asks for this")


def test_pairs_of_an_image_that_breaks_a_rule_are_looked_at_too(gallery: Path) -> None:
    stand = Stand().image_checker(flag({"a": 1.0})).pair_checker(twins("ab"))

    (audit,) = audited(stand, [product(gallery)])

    assert found(audit) == [("TST101", ("a",)), ("TST201", ("a", "b"))]


def test_all_pairs_of_a_gallery_are_looked_at_even_where_one_would_go(gallery: Path) -> None:
    (audit,) = audited(Stand().pair_checker(twins("ab", "ac", "bc")), [product(gallery)])

    assert found(audit) == [("TST201", ("a", "b")), ("TST201", ("a", "c")), ("TST201", ("b", "c"))]


def test_sequence_checkers_see_the_gallery_as_listed(gallery: Path) -> None:
    seen: list[tuple[str, ...]] = []

    def read(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        for sequence in sequences:
            seen.append(sequence.ids)
            dull = Finding(code=DULL.code, images=(), score=0.9, message="dull")
            yield verdict(sequence, findings=(dull,))

    (audit,) = audited(Stand().sequence_checker(read), [product(gallery, "dbeac")])

    assert seen == [("d", "b", "e", "a", "c")]
    assert found(audit) == [("TST301", ())]


def test_nothing_is_chosen_built_or_scored(gallery: Path) -> None:
    stand = Stand().image_checker(flag({"b": 1.0})).selector(refuse).scorer(refuse).builder(refuse, name="none")

    (audit,) = audited(stand, [product(gallery)], {"sequence.builder": "none"})

    assert found(audit) == [("TST101", ("b",))]


def test_a_gallery_shorter_than_a_sequence_is_judged_like_any_other(gallery: Path) -> None:
    (audit,) = audited(Stand().image_checker(flag({"a": 1.0})), [product(gallery, "a")], {"sequence.length": 5})

    assert found(audit) == [("TST101", ("a",))]


def test_a_gallery_with_an_unreadable_image_is_not_judged_as_a_whole_and_says_so(gallery: Path) -> None:
    stand = Stand().image_checker(flag({"a": 1.0})).sequence_checker(refuse)

    (audit,) = audited(stand, [product(gallery, "a!b")])

    assert found(audit) == [("TST101", ("a",)), ("AGP901", ("broken",)), ("AGP903", ("broken",))]


def test_findings_stand_in_the_order_of_the_gallery_then_by_rule(gallery: Path) -> None:
    stand = Stand().image_checker(flag({"a": 1.0, "c": 1.0}), name="one", rules=(BAD,))
    stand.image_checker(flag({"a": 1.0, "c": 1.0}, NOTE), name="two", rules=(NOTE,))

    (audit,) = audited(stand, [product(gallery, "cba")])

    assert found(audit) == [("TST101", ("c",)), ("TST102", ("c",)), ("TST101", ("a",)), ("TST102", ("a",))]


def test_a_finding_has_its_rule_s_severity_or_the_one_that_is_set(gallery: Path) -> None:
    stand = Stand().image_checker(flag({"a": 1.0}), name="one", rules=(BAD,))
    stand.image_checker(flag({"b": 1.0}, NOTE), name="two", rules=(NOTE,))

    (usual,) = audited(stand, [product(gallery)])
    (changed,) = audited(stand, [product(gallery)], {"rules.severities": {"bad-picture": "warning", "TST102": "error"}})

    assert [finding.severity for finding in usual.findings] == ["error", "warning"]
    assert [finding.severity for finding in changed.findings] == ["warning", "error"]


def test_a_severity_of_a_rule_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"rules\.severities\.TST777: no such rule"):
        audited(Stand().image_checker(flag({})), [], {"rules.severities": {"TST777": "error"}})


def test_a_selection_that_no_checker_can_raise_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no checker raises any of the selected rules"):
        audited(Stand().image_checker(flag({})), [], {"rules.select": ["TST301"]})


def test_the_rules_of_the_engine_need_no_checker(gallery: Path) -> None:
    (audit,) = audited(Stand().image_checker(flag({"a": 1.0})), [product(gallery, "a!")], {"rules.select": ["AGP9"]})

    assert [(finding.code, finding.images) for finding in audit.findings] == [("AGP901", ("broken",))]


def test_a_component_that_nothing_selected_needs_is_not_made(gallery: Path) -> None:
    stand = Stand().image_checker(flag({"a": 1.0}), name="one", rules=(BAD,))
    stand.image_checker(refuse, name="two", rules=(NOTE,), provides=frozenset({"p_noncompliant"}))

    (audit,) = audited(stand, [product(gallery)], {"rules.select": ["TST101"]})

    assert found(audit) == [("TST101", ("a",))]


def test_a_record_that_is_no_product_keeps_its_place(gallery: Path) -> None:
    audit = Audit(configured({}), host=Stand().image_checker(flag({})).host())

    audits = list(audit.run([product(gallery, "a", "P1"), {"id": "P2", "images": []}, product(gallery, "a", "P3")]))

    assert [(one.product_id, one.error is None) for one in audits] == [("P1", True), ("P2", False), ("P3", True)]
    assert audit.summary.failed


def test_a_component_that_fails_makes_the_audit_incomplete(gallery: Path) -> None:
    def fail(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        raise ValueError("no")

    audit = Audit(configured({}), host=Stand().image_checker(fail).host())

    (gallery_audit,) = audit.run([product(gallery, "a")])

    assert found(gallery_audit) == [("AGP902", ("a",))]
    assert audit.summary.failed
    assert "failed on 1 item; last: ValueError: no" in audit.summary.notices[0]


class TestFingerprints:
    def test_the_order_of_the_gallery_does_not_count(self, gallery: Path) -> None:
        stand = Stand().pair_checker(twins("ab", "ba"))

        (one,), (other,) = (audited(stand, [product(gallery, letters)]) for letters in ("abc", "cba"))

        assert one.findings[0].fingerprint == other.findings[0].fingerprint

    def test_product_rule_and_images_do(self, gallery: Path) -> None:
        stand = Stand().image_checker(flag({"a": 1.0, "b": 1.0}), name="one", rules=(BAD,))
        stand.image_checker(flag({"a": 1.0}, NOTE), name="two", rules=(NOTE,))

        audits = audited(stand, [product(gallery, "ab", "P1"), product(gallery, "ab", "P2")])

        fingerprints = [finding.fingerprint for audit in audits for finding in audit.findings]
        assert len(set(fingerprints)) == len(fingerprints) == 6


class TestSuppressions:
    def suppressed(self, gallery: Path, *ignored: object, letters: str = "ab") -> GalleryAudit:
        stand = Stand().image_checker(flag({"a": 1.0, "b": 1.0})).pair_checker(twins("ab"))
        (audit,) = audited(stand, [{**product(gallery, letters), "attributes": {"agpis_ignore": list(ignored)}}])
        return audit

    def reasons(self, audit: GalleryAudit) -> list[str | None]:
        return [finding.suppressed for finding in audit.findings]

    @pytest.mark.parametrize("rule", ["TST101", "bad-picture"])
    def test_a_rule_is_suppressed_for_some_images(self, gallery: Path, rule: str) -> None:
        audit = self.suppressed(gallery, {"rule": rule, "images": ["a"], "reason": "it is art"})

        assert found(audit) == [("TST101", ("a",)), ("TST201", ("a", "b")), ("TST101", ("b",))]
        assert self.reasons(audit) == ["it is art", None, None]

    def test_without_images_it_is_suppressed_for_the_whole_product(self, gallery: Path) -> None:
        assert self.reasons(self.suppressed(gallery, {"rule": "TST101", "reason": "art"})) == ["art", None, "art"]

    def test_a_pair_is_suppressed_only_where_both_images_are_named(self, gallery: Path) -> None:
        one = self.suppressed(gallery, {"rule": "TST201", "images": ["a"], "reason": "so be it"})
        both = self.suppressed(gallery, {"rule": "TST201", "images": ["b", "a"], "reason": "so be it"})

        assert (self.reasons(one)[1], self.reasons(both)[1]) == (None, "so be it")

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ({"rule": "TST101"}, "agpis_ignore.0.reason: is missing"),
            ({"rule": "TST101", "reason": "  "}, "agpis_ignore.0.reason: String should have at least 1 character"),
            ({"rule": "TST102x", "reason": "r"}, 'agpis_ignore.0: no such rule: "TST102x" (did you mean "TST102"?)'),
            ({"rule": "TST101", "images": ["z"], "reason": "r"}, "names images that the product does not list: z"),
            ({"rule": "TST101", "reason": "r", "until": "May"}, "agpis_ignore.0.until: is no known field"),
            ("TST101", "agpis_ignore.0: Input should be a valid dictionary"),
        ],
    )
    def test_one_that_cannot_be_understood_is_an_error_and_suppresses_nothing(
        self, gallery: Path, entry: object, message: str
    ) -> None:
        audit = self.suppressed(gallery, entry)

        assert audit.error is not None
        assert audit.error.startswith('[E300] product "P1", attributes.agpis_ignore')
        assert message in audit.error
        assert self.reasons(audit) == [None, None, None]


def level(*images: DecodedImage) -> float:
    """A number in 0..1 that depends on the pixels alone."""
    return float(sum(int(image.pixels.astype(int).sum()) for image in images) % 1000 / 999)


def look(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
    for image in images:
        if (image.product_id, image.id) == ("P3", "c"):
            raise ValueError("not this one")
        yield image_finding(image, NOTE if image.id in "abc" else BAD, level(image), "seen")


def match(pairs: Sequence[ImagePair], context: Context) -> Iterator[Finding]:
    for pair in pairs:
        yield pair_finding(pair, TWIN, level(pair.first, pair.second), "alike")


def read(sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
    for sequence in reversed(sequences):
        dull = Finding(code=DULL.code, images=sequence.ids[:1], score=level(*sequence.images), message="dull")
        yield verdict(sequence, findings=(dull,))


def audits(products: list[Any], **run: int) -> list[GalleryAudit]:
    stand = Stand().image_checker(look, batch_size=5).pair_checker(match, batch_size=7)
    stand.sequence_checker(read, batch_size=3)
    return audited(stand, products, {f"run.{key}": value for key, value in run.items()})


galleries = st.lists(
    st.lists(st.sampled_from("abcdefgh!"), min_size=1, max_size=7, unique=True).map("".join), min_size=1, max_size=7
)


@settings(max_examples=20)
@given(letters=galleries, batch_size=st.integers(1, 20), threads=st.integers(1, 4), data=st.data())
def test_audits_do_not_depend_on_the_batch_size_the_threads_or_the_order_of_the_products(
    gallery: Path, letters: list[str], batch_size: int, threads: int, data: st.DataObject
) -> None:
    products = [product(gallery, each, f"P{number}") for number, each in enumerate(letters)]
    shuffled = data.draw(st.permutations(products))

    def by_id(found: list[GalleryAudit]) -> list[GalleryAudit]:
        return sorted(found, key=lambda audit: audit.product_id)

    once = audits(products, batch_size=1, threads=1)
    assert [audit.product_id for audit in once] == [one["id"] for one in products]
    assert by_id(audits(shuffled, batch_size=batch_size, threads=threads)) == by_id(once)


def test_audits_come_out_while_products_still_come_in(gallery: Path) -> None:
    taken: list[int] = []

    def endless() -> Iterator[dict[str, Any]]:
        for number in range(1000):
            taken.append(number)
            yield product(gallery, "abc", f"P{number}")

    run = Audit(configured({"run.batch_size": 2}), host=Stand().image_checker(flag({})).host()).run(endless())
    first = next(run)
    run.close()  # type: ignore[attr-defined]

    assert first.product_id == "P0"
    assert len(taken) <= 6
