"""The light specs by which a plugin announces its components, and the base of their settings.

A spec is registered without importing anything heavy; its `factory` string is imported only when a run needs it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict

from agpis_sdk.rules import Rule

COMPONENT_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]*$")
FACTORY = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
EVERY_RULE: Final = ""

Reports = Literal["outcomes", "audits"]


class ComponentConfig(BaseModel):
    """The base of every component's settings: frozen; an unknown key is an error, and so is a NaN or an infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, kw_only=True)
class ComponentSpec:
    """What a plugin announces about one component without importing it.

    `factory` is `"package.module:Class"`, called with the validated config, and with `device=run.device` where it has a
    parameter of that name. `aliases` are further names by which a config may call the component, and `table` is the
    name of its table of settings, its own unless given: components of one plugin may share a table. `rules` are the
    rules that it declares and raises; `also_raises` are codes, or prefixes of codes, of rules that other components declare (`EVERY_RULE` for a
    model that learns rules from reviews). `rules_from` is `"package.module:function"` of a light function that takes
    the component's settings and returns further rules, for rules that users write in their config. `requires` and `provides` name facts. `trainer` and `evaluator` are
    `"package.module:function"` of `agpis train NAME` and `agpis evaluate` (see `agpis_sdk.training.request`), and
    `trainer_config` the trainer's options. `adapter` is `"package.module:Class"` of what `agpis adapt` lets learn from a
    shop's galleries as they are (see `agpis_sdk.training.adaptation.request`). A component that is `isolated` runs in a
    process of its own even where `plugins.isolate = "asked"`: it can crash, and its process can be killed.
    What a `cacheable` component gives may be kept between runs (`run.cache`): it depends on nothing but its settings, its
    weights (a path among its settings, or the folder `weights` beside its module), the rules that it may raise, the seed, the
    device, the facts that it requires, and, for a checker of images, the file and its pixels; not on the image's id or place,
    nor on the product (but see `ImageCheckerSpec`). A checker of pairs may also read the images' ids, and other components the whole product. Facts are kept that are arrays,
    numbers, texts, lists and tuples of them, or of a class of `agpis_sdk.facts`.
    """

    name: str
    factory: str
    aliases: tuple[str, ...] = ()
    table: str = ""
    rules: tuple[Rule, ...] = ()
    rules_from: str = ""
    also_raises: tuple[str, ...] = ()
    config: type[ComponentConfig] = ComponentConfig
    requires: frozenset[str] = field(default_factory=frozenset)
    provides: frozenset[str] = field(default_factory=frozenset)
    batch_size: int = 32
    trainer: str = ""
    trainer_config: type[ComponentConfig] = ComponentConfig
    evaluator: str = ""
    adapter: str = ""
    isolated: bool = False
    cacheable: bool = False

    def __post_init__(self) -> None:
        if not COMPONENT_NAME.match(self.name):
            raise ValueError(f'component name "{self.name}": use lower-case letters, digits, ".", "_" and "-"')
        if not FACTORY.match(self.factory):
            raise ValueError(f'component "{self.name}": factory "{self.factory}" is not "package.module:Class"')
        for role in ("rules_from", "trainer", "evaluator", "adapter"):
            reference = getattr(self, role)
            if reference and not FACTORY.match(reference):
                raise ValueError(f'component "{self.name}": {role} "{reference}" is not "package.module:function"')
        if self.batch_size < 1:
            raise ValueError(f'component "{self.name}": batch_size must be at least 1')
        if not self.table:
            object.__setattr__(self, "table", self.name)
        if not COMPONENT_NAME.match(self.table):
            raise ValueError(f'component "{self.name}": table "{self.table}" is not a name such as "{self.name}"')

    def raises(self, code: str) -> bool:
        """Return whether the component may raise the rule of a code."""
        return code.startswith(self.also_raises) or any(rule.code == code for rule in self.rules)


@dataclass(frozen=True, kw_only=True)
class ImageCheckerSpec(ComponentSpec):
    """Announces an `ImageChecker`.

    One that is `costly` runs after all others, and in a run it sees only images that they have left, of products that
    can still get a sequence. One that `reads_product` may ask for the product although it is `cacheable`: it says
    everything anew in each run, as do those that require its facts, and whole outcomes are kept all the same.
    """

    costly: bool = False
    reads_product: bool = False


def is_costly(spec: ComponentSpec) -> bool:
    """Return whether a component is an image checker that runs after all others."""
    return isinstance(spec, ImageCheckerSpec) and spec.costly


def reads_product(spec: ComponentSpec) -> bool:
    """Return whether a component is an image checker whose results depend on the product."""
    return isinstance(spec, ImageCheckerSpec) and spec.reads_product


class PairCheckerSpec(ComponentSpec):
    """Announces a `PairChecker`."""


@dataclass(frozen=True, kw_only=True)
class SequenceCheckerSpec(ComponentSpec):
    """Announces a `SequenceChecker`.

    One that `gives_probability` is a scorer: it runs only when `sequence.scorer` names it. The others always run.
    """

    gives_probability: bool = False


class PrimarySelectorSpec(ComponentSpec):
    """Announces a `PrimarySelector`."""


@dataclass(frozen=True, kw_only=True)
class SequenceBuilderSpec(ComponentSpec):
    """Announces a `SequenceBuilder`.

    One that `needs_scorer` asks the context for p^t; it is refused where `sequence.scorer` is "none".
    """

    needs_scorer: bool = False


class BackboneSpec(ComponentSpec):
    """Announces a `Backbone`; `name` is what `backbone.name` in the config selects."""


@dataclass(frozen=True, kw_only=True)
class FormatSpec(ComponentSpec):
    """What users choose by the name of a format, the component's own name unless `format` is given."""

    format: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.format:
            object.__setattr__(self, "format", self.name)
        if not COMPONENT_NAME.match(self.format):
            raise ValueError(f'component "{self.name}": format "{self.format}" is not a name such as "csv"')

    @property
    def role(self) -> str:
        """What the format is used for; no two components of a role share a format."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class ReporterSpec(FormatSpec):
    """Announces an `OutcomeReporter` or, with `reports="audits"`, an `AuditReporter`.

    `format` is what users write: the ending of `--report FILE`, or the name after `--format`. Two reporters may share a
    format where one reports outcomes and the other audits.
    """

    reports: Reports = "outcomes"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reports not in get_args(Reports):
            raise ValueError(f'component "{self.name}": reports "{self.reports}" is not "outcomes" or "audits"')

    @property
    def role(self) -> str:
        """What is reported."""
        return self.reports


@dataclass(frozen=True, kw_only=True)
class ReaderSpec(FormatSpec):
    """Announces a `ProductReader`: `format` is what users write after `--from`, `title` what people call it.

    `suffixes` are the endings of files that it may read, such as ".csv"; where they are empty it is asked about every file
    and folder. Readers of plugins are asked before the built-in ones.
    """

    title: str = ""
    suffixes: tuple[str, ...] = ()

    @property
    def role(self) -> str:
        """Products are read."""
        return "readers"


@dataclass(frozen=True, kw_only=True)
class WriterSpec(FormatSpec):
    """Announces an `OutcomeWriter`: `format` is what users write after `--export` and `--to`.

    `suffix` is what an export has behind the name of its outcomes, such as ".csv". One that `applies` decisions is given
    only what a run has submitted. One that `rewrites` takes the file that the products were read from, and writes it anew.
    """

    title: str = ""
    suffix: str = ""
    applies: bool = False
    rewrites: bool = False

    @property
    def role(self) -> str:
        """Outcomes are written."""
        return "writers"


@dataclass(frozen=True, kw_only=True)
class FixerSpec(ComponentSpec):
    """Announces a `Fixer`; `fixes` are the codes of the rules whose findings it can mend.

    `agpis fix` asks the fixers of a picture in the order of their names.
    """

    fixes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A named set of settings: over the defaults, under the user's own config."""

    name: str
    summary: str
    settings: Mapping[str, Any]
