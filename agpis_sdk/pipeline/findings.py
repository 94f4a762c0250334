"""What components return, held against the contract, and what the engine keeps of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from agpis_sdk.components import AttributedFinding, DecodedImage, ImagePair, ImageSequence
from agpis_sdk.errors import ComponentError, first_problem
from agpis_sdk.pipeline.batch import ProductState
from agpis_sdk.pipeline.guard import Component
from agpis_sdk.records import Finding, Record, SequenceVerdict, Unjudged
from agpis_sdk.rules import Rule, RuleSet

LONGEST_MESSAGE = 10_000  # characters

Checked = TypeVar("Checked", bound=Record)


def accept_judgment(
    component: Component, known: Mapping[frozenset[str], Sequence[str]], result: Any, rules: RuleSet
) -> AttributedFinding | Unjudged:
    """Check one result of a checker of images or pairs: a finding, or a rule that it could not judge."""
    if not isinstance(result, Unjudged):
        return accept_finding(component, known, result, rules)
    _declared_rule(component, result.code, rules)
    if result.product_id not in known.get(frozenset(result.images), ()):
        raise ComponentError(f"named images that it was not given: {', '.join(result.images)}")
    return result


def accept_finding(
    component: Component, known: Mapping[frozenset[str], Sequence[str]], result: Any, rules: RuleSet
) -> AttributedFinding:
    """Check one finding of a component; `known` maps the images it may name to the products they belong to."""
    if not isinstance(result, Finding):
        raise ComponentError(f"yielded {type(result).__name__}, not a Finding")
    rule = _declared_rule(component, result.code, rules)
    products = known.get(frozenset(result.images), ())
    if isinstance(result, AttributedFinding):
        if result.product_id not in products:
            raise ComponentError(f"named images that it was not given: {', '.join(result.images)}")
        product_id = result.product_id
    elif len(products) == 1:
        product_id = products[0]
    else:
        raise ComponentError("the images it names are not those of one product; build findings with image_finding")
    _refuse_stray_regions(result, result.images)
    fields = {**_filled_in(component, result, rule), "product_id": product_id}
    return _checked(AttributedFinding, {**dict(result), **fields})


def images_known(images: Iterable[DecodedImage]) -> dict[frozenset[str], list[str]]:
    """Map each image of a chunk to the products in which its id occurs."""
    known: dict[frozenset[str], list[str]] = {}
    for image in images:
        known.setdefault(frozenset([image.id]), []).append(image.product_id)
    return known


def pairs_known(pairs: Iterable[ImagePair]) -> dict[frozenset[str], list[str]]:
    """Map each pair of a chunk to the products in which its ids occur together."""
    known: dict[frozenset[str], list[str]] = {}
    for pair in pairs:
        known.setdefault(frozenset([pair.first.id, pair.second.id]), []).append(pair.first.product_id)
    return known


def accept_verdict(
    component: Component, sequences: Sequence[ImageSequence], result: Any, rules: RuleSet, *, scorer: bool
) -> SequenceVerdict:
    """Check one verdict of a sequence checker; a scorer must give a probability."""
    if not isinstance(result, SequenceVerdict):
        raise ComponentError(f"yielded {type(result).__name__}, not a SequenceVerdict")
    if (result.product_id, result.sequence) not in {(sequence.product.id, sequence.ids) for sequence in sequences}:
        raise ComponentError(f"judged a sequence that it was not given: {', '.join(result.sequence)}")
    if scorer and result.p_qualified is None:
        raise ComponentError("is the scorer but gave no p_qualified")
    verdict = _checked(SequenceVerdict, dict(result))
    findings = []
    for finding in verdict.findings:
        rule = _declared_rule(component, finding.code, rules)
        if not set(finding.images) <= set(verdict.sequence):
            raise ComponentError(f"named images outside the sequence: {', '.join(finding.images)}")
        _refuse_stray_regions(finding, verdict.sequence)
        fields = _filled_in(component, finding, rule)
        findings.append(_checked(Finding, {**_plain(finding), **fields}))
    for unjudged in verdict.unjudged:
        _declared_rule(component, unjudged.code, rules)
    return verdict.model_copy(update={"findings": tuple(findings)})


def keep_finding(progress: ProductState, finding: Finding, thresholds: Mapping[str, float], rule_set: RuleSet) -> bool:
    """Add a finding to its product if it reaches its rule's threshold; return whether it removes an image.

    A finding that the seller has suppressed is neither kept nor does it remove anything.
    """
    if any(suppression.covers(finding, rule_set) for suppression in progress.suppressions):
        return False
    if finding.code not in thresholds or finding.score < thresholds[finding.code]:
        return False
    progress.findings.append(Finding.model_validate({**_plain(finding), "score": round(finding.score, 4)}))
    return rule_set[finding.code].severity == "error"


def _declared_rule(component: Component, code: str, rules: RuleSet) -> Rule:
    if not component.owned.spec.raises(code) or code not in rules:
        raise ComponentError(f"raised {code}, which its spec does not declare")
    return rules[code]


def _checked(kind: type[Checked], fields: Mapping[str, Any]) -> Checked:
    """Validate a record as if it came from outside: a component may have made it without validation, or changed it."""
    try:
        record = kind.model_validate(fields)
    except ValidationError as error:
        raise ComponentError(f"gave a {kind.__name__} with a wrong {first_problem(error)}") from None
    message = getattr(record, "message", "")
    if len(message) > LONGEST_MESSAGE:
        raise ComponentError(f"gave a message of {len(message):,} characters, where {LONGEST_MESSAGE:,} are allowed")
    return record


def _refuse_stray_regions(finding: Finding, images: Sequence[str]) -> None:
    for region in finding.regions:
        if min(region.box[:2]) < 0 or min(region.box[2:]) < 1:
            raise ComponentError(f"gave the box {region.box}, which is not in the image")
        if region.image not in images:
            raise ComponentError(f"gave a region of an image that the finding is not about: {region.image}")


def _filled_in(component: Component, finding: Finding, rule: Rule) -> dict[str, str]:
    """Return what the engine knows of a finding: its rule's name, its checker, and what to do where that is not said."""
    return {"name": rule.name, "checker": component.name, "remedy": finding.remedy or rule.remedy}


def _plain(finding: Finding) -> dict[str, Any]:
    return finding.model_dump(exclude={"product_id"})
