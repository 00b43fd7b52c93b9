"""The shape of a sample against the normal distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from creditrisk.errors import UserError
from creditrisk.stats.samples import check_sample


def normal_quantiles(sample: Any, n_points: int, *, name: str = "sample") -> dict[str, list[float]]:
    """Return the points of a normal quantile-quantile plot.

    Parameters
    ----------
    sample : array-like, shape (n,)
    n_points : int
        Points wanted, 2 at least; no more than n are returned.
    name : str
        Column, for messages.

    Returns
    -------
    dict
        ``theoretical``: normal quantiles at Blom's (1958) positions
        (i − 3/8) / (m + 1/4), i = 1..m, m = min(n_points, n); ``observed``: the
        quantiles of the standardised values (mean 0, sample standard deviation 1)
        at the same positions. With m = n these are the sorted values themselves.

    Raises
    ------
    UserError
        When fewer than two points are asked for or a value is not finite.
    NotApplicableError
        When there are fewer than two values or all are equal.
    """
    if n_points < 2:
        raise UserError(f"n_points: expected at least 2, got {n_points}")
    values = check_sample(sample, name=name, needs_spread=True)
    m = min(n_points, values.size)
    positions = (np.arange(1, m + 1) - 3 / 8) / (m + 1 / 4)
    standard = (values - values.mean()) / values.std(ddof=1)
    return {
        "theoretical": special.ndtri(positions).tolist(),
        # numpy's name for Blom's positions
        "observed": np.quantile(standard, positions, method="normal_unbiased").tolist(),
    }
