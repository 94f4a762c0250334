"""What `agpis run --engine ray` refuses, and why: before any model is loaded and any cluster asked."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Agpis
from tests.pipeline.fakes import product


@pytest.fixture
def products(gallery: Path, tmp_path: Path) -> Path:
    path = tmp_path / "products.jsonl"
    path.write_text(json.dumps(product(gallery)) + "\n")
    return path


def test_refuses_what_a_cluster_cannot_do_with_the_reason(agpis: Agpis, products: Path) -> None:
    ray = ("run", products, "--engine", "ray")

    for arguments, reason in {
        ray: "writes shards into a folder (name one with -o FOLDER)",
        (*ray, "-o", "out", "--report", "page.html"): "needs the decoded images, which stay on the nodes",
        (*ray, "-o", "out", "--export", "csv"): "run `agpis apply out --to csv` afterwards",
        (*ray, "-o", "out", "--set", "run.device=cuda"): "no worker has a GPU (set ray.gpus=1)",
        (*ray, "-o", "out", "--set", "ray.gpus=1"): "would take GPUs that no model uses",
        ("run", products, "--engine", "rai"): 'did you mean "ray"?',
        ("run", products, "--address", "auto"): "is of a cluster (add --engine ray)",
    }.items():
        answer = agpis(*arguments)

        assert answer.code == 2
        assert reason in answer.err
        assert answer.out == ""


def test_names_the_extra_where_ray_is_missing(agpis: Agpis, products: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    answer = agpis("run", products, "--engine", "ray", "-o", "out")

    assert answer.code == 2
    assert "needs Ray (pip install 'agpis-sdk[ray]')" in answer.err


def test_names_an_address_at_which_nobody_listens(agpis: Agpis, products: Path) -> None:
    pytest.importorskip("ray")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"

        answer = agpis("run", products, "--engine", "ray", "--address", address, "-o", "out")

    assert answer.code == 2
    assert f"--address {address}: cannot be reached" in answer.err


def test_a_run_on_this_machine_needs_no_ray(agpis: Agpis, products: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    assert agpis("run", products, "-o", "outcomes.jsonl").code == 0
