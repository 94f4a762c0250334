"""One pass of the backbone over images; its facts serve all components."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from agpis_sdk.components import DecodedImage, TrainedOnBackbone
from agpis_sdk.errors import AgpisError, ComponentError, PluginLoadError, in_words
from agpis_sdk.media.decode import as_image
from agpis_sdk.pipeline.context import RunContext
from agpis_sdk.pipeline.guard import Component, Failure, Guard


def compute_features(
    backbone: Component, images: Sequence[DecodedImage], context: RunContext, guard: Guard
) -> list[Failure[DecodedImage]]:
    """Provide the backbone's facts about images; return those on which it failed."""
    names = backbone.owned.spec.provides

    def checked(facts: object) -> Mapping[str, object]:
        if not isinstance(facts, Mapping) or not names <= facts.keys():
            raise ComponentError(f"gave no {', '.join(sorted(names))}")
        return facts

    def run(chunk: Sequence[DecodedImage], _: RunContext) -> list[tuple[DecodedImage, Mapping[str, object]]]:
        features = list(backbone.instance.features(chunk))
        if len(features) != len(chunk):
            raise ComponentError(f"gave {len(features)} features for {len(chunk)} images")
        return [(image, checked(facts)) for image, facts in zip(chunk, features, strict=True)]

    computed, failures = guard.call(backbone, images, run, lambda _, result: result)
    view = context.for_component(backbone.owned.spec)
    for image, facts in computed:
        for name in names:
            view.provide(image, name, facts[name])
    return failures


def check_backbone(backbone: Component | None, components: Iterable[Component]) -> None:
    """Ask every component that was trained on a backbone whether the configured one fits, before the first product.

    Raises `WeightsError` naming the weights and the remedy, and `PluginLoadError` where the backbone fails on one plain
    picture: it would fail on every product.
    """
    trained = [one for one in components if isinstance(one.instance, TrainedOnBackbone)]
    if backbone is None or not trained:
        return
    try:
        (facts,) = backbone.instance.features([as_image(np.zeros((64, 64, 3), np.uint8))])
        shapes = {name: tuple(np.shape(facts[name])) for name in backbone.owned.spec.provides}
    except Exception as error:
        raise PluginLoadError(
            f"fails on a plain picture: {in_words(error)}",
            item=backbone.label,
            remedy=backbone.owned.plugin.remedy,
        ) from error
    for one in trained:
        try:
            one.instance.check_backbone(shapes)
        except AgpisError:
            raise
        except Exception as error:
            what = f"fails on the backbone's facts: {in_words(error)}"
            raise PluginLoadError(what, item=one.label, remedy=one.owned.plugin.remedy) from error
