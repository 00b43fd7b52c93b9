"""How often 95 % intervals hold the truth, measured where the truth is known.

A column of the table is taken for the whole population, so its mean is known; samples
are drawn from it and every method builds its interval in each. For a rate nothing needs
to be drawn: the number of events is binomial, and every outcome can be listed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from creditrisk.data.rates import wilson
from creditrisk.errors import UserError
from creditrisk.stats.bootstrap import draw_counts, mean_and_error
from creditrisk.stats.intervals import MEAN_METHODS, mean_intervals, normal_interval
from creditrisk.stats.samples import NotApplicableError, check_sample, in_blocks


@dataclass(frozen=True)
class Design:
    """What is simulated and when it passes.

    Attributes
    ----------
    sizes : tuple of int
        Sizes of the samples, ascending.
    n_samples, n_bootstrap : int
        Samples a size; bootstrap replicates a sample.
    confidence : float
        Level that the intervals claim.
    gate_size : int
        The one of ``sizes`` that is judged.
    gate_level : float
        Level of the exact interval of each coverage; at ``gate_size`` it must hold
        ``confidence`` for every method.
    random_state : int
    """

    sizes: tuple[int, ...]
    n_samples: int
    n_bootstrap: int
    confidence: float
    gate_size: int
    gate_level: float
    random_state: int


def simulate(
    population: Any,
    design: Design,
    *,
    n_jobs: int = 1,
    name: str = "population",
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Measure the coverage of the intervals of a mean.

    Parameters
    ----------
    population : array-like, shape (N,)
        Drawn from with replacement; its mean is the truth.
    design : Design
    n_jobs : int
        Threads; without effect on the result.
    name : str
        Column, for messages.
    progress : callable
        Gets one line a size.

    Returns
    -------
    dict
        ``population`` (``column, n, mean, sd, skewness, n_distinct``); ``rows``, one a size
        and method: ``n, method, coverage, low, high`` (Clopper & Pearson 1934, at the gate's
        level), ``below`` and ``above`` (shares of intervals wholly below, wholly above the
        truth) and ``width`` (mean, in the column's unit); ``gate``: ``n``, ``methods`` (each
        ``method, holds``) and ``passes``.

    Raises
    ------
    UserError
        When a value is not finite.
    NotApplicableError
        When the population, or a sample from it, has no spread.
    """
    values = check_sample(population, name=name, needs_spread=True)
    rows = []
    for n in design.sizes:
        found = draw_intervals(values, n, design, n_jobs=n_jobs)
        rows += [
            judge(found[:, i], float(values.mean()), design, n=n, method=method)
            for i, method in enumerate(MEAN_METHODS)
        ]
        progress(f"{n:,} clients a sample: {design.n_samples:,} samples done")
    judged = [row for row in rows if row["n"] == design.gate_size]
    methods = [
        {"method": r["method"], "holds": r["low"] <= design.confidence <= r["high"]} for r in judged
    ]
    return {
        "population": {
            "column": name,
            "n": values.size,
            "mean": float(values.mean()),
            "sd": float(values.std()),
            "skewness": float(stats.skew(values)),
            "n_distinct": int(np.unique(values).size),
        },
        "rows": rows,
        "gate": {
            "n": design.gate_size,
            "methods": methods,
            "passes": all(row["holds"] for row in methods),
        },
    }


def draw_intervals(
    population: np.ndarray, n: int, design: Design, *, n_jobs: int = 1
) -> np.ndarray:
    """Draw samples of one size and build every interval in each.

    Parameters
    ----------
    population : numpy.ndarray, shape (N,)
    n : int
    design : Design
    n_jobs : int

    Returns
    -------
    numpy.ndarray, shape (n_samples, methods, 2)
        Low and high, methods in the order of :data:`~creditrisk.stats.intervals.MEAN_METHODS`.

    Raises
    ------
    NotApplicableError
        When a sample has no spread.
    """
    levels, frequencies = np.unique(population, return_counts=True)

    def draw(generator: np.random.Generator, k: int) -> np.ndarray:
        samples = draw_counts(generator, frequencies, n=n, k=k)
        if (np.count_nonzero(samples, axis=1) < 2).any():
            raise NotApplicableError(f"a sample of {n} has no spread; draw larger ones")
        replicates = np.empty((k, design.n_bootstrap, 2))
        for i, counts in enumerate(samples):
            seen = counts > 0
            drawn = draw_counts(generator, counts[seen], n=n, k=design.n_bootstrap)
            replicates[i] = mean_and_error(levels[seen], drawn)
        mean, error = mean_and_error(levels, samples).T
        cubes = np.array([c @ (levels - m) ** 3 for c, m in zip(samples, mean, strict=True)])
        found = mean_intervals(
            mean,
            error,
            replicates[..., 0],
            replicates[..., 1],
            n=n,
            skewness=cubes / n / (error * np.sqrt(n - 1)) ** 3,
            confidence=design.confidence,
        )
        return np.moveaxis(np.array([found[method] for method in MEAN_METHODS]), -1, 0)

    return in_blocks(
        draw, n_replicates=design.n_samples, random_state=[design.random_state, n], n_jobs=n_jobs
    )


def judge(
    found: np.ndarray, truth: float, design: Design, *, n: int, method: str
) -> dict[str, Any]:
    """Return the row of one method at one size; see :func:`simulate`."""
    low, high = found.T
    below, above = int((high < truth).sum()), int((low > truth).sum())
    n_held = low.size - below - above
    exact = stats.binomtest(n_held, low.size).proportion_ci(design.gate_level)
    return {
        "n": n,
        "method": method,
        "coverage": n_held / low.size,
        "low": float(exact.low),
        "high": float(exact.high),
        "below": below / low.size,
        "above": above / low.size,
        "width": float((high - low).mean()),
    }


def list_rate_coverage(
    outcomes: Any, sizes: Sequence[int], *, confidence: float, name: str = "rate"
) -> dict[str, Any]:
    """Return the exact coverage of the intervals of a rate (Brown, Cai & DasGupta 2001).

    Parameters
    ----------
    outcomes : array-like of 0 and 1, shape (N,)
        The population; its mean is the truth.
    sizes : sequence of int
    confidence : float
    name : str
        Column, for messages.

    Returns
    -------
    dict
        ``column, rate`` and ``rows``, one a size and method (``normal``, ``wilson``, and
        ``percentile`` with as many replicates as it takes: quantiles of the binomial with
        the observed rate): ``n, method, coverage, below, above, width``.

    Raises
    ------
    UserError
        When a value is neither 0 nor 1.
    NotApplicableError
        When all are equal.
    """
    values = check_sample(outcomes, name=name, needs_spread=True)
    if not np.isin(values, (0, 1)).all():
        raise UserError(f"{name}: expected 0 and 1 only; a rate has no other values")
    rate = float(values.mean())
    rows = []
    for n in sizes:
        events = np.arange(n + 1)
        share, chance = events / n, stats.binom.pmf(events, n, rate)
        tails = ((1 - confidence) / 2, (1 + confidence) / 2)
        intervals = {
            "normal": normal_interval(share, np.sqrt(share * (1 - share) / n), confidence),
            "wilson": wilson(events, n, confidence),
            "percentile": tuple(stats.binom.ppf(tail, n, share) / n for tail in tails),
        }
        for method, (low, high) in intervals.items():
            below, above = float(chance[high < rate].sum()), float(chance[low > rate].sum())
            rows.append(
                {
                    "n": n,
                    "method": method,
                    "coverage": 1 - below - above,
                    "below": below,
                    "above": above,
                    "width": float((high - low) @ chance),
                }
            )
    return {"column": name, "rate": rate, "rows": rows}
