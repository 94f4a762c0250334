"""Two reviewers at once and a server that is killed again and again: no decision is lost or doubled."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import httpx2
import pytest

from agpis_sdk.review.store import accounts
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.decisions import judged
from agpis_sdk.review.store.queues import add_queue
from agpis_sdk.review.web.site import utc_now
from tests.review.runs import run_of
from tests.review.settings import EACH_ONCE, PASSWORD, VERSIONS
from tests.review.sites import token_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PRODUCTS = 60
KILLS = 3


class Reviewer(threading.Thread):
    """Accepts product after product; what is not answered is sent again under the same key, as the page does."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(daemon=True)
        self.url, self.reviewer = url, name
        self.answered: list[str] = []
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            self.review()
        except BaseException as error:
            self.fault = error

    def review(self) -> None:
        with httpx2.Client(base_url=self.url, headers={"accept": "text/html"}, timeout=30) as client:
            token = insistent(lambda: token_of(client, "/login"))
            fields = {"csrf_token": token, "name": self.reviewer, "password": PASSWORD}
            insistent(lambda: client.post("/login", data=fields))
            csrf = {"x-csrf-token": insistent(lambda: token_of(client, "/queue")), "accept": "application/json"}
            while True:
                answer = insistent(lambda: client.get("/review", follow_redirects=False))
                if answer.status_code != 303:
                    return
                path, key = answer.headers["location"], uuid.uuid4().hex
                body = {"key": key, "verdict": "accepted", "sequence": ["a", "b", "c"]}
                answer = insistent(lambda: client.post(f"{path}/decision", json=body, headers=csrf))  # noqa: B023
                assert answer.status_code == 200, answer.text
                self.answered.append(key)


def insistent(call):
    """Call until the server answers."""
    while True:
        try:
            return call()
        except httpx2.TransportError:
            time.sleep(0.05)


def test_no_decision_is_lost_or_doubled(store_url: str, tmp_path: Path) -> None:
    store = Store.open(store_url)
    for name in ("Ann", "Bob"):
        accounts.add_user(store, name, PASSWORD, "reviewer", utc_now())
    queue = add_queue(store, run_of(PRODUCTS), EACH_ONCE, VERSIONS, utc_now())
    port = free_port()
    reviewers = [Reviewer(f"http://127.0.0.1:{port}", name) for name in ("Ann", "Bob")]
    chance = random.Random(0)

    server = start(store_url, queue, port)
    for reviewer in reviewers:
        reviewer.start()
    for kill in range(1, KILLS + 1):
        wait_until(lambda goal=kill * PRODUCTS // (KILLS + 1): sum(len(one.answered) for one in reviewers) >= goal)
        time.sleep(chance.random() * 0.05)
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        server = start(store_url, queue, port)
    for reviewer in reviewers:
        reviewer.join(300)
    server.terminate()
    server.wait(30)

    assert [one.fault for one in reviewers] == [None, None]
    found = list(judged(store))
    assert len(found) == PRODUCTS
    assert len({one.item.id for one in found}) == PRODUCTS
    assert {key for one in reviewers for key in one.answered} == {one.decision.key for one in found}
    assert all(one.answered for one in reviewers)
    store.close()


def start(url: str, queue: int, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.review.serve_store", url, str(queue), str(port)])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
