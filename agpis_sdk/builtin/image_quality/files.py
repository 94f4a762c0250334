"""File metadata: does the suffix match the format, and does the file declare that AI generated it?"""

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
    """Return whether a file's suffix names another format than the file has; an unknown suffix never does.

    >>> names_another_format(".jpg", "WEBP"), names_another_format(".jpeg", "JPEG"), names_another_format(".php", "PNG")
    (True, False, False)
    """
    named = format_of_suffix(suffix)
    return named is not None and named != one_format(file_format)


def generated_term(terms: Iterable[str]) -> str | None:
    """Return the first IPTC digital source type that declares a generated picture, None where none does."""
    return next((term for term in terms if term in GENERATED), None)
