"""The review site as a Starlette application: its addresses, who may open them, and what every answer carries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agpis_sdk.review.store import accounts
from agpis_sdk.review.web import entering, managing, reviewing
from agpis_sdk.review.web.rendering import page
from agpis_sdk.review.web.requests import HEADERS, SESSION_COOKIE, Ask, Handler, handled
from agpis_sdk.review.web.site import Site

STATIC = Path(__file__).parent / "static"
FAULTS = {
    401: "You are not logged in.",
    403: "You may not open this page.",
    404: "There is no such page.",
    405: "This address is not used like that.",
    500: "Something went wrong here. The server's log says what.",
}


def review_app(site: Site) -> Starlette:
    """Return the application of a site."""

    def get(path: str, handler: Handler, **access: bool) -> Route:
        return Route(path, handled(site, handler, **access), methods=["GET"])

    def post(path: str, handler: Handler, **access: bool) -> Route:
        return Route(path, handled(site, handler, **access), methods=["POST"])

    routes = [
        get("/", lambda _: RedirectResponse("/review", status_code=303)),
        get("/login", entering.login_form, public=True),
        post("/login", entering.log_in, public=True),
        get("/setup", entering.setup_form, public=True),
        post("/setup", entering.set_up, public=True),
        post("/logout", entering.log_out),
        get("/review", reviewing.next_item),
        get("/review/{item:int}", reviewing.show),
        get("/review/{item:int}/opinion", reviewing.opinion),
        post("/review/{item:int}/decision", reviewing.decide),
        post("/undo", reviewing.undo),
        get("/pictures/{item:int}/{position:int}/{size}", reviewing.picture),
        get("/queue", managing.queue),
        get("/metrics", _metrics, admin=True),
        get("/users", managing.user_list, admin=True),
        post("/users", managing.add_user, admin=True),
        post("/users/active", managing.change_user, admin=True),
        get("/password", managing.password_form),
        post("/password", managing.change_password),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    middleware = [
        Middleware(TrustedHostMiddleware, allowed_hosts=list(site.hosts), www_redirect=False),
        Middleware(SafeHeaders),
    ]
    handlers = {HTTPException: _fault_page(site), Exception: _fault_page(site)}
    return Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)


class SafeHeaders:
    """Adds to every answer what keeps other sites, scripts and types out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and the answer back with the headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-cache" if scope["path"].startswith("/static/") else "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)


def _metrics(ask: Ask) -> Response:
    from agpis_sdk.review.web.measuring import metrics  # SciPy and scikit-learn would hold up the start of the server

    return metrics(ask)


def _fault_page(site: Site) -> Callable[[Request, Exception], Response]:
    """Return a handler that answers a fault as a page, or as JSON to a script that asks for it."""

    def answer(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        said = error.detail if isinstance(error, HTTPException) else ""
        headers = error.headers if isinstance(error, HTTPException) else None
        words = FAULTS.get(status, said) if said in ("", _standard_phrase(status)) else said
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"detail": words}, status_code=status, headers=headers)
        account = accounts.account_of(site.store, request.cookies.get(SESSION_COOKIE, ""), site.clock())
        return page(Ask(request, site, account, {}), "fault.html", status=status, fault=words)

    return answer


def _standard_phrase(status: int) -> str:
    return HTTPException(status).detail
