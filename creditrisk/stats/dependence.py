"""How columns repeat one another: Cramér's V between codes, variance inflation of amounts.

V describes the sample that it is given. Variance inflation says why a linear model
should get ratios rather than raw bills, so it is computed on training rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.errors import UserError
from creditrisk.stats.association import chi_square
from creditrisk.stats.samples import NotApplicableError, check_labels, check_sample

if TYPE_CHECKING:
    import pandas as pd

CODE_COLUMNS = ("SEX", "EDUCATION", "MARRIAGE", *schema.STATUS_COLUMNS, schema.TARGET)
LINEAR_COLUMNS = (schema.LIMIT, "AGE", *schema.BILL_COLUMNS, *schema.PAID_COLUMNS)
"""Columns whose values are amounts or years, as a linear model would take them."""
SINGULAR = 1e-10
"""Share of a column's variance below which the rest of it is rounding."""


def describe_dependence(clients: pd.DataFrame, *, confidence: float) -> dict[str, Any]:
    """Return Cramér's V between the code columns and the inflation of the linear ones.

    Parameters
    ----------
    clients : DataFrame, n rows
        The cleaned table.
    confidence : float
        Level of the intervals of V.

    Returns
    -------
    dict
        ``cramers_v`` (:func:`cramers_v_matrix` of all rows), ``vif``
        (:func:`variance_inflation` of training rows), ``n``, ``n_train``, ``level``.
    """
    train = clients[clients[schema.SPLIT] == schema.TRAIN]
    codes = {name: clients[name].to_numpy() for name in CODE_COLUMNS}
    linear = {name: train[name].to_numpy() for name in LINEAR_COLUMNS}
    return {
        "n": len(clients),
        "n_train": len(train),
        "level": confidence,
        "cramers_v": cramers_v_matrix(codes, confidence=confidence),
        "vif": variance_inflation(linear),
    }


def cramers_v_matrix(columns: Mapping[str, Any], *, confidence: float) -> dict[str, Any]:
    """Return the bias-corrected Cramér's V of every pair of code columns (Bergsma 2013).

    Parameters
    ----------
    columns : mapping of str to array-like, shape (n,)
        Labels.
    confidence : float
        Level of each interval, pair by pair (see
        :func:`~creditrisk.stats.association.chi_square`).

    Returns
    -------
    dict
        ``columns`` and ``values``, ``lows``, ``highs``, k lists of k numbers each; None
        where V is not defined, as for a constant column.

    Raises
    ------
    UserError
        When a label is missing, or columns differ in length.
    """
    names = list(columns)
    codes = {
        name: np.unique(check_labels(values, name=name), return_inverse=True)[1]
        for name, values in columns.items()
    }
    _check_lengths(codes)
    found: dict[str, list[list[float | None]]] = {
        key: [[None] * len(names) for _ in names] for key in ("values", "lows", "highs")
    }
    for i, first in enumerate(names):
        for j, second in enumerate(names[: i + 1]):
            counts = np.zeros((codes[first].max() + 1, codes[second].max() + 1), dtype=np.int64)
            np.add.at(counts, (codes[first], codes[second]), 1)
            try:
                test = chi_square(counts, confidence=confidence, name=f"{first}, {second}")
            except NotApplicableError:
                continue
            for key, value in zip(found, ("cramers_v", "low", "high"), strict=True):
                found[key][i][j] = found[key][j][i] = test[value]
    return {"columns": names, **found}


def _check_lengths(columns: Mapping[str, np.ndarray]) -> None:
    """Refuse columns of different rows."""
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise UserError(f"columns differ in length ({lengths}); take the same rows of each")


def variance_inflation(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return how much collinearity widens the variance of each linear coefficient.

    Parameters
    ----------
    columns : mapping of str to array-like, shape (n,)
        Numbers.

    Returns
    -------
    list of dict
        A row a column, in the given order: ``column``, ``vif`` = 1 / (1 − r²), the
        diagonal of the inverse correlation matrix (Marquardt 1970), and ``r2``, the
        share of the column's variance that a line in all others explains. Both are
        None, with a ``reason``, for a constant column and for one that is an exact
        linear combination of others.

    Raises
    ------
    UserError
        When a value is missing or infinite, or columns differ in length.
    NotApplicableError
        When there are fewer than two rows.
    """
    samples = {name: check_sample(values, name=name) for name, values in columns.items()}
    _check_lengths(samples)
    varying = [name for name, sample in samples.items() if np.ptp(sample) > 0]
    r2 = dict(zip(varying, _explained([samples[name] for name in varying]), strict=True))
    return [_inflation(name, r2.get(name)) for name in samples]


def _explained(samples: list[np.ndarray]) -> list[float]:
    """Return the share of each varying column's variance that all others explain linearly."""
    if len(samples) < 2:
        return [0.0 for _ in samples]
    correlation = np.corrcoef(np.stack(samples))
    shares = []
    for j in range(len(samples)):
        others = np.delete(np.arange(len(samples)), j)
        # the pseudo-inverse, since the others may repeat each other though this one does not
        inverse = np.linalg.pinv(correlation[np.ix_(others, others)], SINGULAR, hermitian=True)
        link = correlation[others, j]
        shares.append(float(link @ inverse @ link))
    return shares


def _inflation(column: str, r2: float | None) -> dict[str, Any]:
    """Return the row of one column; r² is None for a constant one."""
    if r2 is None or 1 - r2 < SINGULAR:
        reason = "constant" if r2 is None else "an exact linear combination of other columns"
        return {"column": column, "vif": None, "r2": None, "reason": reason}
    return {"column": column, "vif": 1 / (1 - r2), "r2": r2}
