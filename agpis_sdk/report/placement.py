"""Where a product's card tells each finding: under its picture, between two pictures, of the whole, or folded away."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from agpis_sdk.records import Finding, ImageState
from agpis_sdk.report.phrases import LOST_STATES
from agpis_sdk.rules import Rule


@dataclass
class Placement:
    """Findings by their place, as positions in the outcome's list.

    `under` maps an image id to what is told under its picture, `pairs` maps two ids to what is told between them, `whole`
    is about the product, and `folded` is of interest only to someone who asks about images that were not chosen.
    """

    under: dict[str, list[int]] = field(default_factory=dict)
    pairs: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    whole: list[int] = field(default_factory=list)
    folded: list[int] = field(default_factory=list)


def place(
    findings: Sequence[Finding],
    states: Mapping[str, ImageState],
    sequence: Collection[str],
    rules: Mapping[str, Rule],
) -> Placement:
    """Give each finding of an outcome one place; `states` are those of all its images, by id."""
    placement = Placement()
    for number, finding in enumerate(findings):
        images = finding.images
        if not set(images) <= set(states) or len(images) not in (1, 2):
            placement.whole.append(number)
        elif len(images) == 1:
            placement.under.setdefault(images[0], []).append(number)
        elif set(images) <= set(sequence) or _cost_an_image(finding, states, rules.get(finding.code)):
            placement.pairs.setdefault((images[0], images[1]), []).append(number)
        else:
            placement.folded.append(number)
    return placement


def _cost_an_image(finding: Finding, states: Mapping[str, ImageState], rule: Rule | None) -> bool:
    """Tell whether a finding about a pair may be why one of the two was removed."""
    removes = rule is None or rule.severity == "error"
    return removes and any(states[image_id] in LOST_STATES for image_id in finding.images)
