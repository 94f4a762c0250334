"""What the model answers, held against the schema: whatever does not fit is a fault, never a score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agpis_sdk.errors import first_problem
from agpis_sdk.records import Probability
from agpis_sdk.wording import printable, shortened
from agpis_vlm.spending import NOTHING, Usage

REASON_LENGTH = 200
SPILL = 1e-3  # how far a box may reach beyond its picture by rounding


class _Answered(BaseModel):
    """The base of what is read: strict, so that neither "0.9" nor true is a score, and NaN is none either."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class _Verdict(_Answered):
    rule: str
    score: Probability
    reason: str
    image: int | None
    box: list[Probability] | None = Field(min_length=4, max_length=4)


class _Answer(_Answered):
    verdicts: list[_Verdict]
    instructions: str


@dataclass(frozen=True)
class Verdict:
    """The model's word on a rule: `score` 1 means surely broken; `box` is (x, y, width, height) in 0..1 of a picture.

    `picture` is its number from 0; both are None where the model names no place.
    """

    score: float
    reason: str
    picture: int | None = None
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Judgment:
    """What came of a question: verdicts by rule, and for each rule without one the reason why.

    `final` says that the answer is of the right form, so that asking again would bring nothing new.
    """

    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    usage: Usage = NOTHING
    final: bool = False


def read_answer(text: str, codes: Sequence[str], pictures: int, usage: Usage = NOTHING) -> Judgment:
    """Read the text of an answer about some rules and so many pictures.

    An answer that does not fit the schema, or that reports text which addresses the judge, judges no rule; one that
    is missing, repeated or of no place costs that rule alone.
    """
    try:
        answer = _Answer.model_validate_json(text)
    except ValidationError as error:
        problem = first_problem(error)
        return none_judged(codes, f"the answer does not fit the schema: {shortened(printable(str(problem)))}", usage)
    if answer.instructions.strip():
        quoted = shortened(printable(answer.instructions.strip()))
        addressed = f'the pictures or the title address whoever judges: "{quoted}"'
        return Judgment({}, dict.fromkeys(codes, addressed), usage, final=True)
    times = Counter(verdict.rule for verdict in answer.verdicts)
    by_rule = {verdict.rule: verdict for verdict in answer.verdicts}
    faults = {}
    for code in codes:
        if times[code] != 1:
            faults[code] = "the answer leaves the rule out" if not times[code] else "the answer judges the rule twice"
        elif not _has_a_place(by_rule[code], pictures):
            faults[code] = "the answer names a place outside the pictures"
    verdicts = {code: _verdict(by_rule[code]) for code in codes if code not in faults}
    return Judgment(verdicts, faults, usage, final=not faults)


def none_judged(codes: Sequence[str], reason: str, usage: Usage = NOTHING) -> Judgment:
    """Return the judgment of a question that was not answered."""
    return Judgment({}, dict.fromkeys(codes, reason), usage)


def _has_a_place(verdict: _Verdict, pictures: int) -> bool:
    if verdict.image is not None and not 1 <= verdict.image <= pictures:
        return False
    if verdict.box is None:
        return True
    x, y, width, height = verdict.box
    return x + width <= 1 + SPILL and y + height <= 1 + SPILL


def _verdict(found: _Verdict) -> Verdict:
    reason = shortened(printable(found.reason.strip()), REASON_LENGTH)
    picture = found.image - 1 if found.image is not None else None
    if found.box is None:
        return Verdict(found.score, reason, picture)
    x, y, width, height = found.box
    return Verdict(found.score, reason, picture or 0, (x, y, width, height))
