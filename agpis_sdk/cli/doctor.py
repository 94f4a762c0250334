"""`agpis doctor`: is everything here that a run needs? The report can be pasted into an issue."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import platform
import sys
from collections.abc import Iterator

import typer

from agpis_sdk import __version__
from agpis_sdk.cli.options import ConfigOption, JsonOption, SetOption, settings
from agpis_sdk.config import LoadedConfig
from agpis_sdk.cores import available_cores
from agpis_sdk.errors import AgpisError
from agpis_sdk.plugins import PluginHost

PACKAGES = (
    "torch", "torchvision", "timm", "transformers", "onnxruntime", "opencv-contrib-python-headless", "faiss-cpu", "numpy",
    "pillow", "pydantic", "pluggy",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Component:
    """What became of one component that a run would use."""

    name: str
    plugin: str
    error: str = ""


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """Everything that a report of a fault should say."""

    version: str
    python: str
    platform: str
    cores: int
    executable: str
    packages: dict[str, str | None]
    opencv_is_whole: bool
    plugins: int
    failed_plugins: tuple[str, ...]
    components: tuple[Component, ...]

    @property
    def healthy(self) -> bool:
        """Whether a run can begin."""
        return self.opencv_is_whole and not self.failed_plugins and not any(one.error for one in self.components)


def doctor(as_json: JsonOption = False, config: ConfigOption = None, overrides: SetOption = None) -> None:
    """Check the installation: versions, plugins, and that every configured model loads. Exit code 2 when one does not."""
    found = diagnose(*settings(config, overrides))
    if as_json:
        typer.echo(json.dumps({**dataclasses.asdict(found), "healthy": found.healthy}, indent=2))
    else:
        _print(found)
    if not found.healthy:
        raise typer.Exit(2)


def diagnose(loaded: LoadedConfig, host: PluginHost) -> Diagnosis:
    """Look at the installation, and make every component that a run would use."""
    return Diagnosis(
        version=__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        cores=available_cores(),
        executable=sys.executable,
        packages={package: _version(package) for package in PACKAGES},
        opencv_is_whole=opencv_is_whole(),
        plugins=len(host.statuses),
        failed_plugins=tuple(status.owner for status in host.statuses if status.state == "failed"),
        components=tuple(_components(loaded, host)),
    )


def _components(loaded: LoadedConfig, host: PluginHost) -> Iterator[Component]:
    from agpis_sdk.pipeline.backbone import check_backbone
    from agpis_sdk.pipeline.guard import Component as Made
    from agpis_sdk.pipeline.plan import make_plan

    plan = make_plan(host, loaded.config)
    backbone: Made | None = None
    for owned in plan.components():
        try:
            made = Made(owned, host.create(owned, loaded.config.components, device=loaded.config.run.device))
            backbone = made if owned is plan.backbone else backbone
            check_backbone(backbone, [made])
        except (AgpisError, ImportError, OSError, ValueError, RuntimeError) as error:
            yield Component(owned.spec.name, owned.plugin.owner, str(error))
        else:
            yield Component(owned.spec.name, owned.plugin.owner)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def opencv_is_whole() -> bool:
    """Return whether OpenCV has the extra modules that proposals need; another OpenCV package overwrites their files."""
    import cv2

    return hasattr(cv2, "ximgproc")


def _print(found: Diagnosis) -> None:
    typer.echo(f"agpis-sdk {found.version} · Python {found.python} · {found.platform}")
    typer.echo(f"cores: {found.cores} · executable: {found.executable}")
    for package, version in found.packages.items():
        typer.echo(f"  {package} {version}" if version else f"  {package} MISSING (pip install {package})")
    if not found.opencv_is_whole:
        package = "opencv-contrib-python-headless"
        typer.echo("  FAIL  OpenCV has no extra modules: another opencv package was installed over it")
        typer.echo(f"        remedy: uninstall the others, then pip install --force-reinstall --no-deps {package}")
    typer.echo(f"plugins: {found.plugins}, of which failed: {len(found.failed_plugins)}")
    for one in found.components:
        typer.echo(f"  FAIL  {one.name} ({one.plugin}): {one.error}" if one.error else f"  ok    {one.name}")
    typer.echo("all well" if found.healthy else "something is wrong: see the lines above")
