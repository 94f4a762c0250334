"""How fast the review page answers: 10,000 outcomes, 20 reviewers at once, each a browser that looks, decides and goes on.

    python benchmarks/review_server.py --outcomes 10000 --reviewers 20 --seconds 60 --pictures 1000

Every reviewer opens a product, loads its pictures, thinks for `--think` seconds, decides, and follows to the next. Server and
reviewers are processes of this machine; pictures that nobody has asked for yet are made by a third one. Printed are the times of each kind of request, in milliseconds, and the server's CPU time a request,
its start included, which says what it costs where other work keeps the machine busy.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2
import numpy as np
from PIL import Image

from agpis_sdk.config import ReviewSection
from agpis_sdk.records import CandidateImage, ImageOutcome, Outcome, Product
from agpis_sdk.review.outcomes import RunOutput, RunProduct
from agpis_sdk.review.store import accounts
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.store.queues import Versions, add_queue
from agpis_sdk.review.web.site import utc_now

PASSWORD = "twenty quiet reviewers"
PICTURES = 40
SERVER = """
import sys
from agpis_sdk.config import MediaSection, ReviewSection
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.web.pictures import Pictures
from agpis_sdk.review.web.pictures_ahead import maker
from agpis_sdk.review.web.rates import RateLimit
from agpis_sdk.review.web.server import bound, run_server
from agpis_sdk.review.web.site import Site
rules = shipped_rules()
if __name__ == "__main__":
    with bound("127.0.0.1", 0) as listening, maker() as executor:
        pictures = Pictures(MediaSection(allow_outside=True), maker=executor)
        site = Site(
            Store.open(sys.argv[1]), int(sys.argv[2]), ReviewSection(), rules, tuple(rules), pictures,
            logins_by_address=RateLimit(10_000, 60.0),
        )
        print(listening.getsockname()[1], flush=True)
        run_server(site, listening)
"""


def make_run(folder: Path, count: int, pictures: int = PICTURES) -> RunOutput:
    """Return outcomes of five images each; of pictures of 800 x 800 pixels there are `pictures` different ones."""
    chance = random.Random(0)
    for number in range(pictures):
        noise = np.random.default_rng(number).integers(0, 255, (50, 50, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((800, 800), Image.Resampling.BICUBIC).save(folder / f"{number}.jpg")
    pairs = []
    for number in range(count):
        uris = [str(folder / f"{chance.randrange(pictures)}.jpg") for _ in range(5)]
        images = tuple(CandidateImage(id=f"image-{place}", uri=uri) for place, uri in enumerate(uris))
        product = Product(id=f"p{number}", title=f"Product number {number}", category="A/B", images=images)
        states = ["primary", "selected", "selected", "kept", "removed"]
        outcome = Outcome(
            product_id=product.id,
            status="submit",
            sequence=("image-0", "image-1", "image-2"),
            probability=chance.random(),
            feedback="there is a watermark on the second image",
            images=tuple(ImageOutcome(id=image.id, state=state) for image, state in zip(images, states, strict=True)),  # type: ignore[arg-type]
        )
        pairs.append(RunProduct(product, outcome))
    return RunOutput("outcomes.jsonl", "benchmark", str(folder), tuple(pairs))


async def review(url: str, name: str, until: float, think: float, times: dict[str, list[float]]) -> None:
    """Review until the time is up."""
    async with httpx2.AsyncClient(base_url=url, headers={"accept": "text/html"}, timeout=60) as client:

        async def timed(kind: str, *arguments: object, **more: object) -> httpx2.Response:
            begun = time.perf_counter()
            response = await client.request(*arguments, **more)  # type: ignore[arg-type]
            times.setdefault(kind, []).append(1000 * (time.perf_counter() - begun))
            return response

        form = token(await client.get("/login"))
        await client.post("/login", data={"csrf_token": form, "name": name, "password": PASSWORD})
        path = (await client.get("/review")).headers["location"]
        while time.perf_counter() < until:
            page = await timed("page", "GET", path)
            for picture in re.findall(r'src="(/pictures/[^"]+)"', page.text):
                await timed("picture", "GET", picture)
            await asyncio.sleep(random.uniform(0.5, 1.5) * think)
            body = {"key": os.urandom(16).hex(), "verdict": "accepted", "sequence": ["image-0", "image-1", "image-2"]}
            headers = {"x-csrf-token": token(page), "accept": "application/json"}
            answer = await timed("decision", "POST", f"{path}/decision", json=body, headers=headers)
            path = answer.json()["next"]


def token(page: httpx2.Response) -> str:
    """Return the token of a page's forms."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
    if found is None:
        sys.exit(f"no page: {page.status_code} {page.text[:200]}")
    return found[1]


async def all_reviewers(url: str, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """Let all reviewers work side by side."""
    times: dict[str, list[float]] = {}
    until = time.perf_counter() + arguments.seconds
    await asyncio.gather(
        *(review(url, f"reviewer {n}", until, arguments.think, times) for n in range(arguments.reviewers))
    )
    return times


def main() -> None:
    """Make the queue, start the server, let reviewers work, print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outcomes", type=int, default=10_000)
    parser.add_argument("--reviewers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--think", type=float, default=3.0)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--db", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        url = arguments.db or f"{name}/reviews.db"
        store = Store.open(url)
        begun = time.perf_counter()
        run = make_run(Path(name), arguments.outcomes, arguments.pictures)
        queue = add_queue(store, run, ReviewSection(), Versions("m", "c", 0.3), utc_now())
        made = time.perf_counter() - begun
        for number in range(arguments.reviewers):
            accounts.add_user(store, f"reviewer {number}", PASSWORD, "reviewer", utc_now())
        server = subprocess.Popen([sys.executable, "-c", SERVER, url, str(queue)], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            times = asyncio.run(all_reviewers(f"http://127.0.0.1:{port}", arguments))
        finally:
            server.terminate()
            server.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    per_request = 1000 * (used.ru_utime + used.ru_stime) / max(1, sum(map(len, times.values())))
    load = os.getloadavg()[0]
    print(
        json.dumps(
            {
                "outcomes": arguments.outcomes,
                "reviewers": arguments.reviewers,
                "queue_s": round(made, 1),
                "cores": os.cpu_count(),
                "load": round(load, 1),
                "server_cpu_ms_a_request": round(per_request, 1),
            }
        )
    )
    for kind, measured in times.items():
        p50, p95, p99 = np.percentile(measured, [50, 95, 99])
        print(f"{kind:<9} n {len(measured):>6}   p50 {p50:7.1f} ms   p95 {p95:7.1f} ms   p99 {p99:7.1f} ms")


if __name__ == "__main__":
    main()
