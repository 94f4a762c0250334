"""The floor of benchmarks/throughput.py: the bare library calls that a default run's decisions need.

python benchmarks/throughput_floor.py PRODUCTS

OpenCV's scaled decode; the graphs of backbone, foreground, non-compliance and sequence model in full batches, one sequence a product,
two words of feedback; EdgeBoxes and SIFT of every image. No measures, no matching of pairs, no search, no records.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from agpis_sdk.batches import batches
from agpis_sdk.builtin.backbones.config import EfficientNetLite0Config
from agpis_sdk.builtin.backbones.efficientnet_lite0 import EfficientNetLite0
from agpis_sdk.builtin.foreground import head_file as foreground
from agpis_sdk.builtin.foreground.segmentation import picture_batch
from agpis_sdk.builtin.graphs import GraphModel
from agpis_sdk.builtin.muisc.features import image_tokens
from agpis_sdk.builtin.muisc.judge import load_judge
from agpis_sdk.builtin.muisc.saved_config import SHIPPED_FOLDER
from agpis_sdk.builtin.noncompliance import head_file as noncompliance
from agpis_sdk.media.decode import as_image

SIDE, REGION_SIDE, BATCH, LENGTH = 512, 256, 8, 3
PRODUCTS = 16  # in one micro-batch


class Floor:
    """The models of a default run, without what is around them."""

    def __init__(self) -> None:
        self.backbone = EfficientNetLite0(EfficientNetLite0Config())
        self.foreground = GraphModel(foreground.GRAPH, foreground.read_head(foreground.SHIPPED))
        self.noncompliance = GraphModel(noncompliance.GRAPH, noncompliance.read_head(noncompliance.SHIPPED))
        self.judge = load_judge(SHIPPED_FOLDER, "cpu")
        self.sift = cv2.SIFT_create(nfeatures=300)
        self.boxes = cv2.ximgproc.createEdgeBoxes(maxBoxes=30)

    def images(self, pictures: Sequence[NDArray[np.uint8]]) -> list[dict[str, NDArray[np.float32]]]:
        """Return the facts of pictures, after all that is computed of one image."""
        facts: list[Any] = []
        for chunk in batches(pictures, BATCH):
            known = self.backbone.features([as_image(picture) for picture in chunk])
            maps = {name: np.stack([fact[name] for fact in known]) for name in foreground.MAPS}
            self.foreground(**maps, picture=picture_batch(chunk))
            self.noncompliance(**maps)
            facts += known
        for picture in pictures:
            self.regions(picture)
        return facts

    def regions(self, picture: NDArray[np.uint8]) -> None:
        """Find edge boxes and keypoints."""
        scale = REGION_SIDE / max(picture.shape[:2])
        gray = cv2.cvtColor(cv2.resize(picture, None, fx=scale, fy=scale), cv2.COLOR_RGB2GRAY)
        edges = (cv2.Canny(gray, 60, 160) / np.float32(255)).astype(np.float32)
        self.boxes.getBoundingBoxes(edges, np.zeros_like(edges))
        self.sift.detectAndCompute(gray, None)

    def sequences(self, products: Sequence[Sequence[dict[str, NDArray[np.float32]]]]) -> None:
        """Judge the first images of each product, and begin feedback."""
        for length in range(1, LENGTH + 1):
            alike = [facts[:LENGTH] for facts in products if min(len(facts), LENGTH) == length]
            if alike:
                tokens = np.array([[image_tokens(facts)[0] for facts in one] for one in alike])
                wholes = np.array([[image_tokens(facts)[1] for facts in one] for one in alike])
                count = len(self.judge.config.evidence)
                evidence = np.zeros((*tokens.shape[:2], count), np.float32) if count else None
                prompts = self.judge.text.prompts([""] * len(alike), full_width=True)
                self.judge.feedback(self.judge.judge(tokens, wholes, *prompts, evidence), 0.0, 2)


def decoded(file: str) -> NDArray[np.uint8]:
    """Return the RGB pixels of a file, its long side at most `SIDE`."""
    data = np.fromfile(file, np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
    if picture is None:
        return np.zeros((SIDE, SIDE, 3), np.uint8)
    scale = min(1.0, SIDE / max(picture.shape[:2]))
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def main() -> None:
    """Take a catalog through all calls, decoding one micro-batch ahead."""
    cv2.setNumThreads(1)  # as in our run: its other threads take more CPU time than they save
    records = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    floor = Floor()
    with ThreadPoolExecutor(2) as executor:
        chunks = [[executor.submit(decoded, file) for file in one["images"]] for one in records]
        for chunk in batches(chunks, PRODUCTS):
            pictures = [future.result() for product in chunk for future in product]
            facts = iter(floor.images(pictures))
            floor.sequences([[next(facts) for _ in product] for product in chunk])


if __name__ == "__main__":
    main()
