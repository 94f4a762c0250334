"""Which components a run needs, and in which order: decided before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from agpis_sdk.components import SequenceBuilderSpec, SequenceCheckerSpec
from agpis_sdk.config import Config
from agpis_sdk.errors import ConfigError, nearest
from agpis_sdk.facts import FACTS
from agpis_sdk.plugins import OwnedSpec, PluginHost
from agpis_sdk.rules import Rule, RuleSet, matches, selected
from agpis_sdk.specs import is_costly

NO_SCORER = "none"
# Facts that the engine itself reads: they decide which of a violating pair stays (paper section 3.3.2).
ENGINE_FACTS = frozenset({"p_noncompliant"})


@dataclass(frozen=True)
class Plan:
    """The components of a run, image checkers in the order of the facts that they need; an open role is None.

    An audit chooses nothing and asks no scorer: it has no selector, builder or scorer.
    """

    image_checkers: tuple[OwnedSpec, ...]
    pair_checkers: tuple[OwnedSpec, ...]
    sequence_checkers: tuple[OwnedSpec, ...]
    backbone: OwnedSpec | None
    selector: OwnedSpec | None = None
    builder: OwnedSpec | None = None
    scorer: OwnedSpec | None = None

    def components(self) -> list[OwnedSpec]:
        """Return all components in the order in which they run."""
        ordered = [
            self.backbone, *self.image_checkers, self.selector, *self.pair_checkers, self.builder,
            *self.sequence_checkers, self.scorer,
        ]  # fmt: skip
        return [owned for owned in ordered if owned is not None]


def make_plan(host: PluginHost, config: Config) -> Plan:
    """Choose the components of a run; raises `ConfigError` for a name or a fact that nothing provides."""
    check_rule_names(host.rules, config)
    host.check_loaded()
    host.check_component_tables(config.components)
    pairs = _in_order(_needed(host, "agpis_pair_checkers", config, ENGINE_FACTS))
    sequences = _sequence_checkers(host, config)
    scorer = None
    if config.sequence.scorer != NO_SCORER:
        scorer = host.named("agpis_sequence_checkers", config.sequence.scorer, setting="sequence.scorer")
        _refuse_without_probability(scorer)
    selector = host.named("agpis_primary_selectors", config.primary.selector, setting="primary.selector")
    builder = host.named("agpis_sequence_builders", config.sequence.builder, setting="sequence.builder")
    _refuse_without_scorer(builder, scorer)
    backbone = host.named("agpis_backbones", config.backbone.name, setting="backbone.name")
    later = [selector, *pairs, builder, *sequences, *([scorer] if scorer else [])]
    images = _in_order(_with_providers(host, _needed(host, "agpis_image_checkers", config, ENGINE_FACTS), later))
    everyone = [*images, *later]
    _check_facts(everyone, backbone)
    return Plan(
        image_checkers=tuple(images),
        pair_checkers=tuple(pairs),
        sequence_checkers=tuple(sequences),
        selector=selector,
        builder=builder,
        scorer=scorer,
        backbone=backbone if _requires_one_of(everyone, backbone.spec.provides) else None,
    )


def make_audit_plan(host: PluginHost, config: Config) -> Plan:
    """Choose the components of an audit; raises `ConfigError` also where nothing can raise a selected rule."""
    check_rule_names(host.rules, config)
    host.check_loaded()
    host.check_component_tables(config.components)
    pairs = _in_order(_needed(host, "agpis_pair_checkers", config))
    sequences = _sequence_checkers(host, config)
    backbone = host.named("agpis_backbones", config.backbone.name, setting="backbone.name")
    later = [*pairs, *sequences]
    images = _in_order(_with_providers(host, _needed(host, "agpis_image_checkers", config), later))
    everyone = [*images, *later]
    # What cannot be read is found by the engine itself: whoever selects its rules needs no checker.
    of_engine = any(rule.category == "engine" and matches(rule, config.rules.select) for rule in host.rules)
    if not everyone and not of_engine:
        raise ConfigError(
            "no checker raises any of the selected rules",
            item="rules.select",
            remedy="`agpis rules` says what finds a rule; what the sequence model knows, `agpis run` finds",
        )
    _check_facts(everyone, backbone)
    needs_backbone = _requires_one_of(everyone, backbone.spec.provides)
    known = frozenset(backbone.spec.provides if needs_backbone else ()).union(*(one.spec.provides for one in images))
    return Plan(
        image_checkers=(*images, *_telling_views(host, known)),
        pair_checkers=tuple(pairs),
        sequence_checkers=tuple(sequences),
        backbone=backbone if needs_backbone else None,
    )


def make_facts_plan(host: PluginHost, config: Config, facts: frozenset[str]) -> Plan:
    """Choose the components that provide some facts about images; raises `ConfigError` for a fact that nothing provides."""
    host.check_loaded()
    host.check_component_tables(config.components)
    backbone = host.named("agpis_backbones", config.backbone.name, setting="backbone.name")
    providers = [owned for owned in host.specs("agpis_image_checkers").values() if owned.spec.provides & facts]
    images = _in_order(_with_providers(host, providers, ()))
    _check_facts(images, backbone)
    known = backbone.spec.provides.union(*(owned.spec.provides for owned in images))
    for fact in sorted(facts - known):
        every = known.union(*(owned.spec.provides for owned in host.specs("agpis_image_checkers").values()))
        raise ConfigError("is a fact that nothing provides", item=fact, remedy=_provided_by(fact, every))
    needed = bool(facts & backbone.spec.provides) or _requires_one_of(images, backbone.spec.provides)
    return Plan(tuple(images), (), (), backbone=backbone if needed else None)


def _telling_views(host: PluginHost, known: frozenset[str]) -> list[OwnedSpec]:
    """Return what tells the views of images from facts that are there anyway: a remedy may then name a first image."""
    if "view" in known:
        return []
    providers = [owned for owned in host.specs("agpis_image_checkers").values() if "view" in owned.spec.provides]
    return [owned for owned in providers if owned.spec.requires <= known and not owned.spec.rules][:1]


def _sequence_checkers(host: PluginHost, config: Config) -> list[OwnedSpec]:
    """Return the sequence checkers that are no scorers, in order."""
    needed = _needed(host, "agpis_sequence_checkers", config)
    return _in_order(
        [
            owned
            for owned in needed
            if not (isinstance(owned.spec, SequenceCheckerSpec) and owned.spec.gives_probability)
        ]
    )


def _requires_one_of(components: Sequence[OwnedSpec], facts: frozenset[str]) -> bool:
    return any(owned.spec.requires & facts for owned in components)


def _refuse_without_probability(scorer: OwnedSpec) -> None:
    if not (isinstance(scorer.spec, SequenceCheckerSpec) and scorer.spec.gives_probability):
        raise ConfigError(
            "gives no probability, so it cannot be the scorer",
            item=f'sequence.scorer = "{scorer.spec.name}" ({scorer.plugin.owner})',
            remedy='name a checker announced with gives_probability=True, or "none"',
        )


def _refuse_without_scorer(builder: OwnedSpec, scorer: OwnedSpec | None) -> None:
    if isinstance(builder.spec, SequenceBuilderSpec) and builder.spec.needs_scorer and scorer is None:
        raise ConfigError(
            "chooses by p^t, and there is no scorer",
            item=f'sequence.builder = "{builder.spec.name}" ({builder.plugin.owner})',
            remedy='set sequence.scorer, or sequence.builder = "random"',
        )


def check_rule_names(rule_set: RuleSet, config: Config) -> None:
    """Refuse a `select`, `ignore` or `thresholds` entry that no rule answers to."""
    known = [*(rule.code for rule in rule_set), *(rule.name for rule in rule_set)]
    for setting, keys in (("thresholds", config.rules.thresholds), ("severities", config.rules.severities)):
        for key in keys:
            if key not in rule_set:
                raise ConfigError("no such rule", item=f"rules.{setting}.{key}", remedy=nearest(key, known))
    for setting, entries in (("select", config.rules.select), ("ignore", tuple(config.rules.ignore))):
        for entry in entries:
            prefix = any(rule.code.startswith(entry.upper()) for rule in rule_set)
            if not entry or (entry not in rule_set and not prefix):
                raise ConfigError(
                    "no rule answers to it", item=f'rules.{setting}: "{entry}"', remedy=nearest(entry, known)
                )


def thresholds(rule_set: RuleSet, config: Config) -> dict[str, float]:
    """Return for each selected rule's code the score from which on it is reported."""
    wanted = {rule_set[key].code: value for key, value in config.rules.thresholds.items()}
    return {rule.code: wanted.get(rule.code, rule.threshold) for rule in rule_set if _selected(rule, config)}


def reportable_rules(host: PluginHost, config: Config) -> list[Rule]:
    """Return the selected rules that mean something here: one of a plugin's profiles only where the plugin is configured."""
    configured = [owned.spec for _, owned in host.all_specs() if owned.spec.table in config.components]
    declared = {rule.code for spec in configured for rule in spec.rules}
    return [
        rule
        for rule in host.rules
        if _selected(rule, config) and (rule.code in declared or not host.is_of_a_profile(rule))
    ]


def _selected(rule: Rule, config: Config) -> bool:
    return selected(rule, config.rules.select, config.rules.ignore)


def _needed(host: PluginHost, hook: str, config: Config, facts: frozenset[str] = frozenset()) -> list[OwnedSpec]:
    """Return the checkers that can raise a selected rule or provide one of the facts."""
    chosen = [rule for rule in host.rules if _selected(rule, config) and rule.category != "engine"]
    return [
        owned
        for owned in host.specs(hook).values()
        if any(owned.spec.raises(rule.code) for rule in chosen) or owned.spec.provides & facts
    ]


def _with_providers(host: PluginHost, checkers: list[OwnedSpec], later: Sequence[OwnedSpec]) -> list[OwnedSpec]:
    """Add the image checkers that report nothing in this run, but provide a fact that another component requires."""
    chosen = list(checkers)
    while True:
        required = frozenset().union(*(owned.spec.requires for owned in [*chosen, *later]))
        more = [
            owned
            for owned in host.specs("agpis_image_checkers").values()
            if owned not in chosen and owned.spec.provides & required
        ]
        if not more:
            return chosen
        chosen += more


def _check_facts(components: Sequence[OwnedSpec], backbone: OwnedSpec) -> None:
    """Refuse a fact that two components provide, that none does, or that comes too late; `components` as they run."""
    provider: dict[str, OwnedSpec] = dict.fromkeys(backbone.spec.provides, backbone)
    for owned in components:
        for fact in owned.spec.provides:
            if fact in provider:
                raise ConfigError(
                    f'fact "{fact}" is provided by both {provider[fact].plugin.owner} and {owned.plugin.owner}',
                    item=owned.spec.name,
                    remedy=f'set plugins.block = ["{owned.plugin.name}"]',
                )
            provider[fact] = owned
    for owned in components:
        for fact in owned.spec.requires:
            if fact not in provider:
                raise ConfigError(
                    f'requires fact "{fact}", which nothing provides',
                    item=f"{owned.spec.name} ({owned.plugin.owner})",
                    remedy=_provided_by(fact, provider),
                )
            source = provider[fact]
            if source is not backbone and components.index(source) >= components.index(owned):
                raise ConfigError(
                    f'requires fact "{fact}", which {source.spec.name} provides only later in the run',
                    item=f"{owned.spec.name} ({owned.plugin.owner})",
                    remedy=f'set plugins.block = ["{owned.plugin.name}"]',
                )


def _provided_by(fact: str, provided: Iterable[str]) -> str:
    if fact in FACTS:
        return f"install or unblock a plugin that provides it ({FACTS[fact].type}: {FACTS[fact].meaning})"
    return nearest(fact, provided)


def _in_order(checkers: list[OwnedSpec]) -> list[OwnedSpec]:
    """Sort checkers so that a fact is provided before it is required; otherwise by name, the costly ones last."""
    by_name = {owned.spec.name: owned for owned in checkers}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for owned in checkers:
        needs = [other.spec.name for other in checkers if owned.spec.requires & other.spec.provides and other != owned]
        sorter.add(owned.spec.name, *needs)
    try:
        sorter.prepare()
    except CycleError as error:
        raise ConfigError(f"facts go round in a circle: {' → '.join(error.args[1])}", item="plugins") from None
    ordered: list[OwnedSpec] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.extend(by_name[name] for name in ready)
        sorter.done(*ready)
    return sorted(ordered, key=lambda owned: is_costly(owned.spec))
