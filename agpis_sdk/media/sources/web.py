"""Images of http(s) addresses: read whole, under one deadline, from public addresses alone, with retries.

The client is httpx2; connections are kept and shared by all threads of a process. Environment variables that name a
proxy are not followed: behind a proxy nobody can check which address is connected to.
"""

from __future__ import annotations

import email.utils
import itertools
import os
import random
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpcore2
import httpx2

from agpis_sdk.errors import ImageReadError
from agpis_sdk.media.sources.body import NOT_READ, BodyError, compressions, inflated
from agpis_sdk.media.sources.deadline import Deadline, DeadlineError, too_late
from agpis_sdk.media.sources.masking import masked
from agpis_sdk.media.sources.network import GuardedTransport, HostLookupError, RefusedAddressError
from agpis_sdk.media.sources.policy import SourcePolicy

MAX_REDIRECTS = 5
FIRST_WAIT = 0.5  # seconds before the first retry; doubled for each further one, and halved at random
ERROR_PAGE = 65_536  # bytes of a page that holds no image which are read to keep its connection
RETRIED = (408, 425, 429, 500, 502, 503, 504)
REMEDIES = {401: "the server asks for a password", 403: "the server refuses it to agpis"}
HEADERS = {
    "Accept": "image/webp,image/png,image/jpeg,image/*;q=0.8,*/*;q=0.5",
    "Accept-Encoding": "gzip, identity",
    "User-Agent": "agpis-sdk",
}
NOWHERE = ("redirects to what is no address", "name the address that it ends at")
PORTS = {"http": 80, "https": 443}
_PREFIX = re.compile(r"^(https?):[/\\]*", re.IGNORECASE)


class _FetchError(Exception):
    """Why a fetch has failed; one that is `temporary` is tried again, after `wait` seconds where the server says so."""

    def __init__(self, what: str, remedy: str = "", *, temporary: bool = False, wait: float | None = None) -> None:
        super().__init__(what)
        self.what, self.remedy, self.temporary, self.wait = what, remedy, temporary, wait


def fetch(uri: str, policy: SourcePolicy) -> bytes:
    """Return the whole body that an http(s) address answers with.

    Raises `ImageReadError` naming the HTTP status or what is wrong with the address, the host or the connection, and
    `ImageTooLargeError`.
    """
    item = masked(uri.strip())
    try:
        url = _address(uri)
        deadline = Deadline.after(policy.timeout)
        with deadline.kept():
            return _with_retries(url, item, policy, deadline)
    except _FetchError as error:
        raise ImageReadError(error.what, item=item, remedy=error.remedy) from None
    except (ImageReadError, MemoryError):
        raise
    except DeadlineError:
        raise too_late(policy.timeout, item) from None
    except Exception as error:  # what no server should bring about still costs this image alone
        raise ImageReadError(
            f"cannot be fetched: {masked(f'{type(error).__name__}: {error}')}", item=item, remedy="try again later"
        ) from error


def _address(uri: str) -> httpx2.URL:
    """Return an address as a browser reads it: surrounding spaces, line breaks and backslashes are forgiven."""
    text = _PREFIX.sub(lambda found: f"{found[1].lower()}://", re.sub(r"[\t\r\n]", "", uri.strip()), count=1)
    path, mark, query = text.partition("?")
    slashed = path.replace("\\", "/")
    try:
        url = httpx2.URL(f"{slashed}{mark}{query}")
    except httpx2.InvalidURL:  # its text may hold a password
        raise _FetchError("is no web address", "write https://host/path") from None
    if not url.host:
        raise _FetchError("names no host", "write https://host/path")
    return url


def _with_retries(url: httpx2.URL, item: str, policy: SourcePolicy, deadline: Deadline) -> bytes:
    for attempt in itertools.count():
        try:
            return _follow(url, item, policy, deadline)
        except _FetchError as error:
            if not error.temporary or attempt >= policy.retries:
                raise
            wait = FIRST_WAIT * 2**attempt * random.uniform(0.5, 1)  # noqa: S311 - keeps clients apart, hides nothing
            wait = wait if error.wait is None else error.wait
            if wait >= deadline.remaining():
                more = f", and is to be asked again in {wait:.0f} s only" if error.wait is not None else ""
                raise _FetchError(f"{error.what}{more}", error.remedy) from None
            time.sleep(wait)
    raise AssertionError("the last attempt has returned or raised")


def _follow(url: httpx2.URL, item: str, policy: SourcePolicy, deadline: Deadline) -> bytes:
    """Fetch once, redirects included: each goes through the same policy as the address that is listed."""
    client = _client(policy)
    request = client.build_request("GET", url, timeout=deadline.remaining())
    try:
        for _ in range(MAX_REDIRECTS + 1):
            if request.url.scheme not in ("http", "https") or request.url.scheme not in policy.schemes:
                raise _FetchError(f"{request.url.scheme}: is not followed")
            with _slot(request.url.netloc, policy.connections_per_host, deadline), _named_faults(request.url):
                response = client.send(request, stream=True)
                try:
                    if response.next_request is None:
                        return _body(response, item, policy)
                    _read_page(response)
                    request = response.next_request
                finally:
                    response.close()
        raise _FetchError(f"redirects more than {MAX_REDIRECTS} times", "name the address that it ends at")
    except _FetchError as error:
        if request.url != url:
            error.what += f" (redirected to {masked(str(request.url))})"
        raise


def _body(response: httpx2.Response, item: str, policy: SourcePolicy) -> bytes:
    if response.status_code not in (HTTPStatus.OK, HTTPStatus.NON_AUTHORITATIVE_INFORMATION):
        _read_page(response)
        raise _status_error(response)
    compressed = compressions(response.headers.get("Content-Encoding", ""))
    if len(compressed) > 1 or any(word in NOT_READ for word in compressed):
        raise _FetchError(f'comes in the encoding "{", ".join(compressed)[:40]}", which was not asked for')
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and not compressed:
        policy.check_size(int(length[:20]), item)
    pieces, total = [], 0
    for piece in inflated(response.iter_raw()) if compressed else response.iter_raw():
        pieces.append(piece)
        total += len(piece)
        policy.check_size(total, item)
    return b"".join(pieces)


def _read_page(response: httpx2.Response) -> None:
    """Read the page of an answer that holds no image, unless it is long: its connection can be used again."""
    total = 0
    for piece in response.iter_raw():
        total += len(piece)
        if total > ERROR_PAGE:
            return


def _status_error(response: httpx2.Response) -> _FetchError:
    if response.has_redirect_location:
        return _FetchError(*NOWHERE)
    status = response.status_code
    name = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    return _FetchError(
        f"HTTP {status} {name}".strip(),
        REMEDIES.get(status, "try again later" if status in RETRIED else "check the address"),
        temporary=status in RETRIED,
        wait=_retry_after(response),
    )


def _retry_after(response: httpx2.Response) -> float | None:
    """Return the seconds that the server asks to wait, given as a number or as a date."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


@contextmanager
def _named_faults(url: httpx2.URL) -> Iterator[None]:
    """Turn the errors of the network into words."""
    try:
        yield
    except RefusedAddressError as error:
        raise _FetchError(str(error), "set media.allow_private=true if you trust the catalog") from None
    except HostLookupError as error:
        raise _FetchError(str(error), "check the address", temporary=error.temporary) from None
    except httpcore2.TimeoutException:
        Deadline.current().remaining()
        raise _FetchError(f"{url.host} does not answer", temporary=True) from None
    except httpcore2.ConnectError as error:
        raise _connect_error(error, url) from None
    except (httpcore2.UnsupportedProtocol, httpcore2.LocalProtocolError):
        raise _FetchError("is no web address", "write https://host/path") from None
    except (httpx2.RemoteProtocolError, httpx2.InvalidURL):  # httpx2 itself raises these for a Location alone
        raise _FetchError(*NOWHERE) from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError, BodyError) as error:
        reason = error if isinstance(error, BodyError) else "the connection broke off"
        raise _FetchError(f"has not arrived whole: {reason}", "try again later", temporary=True) from None


def _connect_error(error: BaseException, url: httpx2.URL) -> _FetchError:
    causes = list(_causes(error))
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return _FetchError(f"connection refused by {url.host}:{url.port or PORTS[url.scheme]}", "check the address")
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _FetchError(f"the certificate of {url.host} is not valid: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            return _FetchError(f"{url.host} does not speak TLS as it should: {cause.reason}", "try http://")
    reason = next((cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror), "no answer")
    return _FetchError(f"{url.host} cannot be reached: {reason}", temporary=True)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _client(policy: SourcePolicy) -> httpx2.Client:
    """Return the client of this process; a connection of the permissive one never serves the strict one."""
    key = (policy.allow_private, policy.cache)
    with _SHARED.lock:
        if key not in _SHARED.clients:
            _SHARED.clients[key] = httpx2.Client(
                transport=_transport(policy),
                headers=HEADERS,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # an answer depends on no earlier one
                trust_env=False,
                follow_redirects=False,
            )
        return _SHARED.clients[key]


def _transport(policy: SourcePolicy) -> httpx2.BaseTransport:
    transport = GuardedTransport(allow_private=policy.allow_private)
    if not policy.cache:
        return transport
    from agpis_sdk.media.sources.cache import cached

    try:
        return cached(transport, policy.cache, allow_private=policy.allow_private)
    except ImportError:
        raise _FetchError("media.cache needs hishel", "pip install 'agpis-sdk[cache]'") from None
    except OSError as error:
        raise _FetchError(f"media.cache = {policy.cache} cannot be used: {error.strerror}", "name a folder") from None


class _Shared:
    """What the threads of a process share: clients, and how many connections each host may still have."""

    def __init__(self) -> None:
        self.left_behind: list[object] = []
        self.start()

    def start(self) -> None:
        """Begin with nothing shared; what a forked process has from its parent is neither used nor closed."""
        self.left_behind.append(getattr(self, "clients", None))
        self.lock = threading.Lock()
        self.clients: dict[tuple[bool, str], httpx2.Client] = {}
        self.slots: dict[tuple[bytes, int], threading.BoundedSemaphore] = {}


_SHARED = _Shared()
if hasattr(os, "register_at_fork"):  # a connection of two processes would mix their answers up
    os.register_at_fork(after_in_child=_SHARED.start)


@contextmanager
def _slot(host: bytes, limit: int, deadline: Deadline) -> Iterator[None]:
    """Wait for one of the connections that a host may have at a time."""
    with _SHARED.lock:
        slots = _SHARED.slots.setdefault((host, limit), threading.BoundedSemaphore(limit))
    if not slots.acquire(timeout=deadline.remaining()):
        raise DeadlineError
    try:
        yield
    finally:
        slots.release()
