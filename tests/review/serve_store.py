"""Serve a queue of a store on a port, without loading plugins: `python -m tests.review.serve_store URL QUEUE PORT`."""

from __future__ import annotations

import sys

from agpis_sdk.config import MediaSection
from agpis_sdk.review.store.database import Store
from agpis_sdk.review.web.pictures import Pictures
from agpis_sdk.review.web.server import bound, run_server
from agpis_sdk.review.web.site import Site
from agpis_sdk.rules import RuleSet
from tests.review.settings import EACH_ONCE

if __name__ == "__main__":
    url, queue, port = sys.argv[1:]
    site = Site(Store.open(url), int(queue), EACH_ONCE, RuleSet(), (), Pictures(MediaSection()))
    with bound("127.0.0.1", int(port)) as listening:
        run_server(site, listening)
