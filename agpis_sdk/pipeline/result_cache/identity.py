"""What the results of components depend on beside the images: one digest a component, so that any change is a miss."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from agpis_sdk.config import Config, flatten
from agpis_sdk.pipeline.checkpoint import FREE_SETTINGS
from agpis_sdk.pipeline.plan import Plan
from agpis_sdk.pipeline.weights_digest import WITHOUT_VERSION, weights_of
from agpis_sdk.plugins import OwnedSpec, PluginHost
from agpis_sdk.plugins.discovery import OURS
from agpis_sdk.rules import RuleSet, selected
from agpis_sdk.specs import reads_product

UNKNOWN_VERSIONS = (WITHOUT_VERSION, "?")
ENGINE = __name__.partition(".")[0]


@dataclass(frozen=True)
class Identities:
    """Digests of what results depend on.

    `components` holds those whose results about images and pairs may be kept, by name. `decoding` is that of how images are
    decoded, `outcome` that of everything an outcome depends on beside the product; None where a component does not allow it.
    """

    components: Mapping[str, bytes]
    decoding: bytes
    outcome: bytes | None

    @classmethod
    def of(cls, plan: Plan, host: PluginHost, config: Config, rules: RuleSet) -> Identities:
        """Return the identities of a plan's components."""
        everyone = plan.components()
        weights = weights_of(everyone, host, config)
        own = {
            owned.spec.name: _own(owned, weights.get(owned.spec.name, ""), host, config, rules)
            for owned in everyone
            if owned.spec.cacheable and owned.plugin.version not in UNKNOWN_VERSIONS
        }
        whole = {name: with_sources for name in own if (with_sources := _with_sources(name, own, everyone)) is not None}
        by_product = product_readers(everyone)
        # A pair checker's facts are of its own making and never kept: whoever requires them needs it to run.
        kept = [*([plan.backbone] if plan.backbone else []), *plan.image_checkers]
        kept += [one for one in plan.pair_checkers if not _is_required(one.spec.provides, everyone)]
        settings = {name: value for name, value in flatten(config).items() if name not in FREE_SETTINGS}
        return cls(
            components={
                name: whole[name] for one in kept if (name := one.spec.name) in whole and name not in by_product
            },
            decoding=digest("decoding", _code(ENGINE), _versions(OURS), config.media.working_side),
            outcome=digest("outcome", sorted(whole.items()), settings, [asdict(rule) for rule in rules])
            if len(whole) == len(everyone)
            else None,
        )


def digest(*parts: Any) -> bytes:
    """Return a digest of plain values and bytes."""
    text = json.dumps(parts, sort_keys=True, default=lambda part: part.hex() if isinstance(part, bytes) else str(part))
    return hashlib.sha256(text.encode()).digest()


def _own(owned: OwnedSpec, weights: str, host: PluginHost, config: Config, rules: RuleSet) -> bytes:
    """Return a component's digest but for the facts that it requires."""
    spec, plugin = owned.spec, owned.plugin
    settings = host.settings_of(owned, config.components).model_dump(mode="json")
    judged = [
        [asdict(rule), selected(rule, config.rules.select, config.rules.ignore)]
        for rule in rules
        if spec.raises(rule.code)
    ]
    return digest(
        [spec.name, spec.factory, plugin.distribution, plugin.version, weights, settings, judged],
        [_code(spec.factory), _code(ENGINE), _versions(plugin.distribution), _versions(OURS)],
        [config.run.device, config.run.seed, platform.python_version(), platform.machine(), sys.platform],
    )


def _with_sources(name: str, own: Mapping[str, bytes], everyone: Iterable[OwnedSpec]) -> bytes | None:
    """Return a component's digest with those of all that its facts come from; None where one of them is not known."""
    by_name = {owned.spec.name: owned.spec for owned in everyone}
    digests, seen, left = [], {name}, [name]
    while left:
        current = left.pop()
        if current not in own:
            return None
        digests.append(own[current])
        sources = {one.name for one in by_name.values() if one.provides & by_name[current].requires}
        left += sorted(sources - seen)
        seen |= sources
    return digest(digests[0], sorted(digests))


def product_readers(everyone: Sequence[OwnedSpec]) -> set[str]:
    """Return the names of components whose results depend on the product, of themselves or by a fact that they require."""
    found = {owned.spec.name for owned in everyone if reads_product(owned.spec)}
    while True:
        facts = {fact for owned in everyone if owned.spec.name in found for fact in owned.spec.provides}
        further = {owned.spec.name for owned in everyone if owned.spec.requires & facts} - found
        if not further:
            return found
        found |= further


def _is_required(facts: frozenset[str], everyone: Iterable[OwnedSpec]) -> bool:
    return any(owned.spec.requires & facts for owned in everyone)


@cache
def _code(module: str) -> str:
    """Return a digest of the Python files of the package that a module belongs to: in development no version tells it."""
    found = importlib.util.find_spec(module.partition(":")[0].partition(".")[0])
    places = [Path(place) for place in (found.submodule_search_locations or ())] if found else []
    files = sorted(file for place in places for file in place.rglob("*.py"))
    if found and not files and found.origin:
        files = [Path(found.origin)]
    summed = hashlib.sha256()
    for file in files:
        summed.update(f"{file.name}\n".encode() + file.read_bytes())
    return summed.hexdigest()


@cache
def _versions(distribution: str) -> dict[str, str]:
    """Return the versions of what a distribution requires."""
    try:
        texts = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:  # handed over as an object
        return {}
    found = {}
    for text in texts:
        try:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                found[requirement.name] = importlib.metadata.version(requirement.name)
        except (InvalidRequirement, importlib.metadata.PackageNotFoundError):
            continue
    return found
