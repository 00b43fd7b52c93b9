"""The drawings of bootstrap distributions and of coverage, from plain lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.figures import Figure

Row = dict[str, Any]


def distributions(
    rows: Sequence[Row],
    titles: Sequence[str],
    formats: Sequence[str | Callable[[Any], str]],
    *,
    alt: str,
) -> Figure:
    """Draw bootstrap distributions side by side, two in a line.

    Parameters
    ----------
    rows : sequence of dict
        As ``stats.distributions.describe_all`` returns them.
    titles, formats : sequences of the same length
        What stands above each panel; how its axis reads.
    alt : str
    """
    n_lines = (len(rows) + 1) // 2
    fig, grid = figures.new(720, 34 + 178 * n_lines, nrows=n_lines, ncols=2, squeeze=False)
    for ax, row, title, form in zip(grid.flat, rows, titles, formats, strict=False):
        low, high = row["intervals"][0]["low"], row["intervals"][0]["high"]
        ax.axvspan(low, high, color=theme.series(0), alpha=0.14, lw=0)
        heights = _draw_spikes(ax, row) if "values" in row else _draw_bins(ax, row)
        ax.axvline(row["estimate"], color=theme.series(1), linewidth=1.6)
        ax.set_ylim(0, 1.08 * heights)
        ax.set_title(title, fontsize=11.5, fontweight="normal")
        ax.xaxis.set_major_formatter(ticks(form))
        ax.xaxis.get_major_locator().set_params(nbins=4)
        ax.yaxis.set_visible(False)
        ax.grid(visible=False)
        ax.margins(x=0.06)
    for ax in list(grid.flat)[len(rows) :]:
        ax.set_visible(False)
    return figures.svg(fig, alt=alt)


def _draw_bins(ax: Any, row: Row) -> float:
    """Draw binned replicates, with the normal curve of the textbook; return the largest height."""
    import numpy as np

    edges, counts = np.asarray(row["edges"]), row["counts"]
    width = edges[1] - edges[0]
    ax.stairs(counts, edges, fill=True, color=theme.series(0), alpha=0.75)
    top = float(max(counts))
    if row["formula_error"] is not None:
        x = np.linspace(edges[0], edges[-1], 81)
        z = (x - row["estimate"]) / row["formula_error"]
        scale = row["n_bootstrap"] * width / (row["formula_error"] * np.sqrt(2 * np.pi))
        ax.plot(x, scale * np.exp(-0.5 * z**2), color=theme.color("ink"), linewidth=1.2)
        top = max(top, float(scale))
    return top


def _draw_spikes(ax: Any, row: Row) -> float:
    """Draw replicates that take few values, one spike a value; return the largest height."""
    values, counts = row["values"], row["counts"]
    ax.vlines(values, 0, counts, color=theme.series(0), linewidth=6, alpha=0.75)
    if len(values) == 1:  # an axis of its own width
        ax.set_xlim(values[0] - 1, values[0] + 1)
    return float(max(counts))


def coverage(rows: Sequence[Row], names: dict[str, str], confidence: float, *, alt: str) -> Figure:
    """Draw coverage with its exact interval, a panel a size and a line a method.

    Parameters
    ----------
    rows : sequence of dict
        ``n, method, coverage, low, high``; every size with the same methods.
    names : dict
        Method → label.
    confidence : float
        What the intervals claim: the line to be on.
    alt : str
    """
    sizes = list(dict.fromkeys(row["n"] for row in rows))
    methods = list(dict.fromkeys(row["method"] for row in rows))
    fig, grid = figures.new(
        720, 84 + 27 * len(methods), ncols=len(sizes), sharex=True, sharey=True, squeeze=False
    )
    for ax, n in zip(grid.flat, sizes, strict=True):
        ax.axvline(confidence, color=theme.color("muted"), linewidth=1.2)
        for row in (row for row in rows if row["n"] == n):
            y = methods.index(row["method"])
            color = theme.series(0 if row["low"] <= confidence <= row["high"] else 1)
            ax.hlines(y, row["low"], row["high"], color=color, linewidth=2)
            ax.plot(row["coverage"], y, "o", color=color, markersize=6)
        ax.set_title(f"{fmt.integer(n)} clients", fontsize=12, fontweight="normal")
        ax.xaxis.set_major_formatter(ticks("percent:0"))
        ax.xaxis.get_major_locator().set_params(nbins=4)
        ax.grid(visible=False, axis="y")
        ax.set_ylim(len(methods) - 0.5, -0.5)
    first = grid[0, 0]
    first.set_yticks(range(len(methods)), [names[method] for method in methods])
    first.tick_params(axis="y", labelcolor=theme.color("ink"))
    fig.supxlabel("share of the samples whose interval holds the truth", fontsize=12)
    return figures.svg(fig, alt=alt)
