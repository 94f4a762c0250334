"""Linear models on standardized features: softmax regression, and the listwise choice of one image among several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MOST_STEPS = 80


def shop_weights(shops: Sequence[str]) -> NDArray[np.float64]:
    """Return a weight for each example, adding up to 1: a shop counts as the square root of its size.

    >>> shop_weights(["a", "a", "a", "a", "b"]).round(3).tolist()
    [0.167, 0.167, 0.167, 0.167, 0.333]
    """
    sizes = Counter(shops)
    weights = np.array([sizes[shop] ** -0.5 for shop in shops])
    return np.asarray(weights / weights.sum())


def softmax_regression(
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    penalty: NDArray[np.float64],
    classes: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weight (F, classes) and bias (classes,) of least weighted cross-entropy and L2 penalty.

    Args:
        features: (n, F), standardized.
        labels: (n,) in 0..classes - 1.
        weights: (n,), adding up to 1.
        penalty: (F,) on the squared weights of a feature.
        classes: Their number.
    """
    x, y, share = torch.from_numpy(features), torch.from_numpy(labels), torch.from_numpy(weights)
    costs = torch.from_numpy(penalty)[:, None]
    weight = torch.zeros(features.shape[1], classes, dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.float64, requires_grad=True)

    def loss() -> Tensor:
        surprise = torch.nn.functional.cross_entropy(x @ weight + bias, y, reduction="none")
        return (surprise * share).sum() + (costs * weight**2).sum()

    _minimize(loss, [weight, bias])
    return weight.detach().numpy(), bias.detach().numpy()


def listwise(
    rows: NDArray[np.float64],
    galleries: Sequence[NDArray[np.bool_]],
    weights: NDArray[np.float64],
    penalty: NDArray[np.float64],
    prior: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the weight (F,) with which the right images of galleries get the largest share of a softmax over each.

    The loss is that of ListNet's top one (Cao et al., ICML 2007), where several images of a gallery may be right, and
    an L2 penalty on the distance from a prior.

    Args:
        rows: (images, F) of all galleries one after the other, standardized.
        galleries: Of each, (n,) which of its images are right as the first one.
        weights: (galleries,), adding up to 1.
        penalty: (F,).
        prior: (F,) that is kept where nothing speaks against it; zero when None.
    """
    gallery_of = torch.from_numpy(np.repeat(np.arange(len(galleries)), [len(right) for right in galleries]))
    x, right = torch.from_numpy(rows), torch.from_numpy(np.concatenate(galleries))
    share, costs = torch.from_numpy(weights), torch.from_numpy(penalty)
    start = torch.zeros(rows.shape[1], dtype=torch.float64) if prior is None else torch.from_numpy(prior)
    weight = start.clone().requires_grad_(True)

    def log_sum(scores: Tensor) -> Tensor:
        greatest = torch.full((len(galleries),), -1e9, dtype=torch.float64)
        greatest = greatest.scatter_reduce(0, gallery_of, scores.detach(), "amax")
        total = torch.zeros_like(greatest).scatter_add(0, gallery_of, torch.exp(scores - greatest[gallery_of]))
        return greatest + torch.log(total)

    def loss() -> Tensor:
        scores = x @ weight  # (images,)
        surprise = log_sum(scores) - log_sum(scores.masked_fill(~right, -1e6))  # (galleries,)
        return (surprise * share).sum() + (costs * (weight - start) ** 2).sum()

    _minimize(loss, [weight])
    return np.asarray(weight.detach().numpy())


def _minimize(loss: Callable[[], Tensor], parameters: list[Tensor]) -> None:
    optimizer = torch.optim.LBFGS(parameters, max_iter=MOST_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(closure)  # type: ignore[arg-type]
