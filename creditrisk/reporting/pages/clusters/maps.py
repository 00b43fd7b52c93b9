"""The t-SNE map: how far to believe it, its panels, and new clients on it."""

from __future__ import annotations

import math
from typing import Any

from creditrisk.reporting import density_map
from creditrisk.reporting import format as fmt
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

GOAL = 0.95
"""Trustworthiness asked of the map beforehand."""

SAME_LAYOUT = 0.05
"""Procrustes distance below which two maps are called the same layout."""

NOISE, MAX_SHOWN = -1, 6
PAY_0 = {
    0: f"{fmt.MINUS}2 no consumption",
    1: f"{fmt.MINUS}1 paid in full",
    2: "0 revolving",
    3: "1 one month late",
    4: "2 and more, late",
}


def build(results: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    results : dict
        ``data/results/cluster.json`` with ``map_quality`` (``map``, ``seeds`` and
        ``placing``, from :mod:`creditrisk.segments.map_quality`; ``placing`` with
        ``n_landmarks``, ``n_nearest`` and ``radius``) and ``maps.tsne_grids`` (from
        :func:`creditrisk.segments.embedding.draw_grids`).

    Returns
    -------
    dict
    """
    quality, grids = results["map_quality"], results["maps"]["tsne_grids"]
    seeds, placing = quality["seeds"], quality["placing"]
    return {
        "n": results["rows"],
        "goal": GOAL,
        "trusted": quality["map"]["trustworthiness"]["low"] >= GOAL,
        "quality": quality["map"],
        "seeds": seeds,
        "same_layout": {kind: seeds[kind]["procrustes"] < SAME_LAYOUT for kind in SEEDS},
        "agree": min(seeds[kind]["overlap"] for kind in SEEDS) >= seeds["kept"],
        "placing": placing | {"error_share": placing["median_error"] / placing["width"]},
        "noise_cells": sum(label == NOISE for label in grids["dbscan"]["label"]),
        "n_cells": len(grids["dbscan"]["label"]),
        "noise_share": results["dbscan"]["noise_share"],
        "cells": describe_cells(grids["default"]["n"], results["default_rate"]),
        "figures": figures_of(results),
        "quality_rows": quality_rows(results),
        "seed_rows": [seed_row(name, seeds[kind]) for kind, name in SEEDS.items()],
        "placing_rows": placing_rows(placing),
    }


SEEDS = {"seed": "another seed, same start", "start": "same seed, random start"}


def figures_of(results: Row) -> dict[str, Figure]:
    """Draw the four panels."""
    grids, found = results["maps"]["tsne_grids"], results["dbscan"]
    names = {c["group"]: c["name"] for c in results["clusters"]}
    dbscan = {i: f"cluster {i}" for i in range(min(found["n_clusters"], MAX_SHOWN))}
    if found["n_clusters"] > MAX_SHOWN:
        dbscan[MAX_SHOWN] = "smaller clusters"
    fewer = grids["dbscan"] | {"label": [min(v, MAX_SHOWN) for v in grids["dbscan"]["label"]]}
    n, rate = fmt.integer(results["rows"]), fmt.percent(results["default_rate"])
    return {
        "kmeans": density_map.majority(
            grids["kmeans"], names,
            alt=f"t-SNE map of {n} clients by the commonest of {len(names)} KMeans clusters in "
            "each cell.",
        ),
        "dbscan": density_map.majority(
            fewer, dbscan | {NOISE: "noise"},
            alt=f"The same map by the commonest DBSCAN label in each cell: {found['n_clusters']} "
            f"clusters; {fmt.percent(found['noise_share'])} of clients are noise.",
        ),
        "pay_0": density_map.majority(
            grids["pay_0"], PAY_0,
            alt="The same map by the commonest status code of September in each cell.",
        ),
        "default": density_map.means(
            grids["default"], density_map.RISKS, least=density_map.LEAST, format="percent:0", series=3,
            alt=f"The same map by observed default rate in each cell; over all cells {rate}.",
        ),
    }  # fmt: skip


def describe_cells(counts: list[int], rate: float) -> Row:
    """Return how many clients the cells of a rate hold, and how unsure that leaves it."""
    median = sorted(counts)[len(counts) // 2]
    return {
        "least": density_map.LEAST,
        "clients": sum(n for n in counts if n < density_map.LEAST),
        "median": median,
        "points": round(100 * 1.96 * math.sqrt(rate * (1 - rate) / median)),
    }


def quality_rows(results: Row) -> list[list[Any]]:
    """Return the quality of the whole map, then of each cluster's part of it."""
    found = results["map_quality"]["map"]
    names = {c["group"]: c["name"] for c in results["clusters"]}
    values = ("trustworthiness", "continuity")
    return [
        [
            "whole map",
            fmt.integer(found["n_rows"]),
            *(fmt.decimal(found[name]["value"], 4) for name in values),
            fmt.percent(found["kept"]["value"]),
        ],
        *(
            [
                names[c["group"]],
                fmt.integer(c["n_rows"]),
                *(fmt.decimal(c[name], 4) for name in values),
                fmt.percent(c["kept"]),
            ]
            for c in found["clusters"]
        ),
    ]


def seed_row(name: str, found: Row) -> list[Any]:
    """Return how one other map compares."""
    return [
        name,
        fmt.percent(found["overlap"]),
        fmt.percent(found["chance"]),
        fmt.decimal(found["procrustes"]),
    ]


def placing_rows(found: Row) -> list[list[Any]]:
    """Return how well held-out clients are placed, beside their true positions."""
    return [
        ["median error, map units", fmt.decimal(found["median_error"], 2), "0"],
        ["error of nine in ten, at most", fmt.decimal(found["p90_error"], 2), "0"],
        [
            "in the region of the own cluster",
            fmt.percent(found["region_share"]),
            fmt.percent(found["region_ceiling"]),
        ],
        [
            "in empty space",
            fmt.percent(found["empty_share"]),
            fmt.percent(found["empty_ceiling"]),
        ],
    ]
