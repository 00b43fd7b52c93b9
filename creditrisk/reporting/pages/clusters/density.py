"""The section on density: DBSCAN at the knee, its grid, HDBSCAN and its validity."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

NOISE = -1
ORDER_SPREAD = 0.05
"""Validity that moves by more than this with the order of the rows is said to hang on it."""
SHOWN_PERSISTENCE = 8
"""Clusters, largest first, whose persistence is shown."""


def build(results: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    results : dict
        ``data/results/cluster.json``, with ``dbscan.grid`` of
        :func:`creditrisk.segments.density_grid.grid` and ``hdbscan`` of
        :func:`creditrisk.segments.hierarchy.cluster`.

    Returns
    -------
    dict
    """
    found, hierarchy = results["dbscan"], results["hdbscan"]
    cells, sizes = found["grid"]["rows"], hierarchy["rows"]
    names = [c["name"] for c in results["clusters"]]
    return {
        "found": found,
        "headline": results["headline"],
        "n_clients": results["rows"],
        "n_cells": len(cells),
        "usable": [c for c in cells if not c["degenerate"]],
        "top": max(
            (c for c in cells if c["silhouette"] is not None),
            key=lambda c: c["silhouette"],
            default=None,
        ),
        "beside": [g for g in found["groups"] if g["group"] > 0 and g["n"]],
        "k_distance": k_distance(found),
        "cluster_map": grid_map(found, "n_clusters", "integer"),
        "noise_map": grid_map(found, "noise_share", "percent"),
        "grid_rows": [grid_row(c, chosen=is_chosen(c, found)) for c in cells],
        "silhouette_rows": found["grid"]["silhouette_rows"],
        "group_columns": ["Group", "Clients", "Share", "Default rate", "95 % interval", *names],
        "group_rows": [group_row(g) for g in found["groups"]],
        "hierarchy": hierarchy | summarise(sizes),
        "size_rows": [size_row(r) for r in sizes],
        "persistence_rows": [persistence_row(r) for r in sizes],
    }


def summarise(sizes: list[Row]) -> Row:
    """Return what the sentences on HDBSCAN are made of."""
    known = [r for r in sizes if r["validity_low"] is not None]
    return {
        "usable": [r["min_cluster_size"] for r in sizes if not r["degenerate"]],
        "reasons": list(dict.fromkeys(reason for r in sizes for reason in r["reasons"])),
        "moved": [r for r in known if r["validity_high"] - r["validity_low"] > ORDER_SPREAD],
        "validities": [r["validity_low"] for r in known],
        "order_adjusted_rand": min(r["order_adjusted_rand"] for r in sizes),
        "adjusted_rand": [r["adjusted_rand"] for r in sizes],
        "fewer_shuffled": all(r["shuffled"]["n_clusters"] < r["n_clusters"] for r in sizes),
        "shuffled": [r["shuffled"]["n_clusters"] for r in sizes],
        "endless": [r["min_cluster_size"] for r in sizes if persistence_of(r) == [None]],
    }


def is_chosen(cell: Row, found: Row) -> bool:
    """Tell whether a cell of the grid is the one whose labels are kept."""
    return (cell["min_samples"], cell["factor"]) == (found["min_samples"], 1)


def verdict(row: Row) -> str:
    """Return why a result is degenerate, or that it is not."""
    return "; ".join(row["reasons"]) if row["degenerate"] else "not degenerate"


def k_distance(found: Row) -> Figure:
    """Draw the sorted distances to the k-th neighbour, the knee marked."""
    curve, eps = found["k_distance"], found["eps"]
    share = next(
        (x for x, d in zip(curve["share"], curve["distance"], strict=True) if d >= eps), 1.0
    )
    label = f"knee: eps = {fmt.decimal(eps, 2)}"
    return figures.lines(
        [100 * x for x in curve["share"]],
        {"distance": curve["distance"]},
        xlabel="clients of the sample, % (sorted by distance)",
        ylabel=f"distance to neighbour no. {found['min_samples']}",
        alt=f"k-distance curve of {fmt.integer(found['n_fitted'])} clients; {label}.",
        marks={label: 100 * share},
        height=340,
    )


def grid_map(found: Row, key: str, form: str) -> Figure:
    """Draw one measure over min_samples and eps; brackets mark the cell whose labels are kept."""
    cells = found["grid"]["rows"]
    samples = list(dict.fromkeys(c["min_samples"] for c in cells))
    factors = list(dict.fromkeys(c["factor"] for c in cells))
    rows = [[c for c in cells if c["min_samples"] == m] for m in samples]
    texts = [
        [
            ("[{}]" if is_chosen(c, found) else "{}").format(fmt.apply(c[key], form))
            + ("" if c["degenerate"] else "*")
            for c in row
        ]
        for row in rows
    ]
    values = [c[key] for c in cells]
    what = {"n_clusters": "Clusters", "noise_share": "Noise"}[key]
    return figures.heatmap(
        [[c[key] for c in row] for row in rows],
        [f"{m} neighbours" for m in samples],
        [f"{f:g} × knee" for f in factors],
        texts=texts,
        width=560,
        alt=f"{what} of DBSCAN over {len(samples)} values of min_samples and {len(factors)} of eps, "
        f"from {fmt.apply(min(values), form)} to {fmt.apply(max(values), form)}.",
    )


def grid_row(cell: Row, *, chosen: bool) -> list[Any]:
    """Return one cell of the grid as a row of the table."""
    eps = fmt.decimal(cell["eps"])
    return [
        fmt.integer(cell["min_samples"]),
        Markup("<strong>{} (kept)</strong>").format(eps) if chosen else eps,
        fmt.integer(cell["n_clusters"]),
        fmt.percent(cell["noise_share"]),
        fmt.percent(cell["largest_share"]),
        fmt.decimal(cell["silhouette"], 2),
        fmt.decimal(cell["adjusted_rand"], 2),
        verdict(cell),
    ]


def group_row(group: Row) -> list[Any]:
    """Return a group of DBSCAN at the knee, with its clients by KMeans cluster."""
    return [
        fmt.whole("noise" if group["group"] == NOISE else f"cluster {group['group']}"),
        fmt.integer(group["n"]),
        fmt.percent(group["share"]),
        fmt.percent(group["default_rate"]),
        fmt.interval(group["low"], group["high"], "percent"),
        *(fmt.integer(n) for n in group["kmeans"]),
    ]


def size_row(row: Row) -> list[Any]:
    """Return HDBSCAN at one least size."""
    return [
        fmt.integer(row["min_cluster_size"]),
        fmt.integer(row["n_clusters"]),
        fmt.percent(row["noise_share"]),
        fmt.percent(row["largest_share"]),
        fmt.decimal(row["validity"], 2),
        fmt.interval(row["validity_low"], row["validity_high"], "decimal:2"),
        fmt.decimal(row["adjusted_rand"], 2),
        fmt.integer(row["shuffled"]["n_clusters"]),
        fmt.percent(row["shuffled"]["noise_share"]),
        verdict(row),
    ]


def persistence_of(row: Row) -> list[float | None]:
    """Return the persistence of the clusters shown; [None] where it cannot be told."""
    values = [c["persistence"] for c in row["clusters"][:SHOWN_PERSISTENCE]]
    return [None] if values and values[0] is None else values


def persistence_row(row: Row) -> list[Any]:
    """Return sizes and persistence of the largest clusters at one least size."""
    shown = row["clusters"][:SHOWN_PERSISTENCE]
    return [
        fmt.integer(row["min_cluster_size"]),
        ", ".join(fmt.integer(c["n"]) for c in shown) or fmt.integer(None),
        ", ".join(fmt.decimal(p, 2) for p in persistence_of(row)) or fmt.decimal(None),
        fmt.integer(max(len(row["clusters"]) - len(shown), 0)),
    ]
