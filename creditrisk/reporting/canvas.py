"""An empty canvas in the reports' one look, and its way into inline SVG.

matplotlib is imported when the first figure is made; neither pyplot nor a display
is used.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from creditrisk.reporting import format as fmt
from creditrisk.reporting import theme
from creditrisk.reporting.svg import Figure, inline

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas
    from matplotlib.ticker import FuncFormatter

Values = Sequence[float | None]
Format = str | Callable[[Any], str]
"""A number formatter of :mod:`creditrisk.reporting.format`, or its name."""

RASTER_DPI = 120
"""Against the drawing's 72 units an inch: 30,000 points take about 110 kB."""


def style() -> Any:
    """Return matplotlib's settings for every figure."""
    from cycler import cycler

    ink, muted, grid = theme.color("ink"), theme.color("muted"), theme.color("grid")
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": "creditrisk",
        "font.family": "DejaVu Sans",  # measures the layout; the page's own font is shown
        "font.size": 12,
        "axes.titlesize": 13,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 12,
        "xtick.labelsize": 11.5,
        "ytick.labelsize": 11.5,
        "legend.fontsize": 11.5,
        "legend.frameon": False,
        "text.color": ink,
        "axes.labelcolor": muted,
        "xtick.color": muted,
        "ytick.color": muted,
        "axes.edgecolor": grid,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": grid,
        "grid.linewidth": 0.8,
        "axes.labelpad": 6,
        "xtick.major.pad": 6,
        "xtick.minor.size": 0,
        "ytick.minor.size": 0,
        "xtick.major.size": 0,
        "ytick.major.size": 0,
        "lines.linewidth": 1.8,
        "axes.prop_cycle": cycler(color=[theme.series(i) for i in range(theme.N_SERIES)]),
        "axes.formatter.use_mathtext": False,
        "axes.formatter.useoffset": False,
        "axes.formatter.limits": (-5, 9),
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "savefig.edgecolor": "none",
    }


def new(width: float = 720, height: float = 360, **subplots: Any) -> tuple[Canvas, Any]:
    """Make an empty figure.

    Parameters
    ----------
    width, height : float
        Size in CSS pixels; text is 12 px at that size. 720 fills the text column.
    **subplots
        Passed on to ``Figure.subplots``: ``nrows``, ``ncols``, ``sharex``, …

    Returns
    -------
    fig : matplotlib.figure.Figure
    ax : matplotlib.axes.Axes or array of them

    Raises
    ------
    ValueError
        When the size looks like inches.
    """
    if width < 100 or height < 60:
        raise ValueError(f"figure size is in pixels, e.g. 720 x 360; got {width} x {height}")
    import matplotlib
    from matplotlib.figure import Figure as Canvas

    matplotlib.rcParams.update(style())
    fig = Canvas(figsize=(width / 72, height / 72), layout="constrained")
    return fig, fig.subplots(**subplots)


def svg(fig: Canvas, *, alt: str) -> Figure:
    """Turn a figure into inline SVG.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    alt : str
        One sentence that says what the figure shows, with its main number.

    Returns
    -------
    Figure
        The same bytes for the same drawing.
    """
    import matplotlib

    fig.patch.set_visible(False)
    for ax in fig.axes:
        ax.patch.set_visible(False)
        # the page's font is narrower than the one measured: anchor turned labels
        label = ax.yaxis.label
        label.set(rotation_mode="anchor", ha="center", va="bottom")
    buffer = io.StringIO()
    with matplotlib.rc_context(style()):
        metadata = {"Date": None, "Creator": None}
        fig.savefig(buffer, format="svg", metadata=metadata, dpi=RASTER_DPI)
    return inline(buffer.getvalue(), alt)


def png(fig: Canvas, *, alt: str) -> Figure:
    """Turn a figure with many points into SVG whose points are one small picture.

    Axes, labels and legend stay text, so they follow the page's mode; points and
    images become a PNG on a transparent ground without any metadata.
    """
    for ax in fig.axes:
        for artist in (*ax.collections, *ax.images):
            artist.set_rasterized(True)
    return svg(fig, alt=alt)


def floats(values: Values) -> list[float]:
    """Replace None by NaN, which matplotlib leaves out."""
    return [math.nan if v is None else float(v) for v in values]


def ticks(format: Format) -> FuncFormatter:
    """Return an axis formatter made from a number formatter or its name."""
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _position: str(fmt.apply(value, format)))
