"""One peer of benchmarks/throughput.py on the images of a catalog.

PEERS_PYTHON benchmarks/throughput_peers.py cleanvision|phash|cnn PRODUCTS
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

THREADS = 2


def cleanvision(files: list[Path]) -> None:
    """Find CleanVision's default issues."""
    from cleanvision import Imagelab

    Imagelab(filepaths=[str(file) for file in files], verbose=False).find_issues(n_jobs=THREADS, verbose=False)


def duplicates(method: str, files: list[Path]) -> None:
    """Find imagededup's duplicates; it reads a folder, so that the files are linked into one."""
    import torch
    from stage1_peers import lite0, without_hub

    torch.set_num_threads(THREADS)
    without_hub()
    from imagededup.methods import CNN, PHash
    from imagededup.utils import CustomModel

    peer = PHash(verbose=False) if method == "phash" else CNN(verbose=False, model_config=CustomModel(**lite0()))
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(files):
            (Path(folder) / f"{number}-{file.name}").symlink_to(file)
        peer.find_duplicates(image_dir=folder)


def main() -> None:
    """Judge all images of a catalog by one method."""
    method, catalog = sys.argv[1], Path(sys.argv[2])
    records = [json.loads(line) for line in catalog.read_text(encoding="utf-8").splitlines()]
    files = [Path(file) for record in records for file in record["images"]]
    if method == "cleanvision":
        cleanvision(files)
    else:
        duplicates(method, files)


if __name__ == "__main__":
    main()
