"""The interval that every default rate here carries."""

from __future__ import annotations

from typing import Any

import numpy as np


def wilson(positives: Any, n: Any, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's score interval of a rate, element by element.

    Parameters
    ----------
    positives, n : array_like of int, shape (k,) or ()
        Events among n ≥ 1 trials.
    level : float
        Coverage, between 0 and 1.

    Returns
    -------
    low, high : ndarray of float, shape (k,) or ()

    Notes
    -----
    Wilson (1927), as ``statsmodels.stats.proportion.proportion_confint`` computes it. The
    formula gives 0 without and 1 with nothing but events; floating point does nearly.
    """
    from statsmodels.stats.proportion import proportion_confint

    positives, n = np.asarray(positives), np.asarray(n)
    low, high = proportion_confint(positives, n, alpha=1 - level, method="wilson")
    return np.where(positives == 0, 0.0, low), np.where(positives == n, 1.0, high)
