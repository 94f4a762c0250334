"""Which source a uri names, what is let in, and how messages show it (agpis_sdk/media/sources)."""

from __future__ import annotations

import copy
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError, ImageTooLargeError
from agpis_sdk.media.sources import ConfinedUri, masked, read_image_bytes, resolve
from agpis_sdk.media.sources.addresses import why_not_public
from agpis_sdk.records import CandidateImage, Product

LIMITS = MediaSection()


@pytest.fixture
def memory() -> Iterator[Path]:
    """Put an object of 5,000 bytes into fsspec's store in memory."""
    import fsspec

    with fsspec.open("memory://shop/a.jpg", "wb") as stream:
        stream.write(bytes(5000))
    yield Path("shop/a.jpg")
    fsspec.filesystem("memory").store.clear()


class TestResolve:
    @pytest.mark.parametrize(
        ("uri", "resolved"),
        [
            ("a.jpg", "/shop/a.jpg"),
            ("photos/a b.jpg", "/shop/photos/a b.jpg"),
            ("/elsewhere/a.jpg", "/elsewhere/a.jpg"),
            ("a: blue.jpg", "/shop/a: blue.jpg"),
            ("https://shop.example/a.jpg", "https://shop.example/a.jpg"),
            (" HTTPS://shop.example/a.jpg", " HTTPS://shop.example/a.jpg"),
            ("//shop.example/a.jpg", "//shop.example/a.jpg"),
            ("s3://bucket/a.jpg", "s3://bucket/a.jpg"),
            ("data:image/png;base64,AAAA", "data:image/png;base64,AAAA"),
            ("file:///elsewhere/a.jpg", "file:///elsewhere/a.jpg"),
        ],
    )
    def test_joins_a_relative_path_to_the_folder_of_its_file(self, uri: str, resolved: str) -> None:
        assert resolve(uri, Path("/shop")) == resolved

    def test_without_a_folder_leaves_a_uri_as_it_is(self) -> None:
        assert resolve("a.jpg", None) == "a.jpg"

    def test_gives_a_uri_its_root_for_good(self) -> None:
        uri = resolve("a.jpg", Path("/shop"))
        product = Product(id="P1", images=(CandidateImage(id="a", uri="a.jpg"),))
        image = product.images[0].model_copy(update={"uri": uri})

        kept = [pickle.loads(pickle.dumps(uri)), copy.deepcopy(uri), pickle.loads(pickle.dumps(image)).uri, image.uri]

        assert all(isinstance(one, ConfinedUri) and one.root == Path("/shop") for one in kept)
        assert image.model_dump()["uri"] == "/shop/a.jpg"


class TestSchemes:
    @pytest.mark.parametrize(
        ("uri", "refused"),
        [
            ("ftp://shop.example/a.jpg", "ftp: is not among media.schemes (file, http, https)"),
            ("s3://bucket/a.jpg", "s3: is not among media.schemes"),
            ("memory://shop/a.jpg", "memory: is not among media.schemes"),
            ("local:///etc/hostname", "local: is not among media.schemes"),
            ("data:image/png;base64,AAAA", "data: is not among media.schemes"),
            ("javascript:alert(1)", "javascript: is not among media.schemes"),
            ("blob:https://shop.example/1", "blob:https: is not among media.schemes"),
            ("zip://a.jpg::https://shop.example/a.zip", "zip: is not among media.schemes"),
            ("simplecache::https://shop.example/a.jpg", "chains protocols with ::, which are not read"),
            ("filecache::file:///etc/hostname", "chains protocols with ::, which are not read"),
            ("file://otherhost/share/a.jpg", 'names a file of another machine, "otherhost"'),
        ],
    )
    def test_that_are_not_listed_are_refused(self, uri: str, refused: str) -> None:
        with pytest.raises(ImageReadError) as caught:
            read_image_bytes(uri, LIMITS)

        assert refused in str(caught.value)
        assert caught.value.remedy

    @pytest.mark.parametrize("schemes", [["https:"], ["a b"], [""], ["local"]])
    def test_in_the_settings_are_names_of_schemes(self, schemes: list[str]) -> None:
        with pytest.raises(ValidationError, match=r"scheme|local"):
            MediaSection.model_validate({"schemes": schemes})

    def test_of_stores_are_read_through_fsspec_when_listed(self, memory: Path) -> None:
        assert read_image_bytes(f"memory://{memory}", MediaSection(schemes=("memory",))) == bytes(5000)

    def test_of_stores_are_held_to_the_limit(self, memory: Path) -> None:
        with pytest.raises(ImageTooLargeError, match=r"more than media.max_bytes = 1,000"):
            read_image_bytes(f"memory://{memory}", MediaSection(schemes=("memory",), max_bytes=1000))

    @pytest.mark.parametrize(
        ("uri", "named"),
        [
            ("memory://shop/gone.jpg", "no such object"),
            ("nosuch://shop/a.jpg", "cannot be fetched: ValueError: Protocol not known: nosuch"),
            ("memory://shop/a.jpg::memory://shop/a.jpg", "no such object"),
        ],
    )
    def test_of_stores_name_what_is_missing(self, memory: Path, uri: str, named: str) -> None:
        with pytest.raises(ImageReadError, match=named):
            read_image_bytes(uri, MediaSection(schemes=("memory", "nosuch")))

    def test_of_stores_without_their_package_say_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "s3fs", None)

        with pytest.raises(ImageReadError, match=r"s3: cannot be read here: Install s3fs"):
            read_image_bytes("s3://bucket/a.jpg", MediaSection(schemes=("s3",)))

    def test_data_is_read_when_listed(self) -> None:
        limits = MediaSection(schemes=("data",), max_bytes=1000)

        assert read_image_bytes("data:image/png;base64,Ynl0ZXM=", limits) == b"bytes"
        with pytest.raises(ImageTooLargeError, match=r"data:image/png;base64,AAAA.*… \(4,022 characters\)"):
            read_image_bytes(f"data:image/png;base64,{'A' * 4000}", limits)
        with pytest.raises(ImageReadError, match="is no data: uri"):
            read_image_bytes("data:nothing", limits)


class TestMessages:
    @pytest.mark.parametrize(
        ("uri", "shown"),
        [
            ("https://me:secret@shop.example/a.jpg", "https://***@shop.example/a.jpg"),
            ("https://secret@shop.example/@photos/a.jpg", "https://***@shop.example/@photos/a.jpg"),
            ("https://me:se/cr?et@shop.example/a.jpg", "https://***@shop.example/a.jpg"),
            ("https://shop.example:8080/@photos/a.jpg", "https://shop.example:8080/@photos/a.jpg"),
            ("https://b.s3.example/a.jpg?X-Amz-Signature=1&w=2", "https://b.s3.example/a.jpg?X-Amz-Signature=***&w=2"),
            ("https://s.example/a?sv=1&sig=abc%3D", "https://s.example/a?sv=1&sig=***"),
            ("https://s.example/a?accessToken=1&apikey=2", "https://s.example/a?accessToken=***&apikey=***"),
            ("https://s.example/a?design=1&keyword=2#token=3", "https://s.example/a?design=1&keyword=2#token=***"),
            ("img/a.jpg?v=1699", "img/a.jpg?v=1699"),
            ("\ud83d.jpg", "\\ud83d.jpg"),
            ("a\n::error::\x1b[31m.jpg", "a\\n::error::\\x1b[31m.jpg"),
        ],
    )
    def test_show_no_secrets(self, uri: str, shown: str) -> None:
        assert masked(uri) == shown

    def test_are_of_bounded_length(self) -> None:
        assert masked("x" * 5000) == f"{'x' * 300}… (5,000 characters)"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("93.184.215.14", None),
        ("8.8.8.8", None),
        ("2606:4700:4700::1111", None),
        ("64:ff9b::808:808", None),
        ("::ffff:8.8.8.8", None),
        ("127.0.0.1", "a loopback address"),
        ("::ffff:10.0.0.1", "a private address"),
        ("::10.0.0.1", "a private address"),
        ("2002:a00:1::", "a private address"),
        ("64:ff9b::a00:1", "a private address"),
        ("64:ff9b:1::808:808", "a private address"),
        ("2001:0:a00:1::", "a private address"),
        ("fe80::1%eth0", "a link-local address"),
        ("169.254.169.254", "a metadata address"),
        ("168.63.129.16", "a metadata address"),
        ("100.64.0.1", "a carrier's private address"),
        ("0.0.0.0", "an unspecified address"),
        ("239.1.1.1", "a multicast address"),
        ("255.255.255.255", "a reserved address"),
        ("2001:db8::1", "a reserved address"),
        ("4000::1", "a reserved address"),
    ],
)
def test_an_address_is_public_or_it_is_said_what_it_is(address: str, kind: str | None) -> None:
    assert why_not_public(address) == kind
