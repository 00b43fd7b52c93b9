"""The drawings of the statistics page, from plain lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from creditrisk.reporting import figures, theme
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
    # one outline for all bars: a tenth of the bytes of sixty rectangles
    ax.stairs(counts, edges, fill=True, color=theme.series(0), alpha=0.75, linewidth=0)
    if normal is not None:
        mean, sd = normal
        x = np.linspace(edges[0], edges[-1], 161)
        scale = sum(counts) * (edges[1] - edges[0]) / (sd * np.sqrt(2 * np.pi))
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
    groups: dict[Any, list[int]] = {}
    for i, (low, high) in enumerate(zip(lows, highs, strict=True)):
        color = (
            theme.series(0) if low >= 1 else theme.color("muted") if high < 1 else theme.series(1)
        )
        groups.setdefault(color, []).append(i)
    for color, shown in groups.items():
        ends = [((max(lows[i], floor), i), (max(highs[i], floor), i)) for i in shown]
        _strokes(ax, ends, color=color, linewidth=2)
        middle = [max(values[i], floor) for i in shown]
        ax.plot(middle, shown, "o", color=color, markersize=6.5)
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


def normal_quantiles(series: dict[str, dict[str, Any]], *, alt: str) -> Figure:
    """Draw QQ plots of groups against the normal distribution in one frame.

    Parameters
    ----------
    series : dict
        Label → ``theoretical`` and ``observed`` quantiles, both standardised.
    alt : str
    """
    fig, ax = figures.new(460, 300)
    ax.axline((0, 0), slope=1, color=theme.color("muted"), linewidth=1, linestyle=":")
    for i, (label, points) in enumerate(series.items()):
        ax.plot(
            points["theoretical"],
            points["observed"],
            linestyle=figures.DASHES[i],
            color=theme.series(i),
            label=label,
        )
    ax.legend(loc="upper left")
    ax.set(xlabel="quantile of the normal distribution", ylabel="quantile of the group")
    return figures.svg(fig, alt=alt)


Point = tuple[float, float]


def _strokes(ax: Any, ends: Sequence[tuple[Point, Point]], **style: Any) -> None:
    """Draw straight lines as one path: a quarter of the bytes of one path a line."""
    gap = float("nan")
    ax.plot(
        [x for (x0, _), (x1, _) in ends for x in (x0, x1, gap)],
        [y for (_, y0), (_, y1) in ends for y in (y0, y1, gap)],
        solid_capstyle="butt",
        **style,
    )


def selections(
    labels: Sequence[str],
    all_rows: Sequence[tuple[float, float, float]],
    series: dict[str, list[float | None]],
    *,
    alt: str,
) -> Figure:
    """Draw effects on all rows with intervals, and those on selections of the rows.

    Parameters
    ----------
    labels : sequence of str, length n
    all_rows : sequence of (low, effect, high), length n
        Multiples of the smallest effect that matters.
    series : dict
        Selection → effect a question (None: not applicable).
    alt : str
    """
    floor = 0.02
    fig, ax = figures.new(720, 118 + 25 * len(labels))
    ax.axvspan(floor, 1, color=theme.color("muted"), alpha=0.1, lw=0)
    ax.axvline(1, color=theme.color("muted"), linewidth=1.2)
    ends = [
        ((max(low, floor), i), (max(high, floor), i)) for i, (low, _, high) in enumerate(all_rows)
    ]
    _strokes(ax, ends, color=theme.series(0), linewidth=5, alpha=0.35)
    middle = [max(value, floor) for _, value, _ in all_rows]
    ax.plot(middle, range(len(middle)), "o", color=theme.series(0), markersize=6, label="all rows")
    step = 0.8 / len(series)
    for k, (label, values) in enumerate(series.items()):
        top = -0.4 + k * step  # below each other, so that equal effects stay apart
        marks = [
            ((max(x, floor), i + top), (max(x, floor), i + top + step))
            for i, x in enumerate(values)
            if x is not None
        ]
        _strokes(ax, marks, color=theme.series(k + 1), linewidth=3, label=label.lower())
    ax.set_xscale("log")
    ax.set_xlim(floor, max(high for _, _, high in all_rows) * 1.6)
    ax.set_xticks([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5])
    ax.xaxis.set_major_formatter(ticks(lambda x: f"{x:g}×"))
    ax.xaxis.set_minor_formatter(ticks(lambda _: ""))
    ax.set_yticks(range(len(labels)), labels)
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.grid(visible=False, axis="y")
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_xlabel("effect, in multiples of the smallest effect that matters")
    fig.legend(loc="outside lower center", ncols=4)
    return figures.svg(fig, alt=alt)
