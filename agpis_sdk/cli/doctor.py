"""`agpis doctor`: is everything here that a run needs? The report can be pasted into an issue."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys

import typer

from agpis_sdk import __version__
from agpis_sdk.cli.options import ConfigOption, SetOption, settings
from agpis_sdk.errors import AgpisError

PACKAGES = (
    "torch", "torchvision", "timm", "transformers", "onnxruntime", "opencv-contrib-python-headless", "faiss-cpu", "numpy",
    "pillow", "pydantic", "pluggy",
)  # fmt: skip


def doctor(config: ConfigOption = None, overrides: SetOption = None) -> None:
    """Check the installation: versions, plugins, and that every configured model loads. Exit code 2 when one does not."""
    typer.echo(f"agpis-sdk {__version__} · Python {platform.python_version()} · {platform.platform()}")
    typer.echo(f"cores: {os.cpu_count()} · executable: {sys.executable}")
    for package in PACKAGES:
        try:
            typer.echo(f"  {package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            typer.echo(f"  {package} MISSING (pip install {package})")
    healthy = opencv_is_whole()
    loaded, host = settings(config, overrides)
    failed = [status for status in host.statuses if status.state == "failed"]
    typer.echo(f"plugins: {len(host.statuses)}, of which failed: {len(failed)}")
    from agpis_sdk.pipeline.backbone import check_backbone
    from agpis_sdk.pipeline.guard import Component
    from agpis_sdk.pipeline.plan import make_plan

    healthy &= not failed
    plan = make_plan(host, loaded.config)
    backbone: Component | None = None
    for owned in plan.components():
        try:
            made = Component(owned, host.create(owned, loaded.config.components, device=loaded.config.run.device))
            backbone = made if owned is plan.backbone else backbone
            check_backbone(backbone, [made])
            typer.echo(f"  ok    {owned.spec.name}")
        except (AgpisError, ImportError, OSError, ValueError, RuntimeError) as error:
            healthy = False
            typer.echo(f"  FAIL  {owned.spec.name} ({owned.plugin.owner}): {error}")
    typer.echo("all well" if healthy else "something is wrong: see the lines above")
    if not healthy:
        raise typer.Exit(2)


def opencv_is_whole() -> bool:
    """Say whether OpenCV has the extra modules that proposals need; another OpenCV package overwrites their files."""
    import cv2

    whole = hasattr(cv2, "ximgproc")
    if not whole:
        package = "opencv-contrib-python-headless"
        typer.echo("  FAIL  OpenCV has no extra modules: another opencv package was installed over it")
        typer.echo(f"        remedy: uninstall the others, then pip install --force-reinstall --no-deps {package}")
    return whole
