"""The cheap look, the reader and the codes, on pictures drawn here."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import cast

import cv2
import numpy as np
import pytest
from agpis_text.codes import Code, code_score, find_codes
from agpis_text.config import TextReaderConfig
from agpis_text.gate import lettering
from agpis_text.lines import FACT, TextLine
from agpis_text.ocr import reader
from agpis_text.reader import TextReader
from numpy.typing import NDArray

from agpis_sdk import Context, DecodedImage
from agpis_sdk.testing import make_image

CONTEXT_NAMES = ("text", "banner", "price", "plain")


class Facts:
    """A context that keeps what is provided."""

    def __init__(self) -> None:
        self.kept: dict[str, object] = {}

    def provide(self, image: DecodedImage, name: str, value: object) -> None:
        assert name == FACT
        self.kept[image.id] = value


def written(text: str, angle: float = 0.0) -> NDArray[np.uint8]:
    pixels = np.full((400, 400, 3), 235, np.uint8)
    cv2.putText(pixels, text, (60, 210), cv2.FONT_HERSHEY_DUPLEX, 1.3, (20, 30, 120), 3, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((200, 200), angle, 1.0)
    return np.asarray(cv2.warpAffine(pixels, turn, (400, 400), borderValue=(235, 235, 235)), np.uint8)


def read(*images: DecodedImage, batch: int = 9) -> dict[str, object]:
    component, facts = TextReader(TextReaderConfig()), Facts()
    for start in range(0, len(images), batch):
        assert list(component.check_images(images[start : start + batch], cast("Context", facts))) == []
    return facts.kept


class TestLook:
    @pytest.mark.parametrize("angle", [0, 90, -90, 45])
    def test_a_word_is_a_row_of_marks_in_any_direction(self, angle: float) -> None:
        assert lettering(written("WATERPROOF", angle)) >= 3

    @pytest.mark.parametrize("pixels", [np.full((300, 300, 3), 200, np.uint8), np.zeros((1, 900, 3), np.uint8)])
    def test_an_empty_picture_has_none(self, pixels: NDArray[np.uint8]) -> None:
        assert lettering(pixels) == 0

    def test_what_holds_no_lettering_is_not_read(self) -> None:
        component = TextReader(TextReaderConfig())

        assert not component.is_read(make_image("placeholder"))
        assert component.is_read(make_image("text"))

    def test_the_look_can_be_left_out(self) -> None:
        assert TextReader(TextReaderConfig(min_marks=0)).is_read(make_image("placeholder"))


class TestReader:
    def test_it_reads_lines_with_their_places(self) -> None:
        (line,) = reader(512, 1).read(written("Free shipping"), 0.5)

        x, y, wide, high = line.box
        assert line.text.replace(" ", "").lower() == "freeshipping"
        assert line.confidence > 0.9
        assert 50 <= x <= 65
        assert y <= 185
        assert y + high >= 210
        assert wide > 250

    def test_places_are_those_of_the_picture_where_it_is_read_smaller(self) -> None:
        large = cv2.resize(written("Free shipping"), None, fx=3, fy=3)

        (line,) = reader(512, 1).read(np.asarray(large, np.uint8), 0.5)

        assert 150 <= line.box[0] <= 200
        assert line.box[2] > 750

    def test_a_picture_without_text_has_no_lines(self) -> None:
        assert reader(512, 1).read(np.full((200, 300, 3), 90, np.uint8), 0.5) == ()

    def test_the_sessions_are_opened_once(self) -> None:
        assert reader(512, 1) is reader(512, 1)

    def test_it_is_silent(self, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
        with caplog.at_level(logging.DEBUG):
            reader(512, 1).read(np.full((200, 300, 3), 90, np.uint8), 0.5)

        assert (caplog.text, *capfd.readouterr()) == ("", "", "")

    def test_it_opens_no_connection(self) -> None:
        code = (
            "import socket\n"
            "def refuse(*_): raise AssertionError('a connection was opened')\n"
            "socket.socket.connect = socket.getaddrinfo = refuse\n"
            "import numpy as np\n"
            "from agpis_text.ocr import reader\n"
            "reader(128, 1).read(np.zeros((64, 64, 3), np.uint8), 0.5)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class TestFact:
    def test_every_picture_gets_it(self) -> None:
        facts = read(*map(make_image, CONTEXT_NAMES))

        assert set(facts) == set(CONTEXT_NAMES)
        assert [cast("TextLine", line).text for line in cast("tuple[TextLine, ...]", facts["banner"])] == [
            "SUMMER SALE"
        ]

    def test_the_batch_does_not_change_what_is_read(self) -> None:
        images = [make_image(name, seed=seed, id=f"{name}-{seed}") for name in CONTEXT_NAMES for seed in (0, 1)]

        assert read(*images) == read(*images, batch=1) == read(*images[::-1])


class TestCodes:
    def test_a_qr_code_is_read_with_its_place(self) -> None:
        small = cv2.QRCodeEncoder.create().encode("https://quivo.net")
        drawn = cv2.resize(small, None, fx=5, fy=5, interpolation=cv2.INTER_NEAREST)
        pixels = np.full((400, 400, 3), 255, np.uint8)
        pixels[100 : 100 + drawn.shape[0], 60 : 60 + drawn.shape[1]] = drawn[:, :, None]

        (code,) = find_codes(pixels)

        assert (code.kind, code.content) == ("QR code", "https://quivo.net")
        assert 60 <= code.box[0] <= 90
        assert 100 <= code.box[1] <= 130

    def test_an_ean_code_is_read(self) -> None:
        (code,) = find_codes(ean13("4006381333931"))

        assert (code.kind, code.content) == ("bar code", "4006381333931")

    def test_a_picture_without_codes_has_none(self) -> None:
        assert find_codes(written("FREE SHIPPING")) == ()

    def test_a_bar_code_on_the_product_is_fine_and_beside_it_is_not(self) -> None:
        code = Code("bar code", "4006381333931", (0, 0, 9, 9))

        assert code_score(code, beside=0.0) < 0.5 < code_score(code, beside=1.0)


def ean13(digits: str) -> NDArray[np.uint8]:
    """Draw an EAN-13 code: 95 modules, after ISO/IEC 15420."""
    odd = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
    parity = ("LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL")
    right = [code.translate(str.maketrans("01", "10")) for code in odd]
    left = "".join(
        odd[int(digit)] if side == "L" else right[int(digit)][::-1]
        for digit, side in zip(digits[1:7], parity[int(digits[0])], strict=True)
    )
    modules = f"101{left}01010{''.join(right[int(digit)] for digit in digits[7:])}101"
    pixels = np.full((200, 400, 3), 255, np.uint8)
    bars = np.repeat([0 if module == "1" else 255 for module in modules], 3)
    pixels[40:160, 57 : 57 + len(bars)] = bars[None, :, None]
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.0), np.uint8)  # OpenCV finds none that is perfectly sharp
