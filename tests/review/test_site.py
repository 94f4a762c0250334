"""The review site as browsers meet it: what a reviewer can do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from agpis_sdk.plugins import shipped_rules
from agpis_sdk.records import Review
from agpis_sdk.review.export import reviews_of
from agpis_sdk.review.oracle import ReviewOracle
from agpis_sdk.review.players import play
from agpis_sdk.review.store import accounts
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.decisions import judged
from agpis_sdk.review.web.site import Site, utc_now
from tests.review.runs import run_of
from tests.review.sites import OFFERED, Running, open_next, pictures_of, post, running, serving, token_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture
def site(tmp_path: Path, folder: Path) -> Iterator[Running]:
    store = Store.open(str(tmp_path / "reviews.db"))
    with running(store, pictures_of(run_of(4), folder)) as site:
        yield site
    store.close()


@pytest.fixture
def ann(site: Running) -> Iterator[httpx2.Client]:
    with site.logged_in("Ann") as client:
        yield client


def decision(**changes: object) -> dict[str, object]:
    return {"key": "0123456789abcdef", "verdict": "accepted", "sequence": ["a", "b", "c"], **changes}


def test_the_page_shows_the_product(ann: httpx2.Client) -> None:
    page = ann.get("/review", follow_redirects=True).text

    assert "Product 0" in page
    assert page.count('class="image"') == 4
    assert "AGP121" in page  # the guess, read from the generated feedback


def test_an_accepted_product_leads_to_the_next(site: Running, ann: httpx2.Client) -> None:
    first = open_next(ann)

    answer = post(ann, f"{first}/decision", decision())

    assert answer.json()["next"] != first
    assert [one.decision.verdict for one in judged(site.site.store)] == ["accepted"]


def test_a_box_is_kept_in_pixels_of_the_original(site: Running, ann: httpx2.Client) -> None:
    first = open_next(ann)
    marks = [{"image": "b", "box": [0.5, 0.25, 0.5, 0.5], "rule": "AGP121"}]

    post(ann, f"{first}/decision", decision(verdict="rejected", rules=["AGP121"], feedback="a mark", marks=marks))

    [review] = reviews_of(site.site.store)
    assert review is not None
    assert review.marks[0].box == (30, 10, 30, 20)
    assert (review.decision, review.rules, review.feedback) == ("rejected", ("AGP121",), "a mark")


def test_a_correction_is_exported_with_what_it_replaced(site: Running, ann: httpx2.Client) -> None:
    first = open_next(ann)

    post(ann, f"{first}/decision", decision(verdict="corrected", sequence=["d", "a"]))

    [review] = reviews_of(site.site.store)
    assert review is not None
    assert (review.decision, review.sequence, review.proposed) == ("accepted", ("d", "a"), ("a", "b", "c"))


def test_undo_leads_back_to_the_product(site: Running, ann: httpx2.Client) -> None:
    first = open_next(ann)
    post(ann, f"{first}/decision", decision())

    assert post(ann, "/undo", {}).json() == {"next": first}
    assert list(judged(site.site.store)) == []
    assert "Product 0" in ann.get(first).text


def test_a_decision_sent_again_is_answered_as_before(site: Running, ann: httpx2.Client) -> None:
    first = open_next(ann)

    answers = [post(ann, f"{first}/decision", decision()) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(list(judged(site.site.store))) == 1


def test_two_reviewers_never_see_the_same_product(site: Running, ann: httpx2.Client) -> None:
    with site.logged_in("Bob") as bob:
        assert open_next(ann) != open_next(bob)


def test_a_product_of_another_reviewer_is_not_opened(site: Running, ann: httpx2.Client) -> None:
    first = open_next(ann)
    with site.logged_in("Bob") as bob:
        assert bob.get(first, follow_redirects=False).headers["location"] != first
        assert post(bob, f"{first}/decision", decision()).status_code == 409
        assert bob.get(f"/pictures/{first.rpartition('/')[2]}/0/large").status_code == 404


def test_pictures_are_jpeg_whatever_the_file_was(ann: httpx2.Client) -> None:
    item = open_next(ann).rpartition("/")[2]

    answer = ann.get(f"/pictures/{item}/0/small")

    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8")


def test_the_model_s_view_gives_places_as_shares(ann: httpx2.Client) -> None:
    known = ann.get(f"{open_next(ann)}/opinion").json()

    assert known["probability"] == "99%"
    assert known["findings"][0]["code"] == "AGP201"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"verdict": "withdrawn"}, 409),
        ({"verdict": "accepted", "sequence": ["a"]}, 409),
        ({"verdict": "rejected", "rules": ["XXX999"], "feedback": "no"}, 422),
        ({"verdict": "rejected", "rules": ["AGP121"], "marks": [{"image": "b", "box": [0, 0, 2, 1]}]}, 422),
        ({"verdict": "rejected", "rules": ["AGP121"], "marks": [{"image": "nobody", "box": None}]}, 409),
        ({"verdict": "rejected", "feedback": "x" * 2001}, 422),
        ({"verdict": "rejected", "reviewer": "Bob", "feedback": "no"}, 422),
        ({"key": ""}, 422),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(
    site: Running, ann: httpx2.Client, body: dict[str, object], status: int
) -> None:
    first = open_next(ann)

    assert post(ann, f"{first}/decision", decision(**body)).status_code == status
    assert list(judged(site.site.store)) == []


def test_the_queue_is_finished_when_all_is_decided(ann: httpx2.Client) -> None:
    for number in range(4):
        post(ann, f"{open_next(ann)}/decision", decision(key=f"key-number-{number}"))

    assert "All 4 reviews of this queue are decided" in ann.get("/review").text
    assert "Product 3" in ann.get("/queue").text


def test_the_first_account_is_made_with_the_link_that_the_server_prints(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "reviews.db"))
    with running_empty(store) as (site, url), httpx2.Client(base_url=url) as client:
        address = f"/setup?token={site.setup_token}"
        fields = {"csrf_token": token_of(client, address), "token": site.setup_token, "name": "Eve"}

        assert client.get("/setup?token=guess").status_code == 404
        assert client.post("/setup", data={**fields, "password": "short"}).status_code == 422
        assert client.post("/setup", data={**fields, "password": "long enough now"}).status_code == 303
        assert client.get(address).status_code == 404
        assert [user.role for user in accounts.users(store)] == ["admin"]


def running_empty(store: Store):
    from contextlib import contextmanager

    from agpis_sdk.config import MediaSection, ReviewSection
    from agpis_sdk.review.web.pictures import Pictures

    @contextmanager
    def opened():
        site = Site(store, 0, ReviewSection(), shipped_rules(), OFFERED, Pictures(MediaSection()))
        with serving(site) as url:
            yield site, url

    return opened()


def test_an_admin_adds_and_deactivates_users(site: Running) -> None:
    with site.logged_in("Root") as root:
        added = {
            "csrf_token": token_of(root, "/users"),
            "name": "Cleo",
            "password": "a quiet afternoon",
            "role": "reviewer",
        }
        assert root.post("/users", data=added).status_code == 303
        cleo = site.logged_in("Cleo")
        assert cleo.get("/queue").status_code == 200

        root.post("/users/active", data={"csrf_token": added["csrf_token"], "name": "Cleo", "active": "no"})

        assert cleo.get("/queue", follow_redirects=False).headers["location"] == "/login"


def test_a_new_password_needs_the_present_one_and_ends_all_sessions(site: Running, ann: httpx2.Client) -> None:
    token = token_of(ann, "/password")

    wrong = {"csrf_token": token, "present": "not this one", "password": "a new afternoon"}
    assert ann.post("/password", data=wrong).status_code == 422
    assert ann.post("/password", data={**wrong, "present": "a quiet afternoon"}).status_code == 303
    assert ann.get("/queue", follow_redirects=False).headers["location"] == "/login"


def test_the_metrics_page_counts_a_correction_as_rejected(site: Running, ann: httpx2.Client) -> None:
    verdicts = [{}, {"verdict": "corrected", "sequence": ["d", "a"]}, {}, {}]
    for number, change in enumerate(verdicts):
        post(ann, f"{open_next(ann)}/decision", decision(key=f"key-number-{number}", **change))

    with site.logged_in("Root") as root:
        page = root.get("/metrics?reject_rate=nonsense&first=%3Cb%3E").text

    assert "<dt>reject rate</dt><dd>25.0 %" in page
    assert "At least 20 reviews are needed" in page


def test_the_metrics_page_advises_a_threshold(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "reviews.db"))
    with running(store, run_of(60)) as site:
        fine = [
            Review(product=one.product, sequence=("a", "b", "c"), decision="accepted") for one in run_of(60).products
        ]
        play(store, site.site.queue_id, ReviewOracle(fine), shipped_rules(), error_rate=0.4, clock=utc_now)
        with site.logged_in("Root") as root:
            page = root.get("/metrics?reject_rate=0.9&budget=1000").text

    assert "sequence.threshold = 0.00" in page
    assert "60 products submitted" in page
    store.close()
