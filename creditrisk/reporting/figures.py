"""The plots that pages share, as functions of plain lists, in the reports' one look.

A page that needs another drawing takes :func:`new`, draws with matplotlib, and
calls :func:`svg` (or :func:`png` for thousands of points); colours come from
:mod:`creditrisk.reporting.theme`, so the figure follows light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from creditrisk.reporting import format as fmt
from creditrisk.reporting import theme
from creditrisk.reporting.canvas import Format, Values, floats, new, png, svg, ticks
from creditrisk.reporting.heatmap import heatmap
from creditrisk.reporting.svg import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "Figure",
    "bars",
    "heatmap",
    "lines",
    "new",
    "png",
    "rate_histogram",
    "scatter_cloud",
    "svg",
]

NOISE = -1
"""The label that DBSCAN gives to points outside of every cluster."""

DASHES: tuple[Any, ...] = ("solid", (0, (6, 2)), (0, (2, 1.5)), (0, (7, 2, 2, 2)))


def bars(
    labels: Sequence[str],
    values: Values,
    *,
    low: Values | None = None,
    high: Values | None = None,
    xlabel: str = "",
    ylabel: str = "",
    alt: str,
    format: Format | None = None,
    highlight: Sequence[int] | None = None,
    width: float = 720,
) -> Figure:
    """Draw horizontal bars, the first on top, with intervals where given.

    Parameters
    ----------
    labels, values : sequences of length n
    low, high : sequences of length n, optional
        Ends of each bar's interval (not distances from it).
    xlabel, ylabel, alt : str
    format : str or callable, optional
        How numbers read on the axis and beside the bars, e.g. ``"percent"``.
    highlight : sequence of int, optional
        Indices of the bars to stress; the others are paler.
    width : float
        Pixels.
    """
    n = len(labels)
    fig, ax = new(width, 60 + 26 * max(n, 2))
    shown = floats(values)
    strong = [highlight is None or i in set(highlight) for i in range(n)]
    for i, value in enumerate(shown):
        ax.barh(i, value, height=0.66, color=theme.series(0), alpha=1.0 if strong[i] else 0.45)
    ends = list(shown)
    if low is not None and high is not None:
        left, right = floats(low), floats(high)
        ax.hlines(range(n), left, right, color=theme.color("ink"), linewidth=1.3)
        ends = [v if math.isnan(r) else max(v, r) for v, r in zip(shown, right, strict=True)]
    if format is not None:
        ax.xaxis.set_major_formatter(ticks(format))
        if format in ("percent", "percent:1"):
            ax.xaxis.set_major_formatter(_whole_percents(ax))
        _label_bars(ax, shown, ends, format)
    ax.set_yticks(range(n), labels)
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.grid(visible=False, axis="y")
    ax.set_ylim(n - 0.4, -0.6)
    ax.spines["bottom"].set_visible(False)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return svg(fig, alt=alt)


def _whole_percents(ax: Axes) -> Any:
    """Return an axis formatter that writes decimals only where a tick needs them."""
    from matplotlib.ticker import FuncFormatter

    def write(value: float, _position: int | None = None) -> str:
        needed = any(abs(100 * t - round(100 * t)) > 1e-6 for t in ax.xaxis.get_majorticklocs())
        return str(fmt.percent(value, 1 if needed else 0))

    return FuncFormatter(write)


def _label_bars(ax: Axes, values: Sequence[float], ends: Sequence[float], form: Format) -> None:
    """Write each value beside the end of its bar or of its interval."""
    offset: dict[str, Any] = {"xytext": (5, 0), "textcoords": "offset points"}
    for i, (value, end) in enumerate(zip(values, ends, strict=True)):
        if not math.isnan(value):
            text = str(fmt.apply(value, form))
            ax.annotate(text, (max(end, 0), i), va="center", fontsize=11.5, **offset)
    ax.margins(x=0.12)


def rate_histogram(
    edges: Sequence[float],
    counts: Sequence[float],
    rates: Values,
    lows: Values,
    highs: Values,
    *,
    xlabel: str,
    alt: str,
    base_rate: float | None = None,
    xformat: Format | None = None,
    rate_label: str = "default rate",
    width: float = 720,
    height: float = 380,
) -> Figure:
    """Draw the default rate with its interval above, the counts of clients below.

    Parameters
    ----------
    edges : sequence of n + 1 floats
        Bin edges, ascending.
    counts : sequence of n
        Clients by bin.
    rates, lows, highs : sequences of n floats or None
        Default rate by bin and its interval; None where a bin is empty.
    xlabel, alt : str
    base_rate : float, optional
        Drawn as a dotted line.
    xformat : str or callable, optional
        How the horizontal axis reads.
    rate_label : str
        Name of the upper axis.
    width, height : float
        Pixels.
    """
    fig, (top, bottom) = new(
        width, height, nrows=2, sharex=True, gridspec_kw={"height_ratios": [1.5, 1]}
    )
    middle = [(a + b) / 2 for a, b in pairwise(edges)]
    width_of = [b - a for a, b in pairwise(edges)]
    color = theme.series(1)
    top.vlines(middle, floats(lows), floats(highs), color=color, linewidth=1.4, alpha=0.75)
    top.plot(middle, floats(rates), color=color, marker="o", markersize=4.5)
    if base_rate is not None:
        top.axhline(base_rate, color=theme.color("muted"), linewidth=1, linestyle=":")
    top.set_ylim(bottom=0)
    top.set_ylabel(rate_label)
    top.yaxis.set_major_formatter(ticks("percent:0"))
    bottom.bar(middle, counts, width=[0.94 * w for w in width_of], color=theme.series(0))
    bottom.set(xlabel=xlabel, ylabel="clients")
    bottom.yaxis.set_major_formatter(ticks("integer"))
    bottom.yaxis.get_major_locator().set_params(nbins=4)
    if xformat is not None:
        bottom.xaxis.set_major_formatter(ticks(xformat))
    for ax in (top, bottom):
        ax.grid(visible=False, axis="x")
    fig.align_ylabels()
    return svg(fig, alt=alt)


def lines(
    x: Sequence[float],
    series: Mapping[str, Values],
    *,
    xlabel: str,
    ylabel: str,
    alt: str,
    diagonal: bool = False,
    bands: Mapping[str, tuple[Values, Values]] | None = None,
    marks: Mapping[str, float] | None = None,
    logx: bool = False,
    markers: bool = False,
    xformat: Format | None = None,
    yformat: Format | None = None,
    width: float = 720,
    height: float = 400,
) -> Figure:
    """Draw one or more lines over a common axis.

    Parameters
    ----------
    x : sequence of float
    series : mapping of name to values
        At most eight; a single one has no legend.
    xlabel, ylabel, alt : str
    diagonal : bool
        Draw y = x for comparison and keep both axes at one scale.
    bands : mapping of name to (lows, highs), optional
        Shaded interval of a series.
    marks : mapping of label to x, optional
        Vertical lines, labelled at the top.
    logx, markers : bool
        Logarithmic horizontal axis; a dot at each value.
    xformat, yformat : str or callable, optional
        How the axes read.
    width, height : float
        Pixels.
    """
    fig, ax = new(height * 1.08 if diagonal else width, height)
    if diagonal:
        _draw_diagonal(ax)
    for i, (name, values) in enumerate(series.items()):
        _draw_line(ax, i, x, values, band=(bands or {}).get(name), label=name, markers=markers)
    _format_axes(ax, xformat, yformat, logx=logx)
    for label, position in (marks or {}).items():
        _mark(ax, label, position)
    if len(series) > 1:
        ax.legend(loc="best")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return svg(fig, alt=alt)


def _draw_line(
    ax: Axes,
    number: int,
    x: Sequence[float],
    values: Values,
    *,
    band: tuple[Values, Values] | None,
    label: str,
    markers: bool,
) -> None:
    """Draw one series in the look of its number, over its interval where it has one."""
    color, dashes = theme.series(number), DASHES[number % len(DASHES)]
    if band:
        ax.fill_between(x, floats(band[0]), floats(band[1]), color=color, alpha=0.18, lw=0)
    marker = "o" if markers else None
    ax.plot(x, floats(values), label=label, color=color, linestyle=dashes, marker=marker, ms=4.5)


def _draw_diagonal(ax: Axes) -> None:
    """Draw y = x and keep both axes at one scale."""
    ax.axline((0, 0), slope=1, color=theme.color("muted"), linewidth=1, linestyle=":")
    ax.margins(0.02)
    ax.set_aspect("equal")


def _format_axes(ax: Axes, xformat: Format | None, yformat: Format | None, *, logx: bool) -> None:
    """Set the scale of the horizontal axis, and how the axes read where that is given."""
    if logx:
        ax.set_xscale("log")
        ax.xaxis.set_minor_formatter(ticks(lambda _: ""))
        xformat = xformat or (lambda v: f"{v:g}")
    if xformat is not None:
        ax.xaxis.set_major_formatter(ticks(xformat))
    if yformat is not None:
        ax.yaxis.set_major_formatter(ticks(yformat))


def _mark(ax: Axes, label: str, position: float) -> None:
    """Draw a vertical line with its label at the top, on the side that has room."""
    muted = theme.color("muted")
    ax.axvline(position, color=muted, linewidth=1, linestyle="--")
    (left, _), (right, _), (here, _) = ax.transData.transform(
        [(limit, 0) for limit in (*ax.get_xlim(), position)]
    )
    side = "right" if here - left > 0.7 * (right - left) else "left"
    shift = (4 if side == "left" else -4, -3)
    offset: dict[str, Any] = {"xytext": shift, "textcoords": "offset points", "ha": side}
    top = ("data", "axes fraction")
    ax.annotate(label, (position, 1), xycoords=top, va="top", fontsize=11, color=muted, **offset)


def scatter_cloud(
    x: Sequence[float],
    y: Sequence[float],
    labels: Sequence[int],
    *,
    names: Sequence[str] | Mapping[int, str],
    alt: str,
    xlabel: str = "",
    ylabel: str = "",
    width: float = 620,
    height: float = 460,
    size: float = 5,
) -> Figure:
    """Draw thousands of points coloured by a whole-number label.

    Parameters
    ----------
    x, y : sequences of float, shape (n,)
    labels : sequence of int, shape (n,)
        −1 is noise, drawn grey and first.
    names : sequence or mapping
        Name of each label, for the legend; noise is named when it occurs.
    alt, xlabel, ylabel : str
    width, height : float
        Pixels.
    size : float
        Area of a point in square pixels.
    """
    import numpy as np

    across, up, label_of = np.asarray(x), np.asarray(y), np.asarray(labels)
    known = dict(names) if isinstance(names, Mapping) else dict(enumerate(names))
    fig, ax = new(width, height)
    for label in np.unique(label_of).tolist():  # ascending, so noise comes first
        here = label_of == label
        noise = label == NOISE
        color = theme.color("noise") if noise else theme.series(label)
        name = known.get(label, "noise" if noise else str(label))
        alpha = 0.35 if noise else 0.55
        ax.scatter(across[here], up[here], s=size, color=color, alpha=alpha, linewidths=0)
        ax.scatter([], [], s=46, color=color, label=f"{name} ({fmt.integer(int(here.sum()))})")
    ax.grid(visible=False)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    fig.legend(loc="outside lower center", ncols=min(3, len(np.unique(label_of))))
    return png(fig, alt=alt)
