"""What a file says about itself: whether its name tells its format, and whether it was generated."""

from __future__ import annotations

from collections.abc import Iterable

from agpis_sdk.media.metadata import format_of_suffix, one_format

# IPTC NewsCodes, digital source type: https://cv.iptc.org/newscodes/digitalsourcetype/
GENERATED = {
    "trainedAlgorithmicMedia": "made by generative AI",
    "compositeWithTrainedAlgorithmicMedia": "edited with generative AI",
    "algorithmicMedia": "made by an algorithm",
}


def names_another_format(suffix: str, file_format: str) -> bool:
    """Return whether a file's ending stands for another format than the file has; an unknown ending stands for none.

    >>> names_another_format(".jpg", "WEBP"), names_another_format(".jpeg", "JPEG"), names_another_format(".php", "PNG")
    (True, False, False)
    """
    named = format_of_suffix(suffix)
    return named is not None and named != one_format(file_format)


def generated_term(terms: Iterable[str]) -> str | None:
    """Return the first of some IPTC digital source types that says a picture was generated; None where none does."""
    return next((term for term in terms if term in GENERATED), None)
