"""Is nothing lost or doubled, wherever a run is killed? Runs are killed with SIGKILL and resumed until they are whole.

python benchmarks/kill_run.py [--kills 200] [--repeat 2] [--seed 0] [--workers 1]

The products are those of the example catalog, made small and checked for exact copies alone, so that a run is short. Half
of the kills come at a random moment, half in the middle of a random step of writing: between two bytes, before a flush
to disk, before the move into place, before the partial file goes. Then the run is resumed, and killed again. Whenever one
comes to its end, its file must be equal, byte for byte, to that of a run that nobody disturbed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from agpis_sdk.cli.app import command
from agpis_sdk.pipeline import outcome_file

EXAMPLES = Path(__file__).parents[1] / "examples" / "catalog" / "products.jsonl"
SETTINGS = """
[run]
batch_size = 1
[media]
working_side = 64
[rules]
select = ["exact-copy"]
[primary]
selector = "first"
[sequence]
scorer = "none"
builder = "listed"
[plugins]
block = ["duplicates", "muisc", "noncompliance"]
"""
# Imported before a process is forked, so that kills meet runs and not imports.
PRELOADED = (
    "cv2", "agpis_sdk.pipeline.pipeline", "agpis_sdk.builtin.image_quality.exact_copies", "rich.console",
    "agpis_sdk.report.summary_table",
)  # fmt: skip


def catalog(folder: Path, repeat: int) -> Path:
    """Write the example products, several times over where asked, under ids of their own; return the file."""
    records = [json.loads(line) for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]
    path = folder / "products.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        for number in range(repeat):
            for record in records:
                images = [
                    str(EXAMPLES.parent / image) if isinstance(image, str) else image for image in record["images"]
                ]
                stream.write(json.dumps({**record, "id": f"{record['id']}-{number}", "images": images}) + "\n")
    (folder / "agpis.toml").write_text(SETTINGS, encoding="utf-8")
    return path


def start(folder: Path, output: Path, workers: int, tripwire: Tripwire | None = None) -> int:
    """Start a run that resumes in a process of its own, and return its id."""
    child = os.fork()
    if child:
        return child
    try:
        os.chdir(folder)
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        if tripwire is not None:
            tripwire.stretch()
        shared = ["--set", f"run.workers={workers}"]
        sys.argv = ["agpis", "run", "products.jsonl", "-o", str(output), "--resume", "--no-plugins", *shared]
        command()
    except SystemExit as left:
        os._exit(int(left.code or 0))
    except BaseException:
        os._exit(99)
    os._exit(99)


def end_of(child: int) -> int:
    """Wait for a process; return its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Tripwire:
    """Kills its own process in the middle of one step of writing."""

    def __init__(self, step: int, chance: random.Random) -> None:
        self._left = step
        self._chance = chance

    def stretch(self) -> None:
        """Wrap every step of writing."""
        append = outcome_file.OutcomeFile._append

        def torn(file: outcome_file.OutcomeFile, data: bytes) -> None:
            if self._is_due():
                assert file._stream is not None
                file._stream.write(data[: self._chance.randrange(len(data) + 1)])
                self._kill()
            append(file, data)

        outcome_file.OutcomeFile._append = torn  # type: ignore[method-assign]
        for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink")):
            setattr(owner, name, self._guarded(getattr(owner, name)))

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            if self._is_due():
                self._kill()
            return function(*arguments, **options)

        return step

    def _is_due(self) -> bool:
        self._left -= 1
        return self._left == 0

    def _kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)


def state_of(output: Path) -> str:
    """Return in words how far a killed run came."""
    partial = output.with_name(f"{output.name}.partial")
    if not partial.exists():
        return "whole" if output.exists() else "nothing written yet"
    if output.exists():
        return "in place, partial file still there"
    if output.with_name(f".{output.name}.whole").exists():
        return "moving into place"
    whole = partial.read_bytes()
    states = whole.count(outcome_file.STATE)
    if not states:
        return "header or first batch"
    return "between batches" if whole.rstrip().rpartition(b"\n")[2].startswith(outcome_file.STATE) else "within a batch"


def main() -> None:
    """Kill and resume, print the numbers, and exit with 1 where a file differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="of the runs that are killed")
    arguments = parser.parse_args()
    for name in PRELOADED:
        __import__(name)
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        products = len(catalog(folder, arguments.repeat).read_text(encoding="utf-8").splitlines())
        assert end_of(start(folder, folder / "undisturbed.jsonl", workers=1)) == 0
        expected = (folder / "undisturbed.jsonl").read_bytes()
        assert expected.count(b"\n") == products
        begin = partial(start, folder, folder / "out.jsonl", arguments.workers)
        started = time.perf_counter()
        assert end_of(begin()) == 0
        seconds = time.perf_counter() - started
        (folder / "out.jsonl").unlink()
        print(f"{products} products, {seconds:.1f} s undisturbed, {len(expected):,} bytes", flush=True)
        kills, whole, wrong, places = disturb(begin, folder, expected, arguments.kills, seconds, chance)
    for place, count in places.most_common():
        print(f"{count:6d}  {place}")
    print(f"{kills} kills, {whole} runs came to their end, {wrong} differ from the undisturbed run")
    sys.exit(1 if wrong else 0)


def disturb(
    begin: Callable[[Tripwire | None], int],
    folder: Path,
    expected: bytes,
    kills: int,
    seconds: float,
    chance: random.Random,
) -> tuple[int, int, int, Counter[str]]:
    """Kill and resume runs; return how many kills, whole runs and wrong ones there were, and where the kills came.

    `begin` starts a run that resumes, with a tripwire or none, and returns the id of its process.
    """
    places: Counter[str] = Counter()
    whole = wrong = 0
    steps = expected.count(b"\n") + 6
    while places.total() < kills or (folder / "out.jsonl.partial").exists():
        output = folder / "out.jsonl"
        undisturbed = places.total() >= kills
        by_step = chance.random() < 0.5 and not undisturbed
        child = begin(Tripwire(chance.randint(1, steps), chance) if by_step else None)
        if not by_step and not undisturbed:
            time.sleep(chance.uniform(0, seconds))
            os.kill(child, signal.SIGKILL)
        code = end_of(child)
        if code == -signal.SIGKILL:
            places[state_of(output)] += 1
            if places.total() % 50 == 0:
                print(f"{places.total()} kills, {whole} whole, {wrong} wrong", flush=True)
            continue
        whole += 1
        right = code == 0 and output.read_bytes() == expected and not output.with_name("out.jsonl.partial").exists()
        wrong += not right
        if not right:
            print(f"WRONG: exit code {code} after {places.total()} kills", flush=True)
        output.unlink(missing_ok=True)
    return places.total(), whole, wrong, places


if __name__ == "__main__":
    main()
