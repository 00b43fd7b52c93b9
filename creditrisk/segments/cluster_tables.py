"""What the clusters page shows, and the table of labels, computed from finished fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.segments import density, profiles
from creditrisk.segments.assignment import TYPICAL_LEVEL
from creditrisk.segments.clusters import sample_rows

if TYPE_CHECKING:
    import pandas as pd

STABILITY_SCALE = ((0.85, "highly stable"), (0.75, "stable"), (0.6, "a pattern"), (0.0, "unstable"))
"""Verdicts on the mean bootstrap Jaccard similarity (Hennig 2007)."""


MAP_UNIT = {"pca": 0.01, "tsne": 0.1}
"""The pictures' coordinates are stored as whole multiples of this."""


@dataclass(frozen=True)
class Labels:
    """Where every client went.

    Attributes
    ----------
    cluster_id, dbscan : ndarray of int, shape (n,)
        KMeans cluster and DBSCAN label (−1 is noise).
    confidence : ndarray of float, shape (n,)
        0–1, see :func:`creditrisk.segments.assignment.margin_confidence`.
    nearest, limit : ndarray of float, shape (n,)
        Distance to the own centre, and the 99th percentile of that distance among the
        cluster's training members.
    pca : ndarray of float, shape (n, 3)
    tsne : ndarray of float, shape (n, 2)
    """

    cluster_id: np.ndarray
    confidence: np.ndarray
    nearest: np.ndarray
    limit: np.ndarray
    dbscan: np.ndarray
    pca: np.ndarray
    tsne: np.ndarray


def stability_verdict(similarity: float) -> str:
    """Return the word on Hennig's scale for a mean Jaccard similarity, 0–1."""
    return next(word for limit, word in STABILITY_SCALE if similarity >= limit)


def label_table(clients: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """Return the labels and coordinates of every client.

    Parameters
    ----------
    clients : DataFrame, n rows
    labels : Labels

    Returns
    -------
    DataFrame, n rows
        ID, cluster_id, cluster_confidence, dbscan_label, pca_1 … pca_3, tsne_1, tsne_2.
    """
    return clients[[schema.KEY]].assign(
        cluster_id=labels.cluster_id.astype(np.int64),
        cluster_confidence=labels.confidence.round(6),
        dbscan_label=labels.dbscan.astype(np.int64),
        **{f"pca_{i + 1}": labels.pca[:, i].round(6) for i in range(3)},
        **{f"tsne_{i + 1}": labels.tsne[:, i] for i in range(2)},
    )


def describe_features(
    values: np.ndarray, features: Sequence[Mapping[str, Any]], numbers: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Describe the inputs: range, transformation, how many values the clip moves, scaling.

    Parameters
    ----------
    values : ndarray of float, shape (n, p)
        Raw values of all clients.
    features : sequence of mapping, length p
    numbers : mapping
        What ``models/clusters.json`` holds.
    """
    from creditrisk.features import registry

    known = {f.name: f for f in registry.all_features()}
    rows = []
    for j, feature in enumerate(features):
        column, (low, high) = values[:, j], feature["clip"]
        rows.append(
            {
                **feature,
                "meaning": known[feature["name"]].meaning,
                "family": known[feature["name"]].family,
                "clipped_share": float(((column < low) | (column > high)).mean()),
                "median": float(np.median(column)),
                "mean": numbers["mean"][j],
                "scale": numbers["scale"][j],
            }
        )
    return rows


def mean_silhouettes(
    points: np.ndarray, cluster_id: np.ndarray, k: int, *, n_rows: int, random_state: int
) -> list[float | None]:
    """Return each cluster's mean silhouette on a seeded sample of rows.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
    cluster_id : ndarray of int, shape (n,)
    k, n_rows, random_state : int

    Returns
    -------
    list of float or None, length k
        None for a cluster of which the sample holds nobody.
    """
    from sklearn.metrics import silhouette_samples

    rows = sample_rows(len(points), n_rows, random_state)
    drawn = cluster_id[rows]
    if len(np.unique(drawn)) < 2:
        return [None] * k
    widths = silhouette_samples(points[rows], drawn)
    return [float(widths[drawn == c].mean()) if (drawn == c).any() else None for c in range(k)]


def describe_clusters(
    clients: pd.DataFrame,
    values: np.ndarray,
    labels: Labels,
    *,
    numbers: Mapping[str, Any],
    jaccard: np.ndarray,
    silhouettes: Sequence[float | None],
) -> list[dict[str, Any]]:
    """Describe each cluster: size, default rate, medians in raw units, credentials.

    Parameters
    ----------
    clients : DataFrame, n rows
    values : ndarray of float, shape (n, p)
        Raw features.
    labels : Labels
    numbers : mapping
        What ``models/clusters.json`` holds.
    jaccard : ndarray of float, shape (k,)
    silhouettes : sequence of float or None, length k

    Returns
    -------
    list of dict
        One a cluster, by its number.
    """
    names = [f["name"] for f in numbers["features"]]
    quantities = {name: values[:, j] for j, name in enumerate(names)}
    quantities["limit"] = clients[schema.LIMIT].to_numpy(dtype=float)
    ids = range(len(numbers["names"]))
    described = profiles.describe_groups(
        labels.cluster_id, ids, clients[schema.TARGET].to_numpy(), quantities
    )
    is_train = (clients[schema.SPLIT] == schema.TRAIN).to_numpy()
    typical = numbers["distance_quantiles"]["levels"].index(TYPICAL_LEVEL)
    for entry in described:
        c = entry["group"]
        mine = labels.cluster_id == c
        entry |= {
            "name": numbers["names"][c],
            "centre": numbers["centres"][c],
            "jaccard": float(jaccard[c]),
            "stability": stability_verdict(float(jaccard[c])),
            "silhouette": silhouettes[c],
            "distance_p99": numbers["distance_quantiles"]["values"][c][typical],
            "median_confidence": float(np.median(labels.confidence[mine])),
            "train_share": float(mine[is_train].mean()),
            "holdout_share": float(mine[~is_train].mean()),
        }
    return described


def describe_dbscan(
    found: Mapping[str, Any], labels: Labels, outcome: np.ndarray, n_clusters: int
) -> dict[str, Any]:
    """Add to DBSCAN's findings its groups, their default rates and the agreement with KMeans.

    Parameters
    ----------
    found : mapping
        From :func:`creditrisk.segments.density.cluster`.
    labels : Labels
    outcome : ndarray of int, shape (n,)
    n_clusters : int
        KMeans's k.

    Returns
    -------
    dict
        ``found`` with ``groups`` (noise and the eight largest clusters; each with
        ``kmeans``, its clients by KMeans cluster) and ``adjusted_rand`` index.
    """
    from sklearn.metrics import adjusted_rand_score

    shown = [density.NOISE, *range(min(found["n_clusters"], 8))]
    groups = profiles.describe_groups(labels.dbscan, shown, outcome)
    for entry in groups:
        members = labels.cluster_id[labels.dbscan == entry["group"]]
        entry["kmeans"] = np.bincount(members, minlength=n_clusters)
    return {
        **found,
        "groups": groups,
        "adjusted_rand": float(adjusted_rand_score(labels.cluster_id, labels.dbscan)),
    }


def describe_confidence(labels: Labels) -> dict[str, Any]:
    """Describe how surely clients are assigned.

    Returns
    -------
    dict
        ``quantiles`` (5, 25, 50, 75, 95 %), ``histogram`` over ten equal bins of 0–1,
        ``below_0_1_share`` of clients with a confidence below 0.1 and
        ``beyond_p99_share`` of clients farther out than their cluster's limit.
    """
    confidence = labels.confidence
    return {
        "quantiles": np.quantile(confidence, [0.05, 0.25, 0.5, 0.75, 0.95]),
        "histogram": np.histogram(confidence, bins=10, range=(0.0, 1.0))[0],
        "below_0_1_share": float((confidence < 0.1).mean()),
        "beyond_p99_share": float((labels.nearest > labels.limit).mean()),
    }


def picture(coordinates: np.ndarray, unit: float) -> dict[str, Any]:
    """Store coordinates, shape (n, d), as whole multiples of a unit, axis by axis."""
    whole = np.rint(coordinates / unit).astype(int)
    return {"unit": unit, "axes": list(whole.T)}


def draw_maps(labels: Labels, n_rows: int, random_state: int) -> dict[str, Any]:
    """Return the PCA picture of a seeded sample of clients, with labels."""
    shown = sample_rows(len(labels.pca), n_rows, random_state)
    return {
        "pca": picture(labels.pca[shown], MAP_UNIT["pca"]),
        "pca_labels": {"kmeans": labels.cluster_id[shown], "dbscan": labels.dbscan[shown]},
    }


def summarise(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headline numbers of the clusters page."""
    choice, found = results["choice"], results["dbscan"]
    chosen = next(t for t in choice["tried"] if t["k"] == choice["k"])
    rates = [c["default_rate"] for c in results["clusters"] if c["n"]]
    explained = results["pca"]["explained"]
    return {
        "k": choice["k"],
        "silhouette": chosen["silhouette"],
        "min_jaccard": chosen["min_jaccard"],
        "rule_satisfied": choice["satisfied"],
        "smallest_share": min(c["share"] for c in results["clusters"]),
        "largest_share": max(c["share"] for c in results["clusters"]),
        "lowest_default_rate": min(rates),
        "highest_default_rate": max(rates),
        "median_confidence": results["confidence"]["quantiles"][2],
        "pca_explained_2": float(sum(explained[:2])),
        "pca_explained_3": float(sum(explained[:3])),
        "dbscan_n_clusters": found["n_clusters"],
        "dbscan_noise_share": found["noise_share"],
        "dbscan_degenerate": found["degenerate"],
        "kmeans_dbscan_adjusted_rand": found["adjusted_rand"],
    }
