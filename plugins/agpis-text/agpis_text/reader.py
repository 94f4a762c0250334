"""Reads the text in a picture with PP-OCR, by rapidocr on onnxruntime: no model is fetched, the wheel holds both."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidocr import RapidOCR


@dataclass(frozen=True, eq=False)
class TextLine:
    """A line of text: what was read, how surely in 0..1, and its corners (4, 2) in pixels, clockwise from the top left."""

    text: str
    confidence: float
    corners: NDArray[np.float32]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The upright box (x, y, width, height) around the line, in pixels."""
        left, top = self.corners.min(axis=0)
        right, bottom = self.corners.max(axis=0)
        return (float(left), float(top), float(right - left), float(bottom - top))


class TextReader:
    """One detector and one recogniser, each on one thread: the same words whatever else the machine does."""

    def __init__(self, side: int) -> None:
        self._side = side
        self._engine = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,  # it turns lines that stand on their head; shops do not overlay such
                "Global.max_side_len": side,
                "Det.limit_side_len": side,
                "Det.limit_type": "max",
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )

    def read(self, pixels: NDArray[np.uint8]) -> tuple[TextLine, ...]:
        """Return the lines of an (H, W, 3) RGB picture, from top to bottom."""
        # The words of a small badge are read once it is enlarged.
        factor = max(1.0, self._side / max(pixels.shape[:2]))
        enlarged = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        read = self._engine(cv2.cvtColor(enlarged, cv2.COLOR_RGB2BGR))
        if read.boxes is None or read.txts is None or read.scores is None:
            return ()
        lines = [
            TextLine(str(text), float(confidence), (np.asarray(corners) / factor).astype(np.float32))
            for corners, text, confidence in zip(read.boxes, read.txts, read.scores, strict=True)
        ]
        return tuple(sorted(lines, key=lambda line: (line.box[1] + line.box[3] / 2, line.box[0])))
