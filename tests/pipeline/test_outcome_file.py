"""Outcomes appear when they are whole; until then a partial file holds what a resumed run needs, whatever was cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from agpis_sdk.errors import OutputError, ResumeError
from agpis_sdk.pipeline.checkpoint import Checkpoint
from agpis_sdk.pipeline.outcome_file import OutcomeFile
from agpis_sdk.records import Outcome

IDENTITY = {"settings": {"run.seed": 0}, "versions": {"agpis-sdk": "0.1.0"}}


def outcome(name: str) -> Outcome:
    return Outcome(product_id=name, status="none", reason="too-few-images")


def opened(path: Path, *, resume: bool = False, **identity: object) -> OutcomeFile:
    return OutcomeFile(path, {**IDENTITY, **identity}, resume=resume)  # type: ignore[dict-item]


def begun(path: Path, *names: str) -> OutcomeFile:
    """Return a file into which some outcomes have been written, one a batch."""
    file = opened(path)
    for number, name in enumerate(names, start=1):
        file.write([outcome(name)], Checkpoint(products=number))
    return file


def killed(path: Path, *names: str) -> Path:
    """Leave the partial file of a run that was killed, and return its path."""
    begun(path, *names).close()
    return path.with_name(f"{path.name}.partial")


def test_the_file_appears_whole_and_holds_outcomes_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    file = begun(path, "A", "B")
    before = path.exists()

    file.finish()
    file.close()

    assert not before
    assert [Outcome.model_validate_json(line).product_id for line in path.read_text().splitlines()] == ["A", "B"]
    assert list(tmp_path.iterdir()) == [path]


def test_an_earlier_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("earlier")

    killed(path, "A")

    assert path.read_text() == "earlier"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "out.jsonl")
    file = begun(tmp_path / "link.jsonl", "A")

    file.finish()
    file.close()

    assert (tmp_path / "link.jsonl").is_symlink()
    assert (tmp_path / "out.jsonl").read_text()


def test_a_resumed_one_goes_on_from_the_last_batch(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    killed(path, "A", "B")

    file = opened(path, resume=True)
    decided = [one.product_id for one in file.decided()]
    file.write([outcome("C")], Checkpoint(products=3))
    file.finish()
    file.close()

    assert decided == ["A", "B"]
    assert file.checkpoint.products == 2
    assert [Outcome.model_validate_json(line).product_id for line in path.read_text().splitlines()] == ["A", "B", "C"]


def test_wherever_it_was_cut_off_only_whole_batches_count(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    partial = killed(path, "A", "B")
    data = partial.read_bytes()
    ends = [data.index(b'{"product_id":"B"'), len(data)]

    for length in sorted({*range(0, len(data), 9), *ends, *(end - 1 for end in ends)}):
        partial.write_bytes(data[:length])
        file = opened(path, resume=True)
        found = [one.product_id for one in file.decided()]
        file.close()
        assert found == ["A", "B"][: sum(end <= length for end in ends)], length


def test_a_batch_that_the_disk_has_spoiled_and_all_that_follows_is_redone(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    partial = killed(path, "A", "B", "C")
    partial.write_bytes(partial.read_bytes().replace(b'"B"', b'"\0"'))

    file = opened(path, resume=True)

    assert [one.product_id for one in file.decided()] == ["A"]
    file.close()


def test_an_unfinished_run_is_not_begun_anew_by_accident(tmp_path: Path) -> None:
    killed(tmp_path / "out.jsonl", "A")

    with pytest.raises(ResumeError, match=r"partial: holds 1 outcome of a run that was not finished \(add --resume"):
        opened(tmp_path / "out.jsonl")


def test_other_conditions_are_refused_and_named(tmp_path: Path) -> None:
    killed(tmp_path / "out.jsonl", "A")

    with pytest.raises(
        ResumeError, match=r'settings: run\.seed was 0, is 7; versions: agpis-sdk was "0\.1\.0", is not there'
    ):
        opened(tmp_path / "out.jsonl", resume=True, settings={"run.seed": 7}, versions={})


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    first = begun(tmp_path / "out.jsonl", "A")

    with pytest.raises(OutputError, match="another run is writing it"):
        opened(tmp_path / "out.jsonl", resume=True)

    first.finish()
    first.close()
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl.partial").write_text("my own notes")

    with pytest.raises(OutputError, match="is in the way: agpis run did not write it"):
        opened(tmp_path / "out.jsonl", resume=True)

    assert (tmp_path / "out.jsonl.partial").read_text() == "my own notes"
