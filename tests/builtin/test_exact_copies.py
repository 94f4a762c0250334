"""The same file, or the same pixels, twice in a gallery."""

from __future__ import annotations

import numpy as np
from PIL import Image

from agpis_sdk.builtin.image_quality.config import ExactCopiesConfig
from agpis_sdk.builtin.image_quality.exact_copies import ExactCopiesChecker
from agpis_sdk.components import ImagePair
from agpis_sdk.records import Finding
from tests.builtin.pictures import ANY_CONTEXT, bag, decoded


class TestExactCopies:
    def findings(self, first: Image.Image, second: Image.Image) -> list[Finding]:
        pair = ImagePair(decoded(first, "a"), decoded(second, "b", 1))
        return list(ExactCopiesChecker(ExactCopiesConfig()).check_pairs([pair], ANY_CONTEXT))

    def test_the_same_file_twice_is_found(self) -> None:
        (finding,) = self.findings(bag(), bag())

        assert (finding.code, finding.images, finding.score) == ("AGP202", ("a", "b"), 1.0)
        assert finding.message == '"b" is the same file as "a"'
        assert [region.box for region in finding.regions] == [(0, 0, 600, 600), (0, 0, 600, 600)]

    def test_the_same_pixels_in_another_file_are_found(self) -> None:
        (finding,) = self.findings(bag(), bag().convert("RGBA"))

        assert "is pixel for pixel the same as" in finding.message

    def test_one_pixel_that_differs_is_no_copy(self) -> None:
        other = np.asarray(bag((300, 300))).copy()
        other[0, 0] = 0

        assert self.findings(bag((300, 300)), Image.fromarray(other)) == []

    def test_another_size_is_no_copy(self) -> None:
        assert self.findings(bag((300, 300)), bag((200, 300))) == []
