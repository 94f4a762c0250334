"""`run.cache`: what an earlier run found is not computed again, and outcomes do not depend on it (DESIGN law 6)."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agpis_sdk.builtin.builders import plugin as builders
from agpis_sdk.components import Context, DecodedImage, ImagePair, ImageSequence, image_finding, pair_finding
from agpis_sdk.facts import Background, View
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.pipeline.result_cache.packing import UnpackableError, packed, unpacked
from agpis_sdk.pipeline.result_cache.store import FILE, EntryStore
from agpis_sdk.plugins import PluginHost
from agpis_sdk.plugins.discovery import FoundPlugin
from agpis_sdk.records import Finding, Outcome, SequenceVerdict
from tests.pipeline.fakes import BAD, NOTE, TWIN, Stand, configured, plain_features, product, verdict


def level(*images: DecodedImage) -> float:
    return float(sum(int(image.pixels.astype(int).sum()) for image in images) % 1000 / 999)


class Catalog:
    """A pipeline of cacheable fakes, made anew for each run; `calls` counts the items that each was shown in the last one."""

    def __init__(self, folder: Path | None, *, version: str = "1.0", fails_from: float = 2.0) -> None:
        self.folder, self.version, self.fails_from = folder, version, fails_from
        self.calls: dict[str, int] = {}
        self.notices: list[str] = []
        self._stand = self._made()  # once: a fake made again has another factory

    def run(self, products: Sequence[Mapping[str, Any]], **settings: Any) -> list[Outcome]:
        self.calls = {"features": 0, "look": 0, "match": 0, "score": 0}
        cache = {"run.cache": str(self.folder)} if self.folder else {}
        config = configured({**cache, **{name.replace("__", "."): value for name, value in settings.items()}})
        pipeline = Pipeline(config, host=self._host())
        outcomes = list(pipeline.run(products))
        self.notices = pipeline.summary.notices
        return outcomes

    def _made(self) -> Stand:
        always = {"cacheable": True}
        stand = Stand().backbone(self._features, **always)
        stand.image_checker(
            self._look,
            provides=frozenset({"p_noncompliant"}),
            requires=frozenset({"embedding"}),
            batch_size=5,
            **always,
        )
        stand.pair_checker(self._match, batch_size=7, **always).scorer(self._score, batch_size=3, **always)
        return stand.selector(lambda images, context: [level(image) for image in images], batch_size=4, **always)

    def _host(self) -> PluginHost:
        host = PluginHost()
        for plugin, name in ((builders, "builders"), (self._stand, "fakes")):
            host.register(FoundPlugin(name, f"{name}-of-tests", self.version, plugin), strict=True)
        return host

    def _features(self, images: Sequence[DecodedImage]) -> list[dict[str, Any]]:
        self.calls["features"] += len(images)
        return plain_features(images)

    def _look(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        for image in images:
            self.calls["look"] += 1
            if level(image) >= self.fails_from:
                raise ValueError("not this one")
            context.provide(image, "p_noncompliant", float(context.fact(image, "embedding").sum() % 1 * 0.6))
            yield image_finding(image, NOTE if level(image) < 0.8 else BAD, level(image), "seen", [(0, 0, 2, 2)])

    def _match(self, pairs: Sequence[ImagePair], context: Context) -> Iterator[Finding]:
        for pair in pairs:
            self.calls["match"] += 1
            yield pair_finding(
                pair, TWIN, level(pair.first, pair.second) ** 4, f"{pair.first.id} like {pair.second.id}"
            )

    def _score(self, sequences: Sequence[ImageSequence], context: Context) -> Iterator[SequenceVerdict]:
        for sequence in sequences:
            self.calls["score"] += 1
            yield verdict(sequence, p_qualified=level(*sequence.images))


def lines(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.model_dump_json() for outcome in outcomes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def copies(tmp_path: Path, gallery: Path) -> Path:
    """A gallery whose files may be changed."""
    return Path(shutil.copytree(gallery, tmp_path / "gallery"))


# ── Outcomes do not depend on it ─────────────────────────────────────────────────────────────────────────────────────


galleries = st.lists(st.sampled_from("abcdefgh!"), min_size=1, max_size=7, unique=True).map("".join)
catalogs = st.lists(galleries, min_size=1, max_size=7)


@settings(max_examples=40)
@given(
    before=catalogs, now=catalogs, batch_size=st.integers(1, 20), fails_from=st.sampled_from([0.6, 0.9, 2.0]),
    max_failures=st.integers(1, 4), limit=st.sampled_from([2_000, 10_000_000]),
)  # fmt: skip
# The component is dropped at an image that comes before one that is known.
@example(before=["c"], now=["ach"], batch_size=1, fails_from=0.6, max_failures=1, limit=10_000_000)
def test_outcomes_are_the_same_without_a_cache_with_a_cold_and_with_a_warm_one(
    gallery: Path, before: list[str], now: list[str], batch_size: int, fails_from: float, max_failures: int, limit: int
) -> None:
    earlier, products = (
        [product(gallery, letters, f"P{number}") for number, letters in enumerate(names)] for names in (before, now)
    )
    of_run = {"run__batch_size": batch_size, "run__max_failures": max_failures, "run__cache_bytes": limit}

    expected = lines(Catalog(None, fails_from=fails_from).run(products, **of_run))

    with tempfile.TemporaryDirectory() as place:
        cached = Catalog(Path(place), fails_from=fails_from)
        cached.run(earlier, **of_run)
        assert lines(cached.run(products, **of_run)) == expected
        assert lines(cached.run(products, **of_run)) == expected


# ── What is kept ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_run_shows_the_components_nothing(gallery: Path, folder: Path) -> None:
    catalog = Catalog(folder)
    catalog.run([product(gallery)])

    catalog.run([product(gallery)])

    assert catalog.calls == {"features": 0, "look": 0, "match": 0, "score": 0}


def test_a_new_product_costs_what_is_new(gallery: Path, folder: Path) -> None:
    catalog = Catalog(folder)
    catalog.run([product(gallery, "abc")])

    catalog.run([product(gallery, "abc"), product(gallery, "bcd", "P2")])

    assert (catalog.calls["features"], catalog.calls["look"]) == (1, 1)


def test_a_changed_threshold_judges_anew_what_has_been_measured(gallery: Path, folder: Path) -> None:
    catalog = Catalog(folder)
    catalog.run([product(gallery)])

    outcomes = catalog.run([product(gallery)], rules={"thresholds": {"TST101": 1.0}, "ignore": {}})

    assert (catalog.calls["look"], catalog.calls["match"]) == (0, 0)
    assert lines(outcomes) == lines(Catalog(None).run([product(gallery)], rules={"thresholds": {"TST101": 1.0}}))


def test_a_picture_about_which_all_is_known_is_not_decoded(
    gallery: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = Catalog(folder)
    catalog.run([product(gallery)])
    monkeypatch.setattr("agpis_sdk.pipeline.batch.decode_image", lambda *_, **__: pytest.fail("decoded"))

    assert catalog.run([product(gallery)])[0].status != "failed"


def test_a_product_with_an_image_that_cannot_be_read_is_looked_at_again(copies: Path, folder: Path) -> None:
    catalog = Catalog(folder)
    catalog.run([product(copies, "abc!")])
    shutil.copy(copies / "d.png", copies / "broken.png")

    (outcome,) = catalog.run([product(copies, "abc!")])

    assert "unreadable" not in {image.state for image in outcome.images}


# ── What is a miss ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_changed_file_is_looked_at_anew(copies: Path, folder: Path) -> None:
    catalog = Catalog(folder)
    catalog.run([product(copies)])
    shutil.copy(copies / "h.png", copies / "b.png")

    outcomes = catalog.run([product(copies)])

    assert catalog.calls["look"] == 1
    assert lines(outcomes) == lines(Catalog(None).run([product(copies)]))


def test_another_version_of_a_plugin_computes_everything(gallery: Path, folder: Path) -> None:
    catalog = Catalog(folder)
    catalog.run([product(gallery)])
    catalog.version = "1.1"

    catalog.run([product(gallery)])

    assert (catalog.calls["features"], catalog.calls["look"], catalog.calls["match"]) == (3, 3, 3)


@pytest.mark.parametrize(
    "changed", [{"media__working_side": 64}, {"run__seed": 7}, {"rules": {"severities": {"TST101": "warning"}}}]
)
def test_a_changed_setting_that_matters_computes_anew(gallery: Path, folder: Path, changed: dict[str, Any]) -> None:
    catalog = Catalog(folder)
    catalog.run([product(gallery)])

    catalog.run([product(gallery)], **changed)

    assert catalog.calls["look"] == 3


def test_a_plugin_without_a_version_is_computed_in_every_run(gallery: Path, folder: Path) -> None:
    catalog = Catalog(folder, version="local")
    catalog.run([product(gallery)])

    catalog.run([product(gallery)])

    assert (catalog.calls["features"], catalog.calls["look"], catalog.calls["match"]) == (3, 3, 3)


def test_a_component_that_does_not_say_so_is_computed_in_every_run(gallery: Path, folder: Path) -> None:
    seen: list[str] = []

    def look(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        seen.extend(image.id for image in images)
        yield from ()

    for _ in range(2):
        Stand().image_checker(look).run([product(gallery)], {"run.cache": str(folder)})

    assert len(seen) == 6


def test_a_cacheable_checker_that_asks_for_the_product_fails(gallery: Path, folder: Path) -> None:
    def look(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        yield image_finding(images[0], NOTE, 1.0, context.product(images[0].product_id).title)

    outcome = Stand().image_checker(look, cacheable=True).run_one(product(gallery))

    assert "on which nothing cacheable about images may depend" in outcome.findings[0].message


class Titled:
    """A checker that repeats the title of the product, and a pipeline around it whose components are all cacheable."""

    def __init__(self, gallery: Path, folder: Path) -> None:
        self.gallery, self.folder, self.calls = gallery, folder, 0
        always = {"cacheable": True}
        stand = Stand().backbone(plain_features, **always).image_checker(self._look, reads_product=True, **always)
        self._stand = stand.selector(lambda images, context: [level(image) for image in images], **always)

    def run(self, title: str) -> list[str]:
        self.calls = 0
        host = PluginHost()
        for plugin, name in ((builders, "builders"), (self._stand, "fakes")):
            host.register(FoundPlugin(name, f"{name}-of-tests", "1.0", plugin), strict=True)
        config = configured({"run.cache": str(self.folder), "sequence.scorer": "none"})
        (outcome,) = Pipeline(config, host=host).run([{**product(self.gallery), "title": title}])
        return [finding.message for finding in outcome.findings]

    def _look(self, images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
        for image in images:
            self.calls += 1
            yield image_finding(image, NOTE, 0.9, context.product(image.product_id).title)


def test_a_checker_that_reads_the_product_sees_what_changed_in_it(gallery: Path, folder: Path) -> None:
    catalog = Titled(gallery, folder)
    catalog.run("Hoodie")

    assert set(catalog.run("Jacket")) == {"Jacket"}


def test_a_checker_that_reads_the_product_does_not_stop_outcomes_from_being_kept(gallery: Path, folder: Path) -> None:
    catalog = Titled(gallery, folder)
    catalog.run("Hoodie")

    assert set(catalog.run("Hoodie")) == {"Hoodie"}
    assert catalog.calls == 0


# ── What goes wrong costs the cache alone ────────────────────────────────────────────────────────────────────────────


def test_a_damaged_entry_is_computed_anew_and_told_once(gallery: Path, folder: Path) -> None:
    catalog = Catalog(folder)
    expected = lines(catalog.run([product(gallery)]))
    with sqlite3.connect(folder / FILE) as connection:
        connection.execute("UPDATE entries SET value = zeroblob(size)")
    connection.close()

    outcomes = catalog.run([product(gallery)])

    assert lines(outcomes) == expected
    assert [notice for notice in catalog.notices if "damaged" in notice] == catalog.notices
    assert len(catalog.notices) == 1


def test_a_file_that_is_no_cache_is_told_and_left_alone(gallery: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / FILE).write_bytes(b"this is somebody's letter" * 100)
    catalog = Catalog(folder)

    outcomes = catalog.run([product(gallery)])

    assert lines(outcomes) == lines(Catalog(None).run([product(gallery)]))
    assert "the run goes on without it" in catalog.notices[0]
    assert (folder / FILE).read_bytes().startswith(b"this is somebody's letter")


def test_what_was_not_used_for_longest_goes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agpis_sdk.pipeline.result_cache.store.time.time", lambda: 0.0)
    EntryStore(folder, 1000).put({bytes([number]): bytes(90) for number in range(10)})
    monkeypatch.setattr("agpis_sdk.pipeline.result_cache.store.time.time", lambda: 7200.0)
    later = EntryStore(folder, 1000)
    later.get([bytes([0])])

    later.put({b"new": bytes(200)})

    assert later.has([bytes([0]), b"new"])
    assert not later.has([bytes([1])])
    assert later.info().size <= 1000


def test_two_runs_use_one_store_at_a_time(folder: Path) -> None:
    first, second = EntryStore(folder, 10_000), EntryStore(folder, 10_000)

    first.put({b"a": b"1"})
    second.put({b"b": b"2"})

    assert first.get([b"a", b"b"]) == second.get([b"a", b"b"]) == {b"a": b"1", b"b": b"2"}
    assert first.problems == second.problems == []


def test_a_writer_that_was_killed_leaves_the_entries_from_before(folder: Path) -> None:
    EntryStore(folder, 10_000).put({b"a": b"1"})
    killed = sqlite3.connect(folder / FILE, isolation_level=None)
    killed.execute("BEGIN IMMEDIATE")
    killed.execute("UPDATE entries SET value = x'00'")
    killed.close()  # as the system does for a process that is no more

    assert EntryStore(folder, 10_000).get([b"a"]) == {b"a": b"1"}


# ── Values come back as they were ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, 0.1, float("inf"), "ä\ud800", (1, [2.5, None]), {"a": (1,)}, np.float32(0.1), np.float64(0.1),
        np.arange(6, dtype=np.float32).reshape(2, 3), np.array([True, False]), np.zeros((0, 4), np.float32),
    ],
)  # fmt: skip
def test_a_value_comes_back_of_the_same_type(value: Any) -> None:
    found = unpacked(packed(value))

    assert type(found) is type(value)
    if isinstance(value, np.ndarray):
        assert (found.dtype, found.shape) == (value.dtype, value.shape)
    assert np.array_equal(found, value) if isinstance(value, np.ndarray) else found == value


def test_the_classes_of_facts_come_back() -> None:
    view = unpacked(packed((View(np.ones(3, np.float32), 0.5), Background(0.1, np.float64(0.2), 0.3))))

    assert (type(view[0]), view[0].whole, type(view[1].whiteness)) == (View, 0.5, np.float64)


class Secret:
    """A class that only a plugin knows."""


@pytest.mark.parametrize("value", [Secret(), {1: 2}, np.arange(6).reshape(2, 3).T, np.array([object()])])
def test_what_cannot_come_back_the_same_is_not_kept(value: Any) -> None:
    with pytest.raises(UnpackableError):
        packed(value)


@pytest.mark.parametrize("data", [b"", b"no safetensors", packed(1)[:-1]])
def test_bytes_that_are_no_value_are_refused(data: bytes) -> None:
    with pytest.raises(UnpackableError):
        unpacked(data)
