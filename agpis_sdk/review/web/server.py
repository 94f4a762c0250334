"""Runs the site on a port of this machine."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from agpis_sdk.errors import ConfigError
from agpis_sdk.review.web.app import review_app
from agpis_sdk.review.web.pictures_ahead import made_ahead
from agpis_sdk.review.web.site import Site

BACKLOG = 128
GRACE = 5  # seconds that requests get to end when the server is stopped


@contextlib.contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a socket that listens on an address; raises `ConfigError` where that is taken or not of this machine.

    Whoever connects before the server is up waits, and is not refused.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
            listening.listen(BACKLOG)
        except OSError as error:
            raise ConfigError(
                f"cannot listen: {error.strerror or error}", item=f"{host}:{port}", remedy="choose another --port"
            ) from None
        yield listening


def run_server(site: Site, listening: socket.socket) -> None:
    """Serve until interrupted; requests in flight are answered first. Pictures are made ahead of reviewers."""
    config = uvicorn.Config(
        review_app(site), log_level="warning", server_header=False, timeout_graceful_shutdown=GRACE, access_log=False
    )
    with made_ahead(site.store, site.queue_id, site.pictures):
        uvicorn.Server(config).run(sockets=[listening])
