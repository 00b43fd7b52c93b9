"""A two-way table cell by cell: what was counted, what independence expects, where they part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import special

from creditrisk.errors import UserError
from creditrisk.stats import association
from creditrisk.stats.samples import NotApplicableError


def rank_columns(
    columns: Mapping[str, Any], target: Any, *, confidence: float
) -> list[dict[str, Any]]:
    """Rank categorical columns by how strongly they go with a target, each with its cells.

    Parameters
    ----------
    columns : mapping of str to array-like, shape (n,)
    target : array-like of 0/1, shape (n,)
    confidence : float

    Returns
    -------
    list of dict
        :func:`creditrisk.stats.association.rank_categoricals`, and ``cells``
        (:func:`compare_cells`) where a column is ranked.
    """
    ranked = association.rank_categoricals(columns, target, confidence=confidence)
    return [
        row
        if "reason" in row
        else row | {"cells": compare_cells(columns[row["column"]], target, name=row["column"])}
        for row in ranked
    ]


def compare_cells(values: Any, target: Any, *, name: str) -> list[dict[str, Any]]:
    """Return the share of ones at each level of a column against what independence expects.

    Parameters
    ----------
    values : array-like, shape (n,)
        Labels.
    target : array-like of 0/1, shape (n,)
    name : str
        Of the column, for messages.

    Returns
    -------
    list of dict
        ``level``, ``n``, ``observed`` and ``expected`` count of ones, ``residual`` (the
        adjusted residual, standard normal under independence; Haberman 1973) and
        ``p_value``, two-sided and multiplied by the number of levels (Bonferroni).

    Raises
    ------
    UserError
        When the target is not 0 and 1.
    NotApplicableError
        When either column is constant.
    """
    table = association.count_table(values, target, name=name)
    if not set(table["columns"]) <= {0, 1}:
        raise UserError(f"{name}: expected a target of 0 and 1, got {table['columns'][:5]}")
    counts = table["counts"].astype(float)
    if min(counts.shape) < 2:
        raise NotApplicableError(f"{name}: constant, so there is nothing to compare")
    expected = association.expected_counts(counts)[:, 1]
    n, share = counts.sum(axis=1), counts[:, 1].sum() / counts.sum()
    error = np.sqrt(expected * (1 - share) * (1 - n / n.sum()))
    residual = (counts[:, 1] - expected) / error
    p = np.minimum(1.0, 2 * special.ndtr(-np.abs(residual)) * n.size)
    columns = (table["rows"], n, counts[:, 1], expected, residual, p)
    return [
        {
            "level": level,
            "n": int(size),
            "observed": int(observed),
            "expected": float(wanted),
            "residual": float(z),
            "p_value": float(p_adjusted),
        }
        for level, size, observed, wanted, z, p_adjusted in zip(*columns, strict=True)
    ]
