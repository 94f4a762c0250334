"""The plugin's rules: one pair per kind of requirement, `AMP` being its own prefix.

AMP101 to AMP149 and AMP301 to AMP349 block: the marketplace's own text asks for it. The rule fifty further on is the same
check where the marketplace only advises, or where a third party says that it asks: a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agpis_sdk import Rule

WARNING_OFFSET = 50


@dataclass(frozen=True)
class Kind:
    """One kind of requirement: the rule that blocks, and the one that warns."""

    blocking: Rule
    warning: Rule


def _kind(number: int, name: str, summary: str, checks: str, measured: str, problems: str, example: str) -> Kind:
    def rule(code: int, *, blocks: bool) -> Rule:
        full_name = name if blocks else f"{name}-advised"
        strength = (
            "The marketplace's own text asks for it (grade A), so it blocks."
            if blocks
            else "The marketplace advises it, or only third parties say that it asks for it (grade B or C): a warning."
        )
        return Rule(
            code=f"AMP{code}",
            name=full_name,
            summary=summary,
            category="single-image" if number < 300 else "multi-image",
            severity="error" if blocks else "warning",
            explanation=f"# AMP{code} {full_name}\n\n## What it checks\n\n{checks} {strength}\n\n## Why it matters\n\n"
            "Marketplaces refuse or hide such images. The message names the number, where it was read, and when.\n\n"
            f"## How it is measured\n\n{measured}\n\n## Known problems\n\n{problems}\n\n## Example\n\n{example}\n",
        )

    return Kind(rule(number, blocks=True), rule(number + WARNING_OFFSET, blocks=False))


KINDS: Mapping[str, Kind] = {
    "too-few-pixels": _kind(
        101, "too-few-pixels", "The image has fewer pixels than the marketplace wants.",
        "Whether the longer or the shorter side has the pixels that the profile wants.",
        "The file's width and height after EXIF rotation. The score is 1 below the limit.",
        "An enlarged image passes.",
        "Violates: 480 x 480 where 500 is asked for. Complies: 500 x 500.",
    ),
    "too-many-pixels": _kind(
        102, "too-many-pixels", "The image has more pixels than the marketplace takes.",
        "Whether a side, or width times height, is above the profile's limit.",
        "The file's width and height. The score is 1 above the limit.",
        "None known.",
        "Violates: 12000 x 9000 where 10000 is the longest side. Complies: 10000 x 7500.",
    ),
    "oversized-file": _kind(
        103, "oversized-file", "The file has more bytes than the marketplace takes.",
        "Whether the file is larger than the profile's limit.",
        "The file's bytes. A MB is read as 1,048,576 bytes, so that nothing is refused on the reading of a unit.",
        "Where the marketplace counts 1,000,000 bytes a MB, a file between the two readings passes here.",
        "Violates: a PNG of 14 MB where 10 are taken. Complies: the same picture as JPEG.",
    ),
    "undersized-file": _kind(
        104, "undersized-file", "The file has fewer bytes than the marketplace wants.",
        "Whether the file is smaller than the profile's limit.",
        "The file's bytes. A MB is read as 1,000,000 bytes.",
        "A plain picture compresses well and loses nothing by it.",
        "Violates: a JPEG of 40 KB where 300 KB are wanted. Complies: one of 320 KB.",
    ),
    "format-not-accepted": _kind(
        105, "format-not-accepted", "The file is in a format that the marketplace does not take.",
        "Whether the real format, read from the file's bytes, is one that the profile lists.",
        "The decoder names the format; the file's ending does not count. The score is 1 or 0.",
        "HEIC, SVG and PSD files are not decoded here and are reported as unreadable (AGP901).",
        "Violates: a GIF where JPEG and PNG are taken. Complies: a JPEG.",
    ),
    "extension-mismatch": _kind(
        106, "extension-mismatch", "The file's ending names another format than the file has.",
        "Whether the ending of the image's uri fits the real format.",
        "The uri's path against the format read from the bytes. A uri without a known ending is not judged.",
        "A server may answer with another format than the address says: what it sent here is judged.",
        "Violates: `front.jpg` that is a WebP. Complies: `front.webp`.",
    ),
    "animated-file": _kind(
        107, "animated-file", "The file is an animation.",
        "Whether the file has more than one frame.",
        "Frames as the decoder counts them.",
        "A TIFF of several pages counts as several frames.",
        "Violates: a turning GIF. Complies: its first frame.",
    ),
    "background-not-white": _kind(
        108, "background-not-white", "The background is not the white that the marketplace wants.",
        "How much of the background along the picture's edge is white.",
        "In a ring along the edge, 2.5 % of the longer side thick, what is not the product: the share of pixels whose red, "
        "green and blue are all at least `white_from`. The score is 0.5 at the limit and 1 where nothing is white.",
        "The limit was written for the whole ring; here the product is left out, as it may run out of the picture. A gray "
        "shadow in the middle is not seen.",
        "Violates: a shirt on light gray. Complies: the same shirt, cut out on white.",
    ),
    "product-fill": _kind(
        109, "product-fill", "The product fills less or more of the picture than the marketplace wants.",
        "How much of the picture the product fills, along its longest axis.",
        "A box around what differs from the color of the picture's edge; the larger of its width by the picture's width "
        "and its height by the picture's height. Silent where the background is too busy to tell. The score is 0.5 at the "
        "limit.",
        "Marketplaces do not say how they measure. A shadow counts as product, white parts on white do not.",
        "Violates: a ring of 300 px in the middle of 1000 px. Complies: the same ring at 880 px.",
    ),
    "shape-not-accepted": _kind(
        110, "shape-not-accepted", "The image has another ratio of width to height than the marketplace wants.",
        "Whether width by height is one of the profile's ratios.",
        "Within 1 % of the ratio, as sides are whole pixels.",
        "None known.",
        "Violates: 1000 x 1250 where squares are wanted. Complies: 1000 x 1000.",
    ),
    "gallery-too-short": _kind(
        301, "gallery-too-short", "The gallery has fewer images than the marketplace wants.",
        "How many images the gallery has.",
        "In an audit the images listed, in a run those chosen.",
        "An audit does not judge a gallery as a whole while it holds unreadable images (AGP903).",
        "Violates: two images where four are advised. Complies: four.",
    ),
    "gallery-too-long": _kind(
        302, "gallery-too-long", "The gallery has more images than the marketplace takes.",
        "How many images the gallery has.",
        "In an audit the images listed, in a run those chosen.",
        "An audit does not judge a gallery as a whole while it holds unreadable images (AGP903).",
        "Violates: twelve images where nine are taken. Complies: nine.",
    ),
    "role-missing": _kind(
        303, "role-missing", "The gallery has no image in a role that the marketplace has a place for.",
        "Whether the product record names an image for each role of the profile.",
        '`attributes.roles` of the product record, such as `{"front": "white"}`; without it nothing is said.',
        "Roles are taken from the record as they are; no image is looked at.",
        "Violates: roles without a transparent image. Complies: one of each.",
    ),
}  # fmt: skip

RULES = tuple(rule for kind in KINDS.values() for rule in (kind.blocking, kind.warning))
IMAGE_RULES = tuple(rule for rule in RULES if rule.category == "single-image")
