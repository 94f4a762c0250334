"""The review site on a port of this machine, and browsers without a screen that talk to it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import uvicorn

from agpis_sdk.config import MediaSection, ReviewSection
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.review.outcomes import RunOutput
from agpis_sdk.review.store import accounts
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.queues import add_queue
from agpis_sdk.review.web.app import review_app
from agpis_sdk.review.web.pictures import Pictures
from agpis_sdk.review.web.server import bound
from agpis_sdk.review.web.site import Site, utc_now
from tests.review.settings import EACH_ONCE, PASSWORD, VERSIONS

OFFERED = tuple(rule for rule in shipped_rules() if rule.category != "engine")


@dataclass(frozen=True)
class Running:
    """A site that answers."""

    site: Site
    url: str

    def client(self) -> httpx2.Client:
        """Return a browser that has not logged in."""
        return httpx2.Client(base_url=self.url, headers={"accept": "text/html"}, timeout=60)

    def logged_in(self, name: str) -> httpx2.Client:
        """Return a browser in which a user has logged in."""
        with self.client() as stranger:
            fields = {"csrf_token": token_of(stranger, "/login"), "name": name, "password": PASSWORD}
            answer = stranger.post("/login", data=fields)
            assert answer.status_code == 303, answer.text
            session = stranger.cookies
        client = self.client()
        client.cookies = session
        return client


@contextmanager
def running(store: Store, run: RunOutput, settings: ReviewSection = EACH_ONCE) -> Iterator[Running]:
    """Yield a site with an admin, Root, and two reviewers, Ann and Bob, which serves a run's outcomes."""
    for name, role in (("Root", "admin"), ("Ann", "reviewer"), ("Bob", "reviewer")):
        accounts.add_user(store, name, PASSWORD, role, utc_now())  # type: ignore[arg-type]
    queue = add_queue(store, run, settings, VERSIONS, utc_now())
    site = Site(store, queue, settings, shipped_rules(), OFFERED, Pictures(MediaSection()))
    with serving(site) as url:
        yield Running(site, url)


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """Yield the address of a site."""
    with bound("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(review_app(site), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def token_of(client: httpx2.Client, path: str) -> str:
    """Return the token that a page carries for its forms."""
    page = client.get(path, follow_redirects=True)
    found = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def post(client: httpx2.Client, path: str, body: dict[str, object], **headers: str) -> httpx2.Response:
    """Send JSON as the page's script does."""
    own = {"x-csrf-token": token_of(client, "/queue"), "accept": "application/json"}
    return client.post(path, json=body, headers={**own, **headers})


def open_next(client: httpx2.Client) -> str:
    """Open the next product, and return its address."""
    answer = client.get("/review", follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def pictures_of(run: RunOutput, folder: Path, size: tuple[int, int] = (60, 40)) -> RunOutput:
    """Write a picture for every image of a run, and return the run with its folder as the root."""
    from PIL import Image

    for number, pair in enumerate(run.products):
        for place, image in enumerate(pair.product.images):
            color = (40 + 50 * place, 30 * (number % 8), 120)
            Image.new("RGB", size, color).save(folder / image.uri)
    return RunOutput(run.name, run.digest, str(folder), tuple(_resolved(pair, folder) for pair in run.products))


def _resolved(pair, folder: Path):
    images = tuple(image.model_copy(update={"uri": str(folder / image.uri)}) for image in pair.product.images)
    return type(pair)(pair.product.model_copy(update={"images": images}), pair.outcome)
