"""What every component keeps to, and every checker, as tests to inherit: DESIGN law 6 and the protocols, spelled out.

    class TestShiny(ImageCheckerContract):
        plugins = (agpis_shiny.plugin,)
        component = "shiny"

The engine's findings are rounded to four digits, so that is how exactly two runs are compared.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from agpis_sdk.components import (
    DecodedImage,
    ImageChecker,
    ImagePair,
    ImageSequence,
    PairChecker,
    SequenceChecker,
    SequenceScorer,
)
from agpis_sdk.config import Config
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.records import Finding, SequenceVerdict
from agpis_sdk.testing.checking import sequence_of
from agpis_sdk.testing.component import ComponentUnderTest
from agpis_sdk.testing.hosts import isolated_host
from agpis_sdk.testing.images import make_image, make_product
from agpis_sdk.testing.light_import import assert_light_import

Comparable = tuple[Any, ...]
ENGINE_NEEDS = ("backbones", "builders", "primary")
VARIETY = ("plain", "blur", "banner", "border", "dark", "small", "highlight", "gray", "tiny", "wide")


class ComponentContract:
    """What the contracts share: which component it is, and what holds for all kinds."""

    plugins: ClassVar[Sequence[object]] = ()
    """Modules or objects with `@hookimpl` functions; empty for a built-in component."""
    component: ClassVar[str]
    """The name under which the component is announced."""
    settings: ClassVar[Mapping[str, Any]] = {}
    """Its settings, as they would stand under `[components.NAME]`."""

    @classmethod
    @cache
    def under_test(cls) -> ComponentUnderTest:
        """Return the component, made once for all tests of a class."""
        return cls.fresh()

    @classmethod
    def fresh(cls) -> ComponentUnderTest:
        """Return the component made anew."""
        return ComponentUnderTest.named(isolated_host(*cls.hosted()), cls.component, cls.settings)

    @classmethod
    def hosted(cls) -> Sequence[object]:
        """Return the plugins that its host has beside the built-in ones."""
        return cls.plugins

    def test_its_settings_and_its_spec_can_be_pickled(self) -> None:
        """Workers are sent the factory's name and the settings."""
        subject = self.under_test()
        settings = subject.host.settings_of(subject.owned, subject.tables)

        assert pickle.loads(pickle.dumps(settings)) == settings
        assert pickle.loads(pickle.dumps(subject.spec)) == subject.spec

    def test_its_plugin_imports_nothing_heavy(self) -> None:
        """Every `agpis` command imports the module that announces it."""
        for plugin in self.plugins:
            if isinstance(plugin, ModuleType):
                assert_light_import(plugin.__name__)


class PipelineContract(ComponentContract):
    """What holds for a component that a run can leave out: it works in a pipeline with next to nothing else."""

    @classmethod
    def sections(cls) -> dict[str, dict[str, Any]]:
        """Return the sections of a config by which a run uses the component, and as little else as it can."""
        return {
            "primary": {"selector": "first", "threshold": 0.0},
            "sequence": {"builder": "listed", "scorer": "none", "length": 2},
        }

    @classmethod
    def pipeline(cls) -> Pipeline:
        """Return a pipeline of this component and whoever gives the facts that it requires: no other model is loaded."""
        subject = cls.under_test()
        kept = {*ENGINE_NEEDS, subject.owned.plugin.name, *(one.owned.plugin.name for one in subject.providers)}
        others = [one.name for one in subject.host.statuses if one.distribution == "agpis-sdk" and one.name not in kept]
        rules = {"rules": {"select": [rule.code for rule in subject.spec.rules]}}
        config = Config.model_validate({**cls.sections(), **rules, "components": subject.tables})
        host = isolated_host(*cls.hosted(), block=others)
        host.add_rules_from(subject.tables)
        return Pipeline(config, host=host)

    def test_an_unreadable_image_costs_nothing_but_itself(self, tmp_path: Path) -> None:
        """The image gets the engine's AGP901; the component works on with the others and never fails."""
        product = make_product(tmp_path, "plain", "unreadable", "highlight", "border")

        (outcome,) = self.pipeline().run([product])

        of_it = [finding for finding in outcome.findings if "unreadable" in finding.images]
        failed = [finding.message for finding in outcome.findings if finding.message.startswith(f"{self.component} (")]
        assert [finding.code for finding in of_it] == ["AGP901"]
        assert not failed, failed
        assert outcome.status != "failed", outcome.reason


class ImageCheckerContract(PipelineContract):
    """A checker of single images."""

    def images(self) -> list[DecodedImage]:
        """Return the images to check: by default ten kinds in two products that share their ids."""
        return various_images()

    def test_it_is_an_image_checker(self) -> None:
        assert isinstance(self.under_test().instance, ImageChecker)

    def test_it_finds_something_in_these_images(self) -> None:
        """Where nothing is found, the other tests show nothing: give `images` one that breaks a rule."""
        assert self.under_test().check_images(self.images())

    def test_a_batch_says_what_its_images_say_one_by_one(self) -> None:
        images = self.images()

        assert comparable(self.under_test().check_images(images, batch_size=len(images))) == comparable(
            self.under_test().check_images(images, batch_size=1)
        )

    def test_the_order_of_images_changes_nothing(self) -> None:
        images = self.images()

        assert comparable(self.under_test().check_images(images)) == comparable(
            self.under_test().check_images(images[::-1])
        )

    def test_it_says_the_same_again_and_when_made_anew(self) -> None:
        first = comparable(self.under_test().check_images(self.images()))

        assert comparable(self.under_test().check_images(self.images())) == first
        assert comparable(self.fresh().check_images(self.images())) == first

    def test_it_leaves_the_pixels_alone(self) -> None:
        images = [writable(image) for image in self.images()]
        before = [image.pixels.copy() for image in images]

        self.under_test().check_images(images)

        assert_untouched(images, before)

    def test_its_findings_are_in_order(self) -> None:
        """Declared codes, scores in 0..1, and nothing is lost on the way through JSON."""
        assert_findings_in_order(self.under_test().check_images(self.images()), self.under_test())

    def test_an_empty_batch_has_no_findings(self) -> None:
        subject = self.under_test()

        assert list(subject.instance.check_images([], subject.sequence_context([]))) == []


class PairCheckerContract(PipelineContract):
    """A checker of image pairs."""

    def pairs(self) -> list[ImagePair]:
        """Return the pairs to check: a copy, a change, and two different pictures, in two products."""
        pairs = []
        for seed, product_id in enumerate(("P1", "P2")):
            faults = ("plain", "plain", "highlight", "wide", "clutter")
            images = [
                make_image(fault, product_id=product_id, id=f"{fault}-{position}", position=position, seed=seed)
                for position, fault in enumerate(faults)
            ]
            pairs += [ImagePair(images[0], other) for other in images[1:]]
        return pairs

    def test_it_is_a_pair_checker(self) -> None:
        assert isinstance(self.under_test().instance, PairChecker)

    def test_it_finds_something_in_these_pairs(self) -> None:
        """Where nothing is found, the other tests show nothing: give `pairs` one that breaks a rule."""
        assert self.under_test().check_pairs(self.pairs())

    def test_a_batch_says_what_its_pairs_say_one_by_one(self) -> None:
        pairs = self.pairs()

        assert comparable(self.under_test().check_pairs(pairs, batch_size=len(pairs))) == comparable(
            self.under_test().check_pairs(pairs, batch_size=1)
        )

    def test_the_order_of_pairs_changes_nothing(self) -> None:
        pairs = self.pairs()

        assert comparable(self.under_test().check_pairs(pairs)) == comparable(
            self.under_test().check_pairs(pairs[::-1])
        )

    def test_the_order_within_a_pair_changes_nothing(self) -> None:
        """Only the words may differ: they may speak of the first and the second."""
        swapped = [ImagePair(pair.second, pair.first) for pair in self.pairs()]

        there, back = self.under_test().check_pairs(self.pairs()), self.under_test().check_pairs(swapped)

        assert comparable(there, ordered=False) == comparable(back, ordered=False)

    def test_it_says_the_same_again_and_when_made_anew(self) -> None:
        first = comparable(self.under_test().check_pairs(self.pairs()))

        assert comparable(self.under_test().check_pairs(self.pairs())) == first
        assert comparable(self.fresh().check_pairs(self.pairs())) == first

    def test_it_leaves_the_pixels_alone(self) -> None:
        pairs = [ImagePair(writable(pair.first), writable(pair.second)) for pair in self.pairs()]
        images = [image for pair in pairs for image in (pair.first, pair.second)]
        before = [image.pixels.copy() for image in images]

        self.under_test().check_pairs(pairs)

        assert_untouched(images, before)

    def test_its_findings_are_in_order(self) -> None:
        """Declared codes, scores in 0..1, and nothing is lost on the way through JSON."""
        assert_findings_in_order(self.under_test().check_pairs(self.pairs()), self.under_test())

    def test_an_empty_batch_has_no_findings(self) -> None:
        subject = self.under_test()

        assert list(subject.instance.check_pairs([], subject.sequence_context([]))) == []


class SequenceCheckerContract(PipelineContract):
    """A checker of whole sequences; a scorer, too."""

    @classmethod
    def sections(cls) -> dict[str, dict[str, Any]]:
        """Return the sections of a config that name it as the scorer, where it is one."""
        sections = super().sections()
        return (
            {**sections, "sequence": {**sections["sequence"], "scorer": cls.component}}
            if cls.under_test().is_scorer
            else sections
        )

    def sequences(self) -> list[ImageSequence]:
        """Return the sequences to judge: two orders of one product, and one each of two others."""
        plan = (
            ("P1", ("plain", "highlight", "small")),
            ("P1", ("small", "plain", "highlight")),
            ("P2", ("plain", "banner", "blur")),
            ("P3", ("gray", "plain", "border")),
        )
        return [
            sequence_of([make_image(fault, product_id=product_id, seed=int(product_id[1])) for fault in faults])
            for product_id, faults in plan
        ]

    def test_it_is_a_sequence_checker(self) -> None:
        assert isinstance(self.under_test().instance, SequenceChecker)

    def test_every_sequence_gets_one_verdict(self) -> None:
        sequences = self.sequences()

        verdicts = self.under_test().check_sequences(sequences)

        judged = sorted((verdict.product_id, verdict.sequence) for verdict in verdicts)
        assert judged == sorted((sequence.product.id, sequence.ids) for sequence in sequences)

    def test_a_batch_says_what_its_sequences_say_one_by_one(self) -> None:
        sequences = self.sequences()

        assert judged(self.under_test().check_sequences(sequences, batch_size=len(sequences))) == judged(
            self.under_test().check_sequences(sequences, batch_size=1)
        )

    def test_the_order_of_sequences_changes_nothing(self) -> None:
        sequences = self.sequences()

        assert judged(self.under_test().check_sequences(sequences)) == judged(
            self.under_test().check_sequences(sequences[::-1])
        )

    def test_it_says_the_same_again_and_when_made_anew(self) -> None:
        first = judged(self.under_test().check_sequences(self.sequences()))

        assert judged(self.under_test().check_sequences(self.sequences())) == first
        assert judged(self.fresh().check_sequences(self.sequences())) == first

    def test_it_leaves_the_pixels_alone(self) -> None:
        sequences = [sequence_of([writable(image) for image in one.images]) for one in self.sequences()]
        images = [image for sequence in sequences for image in sequence.images]
        before = [image.pixels.copy() for image in images]

        self.under_test().check_sequences(sequences)

        assert_untouched(images, before)

    def test_its_verdicts_are_in_order(self) -> None:
        """Declared codes, scores in 0..1, p^t where it is a scorer, and nothing is lost on the way through JSON."""
        subject = self.under_test()

        for verdict in subject.check_sequences(self.sequences()):
            assert_findings_in_order(verdict.findings, subject)
            assert SequenceVerdict.model_validate_json(verdict.model_dump_json()) == verdict
            if subject.is_scorer or verdict.p_qualified is not None:
                assert verdict.p_qualified is not None
                assert 0.0 <= verdict.p_qualified <= 1.0

    def test_its_quick_score_is_that_of_its_verdict(self) -> None:
        """Where it has `score_sequences`, a search over sequences and the verdict must agree."""
        subject, sequences = self.under_test(), self.sequences()
        if isinstance(subject.instance, SequenceScorer):
            scores = list(subject.instance.score_sequences(sequences, subject.sequence_context(sequences)))
            verdicts = {(one.product_id, one.sequence): one for one in subject.check_sequences(sequences)}

            expected = [verdicts[sequence.product.id, sequence.ids].p_qualified for sequence in sequences]
            assert [round(score, 4) for score in scores] == [round(p or 0.0, 4) for p in expected]

    def test_an_empty_batch_has_no_verdicts(self) -> None:
        subject = self.under_test()

        assert list(subject.instance.check_sequences([], subject.sequence_context([]))) == []


# ── What the contracts compare ───────────────────────────────────────────────────────────────────────────────────────


def comparable(findings: Iterable[Finding], *, ordered: bool = True) -> list[Comparable]:
    """Return what findings say, sorted; with `ordered=False` the order of their images and the words do not count."""
    return sorted(
        (
            getattr(finding, "product_id", ""),
            finding.code,
            finding.images if ordered else tuple(sorted(finding.images)),
            round(finding.score, 4),
            finding.message if ordered else "",
            tuple(sorted((region.image, region.box) for region in finding.regions)),
        )
        for finding in findings
    )


def judged(verdicts: Iterable[SequenceVerdict]) -> list[Comparable]:
    """Return what verdicts say, sorted."""
    return sorted(
        (
            verdict.product_id,
            verdict.sequence,
            -1.0 if verdict.p_qualified is None else round(verdict.p_qualified, 4),
            verdict.feedback or "",
            comparable(verdict.findings),
        )
        for verdict in verdicts
    )


def assert_findings_in_order(findings: Iterable[Finding], subject: ComponentUnderTest) -> None:
    """Fail where a code is not declared, a score is outside 0..1, or JSON loses something."""
    for finding in findings:
        assert subject.spec.raises(finding.code), f"{finding.code} is not among the rules that the spec may raise"
        assert math.isfinite(finding.score)
        assert 0.0 <= finding.score <= 1.0
        assert type(finding).model_validate_json(finding.model_dump_json()) == finding


def various_images() -> list[DecodedImage]:
    """Return ten kinds of images in each of two products that share their ids."""
    return [
        make_image(fault, product_id=product_id, position=position, seed=seed)
        for seed, product_id in enumerate(("P1", "P2"))
        for position, fault in enumerate(VARIETY)
    ]


def writable(image: DecodedImage) -> DecodedImage:
    """Return an image whose pixels could be changed, as the engine's cannot."""
    fields = {name: getattr(image, name) for name in image.__dataclass_fields__}
    return DecodedImage(**{**fields, "pixels": image.pixels.copy()})


def assert_untouched(images: Sequence[DecodedImage], before: Sequence[Any]) -> None:
    """Fail, naming the image, where pixels differ from what they were."""
    for image, pixels in zip(images, before, strict=True):
        assert np.array_equal(image.pixels, pixels), f'"{image.id}" was changed: copy before you draw'
