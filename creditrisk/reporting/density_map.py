"""Maps of thousands of clients as shaded grids: a few kB where a cloud of points takes 100.

A cell's colour does not cover the ground fully, so that one picture fits light and dark
pages: colours are those of the series, and strength is opacity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import Format

Grid = Mapping[str, Any]
"""``low`` [x, y], ``side`` and ``shape`` [rows, columns] of square cells; by cell that holds
anybody ``cells`` (row · columns + column), ``n``, and ``mean`` or ``label`` and ``share``;
from :func:`creditrisk.segments.embedding.grid_means` and ``grid_majority``."""

RISKS = (0.1, 0.15, 0.2, 0.3, 0.45, 0.6)
"""What parts the classes of default rates and probabilities, on every map the same."""

LEAST = 10
"""Clients below which a cell's mean is not shown."""

FAINTEST, FULL = 0.17, 1.0
FEW = 0.3
"""Opacity of a cell with too few clients to say anything."""


def means(
    grid: Grid,
    bounds: Sequence[float],
    *,
    least: int,
    format: Format,
    alt: str,
    series: int = 0,
    width: float = 360,
) -> figures.Figure:
    """Draw the mean of a value by cell, in classes, stronger where it is higher.

    Parameters
    ----------
    grid : mapping
        With ``mean``.
    bounds : sequence of float
        What parts the classes, ascending; a mean on a bound is in the higher class. Equal
        bounds make maps comparable.
    least : int
        Cells with fewer clients are grey.
    format : str or callable
        How a bound reads.
    alt : str
    series : int
        Number of the colour.
    width : float
        Pixels.
    """
    import numpy as np

    mean, n = np.asarray(grid["mean"], dtype=float), np.asarray(grid["n"])
    level = np.searchsorted(bounds, mean, side="right")
    strengths = np.linspace(FAINTEST, FULL, len(bounds) + 1)
    colors = _rgba(np.full(len(mean), series), strengths[level])
    colors[n < least] = _color(theme.color("noise"), FEW)
    texts = [str(fmt.apply(b, format)) for b in bounds]
    words = [f"below {texts[0]}", *(f"{a} to {b}" for a, b in pairwise(texts)), f"{texts[-1]} up"]
    legend = [
        (word, theme.series(series), float(strength))
        for word, strength in zip(words, strengths, strict=True)
    ]
    if (n < least).any():
        legend.append((f"under {least} clients", theme.color("noise"), FEW))
    return _draw(grid, colors, legend, alt=alt, width=width)


def majority(
    grid: Grid,
    names: Mapping[int, str],
    *,
    alt: str,
    width: float = 360,
) -> figures.Figure:
    """Draw the commonest label by cell, paler where it has less than the whole cell.

    Parameters
    ----------
    grid : mapping
        With ``label`` and ``share``.
    names : mapping
        Label → name for the legend, in the order of the colours; −1 is noise, grey.
    alt : str
    width : float
        Pixels.
    """
    import numpy as np

    label, share = np.asarray(grid["label"]), np.asarray(grid["share"], dtype=float)
    kinds = [name for name in names if name != figures.NOISE]
    position = {name: i for i, name in enumerate(kinds)}
    numbers = np.array([position.get(int(v), figures.NOISE) for v in label])
    # two steps: one label has nearly all of the cell, or it shares it
    colors = _rgba(numbers, np.where(share > 0.9, 0.95, 0.55))
    legend = [(names[kind], _hue(i), 0.95) for i, kind in enumerate(kinds)]
    if figures.NOISE in names:
        legend.append((names[figures.NOISE], _hue(figures.NOISE), 0.95))
    return _draw(grid, colors, legend, alt=alt, width=width)


def _hue(number: int) -> str:
    """Return the colour of the i-th label; noise is grey."""
    return theme.color("noise") if number == figures.NOISE else theme.series(number)


def _color(hue: str, opacity: float) -> tuple[float, float, float, float]:
    """Return red, green, blue and opacity, 0 to 1."""
    red, green, blue = (int(hue[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, opacity


def _rgba(numbers: Any, opacity: Any) -> Any:
    """Return the colours of cells, shape (cells, 4)."""
    import numpy as np

    pairs = zip(numbers.tolist(), opacity.tolist(), strict=True)
    return np.array([_color(_hue(number), strength) for number, strength in pairs])


def _draw(
    grid: Grid, colors: Any, legend: list[tuple[str, str, float]], *, alt: str, width: float
) -> figures.Figure:
    """Paint the cells as one small picture, with a legend and without axes."""
    import numpy as np
    from matplotlib.patches import Patch

    rows, columns = grid["shape"]
    picture = np.zeros((rows * columns, 4))
    picture[np.asarray(grid["cells"], dtype=int)] = colors
    lines = -(-len(legend) // 2)
    fig, ax = figures.new(width, width * rows / columns + 14 + 19 * lines)
    (x, y), side = grid["low"], grid["side"]
    ax.imshow(
        picture.reshape(rows, columns, 4),
        origin="lower",
        extent=(x, x + side * columns, y, y + side * rows),
        interpolation="nearest",
    )
    ax.set_axis_off()
    handles = [Patch(facecolor=hue, alpha=alpha, label=text) for text, hue, alpha in legend]
    fig.legend(handles=handles, loc="outside lower center", ncols=2)
    return figures.png(fig, alt=alt)
