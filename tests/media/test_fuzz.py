"""Two thousand damaged pictures of all formats: each is read, or refused with an error for people."""

from __future__ import annotations

import pytest

from tests.media.fuzz_images import decode, mutant, samples

COUNT = 2000


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.timeout(120)
def test_a_damaged_picture_is_read_or_refused_and_nothing_else() -> None:
    read = 0
    for number in range(COUNT):
        name, data = mutant(number)
        try:
            error = decode(data)
        except Exception as fault:
            pytest.fail(f"mutant {number} ({name}): {type(fault).__name__}: {fault}")
        read += error is None
        assert error is None or error.remedy, f"mutant {number} ({name})"

    assert 0.1 < read / COUNT < 0.9


def test_the_undamaged_ones_are_read() -> None:
    refused = {name: str(error) for name, data in samples().items() if (error := decode(data)) is not None}

    assert refused.keys() == {"eps"}


def test_a_mutant_is_the_same_every_time() -> None:
    assert [mutant(number) for number in range(50)] == [mutant(number) for number in range(50)]
