"""The reviewer's pages: the next product, its pictures, the decision, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, cast

from pydantic import ValidationError
from sqlalchemy import bindparam, select
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from agpis_sdk.errors import ImageReadError, ReviewConflictError, first_problem
from agpis_sdk.records import Box
from agpis_sdk.report.phrases import spoken
from agpis_sdk.review.store import decisions
from agpis_sdk.review.store.claims import claim, progress
from agpis_sdk.review.store.decisions import Judgment
from agpis_sdk.review.store.tables import Assignment, Item
from agpis_sdk.review.web.item_view import ItemView, item_view, objection, outcome_of, product_of
from agpis_sdk.review.web.pictures import SIDES, Picture, Size
from agpis_sdk.review.web.pictures_ahead import uris_of
from agpis_sdk.review.web.rendering import page
from agpis_sdk.review.web.requests import Ask
from agpis_sdk.wording import percent

AHEAD = 2
"""How many products a reviewer has claimed at a time: this one, and the next, whose pictures are loaded meanwhile."""

# Made once: SQLAlchemy needs longer to make a query than to run it.
_OWN_ITEM = (
    select(Item)
    .join(Assignment, Assignment.item_id == Item.id)
    .where(Item.id == bindparam("item"), Item.queue_id == bindparam("queue"))
    .where(Assignment.reviewer_id == bindparam("reviewer"))
)
_OWN_DECIDED_OR_NOT = _OWN_ITEM.where(Assignment.decided == bindparam("decided"))


def next_item(ask: Ask) -> Response:
    """Lead to the next product, or say that there is none."""
    claimed = _claimed(ask)
    if claimed:
        return RedirectResponse(f"/review/{claimed[0]}", status_code=303)
    return page(ask, "finished.html", progress=_progress(ask))


def show(ask: Ask) -> Response:
    """Show a product that the reviewer has claimed; another one leads to the next that they have."""
    item = _own_item(ask, ask.item_id, decided=False)
    if item is None:
        return next_item(ask)
    claimed = _claimed(ask)
    view = _view(ask, item)
    ahead = [_own_item(ask, other) for other in claimed if other != item.id]
    return page(
        ask,
        "review.html",
        item=view,
        data=view.for_script(ask.site.offered),
        ahead=[picture for other in ahead if other is not None for picture in _pictures(_view(ask, other))],
        progress=_progress(ask),
    )


def decide(ask: Ask) -> Response:
    """Keep a decision and name the next page."""
    item = _own_item(ask, ask.item_id)
    if item is None:
        raise HTTPException(409, "This product was given to somebody else meanwhile.")
    try:
        judgment = Judgment.model_validate({**_without_token(ask.fields), "marks": _marks(ask, item)})
        _check_rules(ask, judgment)
        decisions.decide(ask.site.store, ask.user.id, item.id, judgment, ask.site.clock())
    except ValidationError as error:
        raise HTTPException(422, str(first_problem(error))) from None
    except ReviewConflictError as error:
        raise HTTPException(409, f"{error.item.capitalize()} {error.what}.") from None
    return _next(ask)


def undo(ask: Ask) -> Response:
    """Take the reviewer's last decision back and name its page."""
    site = ask.site
    minutes = site.settings.claim_minutes
    item_id = decisions.undo(site.store, ask.user.id, site.queue_id, now=site.clock(), minutes=minutes)
    if item_id is None:
        raise HTTPException(409, "There is no decision of yours to take back.")
    return JSONResponse({"next": f"/review/{item_id}"})


def picture(ask: Ask) -> Response:
    """Send a picture of a product that the reviewer has; images are named by their place in the outcome alone.

    An address with the site's own version names the same picture for as long as the server runs: browsers ask once.
    """
    size = ask.request.path_params["size"]
    item = _own_item(ask, ask.item_id)
    if item is None or size not in SIDES:
        raise HTTPException(404)
    made = _picture(ask, item, int(ask.request.path_params["position"]), cast("Size", size))
    lasting = ask.request.query_params.get("v") == ask.site.version
    kept = "private, max-age=31536000, immutable" if lasting else "private, no-cache"
    headers = {"Cache-Control": kept, "ETag": f'"{made.digest}"'}
    if headers["ETag"] in ask.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(made.jpeg, media_type="image/jpeg", headers=headers)


def opinion(ask: Ask) -> Response:
    """Send what the run thinks of the proposed sequence: p^t and the findings, their places as shares of the image."""
    item = _own_item(ask, ask.item_id)
    if item is None:
        raise HTTPException(404)
    outcome = outcome_of(item.outcome)
    chosen = set(outcome.sequence)
    findings = [
        {
            "words": spoken(finding.name or finding.code),
            "code": finding.code,
            "message": finding.message,
            "images": list(finding.images),
            "places": [
                {"image": region.image, "box": _share(ask, item, region.image, region.box)}
                for region in finding.regions
            ],
        }
        for finding in outcome.findings
        if chosen & set(finding.images)
    ]
    probability = percent(outcome.probability) if outcome.probability is not None else None
    return JSONResponse({"probability": probability, "feedback": objection(outcome), "findings": findings})


def _claimed(ask: Ask) -> list[int]:
    site = ask.site
    minutes = site.settings.claim_minutes
    return claim(site.store, site.queue_id, ask.user.id, now=site.clock(), minutes=minutes, count=AHEAD)


def _next(ask: Ask) -> Response:
    claimed = _claimed(ask)
    return JSONResponse({"next": f"/review/{claimed[0]}" if claimed else "/review"})


def _own_item(ask: Ask, item_id: int, *, decided: bool | None = None) -> Item | None:
    """Return an item that the reviewer has claimed or decided, or only one of the two; None for any other."""
    named = {"item": item_id, "queue": ask.site.queue_id, "reviewer": ask.user.id}
    with ask.site.store.reading() as session:
        if decided is None:
            return session.scalar(_OWN_ITEM, named)
        return session.scalar(_OWN_DECIDED_OR_NOT, {**named, "decided": decided})


def _progress(ask: Ask) -> Any:
    now = ask.site.clock()
    today = datetime.combine(now.date(), time.min, tzinfo=now.tzinfo)
    return progress(ask.site.store, ask.site.queue_id, ask.user.id, since=today)


def _view(ask: Ask, item: Item) -> ItemView:
    return item_view(item, ask.site.rules, ask.site.offered, ask.site.version)


def _pictures(view: ItemView) -> list[str]:
    return [image.large for image in view.sequence] + [image.small for image in view.others]


def _picture(ask: Ask, item: Item, position: int, size: Size) -> Picture:
    uri = uris_of(item, ask.site.root).get(position)
    if uri is None:
        raise HTTPException(404)
    try:
        return ask.site.pictures.get(uri, size)
    except ImageReadError:
        raise HTTPException(404) from None


def _marks(ask: Ask, item: Item) -> list[dict[str, Any]]:
    """Return the marks of a decision with boxes in pixels of the original; they are sent as shares of the image."""
    sent = ask.fields.get("marks", [])
    if not isinstance(sent, list) or not all(isinstance(mark, Mapping) for mark in sent):
        raise HTTPException(422, "marks: not a list of objects")
    return [{**mark, "box": _pixels(ask, item, mark)} for mark in sent[:100]]


def _pixels(ask: Ask, item: Item, mark: Mapping[str, Any]) -> Box | None:
    box = mark.get("box")
    if box is None:
        return None
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(n, int | float) and 0 <= n <= 1 for n in box):
        raise HTTPException(422, "marks: a box is x, y, width and height, each a share of the image")
    made = _picture(ask, item, _position(item, str(mark.get("image"))), "large")
    width, height = made.original_width, made.original_height
    x, y = min(round(box[0] * width), width - 1), min(round(box[1] * height), height - 1)
    return x, y, max(1, min(round(box[2] * width), width - x)), max(1, min(round(box[3] * height), height - y))


def _share(ask: Ask, item: Item, image_id: str, box: Box) -> list[float] | None:
    try:
        made = _picture(ask, item, _position(item, image_id), "large")
    except HTTPException:
        return None
    width, height = made.original_width, made.original_height
    return [box[0] / width, box[1] / height, box[2] / width, box[3] / height]


def _position(item: Item, image_id: str) -> int:
    ids = [image.id for image in product_of(item.product).images]
    if image_id not in ids:
        raise HTTPException(422, "marks: an image that the product does not have")
    return ids.index(image_id)


def _check_rules(ask: Ask, judgment: Judgment) -> None:
    named = [*judgment.rules, *(mark.rule for mark in judgment.marks if mark.rule)]
    unknown = [code for code in named if code not in ask.site.rules]
    if unknown:
        raise HTTPException(422, f"rules: {unknown[0][:20]} is not known here")


def _without_token(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "csrf_token"}
