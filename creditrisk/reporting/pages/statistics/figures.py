"""The drawings of the statistics page, from plain lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.figures import Figure


def distribution(
    edges: Sequence[float],
    counts: Sequence[float],
    *,
    marks: dict[str, float],
    span: tuple[float, float] | None = None,
    span_label: str = "",
    normal: tuple[float, float] | None = None,
    xlabel: str,
    ylabel: str,
    alt: str,
    xformat: str = "money",
) -> Figure:
    """Draw a histogram of replicates with marked values, an interval and a normal curve.

    Parameters
    ----------
    edges, counts : sequences of n + 1 and n
    marks : dict
        Label → position of a vertical line; the axis is stretched to hold it.
    span : tuple of float, optional
        Interval to shade.
    span_label : str
        What the shading is called in the legend.
    normal : tuple of float, optional
        Mean and standard deviation of the curve to compare with.
    xlabel, ylabel, alt, xformat : str
    """
    import numpy as np

    fig, ax = figures.new(720, 320)
    if span is not None:
        ax.axvspan(*span, color=theme.series(0), alpha=0.14, lw=0, label=span_label)
    widths = np.diff(edges)
    ax.bar(edges[:-1], counts, width=widths, align="edge", color=theme.series(0), alpha=0.75)
    if normal is not None:
        mean, sd = normal
        x = np.linspace(edges[0], edges[-1], 161)
        scale = sum(counts) * widths[0] / (sd * np.sqrt(2 * np.pi))
        curve = scale * np.exp(-0.5 * ((x - mean) / sd) ** 2)
        label = "normal curve, same mean and spread"
        ax.plot(x, curve, color=theme.color("ink"), linewidth=1.4, label=label)
    for i, (label, position) in enumerate(marks.items()):
        color = theme.series(1)
        ax.axvline(position, color=color, linewidth=2, linestyle=figures.DASHES[i], label=label)
    ax.margins(x=0.03)
    ax.set_ylim(top=max(counts) * 1.28)
    ax.xaxis.set_major_formatter(ticks(xformat))
    ax.yaxis.set_major_formatter(ticks("integer"))
    ax.xaxis.get_major_locator().set_params(nbins=6)
    ax.grid(visible=False, axis="x")
    ax.legend(loc="upper center", ncols=3, fontsize=11, columnspacing=1.4)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return figures.svg(fig, alt=alt)


def relative_sizes(
    labels: Sequence[str],
    values: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    *,
    alt: str,
) -> Figure:
    """Draw effects as multiples of the smallest that matters, on a logarithmic axis.

    Parameters
    ----------
    labels : sequence of str, length n
    values, lows, highs : sequences of float, length n
        Multiples; 1 is the line that separates what matters from what does not.
    alt : str
    """
    floor = 0.02
    fig, ax = figures.new(720, 74 + 27 * len(labels))
    ax.axvspan(floor, 1, color=theme.color("muted"), alpha=0.1, lw=0)
    ax.axvline(1, color=theme.color("muted"), linewidth=1.2)
    for i, (value, low, high) in enumerate(zip(values, lows, highs, strict=True)):
        color = (
            theme.series(0) if low >= 1 else theme.color("muted") if high < 1 else theme.series(1)
        )
        ax.hlines(i, max(low, floor), max(high, floor), color=color, linewidth=2)
        ax.plot(max(value, floor), i, "o", color=color, markersize=6.5)
    ax.set_xscale("log")
    ax.set_xlim(floor, max(highs) * 1.6)
    ax.xaxis.set_major_formatter(ticks(lambda x: f"{x:g}×"))
    ax.xaxis.set_minor_formatter(ticks(lambda _: ""))
    ax.set_xticks([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5])
    ax.set_yticks(range(len(labels)), labels)
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.grid(visible=False, axis="y")
    ax.set_ylim(len(labels) - 0.4, -0.6)
    for text, position, side in (("negligible", 1, "right"), ("matters", 1, "left")):
        ax.annotate(
            text,
            (position, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-6 if side == "right" else 6, 4),
            textcoords="offset points",
            ha=side,
            fontsize=11,
            color=theme.color("muted"),
        )
    ax.set_xlabel("effect, in multiples of the smallest effect that matters")
    return figures.svg(fig, alt=alt)


def intervals(
    labels: Sequence[str],
    lows: Sequence[float],
    highs: Sequence[float],
    *,
    estimate: float,
    xlabel: str,
    alt: str,
) -> Figure:
    """Draw intervals of one number below each other with the number as a line."""
    fig, ax = figures.new(720, 64 + 27 * len(labels))
    ax.axvline(estimate, color=theme.series(1), linewidth=1.6)
    ax.hlines(range(len(labels)), lows, highs, color=theme.series(0), linewidth=5, alpha=0.8)
    ax.set_yticks(range(len(labels)), labels)
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.xaxis.set_major_formatter(ticks("money"))
    ax.xaxis.get_major_locator().set_params(nbins=6)
    ax.grid(visible=False, axis="y")
    ax.set_xlabel(xlabel)
    return figures.svg(fig, alt=alt)


def power_curves(tests: dict[str, Any], *, alt: str) -> Figure:
    """Draw power against the true difference: closed form as lines, simulation as dots."""
    fig, ax = figures.new(720, 400)
    for i, study in enumerate(tests["studies"]):
        color = theme.series(i)
        ax.plot(
            tests["differences"],
            study["power"],
            color=color,
            linestyle=figures.DASHES[i % len(figures.DASHES)],
            label=f"{fmt.integer(study['n'])} clients",
        )
        rows = study["simulated"]
        x = [row["difference"] for row in rows]
        ax.vlines(
            x, [r["low"] for r in rows], [r["high"] for r in rows], color=color, linewidth=1.3
        )
        ax.plot(x, [r["share"] for r in rows], "o", color=color, markersize=5.5)
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
