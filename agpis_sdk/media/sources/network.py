"""The network as the fetches see it: only addresses that the policy admits, and every wait under the deadline."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2

from agpis_sdk.media.sources.addresses import why_not_public
from agpis_sdk.media.sources.deadline import Deadline

MAX_CONNECTIONS = 64
KEEP_ALIVE_SECONDS = 30.0


class RefusedAddressError(Exception):
    """A host none of whose addresses is admitted."""


class HostLookupError(Exception):
    """A host whose addresses cannot be looked up; `temporary` where asking again may help."""

    def __init__(self, what: str, *, temporary: bool) -> None:
        super().__init__(what)
        self.temporary = temporary


class GuardedTransport(httpx2.BaseTransport):
    """An httpx2 transport whose connections come from a `GuardedBackend`.

    It knows no proxy: behind one, the address that is connected to would be the proxy's.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE_SECONDS,
            network_backend=GuardedBackend(allow_private=allow_private),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; errors of the network are those of httpcore2."""
        url = request.url
        answer = self._pool.handle_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                extensions=request.extensions,
            )
        )
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Body(httpx2.SyncByteStream):
    """The body of an answer as httpx2 wants it."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Any:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class GuardedBackend(httpcore2.NetworkBackend):
    """Looks a host up once and connects to one of the very addresses that it has checked.

    The host's name stays what TLS and the Host header see.
    """

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline is shorter or as long
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first admitted address that answers; raise `RefusedAddressError` where none is admitted."""
        deadline = Deadline.current()
        addresses = deadline.run(lambda: _look_up(host, port))
        admitted = [one for one in addresses if self._allow_private or why_not_public(one) is None]
        if not admitted:
            name = host if host == addresses[0] else f"{host} ({addresses[0]})"
            raise RefusedAddressError(f"{name} is {why_not_public(addresses[0])}")
        for number, address in enumerate(admitted):
            # One that never answers must not use up the time of those behind it.
            seconds = deadline.remaining() / (len(admitted) - number)
            try:
                stream = self._plain.connect_tcp(address, port, seconds, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if number == len(admitted) - 1:
                    raise
            else:
                return _TimedStream(stream)
        raise AssertionError("the last address has answered or raised")

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Any = None) -> Any:  # noqa: ARG002
        """Refuse: no uri names a socket."""
        raise RefusedAddressError(path)


class _TimedStream(httpcore2.NetworkStream):
    """A connection each of whose operations ends at the deadline of the fetch that uses it."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, Deadline.current().remaining())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, Deadline.current().remaining())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, Deadline.current().remaining()))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _look_up(host: str, port: int) -> list[str]:
    """Return the numeric addresses of a host, in the order in which the system prefers them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise HostLookupError(f"the address of {host} cannot be looked up now", temporary=True) from None
        raise HostLookupError(f"there is no host {host}", temporary=False) from None
    except UnicodeError:  # an empty or overlong part of the name
        raise HostLookupError(f"there is no host {host}", temporary=False) from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
