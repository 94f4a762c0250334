"""A run in shards gives what a run on one machine gives, whoever finishes first, and whatever is lost on the way."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.components import Context, DecodedImage
from agpis_sdk.engines.shard_folder import ShardFolder
from agpis_sdk.engines.shard_run import ShardRun
from agpis_sdk.errors import InputFileError, OutputError, ResumeError
from agpis_sdk.media.outcome_lines import outcome_lines, outcomes_digest
from agpis_sdk.media.products import CheckedProducts, checked
from agpis_sdk.pipeline.interruption import Interruption
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.pipeline.summary import RunSummary
from agpis_sdk.records import Finding, Outcome
from tests.engines.workers import WorkersHere
from tests.pipeline.fakes import Stand, product

IDENTITY = {"settings": {"run.seed": 0}}


def failing_on_a(images: Sequence[DecodedImage], context: Context) -> Iterator[Finding]:
    for image in images:
        if image.id == "a":
            raise ValueError("cannot cope with it")
    yield from ()


def pipeline(most_failures: int = 100) -> Pipeline:
    return Stand().image_checker(failing_on_a).pipeline({"run.batch_size": 2, "run.max_failures": most_failures})


def catalog(gallery: Path) -> list[Mapping[str, Any]]:
    """Return products with and without the image that fails, one listed twice and one without images."""
    rejected = {"id": "no-images", "images": []}
    products = [product(gallery, "abc" if number % 3 else "bcd!", f"P{number}") for number in range(20)]
    return [rejected, *products, product(gallery, "abc", "P3")]


def run(
    records: CheckedProducts, target: str, workers: WorkersHere, *, size: int = 3, resume: bool = False, most: int = 100
) -> RunSummary:
    folder = ShardFolder(target, IDENTITY, resume=resume)
    try:
        *_, summary = ShardRun(records, workers, folder, size=size, most_failures=most).run(Interruption())
    finally:
        folder.close()
    return summary


def outcomes(folder: Path) -> list[Outcome]:
    return [Outcome.model_validate_json(line) for _, line in outcome_lines(folder)]


@pytest.mark.parametrize("size", [1, 3, 50])
@pytest.mark.parametrize("seed", [0, 1])
def test_gives_the_outcomes_of_one_machine_in_the_order_of_the_input(
    gallery: Path, tmp_path: Path, size: int, seed: int
) -> None:
    alone = pipeline()
    expected = list(alone.run(catalog(gallery)))

    summary = run(
        checked(catalog(gallery)), str(tmp_path / "out"), WorkersHere([pipeline(), pipeline()], seed), size=size
    )

    assert outcomes(tmp_path / "out") == expected
    assert summary.statuses == alone.summary.statuses
    assert summary.notices == alone.summary.notices
    assert summary.failures == alone.summary.failures


@pytest.mark.parametrize("seed", range(4))
def test_drops_a_component_where_one_machine_would_have_dropped_it(gallery: Path, tmp_path: Path, seed: int) -> None:
    alone = pipeline(most_failures=5)
    expected = list(alone.run(catalog(gallery)))

    workers = WorkersHere([pipeline(most_failures=5) for _ in range(4)], seed)
    summary = run(checked(catalog(gallery)), str(tmp_path / "out"), workers, size=2, most=5)

    assert outcomes(tmp_path / "out") == expected
    assert summary.dropped == alone.summary.dropped == ["looker (fakes local)"]
    assert summary.notices == alone.summary.notices


def test_continues_with_the_shards_that_are_missing(gallery: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    folder = ShardFolder(str(target), IDENTITY, resume=False)
    steps = ShardRun(
        checked(catalog(gallery)), WorkersHere([pipeline(), pipeline()]), folder, size=3, most_failures=100
    ).run(Interruption())
    for _ in range(3):
        next(steps)
    folder.close()

    workers = WorkersHere([pipeline()])
    run(checked(catalog(gallery)), str(target), workers, resume=True)

    assert outcomes(target) == list(pipeline().run(catalog(gallery)))
    assert len(workers.given) == 8 - 3


def test_does_a_shard_again_whose_file_is_cut_off(gallery: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    folder = ShardFolder(str(target), IDENTITY, resume=False)
    steps = ShardRun(checked(catalog(gallery)), WorkersHere([pipeline()]), folder, size=3, most_failures=100).run(
        Interruption()
    )
    for _ in range(3):
        next(steps)
    folder.close()
    (target / "part-00000001.jsonl").write_bytes(b'{"product_id"')

    workers = WorkersHere([pipeline()])
    run(checked(catalog(gallery)), str(target), workers, resume=True)

    assert 1 in workers.given
    assert 0 not in workers.given
    assert outcomes(target) == list(pipeline().run(catalog(gallery)))


def test_a_signal_ends_a_run_with_every_shard_that_is_in_flight(gallery: Path, tmp_path: Path) -> None:
    workers, interruption = WorkersHere([pipeline(), pipeline(), pipeline()]), Interruption()
    folder = ShardFolder(str(tmp_path / "out"), IDENTITY, resume=False)
    steps = ShardRun(checked(catalog(gallery)), workers, folder, size=2, most_failures=100).run(interruption)

    next(steps)
    interruption.signal = signal.SIGINT
    for _ in steps:
        pass
    folder.close()

    assert len(workers.given) < 11
    assert len(list((tmp_path / "out").glob("part-*.jsonl"))) == len(workers.given)


def test_refuses_to_continue_with_other_records(gallery: Path, tmp_path: Path) -> None:
    folder = ShardFolder(str(tmp_path / "out"), IDENTITY, resume=False)
    steps = ShardRun(checked(catalog(gallery)), WorkersHere([pipeline()]), folder, size=3, most_failures=100).run(
        Interruption()
    )
    next(steps)
    folder.close()

    with pytest.raises(ResumeError, match=r"part-00000000\.jsonl was made of other records"):
        run(checked(catalog(gallery)[1:]), str(tmp_path / "out"), WorkersHere([pipeline()]), resume=True)


def test_keeps_what_came_before_the_input_broke_off(gallery: Path, tmp_path: Path) -> None:
    def broken() -> Iterator[Any]:
        yield from checked(catalog(gallery)[:7])
        raise InputFileError("cannot be read beyond line 7")

    with pytest.raises(InputFileError, match="beyond line 7"):
        run(CheckedProducts(broken()), str(tmp_path / "out"), WorkersHere([pipeline()]))

    assert sorted(path.name for path in (tmp_path / "out").glob("part-*")) == [
        "part-00000000.jsonl",
        "part-00000001.jsonl",
    ]


def test_counts_a_product_on_which_the_engine_fails_as_a_failed_one(
    gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = pipeline()
    process = faulty.process_batches

    def process_batches(records: CheckedProducts, **options: Any) -> Any:
        batch = list(records)
        if any(getattr(record, "id", "") == "P4" for record in batch):
            raise RuntimeError("a fault of our own")
        return process(CheckedProducts(iter(batch)), **options)

    monkeypatch.setattr(faulty, "process_batches", process_batches)

    run(checked(catalog(gallery)), str(tmp_path / "out"), WorkersHere([faulty]))

    expected = list(pipeline().run(catalog(gallery)))
    written = outcomes(tmp_path / "out")
    (failed,) = [one for one in written if one.product_id == "P4"]
    assert failed.status == "failed"
    assert "a fault of our own" in (failed.reason or "")
    assert [one for one in written if one != failed] == [one for one in expected if one.product_id != "P4"]


def test_writes_a_manifest_with_counts_and_digests(gallery: Path, tmp_path: Path) -> None:
    run(checked(catalog(gallery)), str(tmp_path / "out"), WorkersHere([pipeline()]), size=10)

    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())

    assert manifest["finished"] is True
    assert manifest["run"] == IDENTITY
    assert manifest["counts"]["products"] == 22
    assert [shard["products"] for shard in manifest["shards"]] == [10, 10, 2]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "manifest.json",
        *(f"part-0000000{number}.jsonl" for number in range(3)),
    ]


def test_shards_one_behind_the_other_are_the_file_of_outcomes(gallery: Path, tmp_path: Path) -> None:
    run(checked(catalog(gallery)), str(tmp_path / "out"), WorkersHere([pipeline()]))

    merged = b"".join(path.read_bytes() for path in sorted((tmp_path / "out").glob("part-*.jsonl")))
    (tmp_path / "outcomes.jsonl").write_bytes(merged)

    assert outcomes(tmp_path / "outcomes.jsonl") == outcomes(tmp_path / "out")
    assert outcomes_digest(tmp_path / "outcomes.jsonl") == outcomes_digest(tmp_path / "out")


def test_a_folder_that_is_not_whole_is_not_read(gallery: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    folder = ShardFolder(str(target), IDENTITY, resume=False)
    folder.close()
    with pytest.raises(InputFileError, match="the run is not finished"):
        outcomes(target)

    run(checked(catalog(gallery)), str(target), WorkersHere([pipeline()]), resume=True)
    part = target / "part-00000000.jsonl"
    part.write_bytes(part.read_bytes().splitlines(keepends=True)[0])

    with pytest.raises(InputFileError, match="is not what the run wrote"):
        outcomes(target)


def test_a_store_takes_shards_like_a_folder(gallery: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")

    run(checked(catalog(gallery)), "memory://bucket/out", WorkersHere([pipeline()]))

    written = b"".join(store.cat_file(path) for path in sorted(store.glob("/bucket/out/part-*.jsonl")))
    assert [Outcome.model_validate_json(line) for line in written.splitlines()] == list(
        pipeline().run(catalog(gallery))
    )
    store.rm("/bucket", recursive=True)


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda target: target.write_text("x"), "is a file"),
        (lambda target: (target.mkdir(), (target / "notes.txt").write_text("x")), "is in the way"),
    ],
)
def test_writes_over_nothing_that_it_has_not_made(tmp_path: Path, prepare: Any, message: str) -> None:
    prepare(tmp_path / "out")

    with pytest.raises(OutputError, match=message):
        ShardFolder(str(tmp_path / "out"), IDENTITY, resume=False)


def test_a_run_that_was_not_finished_is_not_begun_anew_unasked(tmp_path: Path) -> None:
    ShardFolder(str(tmp_path / "out"), IDENTITY, resume=False).close()

    with pytest.raises(ResumeError, match="add --resume"):
        ShardFolder(str(tmp_path / "out"), IDENTITY, resume=False)
    with pytest.raises(ResumeError, match=r"run\.seed was 0, is 7"):
        ShardFolder(str(tmp_path / "out"), {"settings": {"run.seed": 7}}, resume=True)


def test_one_run_at_a_time_writes_a_folder(tmp_path: Path) -> None:
    first = ShardFolder(str(tmp_path / "out"), IDENTITY, resume=False)

    with pytest.raises(OutputError, match="another run is writing it"):
        ShardFolder(str(tmp_path / "out"), IDENTITY, resume=True)

    first.close()
