"""How images reach the process of a plugin (agpis_sdk/pipeline/isolation/messages.py, shared_memory.py)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from multiprocessing.connection import Connection

import numpy as np
import pytest

from agpis_sdk.images import DecodedImage
from agpis_sdk.pipeline.isolation import messages
from agpis_sdk.pipeline.isolation.messages import BrokenChannelError, Channel, references_to
from agpis_sdk.pipeline.isolation.shared_memory import arrays_in, in_shared_memory

LARGE = np.arange(90_000, dtype=np.uint8).reshape(300, 300)
SMALL = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    """A run's end of a channel, and that of a plugin's process."""
    ours, theirs = socket.socketpair()
    run, plugin = Channel(Connection(ours.detach()), trusts=False), Channel(Connection(theirs.detach()), trusts=True)
    yield run, plugin
    run.connection.close()
    plugin.connection.close()


def test_arrays_arrive_as_they_were_sent(ends: tuple[Channel, Channel]) -> None:
    run, plugin = ends

    run.send({"large": LARGE, "small": SMALL, "empty": SMALL[:0], "words": "a title"})

    arrived = plugin.receive()
    assert np.array_equal(arrived["large"], LARGE)
    assert np.array_equal(arrived["small"], SMALL)
    assert arrived["empty"].shape == (0, 4)
    assert arrived["words"] == "a title"


def test_arrays_arrive_where_the_system_has_no_shared_memory(
    ends: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, plugin = ends
    # Less than a socket holds, as nobody reads while it is sent.
    monkeypatch.setattr(messages, "in_shared_memory", lambda _: None)

    run.send([LARGE, SMALL])

    assert [np.array_equal(*pair) for pair in zip(plugin.receive(), [LARGE, SMALL], strict=True)] == [True, True]


def test_what_a_plugin_writes_into_an_array_stays_in_its_process(ends: tuple[Channel, Channel]) -> None:
    run, plugin = ends
    own = LARGE.copy()
    run.send(own)

    plugin.receive()[:] = 0

    assert np.array_equal(own, LARGE)


def test_a_run_takes_no_shared_memory_from_a_plugin(ends: tuple[Channel, Channel]) -> None:
    run, plugin = ends
    plugin.connection.send_bytes(json.dumps({"stream": 2, "arrays": [], "shared": True}).encode())
    plugin.connection.send_bytes(b"N.")

    assert run.receive() is None


def test_a_header_that_asks_for_more_than_a_run_reads_ends_the_channel(ends: tuple[Channel, Channel]) -> None:
    run, plugin = ends
    plugin.connection.send_bytes(json.dumps({"stream": 2, "arrays": [2**40], "shared": False}).encode())

    with pytest.raises(BrokenChannelError, match=r"1,099,511,627,778 bytes are too many"):
        run.receive()


def test_shared_memory_gives_back_each_array_wherever_it_ends() -> None:
    parts = [bytes([value]) * size for value, size in [(1, 65_537), (2, 0), (3, 64), (4, 1)]]

    memory = in_shared_memory([memoryview(part) for part in parts])

    if memory is None:
        pytest.skip("this system has none")
    assert [bytes(array) for array in arrays_in(memory, [len(part) for part in parts])] == parts


def test_small_arrays_are_not_worth_shared_memory() -> None:
    assert in_shared_memory([memoryview(bytes(1000))]) is None


def test_an_object_made_after_a_component_let_go_of_its_images_is_none_of_them() -> None:
    """Python gives a new object the place in memory, and so the id(), of one that is gone."""
    images = [image(number) for number in range(100)]
    references = references_to((images,))
    images.clear()

    made_later = [image(number) for number in range(100)]

    assert [references(one) for one in made_later] == [None] * 100


def image(number: int) -> DecodedImage:
    return DecodedImage(
        product_id="P", id=str(number), position=number, pixels=SMALL[:0], original_width=8, original_height=8,
        scale=1.0, byte_count=1, sha256="", format="PNG",
    )  # fmt: skip
