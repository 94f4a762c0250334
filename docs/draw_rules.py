"""Draw for each built-in rule what breaks it and what keeps it: docs/assets/rules/CODE.webp.

Every picture is one of the example catalog's own renderings, changed by `agpis_sdk.synthetic` or below.
Run `python docs/draw_rules.py [CODE …]`.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pictures import BAD, GOOD, INK, LINE, PAPER, SOFT, fitted, font, mark, photo, save

from agpis_sdk.synthetic.violations import inject

Pixels = NDArray[np.uint8]
HEIGHT, GAP, HEAD = 210, 10, 34
SIDES = {1: 210, 2: 170, 3: 128}


def drawn(kind: str, of: str, seed: int = 1, severity: float = 0.8) -> Callable[[], Pixels]:
    """Return a drawer of a violation of the synthetic bench."""
    others = [photo(of.replace("_front", "_angle")), photo(of.replace("_front", "_side"))] if kind == "collage" else []

    def draw() -> Pixels:
        return inject(
            kind, photo(of), np.random.default_rng(seed), split="train", severity=severity, others=others
        ).pixels

    return draw


def cut(name: str, left: float, top: float, width: float, height: float) -> Callable[[], Pixels]:
    """Return a drawer of a part of a photo, in shares of its sides."""

    def draw() -> Pixels:
        pixels = photo(name)
        rows, columns = pixels.shape[:2]
        part = pixels[int(top * rows) : int((top + height) * rows), int(left * columns) : int((left + width) * columns)]
        return cv2.resize(
            part, (512, round(512 * part.shape[0] / part.shape[1])), interpolation=cv2.INTER_CUBIC
        ).astype(np.uint8)

    return draw


def jpeg(name: str, quality: int) -> Callable[[], Pixels]:
    """Return a drawer of a photo as a JPEG of some quality shows it."""

    def draw() -> Pixels:
        buffer = io.BytesIO()
        Image.fromarray(photo(name)).resize((200, 200)).save(buffer, "JPEG", quality=quality)
        return np.asarray(Image.open(buffer).convert("RGB"))

    return draw


def cut_out(name: str) -> Callable[[], Pixels]:
    """Return a drawer of a bad cut-out: a ragged edge, and a piece of the product gone."""

    def draw() -> Pixels:
        pixels = photo(name).copy()
        mask = (np.abs(pixels.astype(int) - pixels[2, 2].astype(int)).sum(axis=2) > 90).astype(np.uint8)
        rough = cv2.resize(
            cv2.resize(mask, (40, 40), interpolation=cv2.INTER_NEAREST), (512, 512), interpolation=cv2.INTER_NEAREST
        )
        pixels[rough == 0] = 255
        cv2.circle(pixels, (330, 200), 46, (255, 255, 255), -1)
        return pixels

    return draw


def worded(*lines: str, dark: bool = False) -> Callable[[], Pixels]:
    """Return a drawer of a card with words: what cannot be shown by a photo."""

    def draw() -> Pixels:
        card = Image.new("RGB", (400, 400), "#2b2d31" if dark else "#f3f3f1")
        canvas = ImageDraw.Draw(card)
        for number, line in enumerate(lines):
            y = 200 + (number - (len(lines) - 1) / 2) * 56
            canvas.text((200, y), line, fill="white" if dark else INK, font=font(40), anchor="mm")
        return np.asarray(card)

    return draw


def gray_end(name: str) -> Callable[[], Pixels]:
    """Return a drawer of a file whose end is missing."""

    def draw() -> Pixels:
        pixels = photo(name).copy()
        pixels[230:] = 128
        return pixels

    return draw


def turned_hue(name: str, by: int) -> Callable[[], Pixels]:
    """Return a drawer of the product in another color."""

    def draw() -> Pixels:
        hsv = cv2.cvtColor(photo(name), cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + by) % 180
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB).astype(np.uint8)

    return draw


def stylized(name: str) -> Callable[[], Pixels]:
    """Return a drawer of a photo turned into a line drawing."""

    def draw() -> Pixels:
        gray = cv2.cvtColor(photo(name), cv2.COLOR_RGB2GRAY)
        edges = cv2.adaptiveThreshold(cv2.medianBlur(gray, 5), 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 4)
        return np.stack([edges] * 3, axis=2).astype(np.uint8)

    return draw


Source = str | Callable[[], Pixels]
Example = tuple[Sequence[Source], Sequence[Source]]

EXAMPLES: Mapping[str, Example] = {
    "AGP101": ([lambda: cv2.resize(photo("clock-01_face"), (56, 56), interpolation=cv2.INTER_AREA).astype(np.uint8)], ["clock-01_face"]),
    "AGP102": ([cut("flashlight-01_front", 0, 0.4, 1, 0.22)], ["flashlight-01_front"]),
    "AGP103": (["fan-01_shaken"], ["fan-01_front"]),
    "AGP104": ([drawn("over-exposed", "kettle-01_angle", severity=1.0)], ["kettle-01_angle"]),
    "AGP105": (["stool-01_dark"], ["stool-01_front"]),
    "AGP106": ([drawn("low-contrast", "mug-01_front", severity=1.0)], ["mug-01_front"]),
    "AGP107": ([jpeg("vase-01_front", 4)], ["vase-01_front"]),
    "AGP108": ([drawn("noise", "helmet-01_front", severity=1.0)], ["helmet-01_front"]),
    "AGP109": ([cut_out("backpack-01_front")], ["backpack-01_front"]),
    "AGP110": ([drawn("upscaled", "clock-01_face", severity=1.0)], ["clock-01_face"]),
    "AGP111": (["stool-01_framed"], ["stool-01_front"]),
    "AGP112": (["shelf-01_all-in-one"], ["shelf-01_front"]),
    "AGP113": ([drawn("screenshot", "chair-01_front", 3)], ["chair-01_front"]),
    "AGP114": ([drawn("placeholder", "chair-01_front", 2)], ["chair-01_front"]),
    "AGP115": ([drawn("cluttered-background", "headphones-01_front", 2)], ["headphones-01_front"]),
    "AGP116": ([drawn("too-small", "car-01_angle", severity=0.9)], ["car-01_angle"]),
    "AGP117": ([drawn("cropped", "kettle-01_front", 2)], ["kettle-01_front"]),
    "AGP118": ([drawn("off-center", "bottle-01_front", 2)], ["bottle-01_front"]),
    "AGP119": (["helmet-01_deal"], ["helmet-01_front"]),
    "AGP120": (["bowls-01_claim"], ["bowls-01_angle"]),
    "AGP121": (["kettle-01_stock"], ["kettle-01_front"]),
    "AGP122": (["headphones-01_branded"], ["headphones-01_angle"]),
    "AGP123": (["backpack-01_code"], ["backpack-01_front"]),
    "AGP124": (["lamp-01_sale"], ["lamp-01_front"]),
    "AGP125": ([drawn("contact-information", "car-01_front", 3)], ["car-01_front"]),
    "AGP126": ([drawn("color-cast", "kettle-01_front", 2, 1.0)], ["kettle-01_front"]),
    "AGP127": ([drawn("rotated", "chair-01_front", 2)], ["chair-01_front"]),
    "AGP128": (["mug-01_offer"], ["mug-01_angle"]),
    "AGP129": ([worded("front.jpg", "holds a PNG")], [worded("front.png", "holds a PNG")]),
    "AGP130": ([worded("metadata:", "made by AI")], ["vase-01_front"]),
    "AGP201": (["chair-01_angle", "chair-01_flipped"], ["chair-01_angle", "chair-01_side"]),
    "AGP202": (["car-01_front", "car-01_front"], ["car-01_front", "car-01_side"]),
    "AGP203": (["backpack-01_front", "backpack-01_angle"], ["backpack-01_front", "backpack-01_side"]),
    "AGP204": (["car-01_front", "car-01_other-color"], ["car-01_front", "car-01_angle"]),
    "AGP205": (["mug-01_front", "vase-01_top"], ["mug-01_front", "mug-01_top"]),
    "AGP206": (["vase-01_front", cut("vase-01_front", 0.28, 0.25, 0.44, 0.44)], ["vase-01_front", "vase-01_top"]),
    "AGP207": (["fan-01_front", stylized("fan-01_side")], ["fan-01_front", "fan-01_side"]),
    "AGP208": (["chair-01_front", turned_hue("chair-01_front", 80)], ["chair-01_front", "chair-01_angle"]),
    "AGP301": (["kettle-01_detail", "kettle-01_front", "kettle-01_side"], ["kettle-01_front", "kettle-01_side", "kettle-01_detail"]),
    "AGP302": (["lamp-01_detail", "lamp-01_room", "lamp-01_front"], ["lamp-01_front", "lamp-01_angle", "lamp-01_detail"]),
    "AGP303": (["car-01_front", "car-01_angle", "car-01_back"], ["car-01_angle", "car-01_side", "car-01_top"]),
    "AGP304": (["bottle-01_front", "bottle-01_angle", "bottle-01_top"], ["mug-01_front", "mug-01_angle", "mug-01_top"]),
    "AGP305": (["headphones-01_front", "headphones-01_back", "headphones-01_front"], ["headphones-01_angle", "headphones-01_side", "headphones-01_front"]),
    "AGP306": (["bowls-01_detail", "kettle-01_detail", "bottle-01_detail"], ["bottle-01_front", "bottle-01_top", "bottle-01_detail"]),
    "AGP307": (["shelf-01_front", "shelf-01_room", drawn("cluttered-background", "shelf-01_angle", 2)], ["shelf-01_front", "shelf-01_angle", "shelf-01_side"]),
    "AGP308": (["backpack-01_back", "backpack-01_front", "backpack-01_side"], ["backpack-01_front", "backpack-01_side", "backpack-01_back"]),
    "AGP901": ([gray_end("bowls-01_angle")], ["bowls-01_angle"]),
    "AGP902": ([worded("a check failed:", "not judged")], [worded("all checks ran:", "judged")]),
    "AGP903": ([worded("a fact is missing:", "not judged")], [worded("all facts there:", "judged")]),
    "AGP904": ([worded("30,000 x 20,000", "pixels")], [worded("2,000 x 2,000", "pixels")]),
    "AGP905": (["car-01_front", "car-01_angle", "car-01_side"], ["car-01_front"]),
    "AGP906": ([drawn("promotional-text", "vase-01_front", 4)], ["vase-01_front"]),
    "AGP907": ([worded("240 images", "of one product")], ["clock-01_face", "clock-01_angle", "clock-01_side"]),
}  # fmt: skip
TITLES = {"AGP304": '"Stoneware mug"'}
BELOW = {"AGP905": "one file of several frames"}


def panel(sources: Sequence[Source], *, good: bool, title: str) -> Image.Image:
    """Draw one side of an example: a mark, what it means, and one to three pictures."""
    side = SIDES[len(sources)]
    width = max(side * len(sources) + GAP * (len(sources) - 1), 210)
    image = Image.new("RGB", (width, HEAD + side), PAPER)
    draw = ImageDraw.Draw(image)
    mark(draw, 13, HEAD // 2 - 2, 10, good=good)
    draw.text((30, HEAD // 2 - 2), title, fill=GOOD if good else BAD, font=font(15), anchor="lm")
    for place, source in enumerate(sources):
        pixels = photo(source) if isinstance(source, str) else source()
        left = place * (side + GAP)
        image.paste(fitted(pixels, side), (left, HEAD))
        draw.rectangle((left, HEAD, left + side - 1, HEAD + side - 1), outline=LINE)
    return image


def example(code: str) -> Image.Image:
    """Draw what breaks a rule beside what keeps it."""
    fails, passes = EXAMPLES[code]
    title = f" · title: {TITLES[code]}" if code in TITLES else f" · {BELOW[code]}" if code in BELOW else ""
    bad = panel(fails, good=False, title=f"breaks the rule{title}")
    good = panel(passes, good=True, title="keeps it")
    image = Image.new("RGB", (bad.width + good.width + 5 * GAP, max(bad.height, good.height) + 2 * GAP), PAPER)
    image.paste(bad, (GAP, GAP))
    image.paste(good, (bad.width + 4 * GAP, GAP))
    x = bad.width + 5 * GAP // 2
    ImageDraw.Draw(image).line((x, GAP, x, image.height - GAP), fill=SOFT)
    return image


def main() -> None:
    """Draw the rules that are named, or all."""
    for code in sys.argv[1:] or EXAMPLES:
        path = save(example(code), f"rules/{code}.webp")
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
