"""QR codes and barcodes, found and read by OpenCV."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Corners = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class MachineCode:
    """A code: "QR code" or "barcode", what it says, and its corners (4, 2) in pixels."""

    kind: str
    text: str
    corners: Corners

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The upright box (x, y, width, height) around the code, in pixels."""
        left, top = self.corners.min(axis=0)
        right, bottom = self.corners.max(axis=0)
        return (float(left), float(top), float(right - left), float(bottom - top))


def machine_codes(pixels: NDArray[np.uint8]) -> list[MachineCode]:
    """Return the codes of an (H, W, 3) RGB picture that can be read: what cannot may be any pattern."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    _, texts, corners, _ = cv2.QRCodeDetector().detectAndDecodeMulti(grey)
    codes = [
        MachineCode("QR code", text, np.asarray(found)) for text, found in zip(texts, _rows(corners), strict=False)
    ]
    _, texts, _, corners = cv2.barcode.BarcodeDetector().detectAndDecodeWithType(grey)
    codes += [
        MachineCode("barcode", text, np.asarray(found)) for text, found in zip(texts, _rows(corners), strict=False)
    ]
    return [code for code in codes if code.text]


def _rows(corners: Corners | None) -> list[Corners]:
    return [] if corners is None else list(np.asarray(corners, np.float32).reshape(-1, 4, 2))
