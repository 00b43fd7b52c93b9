"""Drawings of the slice ``learning``."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

GAP = 0.046
"""Least distance of two labels, as a share of the axis: one line of text."""


def paths(stored: Row, chosen: Row, labels: Row) -> Figure:
    """Draw training and validation log loss along C, one panel a family.

    The tightest point, where both losses are high, is left out unless it was chosen.
    """
    fig, axes = figures.new(760, 340, ncols=len(stored), sharey=True, squeeze=False)
    for ax, (family, path) in zip(axes[0], stored.items(), strict=True):
        points = path["points"]
        points = points if chosen[family] == points[0]["C"] else points[1:]
        x = [p["C"] for p in points]
        errors = [p["validation_se"] for p in points]
        _line(
            ax, 0, x, [p["validation_log_loss"] for p in points], name="validation", errors=errors
        )
        _line(ax, 1, x, [p["train_log_loss"] for p in points], name="training")
        _log_axis(ax, chosen[family])
        ax.set(title=labels[family], xlabel="C, inverse strength of the penalty")
        ax.yaxis.set_major_formatter(ticks("decimal:3"))
    axes[0][0].set_ylabel("log loss")
    axes[0][-1].legend(loc="upper right")
    parts = [f"{labels[f]}, chosen C = {C:g}" for f, C in chosen.items()]
    alt = (
        f"Training and validation log loss against C, with one standard error: {'; '.join(parts)}."
    )
    return figures.svg(fig, alt=alt)


def _line(
    ax: Any, i: int, x: list[float], values: list[float], *, name: str, errors: Any = None
) -> None:
    """Draw a line in the look of its number; where there are errors, one to each side shaded."""
    color, dashes = theme.series(i), figures.DASHES[i % len(figures.DASHES)]
    if errors:
        low = [v - e for v, e in zip(values, errors, strict=True)]
        high = [v + e for v, e in zip(values, errors, strict=True)]
        ax.fill_between(x, low, high, color=color, alpha=0.18, lw=0)
    ax.plot(x, values, label=name, color=color, linestyle=dashes)


def _log_axis(ax: Any, chosen: float) -> None:
    """Make the horizontal axis logarithmic and mark the chosen C."""
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(ticks(lambda v: f"{v:g}"))
    ax.xaxis.set_minor_formatter(ticks(lambda _: ""))
    ax.axvline(chosen, color=theme.color("muted"), linewidth=1, linestyle="--")


def coefficients(followed: Row, label: str) -> Figure:
    """Draw the strongest coefficients along C, each named at its end."""
    rows = followed["features"]
    fig, ax = figures.new(720, 430)
    for i, row in enumerate(rows):
        color, dashes = theme.series(i), figures.DASHES[i // theme.N_SERIES]
        ax.plot(followed["C"], row["values"], color=color, linestyle=dashes)
    ax.axhline(0, color=theme.color("muted"), linewidth=1)
    _log_axis(ax, followed["chosen"])
    ends = [row["values"][-1] for row in rows]
    low, high = ax.get_ylim()
    right = followed["C"][-1]
    offset = {"textcoords": "offset points", "annotation_clip": False, "va": "center"}
    for i, place in enumerate(spread(ends, GAP * (high - low))):
        across = (place - ends[i]) / (high - low) * 350  # points: about the height of the axis
        ax.annotate(
            rows[i]["feature"],
            (right, ends[i]),
            xytext=(26, across),
            fontsize=11,
            arrowprops={"arrowstyle": "-", "color": theme.series(i), "linewidth": 1, "shrinkB": 0},
            **offset,
        )
    ax.set(xlabel="C, inverse strength of the penalty", ylabel="log-odds per scaled unit")
    at = followed["C"].index(followed["chosen"])
    strongest = "; ".join(f"{row['feature']} {row['values'][at]:.2f}" for row in rows[:5])
    return figures.svg(
        fig,
        alt=f"{label}: coefficients against C on a logarithmic axis; a dashed line marks the "
        f"chosen C = {followed['chosen']:g}, where the strongest are {strongest}.",
    )


def spread(values: list[float], gap: float) -> list[float]:
    """Move values apart to at least a gap, keeping their order and their mean."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    placed = [values[i] for i in order]
    for below, above in pairwise(range(len(placed))):
        placed[above] = max(placed[above], placed[below] + gap)
    shift = (sum(placed) - sum(values)) / len(values)
    moved = dict(zip(order, (place - shift for place in placed), strict=True))
    return [moved[i] for i in range(len(values))]


def curves(stored: Row, labels: Row) -> Figure:
    """Draw log loss against training rows: all of it, and validation alone, closer."""
    fig, (whole, close) = figures.new(760, 370, ncols=2)
    for i, (family, curve) in enumerate(stored.items()):
        points = curve["points"]
        x = [p["n_rows"] for p in points]
        valid, trained = ([p[key] for p in points] for key in ("log_loss", "train_log_loss"))
        errors = [p["log_loss_se"] for p in points]
        name = f"{labels[family]}, validation"
        _line(whole, 2 * i, x, valid, name=name)
        _line(whole, 2 * i + 1, x, trained, name=f"{labels[family]}, training")
        _line(close, 2 * i, x, valid, name=name, errors=errors)
    for ax, title in ((whole, "Training and validation"), (close, "Validation, closer")):
        ax.set(title=title, xlabel="training rows")
        ax.xaxis.set_major_formatter(ticks("integer"))
        ax.xaxis.get_major_locator().set_params(nbins=5)
        ax.yaxis.set_major_formatter(ticks("decimal:2" if ax is whole else "decimal:3"))
    whole.set_ylabel("log loss")
    fig.legend(*whole.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    ends = [
        f"{labels[f]} {c['points'][0]['log_loss']:.3f} to {c['points'][-1]['log_loss']:.3f}"
        for f, c in stored.items()
    ]
    return figures.svg(
        fig,
        alt="Learning curves: training and validation log loss against training rows; "
        f"validation log loss from fewest to most rows: {'; '.join(ends)}.",
    )


def decomposition(rows: list[Row]) -> Figure:
    """Draw expected Brier above the lowest central part: bias below, variance on top of it."""
    excess = [row["brier"]["excess"] for row in rows]
    variance = [row["brier"]["variance"] for row in rows]
    errors = [row["brier"]["excess_se"] for row in rows]
    fig, ax = figures.new(720, 90 + 30 * len(rows))
    where = range(len(rows))
    ax.barh(
        where, excess, height=0.62, color=theme.series(0), label="noise and bias, above the lowest"
    )
    ax.barh(where, variance, left=excess, height=0.62, color=theme.series(1), label="variance")
    low = [max(e - s, 0.0) for e, s in zip(excess, errors, strict=True)]
    high = [e + s for e, s in zip(excess, errors, strict=True)]
    ax.hlines(where, low, high, color=theme.color("ink"), linewidth=1.3)
    ax.set_yticks(where, [row["name"] for row in rows])
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set(
        ylim=(len(rows) - 0.4, -0.6), xlabel="expected Brier score above the lowest central part"
    )
    ax.xaxis.set_major_formatter(ticks("decimal:3"))
    ax.grid(visible=False, axis="y")
    fig.legend(loc="outside upper right", ncols=2)
    parts = [f"{r['name']} {r['brier']['excess']:.4f} + {r['brier']['variance']:.4f}" for r in rows]
    return figures.svg(fig, alt=f"Bias above the lowest, and variance: {'; '.join(parts)}.")
