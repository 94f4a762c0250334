"""Cases in YAML: for every rule pictures that pass, fail and are skipped, checked without a line of Python.

    SHY101:
      pass:
        - image: plain                      # a fault of the kit, drawn on the spot
        - image: pictures/vase.jpg          # or a file, relative to this one
      fail:
        - name: a lamp's reflection
          image: {fault: highlight, seed: 3}
          config: {max_share: 0.1}          # settings of the component that finds the rule
      skip:
        - image: unreadable

A pair or a sequence is a list: `images: [plain, blur]`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agpis_sdk.errors import InputFileError, RecordError, first_problem
from agpis_sdk.testing.checking import RuleResult, Subject, Verdict, check
from agpis_sdk.testing.images import SIZE, image_bytes

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class Picture(BaseModel):
    """A picture of a case: a fault of the kit, or a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fault: str = "plain"
    seed: int = 0
    size: tuple[int, int] = SIZE
    file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, data: Any) -> Any:
        """Take a plain string as a file where it has an ending, else as a fault."""
        if isinstance(data, str):
            return {"file": data} if Path(data).suffix else {"fault": data}
        return data

    def load(self, folder: Path) -> bytes | Path:
        """Return the picture's bytes, or its path below the folder of the cases."""
        if self.file is not None:
            return folder / self.file
        return image_bytes(self.fault, seed=self.seed, size=self.size)


class _Entry(BaseModel):
    """One case as the file has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    image: Picture | None = None
    images: tuple[Picture, ...] = ()
    config: dict[str, Any] = Field(default_factory=dict)
    threshold: float | None = None

    @model_validator(mode="after")
    def _has_pictures(self) -> _Entry:
        if (self.image is None) == (not self.images):
            raise ValueError("give either image or images")
        return self


@dataclass(frozen=True, kw_only=True)
class RuleCase:
    """One case: what a rule is expected to say about some pictures."""

    rule: str
    expected: Verdict
    name: str
    pictures: tuple[Picture, ...]
    folder: Path
    config: Mapping[str, Any]
    threshold: float | None
    plugins: tuple[object, ...] = ()

    def __str__(self) -> str:
        return f"{self.rule}-{self.expected}-{self.name}"

    def result(self) -> RuleResult:
        """Check the rule on the pictures."""
        loaded = [picture.load(self.folder) for picture in self.pictures]
        subject: Subject = loaded[0] if len(loaded) == 1 else loaded
        return check(self.rule, subject, config=self.config, threshold=self.threshold, plugins=self.plugins)

    def verify(self) -> None:
        """Fail with the rule's verdict where that is not the expected one."""
        result = self.result()
        assert result.verdict == self.expected, f'"{self.name}": expected {self.expected}, got {result}'  # noqa: S101


def load_cases(path: Path | str, *, plugins: Sequence[object] = ()) -> list[RuleCase]:
    """Read the cases of a YAML file, in its order; `plugins` as in `check`.

    Raises `InputFileError` where the file is not YAML, and `RecordError` naming the rule where a case is not understood
    or a rule has no case that passes, none that fails, or none that is skipped.
    """
    path = Path(path)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputFileError(f"cannot be read: {error}", item=str(path)) from None
    if not isinstance(data, Mapping) or not data:
        raise RecordError("holds no cases", item=str(path), remedy="rule codes at the left: SHY101:")
    cases: list[RuleCase] = []
    for rule, groups in data.items():
        item = f"{path}: {rule}"
        _check_groups(groups, item)
        for verdict in VERDICTS:
            for number, entry in enumerate(groups[verdict], start=1):
                cases.append(_case(str(rule), verdict, number, entry, path.parent, tuple(plugins), item))
    return cases


def rule_cases(path: Path | str, *, plugins: Sequence[object] = ()) -> pytest.MarkDecorator:
    """Return a decorator that runs a test once for each case of a YAML file, as its argument `case`."""
    return pytest.mark.parametrize("case", load_cases(path, plugins=plugins), ids=str)


def _check_groups(groups: Any, item: str) -> None:
    if not isinstance(groups, Mapping) or not set(groups) <= set(VERDICTS):
        raise RecordError("cases stand under pass, fail and skip", item=item)
    missing = [verdict for verdict in VERDICTS if not groups.get(verdict)]
    if missing:
        raise RecordError(
            f"has no case that is to {' or '.join(missing)}",
            item=item,
            remedy="a rule is tested from all sides; for skip, - image: unreadable will do",
        )


def _case(
    rule: str, verdict: Verdict, number: int, entry: Any, folder: Path, plugins: tuple[object, ...], item: str
) -> RuleCase:
    try:
        parsed = _Entry.model_validate(entry)
    except ValidationError as error:
        raise RecordError(str(first_problem(error, verdict, number)), item=item) from None
    pictures = parsed.images or ((parsed.image,) if parsed.image else ())
    name = parsed.name or " ".join(picture.file.stem if picture.file else picture.fault for picture in pictures)
    return RuleCase(
        rule=rule,
        expected=verdict,
        name=name,
        pictures=pictures,
        folder=folder,
        config=parsed.config,
        threshold=parsed.threshold,
        plugins=plugins,
    )
