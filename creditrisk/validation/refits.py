"""How far the champion's probability would move had it met other clients: the refit band.

Bootstrap refits of the recipe are compared, client by client, with the fit on the
undrawn rows; no fit sees the clients that it is compared on. The quantiles of the
differences in log-odds, smoothed over the score, are the band that the service adds to
a probability at no cost. It tells the uncertainty of the model, not of the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from creditrisk.metrics.calibration import logit
from creditrisk.models.folds import deal_folds
from creditrisk.models.refit_band import apply_band
from creditrisk.models.rows import TrainingRows
from creditrisk.models.training import predict

Array = np.ndarray

KIND = "model uncertainty over refits, not outcome uncertainty"


def refit(
    make_model: Callable[[], Any],
    rows: TrainingRows,
    *,
    n_folds: int,
    n_refits: int,
    random_state: int,
    n_jobs: int,
    progress: Callable[[str], None] = lambda line: None,
) -> tuple[Array, Array]:
    """Score every training row by a reference fit and by refits that never saw its group.

    Parameters
    ----------
    make_model : callable
        Returns an unfitted classifier on one thread.
    rows : TrainingRows, n rows
    n_folds : int
        Grouped folds; every client is scored by the fits of one of them.
    n_refits : int
        Bootstrap refits for each fold: groups of its training rows drawn with replacement.
    random_state, n_jobs : int
    progress : callable

    Returns
    -------
    reference : ndarray of float, shape (n,)
        Log-odds by the fit on all training rows of the fold.
    refits : ndarray of float, shape (n, n_refits)
        Log-odds by the refits.
    """
    from joblib import Parallel, delayed

    fold = deal_folds(rows.y, rows.groups, n_folds=n_folds, n_repeats=1, random_state=random_state)[
        0
    ]
    out = np.empty((len(rows.y), n_refits + 1))

    def score(number: int, draw: int) -> Array:
        fitted = np.flatnonzero((fold != number) & rows.fit_row)
        if draw:
            fitted = draw_groups(rows.groups[fitted], [random_state, number, draw], fitted)
        model = make_model().fit(rows.X[fitted], rows.y[fitted])
        return logit(predict(model, rows.X[fold == number]))

    jobs = [(number, draw) for number in range(n_folds) for draw in range(n_refits + 1)]
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    for done, (job, scores) in enumerate(
        zip(jobs, parallel(delayed(score)(*job) for job in jobs), strict=True), start=1
    ):
        out[fold == job[0], job[1]] = scores
        if done % 10 == 0 or done == len(jobs):
            progress(f"{done} of {len(jobs)} fits")
    return out[:, 0], out[:, 1:]


def draw_groups(groups: Array, seed: list[int], rows: Array) -> Array:
    """Return rows of groups drawn with replacement, a group's rows together.

    Parameters
    ----------
    groups : ndarray of int, shape (n,)
    seed : list of int
    rows : ndarray of int, shape (n,)
        What is returned of each drawn row.

    Returns
    -------
    ndarray of int
        About as many as ``rows``; in ascending order of group.
    """
    _, member = np.unique(groups, return_inverse=True)
    n_groups = int(member.max()) + 1
    drawn = np.random.default_rng(seed).integers(n_groups, size=n_groups)
    times = np.bincount(drawn, minlength=n_groups)[member]
    return np.repeat(rows, times)


def build_band(reference: Array, refits: Array, *, level: float, n_knots: int) -> dict[str, Any]:
    """Return the band over the score: quantiles of refit less reference, in log-odds.

    Parameters
    ----------
    reference : ndarray of float, shape (n,)
    refits : ndarray of float, shape (n, b)
    level : float
        Share of refits between the ends, e.g. 0.9 for the 5th to the 95th percentile.
    n_knots : int
        Bins of equal size in the score; the ends are smoothed over three neighbours and
        interpolated between the bins' medians.

    Returns
    -------
    dict
        ``level``, ``kind`` and three lists of length ``n_knots``: ``log_odds`` (ascending),
        ``low`` and ``high`` (to be added to the log-odds of a probability).
    """
    order = np.argsort(reference, kind="stable")
    bins = np.array_split(order, n_knots)
    ends = np.array(
        [
            np.quantile(refits[b] - reference[b, None], [(1 - level) / 2, (1 + level) / 2])
            for b in bins
        ]
    )
    low, high = (smooth(column) for column in ends.T)
    return {
        "level": level,
        "kind": KIND,
        "log_odds": [float(np.median(reference[b])) for b in bins],
        "low": low.tolist(),
        "high": high.tolist(),
    }


def smooth(values: Array) -> Array:
    """Return the mean of each value and its neighbours; the ends count twice."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    return (padded[:-2] + padded[1:-1] + padded[2:]) / 3


def coverage(band: Mapping[str, Any], reference: Array, refits: Array) -> float:
    """Return the share of (client, refit) pairs whose log-odds lie inside the band."""
    low, high = apply_band(band, reference)
    return float(np.mean((refits >= low[:, None]) & (refits <= high[:, None])))


def stability(reference: Array, refits: Array, *, threshold: float) -> dict[str, float]:
    """Return how refits disagree with the reference about who is flagged.

    Parameters
    ----------
    reference : ndarray of float, shape (n,)
    refits : ndarray of float, shape (n, b)
    threshold : float
        Probability from which a client is flagged.

    Returns
    -------
    dict
        ``flip_rate``: mean share of clients on the other side of the threshold in a refit;
        ``ambiguous_share``: clients whom at least one in twenty refits puts there;
        ``sd_log_odds``: median over clients of the refits' standard deviation.
    """
    cut = float(logit(np.array(threshold)))
    flips = ((refits >= cut) != (reference >= cut)[:, None]).mean(axis=1)
    return {
        "flip_rate": float(flips.mean()),
        "ambiguous_share": float((flips >= 0.05).mean()),
        "sd_log_odds": float(np.median(refits.std(axis=1, ddof=1))),
    }


def study(
    make_model: Callable[[], Any],
    rows: TrainingRows,
    *,
    n_folds: int,
    n_build: int,
    n_check: int,
    level: float,
    n_knots: int,
    threshold: float,
    random_state: int,
    n_jobs: int,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Build the band and check it on refits that did not build it.

    Parameters
    ----------
    make_model, rows, n_folds, random_state, n_jobs, progress
        See :func:`refit`.
    n_build, n_check : int
        Refits a fold that build the band and that check it.
    level, n_knots
        See :func:`build_band`.
    threshold : float
        See :func:`stability`.

    Returns
    -------
    dict
        ``band``, ``coverage`` (on the checking refits), ``stability`` and ``design``.
    """
    reference, refits = refit(
        make_model,
        rows,
        n_folds=n_folds,
        n_refits=n_build + n_check,
        random_state=random_state,
        n_jobs=n_jobs,
        progress=progress,
    )
    band = build_band(reference, refits[:, :n_build], level=level, n_knots=n_knots)
    return {
        "band": band,
        "coverage": coverage(band, reference, refits[:, n_build:]),
        "stability": stability(reference, refits, threshold=threshold),
        "design": {
            "n": len(reference),
            "n_folds": n_folds,
            "n_build": n_build * n_folds,
            "n_check": n_check * n_folds,
            "threshold": threshold,
        },
    }
