"""Pictures are made off the way of requests, once, and a browser asks for each of them once."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import httpx2
import pytest
from PIL import Image

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError
from agpis_sdk.media.sources import ConfinedUri, read_image_bytes
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.queues import add_queue
from agpis_sdk.review.web.pictures import Pictures
from agpis_sdk.review.web.pictures_ahead import AHEAD, head_of, made_ahead, maker
from agpis_sdk.review.web.site import utc_now
from tests.review.runs import run_of
from tests.review.settings import EACH_ONCE, VERSIONS
from tests.review.sites import Running, open_next, pictures_of, running

WITHIN = 30.0
"""Seconds in which what a thread does must have happened."""


@pytest.fixture
def photo(tmp_path: Path) -> str:
    Image.new("RGB", (1600, 900), (200, 30, 60)).save(tmp_path / "photo.png")
    return ConfinedUri(str(tmp_path / "photo.png"), tmp_path)


class Counted:
    """Reads files, counts how often each was read, and waits for a sign first where one is asked for."""

    def __init__(self, sign: threading.Event | None = None) -> None:
        self.reads: list[str] = []
        self._sign = sign

    def __call__(self, uri: str, limits: MediaSection) -> bytes:
        self.reads.append(uri)
        if self._sign is not None:
            assert self._sign.wait(WITHIN)
        return read_image_bytes(uri, limits)


def test_both_sizes_are_made_of_one_read(photo: str) -> None:
    read = Counted()
    pictures = Pictures(MediaSection(), read)

    large, small = pictures.get(photo, "large"), pictures.get(photo, "small")

    assert len(read.reads) == 1
    assert (large.original_width, small.original_height) == (1600, 900)
    assert len(small.jpeg) < len(large.jpeg)


def test_who_asks_for_a_picture_that_is_being_made_waits_for_it(photo: str) -> None:
    sign = threading.Event()
    read = Counted(sign)
    pictures = Pictures(MediaSection(), read)
    got: list[bytes] = []
    threads = [threading.Thread(target=lambda: got.append(pictures.get(photo, "large").jpeg)) for _ in range(3)]

    for thread in threads:
        thread.start()
    sign.set()
    for thread in threads:
        thread.join(WITHIN)

    assert len(read.reads) == 1
    assert len(got) == 3
    assert len(set(got)) == 1


def test_a_picture_that_cannot_be_read_is_asked_for_again(tmp_path: Path) -> None:
    pictures = Pictures(MediaSection())
    path = tmp_path / "late.png"
    uri = ConfinedUri(str(path), tmp_path)

    with pytest.raises(ImageReadError):
        pictures.get(uri, "small")
    Image.new("RGB", (8, 8)).save(path)

    assert pictures.get(uri, "small").jpeg


def test_another_process_makes_the_same_picture(photo: str) -> None:
    with maker() as executor:
        made = Pictures(MediaSection(), maker=executor).get(photo, "large")

    assert made == Pictures(MediaSection()).get(photo, "large")


def test_another_process_keeps_to_the_folder_too(photo: str, tmp_path: Path) -> None:
    inside = tmp_path / "shop"
    inside.mkdir()
    with maker() as executor, pytest.raises(ImageReadError, match="outside"):
        Pictures(MediaSection(), maker=executor).get(ConfinedUri(str(photo), inside), "large")


def test_a_killed_process_is_replaced(photo: str, tmp_path: Path) -> None:
    with maker() as executor:
        pid = executor.submit(os.getpid).result()
        os.kill(pid, signal.SIGKILL)

        assert Pictures(MediaSection(), maker=executor).get(photo, "small").jpeg


def test_a_picture_that_kills_its_process_is_an_unreadable_one(photo: str) -> None:
    with maker() as executor, pytest.raises(ImageReadError, match="breaks the process"):
        Pictures(MediaSection(), killed_while_reading, executor).get(photo, "small")


def killed_while_reading(uri: str, limits: MediaSection) -> bytes:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_pictures_of_the_first_products_are_ready_before_anybody_asks(store: Store, tmp_path: Path) -> None:
    run = pictures_of(run_of(3), tmp_path)
    queue = add_queue(store, run, EACH_ONCE, VERSIONS, utc_now())
    read = Counted()
    pictures = Pictures(MediaSection(), read)
    shown = sum(len(uris) for _, uris in head_of(store, queue, set()))

    with made_ahead(store, queue, pictures, seconds=0.01):
        _until(lambda: len(read.reads) >= shown)

    assert len(read.reads) == len(set(read.reads)) == shown
    pictures.get(read.reads[0], "large")
    assert len(read.reads) == shown


def test_a_missing_picture_does_not_hold_up_the_others(store: Store, tmp_path: Path) -> None:
    run = pictures_of(run_of(2), tmp_path)
    queue = add_queue(store, run, EACH_ONCE, VERSIONS, utc_now())
    (_, first), (_, last) = head_of(store, queue, set())
    Path(first[0]).unlink()
    read = Counted()

    with made_ahead(store, queue, Pictures(MediaSection(), read), seconds=0.01):
        _until(lambda: last[-1] in read.reads)

    assert first[0] in read.reads


def test_the_head_is_short_and_in_the_order_of_the_queue(store: Store) -> None:
    queue = add_queue(store, run_of(AHEAD + 5), EACH_ONCE, VERSIONS, utc_now())

    head = [item for item, _ in head_of(store, queue, set())]

    assert len(head) == AHEAD
    assert [item for item, _ in head_of(store, queue, set(head[:10]))] == head[10:]


@pytest.fixture
def site(store: Store, tmp_path: Path):
    with running(store, pictures_of(run_of(2), tmp_path)) as found:
        yield found


def _picture(client: httpx2.Client) -> str:
    import re

    page = client.get(open_next(client)).text
    found = re.search(r'src="(/pictures/[^"]+)"', page)
    assert found
    return found[1]


def test_a_browser_keeps_a_picture_and_asks_no_more(site: Running) -> None:
    with site.logged_in("Ann") as ann:
        answer = ann.get(_picture(ann))

        assert "immutable" in answer.headers["cache-control"]
        assert "private" in answer.headers["cache-control"]


@pytest.mark.parametrize("version", ["", "?v=of-another-server"])
def test_an_address_of_another_server_is_asked_for_each_time(site: Running, version: str) -> None:
    with site.logged_in("Ann") as ann:
        address = _picture(ann).partition("?")[0]

        answer = ann.get(address + version)

        assert answer.headers["cache-control"] == "private, no-cache"
        again = ann.get(address + version, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_a_known_tag_opens_no_picture_of_somebody_else(site: Running) -> None:
    with site.logged_in("Ann") as ann, site.logged_in("Bob") as bob:
        address = _picture(ann)
        tag = ann.get(address).headers["etag"]

        assert bob.get(address, headers={"if-none-match": tag}).status_code == 404


def _until(true) -> None:
    ends = time.monotonic() + WITHIN
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)
