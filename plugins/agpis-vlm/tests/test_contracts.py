"""The four components keep the contracts that every component keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from agpis_vlm import plugin
from agpis_vlm.heads import SENTENCES, Head, head_file
from conftest import NO_RED
from endpoint import running

from agpis_sdk.testing import ImageCheckerContract, PairCheckerContract, SequenceCheckerContract

RULES = {"VLM101": NO_RED, "VLM102": {"name": "no-blue", "text": "No blue products."}}


class AsksAnEndpoint:
    """What the contracts of the checkers that ask have in common: an endpoint that runs as long as the tests of a class."""

    plugins = (plugin,)
    settings: ClassVar[dict[str, Any]] = {"model": "colors", "cache": ""}
    applies_to: ClassVar[str]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _endpoint(cls) -> Iterator[None]:
        with running() as server:
            rules = {code: rule | {"applies_to": cls.applies_to} for code, rule in RULES.items()}
            cls.settings = {**AsksAnEndpoint.settings, "endpoint": server.url, "rules": rules}
            yield


class TestImages(AsksAnEndpoint, ImageCheckerContract):
    component = "vlm"
    applies_to = "image"


class TestPairs(AsksAnEndpoint, PairCheckerContract):
    component = "vlm-pairs"
    applies_to = "pair"


class TestSequences(AsksAnEndpoint, SequenceCheckerContract):
    component = "vlm-sequences"
    applies_to = "sequence"


class TestHeads(ImageCheckerContract):
    plugins = (plugin,)
    component = "vlm-heads"

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _heads(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        folder: Path = tmp_path_factory.mktemp("heads")
        weight = np.random.default_rng(0).normal(scale=0.01, size=1280).astype(np.float32)
        Head(weight, 0.0).save(head_file(folder, "VLM101"))
        (folder / SENTENCES).write_text(json.dumps({"VLM101": NO_RED["text"]}), encoding="utf-8")
        cls.settings = {"heads": str(folder), "rules": {"VLM101": NO_RED | {"judge": "head"}}}
