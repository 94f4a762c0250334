"""Findings that a seller has decided to live with: `attributes.agpis_ignore` in the product record, each with a reason.

"attributes": {"agpis_ignore": [{"rule": "AGP117", "images": ["detail"], "reason": "a close-up on purpose"}]}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError

from agpis_sdk.errors import RecordError, UnknownNameError, first_problem
from agpis_sdk.records import Finding, Product, Record
from agpis_sdk.rules import RuleSet

ATTRIBUTE = "agpis_ignore"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Suppression(Record):
    """One rule, by code or name, that is not to be reported of some images; without images, of the whole product."""

    rule: Text
    images: tuple[str, ...] = ()
    reason: Text

    def covers(self, finding: Finding, rule_set: RuleSet) -> bool:
        """Tell whether a finding is of this rule and about these images alone."""
        if rule_set[self.rule].code != finding.code:
            return False
        return not self.images or (bool(finding.images) and set(finding.images) <= set(self.images))


SUPPRESSIONS = TypeAdapter(tuple[Suppression, ...])


def read_suppressions(product: Product, rule_set: RuleSet) -> Sequence[Suppression]:
    """Return a product's suppressions.

    Raises `RecordError` naming the product where one has no reason, or names a rule or an image that there is not.
    """
    try:
        suppressions = SUPPRESSIONS.validate_python(product.attributes.get(ATTRIBUTE, ()))
    except ValidationError as error:
        raise _worded(product, error) from None
    listed = {image.id for image in product.images}
    for position, suppression in enumerate(suppressions):
        item = f'product "{product.id}", attributes.{ATTRIBUTE}.{position}'
        try:
            rule_set[suppression.rule]
        except UnknownNameError as error:
            raise RecordError(f'no such rule: "{suppression.rule}"', item=item, remedy=error.remedy) from None
        missing = [image_id for image_id in suppression.images if image_id not in listed]
        if missing:
            raise RecordError(
                f"names images that the product does not list: {', '.join(missing)}",
                item=item,
                remedy=f"it lists: {', '.join(image.id for image in product.images)}",
            )
    return suppressions


def _worded(product: Product, error: ValidationError) -> RecordError:
    problem = first_problem(error, "attributes", ATTRIBUTE)
    return RecordError(
        problem.what,
        item=f'product "{product.id}", {problem.place}',
        remedy='for example [{"rule": "AGP117", "images": ["detail"], "reason": "a close-up on purpose"}]',
    )
