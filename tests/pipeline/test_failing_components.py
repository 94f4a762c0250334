"""A component that fails is named, its item gets a finding, and everything else goes on (DESIGN laws 5 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.components import Context, DecodedImage, ImagePair, ImageSequence, image_finding
from agpis_sdk.records import Finding, Region, SequenceVerdict
from tests.pipeline.fakes import (
    BAD,
    DULL,
    NOTE,
    TWIN,
    Stand,
    codes,
    flag,
    plain_features,
    product,
    states,
    verdict,
)


def raising_on(*image_ids: str) -> Callable[[Sequence[DecodedImage], Context], Iterator[Finding]]:
    """Return a check that notes every image, but raises on some."""

    def check(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        for image in images:
            if image.id in image_ids:
                raise ValueError(f"cannot cope with {image.id}")
            yield image_finding(image, NOTE, 1.0, "noted")

    return check


def finding(**fields: Any) -> Finding:
    return Finding.model_validate({"code": "TST101", "images": ("a",), "score": 1.0, "message": "bad", **fields})


class TestAnImageChecker:
    def test_that_raises_on_one_image_is_asked_about_the_others_one_by_one(self, gallery: Path) -> None:
        outcome = Stand().image_checker(raising_on("b")).run_one(product(gallery, "abc"))

        assert [(found.code, found.images) for found in outcome.findings] == [
            ("AGP902", ("b",)),
            ("TST102", ("a",)),
            ("TST102", ("c",)),
        ]
        assert outcome.findings[0].message == "looker (fakes local) failed: ValueError: cannot cope with b"

    def test_that_always_raises_is_dropped_and_the_summary_says_so(self, gallery: Path) -> None:
        pipeline = Stand().image_checker(raising_on(*"abcde")).pipeline({"run.max_failures": 3})

        (outcome,) = pipeline.run([product(gallery, "abcde")])

        assert codes(outcome) == ["AGP902"] * 5
        assert outcome.findings[-1].message == "looker (fakes local) was dropped after 3 failures"
        assert pipeline.summary.notices == [
            "looker (fakes local) failed on 3 items and was dropped; last: ValueError: cannot cope with c"
        ]
        assert pipeline.summary.failed
        assert pipeline.summary.dropped == ["looker (fakes local)"]

    def test_that_was_dropped_is_tried_anew_in_the_next_run(self, gallery: Path) -> None:
        pipeline = Stand().image_checker(raising_on("a")).pipeline({"run.max_failures": 1})
        list(pipeline.run([product(gallery, "abc")]))

        (outcome,) = pipeline.run([product(gallery, "bcd")])

        assert codes(outcome) == ["TST102"] * 3
        assert not pipeline.summary.failed

    @pytest.mark.parametrize(
        ("rubbish", "reason"),
        [
            (None, "returned NoneType, not an iterable"),
            ("TST101", "returned str, not an iterable"),
            (42, "returned int, not an iterable"),
            ([None], "yielded NoneType, not a Finding"),
            (["a"], "yielded str, not a Finding"),
            ([{"code": "TST101"}], "yielded dict, not a Finding"),
            ([finding(code="TST999")], "raised TST999, which its spec does not declare"),
            ([finding(images=("z",))], "the images it names are not those of one product"),
            ([finding(regions=(Region(image="z", box=(0, 0, 1, 1)),))], "gave a region of an image"),
            (
                [Finding.model_construct(code="TST101", images=("a",), score=7.0, message="x", regions=())],
                "a AttributedFinding with a wrong score",
            ),
        ],
    )
    def test_that_returns_rubbish_is_blamed_for_what_it_returned(
        self, gallery: Path, rubbish: object, reason: str
    ) -> None:
        outcome = (
            Stand()
            .image_checker(lambda images, context: rubbish)
            .run_one(product(gallery, "a"), {"sequence.length": 1})
        )

        assert codes(outcome) == ["AGP902"]
        assert reason in outcome.findings[0].message
        assert outcome.sequence == ("a",)

    def test_that_names_an_image_of_another_product_is_blamed(self, gallery: Path) -> None:
        def check(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
            stranger = image_finding(images[0], BAD, 1.0, "bad")
            yield stranger.model_copy(update={"product_id": "P9"})

        outcome = Stand().image_checker(check).run_one(product(gallery, "abc"))

        assert "named images that it was not given: a" in outcome.findings[0].message

    def test_that_yields_some_findings_and_then_raises_loses_no_other_image_s_findings(self, gallery: Path) -> None:
        # The batch's own findings are thrown away and asked for anew, so none stands twice.
        outcome = Stand().image_checker(raising_on("c")).run_one(product(gallery, "abc"))

        assert codes(outcome) == ["AGP902", "TST102", "TST102"]

    @pytest.mark.timeout(60)
    def test_that_never_stops_yielding_is_stopped(self, gallery: Path) -> None:
        def endless(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
            while True:
                yield image_finding(images[0], BAD, 1.0, "again")

        outcome = Stand().image_checker(endless).run_one(product(gallery, "a"), {"sequence.length": 1})

        assert codes(outcome) == ["AGP902"]
        assert "an endless generator?" in outcome.findings[0].message

    def test_that_names_images_without_a_product_is_understood_where_only_one_product_can_be_meant(
        self, gallery: Path
    ) -> None:
        # Both products have an image "a": the batch is ambiguous, one image alone is not.
        def plain(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
            for image in images:
                if image.product_id == "P2":
                    yield finding(images=(image.id,))

        first, second = (
            Stand()
            .image_checker(plain)
            .run([product(gallery, "a", "P1"), product(gallery, "a", "P2")], {"sequence.length": 1})
        )

        assert codes(first) == []
        assert codes(second) == ["TST101"]

    def test_that_provides_a_fact_it_did_not_declare_is_blamed(self, gallery: Path) -> None:
        def check(images: Sequence[DecodedImage], context: Context) -> list[Finding]:
            context.provide(images[0], "color", "red")
            return []

        outcome = Stand().image_checker(check).run_one(product(gallery, "abc"))

        assert 'provides fact "color" without declaring it' in outcome.findings[0].message

    @pytest.mark.parametrize("value", [2.0, float("nan"), "high", None])
    def test_that_provides_a_p_nc_out_of_range_is_blamed(self, gallery: Path, value: Any) -> None:
        def check(images: Sequence[DecodedImage], context: Context) -> list[Finding]:
            for image in images:
                context.provide(image, "p_noncompliant", value)
            return []

        stand = Stand().image_checker(check, provides=frozenset({"p_noncompliant"}))
        outcome = stand.run_one(product(gallery, "abc"))

        assert codes(outcome) == ["AGP902"] * 3
        assert [image.p_noncompliant for image in outcome.images] == [None] * 3


class TestAPairChecker:
    def test_that_raises_on_one_pair_gets_a_finding_on_that_pair(self, gallery: Path) -> None:
        def check(pairs: Sequence[ImagePair], context: Context) -> list[Finding]:
            if any((pair.first.id, pair.second.id) == ("a", "c") for pair in pairs):
                raise RuntimeError("no")
            return []

        outcome = Stand().pair_checker(check).run_one(product(gallery, "abc"))

        assert [(found.code, found.images) for found in outcome.findings] == [("AGP902", ("a", "c"))]
        assert outcome.sequence == ("a", "b", "c")

    def test_that_names_a_pair_it_was_not_given_is_blamed(self, gallery: Path) -> None:
        outcome = (
            Stand()
            .pair_checker(lambda pairs, context: [finding(code="TST201", images=("a", "z"))], rules=[TWIN])
            .run_one(product(gallery, "abc"))
        )

        assert codes(outcome) == ["AGP902"] * 3


class TestThePrimarySelector:
    @pytest.mark.parametrize(
        ("score", "reason"),
        [
            (lambda images, context: [0.5] * (len(images) + 1), "scores for"),
            (lambda images, context: [], "gave 0 scores for 1 images"),
            (lambda images, context: [float("nan")] * len(images), "not in 0..1"),
            (lambda images, context: [2.0] * len(images), "gave p_primary 2.0, which is not in 0..1"),
            (lambda images, context: ["high"] * len(images), "could not convert"),
            (lambda images, context: None, "TypeError"),
        ],
    )
    def test_that_gives_no_usable_scores_fails_the_product(
        self, gallery: Path, score: Callable[..., Any], reason: str
    ) -> None:
        outcome = Stand().selector(score).run_one(product(gallery, "abc"))

        assert outcome.status == "failed"
        assert outcome.reason == "primary selector first (fakes local) gave no score for: a, b, c"
        assert reason in outcome.findings[0].message
        assert outcome.sequence == ()

    def test_that_fails_on_one_image_fails_the_product_rather_than_choose_among_the_others(self, gallery: Path) -> None:
        def score(images: Sequence[DecodedImage], context: Context) -> list[float]:
            return [1 / 0 if image.id == "b" else 0.9 for image in images]

        first, second = Stand().selector(score).run([product(gallery, "abc", "P1"), product(gallery, "cde", "P2")])

        assert (first.status, second.status) == ("failed", "submit")
        assert first.reason == "primary selector first (fakes local) gave no score for: b"

    def test_that_fails_on_a_removed_image_does_no_harm(self, gallery: Path) -> None:
        def score(images: Sequence[DecodedImage], context: Context) -> list[float]:
            return [1 / 0 if image.id == "b" else 0.9 for image in images]

        outcome = Stand().selector(score).image_checker(flag({"b": 1.0})).run_one(product(gallery, "abcd"))

        assert outcome.status == "submit"


class TestTheSequenceBuilder:
    @pytest.mark.parametrize(
        ("build", "reason"),
        [
            (lambda given, length, context: [], "odd (fakes local) built no sequence"),
            (lambda given, length, context: ["abc"], "yielded str, not an ImageSequence"),
            (lambda given, length, context: 1 / 0, "ZeroDivisionError"),
            (lambda given, length, context: [_sequence(given[0], "aab")], "3 different usable images are needed"),
            (lambda given, length, context: [_sequence(given[0], "ab")], "3 different usable images are needed"),
            (lambda given, length, context: [_sequence(given[0], "bac")], "the primary image must come first"),
        ],
    )
    def test_that_builds_nothing_usable_fails_the_product(
        self, gallery: Path, build: Callable[..., Any], reason: str
    ) -> None:
        outcome = Stand().builder(build, name="odd").run_one(product(gallery, "abcd"), {"sequence.builder": "odd"})

        assert outcome.status == "failed"
        assert outcome.reason is not None
        assert outcome.reason.startswith("sequence builder odd (fakes local)")
        assert reason in outcome.reason

    def test_that_takes_a_removed_image_fails_the_product(self, gallery: Path) -> None:
        kept: list[DecodedImage] = []

        def look(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
            kept.extend(images)
            return flag({"d": 1.0})(images, context)  # type: ignore[no-any-return]

        def build(given: Any, length: int, context: Context) -> list[ImageSequence]:
            removed = next(image for image in kept if image.id == "d")
            return [ImageSequence(product=given[0].product, images=(given[0].primary, given[0].others[0], removed))]

        stand = Stand().image_checker(look).builder(build, name="odd")
        outcome = stand.run_one(product(gallery, "abcd"), {"sequence.builder": "odd"})

        assert outcome.status == "failed"


class TestTheScorer:
    @pytest.mark.parametrize(
        ("check", "reason"),
        [
            (lambda given, context: 1 / 0, "steady (fakes local) failed: ZeroDivisionError: division by zero"),
            (lambda given, context: [], "ComponentError: [E202] gave no verdict"),
            (lambda given, context: [0.8], "yielded float, not a SequenceVerdict"),
            (lambda given, context: [verdict(given[0])], "is the scorer but gave no p_qualified"),
            (
                lambda given, context: [SequenceVerdict(product_id="P9", sequence=("a",), p_qualified=1.0)],
                "judged a sequence that it was not given: a",
            ),
            (
                lambda given, context: [
                    verdict(given[0], p_qualified=1.0, findings=(finding(code="TST301", images=("z",)),))
                ],
                "named images outside the sequence: z",
            ),
            (
                lambda given, context: [verdict(given[0], p_qualified=1.0, findings=(finding(code="TST999"),))],
                "raised TST999, which its spec does not declare",
            ),
        ],
    )
    def test_that_fails_fails_the_product_and_keeps_its_sequence(
        self, gallery: Path, check: Callable[..., Any], reason: str
    ) -> None:
        pipeline = Stand().scorer(check, rules=[DULL]).pipeline()

        (outcome,) = pipeline.run([product(gallery, "abc")])

        assert outcome.status == "failed"
        assert outcome.reason is not None
        assert outcome.reason.startswith("scorer ")
        assert reason in outcome.reason
        assert outcome.sequence == ("a", "b", "c")
        assert outcome.probability is None
        assert pipeline.summary.failed

    def test_that_fails_on_one_product_serves_the_others(self, gallery: Path) -> None:
        def check(given: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
            for sequence in given:
                if sequence.product.id == "P2":
                    raise ValueError("not this one")
                yield verdict(sequence, p_qualified=0.5)

        outcomes = Stand().scorer(check).run([product(gallery, "abc", f"P{number}") for number in (1, 2, 3)])

        assert [outcome.status for outcome in outcomes] == ["submit", "failed", "submit"]


class TestASequenceChecker:
    def test_that_fails_gets_a_finding_and_leaves_the_decision_alone(self, gallery: Path) -> None:
        outcome = Stand().sequence_checker(lambda given, context: 1 / 0).run_one(product(gallery, "abc"))

        assert [(found.code, found.images) for found in outcome.findings] == [("AGP902", ("a", "b", "c"))]
        assert outcome.status == "submit"


class TestTheBackbone:
    def test_that_fails_on_an_image_costs_that_image_the_components_that_need_it(self, gallery: Path) -> None:
        def features(images: Sequence[DecodedImage]) -> list[Any]:
            return [
                1 / 0 if image.id == "b" else facts for image, facts in zip(images, plain_features(images), strict=True)
            ]

        stand = Stand().backbone(features).image_checker(raising_on(), requires=frozenset({"embedding"}))
        outcome = stand.run_one(product(gallery, "abc"))

        assert [(found.code, found.images) for found in outcome.findings] == [
            ("AGP902", ("b",)),
            ("AGP903", ("b",)),
            ("TST102", ("a",)),
            ("TST102", ("c",)),
        ]
        assert outcome.findings[1].message == "looker (fakes local) was skipped: no embedding"

    def test_that_gives_too_few_facts_is_blamed(self, gallery: Path) -> None:
        stand = Stand().backbone(lambda images: [{} for _ in images])
        stand.image_checker(raising_on(), requires=frozenset({"embedding"}))

        outcome = stand.run_one(product(gallery, "a"), {"sequence.length": 1})

        assert "gave no embedding" in outcome.findings[0].message

    def test_that_nobody_needs_is_not_created(self, gallery: Path) -> None:
        stand = Stand().backbone(lambda images: 1 / 0)

        assert stand.pipeline().plan.backbone is None
        assert stand.run_one(product(gallery)).status == "submit"

    def test_that_was_not_asked_for_may_not_be_used(self, gallery: Path) -> None:
        outcome = Stand().image_checker(lambda images, context: [context.backbone]).run_one(product(gallery))

        assert "asked for the backbone without requiring a fact of it" in outcome.findings[0].message


def test_an_interruption_by_the_user_passes_through(gallery: Path) -> None:
    def check(images: object, context: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Stand().image_checker(check).run_one(product(gallery))


def test_when_a_component_is_dropped_does_not_depend_on_its_batch_size(gallery: Path) -> None:
    def outcomes(batch_size: int) -> list[object]:
        stand = Stand().image_checker(raising_on("a", "b", "d"), batch_size=batch_size)
        products = [product(gallery, letters, letters) for letters in ("ace", "bcf", "dge", "efg")]
        return list(stand.run(products, {"run.max_failures": 2}))

    assert outcomes(1) == outcomes(2) == outcomes(32)


def test_a_component_without_its_method_is_blamed_not_fatal(gallery: Path) -> None:
    outcome = Stand().image_checker(None).run_one(product(gallery))  # type: ignore[arg-type]

    assert codes(outcome) == ["AGP902"] * 3
    assert states(outcome)["a"] == "primary"


def _sequence(candidate: Any, letters: str) -> ImageSequence:
    by_id = {image.id: image for image in (candidate.primary, *candidate.others)}
    return ImageSequence(product=candidate.product, images=tuple(by_id[letter] for letter in letters))
