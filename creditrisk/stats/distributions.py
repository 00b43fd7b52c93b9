"""Bootstrap distributions of a mean, a rate or a median, and of their differences."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import bootstrap
from creditrisk.stats.intervals import bca_interval, find_acceleration, percentile_interval
from creditrisk.stats.samples import NotApplicableError, check_sample, count_in_bins

if TYPE_CHECKING:
    import pandas as pd

STATISTICS = ("mean", "rate", "median")
N_BINS = 40
FEW = 80
"""Up to so many different replicates are counted one by one instead of in bins."""


@dataclass(frozen=True)
class Settings:
    """What all distributions share.

    Attributes
    ----------
    n_bootstrap : int
        Replicates of each.
    confidence : float
        Level of the intervals.
    random_state : int
    n_jobs : int
        Threads; without effect on results.
    """

    n_bootstrap: int
    confidence: float
    random_state: int
    n_jobs: int = 1


def describe_all(
    asked: Sequence[Mapping[str, Any]], clients: pd.DataFrame, settings: Settings
) -> list[dict[str, Any]]:
    """Describe every distribution that is asked for.

    Parameters
    ----------
    asked : sequence of mapping
        Each ``{id, statistic, value, group, first, second}``: of the column ``value``, or,
        where ``group`` is not None, the difference between its rows where ``group`` equals
        ``first`` and those where it equals ``second``.
    clients : pandas.DataFrame
        One row a client.
    settings : Settings
        Each distribution draws from a stream of its own, named by ``id``.

    Returns
    -------
    list of dict
        The keys asked with, ``applicable``, and the keys of :func:`describe` or ``reason``.

    Raises
    ------
    UserError
        For a statistic that is not known, or values that it is not defined for.
    """
    rows = []
    for one in asked:
        value = clients[one["value"]].to_numpy()
        samples = {one["value"]: value}
        if one["group"] is not None:
            label = clients[one["group"]].to_numpy()
            samples = {
                f"{one['value']} where {one['group']} = {one[side]}": value[label == one[side]]
                for side in ("first", "second")
            }
        seed = [settings.random_state, zlib.crc32(one["id"].encode())]
        try:
            row = {"applicable": True, **describe(samples, one["statistic"], settings, seed=seed)}
        except NotApplicableError as error:
            row = {"applicable": False, "reason": str(error)}
        rows.append({**one, **row})
    return rows


def describe(
    samples: Mapping[str, Any], statistic: str, settings: Settings, *, seed: Sequence[int]
) -> dict[str, Any]:
    """Bootstrap a statistic of one sample, or its difference between two.

    Parameters
    ----------
    samples : mapping of name to array-like, shapes (n_j,)
        One or two; of two, each is resampled within itself and the second is taken off.
    statistic : {"mean", "rate", "median"}
        A rate is the mean of zeros and ones.
    settings : Settings
    seed : sequence of int
        Of this distribution; ``settings.random_state`` is not read here.

    Returns
    -------
    dict
        ``n`` and ``parts`` (size and statistic of each sample), ``estimate``, ``bias`` (mean of
        the replicates − estimate), ``standard_error`` (their standard deviation),
        ``formula_error`` (textbook standard error; None for medians), ``intervals`` (see
        :func:`find_intervals`), ``n_distinct`` replicates, ``at_estimate`` (share of them that
        equal the estimate) and either ``values`` and ``counts`` of each, where they are few, or
        ``edges`` and ``counts`` of bins.

    Raises
    ------
    UserError
        For an unknown statistic, values that are not finite, or a rate of other values than
        0 and 1.
    NotApplicableError
        When a sample has fewer than two values, or none has spread.
    """
    parts = {
        name: _check(sample, statistic, name=name, needs_spread=len(samples) == 1)
        for name, sample in samples.items()
    }
    if all(np.ptp(sample) == 0 for sample in parts.values()):
        raise NotApplicableError(f"{' and '.join(parts)}: no spread in either")
    drawn = [
        bootstrap.bootstrap_replicates(
            sample,
            n_replicates=settings.n_bootstrap,
            random_state=[*seed, i],
            statistic=bootstrap.median if statistic == "median" else bootstrap.mean,
            n_jobs=settings.n_jobs,
        )
        for i, sample in enumerate(parts.values())
    ]
    found = [float((np.median if statistic == "median" else np.mean)(s)) for s in parts.values()]
    replicates, estimate = _difference(drawn), float(_difference(found))
    distinct, counts = np.unique(replicates, return_counts=True)
    few = distinct.size <= FEW
    return {
        "n": [sample.size for sample in parts.values()],
        "parts": found,
        "estimate": estimate,
        "bias": float(replicates.mean() - estimate),
        "standard_error": float(replicates.std(ddof=1)),
        "formula_error": _formula_error(parts, statistic),
        "intervals": find_intervals(
            list(parts.values()), statistic, replicates, estimate, settings.confidence
        ),
        "n_bootstrap": settings.n_bootstrap,
        "n_distinct": distinct.size,
        "at_estimate": float((replicates == estimate).mean()),
        **({"values": distinct, "counts": counts} if few else count_in_bins(replicates, N_BINS)),
    }


def find_intervals(
    samples: Sequence[np.ndarray],
    statistic: str,
    replicates: np.ndarray,
    estimate: float,
    confidence: float,
) -> list[dict[str, Any]]:
    """Return percentile and BCa interval, and of one median the one of order statistics.

    Parameters
    ----------
    samples : sequence of numpy.ndarray
        One or two.
    statistic : str
    replicates : numpy.ndarray, shape (B,)
    estimate, confidence : float

    Returns
    -------
    list of dict
        ``method, low, high``; for a BCa interval that is not defined all but the method is
        None and there is a ``reason``. ``order`` needs no resampling and holds for any
        distribution (Conover 1999, 3.2).
    """
    low, high = percentile_interval(replicates, confidence)
    rows: list[dict[str, Any]] = [{"method": "percentile", "low": float(low), "high": float(high)}]
    leave_one_out = jackknife_medians if statistic == "median" else jackknife_means
    # the second sample is taken off, so the difference moves against it
    signs = (1, -1)[: len(samples)]
    jackknifes = [sign * leave_one_out(s) for sign, s in zip(signs, samples, strict=True)]
    try:
        acceleration = find_acceleration(*jackknifes)
        low, high = bca_interval(replicates, estimate, acceleration, confidence)
        rows.append({"method": "bca", "low": float(low), "high": float(high)})
    except NotApplicableError as error:
        rows.append({"method": "bca", "low": None, "high": None, "reason": str(error)})
    if statistic == "median" and len(samples) == 1:
        exact = stats.quantile_test(samples[0], p=0.5).confidence_interval(confidence)
        rows.append({"method": "order", "low": float(exact.low), "high": float(exact.high)})
    return rows


def jackknife_means(sample: np.ndarray) -> np.ndarray:
    """Return the mean with each value left out in turn, shape (n,)."""
    return (sample.sum() - sample) / (sample.size - 1)


def jackknife_medians(sample: np.ndarray) -> np.ndarray:
    """Return the median with each value left out in turn, shape (n,), values ascending."""
    ordered = np.sort(sample)
    n, ranks = ordered.size, np.arange(ordered.size)
    lower, upper = (n - 2) // 2, (n - 1) // 2  # middle ranks among the n − 1 that stay
    return (ordered[lower + (ranks <= lower)] + ordered[upper + (ranks <= upper)]) / 2


def _check(sample: Any, statistic: str, *, name: str, needs_spread: bool) -> np.ndarray:
    """Return a sample that the statistic is defined for."""
    if statistic not in STATISTICS:
        raise UserError(f"statistic: expected one of {', '.join(STATISTICS)}, got {statistic!r}")
    checked = check_sample(sample, name=name, needs_spread=needs_spread)
    if statistic == "rate" and not np.isin(checked, (0, 1)).all():
        raise UserError(f"{name}: a rate needs zeros and ones; ask for its mean instead")
    return checked


def _difference(parts: Sequence[Any]) -> Any:
    """Return the only part, or the first minus the second."""
    return parts[0] if len(parts) == 1 else parts[0] - parts[1]


def _formula_error(samples: Mapping[str, np.ndarray], statistic: str) -> float | None:
    """Return the standard error that the textbook gives, None for medians."""
    if statistic == "median":
        return None
    unbiased = int(statistic == "mean")  # √(p(1 − p)/n) divides by n
    return float(np.sqrt(sum(s.var(ddof=unbiased) / s.size for s in samples.values())))
