"""Trains what a run learns from its reviewers: first image, non-compliance and p^t, one after the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agpis_sdk.config import Config
from agpis_sdk.errors import ConfigError, TrainingDataError
from agpis_sdk.pipeline.weights_digest import shipped_weights
from agpis_sdk.plugins import OwnedSpec, PluginHost
from agpis_sdk.training.components import train, trainer_settings
from agpis_sdk.training.request import TrainingRequest

NONCOMPLIANCE = "p_noncompliant"
NO_SCORER = "none"
GOES_ON_FROM = "adapt"
"""The option by which a trainer goes on from a trained model."""


@dataclass(frozen=True)
class Trained:
    """What became of one component: its figures, or why it could not learn."""

    component: str
    figures: Mapping[str, Any] | None
    error: TrainingDataError | None = None


def taught_by_reviewers(host: PluginHost, config: Config) -> dict[str, OwnedSpec]:
    """Return the components of a run that reviews teach and that have a trainer, by name.

    They are the primary selector and the scorer that the config names, and what provides p_nc.
    """
    chosen = [host.named("agpis_primary_selectors", config.primary.selector, setting="primary.selector")]
    chosen += [owned for _, owned in host.all_specs() if NONCOMPLIANCE in owned.spec.provides]
    if config.sequence.scorer != NO_SCORER:
        chosen.append(host.named("agpis_sequence_checkers", config.sequence.scorer, setting="sequence.scorer"))
    return {owned.spec.name: owned for owned in chosen if owned.spec.trainer}


def train_all(host: PluginHost, config: Config, request: TrainingRequest, only: Collection[str] = ()) -> list[Trained]:
    """Train each of them, or those named, into a folder of its name below `request.out`; one that cannot learn does not end the others.

    A trainer with the option `adapt` goes on from the model in force. Raises `ConfigError` for a name that is none of them.
    """
    taught = taught_by_reviewers(host, config)
    unknown = sorted(set(only) - taught.keys())
    if unknown:
        raise ConfigError(
            "is not taught by reviews", item=f'component "{unknown[0]}"', remedy=f"those that are: {', '.join(taught)}"
        )
    return [_trained(owned, host, config, request) for name, owned in taught.items() if not only or name in only]


def model_in_force(owned: OwnedSpec, host: PluginHost, config: Config) -> str:
    """Return the folder or file of the model that a component runs with: that of its settings, or the one that ships."""
    settings = host.settings_of(owned, config.components).model_dump()
    named = next((settings[field] for field in ("model", "weights") if settings.get(field)), None)
    return str(named or shipped_weights(owned) or owned.spec.name)


def _trained(owned: OwnedSpec, host: PluginHost, config: Config, request: TrainingRequest) -> Trained:
    name = owned.spec.name
    options = {}
    if GOES_ON_FROM in owned.spec.trainer_config.model_fields:
        options[GOES_ON_FROM] = model_in_force(owned, host, config)
    request.note(f"training {name}")
    own = replace(request, out=request.out / name, settings=trainer_settings(owned, options))
    try:
        return Trained(name, train(owned, own))
    except TrainingDataError as error:
        request.note(f"{name} learns nothing: {error}")
        return Trained(name, None, error)
