"""How often a test rejects in simulated studies whose true difference is known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy import special, stats

from creditrisk.errors import UserError
from creditrisk.stats.samples import Seed, check_sample, in_blocks


def simulate_rejections(
    values: Any,
    *,
    n_first: int,
    n_second: int,
    differences: Sequence[float],
    alpha: float,
    n_simulations: int,
    random_state: Seed,
    n_jobs: int = 1,
    name: str = "sample",
) -> list[dict[str, float]]:
    """Count how often the z-test rejects when the true difference is known.

    Both groups are drawn with replacement from the same column, so the null
    hypothesis holds on this column's own shape; the first group is then moved by
    each difference in turn. At difference 0 the share is the false-alarm rate.

    Parameters
    ----------
    values : array-like, shape (n,)
    n_first, n_second : int
        Group sizes of one simulated study.
    differences : sequence of float
        True differences, in the column's unit.
    alpha : float
    n_simulations : int
    random_state : int or sequence of int
    n_jobs : int
        Threads; without effect on the result.
    name : str

    Returns
    -------
    list of dict
        ``difference`` and what :func:`count_rejections` returns.
    """
    sample = check_sample(values, name=name, needs_spread=True)
    if min(n_first, n_second) < 2:
        raise UserError(f"group sizes: expected at least 2, got {n_first} and {n_second}")

    draw = partial(draw_studies, sample=sample, n_first=n_first, n_second=n_second)
    studies = in_blocks(draw, n_replicates=n_simulations, random_state=random_state, n_jobs=n_jobs)
    z = special.ndtri(1 - alpha / 2)
    return [
        {
            "difference": float(difference),
            **count_rejections(np.abs(studies[:, 0] + difference) > z * studies[:, 1]),
        }
        for difference in differences
    ]


def draw_studies(
    generator: np.random.Generator, k: int, *, sample: np.ndarray, n_first: int, n_second: int
) -> np.ndarray:
    """Draw k studies of two groups; return difference and standard error, shape (k, 2)."""
    rows = generator.integers(0, sample.size, size=(k, n_first + n_second))
    drawn = sample.take(rows, mode="clip")
    a, b = drawn[:, :n_first], drawn[:, n_first:]
    error = np.sqrt(a.var(axis=1, ddof=1) / n_first + b.var(axis=1, ddof=1) / n_second)
    return np.stack([a.mean(axis=1) - b.mean(axis=1), error], axis=1)


def count_rejections(rejected: np.ndarray) -> dict[str, float]:
    """Return ``n_rejected``, its ``share`` and the share's 95 % exact binomial interval.

    Parameters
    ----------
    rejected : ndarray of bool, shape (n_simulations,)

    Returns
    -------
    dict
        ``n_rejected, share, low, high`` (Clopper & Pearson 1934).
    """
    n_rejected = int(rejected.sum())
    interval = stats.binomtest(n_rejected, rejected.size).proportion_ci(0.95, method="exact")
    return {
        "n_rejected": n_rejected,
        "share": n_rejected / rejected.size,
        "low": float(interval.low),
        "high": float(interval.high),
    }
