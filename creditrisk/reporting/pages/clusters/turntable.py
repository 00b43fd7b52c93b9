"""Three principal components as a picture that the reader can turn."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt
from creditrisk.reporting import theme

Row = dict[str, Any]

MAX_POINTS = 2000
CENTRE, REACH = (600, 450), 430
"""Middle of the drawing and what half the box's diagonal takes, in half pixels."""

SLABS = 4
"""Layers of depth; far ones are painted first and paler."""

VIEW = (60, 20)
"""Azimuth and elevation to begin with, degrees."""

HALF = 2047
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
Point = tuple[float, ...]


def build(results: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    results : dict
        ``data/results/cluster.json``: reads ``maps.pca``, ``maps.pca_labels``,
        ``pca.explained`` and ``clusters``.

    Returns
    -------
    dict
    """
    axes = results["maps"]["pca"]["axes"]
    step = -(-len(axes[0]) // MAX_POINTS)  # evenly through the sample, which is by ID
    labels = results["maps"]["pca_labels"]["kmeans"][::step]
    points, half = whole_points([axis[::step] for axis in axes[:3]])
    explained = results["pca"]["explained"]
    clusters = [c for c in results["clusters"] if c["group"] in set(labels)]
    scale = REACH / math.hypot(*half)
    view = rotation(*VIEW)
    return {
        "n": len(labels),
        "shares": explained[:3],
        "names": [f"PC {i + 1} ({fmt.percent(explained[i], 0)})" for i in range(3)],
        "legend": [
            (color(c["group"]), c["name"], labels.count(c["group"])) for c in clusters
        ],
        "layers": layers(points, labels, view, scale, half),
        "frame": frame(view, scale, half),
        "size": [2 * v for v in CENTRE],
        "data": {
            "points": encode(points, labels),
            "half": ",".join(map(str, half)),
            "scale": f"{scale:.6f}",
            "view": ",".join(map(str, VIEW)),
        },
        "alt": f"{len(labels)} clients in the space of the first three principal components, "
        f"which hold {fmt.percent(sum(explained[:3]))} of the variance, coloured by "
        f"{len(clusters)} KMeans clusters, seen from one side.",
    }  # fmt: skip


def color(label: int) -> Markup:
    """Return the CSS variable of a cluster's colour."""
    return Markup(theme.variable(f"series_{label % theme.N_SERIES + 1}"))  # noqa: S704


def whole_points(axes: list[list[int]]) -> tuple[list[Point], list[int]]:
    """Centre the box of the points; scale its longest half to :data:`HALF` whole steps.

    Returns
    -------
    list of tuple, list of int
        Points and the half lengths of the box by axis.
    """
    ends = [(min(axis), max(axis)) for axis in axes]
    unit = max(high - low for low, high in ends) / (2 * HALF) or 1.0
    columns = [
        [round((v - (low + high) / 2) / unit) for v in axis]
        for axis, (low, high) in zip(axes, ends, strict=True)
    ]
    return list(zip(*columns, strict=True)), [max(map(abs, column)) for column in columns]


def encode(points: list[Point], labels: list[int]) -> str:
    """Write seven characters a point: two digits of base 64 a coordinate, one the label."""
    text = []
    for point, label in zip(points, labels, strict=True):
        for v in point:
            high, low = divmod(int(v) + HALF + 1, 64)
            text += [DIGITS[high], DIGITS[low]]
        text.append(DIGITS[label])
    return "".join(text)


def rotation(azimuth: float, elevation: float) -> tuple[Point, Point, Point]:
    """Return the directions right, up and towards the eye, by angles in degrees."""
    a, e = math.radians(azimuth), math.radians(elevation)
    return (
        (-math.sin(a), math.cos(a), 0.0),
        (-math.sin(e) * math.cos(a), -math.sin(e) * math.sin(a), math.cos(e)),
        (math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)),
    )


def project(point: Point, view: tuple[Point, Point, Point], scale: float) -> tuple[int, int, float]:
    """Return where a point is drawn (half pixels, whole) and its depth, towards the eye."""
    right, up, near = (
        scale * sum(p * d for p, d in zip(point, axis, strict=True)) for axis in view
    )
    return round(CENTRE[0] + right), round(CENTRE[1] - up), near


def layers(
    points: list[Point],
    labels: list[int],
    view: tuple[Point, Point, Point],
    scale: float,
    half: list[int],
) -> list[Row]:
    """Return a path for each slab of depth and cluster, far ones first."""
    reach = scale * math.hypot(*half)
    kinds = sorted(set(labels))
    paths: dict[tuple[int, int], list[str]] = {key: [] for key in product(range(SLABS), kinds)}
    for point, label in zip(points, labels, strict=True):
        x, y, near = project(point, view, scale)
        slab = min(max(int((near / reach + 0.5) * SLABS), 0), SLABS - 1)
        paths[slab, label].append(f"M{x} {y}h0")
    return [
        {"slab": slab, "label": label, "color": color(label), "d": "".join(parts),
         "opacity": f"{0.4 + 0.5 * slab / (SLABS - 1):.2f}", "size": 7 + slab}
        for (slab, label), parts in paths.items()
    ]  # fmt: skip


def frame(view: tuple[Point, Point, Point], scale: float, half: list[int]) -> Row:
    """Return the box's edges as a path, its three axes, and where they are named."""

    def corner(signs: tuple[int, ...], out: float = 1.0) -> str:
        at = tuple(out * s * h for s, h in zip(signs, half, strict=True))
        x, y, _ = project(at, view, scale)
        return f"{x} {y}"

    edges = "".join(
        f"M{corner(signs)}L{corner((*signs[:i], 1, *signs[i + 1 :]))}"
        for signs in product((-1, 1), repeat=3)
        for i in range(3)
        if signs[i] < 0
    )
    tips = [tuple(1 if i == j else -1 for j in range(3)) for i in range(3)]
    return {
        "edges": edges,
        "axes": "".join(f"M{corner((-1, -1, -1))}L{corner(tip)}" for tip in tips),
        "names": [dict(zip("xy", corner(tip, 1.1).split(), strict=True)) for tip in tips],
    }
