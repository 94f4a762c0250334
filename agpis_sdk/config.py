"""Settings: `agpis.toml` or `[tool.agpis]` in pyproject.toml, strict, every section one model.

Precedence, highest first: `--set` > file > profile > default. `SettingsSource` remembers where each value came from.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agpis_sdk.errors import ConfigError, first_problem, nearest
from agpis_sdk.wording import shortened

SHOP_FILE = "shop.json"
CONFIG_FILE = "agpis.toml"
SCHEME = re.compile(r"[a-z][a-z0-9+.-]+")
PYPROJECT_TABLE = re.compile(r"^\s*\[tool\.agpis[.\]]", re.MULTILINE)
MAX_DEPTH = 20

Score = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """A section of the config: frozen, and an unknown key is an error."""

    # Neither NaN nor infinity is a setting: a limit of inf is none, and no comparison with NaN holds.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RunSection(Section):
    """How a run runs."""

    batch_size: int = Field(default=16, ge=1, description="Products in one micro-batch.")
    threads: int = Field(default=2, ge=1, description="Threads that read and decode images.")
    seed: int = Field(default=0, description="Seed of everything random; mixed with the product id.")
    device: str = Field(default="cpu", description="torch device that models run on.")
    max_failures: int = Field(
        default=20, ge=1, description="A component that has failed on this many items is dropped for the run."
    )
    hold_unjudged: bool = Field(
        default=True,
        description="Hold a product that a checker of an error rule could not judge; false submits it by p^t alone.",
    )


class MediaSection(Section):
    """How image bytes come in, and what is refused."""

    working_side: int = Field(
        default=512, ge=64, description="Images are decoded to at most this long side, in pixels."
    )
    max_images: int = Field(
        default=100, ge=1, description="Images of one product that are looked at, the first listed ones."
    )
    max_bytes: int = Field(default=64_000_000, ge=1, description="Files beyond this many bytes are not read.")
    max_pixels: int = Field(default=64_000_000, ge=1, description="Images beyond width x height are not decoded.")
    max_decoded: int = Field(
        default=512_000_000,
        ge=1,
        description="Bytes of decoded images in one micro-batch, of which two are in memory; it has fewer products where "
        "these have many images, but at least one.",
    )
    timeout: float = Field(
        default=20.0,
        gt=0,
        le=3600,
        description="Seconds for a remote file as a whole: look-up, redirects, retries and the last byte.",
    )
    retries: int = Field(
        default=2, ge=0, le=10, description="Further attempts after HTTP 429, 5xx and connections that break off."
    )
    connections_per_host: int = Field(default=6, ge=1, description="Connections that one host has to bear at a time.")
    cache: str = Field(
        default="",
        description="Folder that keeps remote images between runs (extra cache); nothing is kept where it is empty.",
    )
    schemes: tuple[str, ...] = Field(
        default=("file", "http", "https"),
        description="Schemes of uris that are read, paths aside; s3, gs, az and others need their fsspec package.",
    )
    allow_outside: bool = Field(
        default=False, description="Read files that are not below the folder of the file that lists them."
    )
    allow_private: bool = Field(
        default=False,
        description="Fetch from addresses that are not of the public internet: loopback, private, metadata.",
    )

    @field_validator("schemes")
    @classmethod
    def _schemes_are_names(cls, schemes: tuple[str, ...]) -> tuple[str, ...]:
        """Write schemes in lower case; refuse what is none, and what would read any file of this machine."""
        lowered = tuple(scheme.lower() for scheme in schemes)
        for scheme in lowered:
            if not SCHEME.fullmatch(scheme):
                raise ValueError(f'"{scheme}" is no scheme; write it without colon, as in ["file", "https", "s3"]')
            if scheme == "local":
                raise ValueError('"local" reads any file; use "file" and media.allow_outside')
        return lowered


class BackboneSection(Section):
    """Which backbone turns pixels into features."""

    name: str = Field(default="efficientnet-lite0", description="A backbone that some plugin announces.")


class PrimarySection(Section):
    """How the primary image is chosen (paper section 3.3.1)."""

    selector: str = Field(default="primary", description="A primary selector that some plugin announces.")
    threshold: float = Field(default=0.05, ge=0, le=1, description="p_primary must reach this, or the product ends.")
    margin: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Of images whose p_primary is by no larger share below the largest, the first listed wins.",
    )


class NoncomplianceSection(Section):
    """Which images hold content that their rules forbid (paper section 3.3.1)."""

    threshold: float = Field(
        default=0.5, ge=0, le=1, description="An image whose p_nc reaches this is never in a sequence."
    )


class SequenceSection(Section):
    """How the target sequence is built and judged (paper sections 3.3.2 and 3.4)."""

    length: int = Field(default=3, ge=1, description="K^t, the number of images that a sequence should have.")
    min_length: int = Field(
        default=1,
        ge=0,
        description="Fewest images of a sequence where fewer are usable; 0 asks for the whole length, as the paper does.",
    )
    builder: str = Field(default="search", description="A sequence builder that some plugin announces.")
    scorer: str = Field(default="muisc", description='The sequence checker that gives p^t; "none" runs stage 1 alone.')
    threshold: float = Field(default=0.3, ge=0, le=1, description="th^t: submit from this p^t on (paper section 5.1).")

    @property
    def fewest(self) -> int:
        """The fewest images that a sequence may have."""
        return min(self.min_length, self.length) or self.length


class RulesSection(Section):
    """Which rules are reported, and from which score on."""

    select: tuple[str, ...] = Field(default=(), description="Codes, names or code prefixes; empty means all.")
    ignore: dict[str, str] = Field(default_factory=dict, description="Code, name or prefix, and the reason why.")
    thresholds: dict[str, Score] = Field(
        default_factory=dict, description="Code or name, and the score from which on, 0 to 1."
    )
    severities: dict[str, Literal["error", "warning"]] = Field(
        default_factory=dict, description='Code or name, and "error" or "warning" in place of the rule\'s own severity.'
    )


class IndexSection(Section):
    """How `agpis index` finds one picture under several products."""

    neighbors: int = Field(default=10, ge=1, description="Pictures of other products that are compared with each.")
    min_similarity: float = Field(
        default=0.6,
        ge=-1,
        le=1,
        description="Cosine similarity below which two pictures are not compared; above it, the pixels decide.",
    )
    rules: tuple[str, ...] = Field(
        default=("exact-copy", "duplicate-content"),
        description="Rules of image pairs by which two pictures are the same, in the order in which they are asked.",
    )
    exact_up_to: int = Field(
        default=50_000,
        ge=0,
        description="Up to so many pictures every one is looked at; beyond, an IVF index is built.",
    )
    probed_share: float = Field(
        default=0.2, gt=0, le=1, description="Share of the IVF index that a search looks through: speed against recall."
    )


class PluginsSection(Section):
    """Which plugins are loaded."""

    block: tuple[str, ...] = Field(default=(), description="Plugins or distributions that are not loaded.")
    require: tuple[str, ...] = Field(default=(), description='Distributions that must be there: "agpis-text>=0.1".')
    load: tuple[str, ...] = Field(default=(), description="Further modules to load: local plugins without packaging.")
    strict: bool = Field(default=False, description="A plugin that fails to load ends the run.")
    time_limit: float = Field(
        default=300.0,
        ge=0,
        allow_inf_nan=False,
        description="Seconds that a call of a component may take, unless it is built in; 0 sets no limit.",
    )
    isolate: Literal["third-party", "asked", "none"] = Field(
        default="third-party",
        description="Components that run in a process of their plugin's own: those that are not built in and those whose "
        "spec asks for it, the latter alone, or none.",
    )
    memory_limit: int = Field(
        default=8_000_000_000,
        ge=0,
        description="Bytes of memory that the process of a plugin may take (Linux); 0 sets no limit.",
    )


class Config(Section):
    """Everything that can be set."""

    run: RunSection = RunSection()
    media: MediaSection = MediaSection()
    backbone: BackboneSection = BackboneSection()
    noncompliance: NoncomplianceSection = NoncomplianceSection()
    primary: PrimarySection = PrimarySection()
    sequence: SequenceSection = SequenceSection()
    rules: RulesSection = RulesSection()
    index: IndexSection = IndexSection()
    plugins: PluginsSection = PluginsSection()
    components: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="One table per component: [components.duplicates] …"
    )


@dataclass(frozen=True)
class LoadedConfig:
    """A validated config, and for each dotted key where its value came from."""

    config: Config
    origins: Mapping[str, str]


def load_config(
    path: Path | None = None,
    *,
    overrides: Iterable[str] = (),
    profile: tuple[str, Mapping[str, Any]] | None = None,
    shop: Path | None = None,
    directory: Path | None = None,
) -> LoadedConfig:
    """Read the config file (or look for one in `directory`), lay it over the profile, a shop's folder over both, and `key=value` over all.

    Raises `ConfigError` naming the key and the nearest known one, and where a file of a folder above, which nobody named,
    would have code loaded.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    if profile is not None:
        merge(merged, profile[1], origins, f"profile {profile[0]}")
    here = directory or Path.cwd()
    found = path if path is not None else _find(here)
    if found is not None:
        read = _read(found)
        if path is None and found.parent != here:
            _refuse_to_load(read, found)
        merge(merged, read, origins, str(found))
    if shop is not None:
        merge(merged, _read_shop(shop), origins, str(shop))
    for override in overrides:
        key, value = _parse_override(override)
        nested: dict[str, Any] = {}
        _put(nested, key, value)
        merge(merged, nested, origins, "--set")
    return LoadedConfig(validate(Config, merged, item="config"), origins)


def validate(model: type[BaseModel], data: Mapping[str, Any], *, item: str) -> Any:
    """Validate settings; an unknown key is answered with the nearest known one."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problem = first_problem(error)
        if problem.unknown_field:
            parent = _model_at(model, problem.path[:-1])
            remedy = nearest(str(problem.path[-1]), parent.model_fields)
            raise ConfigError("unknown key", item=f"{item}: {problem.place}", remedy=remedy) from None
        raise ConfigError(
            f"{problem.what}, got {shortened(repr(problem.given))}",
            item=f"{item}: {problem.place}",
            remedy=_range_at(model, problem.path) or "see: agpis config schema",
        ) from None


def config_schema(components: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """Return the JSON schema of the whole config, the settings of all known components included."""
    schema = Config.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    properties: dict[str, Any] = {}
    for name, model in sorted(components.items()):
        own = model.model_json_schema(ref_template="#/$defs/{model}")
        definitions.update(own.pop("$defs", {}))
        # Named by the component: two plugins may both call their settings "Settings".
        definitions[f"components.{name}"] = own
        properties[name] = {"$ref": f"#/$defs/components.{name}"}
    schema["properties"]["components"] = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema


def _find(directory: Path) -> Path | None:
    for folder in (directory, *directory.parents):
        if (folder / CONFIG_FILE).is_file():
            return folder / CONFIG_FILE
        project = folder / "pyproject.toml"
        if project.is_file() and _has_settings(project.read_text(encoding="utf-8", errors="replace")):
            return project
    return None


def _refuse_to_load(settings: Mapping[str, Any], path: Path) -> None:
    """Refuse to run code because of a file that lies somewhere above: whoever means it names the file."""
    plugins = settings.get("plugins")
    if isinstance(plugins, Mapping) and plugins.get("load"):
        raise ConfigError(
            "would load local plugins, and was found in a folder above this one",
            item=f"{path}: plugins.load",
            remedy=f"to allow it: --config {path}",
        )


def _has_settings(project: str) -> bool:
    """Tell whether the text of a pyproject.toml has settings for agpis, as a table or as `agpis = …` under [tool]."""
    if PYPROJECT_TABLE.search(project):
        return True
    if "agpis" not in project:
        return False
    try:
        tool = tomllib.loads(project).get("tool")
    except (ValueError, RecursionError):
        return False  # a project of someone else's, whose faults are not ours to report
    return isinstance(tool, dict) and "agpis" in tool


def _read(path: Path) -> dict[str, Any]:
    """Return the settings of a file; raises `ConfigError` where it is no TOML, or holds no table of them."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", item=str(path), remedy="check --config") from None
    except RecursionError:
        raise _too_deep(str(path)) from None
    except ValueError as error:  # no TOML, no UTF-8, or a number of 5,000 digits
        raise ConfigError(f"is not TOML: {error}", item=str(path)) from None
    if path.name == "pyproject.toml":
        for table, dotted in (("tool", "tool"), ("agpis", "tool.agpis")):
            data = data.get(table, {})
            if not isinstance(data, dict):
                what = f'"{dotted}" is {shortened(repr(data))}, not a table'
                raise ConfigError(what, item=str(path), remedy="write the settings under [tool.agpis]")
    return data


def _read_shop(folder: Path) -> dict[str, Any]:
    """Return what `agpis adapt` wrote; a value that begins with "./" is a file in the shop's folder."""
    path = folder / SHOP_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is not JSON"
        raise ConfigError(reason, item=str(path), remedy="name a folder that `agpis adapt` wrote") from None
    if not isinstance(data, dict):
        raise ConfigError("is not an object", item=str(path), remedy="run `agpis adapt` again")
    return _with_paths(data, folder)


def _with_paths(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    return {
        key: _with_paths(value, folder)
        if isinstance(value, dict)
        else str(folder / value)
        if isinstance(value, str) and value.startswith("./")
        else value
        for key, value in settings.items()
    }


def _too_deep(item: str) -> ConfigError:
    return ConfigError(f"is nested deeper than {MAX_DEPTH} levels", item=item, remedy="see: agpis config schema")


def _parse_override(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(
            "is not key=value", item=f"--set {shortened(text)}", remedy="for example --set sequence.length=4"
        )
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except RecursionError:
        raise _too_deep(f"--set {shortened(text)}") from None
    except ValueError:  # no TOML: a plain word
        return key.strip(), value.strip()


def _put(target: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for parent in parents:
        target = target.setdefault(parent, {})
    target[last] = value


def merge(base: dict[str, Any], new: Mapping[str, Any], origins: dict[str, str], origin: str, prefix: str = "") -> None:
    """Lay settings over others, table by table, and note in `origins` where each dotted key came from."""
    if prefix.count(".") > MAX_DEPTH:
        raise _too_deep(origin)
    for key, value in new.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping):
            below = base.setdefault(key, {})
            if not isinstance(below, dict):
                below = base[key] = {}
            merge(below, value, origins, origin, f"{dotted}.")
        else:
            base[key] = value
            origins[dotted] = origin


def _range_at(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    """Return the range of numbers that a setting takes, "" where it has none."""
    schema = model.model_json_schema()
    definitions, node = schema.get("$defs", {}), schema
    for part in location:
        node = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
        reference = (node if "$ref" in node else (node.get("allOf") or [{}])[0]).get("$ref", "")
        node = definitions.get(reference.rpartition("/")[2], node)
    low = [f"at least {node['minimum']:g}"] if "minimum" in node else []
    low += [f"above {node['exclusiveMinimum']:g}"] if "exclusiveMinimum" in node else []
    high = [f"at most {node['maximum']:g}"] if "maximum" in node else []
    return f"a number, {' and '.join(low + high)}" if low or high else ""


def _model_at(model: type[BaseModel], location: tuple[str | int, ...]) -> type[BaseModel]:
    """Return the innermost model on the way to a place; a table of models by name is on the way, too."""
    below: Any = model
    for part in location:
        if get_origin(below) is dict:
            below = get_args(below)[1]
        else:
            field = model.model_fields.get(str(part))
            below = field.annotation if field else None
        if isinstance(below, type) and issubclass(below, BaseModel):
            model = below
        elif get_origin(below) is not dict:
            return model
    return model


def flatten(config: Config) -> dict[str, Any]:
    """Return the config as dotted keys and plain values, in the order of the sections."""
    flat: dict[str, Any] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict) and value:
            for key, below in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), below)
        else:
            flat[prefix] = value

    walk("", json.loads(config.model_dump_json()))
    return flat
