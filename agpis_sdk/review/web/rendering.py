"""Templates to pages; whatever comes from outside is escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from agpis_sdk import __version__
from agpis_sdk.report.phrases import spoken
from agpis_sdk.review.web.requests import Ask, form_token

TEMPLATES = Path(__file__).parent / "templates"


def page(ask: Ask, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page; every template knows who is logged in and the token of the page's forms."""
    account = ask.account
    token = account.csrf_token if account is not None else form_token(ask.request)
    text = (
        _environment()
        .get_template(template)
        .render(account=account, csrf_token=token, path=ask.request.url.path, version=__version__, **values)
    )
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})


@cache
def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["spoken"] = spoken
    return environment
