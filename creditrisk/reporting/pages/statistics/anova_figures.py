"""The drawings of the section on several groups."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

from creditrisk import schema
from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import Format, ticks
from creditrisk.reporting.figures import Figure
from creditrisk.reporting.pages.statistics import text

Row = dict[str, Any]


def group_means(row: Row, groups: list[Row], confidence: float) -> Figure:
    """Draw the mean of each group with intervals that hold together (Bonferroni)."""
    column, name = row["value"], text.name_column(row["value"])
    fig, ax = figures.new(640, 70 + 28 * len(groups))
    draw_points(ax, range(len(groups)), groups, confidence, len(groups), upright=False)
    labels = [f"{text.name_level(group['label'])} ({fmt.integer(group['n'])})" for group in groups]
    ax.set_yticks(range(len(groups)), labels)
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set_ylim(len(groups) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_formatter(ticks(axis_format(column)))
    ax.xaxis.get_major_locator().set_params(nbins=6)
    ax.set_xlabel("default rate" if column == schema.TARGET else f"mean of {name}")
    means = "; ".join(
        f"{text.name_level(group['label'])} {text.in_unit(column, group['mean'])}"
        for group in groups
    )
    return figures.svg(
        fig, alt=f"Mean of {name} by {text.name_column(row['group'])} with intervals: {means}."
    )


def interaction(row: Row, names: Row, confidence: float) -> Figure:
    """Draw cell means over the first factor, one line a level of the second."""
    cells, column = row["details"]["two_way"]["cells"], row["value"]
    by_first: dict[Any, list[float]] = {}
    for cell in cells:
        by_first.setdefault(cell["first"], []).append(cell["mean"])
    order = sorted(by_first, key=lambda first: (-sum(by_first[first]), str(first)))
    fig, ax = figures.new(680, 380)
    seconds = list(dict.fromkeys(cell["second"] for cell in cells))
    for i, second in enumerate(seconds):
        line = sorted(
            (cell for cell in cells if cell["second"] == second),
            key=lambda cell: order.index(cell["first"]),
        )
        x = [k + 0.06 * (i - (len(seconds) - 1) / 2) for k in range(len(order))]
        label = f"{names['second']} = {text.name_level(second)}"
        draw_points(ax, x, line, confidence, len(cells), upright=True, number=i, label=label)
    sizes = {first: sum(cell["n"] for cell in cells if cell["first"] == first) for first in order}
    ax.set_xticks(
        range(len(order)),
        [f"{text.name_level(first)}\n{fmt.integer(sizes[first])}" for first in order],
    )
    ax.set_xlim(-0.4, len(order) - 0.6)
    ax.grid(visible=False, axis="x")
    ax.yaxis.set_major_formatter(ticks(axis_format(column)))
    ax.set(xlabel=f"{names['first']} (clients)", ylabel=f"mean of {text.name_column(column)}")
    ax.legend(loc="best")
    means = "; ".join(
        f"{text.name_level(cell['first'])}, {text.name_level(cell['second'])} "
        f"{text.in_unit(column, cell['mean'])}"
        for cell in cells
    )
    return figures.svg(
        fig,
        alt=f"Mean of {text.name_column(column)} over {names['first']}, one line a level of "
        f"{names['second']}: {means}.",
    )


def draw_points(
    ax: Any,
    positions: Any,
    groups: list[Row],
    confidence: float,
    n_intervals: int,
    *,
    upright: bool,
    number: int = 0,
    label: str | None = None,
) -> None:
    """Draw means with normal intervals of the level that n_intervals need to hold together."""
    z = NormalDist().inv_cdf(1 - (1 - confidence) / (2 * n_intervals))
    means = [group["mean"] for group in groups]
    half = [z * group["sd"] / group["n"] ** 0.5 for group in groups]
    ends = (
        [m - h for m, h in zip(means, half, strict=True)],
        [m + h for m, h in zip(means, half, strict=True)],
    )
    color = theme.series(number)
    if upright:
        ax.vlines(positions, *ends, color=color, linewidth=1.6)
        dashes = figures.DASHES[number % len(figures.DASHES)]
        ax.plot(positions, means, "o", color=color, markersize=5.5, linestyle=dashes, label=label)
    else:
        ax.hlines(positions, *ends, color=color, linewidth=2)
        ax.plot(means, positions, "o", color=color, markersize=6.5)


def axis_format(column: str) -> Format:
    """Return how an axis in the unit of a column reads."""
    if column in text.AMOUNTS:
        return "money"
    return "percent:0" if column == schema.TARGET else "decimal:1"
