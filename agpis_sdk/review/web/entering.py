"""Logging in and out, and the first account."""

from __future__ import annotations

import secrets

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from agpis_sdk.errors import ReviewStoreError
from agpis_sdk.review.store import accounts
from agpis_sdk.review.web.rendering import page
from agpis_sdk.review.web.requests import FORM_COOKIE, SESSION_COOKIE, Ask, form_token, set_cookie


def login_form(ask: Ask) -> Response:
    """Show the form; a user who is logged in goes on to the queue."""
    if ask.account is not None:
        return RedirectResponse("/review", status_code=303)
    return _with_form_cookie(ask, page(ask, "login.html", fault="", name=""))


def log_in(ask: Ask) -> Response:
    """Begin a session under a token that nobody knew before; the one in the browser, if any, ends."""
    name, password = str(ask.fields.get("name", "")), str(ask.fields.get("password", ""))
    now = ask.site.clock()
    address = ask.request.client.host if ask.request.client is not None else ""
    allowed = ask.site.logins_by_address.allows(address, now.timestamp())
    if not allowed or not ask.site.logins_by_name.allows(name.strip().lower()[:80], now.timestamp()):
        raise HTTPException(429, "Too many attempts; wait a minute.", {"Retry-After": "60"})
    token = accounts.log_in(ask.site.store, name, password, now)
    if token is None:
        fault = "The name or the password is not right."
        return _with_form_cookie(ask, page(ask, "login.html", status=401, fault=fault, name=name))
    return _entered(ask, token)


def log_out(ask: Ask) -> Response:
    """End the session."""
    accounts.log_out(ask.site.store, ask.request.cookies.get(SESSION_COOKIE, ""))
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(SESSION_COOKIE)
    return response


def setup_form(ask: Ask) -> Response:
    """Show the form for the first account to whoever has the link that the server printed."""
    _check_setup(ask, ask.request.query_params.get("token", ""))
    return _with_form_cookie(ask, page(ask, "setup.html", fault="", token=ask.site.setup_token))


def set_up(ask: Ask) -> Response:
    """Make the first account, an admin, and log in."""
    _check_setup(ask, str(ask.fields.get("token", "")))
    name, password = str(ask.fields.get("name", "")), str(ask.fields.get("password", ""))
    now = ask.site.clock()
    try:
        accounts.add_user(ask.site.store, name, password, "admin", now)
    except ReviewStoreError as error:
        fault = f"{error.item.capitalize()} {error.what}."
        filled = page(ask, "setup.html", status=422, fault=fault, token=ask.site.setup_token)
        return _with_form_cookie(ask, filled)
    return _entered(ask, accounts.log_in(ask.site.store, name, password, now) or "")


def _check_setup(ask: Ask, token: str) -> None:
    known = secrets.compare_digest(token.encode(), ask.site.setup_token.encode())
    if not known or accounts.has_users(ask.site.store):
        raise HTTPException(404)


def _entered(ask: Ask, token: str) -> Response:
    accounts.log_out(ask.site.store, ask.request.cookies.get(SESSION_COOKIE, ""))
    response = RedirectResponse("/review", status_code=303)
    set_cookie(response, ask.request, SESSION_COOKIE, token)
    response.delete_cookie(FORM_COOKIE)
    return response


def _with_form_cookie(ask: Ask, response: Response) -> Response:
    set_cookie(response, ask.request, FORM_COOKIE, form_token(ask.request))
    return response
