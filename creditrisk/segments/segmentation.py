"""From clean clients to everything the cluster stage writes: the parts put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.features import registry
from creditrisk.features.record import ClientRecord, from_frame
from creditrisk.segments import assignment, cluster_tables, clusters, embedding

if TYPE_CHECKING:
    import pandas as pd

LEVELS = (0.5, 0.9, assignment.TYPICAL_LEVEL)
"""Quantiles of the members' distances that are saved for each cluster."""


@dataclass(frozen=True)
class Prepared:
    """Clients ready for clustering.

    Attributes
    ----------
    clients : DataFrame, n rows, sorted by ID
    record : ClientRecord, n clients
    features : list of dict, length p
        ``name``, ``clip``, ``transform``, ``high``, ``low``.
    values, points : ndarray of float, shape (n, p)
        Raw features; the same clipped, transformed and scaled.
    fit : ndarray of bool, shape (n,)
        Rows that may be fitted on.
    mean, scale : ndarray of float, shape (p,)
    """

    clients: pd.DataFrame
    record: ClientRecord
    features: list[dict[str, Any]]
    values: np.ndarray
    points: np.ndarray
    fit: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    @property
    def train(self) -> np.ndarray:
        """Scaled features of the rows that may be fitted on."""
        return self.points[self.fit]


def prepare(
    clients: pd.DataFrame, features: Sequence[Mapping[str, Any]], *, k_max: int
) -> Prepared:
    """Compute, transform and scale the features; scaling is fitted on training rows.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table, in any order: it is sorted by ID, so that no fit can see
        the order of the rows.
    features : sequence of mapping, length p
    k_max : int

    Raises
    ------
    UserError
        Naming ``cluster.features`` when one is constant, ``cluster.k_max`` when there
        are too few rows.
    """
    ordered = clients.sort_values(schema.KEY, ignore_index=True)
    is_train = (ordered[schema.SPLIT] == schema.TRAIN).to_numpy()
    fit = is_train & ordered[schema.FIT_ROW].to_numpy()
    record = from_frame(ordered)
    values = registry.compute(record, [f["name"] for f in features])
    clusters.check_rows(int(fit.sum()), k_max=k_max)
    mean, scale = clusters.fit_scaling(values[fit], features)
    points = (assignment.transform(values, features) - mean) / scale
    clusters.check_distinct(points[fit], k_max=k_max)
    return Prepared(ordered, record, [dict(f) for f in features], values, points, fit, mean, scale)


def fit_models(
    data: Prepared,
    ks: Sequence[int],
    *,
    kmeans: Mapping[str, Any],
    tsne: Mapping[str, Any],
    random_state: int,
    n_jobs: int,
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Try every k and embed all clients, side by side in ``n_jobs`` processes.

    Each task runs on one thread with its own seed and results are taken in a fixed
    order, so they do not depend on the number of processes.

    Parameters
    ----------
    data : Prepared
    ks : sequence of int
    kmeans : mapping
        Keyword arguments of :func:`creditrisk.segments.clusters.try_k`.
    tsne : mapping
        Keyword arguments of :func:`creditrisk.segments.embedding.fit_tsne`.
    random_state, n_jobs : int

    Returns
    -------
    list of dict
        What :func:`~creditrisk.segments.clusters.try_k` returns, for each k.
    ndarray of float, shape (n, 2)
        The t-SNE map.
    """
    from joblib import Parallel, delayed

    seed = {"random_state": random_state}
    tasks = [delayed(embedding.fit_tsne)(data.points, **tsne, **seed)]  # the longest first
    tasks += [delayed(clusters.try_k)(data.train, k, **kmeans, **seed) for k in ks]
    embedded, *tried = Parallel(n_jobs=n_jobs, max_nbytes=None)(tasks)
    return tried, embedded


def name_clusters(centres: np.ndarray, features: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name clusters by how they deviate most, in the words of the features.

    Each cluster takes the word (``high`` or ``low``) of the feature in which its
    centre lies farthest from the mean, in standard deviations; clusters that would
    share a name get the word of their next feature too, until all names differ.

    Parameters
    ----------
    centres : ndarray of float, shape (k, p)
        In scaled units.
    features : sequence of mapping, length p
        ``high`` and ``low``: words, or None where there is none worth saying.

    Returns
    -------
    list of str, length k
    """
    words = []
    for centre in centres:
        ranked = sorted(range(len(features)), key=lambda j: (-abs(centre[j]), j))
        said = [features[j]["high" if centre[j] > 0 else "low"] for j in ranked]
        words.append(list(dict.fromkeys(w for w in said if w is not None)))
    used = [1] * len(words)
    for _ in features:
        names = [", ".join(w[:u]) for w, u in zip(words, used, strict=True)]
        if len(set(names)) == len(names):
            break
        used = [u + (names.count(name) > 1) for u, name in zip(used, names, strict=True)]
    names = [", ".join(w[:u]) or "other" for w, u in zip(words, used, strict=True)]
    return [n if names.count(n) == 1 else f"{n} ({c})" for c, n in enumerate(names)]


def save_numbers(
    data: Prepared, choice: Mapping[str, Any], *, components: np.ndarray
) -> dict[str, Any]:
    """Collect all that the assignment of a new client needs, as plain numbers.

    Parameters
    ----------
    data : Prepared
    choice : mapping
        ``k`` and ``tried``, whose entry for that k holds the ``centres``.
    components : ndarray of float, shape (c, p)
        Principal directions, for the picture only.

    Returns
    -------
    dict
        The content of ``models/clusters.json``, rounded to six decimals: labels are
        computed from these very numbers.
    """
    centres = next(t["centres"] for t in choice["tried"] if t["k"] == choice["k"])
    squared = assignment.squared_distances(data.train, centres)
    labels, nearest = squared.argmin(axis=1), np.sqrt(squared.min(axis=1))
    quantiles = [
        np.quantile(nearest[labels == c], LEVELS).round(clusters.DECIMALS).tolist()
        for c in range(len(centres))
    ]
    return {
        "names": name_clusters(centres, data.features),
        "features": [{key: f[key] for key in ("name", "clip", "transform")} for f in data.features],
        "mean": data.mean.tolist(),
        "scale": data.scale.tolist(),
        "centres": centres.tolist(),
        "distance_quantiles": {"levels": list(LEVELS), "values": quantiles},
        "pca_components": components.tolist(),
    }


def label_clients(
    data: Prepared, numbers: Mapping[str, Any], *, dbscan: np.ndarray, tsne: np.ndarray
) -> cluster_tables.Labels:
    """Assign every client with the saved numbers, as the service does.

    Parameters
    ----------
    data : Prepared, n clients
    numbers : mapping
        From :func:`save_numbers`.
    dbscan : ndarray of int, shape (n,)
    tsne : ndarray of float, shape (n, 2)
    """
    assigner = assignment.ClusterAssigner(numbers)
    cluster_id, confidence = assigner.assign(data.record)
    return cluster_tables.Labels(
        cluster_id=cluster_id,
        confidence=confidence,
        nearest=assigner.distances(data.record).min(axis=1),
        limit=assigner.limits[cluster_id],
        dbscan=dbscan,
        pca=embedding.project(data.points, np.array(numbers["pca_components"])),
        tsne=tsne,
    )


def analyse(
    data: Prepared,
    labels: cluster_tables.Labels,
    *,
    numbers: Mapping[str, Any],
    choice: Mapping[str, Any],
    explained: np.ndarray,
    found: Mapping[str, Any],
    samples: Mapping[str, int],
) -> dict[str, Any]:
    """Compute everything that the page shows.

    Parameters
    ----------
    data : Prepared
    labels : Labels
        From :func:`label_clients`.
    numbers : mapping
        From :func:`save_numbers`.
    choice : mapping
        From :func:`creditrisk.segments.clusters.choose_k`, with ``tried`` and ``rule``.
    explained : ndarray of float, shape (p,)
        Shares of the variance by principal component.
    found : mapping
        From :func:`creditrisk.segments.density.cluster`.
    samples : mapping of int
        ``silhouette_rows``, ``page_rows`` and ``random_state``: seeded samples of the
        silhouettes and of the PCA pictures.

    Returns
    -------
    dict
        The results behind the page, with its ``headline``.
    """
    outcome = data.clients[schema.TARGET].to_numpy()
    results = {
        "rows": len(outcome),
        "n_fit": int(data.fit.sum()),
        "default_rate": float(outcome.mean()),
        "features": cluster_tables.describe_features(data.values, data.features, numbers),
        "pca": {"explained": explained, "loadings": numbers["pca_components"]},
        "choice": choice,
        "clusters": describe_kmeans(data, labels, numbers, choice, samples),
        "dbscan": cluster_tables.describe_dbscan(found, labels, outcome, len(numbers["names"])),
        "confidence": cluster_tables.describe_confidence(labels),
        "maps": cluster_tables.draw_maps(labels, samples["page_rows"], samples["random_state"]),
    }
    return {"headline": cluster_tables.summarise(results), **results}


def describe_kmeans(
    data: Prepared,
    labels: cluster_tables.Labels,
    numbers: Mapping[str, Any],
    choice: Mapping[str, Any],
    samples: Mapping[str, int],
) -> list[dict[str, Any]]:
    """Describe the chosen clusters, see :func:`.cluster_tables.describe_clusters`."""
    chosen = next(t for t in choice["tried"] if t["k"] == choice["k"])
    return cluster_tables.describe_clusters(
        data.clients,
        data.values,
        labels,
        numbers=numbers,
        jaccard=chosen["jaccard"],
        silhouettes=cluster_tables.mean_silhouettes(
            data.points,
            labels.cluster_id,
            choice["k"],
            n_rows=samples["silhouette_rows"],
            random_state=samples["random_state"],
        ),
    )
