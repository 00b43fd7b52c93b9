"""The section on the clusters' credentials: what speaks for each, and against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt

Row = dict[str, Any]

FIRM = ("highly stable", "stable")
"""Words on Hennig's scale that need no warning."""
SAID = 3
"""Features that a profile tells."""


def build(results: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    results : dict
        ``data/results/cluster.json`` with ``studies.clusters`` (``document``, ``stale``) and
        ``beside``, the headline of ``evaluate``, where there is one.
    """
    study, groups = results["studies"]["clusters"], results["clusters"]
    measured = _match(study, results["choice"]["k"])
    rows = [g | (measured[i] if measured else {}) for i, g in enumerate(groups)]
    known = sorted((c for c in rows if c["n"]), key=lambda c: -c["default_rate"])
    test = results.get("beside", {}).get("segments", {}).get("cluster_test")
    return {
        "stale": study["stale"],
        "measured": bool(measured),
        "n_resamples": study["document"]["design"]["n_resamples"]
        if measured
        else results["choice"]["rule"]["n_resamples"],
        "n": results["rows"],
        "n_clusters": len(rows),
        "least": min(rows, key=lambda c: c["jaccard"]),
        "loose": [c for c in rows if c["stability"] not in FIRM],
        "blurred": [c for c in rows if c["silhouette"] is not None and c["silhouette"] < 0],
        "highest": known[0],
        "lowest": known[-1],
        "test": test,
        "adds": test is not None and test["p_value"] < 0.05,
        "columns": _columns(measured=bool(measured)),
        "rows": [_credential(c, measured=bool(measured)) for c in rows],
        "profiles": _profiles(rows, results["features"]),
        "figure": _draw_rates(known),
    }


def _match(study: Row, k: int) -> list[Row]:
    """Return the study's measurements of the clusters; none when they may be others."""
    if study["stale"]:
        return []
    return next((t["clusters"] for t in study["document"]["tried"] if t["k"] == k), [])


def _columns(*, measured: bool) -> list[str]:
    """Return the heads of the table."""
    spread = ["Worst 5 % of resamples", "Dissolved"] if measured else []
    rate = ["Silhouette", "Default rate", "95 % interval"]
    return ["No.", "Cluster", "Clients", "Share", "Jaccard", *spread, "Verdict", *rate]


def _credential(c: Row, *, measured: bool) -> list[Any]:
    """Return a cluster's row."""
    spread = [fmt.decimal(c["low_jaccard"]), fmt.percent(c["dissolved"], 0)] if measured else []
    return [
        str(c["group"]),
        c["name"],
        fmt.integer(c["n"]),
        fmt.percent(c["share"]),
        fmt.decimal(c["jaccard"]),
        *spread,
        c["stability"],
        fmt.decimal(c["silhouette"]),
        fmt.percent(c["default_rate"]),
        fmt.interval(c["low"], c["high"], "percent"),
    ]


def _profiles(rows: Sequence[Row], features: Sequence[Row]) -> list[list[Any]]:
    """Return, for each cluster, the medians in which it lies farthest from the mean."""
    told = []
    for c in rows:
        order = sorted(range(len(features)), key=lambda j: (-abs(c["centre"][j]), j))
        cells = [_tell(features[j], c) for j in order[:SAID]]
        told.append([str(c["group"]), c["name"], "; ".join(cells)])
    return told


def _tell(feature: Row, c: Row) -> str:
    """Return a median in raw units beside that of all clients."""
    name = feature["name"]
    mine, all_clients = _value(name, c["medians"][name]), _value(name, feature["median"])
    return f"{feature['meaning']}: {mine} (all clients {all_clients})"


def _value(name: str, x: float | None) -> str:
    """Format a raw feature value: counts or ratios."""
    if name.startswith("n_"):
        return fmt.decimal(x, 0 if x is None or x == round(x) else 1)
    return fmt.percent(x)


def _draw_rates(known: Sequence[Row]) -> figures.Figure:
    """Draw the default rate of each cluster with its interval."""
    return figures.bars(
        [f"{c['name']} (n = {fmt.integer(c['n'])})" for c in known],
        [c["default_rate"] for c in known],
        low=[c["low"] for c in known],
        high=[c["high"] for c in known],
        xlabel="default rate with 95 % interval",
        format="percent",
        alt=f"Default rate by cluster, from {fmt.percent(known[0]['default_rate'])} "
        f"({known[0]['name']}) to {fmt.percent(known[-1]['default_rate'])} ({known[-1]['name']}).",
    )
