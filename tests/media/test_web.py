"""Images of http(s) addresses against real servers: what is read whole, what is refused, what is said."""

from __future__ import annotations

import socket
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from agpis_sdk.config import MediaSection
from agpis_sdk.errors import ImageReadError, ImageTooLargeError
from agpis_sdk.media.sources import ConfinedUri, network, read_image_bytes, web
from tests.media.shop_server import PHOTO, ShopServer, shop_server

COMPRESSED = ["gzip", "gzip-chunked", "gzip-members", "deflate", "bare-deflate"]
NONSENSE = [
    "http://", "http://?", "http://[1::2::3]/a.jpg", "http://a:b:c/a.jpg", "http://999.1.1.1/a.jpg", "http://a\0b/",
    "http://xn--\udcff/a.jpg", f"http://shop.example/{'x' * 70_000}", "http://me:pa/ss@shop.example/a.jpg",
]  # fmt: skip
NOT_PUBLIC_HOSTS = [
    "127.0.0.1", "localhost", "2130706433", "0x7f000001", "0x7f.1", "127.1", "017700000001", "0",
    "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200",
    "100.64.0.1", "[fe80::1]", "[fc00::1]", "224.0.0.1", "255.255.255.255", "192.0.0.192", "168.63.129.16",
]  # fmt: skip


@pytest.fixture
def shop() -> Iterator[ShopServer]:
    with shop_server() as server:
        yield server


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "FIRST_WAIT", 0.01)


def fetched(uri: str, **settings: Any) -> bytes:
    return read_image_bytes(uri, MediaSection(**{"allow_private": True, "timeout": 10, **settings}))


def fault(uri: str, **settings: Any) -> str:
    with pytest.raises(ImageReadError) as caught:
        fetched(uri, **settings)
    return str(caught.value)


class TestReadWhole:
    @pytest.mark.parametrize(
        "kind",
        ["plain", "norange", "chunked", "close-delimited", "http10", "odd-encoding", *COMPRESSED],
    )
    def test_however_a_body_comes(self, shop: ShopServer, kind: str) -> None:
        assert fetched(shop.url(f"{kind}/front.jpg")) == PHOTO

    def test_after_a_connection_that_broke_off(self, shop: ShopServer) -> None:
        assert fetched(shop.url("reset-once/front.jpg")) == PHOTO

    def test_after_the_wait_that_a_busy_server_asks_for(self, shop: ShopServer) -> None:
        assert fetched(shop.url("busy-once/front.jpg")) == PHOTO

    @pytest.mark.parametrize("location", ["/plain/front.jpg", "plain/../../plain/front.jpg", "/to//to//plain/a.jpg"])
    def test_behind_redirects(self, shop: ShopServer, location: str) -> None:
        assert fetched(shop.url(f"to/{location}")) == PHOTO

    def test_at_the_limit_on_bytes(self, shop: ShopServer) -> None:
        assert fetched(shop.url("chunked/front.jpg"), max_bytes=len(PHOTO)) == PHOTO


class TestOddAddresses:
    @pytest.mark.parametrize(
        ("written", "asked"),
        [
            ("HTTP://{host}/plain/front.jpg", "/plain/front.jpg"),
            ("  http://{host}/plain/front.jpg\n", "/plain/front.jpg"),
            ("http://{host}/plain/fr\nont.jpg", "/plain/front.jpg"),
            ("http:\\\\{host}\\plain\\front.jpg", "/plain/front.jpg"),
            ("http:/{host}/plain/front.jpg", "/plain/front.jpg"),
            ("http://{host}/plain/a::b.jpg", "/plain/a::b.jpg"),
            ("http://{host}/plain/Größe 1.jpg", "/plain/Gr%C3%B6%C3%9Fe%201.jpg"),
            ("http://{host}/plain/a.jpg?v=16 99&x=a%2Bb", "/plain/a.jpg?v=16%2099&x=a%2Bb"),
            ("http://{host}/plain/a.jpg#front", "/plain/a.jpg"),
        ],
    )
    def test_are_read_as_browsers_read_them(self, shop: ShopServer, written: str, asked: str) -> None:
        host = f"127.0.0.1:{shop.server_address[1]}"

        assert fetched(written.format(host=host)) == PHOTO
        assert [path for path, _ in shop.requests] == [asked]

    def test_without_a_scheme_are_told_how_to_write_it(self) -> None:
        assert "has no scheme (write https://shop.example/a.jpg)" in fault(" //shop.example/a.jpg")

    @pytest.mark.parametrize(
        "uri",
        NONSENSE,
    )
    def test_that_make_no_sense_are_an_error_for_people(self, uri: str) -> None:
        message = fault(uri)

        assert "names no host" in message or "is no web address" in message
        assert len(message) < 500
        assert "pa/ss" not in message

    def test_with_a_password_send_it_and_show_it_nowhere(self, shop: ShopServer) -> None:
        address = shop.url("404/a.jpg?X-Amz-Signature=geheim&w=80").replace("http://", "http://me:geheim@")

        message = fault(address)

        assert shop.requests[0][1]["Authorization"] == f"Basic {b64encode(b'me:geheim').decode()}"
        assert "geheim" not in message
        assert "***@127.0.0.1" in message
        assert "X-Amz-Signature=***&w=80: HTTP 404" in message


class TestNamed:
    @pytest.mark.parametrize(
        ("path", "named"),
        [
            ("404/a.jpg", "HTTP 404 Not Found (check the address)"),
            ("403/a.jpg", "HTTP 403 Forbidden (the server refuses it to agpis)"),
            ("401/a.jpg", "HTTP 401 Unauthorized (the server asks for a password)"),
            ("429/a.jpg", "HTTP 429 Too Many Requests (try again later)"),
            ("500/a.jpg", "HTTP 500 Internal Server Error (try again later)"),
            ("299/a.jpg", "HTTP 299 (check the address)"),
            ("short/a.jpg", "has not arrived whole: the connection broke off (try again later)"),
            ("reset/a.jpg", "has not arrived whole: the connection broke off (try again later)"),
            ("garbage/a.jpg", "has not arrived whole: the connection broke off (try again later)"),
            ("bad-gzip/a.jpg", "has not arrived whole: its compressed data are damaged"),
            ("cut-gzip/a.jpg", "has not arrived whole: its compressed data end early"),
            ("brotli/a.jpg", 'comes in the encoding "br", which was not asked for'),
            ("gzip-twice/a.jpg", 'comes in the encoding "gzip, gzip", which was not asked for'),
            ("loop/a.jpg", "redirects more than 5 times"),
            ("to/file:///etc/hostname", "file: is not followed (redirected to file://"),
            ("to/ftp://shop.example/a.jpg", "ftp: is not followed (redirected to ftp://shop.example/a.jpg)"),
            ("to/http://a:b:c/", "redirects to what is no address"),
            ("busy-long/a.jpg", "HTTP 429 Too Many Requests, and is to be asked again in 100 s only"),
            ("busy-until/a.jpg", "HTTP 429 Too Many Requests, and is to be asked again in"),
        ],
    )
    def test_what_a_server_answers_in_place_of_a_photo(self, shop: ShopServer, path: str, named: str) -> None:
        assert named in fault(shop.url(path))

    def test_a_port_at_which_nobody_listens(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]

        assert f"connection refused by 127.0.0.1:{port}" in fault(f"http://127.0.0.1:{port}/a.jpg")

    def test_a_server_that_speaks_no_tls(self, shop: ShopServer) -> None:
        assert "does not speak TLS as it should" in fault(shop.url("plain/a.jpg").replace("http:", "https:"))

    @pytest.mark.parametrize(
        ("number", "named"),
        [(socket.EAI_NONAME, "there is no host shop.example"), (socket.EAI_AGAIN, "cannot be looked up now")],
    )
    def test_a_host_without_address(self, monkeypatch: pytest.MonkeyPatch, number: int, named: str) -> None:
        def unknown(*_: Any, **__: Any) -> None:
            raise socket.gaierror(number, "unknown")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)

        assert named in fault("https://shop.example/a.jpg")

    def test_where_a_redirect_has_led(self, shop: ShopServer) -> None:
        assert f"HTTP 404 Not Found (redirected to {shop.url('404/b.jpg')})" in fault(shop.url("to//404/b.jpg"))


ENDLESS = 4.0
"""Seconds that a fetch takes at least where its deadline does not hold; on a busy machine one that holds takes its time, too."""


class TestOneDeadline:
    @pytest.mark.parametrize("kind", ["drip", "drip-headers", "silence"])
    def test_holds_for_slow_headers_and_bodies(self, shop: ShopServer, kind: str) -> None:
        begin = time.monotonic()

        message = fault(shop.url(f"{kind}/a.jpg"), timeout=0.5)

        assert "has not arrived whole within media.timeout = 0.5 s (try again later, or raise it)" in message
        assert time.monotonic() - begin < ENDLESS

    def test_holds_for_the_look_up_of_a_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2 * ENDLESS))
        begin = time.monotonic()

        assert "within media.timeout" in fault("https://shop.example/a.jpg", timeout=0.3)
        assert time.monotonic() - begin < ENDLESS

    def test_holds_for_all_attempts_together(self, shop: ShopServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(web, "FIRST_WAIT", 0.4)
        begin = time.monotonic()

        message = fault(shop.url("500/a.jpg"), timeout=1, retries=10)

        # Where the time is up within an attempt, its status is not known.
        assert "HTTP 500" in message or "within media.timeout" in message
        assert time.monotonic() - begin < ENDLESS

    def test_leaves_the_next_fetch_its_own_time(self, shop: ShopServer) -> None:
        fault(shop.url("silence/a.jpg"), timeout=0.2)

        assert fetched(shop.url("plain/a.jpg")) == PHOTO


class TestAttempts:
    def test_are_as_many_as_the_settings_say(self, shop: ShopServer) -> None:
        fault(shop.url("500/a.jpg"), retries=3)

        assert shop.asked["/500/a.jpg"] == 4

    @pytest.mark.parametrize("path", ["404/a.jpg", "403/a.jpg", "busy-long/a.jpg"])
    def test_are_not_wasted_on_what_will_not_change(self, shop: ShopServer, path: str) -> None:
        fault(shop.url(path))

        assert shop.asked.total() == 1


class TestTooLarge:
    @pytest.mark.parametrize("kind", ["plain", "chunked", "gzip", "endless", "bomb"])
    def test_is_not_read_to_its_end(self, shop: ShopServer, kind: str) -> None:
        with pytest.raises(ImageTooLargeError, match=r"more than media\.max_bytes = 10,000"):
            fetched(shop.url(f"{kind}/a.jpg"), max_bytes=10_000)


class TestConnections:
    def test_are_used_again(self, shop: ShopServer) -> None:
        for path in ("plain/a.jpg", "404/b.jpg", "to//plain/c.jpg", "gzip/d.jpg") * 3:
            try:
                fetched(shop.url(path))
            except ImageReadError:
                continue

        assert shop.connections == 1

    def test_are_as_many_at_a_time_as_a_host_may_have(self, shop: ShopServer) -> None:
        with ThreadPoolExecutor(12) as threads:
            read = list(
                threads.map(
                    lambda number: fetched(shop.url(f"concurrent/{number}.jpg"), connections_per_host=3), range(12)
                )
            )

        assert read == [b"photo"] * 12
        assert shop.busiest <= 3

    def test_carry_no_cookies_and_know_no_proxy(self, shop: ShopServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

        fetched(shop.url("to//plain/a.jpg"))

        assert all("Cookie" not in headers for _, headers in shop.requests)

    def test_name_the_host_that_was_written_not_its_address(
        self, shop: ShopServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(network, "_look_up", lambda host, port: ["127.0.0.1"])

        fetched(shop.url("plain/a.jpg").replace("127.0.0.1", "shop.example"))

        assert shop.requests[0][1]["Host"] == f"shop.example:{shop.server_address[1]}"


class TestNothingPrivateGetsThrough:
    """Refused at connect time, whatever the address looks like and wherever it stands in a chain of redirects."""

    @pytest.mark.parametrize(
        "host",
        NOT_PUBLIC_HOSTS,
    )
    def test_by_address(self, shop: ShopServer, host: str) -> None:
        message = fault(shop.url("plain/a.jpg").replace("127.0.0.1", host), allow_private=False, timeout=2)

        assert "set media.allow_private=true if you trust the catalog" in message
        assert shop.connections == 0

    def test_by_a_name_that_leads_to_one(self, shop: ShopServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(network, "_look_up", lambda host, port: ["127.0.0.1", "10.0.0.1"])

        message = fault(shop.url("plain/a.jpg").replace("127.0.0.1", "shop.example"), allow_private=False)

        assert "shop.example (127.0.0.1) is a loopback address" in message
        assert shop.connections == 0

    def test_by_a_redirect(self, shop: ShopServer, monkeypatch: pytest.MonkeyPatch) -> None:
        real = network.why_not_public
        # The shop itself counts as public here, the same machine under another address does not.
        monkeypatch.setattr(network, "why_not_public", lambda one: None if one == "127.0.0.1" else real(one))
        inside = f"http://[::ffff:127.0.0.1]:{shop.server_address[1]}/plain/secret.jpg"

        message = fault(shop.url(f"to//to/{inside}"), allow_private=False)

        assert "is a loopback address (redirected to http://[::ffff:127.0.0.1]" in message
        assert not shop.asked["/plain/secret.jpg"]

    def test_by_a_name_that_changes_between_check_and_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = iter([["93.184.215.14"], ["127.0.0.1"]])
        connected = []

        def connect(_: Any, address: str, *__: Any) -> None:
            connected.append(address)
            raise network.httpcore2.ConnectError("no network in a test")

        monkeypatch.setattr(network, "_look_up", lambda host, port: next(answers))
        monkeypatch.setattr(network.httpcore2.SyncBackend, "connect_tcp", connect)

        fault("http://rebinding.example/a.jpg", allow_private=False, retries=1)

        assert connected == ["93.184.215.14"]

    def test_of_several_addresses_only_public_ones_are_connected_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        connected = []

        def connect(_: Any, address: str, *__: Any) -> None:
            connected.append(address)
            raise network.httpcore2.ConnectError("no network in a test")

        monkeypatch.setattr(network, "_look_up", lambda host, port: ["10.0.0.1", "93.184.215.14", "::1", "1.1.1.1"])
        monkeypatch.setattr(network.httpcore2.SyncBackend, "connect_tcp", connect)

        assert "cannot be reached" in fault("http://mixed.example/a.jpg", allow_private=False, retries=0)
        assert connected == ["93.184.215.14", "1.1.1.1"]

    def test_over_a_connection_that_a_permissive_run_has_opened(self, shop: ShopServer) -> None:
        fetched(shop.url("plain/a.jpg"))

        assert "is a loopback address" in fault(shop.url("plain/a.jpg"), allow_private=False)

    def test_by_way_of_a_record(self, shop: ShopServer, tmp_path: Any) -> None:
        uri = ConfinedUri(shop.url("plain/a.jpg"), tmp_path)

        assert "is a loopback address" in fault(uri, allow_private=False)


class TestCache:
    @pytest.fixture(autouse=True)
    def needs_hishel(self) -> None:
        pytest.importorskip("hishel")

    @pytest.fixture
    def folder(self, tmp_path: Path) -> str:
        return str(tmp_path / "kept" / "images")

    def test_asks_by_etag_and_gives_the_same_bytes(self, shop: ShopServer, folder: str) -> None:
        read = [fetched(shop.url("etag/a.jpg"), cache=folder) for _ in range(3)]

        assert read == [PHOTO] * 3
        assert [headers.get("If-None-Match") for _, headers in shop.requests] == [None, '"1"', '"1"']

    def test_asks_not_at_all_for_what_is_fresh(self, shop: ShopServer, folder: str) -> None:
        read = [fetched(shop.url("fresh/a.jpg"), cache=folder) for _ in range(3)]

        assert read == [PHOTO] * 3
        assert shop.asked.total() == 1

    def test_keeps_nothing_that_has_not_come_whole(self, shop: ShopServer, folder: str) -> None:
        with pytest.raises(ImageTooLargeError):
            fetched(shop.url("fresh/a.jpg").replace("fresh", "chunked"), cache=folder, max_bytes=10_000)
        fault(shop.url("short/a.jpg"), cache=folder, retries=1)

        assert fetched(shop.url("chunked/a.jpg"), cache=folder) == PHOTO
        assert shop.asked["/short/a.jpg"] == 2

    def test_gives_nothing_private_to_a_run_that_may_not_ask_there(self, shop: ShopServer, folder: str) -> None:
        fetched(shop.url("fresh/a.jpg"), cache=folder)

        assert "is a loopback address" in fault(shop.url("fresh/a.jpg"), cache=folder, allow_private=False)

    def test_serves_threads(self, shop: ShopServer, folder: str) -> None:
        def fetch(number: int) -> bytes:
            return fetched(shop.url(f"fresh/{number % 4}.jpg"), cache=folder)

        with ThreadPoolExecutor(8) as threads:
            assert list(threads.map(fetch, range(40))) == [PHOTO] * 40

    def test_that_is_no_folder_is_named(self, shop: ShopServer, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")

        assert "cannot be used: " in fault(shop.url("fresh/a.jpg"), cache=str(tmp_path / "file"))

    def test_without_its_library_says_what_to_install(
        self, shop: ShopServer, folder: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "hishel", None)

        assert "pip install 'agpis-sdk[cache]'" in fault(shop.url("fresh/a.jpg"), cache=folder)


def test_a_scheme_that_is_not_listed_is_not_followed(shop: ShopServer) -> None:
    assert "http: is not among media.schemes (https)" in fault(shop.url("plain/a.jpg"), schemes=("https",))


def test_tls_is_asked_for_the_name_of_the_host() -> None:
    asked = []

    class Plain(network.httpcore2.NetworkStream):
        def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: Any = None) -> Any:
            asked.append((server_hostname, timeout))
            return self

    with network.Deadline.after(5).kept():
        network._TimedStream(Plain()).start_tls(None, "shop.example")  # type: ignore[arg-type]

    assert asked[0][0] == "shop.example"
    assert 0 < asked[0][1] <= 5


def test_threads_share_one_client_and_each_gets_its_own_photo(shop: ShopServer) -> None:
    def fetch(number: int) -> bool:
        return fetched(shop.url(f"{'chunked' if number % 2 else 'gzip'}/{number}.jpg")) == PHOTO

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(fetch, range(64)))
    assert threading.active_count() < 100
    assert shop.connections <= MediaSection().connections_per_host
