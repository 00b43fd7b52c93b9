"""A table of shaded cells, each with its number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from creditrisk.reporting import format as fmt
from creditrisk.reporting import theme
from creditrisk.reporting.canvas import Format, Values, floats, new, svg
from creditrisk.reporting.svg import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def heatmap(
    values: Sequence[Values],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    *,
    format: Format = "decimal:2",
    texts: Sequence[Sequence[str]] | None = None,
    alt: str,
    diverging: bool = False,
    limits: tuple[float, float] | None = None,
    xlabel: str = "",
    ylabel: str = "",
    width: float | None = None,
) -> Figure:
    """Draw a table of shaded cells, each with its number.

    Parameters
    ----------
    values : sequence of rows of floats or None
        None leaves a cell empty.
    row_labels, column_labels : sequences of str
        The first row is on top.
    format : str or callable
        How a cell reads, e.g. ``"percent"`` or ``"integer"``.
    texts : sequence of rows of str, optional
        What each cell reads instead.
    alt : str
    diverging : bool
        Two-sided colours around zero instead of light to dark.
    limits : (low, high), optional
        Values at the ends of the colours; by default those of the data.
    xlabel, ylabel : str
    width : float, optional
        Pixels; by default as wide as the cells need, at most 760.
    """
    rows = [floats(row) for row in values]
    n_rows, n_columns = len(rows), len(column_labels)
    longest = max((len(label) for label in row_labels), default=0)
    width = width or min(max(360, 60 + 7 * longest + 84 * n_columns), 760)
    turned = sum(len(c) + 2 for c in column_labels) * 7 > width - 7 * longest - 40
    fig, ax = new(width, 50 + 30 * n_rows + (6 * max(map(len, column_labels)) if turned else 20))
    low, high = limits or _data_limits(rows, diverging)
    ramp = theme.DIVERGING if diverging else theme.HEAT
    shown = texts or [[str(fmt.apply(v, format)) for v in row] for row in rows]
    _draw_cells(ax, rows, shown, lambda v: _ramp_role(v, low, high, ramp))
    ax.set(xlim=(-0.5, n_columns - 0.5), ylim=(n_rows - 0.5, -0.5), xlabel=xlabel, ylabel=ylabel)
    anchor = {"rotation": 40, "ha": "left", "rotation_mode": "anchor"} if turned else {}
    ax.set_xticks(range(n_columns), column_labels, **anchor)
    ax.set_yticks(range(n_rows), row_labels)
    ax.tick_params(labelcolor=theme.color("ink"), top=False, labeltop=True, labelbottom=False)
    ax.xaxis.set_label_position("top")
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return svg(fig, alt=alt)


def _draw_cells(
    ax: Axes,
    rows: Sequence[Sequence[float]],
    texts: Sequence[Sequence[str]],
    role_of: Callable[[float], str],
) -> None:
    """Draw a shaded box with its text for every known value."""
    from matplotlib.patches import Rectangle

    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if math.isnan(value):
                continue
            role = role_of(value)
            box = Rectangle((j - 0.485, i - 0.47), 0.97, 0.94, color=theme.color(role), lw=0)
            ax.add_patch(box)
            ink = theme.color("heat_ink_strong" if role in theme.STRONG else "heat_ink")
            ax.text(j, i, texts[i][j], ha="center", va="center", fontsize=11.5, color=ink)


def _data_limits(rows: Sequence[Sequence[float]], diverging: bool) -> tuple[float, float]:
    """Return the smallest and largest value, symmetric around zero when asked."""
    known = [v for row in rows for v in row if not math.isnan(v)] or [0.0]
    if diverging:
        reach = max(abs(v) for v in known)
        return -reach, reach
    return min(known), max(known)


def _ramp_role(value: float, low: float, high: float, ramp: Sequence[str]) -> str:
    """Return the colour role of a value between the ends of a ramp."""
    share = 0.5 if high <= low else min(max((value - low) / (high - low), 0.0), 1.0)
    return ramp[min(int(share * len(ramp)), len(ramp) - 1)]
