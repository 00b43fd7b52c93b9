"""Drawings of the slice ``errors``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]
GAP = float("nan")
"""Where a line is interrupted: all intervals, or dots, of a series are one path of the SVG."""


def false_alarms(
    labels: Sequence[str], series: dict[str, list[Row]], *, alpha: float, ceiling: float, alt: str
) -> Figure:
    """Draw rates of false alarms with intervals, one line a test, one series a size of study.

    Parameters
    ----------
    labels : sequence of str, length n
        One a test; an empty one leaves a gap.
    series : dict
        Name → n rows ``{share, low, high}``, None at a gap.
    alpha, ceiling : float
        The level, and the line that intervals should stay below.
    alt : str
    """
    fig, ax = figures.new(720, 96 + 23 * len(labels))
    ax.axvline(alpha, color=theme.color("ink"), linewidth=1.2)
    ax.axvline(ceiling, color=theme.color("negative"), linewidth=1.2, linestyle="--")
    for i, (name, rows) in enumerate(series.items()):
        shift = 0.24 * (i - (len(series) - 1) / 2)
        at = [(place + shift, row) for place, row in enumerate(rows) if row]
        y, shown = [a for a, _ in at], [row for _, row in at]
        _intervals(ax, y, shown, theme.series(i), least=1e-3)
        shares = [max(row["share"], 1e-3) for row in shown]
        _dots(ax, shares, y, theme.series(i), label=name)
    ax.set_xscale("log")
    ax.set_xticks([0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5])
    drawn = [row[end] for rows in series.values() for row in rows if row for end in ("low", "high")]
    ax.set_xlim(max(0.9 * min(*drawn, alpha), 0.01), 1.06 * max(*drawn, ceiling))
    ax.xaxis.set_major_formatter(ticks("percent:0"))
    ax.xaxis.set_minor_formatter(ticks(lambda _: ""))
    named = [(place, label) for place, label in enumerate(labels) if label]
    ax.set_yticks([place for place, _ in named], [label for _, label in named])
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel("studies that reject a true null hypothesis (logarithmic)")
    fig.legend(loc="outside upper right", ncols=len(series), title="clients in a study")
    return figures.svg(fig, alt=alt)


def _intervals(
    ax: Any, y: Sequence[float], rows: Sequence[Row], color: str, least: float = 0.0
) -> None:
    """Draw an interval a row, cut at ``least``."""
    x = [end for row in rows for end in (max(row["low"], least), max(row["high"], least), GAP)]
    ax.plot(x, [place for place in y for _ in range(3)], color=color, linewidth=1.6)


def _dots(
    ax: Any, x: Sequence[float], y: Sequence[float], color: str, label: str | None = None
) -> None:
    """Draw dots as the round ends of lines without length, a fifth of the bytes of markers."""
    across, up = ([v for value in values for v in (value, value, GAP)] for values in (x, y))
    ax.plot(
        across, up, color=color, linewidth=6, solid_capstyle="round", label=label, clip_on=False
    )


def power_curves(tests: Row, *, alt: str) -> Figure:
    """Draw power against the true difference: closed form as lines, simulation as dots."""
    fig, ax = figures.new(720, 400)
    n = len(tests["differences"])
    kept = sorted({*range(0, n, 2), n - 1})  # every other point is enough for a smooth line
    for i, study in enumerate(tests["studies"]):
        color, rows = theme.series(i), study["simulated"]
        ax.plot(
            [tests["differences"][k] for k in kept],
            [study["power"][k] for k in kept],
            color=color,
            linestyle=figures.DASHES[i % len(figures.DASHES)],
            label=f"{fmt.integer(study['n'])} clients",
        )
        x = [row["difference"] for row in rows]
        ends = [end for row in rows for end in (row["low"], row["high"], GAP)]
        ax.plot([v for v in x for _ in range(3)], ends, color=color, linewidth=1.3)
        _dots(ax, x, [row["share"] for row in rows], color)
    ax.axhline(tests["alpha"], color=theme.color("muted"), linewidth=1, linestyle=":")
    ax.annotate(
        f"level α = {tests['alpha']:g}",
        (1, tests["alpha"]),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        fontsize=11,
        color=theme.color("muted"),
    )
    ax.set_ylim(0, 1.04)
    ax.xaxis.set_major_formatter(ticks("money"))
    ax.xaxis.get_major_locator().set_params(nbins=5)
    ax.yaxis.set_major_formatter(ticks("percent:0"))
    ax.legend(loc="center right", title="size of the study")
    ax.set(xlabel="true difference of the means", ylabel="power (1 − chance of Type II)")
    return figures.svg(fig, alt=alt)


def power_panels(panels: list[Row], titles: list[str], units: list[str], *, alt: str) -> Figure:
    """Draw power against the effect, a panel a test and column: lines as stated, dots as found.

    Dots of which the closed form is wrong by more than chance are drawn as crosses.
    """
    n_rows = -(-len(panels) // 2)
    fig, axes = figures.new(
        740, 70 + 210 * n_rows, nrows=n_rows, ncols=2, sharey=True, squeeze=False
    )
    for ax, panel, title, unit in zip(axes.flat, panels, titles, units, strict=False):
        for i, study in enumerate(panel["studies"]):
            _power_line(ax, i, study)
        ax.set_title(title, fontsize=12)
        ax.set_xlabel(unit, fontsize=11)
        ax.set_ylim(0, 1.04)
        ax.set_yticks([0, 0.5, 1])
        ax.yaxis.set_major_formatter(ticks("percent:0"))
        ax.xaxis.set_major_formatter(ticks(lambda v: f"{v:g}"))
        ax.xaxis.get_major_locator().set_params(nbins=3)
        ax.grid(visible=False)
        ends = ax.get_xlim()
        ax.set_xlim(ends)
        ax.plot(*_rules(ends, (0, 0.5, 1)), color=theme.color("grid"), linewidth=0.8, zorder=0)
        ax.spines[:].set_visible(False)
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    handles, names = axes[0][0].get_legend_handles_labels()
    ncols = max(len(names), 1)
    fig.legend(handles, names, loc="outside upper right", ncols=ncols, title="clients in a study")
    return figures.svg(fig, alt=alt)


def _rules(ends: tuple[float, float], heights: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return level lines from end to end as one interrupted line."""
    x = [value for _ in heights for value in (*ends, GAP)]
    return x, [value for height in heights for value in (height, height, GAP)]


def _power_line(ax: Any, i: int, study: Row) -> None:
    """Draw one size of study: the closed form as a line, the simulation as dots."""
    color, points = theme.series(i), study["points"]
    x = [point["effect"] for point in points]
    dashes = figures.DASHES[i % len(figures.DASHES)]
    name = fmt.integer(study["n"])
    ax.plot(
        x, [p["closed"] for p in points], color=color, linestyle=dashes, label=name, clip_on=False
    )
    near, far = ([p for p in points if p["off"] == off] for off in (False, True))
    _dots(ax, [p["effect"] for p in near], [p["share"] for p in near], color)
    if far:
        _crosses(ax, [(p["effect"], p["share"]) for p in far], x[-1], color)


def _crosses(ax: Any, points: Sequence[tuple[float, float]], span: float, color: str) -> None:
    """Draw crosses as one interrupted line; ``span`` is the width of the axis in its unit."""
    dx, dy = 0.012 * span, 0.028
    across = [v for x, _ in points for v in (x - dx, x + dx, GAP, x - dx, x + dx, GAP)]
    up = [v for _, y in points for v in (y - dy, y + dy, GAP, y + dy, y - dy, GAP)]
    ax.plot(across, up, color=color, linewidth=2.4, clip_on=False)


def family(
    labels: Sequence[str], series: dict[str, list[Row]], *, alpha: float, alt: str
) -> Figure:
    """Draw errors and power of a family with intervals, one series a correction."""
    fig, ax = figures.new(720, 100 + 46 * len(labels))
    ax.axvline(alpha, color=theme.color("ink"), linewidth=1.2)
    for i, (name, rows) in enumerate(series.items()):
        y = [place + 0.24 * (i - (len(series) - 1) / 2) for place in range(len(rows))]
        _intervals(ax, y, rows, theme.series(i))
        _dots(ax, [row["share"] for row in rows], y, theme.series(i), label=name)
    ax.set_yticks(range(len(labels)), labels)
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(ticks("percent:0"))
    ax.grid(visible=False, axis="y")
    fig.legend(loc="outside upper right", ncols=len(series))
    return figures.svg(fig, alt=alt)
