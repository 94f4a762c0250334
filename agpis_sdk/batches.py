"""Cut a sequence into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scalar = TypeVar("Scalar", bound=np.generic)

Item = TypeVar("Item")


@overload
def batches(items: NDArray[Scalar], size: int) -> Iterator[NDArray[Scalar]]: ...
@overload
def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]: ...
def batches(items: Any, size: int) -> Iterator[Any]:
    """Yield slices of `size` items, in order; the last may be shorter.

    `itertools.batched` (Python 3.12) makes tuples, of arrays too.

    >>> list(batches([1, 2, 3, 4, 5], 2))
    [[1, 2], [3, 4], [5]]
    """
    for start in range(0, len(items), size):
        yield items[start : start + size]
