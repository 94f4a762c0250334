"""Plots of a sequence model's report, one PNG each, on matplotlib's Agg canvas: no display is needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agpis_sdk.errors import ConfigError
from agpis_sdk.evaluation.bootstrap import Values
from agpis_sdk.evaluation.metrics import NO_QUALIFIED, NO_REJECTED, NO_REVIEW, PRECISIONS
from agpis_sdk.evaluation.predictions import Predictions
from agpis_sdk.evaluation.report import Estimate, SequenceReport
from agpis_sdk.plugins import shipped_rules
from agpis_sdk.rules import RuleSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colors, which stay apart for color-blind readers.
BLUE, ORANGE, GREEN, GRAY, INK = "#0072B2", "#D55E00", "#009E73", "#999999", "#222222"
CATEGORY_COLORS = {"single-image": BLUE, "image-pair": ORANGE, "multi-image": GREEN, "other": GRAY}
SQUARE = (5.6, 5.2)
STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelsize": 10,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "grid.color": "#e6e6e6",
    "legend.frameon": False,
    "savefig.dpi": 150,
}


def write_plots(
    predictions: Predictions, report: SequenceReport, folder: Path, *, rules: RuleSet | None = None
) -> list[Path]:
    """Write every plot into a folder, which is created, and return the files; a plot without data says why.

    Rules are named by `rules`, the shipped ones where none are given.

    Raises `ConfigError` when matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise ConfigError("needs matplotlib", item="--plots", remedy="pip install 'agpis-sdk[train]'") from None
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        plots = {
            "precision-recall": precision_recall(predictions, report),
            "roc": roc(predictions, report),
            "reliability": reliability_diagram(report),
            "confusion": confusion_matrix(report, rules or shipped_rules()),
            "rules": rule_bars(report, rules or shipped_rules()),
        }
        for name, figure in plots.items():
            figure.savefig(folder / f"{name}.png", bbox_inches="tight", pad_inches=0.2)
    return [folder / f"{name}.png" for name in plots]


def precision_recall(predictions: Predictions, report: SequenceReport) -> Figure:
    """Draw precision over recall of qualified reviews, with the levels at which recall is reported."""
    from sklearn.metrics import precision_recall_curve

    figure, axes = _sheet("Precision and recall of qualified sequences", "recall", "precision")
    if not _has_both(axes, report):
        return figure
    precision, recall, _ = precision_recall_curve(predictions.qualified, predictions.p_qualified)
    share = report.qualified / report.reviews
    _unit(axes)
    axes.axhline(share, color=GRAY, linestyle=":", label=f"no skill: {share:.2f} are qualified")
    axes.plot(recall, precision, color=BLUE, linewidth=2, drawstyle="steps-post")
    for level, marker in zip(PRECISIONS, "os^", strict=True):
        measured = report.metrics[f"recall_at_precision_{level:g}"]
        label = f"at precision {level:g}: recall {_with_interval(measured)}"
        axes.plot(_value(measured), level, marker, color=ORANGE, markersize=7, linestyle="none", label=label, zorder=3)
    low = np.floor(min(share, float(precision.min())) * 10) / 10
    axes.set_ylim(max(0.0, low - 0.1), 1.02)
    _legend_below(axes)
    return figure


def roc(predictions: Predictions, report: SequenceReport) -> Figure:
    """Draw the ROC curve of p^t, overall and of each category of rules against all qualified reviews."""
    from sklearn.metrics import roc_curve

    figure, axes = _sheet("ROC of $p^t$", "rejected taken for qualified", "qualified found")
    if not _has_both(axes, report):
        return figure
    _unit(axes)
    axes.set_aspect("equal")
    curves = {"auc": ("all rules", "", INK, "-")} | {
        f"auc_{name}": (f"{category} rules", prefix, CATEGORY_COLORS[category], style)
        for name, category, prefix, style in (
            ("single", "single-image", "AGP1", "--"),
            ("pair", "image-pair", "AGP2", "-."),
            ("multi", "multi-image", "AGP3", (0, (1, 1))),
        )
    }
    for name, (words, prefix, color, style) in curves.items():
        measured = report.metrics[name]
        if measured.value is None:
            continue
        chosen = predictions.qualified | np.char.startswith(predictions.codes, prefix)
        mistaken, found, _ = roc_curve(predictions.qualified[chosen], predictions.p_qualified[chosen])
        width = 2.2 if name == "auc" else 1.5
        label = f"{words}: AUC {_with_interval(measured)}"
        axes.plot(mistaken, found, color=color, linewidth=width, linestyle=style, label=label)
    axes.plot([0, 1], [0, 1], color=GRAY, linestyle=":", linewidth=1)
    _legend_below(axes)
    return figure


def reliability_diagram(report: SequenceReport) -> Figure:
    """Draw the share qualified over p^t, bin by bin, above how many reviews each bin holds."""
    figure, axes = _sheet("Reliability of $p^t$", "", "share qualified")
    if not report.reviews:
        _say(axes, NO_REVIEW)
        return figure
    from matplotlib.ticker import MaxNLocator

    figure.set_size_inches(5.6, 6.2)
    axes.set_position((0.12, 0.38, 0.83, 0.55))
    counts = figure.add_axes((0.12, 0.1, 0.83, 0.2), sharex=axes)
    held = [part for part in report.reliability if part.reviews]
    means = np.array([part.mean_probability for part in held], dtype=np.float64)
    shares = np.array([part.share_qualified for part in held], dtype=np.float64)
    low, high = wilson_interval(shares, np.array([part.reviews for part in held]))
    _unit(axes)
    axes.plot([0, 1], [0, 1], color=GRAY, linestyle=":", label="perfect")
    axes.vlines(means, low, high, color=BLUE, linewidth=1, label="95 % of each share (Wilson)")
    label = f"ECE {_with_interval(report.metrics['ece'])},  Brier score {_with_interval(report.metrics['brier'])}"
    axes.plot(means, shares, "o-", color=BLUE, linewidth=1.5, markersize=5, label=label)
    axes.tick_params(labelbottom=False)
    starts, sizes = [part.start for part in report.reliability], [part.reviews for part in report.reliability]
    bars = counts.bar(starts, sizes, width=0.094, align="edge", color=BLUE)
    counts.bar_label(bars, labels=[f"{size:,}" if size else "" for size in sizes], fontsize=7, padding=1)
    counts.set(xlabel="$p^t$, the probability of acceptance", ylabel="reviews", ylim=(0, 1.2 * max(sizes)))
    counts.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    counts.grid(visible=False, axis="x")
    counts.legend(*axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(0, -0.4), borderaxespad=0)
    return figure


def confusion_matrix(report: SequenceReport, rules: RuleSet) -> Figure:
    """Draw which class is taken for which: counts in the cells, the share of its row as their shade."""
    classes = report.confusion.classes
    if not classes:
        figure, axes = _sheet("Confusion of classes", "", "")
        _say(axes, NO_REVIEW)
        return figure
    figure, axes = _sheet("Confusion of classes", "most likely class", "reviewer's class")
    counts = np.array(report.confusion.counts)  # (classes, classes)
    rows = counts.sum(1)
    shares = counts / np.maximum(rows, 1)[:, None]
    side = max(2.4, 0.25 * len(classes))
    figure.set_size_inches(side + 2.0, side + 0.8)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="equal")
    for row, column in np.argwhere(counts > 0):
        color = "white" if shares[row, column] > 0.55 else INK
        axes.text(column, row, _short(counts[row, column]), ha="center", va="center", fontsize=5.5, color=color)
    places = np.arange(len(classes))
    axes.set_xticks(places, list(classes), rotation=90, fontsize=7)
    axes.set_yticks(
        places, [f"{_named(name, rules)}  ({size})" for name, size in zip(classes, rows, strict=True)], fontsize=7
    )
    axes.set_xticks(places[1:] - 0.5, minor=True)
    axes.set_yticks(places[1:] - 0.5, minor=True)
    axes.grid(visible=False, which="major")
    axes.grid(visible=True, which="minor", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = figure.colorbar(image, ax=axes, shrink=min(1.0, 3 / side), aspect=18, pad=0.02)
    bar.set_label("share of the row")
    bar.outline.set_visible(False)  # type: ignore[operator]
    return figure


def rule_bars(report: SequenceReport, rules: RuleSet) -> Figure:
    """Draw the AUC of each rule against all qualified reviews with its interval, best first, from chance on."""
    figure, axes = _sheet("AUC of each rule", "AUC against all qualified", "")
    measured = {code: figure for code, figure in report.rules.items() if figure.value is not None}
    if not measured:
        _say(axes, _why_not_both(report) or "no rule has enough reviews")
        return figure
    from matplotlib.patches import Patch

    ordered = sorted(measured, key=lambda code: (_value(measured[code]), code))  # barh draws from below
    figure.set_size_inches(7.2, 0.9 + 0.2 * len(ordered))
    values = np.array([_value(measured[code]) for code in ordered])
    places = np.arange(len(ordered))
    colors = [CATEGORY_COLORS[_category(code, rules)] for code in ordered]
    axes.barh(places, values - 0.5, left=0.5, height=0.7, color=colors, alpha=0.85)
    for place, code in enumerate(ordered):
        low, high = measured[code].low, measured[code].high
        if low is not None and high is not None:
            axes.plot([low, high], [place, place], color=INK, linewidth=1.2, solid_capstyle="butt")
    names = [f"{_named(code, rules)}  ({measured[code].reviews})" for code in ordered]
    axes.set_yticks(places, names, fontsize=7.5)
    axes.set_ylim(-0.7, len(ordered) - 0.3)
    lowest = min([0.5, *values, *(bound.low for bound in measured.values() if bound.low is not None)])
    axes.set_xlim(max(0.0, np.floor(lowest * 20) / 20), 1.0)
    axes.axvline(0.5, color=INK, linewidth=1)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    shown = [category for category in CATEGORY_COLORS if CATEGORY_COLORS[category] in colors]
    handles = [Patch(color=CATEGORY_COLORS[category], alpha=0.85, label=category) for category in shown]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(1.0, 0.0))
    few = [code for code, figure in report.rules.items() if figure.value is None]
    if few:
        axes.text(
            0,
            -0.6 / figure.get_figheight() - 0.02,
            _left_out(few),
            transform=axes.transAxes,
            va="top",
            fontsize=7,
            color=GRAY,
        )
    return figure


def wilson_interval(shares: Values, counts: NDArray[np.int64]) -> tuple[Values, Values]:
    """Return the 95 % Wilson interval of shares (n,) of counts (n,) > 0; it has a width even at a share of 0 or 1.

    >>> low, high = wilson_interval(np.array([0.5]), np.array([10]))
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.2366, 0.7634)
    """
    from scipy.stats import binomtest

    found = [
        binomtest(round(share * count), int(count)).proportion_ci(method="wilson")
        for share, count in zip(shares.tolist(), counts.tolist(), strict=True)
    ]
    return np.array([interval.low for interval in found]), np.array([interval.high for interval in found])


def _sheet(title: str, across: str, up: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SQUARE)
    axes = figure.add_subplot()
    axes.set(xlabel=across, ylabel=up)
    axes.set_title(title, pad=10)
    return figure, axes


def _unit(axes: Axes) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))


def _legend_below(axes: Axes) -> None:
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.13), borderaxespad=0, fontsize=8.5)


def _has_both(axes: Axes, report: SequenceReport) -> bool:
    missing = _why_not_both(report)
    if missing:
        _say(axes, missing)
    return not missing


def _why_not_both(report: SequenceReport) -> str:
    if not report.reviews:
        return NO_REVIEW
    if not report.qualified:
        return NO_QUALIFIED
    return "" if report.rejected else NO_REJECTED


def _say(axes: Axes, missing: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, f"Nothing to draw: {missing}.", ha="center", va="center", transform=axes.transAxes)


def _value(measured: Estimate) -> float:
    return -1.0 if measured.value is None else measured.value


def _with_interval(measured: Estimate) -> str:
    if measured.low is None or measured.high is None:
        return f"{_value(measured):.3f}"
    return f"{_value(measured):.3f}  [{measured.low:.3f}, {measured.high:.3f}]"


def _short(count: int) -> str:
    return f"{count}" if count < 1000 else f"{count / 1000:.2g}k" if count < 10_000 else f"{count / 1000:.0f}k"


def _named(code: str, rules: RuleSet) -> str:
    return f"{code}  {rules[code].name}" if code in rules else code


def _category(code: str, rules: RuleSet) -> str:
    return rules[code].category if code in rules else "other"


def _left_out(codes: list[str]) -> str:
    return f"{len(codes)} with too few reviews left out: {', '.join(codes[:8])}{', …' if len(codes) > 8 else ''}"
