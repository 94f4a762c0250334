"""Reads the lines of text in a picture with PP-OCRv6: rapidocr on onnxruntime, offline, with the models in its wheel."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import rapidocr
from numpy.typing import NDArray

from agpis_sdk.errors import WeightsError
from agpis_text.lines import Point, TextLine

DETECTOR, RECOGNIZER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
RECOGNIZER_BATCH = 8
"""Lines a pass. They are lines of one picture, so what else is in the run cannot change what is read."""


class Reader:
    """The detector and the recognizer, each one onnxruntime session."""

    def __init__(self, side: int, threads: int) -> None:
        models = Path(rapidocr.__file__).parent / "models"
        threads = min(threads, os.cpu_count() or 1)  # beyond it, rapidocr takes all there are
        self._engine = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Global.max_side_len": side,
                "Det.model_path": _model(models / DETECTOR),  # with a path, nothing is looked up or fetched
                "Det.limit_type": "max",
                "Det.limit_side_len": side,
                "Rec.model_path": _model(models / RECOGNIZER),
                "Rec.rec_batch_num": RECOGNIZER_BATCH,
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def read(self, pixels: NDArray[np.uint8], min_confidence: float) -> tuple[TextLine, ...]:
        """Return the lines in an (H, W, 3) RGB picture, from top to bottom."""
        result: Any = self._engine(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), text_score=min_confidence)
        if result.boxes is None or result.txts is None or result.scores is None:
            return ()
        return tuple(
            TextLine(text.strip(), float(score), _corners(corners))
            for corners, text, score in zip(result.boxes, result.txts, result.scores, strict=True)
        )


@cache
def reader(side: int, threads: int) -> Reader:
    """Return the reader of this process for pictures of up to `side` pixels; its sessions are opened once."""
    return Reader(side, threads)


def _corners(corners: NDArray[np.float32]) -> tuple[Point, Point, Point, Point]:
    first, second, third, fourth = ((float(x), float(y)) for x, y in corners)
    return first, second, third, fourth


def _model(path: Path) -> str:
    if not path.is_file():
        raise WeightsError(
            "rapidocr came without its model", item=str(path), remedy="pip install --force-reinstall --no-deps rapidocr"
        )
    return str(path)
