"""One pass of the backbone over images; its facts serve all components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agpis_sdk.components import DecodedImage
from agpis_sdk.errors import ComponentError
from agpis_sdk.pipeline.context import RunContext
from agpis_sdk.pipeline.invoke import Component, Failure, Invoker


def compute_features(
    backbone: Component, images: Sequence[DecodedImage], context: RunContext, invoker: Invoker
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

    computed, failures = invoker.call(backbone, images, run, lambda _, result: result)
    view = context.for_component(backbone.owned.spec)
    for image, facts in computed:
        for name in names:
            view.provide(image, name, facts[name])
    return failures
