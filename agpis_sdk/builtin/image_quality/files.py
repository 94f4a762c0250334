"""What a file says about itself: whether its name tells its format, and whether it was generated."""

from __future__ import annotations

from collections.abc import Iterable

# Pillow's names of the formats that shops carry, and the endings that stand for them.
SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".mpo", ".jpg", ".jpeg"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "AVIF": (".avif", ".avifs"),
    "HEIF": (".heic", ".heif", ".hif"),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "ICO": (".ico",),
    "JPEG2000": (".jp2", ".j2k", ".jpx", ".jpf"),
}
KNOWN_SUFFIXES = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
# IPTC NewsCodes, digital source type: https://cv.iptc.org/newscodes/digitalsourcetype/
GENERATED = {
    "trainedAlgorithmicMedia": "made by generative AI",
    "compositeWithTrainedAlgorithmicMedia": "edited with generative AI",
    "algorithmicMedia": "made by an algorithm",
}


def tells_another_format(suffix: str, file_format: str) -> bool:
    """Tell whether the ending of a file's name stands for a format that the file has not; an unknown ending tells none.

    >>> tells_another_format(".jpg", "WEBP"), tells_another_format(".jpeg", "JPEG"), tells_another_format(".php", "PNG")
    (True, False, False)
    """
    return suffix in KNOWN_SUFFIXES and file_format in SUFFIXES and suffix not in SUFFIXES[file_format]


def generated_term(terms: Iterable[str]) -> str | None:
    """Return the first of some IPTC digital source types that says a picture was generated; None where none does."""
    return next((term for term in terms if term in GENERATED), None)
