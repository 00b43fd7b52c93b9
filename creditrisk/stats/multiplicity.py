"""Many questions, one table: p-values that allow for how many were asked.

Holm (1979) keeps the chance of any false alarm in the family below α; Benjamini
and Hochberg (1995) keep the expected share of false alarms among the findings
below α.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from creditrisk.errors import UserError

METHODS = {"holm": "holm", "bh": "fdr_bh"}
"""Our names and those of ``statsmodels.stats.multitest.multipletests``."""


def adjust(p_values: Sequence[float | None], method: str) -> list[float | None]:
    """Return adjusted p-values in the order given.

    Parameters
    ----------
    p_values : sequence of float or None, length m
        None marks a question that could not be asked; it stays None and does not
        count towards the size of the family.
    method : {"holm", "bh"}

    Returns
    -------
    list of float or None, length m

    Raises
    ------
    UserError
        For an unknown method or a p-value outside [0, 1].
    """
    if method not in METHODS:
        raise UserError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    asked = [i for i, p in enumerate(p_values) if p is not None]
    raw = np.array([p_values[i] for i in asked], dtype=float)
    if not ((raw >= 0) & (raw <= 1)).all():  # a NaN fails this too
        raise UserError(f"p_values: expected numbers from 0 to 1, got {raw.tolist()}")
    adjusted: list[float | None] = [None] * len(p_values)
    if not asked:
        return adjusted
    from statsmodels.stats.multitest import multipletests

    for i, p in zip(asked, multipletests(raw, method=METHODS[method])[1], strict=True):
        adjusted[i] = float(p)
    return adjusted


def family_wise_error(alpha: float, n_questions: int) -> float:
    """Return the chance of at least one false alarm in m independent uncorrected tests.

    1 − (1 − α)^m, when every null hypothesis is true.
    """
    return float(-np.expm1(n_questions * np.log1p(-alpha)))
