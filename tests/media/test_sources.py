"""Where image bytes come from (agpis_sdk/media/sources.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError, ImageTooLargeError
from agpis_sdk.media.sources import read_image_bytes, resolve

LIMITS = MediaSection()


@pytest.mark.parametrize(
    ("uri", "resolved"),
    [
        ("a.jpg", "/shop/a.jpg"),
        ("photos/a b.jpg", "/shop/photos/a b.jpg"),
        ("/elsewhere/a.jpg", "/elsewhere/a.jpg"),
        ("https://shop.example/a.jpg", "https://shop.example/a.jpg"),
        ("s3://bucket/a.jpg", "s3://bucket/a.jpg"),
        ("file:///elsewhere/a.jpg", "file:///elsewhere/a.jpg"),
    ],
)
def test_a_relative_uri_is_resolved_against_the_folder_of_its_file(uri: str, resolved: str) -> None:
    assert resolve(uri, Path("/shop")) == resolved


def test_without_a_folder_a_uri_stays_as_it_is() -> None:
    assert resolve("a.jpg", None) == "a.jpg"


def test_a_path_and_a_file_uri_name_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a picture.jpg"
    path.write_bytes(b"bytes")

    assert read_image_bytes(str(path), LIMITS) == b"bytes"
    assert read_image_bytes(path.as_uri(), LIMITS) == b"bytes"


def test_any_store_that_fsspec_knows_is_read() -> None:
    import fsspec

    with fsspec.open("memory://shop/a.jpg", "wb") as stream:
        stream.write(b"bytes")

    assert read_image_bytes("memory://shop/a.jpg", LIMITS) == b"bytes"


def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match=r"gone\.jpg: no such file \(a relative uri is resolved against"):
        read_image_bytes(str(tmp_path / "gone.jpg"), LIMITS)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="cannot be read: Is a directory"):
        read_image_bytes(str(tmp_path), LIMITS)


@pytest.mark.parametrize("uri", ["a\0b.jpg", "x" * 5000, "http://[broken/a.jpg", "nosuch://shop/a.jpg"])
def test_a_uri_that_makes_no_sense_is_an_error_for_people(uri: str) -> None:
    with pytest.raises(ImageReadError):
        read_image_bytes(uri, LIMITS)


def test_a_file_beyond_the_limit_on_bytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(1001))

    with pytest.raises(
        ImageTooLargeError, match=r"1,001 bytes, more than media.max_bytes = 1,000 \(shrink it, or raise it\)"
    ):
        read_image_bytes(str(path), MediaSection(max_bytes=1000))


def test_a_remote_file_beyond_the_limit_is_not_read_to_its_end() -> None:
    import fsspec

    with fsspec.open("memory://shop/large.jpg", "wb") as stream:
        stream.write(bytes(5000))

    with pytest.raises(ImageTooLargeError, match=r"more than media.max_bytes = 1,000"):
        read_image_bytes("memory://shop/large.jpg", MediaSection(max_bytes=1000))


def test_without_the_web_extra_an_http_uri_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)

    with pytest.raises(ImageReadError, match=r"pip install 'agpis-sdk\[web\]'"):
        read_image_bytes("https://shop.example/a.jpg", LIMITS)


def test_a_server_that_does_not_answer_is_an_error_for_people() -> None:
    pytest.importorskip("aiohttp")

    with pytest.raises(ImageReadError, match=r"http://127\.0\.0\.1:9/a\.jpg: cannot be fetched"):
        read_image_bytes("http://127.0.0.1:9/a.jpg", MediaSection(timeout=2))
