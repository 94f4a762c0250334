"""The ways in that are tried on any site: none of them leads through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from agpis_sdk.records import CandidateImage, Finding, ImageOutcome, Outcome, Product
from agpis_sdk.review.outcomes import RunOutput, RunProduct
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.decisions import judged
from tests.review.runs import run_of
from tests.review.sites import Running, open_next, pictures_of, post, running, token_of

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)></script>{{7*7}}"
DECISION = {"key": "0123456789abcdef", "verdict": "accepted", "sequence": ["a", "b", "c"]}
READER_PAGES = ("/review", "/queue", "/password", "/review/1", "/review/1/opinion", "/pictures/1/0/large")
ADMIN_PAGES = ("/users", "/metrics")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    store = Store.open(str(tmp_path / "reviews.db"))
    with running(store, pictures_of(run_of(3), tmp_path)) as site:
        yield site
    store.close()


@pytest.fixture
def ann(site: Running) -> Iterator[httpx2.Client]:
    with site.logged_in("Ann") as client:
        yield client


def hostile_run(folder: Path) -> RunOutput:
    """Return a product whose every text is a script, and whose images name files that are none of its own."""
    secret = folder.parent / "secret.png"
    uris = ["../secret.png", str(secret), "file:///etc/passwd", f"{SCRIPT}.png"]
    images = tuple(CandidateImage(id=f"{SCRIPT}-{place}", uri=uri) for place, uri in enumerate(uris))
    product = Product(id=SCRIPT, title=SCRIPT, category=SCRIPT, description=SCRIPT, images=images)
    ids = tuple(image.id for image in images)
    outcome = Outcome(
        product_id=SCRIPT,
        status="submit",
        sequence=ids[:2],
        probability=0.5,
        feedback=SCRIPT,
        images=tuple(ImageOutcome(id=one, state="selected", uri=one) for one in ids),
        findings=(Finding(code="AGP201", name=SCRIPT, images=ids[:1], score=1.0, message=SCRIPT),),
    )
    return RunOutput(SCRIPT, "0" * 64, str(folder), (RunProduct(product, outcome),))


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Running]:
    from PIL import Image

    Image.new("RGB", (30, 30)).save(tmp_path / "secret.png")
    (tmp_path / "shop").mkdir()
    store = Store.open(str(tmp_path / "reviews.db"))
    with running(store, hostile_run(tmp_path / "shop")) as site:
        yield site
    store.close()


@pytest.mark.parametrize("path", READER_PAGES + ADMIN_PAGES)
def test_nothing_is_shown_without_a_session(site: Running, path: str) -> None:
    with site.client() as stranger:
        asked_as_page = stranger.get(path, follow_redirects=False)
        asked_as_data = stranger.get(path, headers={"accept": "*/*"}, follow_redirects=False)

    assert asked_as_page.headers.get("location") == "/login"
    assert asked_as_data.status_code == 401


@pytest.mark.parametrize(("accept", "kind"), [("*/*", "text/html"), ("application/json", "application/json")])
def test_what_is_not_there_is_said_on_a_page_unless_a_script_asks(site: Running, accept: str, kind: str) -> None:
    with site.client() as stranger:
        answer = stranger.get("/nowhere", headers={"accept": accept})

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith(kind)
    assert "There is no such page." in answer.text


@pytest.mark.parametrize("path", ["/review/1/decision", "/undo", "/users", "/users/active", "/password", "/logout"])
def test_nothing_is_changed_without_a_session(site: Running, path: str) -> None:
    with site.client() as stranger:
        assert stranger.post(path, json=DECISION).status_code == 401


@pytest.mark.parametrize("path", ADMIN_PAGES)
def test_a_reviewer_opens_no_page_of_admins(ann: httpx2.Client, path: str) -> None:
    assert ann.get(path).status_code == 403


def test_a_reviewer_adds_no_user(ann: httpx2.Client) -> None:
    fields = {"csrf_token": token_of(ann, "/queue"), "name": "Mallory", "password": "long enough now", "role": "admin"}

    assert ann.post("/users", data=fields).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"x-csrf-token": ""},
        {"x-csrf-token": "guess"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"origin": "null"},
        {"origin": "http://[::1"},
    ],
)
def test_a_request_from_another_site_changes_nothing(
    site: Running, ann: httpx2.Client, headers: dict[str, str]
) -> None:
    first = open_next(ann)

    assert post(ann, f"{first}/decision", DECISION, **headers).status_code == 403
    assert list(judged(site.site.store)) == []


def test_the_token_of_another_session_is_refused(site: Running, ann: httpx2.Client) -> None:
    first = open_next(ann)
    with site.logged_in("Bob") as bob:
        foreign = token_of(bob, "/queue")

    assert post(ann, f"{first}/decision", DECISION, **{"x-csrf-token": foreign}).status_code == 403


def test_a_login_needs_the_token_of_its_form(site: Running) -> None:
    with site.client() as stranger:
        fields = {"name": "Ann", "password": "a quiet afternoon", "csrf_token": "guess"}

        assert stranger.post("/login", data=fields).status_code == 403


def test_a_session_that_was_planted_is_not_taken_over(site: Running) -> None:
    with site.client() as victim:
        victim.cookies.set("agpis_session", "planted")
        token = token_of(victim, "/login")
        answer = victim.post("/login", data={"name": "Ann", "password": "a quiet afternoon", "csrf_token": token})
        given = re.search(r"agpis_session=([^;]+)", answer.headers["set-cookie"])

    assert given is not None
    assert given[1] != "planted"
    with site.client() as attacker:
        attacker.cookies.set("agpis_session", "planted")
        assert attacker.get("/queue", follow_redirects=False).headers["location"] == "/login"


def test_the_session_before_a_login_ends_with_it(site: Running, ann: httpx2.Client) -> None:
    old = ann.cookies["agpis_session"]
    ann.post("/logout", data={"csrf_token": token_of(ann, "/queue")})

    with site.client() as attacker:
        attacker.cookies.set("agpis_session", old)
        assert attacker.get("/queue", follow_redirects=False).headers["location"] == "/login"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Running) -> None:
    with site.client() as client:
        token = token_of(client, "/login")
        answer = client.post("/login", data={"name": "Ann", "password": "a quiet afternoon", "csrf_token": token})

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_passwords_cannot_be_tried_at_will(site: Running) -> None:
    with site.client() as client:
        token = token_of(client, "/login")
        fields = {"name": "Ann", "password": "wrong", "csrf_token": token}
        answers = [client.post("/login", data=fields).status_code for _ in range(7)]

    assert answers[:5] == [401] * 5
    assert answers[5:] == [429] * 2


def test_a_foreign_host_name_is_refused(site: Running) -> None:
    """A page of another site whose name was made to lead to this machine (DNS rebinding) gets nothing."""
    with site.client() as client:
        assert client.get("/login", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("page", ["/review", "/queue"])
def test_texts_of_shops_and_models_are_never_markup(hostile: Running, page: str) -> None:
    with hostile.logged_in("Ann") as ann:
        if page == "/queue":
            body = {"key": "0123456789abcdef", "verdict": "rejected", "sequence": [f"{SCRIPT}-0", f"{SCRIPT}-1"]}
            answer = post(ann, f"{open_next(ann)}/decision", {**body, "feedback": SCRIPT})
            assert answer.status_code == 200, answer.text
        html = ann.get(page, follow_redirects=True).text

    assert "alert(1)" in html
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "49" not in re.findall(r"&gt;(\d\d)", html)


def test_scripts_in_a_page_are_refused_by_the_browser(ann: httpx2.Client) -> None:
    policy = ann.get("/queue").headers["content-security-policy"]

    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("place", range(4))
def test_images_beyond_the_folder_of_the_products_are_not_served(hostile: Running, place: int) -> None:
    with hostile.logged_in("Ann") as ann:
        item = open_next(ann).rpartition("/")[2]

        assert ann.get(f"/pictures/{item}/{place}/large").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2f..%2fapp.py",
        "/static//etc/passwd",
        "/pictures/1/0/..%2f..%2fetc%2fpasswd",
        "/pictures/1/99/large",
        "/pictures/1/-1/large",
        "/pictures/../../etc/passwd",
    ],
)
def test_paths_lead_to_no_file(site: Running, ann: httpx2.Client, path: str) -> None:
    open_next(ann)
    connection = httpx2.Client(base_url=site.url, cookies=ann.cookies)
    with connection:
        request = connection.build_request("GET", site.url)
        request.url = request.url.copy_with(raw_path=path.encode())

        assert connection.send(request).status_code == 404


def test_a_body_that_is_too_large_is_not_read(ann: httpx2.Client) -> None:
    assert post(ann, "/undo", {"more": "x" * 300_000}).status_code == 413


def test_half_of_an_emoji_is_refused(ann: httpx2.Client) -> None:
    body = '{"more": "\\ud800"}'

    response = ann.post("/undo", content=body, headers={"content-type": "application/json"})

    assert response.status_code == 400


def test_a_number_that_no_item_can_have_is_not_found(ann: httpx2.Client) -> None:
    assert ann.get("/review/99999999999999999999999").status_code == 404
