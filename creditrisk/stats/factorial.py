"""Two groupings at once: each one's share of the variance, and whether they interact."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from creditrisk.errors import UserError
from creditrisk.stats.noncentrality import share_of_variance
from creditrisk.stats.samples import NotApplicableError, check_labels, check_sample


def two_way(
    values: Any, first: Any, second: Any, *, confidence: float, name: str = "sample"
) -> dict[str, Any]:
    """Return the two-way analysis of variance with type II sums of squares.

    A main effect is what its factor explains beyond the other one, and the
    interaction what the cells explain beyond both (Langsrud 2003). All of it follows
    from the sizes, means and variances of the cells, so 30,000 rows cost no more
    than their sorting.

    Parameters
    ----------
    values : array-like, shape (n,)
    first, second : array-like, shape (n,)
        Labels of both factors.
    confidence : float
        Level of the intervals of the effects.
    name : str
        Column of the values, for messages.

    Returns
    -------
    dict
        ``n, df_error``; ``terms``: one ``{term, df, sum_of_squares, statistic,
        p_value, effect, low, high}`` each for "first", "second" and "interaction",
        ``effect`` being partial ω²; ``cells``: ``{first, second, n, mean, sd}`` of
        every combination, labels in ascending order.

    Raises
    ------
    UserError
        When a value is not finite, a label is missing or lengths differ.
    NotApplicableError
        When a factor has one level, a combination holds fewer than two values, or
        no cell has spread.
    """
    sample = check_sample(values, name=name, n_min=1)
    (rows, i), (columns, j) = (
        np.unique(check_labels(side, name=f"{name}, {which} factor"), return_inverse=True)
        for which, side in (("first", first), ("second", second))
    )
    if not i.shape == j.shape == sample.shape:
        raise UserError(f"{name}: {sample.size} values, but {i.size} and {j.size} labels")
    shape = rows.size, columns.size
    if min(shape) < 2:
        raise NotApplicableError(f"{name}: a factor has one level, at least two needed")
    cell = i * shape[1] + j
    sizes = np.bincount(cell, minlength=shape[0] * shape[1])
    if sizes.min() < 2:
        a, b = divmod(int(sizes.argmin()), shape[1])
        raise NotApplicableError(
            f"{name}: {sizes.min()} values where the factors are {rows[a]} and {columns[b]}, "
            "at least 2 needed in every combination"
        )
    means = np.bincount(cell, sample) / sizes
    squares = np.bincount(cell, (sample - means[cell]) ** 2)
    if not squares.any():
        raise NotApplicableError(f"{name}: no spread within any combination of the factors")
    spread = np.sqrt(squares / (sizes - 1))
    names = [(a, b) for a in rows.tolist() for b in columns.tolist()]
    return {
        "n": sample.size,
        "df_error": int(sample.size - sizes.size),
        "terms": _terms(sizes, means, float(squares.sum()), shape, confidence),
        "cells": [
            {
                "first": names[c][0],
                "second": names[c][1],
                "n": int(sizes[c]),
                "mean": float(means[c]),
                "sd": float(spread[c]),
            }
            for c in range(sizes.size)
        ],
    }


def _terms(
    sizes: np.ndarray, means: np.ndarray, error: float, shape: tuple[int, int], confidence: float
) -> list[dict[str, Any]]:
    """Return F, p and partial ω² of both factors and of their interaction."""
    n, df_error = int(sizes.sum()), int(sizes.sum() - sizes.size)
    a, b = np.divmod(np.arange(sizes.size), shape[1])
    of_first, of_second = np.eye(shape[0])[a], np.eye(shape[1])[b]
    left_first, left_second, left_both = (
        _left_over(design, sizes, means)
        for design in (of_first, of_second, np.hstack([of_first, of_second[:, 1:]]))
    )
    explained = {
        "first": (shape[0] - 1, left_second - left_both),
        "second": (shape[1] - 1, left_first - left_both),
        "interaction": ((shape[0] - 1) * (shape[1] - 1), left_both),
    }
    terms = []
    for term, (df, sum_of_squares) in explained.items():
        f = max(0.0, sum_of_squares) / df / (error / df_error)
        terms.append(
            {
                "term": term,
                "df": df,
                "sum_of_squares": sum_of_squares,
                "statistic": f,
                "p_value": float(special.fdtrc(df, df_error, f)),
                **share_of_variance(f, df, df_error, n, confidence=confidence),
            }
        )
    return terms


def _left_over(design: np.ndarray, sizes: np.ndarray, means: np.ndarray) -> float:
    """Return what a design leaves of the variation between cells, weighted by their sizes."""
    weights = np.sqrt(sizes)
    centred = weights * (means - np.average(means, weights=sizes))
    weighted = weights[:, None] * design
    coefficients = np.linalg.lstsq(weighted, centred)[0]
    return float(((centred - weighted @ coefficients) ** 2).sum())
