"""What stage 1 measured of the images of a sequence, as numbers for the sequence model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from agpis_sdk.builtin.foreground import composition
from agpis_sdk.builtin.muisc.evidence import NAMES, ImageEvidence, check_names, sequence_evidence
from agpis_sdk.builtin.muisc.model import Muisc, MuiscConfig
from agpis_sdk.builtin.noncompliance.kinds import KINDS
from agpis_sdk.errors import WeightsError
from agpis_sdk.facts import VIEWS, ColorHistogram, View

RED, BLUE = (25.0, 60.0, 40.0), (25.0, 10.0, -60.0)


def measured(color: tuple[float, ...] | None = RED, embedding: tuple[float, ...] = (1.0, 0.0)) -> ImageEvidence:
    """Return what stage 1 measured of an image."""
    colors = ColorHistogram(np.array([color], np.float32), np.ones(1, np.float32)) if color else None
    facts: dict[str, Any] = {
        "composition": np.zeros(len(composition.NAMES), np.float32),
        "view": View(np.full(len(VIEWS), 0.1, np.float32), 0.5),
        "p_noncompliant": 0.5,
        "noncompliance.kinds": np.full(len(KINDS), -99.0, np.float32),
        "product_embedding": np.array(embedding, np.float32),
        "color_histogram": colors,
    }
    return ImageEvidence.of(facts)


def named(row: np.ndarray) -> dict[str, float]:
    return dict(zip(NAMES, row.tolist(), strict=True))


def test_an_image_alone_is_compared_with_none() -> None:
    (row,) = sequence_evidence([measured()])

    assert row.shape == (len(NAMES),)
    assert named(row)["largest color difference"] == 0
    assert named(row)["largest likeness"] == 0


def test_a_probability_near_zero_is_bounded() -> None:
    (row,) = sequence_evidence([measured()])

    assert named(row)["watermark"] == -4
    assert named(row)["overlay"] == pytest.approx(0)


def test_each_image_says_how_far_the_others_are_off() -> None:
    first, same, other = sequence_evidence([measured(), measured(), measured(BLUE, (0.0, 3.0))])

    assert named(same)["color difference to the first"] == 0
    assert named(other)["color difference to the first"] == 1
    assert named(first)["largest color difference"] == 1
    assert named(first)["smallest color difference"] == 0
    assert named(other)["largest likeness"] == pytest.approx(0)


def test_without_a_product_no_color_differs() -> None:
    rows = sequence_evidence([measured(), measured(None)])

    assert [named(row)["largest color difference"] for row in rows] == [0, 0]


def test_a_model_of_other_evidence_is_refused() -> None:
    with pytest.raises(WeightsError, match="other evidence of stage 1"):
        check_names(["sharpness"], item="folder")


class TestTheModel:
    def inputs(self, config: MuiscConfig) -> dict[str, torch.Tensor]:
        generator = torch.Generator().manual_seed(0)
        return {
            "input_ids": torch.zeros(1, config.title_tokens + 1, dtype=torch.long),
            "attention_mask": torch.ones(1, config.title_tokens + 1, dtype=torch.long),
            "tokens": torch.randn(1, 2, config.num_patches, config.token_channels, generator=generator),
            "global_tokens": torch.randn(1, 2, config.global_channels, generator=generator),
        }

    def test_reads_the_evidence(self) -> None:
        config = MuiscConfig.tiny(evidence=["a", "b"])
        model = Muisc(config).eval()
        one, other = torch.zeros(1, 2, 2), torch.ones(1, 2, 2)

        logits = [model(**self.inputs(config), evidence=evidence).logits for evidence in (one, other)]

        assert not torch.allclose(*logits)

    def test_says_so_where_evidence_is_missing(self) -> None:
        config = MuiscConfig.tiny(evidence=["a", "b"])

        with pytest.raises(ValueError, match="reads evidence of stage 1"):
            Muisc(config)(**self.inputs(config))
