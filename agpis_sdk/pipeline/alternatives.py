"""What another listed image of the product can do about a finding: take a place, come first, or stay alone of two copies.

A remedy of a rule speaks of any product. Here it is told about this one, where one of its own images is the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from agpis_sdk.pipeline.batch import ProductState
from agpis_sdk.records import Finding
from agpis_sdk.rules import Rule, RuleSet
from agpis_sdk.wording import shortened

FIRST_VIEWS: Final = ("front", "angle", "model")
"""What an image may show that is proposed as the first one, where its view is known."""


@dataclass(frozen=True)
class Alternatives:
    """The listed images of a product, and which of them stand in its `sequence`; in an audit these are all."""

    progress: ProductState
    rules: RuleSet
    sequence: tuple[str, ...]

    def told(self) -> Iterator[Finding]:
        """Yield the product's findings, the remedies with the image that is the answer where there is one."""
        for finding in self.progress.findings:
            rule = self.rules[finding.code]
            answer = self._answer(finding, rule)
            if not answer:
                yield finding
            elif finding.remedy in ("", rule.remedy) and (_keeps_one(rule) or rule.mended_by == "first"):
                yield finding.model_copy(update={"remedy": answer})  # it says the same, and of which image
            else:
                yield finding.model_copy(update={"remedy": _or(finding.remedy, answer)})

    def _answer(self, finding: Finding, rule: Rule) -> str:
        if _keeps_one(rule) and len(finding.images) == 2:
            return self._one_of(finding.images)
        if rule.mended_by == "first":
            return _sentence(
                'Choose image "{}" as the first image.', self._first_instead_of(finding, self.sequence[:1])
            )
        if rule.mended_by == "view":
            return _sentence('Image "{}" shows another view: choose it.', self._other_view(finding))
        if rule.mended_by == "image" and len(finding.images) == 1:
            return self._instead_of(finding)
        return ""

    def _one_of(self, pair: Sequence[str]) -> str:
        gone = [image_id for image_id in pair if image_id in self.progress.removed]
        if len(gone) > 1:
            return ""
        drop = gone[0] if gone else image_to_drop(self.progress, pair, self.sequence[:1], self._faulty())
        (keep,) = (image_id for image_id in pair if image_id != drop)
        return f'Keep image "{shortened(keep)}" and remove image "{shortened(drop)}".'

    def _instead_of(self, finding: Finding) -> str:
        """Return what takes the place of one image: of the first any good one, of another one that is not chosen yet."""
        (image_id,) = finding.images
        first = self.sequence[:1]
        if image_id in first:
            return _sentence('Choose image "{}" as the first image.', self._first_instead_of(finding, first))
        if image_id in self.sequence:
            return _sentence('Choose image "{}" instead.', self._best(finding, self._unlike_the_others(image_id)))
        listed_first = self.progress.product.images[0].id == image_id
        return _sentence(
            'Image "{}" was chosen as the first image instead.', first[0] if first and listed_first else ""
        )

    def _first_instead_of(self, finding: Finding, first: Sequence[str]) -> str:
        others = [image.id for image in self.progress.usable if image.id not in first]
        return self._best(finding, [image_id for image_id in others if self._may_come_first(image_id)])

    def _other_view(self, finding: Finding) -> str:
        views = self.progress.views
        shown = {views[image_id].name for image_id in self.sequence if image_id in views}
        unused = [image.id for image in self.progress.usable if image.id not in self.sequence]
        return self._best(finding, [one for one in unused if one in views and views[one].name not in shown])

    def _unlike_the_others(self, image_id: str) -> list[str]:
        """Return the images that are not chosen, and that no finding about a pair sets against one that stays."""
        staying = set(self.sequence) - {image_id}
        unused = {image.id for image in self.progress.usable} - set(self.sequence)
        for finding in self.progress.findings:
            if len(finding.images) == 2 and staying & set(finding.images):
                unused -= set(finding.images)
        return [image.id for image in self.progress.usable if image.id in unused]

    def _may_come_first(self, image_id: str) -> bool:
        view = self.progress.views.get(image_id)
        return view is None or (view.name in FIRST_VIEWS and view.whole >= 0.5)

    def _best(self, finding: Finding, images: Sequence[str]) -> str:
        """Return the image with the fewest faults of its own; "" where all have the same fault, or one that blocks."""
        about = {image_id: [one for one in self.progress.findings if one.images == (image_id,)] for image_id in images}
        blocked = self._faulty()
        fit = [
            image_id
            for image_id, own in about.items()
            if image_id not in blocked and all(one.code != finding.code for one in own)
        ]
        progress = self.progress
        return min(
            fit,
            # An audit knows no p_primary: there the view decides, then the listed order.
            key=lambda one: (len(about[one]), -progress.p_primary.get(one, 0.0), self._rank_of_view(one)),
            default="",
        )

    def _rank_of_view(self, image_id: str) -> int:
        view = self.progress.views.get(image_id)
        return FIRST_VIEWS.index(view.name) if view is not None and view.name in FIRST_VIEWS else len(FIRST_VIEWS)

    def _faulty(self) -> frozenset[str]:
        """Return the images that a finding of severity "error" is about alone."""
        errors = [finding for finding in self.progress.findings if self.rules[finding.code].severity == "error"]
        return frozenset(finding.images[0] for finding in errors if len(finding.images) == 1)


def image_to_drop(
    progress: ProductState, pair: Sequence[str], first: Sequence[str | None], faulty: frozenset[str] = frozenset()
) -> str:
    """Return which image of a violating pair goes: a faulty one, then one that does not come first, then by p_nc.

    One without p_nc loses, and so does the later of two equals.
    """
    positions = {image_id: position for position, image_id in enumerate(progress.images)}
    return max(
        pair,
        key=lambda image_id: (
            image_id in faulty,
            image_id not in first,
            progress.p_noncompliant.get(image_id, 1.0),
            positions[image_id],
        ),
    )


def _keeps_one(rule: Rule) -> bool:
    return rule.category == "image-pair" and rule.severity == "error"


def _or(remedy: str, answer: str) -> str:
    """Return a remedy with its alternative, or the alternative alone.

    >>> _or("Take the photo again.", 'Choose image "back" instead.')
    'Take the photo again. Or choose image "back" instead.'
    """
    if remedy and answer.startswith("Choose"):
        answer = f"Or c{answer[1:]}"
    return f"{remedy} {answer}".strip()


def _sentence(words: str, image_id: str) -> str:
    return words.format(shortened(image_id)) if image_id else ""
