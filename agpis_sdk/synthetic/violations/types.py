"""The types of injected violations, and the sampler of their random choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Split: TypeAlias = Literal["train", "test"]
Pixels: TypeAlias = npt.NDArray[np.uint8]
"""An image as (height, width, 3) RGB, 0 to 255."""
Patch: TypeAlias = npt.NDArray[np.uint8]
"""A drawing as (height, width, 4) RGB and straight alpha, 0 to 255."""
Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, width and height in pixels."""
Color: TypeAlias = tuple[int, int, int]
T = TypeVar("T")
Pool: TypeAlias = Mapping[Split, Sequence[T]]
"""The same kind of material twice: what training may see, and what only the test may see."""


@dataclass(frozen=True)
class Violation:
    """A product photo with one rule violation drawn into it."""

    code: str
    kind: str
    pixels: Pixels
    box: Box | None
    place: str
    thing: str


@dataclass(frozen=True)
class Drawn:
    """The result of a layout: the picture, the changed box (None: everywhere) and a description of the violation."""

    pixels: Pixels
    box: Box | None
    thing: str
    place: str = ""


@dataclass(frozen=True)
class Sampler:
    """Draws the seeded choices of one injection: `severity` runs from 0 (mild, still seen) to 1 (gross)."""

    rng: np.random.Generator
    split: Split
    severity: float
    others: Sequence[Pixels] = field(default=())

    def choice(self, items: Sequence[T]) -> T:
        """Return one of the items, each as likely as the next."""
        return items[int(self.rng.integers(len(items)))]

    def from_pool(self, pools: Pool[T]) -> T:
        """Return one item of the pool of the sampler's split."""
        return self.choice(pools[self.split])

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return bool(self.rng.random() < probability)

    def uniform(self, low: float, high: float) -> float:
        """Return a number drawn uniformly from low to high."""
        return float(self.rng.uniform(low, high))

    def integer(self, low: int, high: int) -> int:
        """Return an integer drawn uniformly from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def by_severity(self, mild: float, gross: float, spread: float = 0.15) -> float:
        """Return a value from mild to gross by the severity, jittered by that share of the range."""
        at = min(1.0, max(0.0, self.severity + self.uniform(-spread, spread)))
        return mild + (gross - mild) * at


Maker: TypeAlias = Callable[[Pixels, Sampler], Drawn]
