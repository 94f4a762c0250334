"""A shop on the loopback interface that answers in every way in which servers of images do, good and bad."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

PHOTO = bytes(range(256)) * 300
PIECE = 8192


class ShopServer(ThreadingHTTPServer):
    """Answers `/KIND/…` in the way that the handler's method `answer_KIND` has; counts what it is asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ShopHandler)
        self.asked: Counter[str] = Counter()
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        self.busy = self.busiest = 0
        self.lock = threading.Lock()

    def server_bind(self) -> None:
        """Bind without asking a name server for this machine's name."""
        TCPServer.server_bind(self)

    def url(self, path: str) -> str:
        """Return the address of a path here."""
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep silent about clients that leave."""


class ShopHandler(BaseHTTPRequestHandler):
    """One connection of the shop."""

    protocol_version = "HTTP/1.1"
    server: ShopServer

    def log_message(self, *_: Any) -> None:
        """Keep silent."""

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.asked[self.path] += 1
            self.server.requests.append((self.path, {name.title(): value for name, value in self.headers.items()}))
            self.server.busy += 1
            self.server.busiest = max(self.server.busiest, self.server.busy)
        kind = self.path.split("?")[0].split("/")[1]
        try:
            getattr(self, f"answer_{kind.replace('-', '_')}", self.answer_status)()
        finally:
            with self.server.lock:
                self.server.busy -= 1

    def start(self, status: int = 200, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def whole(self, body: bytes = PHOTO, **headers: object) -> None:
        self.start(Content_Length=len(body), **headers)
        self.wfile.write(body)

    def chunks(self, body: bytes, pause: float = 0.0, **headers: object) -> None:
        self.start(Transfer_Encoding="chunked", **headers)
        for begin in range(0, len(body), PIECE):
            piece = body[begin : begin + PIECE]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
            time.sleep(pause)
        self.wfile.write(b"0\r\n\r\n")

    @property
    def times_asked(self) -> int:
        return self.server.asked[self.path]

    def answer_status(self) -> None:
        status = int(self.path.split("/")[1])
        body = b"<html>no photo</html>"
        self.start(status, Content_Length=len(body))
        self.wfile.write(body)

    def answer_plain(self) -> None:
        self.whole()

    def answer_norange(self) -> None:
        self.whole(Accept_Ranges="none")

    def answer_chunked(self) -> None:
        self.chunks(PHOTO, pause=0.001)

    def answer_gzip(self) -> None:
        self.whole(gzip.compress(PHOTO), Content_Encoding="gzip")

    def answer_gzip_chunked(self) -> None:
        self.chunks(gzip.compress(PHOTO), Content_Encoding="gzip")

    def answer_deflate(self) -> None:
        self.whole(zlib.compress(PHOTO), Content_Encoding="deflate")

    def answer_bare_deflate(self) -> None:
        self.whole(zlib.compress(PHOTO)[2:-4], Content_Encoding="deflate")

    def answer_gzip_members(self) -> None:
        self.whole(gzip.compress(PHOTO[:5000]) + gzip.compress(PHOTO[5000:]) + bytes(9), Content_Encoding="x-gzip")

    def answer_odd_encoding(self) -> None:
        self.whole(Content_Encoding="UTF-8, identity")

    def answer_gzip_twice(self) -> None:
        self.whole(gzip.compress(gzip.compress(PHOTO)), Content_Encoding="gzip, gzip")

    def answer_close_delimited(self) -> None:
        self.close_connection = True
        self.start(Connection="close")
        for begin in range(0, len(PHOTO), PIECE):
            self.wfile.write(PHOTO[begin : begin + PIECE])
            time.sleep(0.002)

    def answer_http10(self) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + PHOTO)

    def answer_brotli(self) -> None:
        self.whole(b"\x0b\x02", Content_Encoding="br")

    def answer_bad_gzip(self) -> None:
        self.whole(b"\x1f\x8bno gzip at all", Content_Encoding="gzip")

    def answer_cut_gzip(self) -> None:
        self.whole(gzip.compress(PHOTO)[:-20], Content_Encoding="gzip")

    def answer_bomb(self) -> None:
        self.whole(gzip.compress(bytes(20_000_000)), Content_Encoding="gzip")

    def answer_endless(self) -> None:
        self.start(Transfer_Encoding="chunked")
        while True:
            self.wfile.write(b"%x\r\n%s\r\n" % (PIECE, bytes(PIECE)))

    def answer_drip(self) -> None:
        self.start(Content_Length=len(PHOTO))
        for begin in range(len(PHOTO)):
            self.wfile.write(PHOTO[begin : begin + 1])
            time.sleep(0.05)

    def answer_drip_headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(200):
            self.wfile.write(b"x")
            time.sleep(0.05)

    def answer_silence(self) -> None:
        time.sleep(5)

    def answer_etag(self) -> None:
        if self.headers["If-None-Match"] == '"1"':
            self.start(304, ETag='"1"')
        else:
            self.whole(gzip.compress(PHOTO), Content_Encoding="gzip", ETag='"1"', Cache_Control="no-cache")

    def answer_fresh(self) -> None:
        self.whole(Cache_Control="public, max-age=3600")

    def answer_short(self) -> None:
        self.close_connection = True
        self.start(Content_Length=len(PHOTO))
        self.wfile.write(PHOTO[:1000])

    def answer_reset(self) -> None:
        self.reset()

    def answer_reset_once(self) -> None:
        if self.times_asked == 1:
            self.reset()
        else:
            self.whole()

    def reset(self) -> None:
        """Break the connection off with a reset in place of an end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def answer_garbage(self) -> None:
        self.close_connection = True
        self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")

    def answer_busy_once(self) -> None:
        if self.times_asked == 1:
            self.start(503, Retry_After=0, Content_Length=0)
        else:
            self.whole()

    def answer_busy_long(self) -> None:
        self.start(429, Retry_After=100, Content_Length=0)

    def answer_busy_until(self) -> None:
        self.start(429, Retry_After="Wed, 21 Oct 2099 07:28:00 GMT", Content_Length=0)

    def answer_to(self) -> None:
        """Redirect to what stands behind `/to/`."""
        self.start(302, Location=self.path.removeprefix("/to/"), Content_Length=0, Set_Cookie="seen=1; Path=/")

    def answer_loop(self) -> None:
        self.start(302, Location=f"/loop/{self.server.asked.total()}", Content_Length=0)

    def answer_concurrent(self) -> None:
        time.sleep(0.1)
        self.whole(b"photo")


@contextmanager
def shop_server() -> Iterator[ShopServer]:
    """Run a shop in a thread."""
    with ShopServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
