"""Whatever a component raises, prints or waits for costs that component alone, by name, and the run goes on."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.components import Context, DecodedImage
from agpis_sdk.pipeline.interruption import Interruption
from agpis_sdk.pipeline.pipeline import Pipeline
from agpis_sdk.pipeline.printed import LONGEST_LINE, MOST_LINES
from agpis_sdk.records import Outcome
from tests.pipeline.fakes import NOTE, Stand, codes, configured, product


class WithoutWords(Exception):  # noqa: N818 - as a plugin may name it
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Rude(BaseException):
    pass


def recursive() -> None:
    recursive()


def raising(error: BaseException) -> Callable[..., Any]:
    def check(images: object, context: object) -> None:
        raise error

    return check


def run(stand: Stand, gallery: Path, **settings: Any) -> Outcome:
    """Run one product as the command line does: with an interruption that listens."""
    interruption = Interruption()
    with interruption.listening():
        pipeline = Pipeline(configured(settings), host=stand.host(), interruption=interruption)
        (outcome,) = pipeline.run([product(gallery)])
    return outcome


@pytest.mark.parametrize(
    ("check", "reason"),
    [
        (raising(WithoutWords()), "WithoutWords (its message cannot be read)"),
        (raising(SystemExit(3)), "SystemExit: 3"),
        (raising(KeyboardInterrupt()), "KeyboardInterrupt"),
        (raising(MemoryError("7 exabytes")), "MemoryError: 7 exabytes"),
        (raising(Rude("enough")), "Rude: enough"),
        (raising(GeneratorExit()), "GeneratorExit"),
        (raising(StopIteration()), "StopIteration"),
        (raising(asyncio.CancelledError()), "CancelledError"),
        (lambda images, context: recursive(), "RecursionError: maximum recursion depth exceeded"),
        (lambda images, context: sys.exit("good-bye"), "SystemExit: good-bye"),
    ],
)
def test_what_it_raises_is_its_own_failure(gallery: Path, check: Callable[..., Any], reason: str) -> None:
    outcome = run(Stand().image_checker(check, rules=[NOTE]), gallery)

    assert codes(outcome) == ["AGP902"] * 3
    assert outcome.findings[0].message.startswith(f"looker (fakes local) failed: {reason}")
    assert outcome.status == "submit"


def test_what_it_prints_does_not_stand_among_the_outcomes(gallery: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def check(images: object, context: object) -> list[Any]:
        print("looking at it")
        return []

    run(Stand().image_checker(check), gallery)

    said = capsys.readouterr()
    assert said.out == ""
    assert "agpis: fakes local (fakes) printed: looking at it\n" in said.err


def test_of_a_flood_of_prints_the_first_lines_are_shown(gallery: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def check(images: object, context: object) -> list[Any]:
        for number in range(10_000):
            print(f"line {number} {'x' * 10_000}")
        return []

    run(Stand().image_checker(check), gallery)

    lines = [line for line in capsys.readouterr().err.splitlines() if "printed" in line]
    assert len(lines) == MOST_LINES + 1
    assert max(map(len, lines)) < LONGEST_LINE + 60
    assert lines[-1] == f"agpis: fakes local (fakes): printed more than {MOST_LINES} lines; the others are left out"


def waiting_on(*names: str, waits: Callable[[], object]) -> Callable[..., Any]:
    def check(images: Sequence[DecodedImage], context: Context) -> list[Any]:
        if any(image.id in names for image in images):
            waits()
        return []

    return check


def busy() -> None:
    while True:
        pass


def stubborn() -> None:
    while True:
        try:  # noqa: SIM105
            time.sleep(60)
        except Exception:
            pass


@pytest.mark.parametrize("waits", [lambda: time.sleep(60), busy, stubborn])
def test_a_call_that_takes_too_long_is_ended(gallery: Path, waits: Callable[[], object]) -> None:
    stand = Stand().image_checker(waiting_on("b", waits=waits))

    outcome = run(stand, gallery, **{"plugins.time_limit": 0.3})

    assert [(found.code, found.images) for found in outcome.findings] == [("AGP902", ("b",))]
    assert "took longer than 1 s (plugins.time_limit)" in outcome.findings[0].message
    assert outcome.status == "hold"


def test_a_slow_call_is_named_before_it_fails(gallery: Path) -> None:
    stand = Stand().image_checker(waiting_on("b", waits=lambda: time.sleep(0.6)))
    pipeline = stand.pipeline({"plugins.time_limit": 1.0})

    list(pipeline.run([product(gallery)]))

    assert pipeline.summary.notices == [
        "looker (fakes local) took up to 1 s for a call; it fails from plugins.time_limit = 1 on"
    ]
    assert not pipeline.summary.failed


def test_without_a_limit_nothing_is_ended(gallery: Path) -> None:
    stand = Stand().image_checker(waiting_on("b", waits=lambda: time.sleep(0.2)))

    assert run(stand, gallery, **{"plugins.time_limit": 0}).status == "submit"
