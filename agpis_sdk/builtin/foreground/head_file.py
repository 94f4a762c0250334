"""The file of a foreground head, and the graph that the default run computes it with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agpis_sdk.builtin.backbone_maps import MAPS, SHIPPED_INPUTS, MapChannels
from agpis_sdk.builtin.graphs import GraphSpec
from agpis_sdk.builtin.weights import Tensors, read_tensors

SHIPPED = Path(__file__).parent / "weights" / "foreground.safetensors"
SIDE = 112
"""Side in pixels of the square in which the head segments, and of the picture that it reads."""

GRAPH = GraphSpec(
    file=SHIPPED.with_suffix(".onnx"),
    weights=SHIPPED,
    reference="agpis_sdk.builtin.foreground.model:head_of",
    inputs={
        **SHIPPED_INPUTS,
        "picture": ("batch", 3, SIDE, SIDE),
    },
    outputs=("logits",),
)


@dataclass(frozen=True)
class HeadSizes(MapChannels):
    """Channels of the three maps that the head reads, which are the backbone's, and of its own layers."""

    width: int = 32
    detail: int = 8

    @classmethod
    def of_tensors(cls, tensors: Tensors) -> HeadSizes:
        """Return the sizes of a head, given its tensors."""
        return cls(*(tensors[f"from_{name}.weight"].shape[1] for name in MAPS))


def read_head(path: Path) -> Tensors:
    """Read a head's tensors; raises `WeightsError` where the file is of another layout."""
    return read_tensors(path, _LAYOUT)


def _mix(name: str, channels: int) -> dict[str, tuple[int | str, ...]]:
    return {
        f"{name}.depthwise.weight": (channels, 1, 3, 3),
        f"{name}.pointwise.weight": (channels, channels, 1, 1),
        **{f"{name}.norm.{part}": (channels,) for part in ("weight", "bias", "running_mean", "running_var")},
    }


_WIDTH, _DETAIL = HeadSizes.width, HeadSizes.detail
_LAYOUT: dict[str, tuple[int | str, ...]] = {
    **{f"from_{name}.weight": (_WIDTH, name, 1, 1) for name in MAPS},
    **{f"from_{name}.bias": (_WIDTH,) for name in MAPS},
    **_mix("mix32", _WIDTH),
    **_mix("mix16", _WIDTH),
    **_mix("mix8", _WIDTH),
    "from_picture.weight": (_DETAIL, 3, 3, 3),
    "from_picture.bias": (_DETAIL,),
    **_mix("mix_picture", _DETAIL),
    "join.weight": (2 * _DETAIL, _WIDTH + _DETAIL, 3, 3),
    "join.bias": (2 * _DETAIL,),
    **_mix("mix_join", 2 * _DETAIL),
    "squeeze.weight": (4, 2 * _DETAIL, 1, 1),
    "squeeze.bias": (4,),
    "refine.weight": (_DETAIL, 4 + 3, 3, 3),
    "refine.bias": (_DETAIL,),
    "to_mask.weight": (1, _DETAIL, 3, 3),
    "to_mask.bias": (1,),
}
