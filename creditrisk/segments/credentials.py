"""What speaks for the clusters: the study ``clusters``, its parts put together.

Stability over many resamples, validity indices beside those of data without groups, the
gap statistic, other algorithms, and the uncertainty of the principal components. The rule
that chooses k stays :func:`creditrisk.segments.clusters.choose_k`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from creditrisk.segments import agreement, clusters, gap, loadings, reference
from creditrisk.segments.cluster_tables import stability_verdict

DISSOLVED = 0.5
"""A cluster whose best match is no closer than this is dissolved (Hennig 2007)."""

Progress = Callable[[str], None]


def resample_jaccards(
    points: np.ndarray, centres: np.ndarray, *, n_resamples: int, n_init: int, random_state: int
) -> np.ndarray:
    """Return each cluster's Jaccard similarity in each resample, shape (n_resamples, k).

    The column means are :func:`creditrisk.segments.clusters.measure_stability`'s.
    """
    return np.array(
        [
            clusters.measure_stability(
                points, centres, n_resamples=1, n_init=n_init, random_state=random_state + r
            )
            for r in range(n_resamples)
        ]
    )


def describe_k(tried: Mapping[str, Any], jaccards: np.ndarray) -> dict[str, Any]:
    """Describe one k with the Jaccard similarities of many resamples.

    Parameters
    ----------
    tried : mapping
        From :func:`creditrisk.segments.clusters.try_k`.
    jaccards : ndarray of float, shape (n_resamples, k)

    Returns
    -------
    dict
        ``tried`` without its centres, ``jaccard`` and ``min_jaccard`` from these
        resamples, and ``clusters``: ``jaccard`` (mean), ``low_jaccard`` (5 % quantile),
        ``dissolved`` (share of the resamples) and ``stability``, Hennig's word.
    """
    means = jaccards.mean(axis=0)
    lows = np.quantile(jaccards, 0.05, axis=0)
    lost = (jaccards <= DISSOLVED).mean(axis=0)
    return {
        **{key: value for key, value in tried.items() if key not in ("centres", "jaccard")},
        "min_jaccard": float(means.min()),
        "clusters": [
            {
                "jaccard": float(mean),
                "low_jaccard": float(low),
                "dissolved": float(share),
                "stability": stability_verdict(float(mean)),
            }
            for mean, low, share in zip(means, lows, lost, strict=True)
        ],
    }


def examine(
    points: np.ndarray,
    section: Mapping[str, Any],
    design: Mapping[str, Any],
    *,
    n_jobs: int,
    progress: Progress,
) -> dict[str, Any]:
    """Examine the clusters that KMeans finds.

    Parameters
    ----------
    points : ndarray of float, shape (n, p)
        Scaled training rows that are fitted, in a fixed order.
    section : mapping
        Section ``cluster`` of params.yaml: range of k, rule, restarts, seed.
    design : mapping
        ``n_resamples``; ``references`` (``n_draws``, and ``n_init``, ``n_resamples``,
        ``silhouette_rows`` of their fits), ``gap`` (``n_draws``, ``n_init``),
        ``loading_resamples`` and ``agreement`` (``n_seeds``, ``ward_rows``, ``mixture``).
    n_jobs : int
        Processes; results are the same for any number.
    progress : callable
        Receives a line now and then.

    Returns
    -------
    dict
        ``rows``, ``tried`` and ``choice`` (the rule over these resamples), ``gap``,
        ``references``, ``agreement`` at the chosen k, and ``components``.

    Raises
    ------
    UserError
        Naming ``cluster.features`` or ``cluster.k_max``.
    """
    ks = list(range(section["k_min"], section["k_max"] + 1))
    reference.check_points(points, k_max=ks[-1])
    clusters.check_distinct(points, k_max=ks[-1])
    seed = section["random_state"]
    tried = try_all(points, ks, section, design["n_resamples"], n_jobs)
    progress(f"stability over {design['n_resamples']} resamples measured")
    rule = {key: section["choice"][key] for key in ("k_floor", "min_jaccard", "min_share")}
    choice = clusters.choose_k(tried, **rule)
    found: dict[str, Any] = {
        "rows": len(points),
        "tried": tried,
        "choice": choice,
        "gap": measure_gap(points, ks[-1], design["gap"], seed, n_jobs),
    }
    progress(f"gap statistic prefers k = {found['gap']['k']}, the rule k = {choice['k']}")
    found["references"] = compare_references(
        points,
        ks,
        **design["references"],
        random_state=seed,
        n_jobs=n_jobs,
        progress=progress,
    )
    found["agreement"] = agreement.measure_agreement(
        points,
        choice["k"],
        ks,
        n_init=section["n_init"],
        random_state=seed,
        **design["agreement"],
    )
    found["components"] = loadings.bootstrap_loadings(points, design["loading_resamples"], seed)
    return found


def try_all(
    points: np.ndarray, ks: list[int], section: Mapping[str, Any], n_resamples: int, n_jobs: int
) -> list[dict[str, Any]]:
    """Try every k as the stage does, with more resamples."""
    from joblib import Parallel, delayed

    tasks = [delayed(try_k)(points, k, section, n_resamples) for k in reversed(ks)]  # longest first
    return Parallel(n_jobs=n_jobs, max_nbytes=None)(tasks)[::-1]


def try_k(
    points: np.ndarray, k: int, section: Mapping[str, Any], n_resamples: int
) -> dict[str, Any]:
    """Try one k as the stage does, with more resamples, see :func:`describe_k`."""
    kmeans = {key: section[key] for key in ("n_init", "silhouette_rows", "random_state")}
    tried = clusters.try_k(points, k, n_resamples=1, **kmeans)
    jaccards = resample_jaccards(
        points,
        tried["centres"],
        n_resamples=n_resamples,
        n_init=max(section["n_init"] // 4, 1),  # as in the stage
        random_state=section["random_state"],
    )
    return describe_k(tried, jaccards)


def compare_references(
    points: np.ndarray,
    ks: list[int],
    *,
    n_draws: int,
    random_state: int,
    n_jobs: int,
    progress: Progress,
    **kmeans: int,
) -> list[dict[str, Any]]:
    """Return the clients' values beside those of all draws of both references.

    Clients and draws go through the same procedure with as many restarts and resamples
    each: the least of several means falls when they are means of fewer.
    """
    from joblib import Parallel, delayed

    asked = [("clients", random_state)] + [
        (kind, random_state + 1000 * d) for kind in reference.DRAWS for d in range(1, n_draws + 1)
    ]
    tasks = [
        delayed(reference.measure_draw)(points, kind, ks, random_state=seed, **kmeans)
        for kind, seed in asked
    ]
    measured: dict[str, list[Any]] = {}
    done = Parallel(n_jobs=n_jobs, return_as="generator", max_nbytes=None)(tasks)
    for (kind, _), result in zip(asked, done, strict=True):
        measured.setdefault(kind, []).append(result)
        if kind in reference.DRAWS:
            progress(f"{kind}: {len(measured[kind])} of {n_draws} draws")
    (clients,) = measured.pop("clients")
    return reference.compare(clients, measured)


def measure_gap(
    points: np.ndarray, k_max: int, design: Mapping[str, Any], random_state: int, n_jobs: int
) -> dict[str, Any]:
    """Compute the gap statistic for 1 to ``k_max`` clusters, with ``n_draws`` and ``n_init``."""
    from joblib import Parallel, delayed

    ks, n_init = range(1, k_max + 1), design["n_init"]
    draws = Parallel(n_jobs=n_jobs, max_nbytes=None)(
        delayed(gap.measure_draw)(points, ks, n_init=n_init, random_state=random_state + d)
        for d in range(1, design["n_draws"] + 1)
    )
    logs = gap.log_dispersion(points, ks, n_init=n_init, random_state=random_state)
    return gap.summarise(ks, logs, draws)
