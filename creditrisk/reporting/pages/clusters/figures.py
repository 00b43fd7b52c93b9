"""Drawings that only the clusters page has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt

MAX_SHOWN = 6
"""Clusters of a cloud that get a colour of their own; the rest share one."""


def few_labels(labels: Sequence[int], names: Mapping[int, str]) -> tuple[list[int], dict[int, str]]:
    """Give the smaller of many clusters one common label, so that colours suffice.

    Parameters
    ----------
    labels : sequence of int, shape (n,)
        Numbered by size, −1 for noise.
    names : mapping
        Label → name.

    Returns
    -------
    list of int, dict
        Labels up to :data:`MAX_SHOWN` and their names.
    """
    known = dict(names)
    if max(labels, default=0) < MAX_SHOWN:
        return list(labels), known
    known[MAX_SHOWN] = "smaller clusters"
    return [min(label, MAX_SHOWN) for label in labels], known


def cloud(
    axes: Sequence[Sequence[int]],
    unit: float,
    labels: Sequence[int],
    names: Mapping[int, str],
    *,
    axis_names: Sequence[str],
    alt: str,
    width: float = 430,
) -> figures.Figure:
    """Draw a plane of points coloured by label, noise grey and first."""
    import numpy as np

    kept, known = few_labels(labels, names)
    shown = np.asarray(kept)
    x, y = (unit * np.asarray(axis, dtype=float) for axis in axes[:2])
    fig, ax = figures.new(width, width)
    size, alpha = (3, 0.5) if len(x) > 10_000 else (5, 0.6)
    for label in np.unique(shown).tolist():  # ascending, so noise comes first
        here = shown == label
        ax.scatter(x[here], y[here], s=size, color=_color(label), alpha=alpha, linewidths=0)
        _legend_entry(ax, label, known[label], here)
    ax.grid(visible=False)
    ax.set(xlabel=axis_names[0], ylabel=axis_names[1])
    fig.legend(loc="outside lower center", ncols=2)
    return figures.png(fig, alt=alt)


def _color(label: int) -> str:
    """Return the colour of a label; noise is grey."""
    return theme.color("muted") if label == figures.NOISE else theme.series(label)


def _legend_entry(ax: Any, label: int, name: str, here: Any) -> None:
    """Add a dot and a name with its number of points to the legend."""
    text = f"{name} ({fmt.integer(int(here.sum()))})"
    ax.scatter([], [], s=46, color=_color(label), label=text)
