"""Everything that a run, an audit or an index shares: settings, rules, the guard, and the components of a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agpis_sdk.config import Config
from agpis_sdk.pipeline.backbone import check_backbone
from agpis_sdk.pipeline.context import RunContext
from agpis_sdk.pipeline.guard import Component, Guard
from agpis_sdk.pipeline.interruption import Interruption
from agpis_sdk.pipeline.isolation.component import Isolation, isolates
from agpis_sdk.pipeline.plan import Plan, thresholds
from agpis_sdk.pipeline.result_cache.opening import open_cache
from agpis_sdk.pipeline.result_cache.results import Found, Item, ResultCache
from agpis_sdk.pipeline.scorer import QuickScorer
from agpis_sdk.plugins import OwnedSpec, PluginHost
from agpis_sdk.rules import RuleSet


@dataclass(frozen=True)
class Run:
    """The settings and components of a run; a role that its plan leaves open is None.

    `thresholds` maps the code of each selected rule to the score from which on it is reported.
    """

    config: Config
    rules: RuleSet
    thresholds: Mapping[str, float]
    context: RunContext
    guard: Guard
    backbone: Component | None
    image_checkers: tuple[Component, ...]
    pair_checkers: tuple[Component, ...]
    sequence_checkers: tuple[Component, ...]
    selector: Component | None
    builder: Component | None
    scorer: Component | None
    cache: ResultCache | None = None


def through_cache(
    run: Run, component: Component, items: Sequence[Item], call: Callable[[Sequence[Item]], Found[Item]]
) -> Found[Item]:
    """Return what a component gives about items: from the cache what is kept there, by `call` the rest."""
    if run.cache is None:
        return call(items)
    return run.cache.call(component, items, run.context, run.guard, call)


def assemble(host: PluginHost, config: Config, plan: Plan, interruption: Interruption | None = None) -> Run:
    """Make the components of a plan, and check that their weights fit the backbone.

    Raises `PluginLoadError` where a component cannot be made, and `WeightsError` where weights do not fit.
    """
    rules = host.rules.with_severities(config.rules.severities)
    isolation = Isolation(host, config, rules)
    for owned in plan.components():
        if isolates(owned, config.plugins):
            isolation.worker_of(owned)  # its process starts while models are loaded here

    def make(owned: OwnedSpec) -> Component:
        if isolates(owned, config.plugins):
            return Component(owned, isolation.create(owned))
        return Component(owned, host.create(owned, config.components, device=config.run.device))

    def make_all(specs: tuple[OwnedSpec, ...]) -> tuple[Component, ...]:
        return tuple(make(owned) for owned in specs)

    backbone = make(plan.backbone) if plan.backbone else None
    scorer = make(plan.scorer) if plan.scorer else None
    context = RunContext(config, rules, backbone.instance if backbone else None)
    guard = Guard(context, config.run.max_failures, config.plugins, interruption)
    if scorer is not None:
        context.score_with(QuickScorer(scorer, guard, context).p_qualified)
    run = Run(
        config=config,
        rules=rules,
        thresholds=thresholds(rules, config),
        context=context,
        guard=guard,
        backbone=backbone,
        image_checkers=make_all(plan.image_checkers),
        pair_checkers=make_all(plan.pair_checkers),
        sequence_checkers=make_all(plan.sequence_checkers),
        selector=make(plan.selector) if plan.selector else None,
        builder=make(plan.builder) if plan.builder else None,
        scorer=scorer,
        cache=open_cache(plan, host, config, rules),
    )
    optional = [one for one in (run.selector, run.builder, scorer) if one]
    check_backbone(backbone, [*run.image_checkers, *run.pair_checkers, *run.sequence_checkers, *optional])
    return run
