"""The file of a non-compliance head, and the graph that the default run computes it with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agpis_sdk.builtin.backbone_maps import SHIPPED_INPUTS, MapChannels
from agpis_sdk.builtin.graphs import GraphSpec
from agpis_sdk.builtin.noncompliance.kinds import KINDS
from agpis_sdk.builtin.weights import Tensors, read_tensors

SHIPPED = Path(__file__).parent / "weights" / "noncompliance.safetensors"

GRAPH = GraphSpec(
    file=SHIPPED.with_suffix(".onnx"),
    weights=SHIPPED,
    reference="agpis_sdk.builtin.noncompliance.model:head_of",
    inputs=SHIPPED_INPUTS,
    outputs=("logits", "maps"),
)


@dataclass(frozen=True)
class HeadSizes(MapChannels):
    """Channels of the three maps that the head reads, which are the backbone's, and of its own hidden layer."""

    width: int = 128

    @classmethod
    def of_tensors(cls, tensors: Tensors) -> HeadSizes:
        """Return the sizes of a head, given its tensors."""
        return cls(
            stride32=tensors["from_tokens.weight"].shape[1],
            stride16=tensors["from_feature.weight"].shape[1],
            stride8=tensors["from_detail.weight"].shape[1],
            width=tensors["mixed_norm.weight"].shape[0],
        )


def read_head(path: Path) -> Tensors:
    """Read a head's tensors; raises `WeightsError` where the file is of another layout."""
    return read_tensors(path, _LAYOUT)


_NORM = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), ("width",))
_LAYOUT: dict[str, tuple[int | str, ...]] = {
    "from_detail.weight": ("width", "stride8", 3, 3),
    "from_feature.weight": ("width", "stride16", 1, 1),
    "from_tokens.weight": ("width", "stride32", 1, 1),
    "neighbors.weight": ("width", "width", 3, 3),
    "to_kinds.weight": (len(KINDS), "width", 1, 1),
    "to_kinds.bias": (len(KINDS),),
    **{f"{layer}.bias": ("width",) for layer in ("from_detail", "from_feature", "from_tokens", "neighbors")},
    **{f"{layer}.{name}": shape for layer in ("mixed_norm", "neighbors_norm") for name, shape in _NORM.items()},
}
