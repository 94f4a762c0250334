"""Standard output that takes nothing more: every command ends with one named error and exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = [("rules",), ("rules", "AGP119"), ("config", "schema"), ("profiles",), ("--help",)]
FULL = Path("/dev/full")


def agpis(arguments: tuple[str, ...], stdout: int) -> tuple[int, list[str]]:
    command = [sys.executable, "-m", "agpis_sdk.cli", *arguments]
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stderr.splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("arguments", COMMANDS)
@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is full")
def test_a_full_disk_is_named(arguments: tuple[str, ...]) -> None:
    with FULL.open("w") as full:
        code, said = agpis(arguments, full.fileno())

    assert code == 2
    assert said[-1:] == ["agpis: [E320] standard output: cannot be written: No space left on device (free some space)"]


@pytest.mark.slow
@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_reader_that_has_gone_is_named(arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        code, said = agpis(arguments, writing)
    finally:
        os.close(writing)

    assert code == 2
    assert said[-1:] == ["agpis: [E320] standard output: cannot be written: Broken pipe (whoever read it has gone)"]
