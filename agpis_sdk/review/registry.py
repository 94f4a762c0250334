"""A folder of model versions: which there are, where each came from, and which of them runs.

    registry/
      versions/NAME/1/        a folder of `agpis train`, as it was, with card.json, README.md and perhaps reference.json
      history.jsonl           promotions and rollbacks, one a line, only ever added to
      shop.json               the settings of the promoted versions: `agpis run --shop registry/`

A component without a promoted version runs with the model that ships.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from agpis_sdk.config import SHOP_FILE
from agpis_sdk.errors import ModelRegistryError
from agpis_sdk.files import written_whole
from agpis_sdk.plugins import OwnedSpec, PluginHost
from agpis_sdk.training.comparison import ModelComparison
from agpis_sdk.training.components import PROVENANCE

VERSIONS, HISTORY, CARD, README = "versions", "history.jsonl", "card.json", "README.md"
REFERENCE = "reference.json"
LEFT_BEHIND = shutil.ignore_patterns("checkpoint-*", "features", "runs")
SHIPS = 0
"""The version number that stands for the model that ships."""


@dataclass(frozen=True)
class ModelVersion:
    """A version of a component's model: `parent` is the version that ran when it was added, `data` what taught it."""

    component: str
    version: int
    added_at: str
    parent: int
    data: Mapping[str, Any]
    files: Mapping[str, str]
    metrics: Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A promotion or a rollback: from when on which version runs, and why."""

    component: str
    version: int
    at: str
    action: str
    reason: str = ""
    comparison: Mapping[str, Any] | None = None


class Registry:
    """The versions in a folder; the folder is made with the first one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(
        self, trained: Path, *, reviews: Path | None = None, reference: Mapping[str, Sequence[float]] | None = None
    ) -> ModelVersion:
        """Copy a folder of `agpis train` in as the next version of its component.

        `reference` are the scores of a run on what it has learned from, by which drift is seen later.
        Raises `ModelRegistryError` where the folder does not say whose model it is.
        """
        component = _component_of(trained)
        with self._locked():
            number = max((known.version for known in self.versions(component)), default=0) + 1
            place = self.place(component, number)
            unfinished = place.with_name(f".{number}")
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(trained, unfinished, ignore=LEFT_BEHIND)
            version = ModelVersion(
                component=component,
                version=number,
                added_at=_now(),
                parent=self.promoted(component),
                data=_described(reviews),
                files={path.name: _sha256(path) for path in sorted(unfinished.iterdir()) if path.is_file()},
                metrics=_read_object(unfinished / "metrics.json"),
            )
            if reference is not None:
                (unfinished / REFERENCE).write_text(json.dumps(reference) + "\n", encoding="utf-8")
            (unfinished / CARD).write_text(json.dumps(asdict(version), indent=2) + "\n", encoding="utf-8")
            (unfinished / README).write_text(card(version), encoding="utf-8")
            unfinished.rename(place)
        return version

    def versions(self, component: str | None = None) -> list[ModelVersion]:
        """Return the versions of a component, or all, in order; raises `ModelRegistryError` where a card is damaged."""
        found = []
        for path in (self.folder / VERSIONS).glob(f"{component or '*'}/[0-9]*/{CARD}"):
            try:
                found.append(ModelVersion(**_read_object(path)))
            except TypeError:
                raise ModelRegistryError("is no card of a version", item=str(path), remedy="restore it") from None
        return sorted(found, key=lambda version: (version.component, version.version))

    def place(self, component: str, version: int) -> Path:
        """Return the folder of a version."""
        return self.folder / VERSIONS / component / str(version)

    def history(self) -> list[Change]:
        """Return all promotions and rollbacks, the oldest first."""
        path = self.folder / HISTORY
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        try:
            return [Change(**json.loads(line)) for line in lines]
        except (ValueError, TypeError):
            raise ModelRegistryError("is damaged", item=str(path), remedy="restore it") from None

    def promoted(self, component: str) -> int:
        """Return the version that runs; 0 is the model that ships."""
        return (self._stack(component) or [SHIPS])[-1]

    def reference(self) -> dict[str, list[float]]:
        """Return the scores on what the running versions have learned from; of the one promoted last that has some, else nothing."""
        for change in reversed(self.history()):
            running = self.promoted(change.component)
            known = _read_object(self.place(change.component, running) / REFERENCE) if running != SHIPS else {}
            if known:
                return known
        return {}

    def promote(
        self, host: PluginHost, component: str, version: int, comparison: ModelComparison | None, *, force: bool = False
    ) -> None:
        """Let a version run from now on.

        Raises `ModelRegistryError` where there is no such version, or it is worse than the one that runs, or nobody has
        compared the two, unless forced.
        """
        self._check_known(component, version)
        if not force:
            _check_better(component, version, comparison)
        reason = "forced" if force else f"{comparison.headline} on the {comparison.split} split" if comparison else ""
        compared = comparison.as_dict() if comparison is not None else None
        self._note(Change(component, version, _now(), "promote", reason, compared), host)

    def rollback(self, host: PluginHost, component: str) -> int:
        """Let the version run again that ran before the present one; raises `ModelRegistryError` where there is none."""
        stack = self._stack(component)
        if not stack:
            raise ModelRegistryError("was never promoted", item=component, remedy="agpis models list")
        before = stack[-2] if len(stack) > 1 else SHIPS
        self._note(Change(component, before, _now(), "rollback"), host)
        return before

    def _check_known(self, component: str, version: int) -> None:
        known = [one.version for one in self.versions(component)]
        if version not in known:
            remedy = f"there are {', '.join(map(str, known))}" if known else "agpis models list"
            raise ModelRegistryError("is not in the registry", item=f"{component} {version}", remedy=remedy)

    def _stack(self, component: str) -> list[int]:
        """Return what was promoted and not rolled back, the latest last."""
        stack: list[int] = []
        for change in self.history():
            if change.component == component and change.action == "promote":
                stack.append(change.version)
            elif change.component == component and stack:
                stack.pop()
        return stack

    def _note(self, change: Change, host: PluginHost) -> None:
        with self._locked():
            with (self.folder / HISTORY).open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(asdict(change)) + "\n")
            self._write_settings(host)

    def _write_settings(self, host: PluginHost) -> None:
        components = {}
        for name in sorted({change.component for change in self.history()}):
            version = self.promoted(name)
            if version != SHIPS:
                components[name] = self._settings_of(host.component(name), version)
        with written_whole(self.folder / SHOP_FILE) as path:
            path.write_text(json.dumps({"components": components}, indent=2) + "\n", encoding="utf-8")

    def _settings_of(self, owned: OwnedSpec, version: int) -> dict[str, str]:
        """Return the setting by which a component reads a version: its `model` is the folder, its `weights` the file."""
        place = f"./{VERSIONS}/{owned.spec.name}/{version}"
        fields = owned.spec.config.model_fields
        if "model" in fields:
            return {"model": place}
        weights = sorted(self.place(owned.spec.name, version).glob("*.safetensors"))
        if "weights" not in fields or len(weights) != 1:
            raise ModelRegistryError(
                "has no setting for its weights", item=owned.spec.name, remedy='a setting "weights" or "model"'
            )
        return {"weights": f"{place}/{weights[0].name}"}

    def _locked(self) -> FileLock:
        (self.folder / VERSIONS).mkdir(parents=True, exist_ok=True)
        return FileLock(self.folder / ".lock", timeout=60)


def card(version: ModelVersion) -> str:
    """Return a version's card in Markdown."""
    parent = "the model that ships" if version.parent == SHIPS else f"version {version.parent}"
    data = ", ".join(f"{key} {value}" for key, value in version.data.items()) or "not noted"
    return (
        f"# {version.component}, version {version.version}\n\n"
        f"Added {version.added_at}, when {parent} was running. Learned from: {data}.\n\n"
        "Figures of the trainer, on the splits that it names:\n\n"
        f"```json\n{json.dumps(version.metrics, indent=2)}\n```\n"
    )


def _check_better(component: str, version: int, comparison: ModelComparison | None) -> None:
    if comparison is None:
        raise ModelRegistryError(
            "was not compared with the one that runs",
            item=f"{component} {version}",
            remedy="--test REVIEWS, or --force",
        )
    if comparison.new_is_worse:
        figure = comparison.decisive
        raise ModelRegistryError(
            f"is worse: {figure.name} {figure.new:.4f}, against {figure.old:.4f} of the one that runs",
            item=f"{component} {version}",
            remedy="--force promotes it all the same",
        )


def _component_of(trained: Path) -> str:
    name = _read_object(trained / PROVENANCE).get("component")
    if not isinstance(name, str):
        raise ModelRegistryError("is no folder of agpis train", item=str(trained), remedy="name the folder after -o")
    return name


def _described(reviews: Path | None) -> dict[str, Any]:
    if reviews is None:
        return {}
    with reviews.open(encoding="utf-8") as lines:
        count = sum(1 for line in lines if line.strip())
    return {"reviews": count, "file": reviews.name, "sha256": _sha256(reviews)}


def _read_object(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        raise ModelRegistryError("is no JSON", item=str(path), remedy="restore it") from None
    return data if isinstance(data, dict) else {}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
