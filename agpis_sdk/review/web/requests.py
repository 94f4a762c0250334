"""From a request to a handler and back: who asks, whether the form is ours, and what no answer lacks.

A handler is an ordinary function of an `Ask`; it runs in a thread, so that reading the store holds nobody up.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from agpis_sdk.review.store import accounts
from agpis_sdk.review.store.accounts import Account
from agpis_sdk.review.web.site import Site

SESSION_COOKIE, FORM_COOKIE = "agpis_session", "agpis_form"
MAX_BODY = 256 * 1024
LARGEST_ID = 2**63 - 1

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Ask:
    """A request: the site that it is made to, whose session it belongs to, and the fields that were sent."""

    request: Request
    site: Site
    account: Account | None
    fields: Mapping[str, Any]

    @property
    def user(self) -> Account:
        """The user, who has logged in."""
        if self.account is None:
            raise HTTPException(401)
        return self.account

    @property
    def item_id(self) -> int:
        """The item that the path names; raises 404 for a number that no item can have."""
        item = int(self.request.path_params["item"])
        if item > LARGEST_ID:
            raise HTTPException(404)
        return item


Handler = Callable[[Ask], Response]


def handled(
    site: Site, handler: Handler, *, public: bool = False, admin: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that asks a handler, once it is clear who asks and that the page that sent it is ours.

    Without a session, a page leads to the login and anything else answers 401; a page for admins answers 403.
    """

    async def endpoint(request: Request) -> Response:
        body = await _body(request)
        return await run_in_threadpool(answer, request, body)

    def answer(request: Request, body: bytes) -> Response:
        account = accounts.account_of(site.store, request.cookies.get(SESSION_COOKIE, ""), site.clock())
        if account is None and not public:
            if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", ""):
                return RedirectResponse("/login", status_code=303)
            raise HTTPException(401)
        if admin and account is not None and not account.is_admin:
            raise HTTPException(403)
        fields = _fields(request, body)
        if request.method not in ("GET", "HEAD"):
            _check_origin(request)
            _check_token(request, account, fields)
            if account is not None and not site.changes.allows(str(account.id), site.clock().timestamp()):
                raise HTTPException(429, "Too many requests; wait a minute.", {"Retry-After": "60"})
        return handler(Ask(request, site, account, fields))

    return endpoint


def form_token(request: Request) -> str:
    """Return the token of a form that is sent without a session; the browser holds its twin as a cookie."""
    known = request.cookies.get(FORM_COOKIE)
    if known:
        return known
    if not hasattr(request.state, "form_token"):
        request.state.form_token = secrets.token_urlsafe(32)
    return str(request.state.form_token)


def set_cookie(response: Response, request: Request, name: str, value: str) -> None:
    """Set a cookie that no script reads and no other site sends along with a form."""
    response.set_cookie(name, value, httponly=True, samesite="lax", secure=request.url.scheme == "https", path="/")


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise HTTPException(413, "Too large.")
    return body


def _fields(request: Request, body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0]
    try:
        if kind == "application/json":
            data = json.loads(body)
            json.dumps(data, ensure_ascii=False).encode()  # half of an emoji can be written nowhere
            return data if isinstance(data, dict) else {}
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100))
    except (ValueError, RecursionError):
        raise HTTPException(400, "The request cannot be read.") from None
    raise HTTPException(415, "Send JSON or a form.")


def _check_origin(request: Request) -> None:
    """Refuse what another site's page sent: browsers say where a request comes from."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = site is not None and site not in ("same-origin", "none")
    if origin is not None and _host_of(origin) != request.headers.get("host"):
        foreign = True
    if foreign:
        raise HTTPException(403, "The request comes from another site.")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # no address at all
        return None


def _check_token(request: Request, account: Account | None, fields: Mapping[str, Any]) -> None:
    wanted = account.csrf_token if account is not None else request.cookies.get(FORM_COOKIE, "")
    given = request.headers.get("x-csrf-token") or fields.get("csrf_token") or ""
    if not wanted or not isinstance(given, str) or not secrets.compare_digest(wanted.encode(), given.encode()):
        raise HTTPException(403, "The page is out of date. Load it again.")
