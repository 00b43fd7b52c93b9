"""Intervals of effect sizes by inverting non-central distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from creditrisk.stats.samples import Interval


def invert_noncentrality(cdf: Callable[[float], float], confidence: float) -> Interval:
    """Return the non-centralities under which an observed statistic is at the tails.

    Own root search, because ``statsmodels.stats.oneway.confint_noncentrality`` stops
    at 10,000 and holds three digits of the tail only.

    Parameters
    ----------
    cdf : callable
        Chance of a statistic up to the observed one as a function of the
        non-centrality, falling; ``cdf(0)`` is that of the central distribution.
    confidence : float

    Returns
    -------
    tuple of float
        (low, high); 0 where the central distribution already lies beyond the tail
        (Smithson 2003; Steiger 2004).
    """
    from scipy.optimize import brentq

    def bound(tail: float) -> float:
        if cdf(0.0) <= tail:
            return 0.0
        top = 1.0
        while cdf(top) > tail:
            top *= 2
        return float(brentq(lambda nc: cdf(nc) - tail, 0.0, top, xtol=1e-12, rtol=1e-13))

    return bound((1 + confidence) / 2), bound((1 - confidence) / 2)


def noncentral_f_cdf(f: float, df: int, df_error: int, noncentrality: float) -> float:
    """Return the chance of an F up to ``f``.

    Not ``stats.ncf``: its upper tail is negative at non-centrality 0 in scipy 1.17. The
    function below it returns NaN here and there once the chance is under 1e-80.
    """
    return float(np.nan_to_num(special.ncfdtr(df, df_error, noncentrality, f), nan=0.0))


def share_of_variance(
    f: float, df: int, df_error: int, n: int, *, confidence: float
) -> dict[str, Any]:
    """Return ω² of an effect that F tests, with the interval of what it estimates.

    Parameters
    ----------
    f : float
        The statistic.
    df, df_error : int
    n : int
        All values.
    confidence : float

    Returns
    -------
    dict
        ``effect`` = df(F − 1) / (df(F − 1) + n), at least 0 (Hays 1963): the share
        of the variance of one-way groups, and the partial share of one term of a
        larger design; ``low, high`` = λ / (λ + n) at both ends of the interval of
        the non-centrality λ (Steiger 2004).
    """
    excess = df * (f - 1)
    low, high = invert_noncentrality(lambda nc: noncentral_f_cdf(f, df, df_error, nc), confidence)
    return {
        "effect": max(0.0, excess / (excess + n)),
        "low": low / (low + n),
        "high": high / (high + n),
    }
