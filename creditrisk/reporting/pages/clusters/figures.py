"""Drawings that only the clusters page has."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt

MAX_SHOWN = 6
"""Clusters of a cloud that get a colour of their own; the rest share one."""

PANELS = (
    # key, title, format, better
    ("inertia", "Inertia", "integer", ""),
    ("silhouette", "Silhouette", "decimal:2", "high is good"),
    ("calinski_harabasz", "Calinski-Harabasz", "integer", "high is good"),
    ("davies_bouldin", "Davies-Bouldin", "decimal:2", "low is good"),
    ("min_jaccard", "Least stable cluster, Jaccard", "decimal:2", "high is good"),
    ("min_share", "Smallest cluster", "percent:0", "share of rows"),
)


def choice_of_k(
    tried: Sequence[Mapping[str, Any]], k: int, gates: Mapping[str, float], *, alt: str
) -> figures.Figure:
    """Draw what the choice of k weighs, a panel each, the chosen k marked.

    Parameters
    ----------
    tried : sequence of mapping
        A k each.
    k : int
        The chosen one.
    gates : mapping
        Panel key → the value that a k must reach, drawn as a dashed line.
    alt : str
    """
    fig, axes = figures.new(720, 430, nrows=2, ncols=3)
    fig.set_layout_engine("constrained", h_pad=8 / 72, wspace=0.04, hspace=0.06)
    ks = [t["k"] for t in tried]
    for ax, (key, title, form, hint) in zip(axes.flat, PANELS, strict=True):
        values = [t[key] for t in tried]
        ax.plot(ks, values, color=theme.series(0), marker="o", markersize=4)
        ax.plot([k], [values[ks.index(k)]], color=theme.series(1), marker="o", markersize=8)
        if key in gates:
            ax.axhline(gates[key], color=theme.color("muted"), linewidth=1, linestyle="--")
        ax.set_title(title, fontsize=12)
        ax.set_xlabel(f"k ({hint})" if hint else "k")
        ax.set_xticks(ks)
        ax.yaxis.set_major_formatter(lambda v, _, form=form: str(fmt.apply(v, form)))
        ax.yaxis.get_major_locator().set_params(nbins=4)
    return figures.svg(fig, alt=alt)


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


def cloud_3d(
    axes: Sequence[Sequence[int]],
    unit: float,
    labels: Sequence[int],
    names: Mapping[int, str],
    *,
    axis_names: Sequence[str],
    alt: str,
) -> figures.Figure:
    """Draw a space of points coloured by label, seen from one fixed side.

    An orthographic projection of our own: matplotlib's three-dimensional axes cannot
    turn their points into one picture, and six thousand SVG shapes are too many.
    """
    import numpy as np

    fig, ax = figures.new(600, 500)
    points = unit * np.array(axes[:3], dtype=float)
    view = np.array(_view(azimuth=60.0, elevation=20.0))
    across, up, depth = view @ points
    order = np.argsort(depth, kind="stable")  # far ones first
    given = np.asarray(labels)
    palette = np.array([theme.series(label) for label in range(int(given.max()) + 1)])
    ax.scatter(across[order], up[order], s=6, c=palette[given[order]], alpha=0.55, linewidths=0)
    for label in np.unique(given).tolist():
        _legend_entry(ax, label, names[label], given == label)
    _draw_box(ax, view, points, axis_names)
    ax.set_aspect("equal")
    ax.margins(0.06)
    ax.set_axis_off()
    fig.legend(loc="outside lower center", ncols=2)
    return figures.png(fig, alt=alt)


def _draw_box(ax: Any, view: Any, points: Any, names: Sequence[str]) -> None:
    """Draw the edges of the box around the points; each axis is named on an outer edge."""
    import numpy as np

    ends = np.stack([points.min(axis=1), points.max(axis=1)])
    corners = {key: view @ ends[list(key), range(3)] for key in product((0, 1), repeat=3)}
    centre = sum(corners.values()) / 8
    for i, name in enumerate(names[:3]):
        edges = [
            (corners[key], corners[(*key[:i], 1, *key[i + 1 :])]) for key in corners if not key[i]
        ]
        for start, end in edges:
            ax.plot(
                [start[0], end[0]],
                [start[1], end[1]],
                color=theme.color("grid"),
                linewidth=1,
                zorder=0,
            )
        # flat axes are named below the box, on the edge nearest the eye; the upright at its left
        start, end = min(edges, key=lambda e: (e[0] + e[1])[0 if i == 2 else 1])
        middle = (start + end)[:2] / 2
        side = "right" if middle[0] < centre[0] else "left"
        shift = (-7, 0) if i == 2 else (-4 if side == "right" else 4, -12)
        ax.annotate(name, middle, xytext=shift, textcoords="offset points", ha=side,
                    fontsize=11.5, color=theme.color("ink"))  # fmt: skip
        arrow = {"arrowstyle": "-|>", "color": theme.color("muted"), "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", end[:2], start[:2], arrowprops=arrow)


def _view(azimuth: float, elevation: float) -> list[list[float]]:
    """Return the rotation that looks at the origin: rows are right, up, towards the eye."""
    a, e = math.radians(azimuth), math.radians(elevation)
    return [
        [-math.sin(a), math.cos(a), 0.0],
        [-math.sin(e) * math.cos(a), -math.sin(e) * math.sin(a), math.cos(e)],
        [math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)],
    ]
