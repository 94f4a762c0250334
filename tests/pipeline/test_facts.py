"""Facts: computed once per image, by whoever says so, before whoever needs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agpis_sdk.components import (
    ComponentConfig,
    Context,
    DecodedImage,
    ImageCheckerSpec,
    ImageSequence,
    SequenceCandidates,
)
from agpis_sdk.errors import ConfigError, UnknownNameError
from agpis_sdk.facts import VIEWS, View
from agpis_sdk.pipeline.pipeline import Pipeline
from tests.pipeline.fakes import NOTE, Stand, always, codes, configured, plain_features, product, twins


def provider(fact: str, log: list[str]) -> Callable[..., list[Any]]:
    def check(images: Sequence[DecodedImage], context: Context) -> list[Any]:
        log.append(f"provides {fact}")
        for image in images:
            context.provide(image, fact, f"{fact} of {image.id}")
        return []

    return check


def reader(fact: str, log: list[str]) -> Callable[..., list[Any]]:
    def check(images: Sequence[DecodedImage], context: Context) -> list[Any]:
        log.extend(context.fact(image, fact) for image in images)
        return []

    return check


def test_a_checker_runs_after_the_one_whose_fact_it_requires(gallery: Path) -> None:
    # By name alone the order would be a, b, c.
    log: list[str] = []
    stand = Stand()
    stand.image_checker(reader("weight", log), name="a", requires=frozenset({"weight"}))
    stand.image_checker(provider("weight", log), name="b", provides=frozenset({"weight"}), requires=frozenset({"size"}))
    stand.image_checker(provider("size", log), name="c", provides=frozenset({"size"}))

    outcome = stand.run_one(product(gallery, "a"), {"sequence.length": 1})

    assert log == ["provides size", "provides weight", "weight of a"]
    assert codes(outcome) == []


def test_checkers_that_need_nothing_of_each_other_run_by_name(gallery: Path) -> None:
    log: list[str] = []
    stand = Stand()
    for name in ("zebra", "ant", "mole"):
        stand.image_checker(provider(name, log), name=name, provides=frozenset({name}))

    stand.run_one(product(gallery))

    assert log == ["provides ant", "provides mole", "provides zebra"]


def test_a_pair_checker_runs_after_the_pair_checker_whose_fact_it_requires(gallery: Path) -> None:
    stand = Stand().pair_checker(twins(), name="a", requires=frozenset({"match"}))
    stand.pair_checker(twins(), name="b", provides=frozenset({"match"}))

    assert [owned.spec.name for owned in stand.pipeline().plan.pair_checkers] == ["b", "a"]


def test_the_backbone_runs_once_however_many_ask_for_its_facts(gallery: Path) -> None:
    seen: list[str] = []

    def features(images: Sequence[DecodedImage]) -> list[Any]:
        seen.extend(image.id for image in images)
        return plain_features(images)

    needs = frozenset({"embedding"})
    stand = Stand().backbone(features)
    stand.image_checker(reader("embedding", []), name="one", requires=needs)
    stand.image_checker(reader("embedding", []), name="two", requires=needs)
    stand.pair_checker(twins(), requires=needs)

    stand.run_one(product(gallery, "abc"))

    assert seen == ["a", "b", "c"]


def test_a_checker_whose_rules_are_ignored_still_provides_the_fact_that_another_requires(gallery: Path) -> None:
    log: list[str] = []
    stand = Stand().image_checker(provider("size", log), name="b", provides=frozenset({"size"}))
    stand.pair_checker(twins("ab"), requires=frozenset({"size"}))

    outcome = stand.run_one(product(gallery, "abcd"), {"rules.select": ("TST2",)})

    assert log == ["provides size"]
    assert codes(outcome) == ["TST201"]


def test_an_image_without_the_fact_is_skipped_and_the_skipped_component_named(gallery: Path) -> None:
    def half(images: Sequence[DecodedImage], context: Context) -> list[Any]:
        for image in images:
            if image.id != "b":
                context.provide(image, "size", 1)
        return []

    log: list[Any] = []
    stand = Stand().image_checker(half, name="half", provides=frozenset({"size"}))
    stand.image_checker(reader("size", log), name="reader", requires=frozenset({"size"}))

    outcome = stand.run_one(product(gallery, "abc"))

    assert log == [1, 1]
    (finding,) = outcome.findings
    assert (finding.code, finding.images) == ("AGP903", ("b",))
    assert finding.message == "reader (fakes local) was skipped: no size"


def test_a_fact_does_not_outlive_its_batch(gallery: Path) -> None:
    # The second product of this id has another picture under the image id of the first.
    def note(images: Sequence[DecodedImage], context: Context) -> list[Any]:
        if not log:
            provider("size", log)(images, context)
        return []

    log: list[str] = []
    seen: list[str] = []
    stand = Stand().image_checker(note, name="a", provides=frozenset({"size"}))
    stand.image_checker(reader("size", seen), name="b", requires=frozenset({"size"}))
    pipeline = stand.pipeline({"sequence.length": 1})

    (first,) = pipeline.run([product(gallery, "a")])
    (second,) = pipeline.run([product(gallery, "a")])

    assert seen == ["size of a"]
    assert (codes(first), codes(second)) == ([], ["AGP903"])


def test_a_fact_that_is_asked_for_without_being_required_is_a_failure_that_names_it(gallery: Path) -> None:
    outcome = Stand().image_checker(reader("size", [])).run_one(product(gallery))

    assert 'fact "size" of image "a" has not been provided' in outcome.findings[0].message


class TestAPlanIsRefused:
    def test_when_nothing_provides_a_fact(self) -> None:
        stand = Stand().image_checker(reader("sise", []), requires=frozenset({"sise"}))
        stand.image_checker(provider("size", []), name="other", provides=frozenset({"size"}))

        with pytest.raises(
            ConfigError, match=r'looker \(fakes local \(fakes\)\): requires fact "sise".*did you mean "size"'
        ):
            stand.pipeline()

    def test_when_nothing_provides_a_listed_fact_and_says_what_it_is(self) -> None:
        stand = Stand().image_checker(reader("foreground", []), requires=frozenset({"foreground"}))

        with pytest.raises(
            ConfigError, match=r'"foreground", which nothing provides.*provides it \(Foreground or None:'
        ):
            stand.pipeline()

    def test_when_two_provide_the_same_fact(self) -> None:
        stand = Stand()
        for name in ("one", "two"):
            stand.image_checker(provider("size", []), name=name, provides=frozenset({"size"}))

        with pytest.raises(ConfigError, match='fact "size" is provided by both'):
            stand.pipeline()

    def test_when_a_fact_comes_too_late(self) -> None:
        stand = Stand().image_checker(reader("match", []), requires=frozenset({"match"}))
        stand.pair_checker(twins(), provides=frozenset({"match"}))

        with pytest.raises(ConfigError, match='requires fact "match", which matcher provides only later'):
            stand.pipeline()

    def test_when_facts_go_round_in_a_circle(self) -> None:
        stand = Stand().image_checker(reader("a", []), name="x", requires=frozenset("a"), provides=frozenset("b"))
        stand.image_checker(reader("b", []), name="y", requires=frozenset("b"), provides=frozenset("a"))

        with pytest.raises(ConfigError, match="circle"):
            stand.pipeline()

    @pytest.mark.parametrize(
        ("setting", "name", "nearest"),
        [
            ("primary.selector", "frist", "first"),
            ("sequence.builder", "lsited", "listed"),
            ("sequence.scorer", "stedy", "steady"),
            ("backbone.name", "plane", "plain"),
        ],
    )
    def test_when_no_plugin_announces_the_component_that_a_setting_names(
        self, setting: str, name: str, nearest: str
    ) -> None:
        with pytest.raises(UnknownNameError, match=f'{setting} = "{name}".*did you mean "{nearest}"'):
            Stand().pipeline({setting: name})

    def test_when_the_scorer_gives_no_probability(self) -> None:
        stand = Stand().sequence_checker(always(0.5), name="reader")

        with pytest.raises(ConfigError, match=r'sequence.scorer = "reader".*gives no probability'):
            stand.pipeline({"sequence.scorer": "reader"})

    def test_when_a_component_table_belongs_to_nobody(self) -> None:
        with pytest.raises(ConfigError, match=r'components\.loker: no such component \(did you mean "looker"'):
            Stand().image_checker(reader("a", []), rules=[NOTE]).pipeline({"components": {"loker": {}}})

    def test_when_a_component_has_no_such_setting(self) -> None:
        with pytest.raises(ConfigError, match=r"components\.looker: size: unknown key|components\.looker.*unknown key"):
            Stand().image_checker(reader("a", []), rules=[NOTE]).pipeline({"components": {"looker": {"size": 1}}})


def test_a_builder_may_provide_its_own_fact_after_it_has_asked_for_p_t(gallery: Path) -> None:
    seen: list[float] = []

    def build(candidates: Sequence[SequenceCandidates], length: int, context: Context) -> list[ImageSequence]:
        built = [ImageSequence(product=one.product, images=(one.primary, *one.others)[:length]) for one in candidates]
        seen.extend(context.p_qualified(built))
        for candidate in candidates:
            context.provide(candidate.primary, "first.choice", True)
        return built

    stand = Stand().builder(build, name="asking", needs_scorer=True, provides=frozenset({"first.choice"}))

    outcome = stand.run_one(product(gallery), {"sequence.builder": "asking"})

    assert outcome.status == "submit"
    assert seen == [0.8]


def test_a_builder_s_seconds_do_not_hold_the_scorer_s(gallery: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("agpis_sdk.pipeline.guard.time.perf_counter", lambda: clock[0])

    def slow(sequences: Sequence[ImageSequence], context: Context) -> list[Any]:
        clock[0] += 100.0
        return list(always(0.8)(sequences, context))

    def build(candidates: Sequence[SequenceCandidates], length: int, context: Context) -> list[ImageSequence]:
        clock[0] += 1.0
        built = [ImageSequence(product=one.product, images=(one.primary, *one.others)[:length]) for one in candidates]
        context.p_qualified(built)
        return built

    stand = Stand().builder(build, name="asking", needs_scorer=True).scorer(slow)
    pipeline = Pipeline(configured({"sequence.builder": "asking"}), host=stand.host())

    list(pipeline.run([product(gallery)]))

    seconds = {label.split()[0]: spent for label, spent in pipeline.summary.component_seconds.items()}
    # The scorer is asked twice: by the builder, and for the verdict.
    assert (seconds["asking"], seconds["steady"]) == (1.0, 200.0)


DEVICES: list[tuple[str, str]] = []


class Placed:
    """A checker whose factory takes the device."""

    def __init__(self, config: ComponentConfig, device: str) -> None:
        self.device = device

    def check_images(self, images: Sequence[DecodedImage], context: Context) -> list[Any]:
        DEVICES.append((self.device, context.device))
        return []


def test_a_factory_that_takes_a_device_gets_that_of_the_run(gallery: Path) -> None:
    DEVICES.clear()
    spec = ImageCheckerSpec(name="placed", factory=f"{__name__}:Placed", rules=(NOTE,))
    stand = Stand(specs={"agpis_image_checkers": [spec]})

    stand.run_one(product(gallery), {"run.device": "meta"})

    assert DEVICES == [("meta", "meta")]


def test_what_an_image_shows_is_part_of_its_outcome(gallery: Path) -> None:
    def check(images: Sequence[DecodedImage], context: Context) -> list[Any]:
        for image in images:
            probabilities = np.full(len(VIEWS), 0.02, np.float32)
            probabilities[VIEWS.index("back")] = 0.82
            context.provide(image, "view", View(probabilities, 0.9))
        return []

    stand = Stand().image_checker(check, provides=frozenset({"view"}))
    stand.pair_checker(lambda pairs, context: [], requires=frozenset({"view"}))

    outcome = stand.run_one(product(gallery, "a"), {"sequence.length": 1})

    assert (outcome.images[0].view, outcome.images[0].p_view) == ("back", 0.82)
