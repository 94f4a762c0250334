"""Local files: which are read, which are refused, and what is said of a name that is spelled in another way."""

from __future__ import annotations

import json
import os
import socket
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError, ImageTooLargeError
from agpis_sdk.media.products import read_products
from agpis_sdk.media.sources import read_image_bytes, resolve
from agpis_sdk.records import Product

LIMITS = MediaSection()
OUTSIDE = [
    "../secret.jpg", "img/../../secret.jpg", "..\\secret.jpg", "..%2Fsecret.jpg", "../gone.jpg", "../shop-b/a.jpg",
    "/etc/hostname", "file:///etc/hostname", "file:../secret.jpg", "FILE:///etc/%68ostname", "///etc/hostname",
]  # fmt: skip
SPELLINGS_OF_FRONT = [
    "img\\front.jpg", ".\\img\\front.jpg", "img/front.jpg?v=1699", "img/front.jpg#main", "img%2Ffront.jpg",
    "img/fr%6Fnt.jpg?w=80&h=60", " img/front.jpg ", "img\\front.jpg?v=2", f"img/front.jpg?token={'x' * 400}",
]  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Make a catalog's folder with one photo, beside a file that is none of its business."""
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "shop-b").mkdir()
    (tmp_path / "shop-b" / "a.jpg").write_bytes(b"secret")
    folder = tmp_path / "shop"
    (folder / "img").mkdir(parents=True)
    (folder / "img" / "front.jpg").write_bytes(b"front")
    return folder


def read(uri: str, folder: Path | None, **settings: Any) -> bytes:
    return read_image_bytes(resolve(uri, folder), MediaSection(**settings))


def fault(uri: str, folder: Path | None, **settings: Any) -> str:
    with pytest.raises(ImageReadError) as caught:
        read(uri, folder, **settings)
    assert caught.value.remedy or "cannot be read" in caught.value.what
    return str(caught.value)


class TestRead:
    def test_below_the_folder_of_the_record_however_named(self, shop: Path) -> None:
        path = shop / "img" / "front.jpg"

        for uri in (
            "img/front.jpg",
            "./img/front.jpg",
            "img/../img/front.jpg",
            str(path),
            path.as_uri(),
            "file:img/front.jpg",
        ):
            assert read(uri, shop) == b"front"

    def test_as_a_path_and_as_a_file_uri(self, tmp_path: Path) -> None:
        path = tmp_path / "a picture.jpg"
        path.write_bytes(b"bytes")

        assert read_image_bytes(str(path), LIMITS) == read_image_bytes(path.as_uri(), LIMITS) == b"bytes"

    def test_anywhere_where_the_caller_names_them_and_no_record_does(self, shop: Path) -> None:
        assert read(str(shop.parent / "secret.jpg"), None) == b"secret"

    def test_relative_to_the_working_directory_where_a_folder_is(
        self, shop: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(shop.parent)

        assert read("img/front.jpg", Path("shop")) == b"front"

    def test_through_links_that_stay_below_the_folder(self, shop: Path) -> None:
        (shop / "link.jpg").symlink_to("img/front.jpg")
        (shop / "photos").symlink_to("img")
        (shop.parent / "catalog").symlink_to(shop)

        assert read("link.jpg", shop) == read("photos/front.jpg", shop) == b"front"
        assert read("photos/front.jpg", shop.parent / "catalog") == b"front"

    def test_of_any_size_up_to_the_limit(self, shop: Path) -> None:
        data = os.urandom(3_000_000)
        (shop / "large.jpg").write_bytes(data)
        (shop / "empty.jpg").write_bytes(b"")

        assert read("large.jpg", shop, max_bytes=3_000_000) == data
        assert read("empty.jpg", shop) == b""
        with pytest.raises(
            ImageTooLargeError,
            match=r"3,000,000 bytes, more than media.max_bytes = 2,999,999 \(shrink it, or raise it\)",
        ):
            read("large.jpg", shop, max_bytes=2_999_999)


class TestRefusedOutside:
    @pytest.mark.parametrize(
        "uri",
        OUTSIDE,
    )
    def test_the_folder_of_the_record(self, shop: Path, uri: str) -> None:
        message = fault(uri, shop)

        assert f"is outside of the catalog's folder {shop}" in message
        assert "(move the file below it, or set media.allow_outside=true if you trust the catalog)" in message

    @pytest.mark.parametrize("uri", ["link.jpg", "folder/secret.jpg", "folder/gone.jpg"])
    def test_it_by_way_of_a_symbolic_link(self, shop: Path, uri: str) -> None:
        (shop / "link.jpg").symlink_to(shop.parent / "secret.jpg")
        (shop / "folder").symlink_to(shop.parent)

        assert "leads through a symbolic link out of the catalog's folder" in fault(uri, shop)

    def test_and_a_path_from_the_root_of_the_shops_site_is_told_how_to_write_it(self, shop: Path) -> None:
        assert "write the path without the slash at its beginning" in fault("/img/front.jpg", shop)

    def test_unless_the_settings_allow_it(self, shop: Path) -> None:
        (shop / "link.jpg").symlink_to(shop.parent / "secret.jpg")

        for uri in ("../secret.jpg", str(shop.parent / "secret.jpg"), "link.jpg"):
            assert read(uri, shop, allow_outside=True) == b"secret"

    def test_what_a_products_file_lists(self, shop: Path) -> None:
        lines = [{"id": "P1", "images": ["../secret.jpg", str(shop.parent / "secret.jpg"), "img/front.jpg"]}]
        (shop / "products.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

        (product,) = read_products(shop / "products.jsonl")

        assert isinstance(product, Product)
        *outside, inside = [image.uri for image in product.images]
        for uri in outside:
            with pytest.raises(ImageReadError, match="is outside of the catalog's folder"):
                read_image_bytes(uri, LIMITS)
        assert read_image_bytes(inside, LIMITS) == b"front"


class TestNoRegularFile:
    """Refused at once: none of them hangs, none is read without end."""

    def test_a_named_pipe(self, shop: Path) -> None:
        os.mkfifo(shop / "pipe.jpg")
        begin = time.monotonic()

        assert "is a named pipe, not a file (name a file that holds an image)" in fault("pipe.jpg", shop)
        assert time.monotonic() - begin < 5

    def test_a_socket(self, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(shop)  # a socket's path must be short
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("a.jpg")

            assert "is a socket, not a file" in fault("a.jpg", shop)

    def test_a_folder(self, shop: Path) -> None:
        assert "is a folder, not a file" in fault("img", shop)

    @pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/urandom"])
    def test_a_device(self, shop: Path, device: str) -> None:
        (shop / "link.jpg").symlink_to(device)

        assert "is a device, not a file" in fault(device, None)
        assert "is a device, not a file" in fault("link.jpg", shop, allow_outside=True)

    @pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
    def test_what_has_no_size_is_read_to_the_limit(self) -> None:
        with pytest.raises(ImageTooLargeError, match=r"more than media.max_bytes = 100"):
            read("/proc/self/maps", None, max_bytes=100)


class TestOtherSpellings:
    @pytest.mark.parametrize(
        "uri",
        SPELLINGS_OF_FRONT,
    )
    def test_that_can_mean_one_file_only_are_read(self, shop: Path, uri: str) -> None:
        assert read(uri, shop) == b"front"

    @pytest.mark.parametrize(("stored", "listed"), [("NFC", "NFD"), ("NFD", "NFC")])
    def test_in_another_unicode_form_are_read(self, shop: Path, stored: str, listed: str) -> None:
        name = "Größe é.jpg"
        (shop / unicodedata.normalize(stored, "Maße")).mkdir()
        (shop / unicodedata.normalize(stored, "Maße") / unicodedata.normalize(stored, name)).write_bytes(b"umlaut")

        assert read(unicodedata.normalize(listed, f"Maße/{name}"), shop) == b"umlaut"
        assert read(unicodedata.normalize(listed, f"Maße\\{name}?v=1"), shop) == b"umlaut"

    def test_yield_to_the_file_that_has_the_name_as_it_is(self, shop: Path) -> None:
        for name in ("a%20b.jpg", "a b.jpg", "c.jpg?v=1", "c.jpg", "d\\e.jpg", "f::g.jpg"):
            (shop / name).write_bytes(name.encode())

        for name in ("a%20b.jpg", "c.jpg?v=1", "d\\e.jpg", "f::g.jpg"):
            assert read(name, shop) == name.encode()

    @pytest.mark.parametrize("uri", ["img/FRONT.JPG", "IMG/front.jpg", "Img\\Front.jpg?v=1"])
    def test_in_another_letter_case_are_named(self, shop: Path, uri: str) -> None:
        message = fault(uri, shop)

        assert 'one of the same name in another letter case is there: "img/front.jpg"' in message
        assert "(write the name as the folder has it)" in message

    def test_of_several_files_are_not_chosen_from(self, shop: Path) -> None:
        for name in ("A\u030a\u0301.jpg", "\u00c5\u0301.jpg"):
            (shop / name).write_bytes(b"ring")

        assert "several whose names are other Unicode forms" in fault("\u01fa.jpg", shop)

    def test_are_not_looked_for_outside_of_the_folder(self, shop: Path) -> None:
        (shop / "folder").symlink_to(shop.parent / "shop-b")

        assert "letter case" not in fault("Folder/A.JPG", shop)

    @pytest.mark.parametrize(
        ("uri", "remedy"),
        [
            ("gone.jpg", "a relative uri is resolved against the file it stands in"),
            ("img/front.jpg/a.jpg", "a relative uri is resolved against the file it stands in"),
            ("C:\\img\\front.jpg", "a path with a drive is one of Windows"),
            ("https//shop.example/a.jpg", "begins with its scheme; write https://shop.example/a.jpg"),
            ("www.shop.example/a.jpg", "a web address begins with its scheme; write https://www.shop.example/a.jpg"),
        ],
    )
    def test_that_fit_nothing_are_told_why(self, shop: Path, uri: str, remedy: str) -> None:
        message = fault(uri, shop)

        assert "no such file" in message
        assert remedy in message

    @pytest.mark.parametrize(
        "uri", ["a\0b.jpg", "x" * 5000, "\ud83d.jpg", "img/a%00.jpg", "%ff.jpg", "?", ".", " ", "\\\\host\\a.jpg"]
    )
    def test_that_make_no_sense_are_an_error_for_people(self, shop: Path, uri: str) -> None:
        message = fault(uri, shop)

        assert len(message) < 1000
        message.encode()

    def test_of_many_missing_files_list_their_folder_once(self, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        listed = []
        real = Path.iterdir
        monkeypatch.setattr(Path, "iterdir", lambda folder: listed.append(folder) or real(folder))

        for number in range(50):
            fault(f"img/gone-{number}.jpg", shop)

        assert listed.count(shop / "img") == 1
