"""Take the screenshots of the HTML report: docs/assets/report-*.webp, of a run on the example catalog.

Needs Chromium or Chrome on the path. Run `python docs/shoot_report.py [REPORT]`, with a report of the example catalog where one
is at hand.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from pictures import PHOTOS, save

ROOT = Path(__file__).parents[1]

SHOTS = {
    "report-overview.webp": ("", 1400, 900),
    "report-phone.webp": ("#product=stool-01", 420, 900),
}
"""File → address within the report, and the size of the window."""
NARROWEST = 500  # pixels of a window that Chromium opens; a narrower page is shown in a frame


def reported(folder: Path) -> Path:
    """Run the example catalog with the built-in plugins alone, and return its report."""
    command = [
        Path(sys.executable).with_name("agpis"),
        "run",
        PHOTOS.parent.relative_to(ROOT) / "products.jsonl",  # as the report shows it, wherever the repository lies
        "--no-plugins",
        "--quiet",
    ]
    subprocess.run(
        [*command, "-o", folder / "outcomes.jsonl", "--report", folder / "report.html"], check=False, cwd=ROOT
    )
    return folder / "report.html"


def main() -> None:
    """Run the example catalog, and take the pictures."""
    browser = next((found for name in ("chromium", "google-chrome", "chrome") if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("no Chromium or Chrome on the path")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else reported(Path(folder))
        for name, (address, width, height) in SHOTS.items():
            shot = Path(folder) / "shot.png"
            page = f"{report.as_uri()}{address}"
            if width < NARROWEST:
                frame = Path(folder) / "frame.html"
                style = f"border:0;width:{width}px;height:{height}px"
                frame.write_text(f'<body style="margin:0"><iframe src="{page}" style="{style}"></iframe>')
                page = frame.as_uri()
            window = f"{max(width, NARROWEST)},{height}"
            options = [f"--user-data-dir={folder}/profile", f"--window-size={window}", f"--screenshot={shot}"]
            options += [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--hide-scrollbars",
            ]
            options += ["--virtual-time-budget=5000"]
            subprocess.run([browser, *options, page], check=True, capture_output=True)
            image = Image.open(shot).convert("RGB").crop((0, 0, width, height))
            image.thumbnail((1000, 1000), Image.Resampling.LANCZOS)
            path = save(image, name, quality=80)
            print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
