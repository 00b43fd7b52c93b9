"""Outliers by z-score and by Tukey's fences: bounds, flags, treatment, before/after table.

Bounds are computed on training rows and applied to training rows; a row that a
model is tested on is never filtered or changed. The before/after table alone looks
at the whole sample, since it describes the data and feeds no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from creditrisk import schema
from creditrisk.data.audit import mean_or_none
from creditrisk.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

RULES: Final = ("zscore", "iqr", "both")
"""``both`` flags a row that either rule flags."""
TREATMENTS: Final = ("remove", "winsorise", "flag")
Bounds = dict[str, dict[str, tuple[float, float]]]


def compute_bounds(
    values: np.ndarray, rule: str, *, z: float = 3.0, iqr_factor: float = 1.5
) -> tuple[float, float]:
    """Return the range outside which a value counts as an outlier.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
    rule : {"zscore", "iqr", "both"}
        ``zscore``: mean ± z standard deviations (divisor n, as
        ``scipy.stats.zscore``). ``iqr``: Tukey's fences, the quartiles ∓ iqr_factor
        times the interquartile range (Tukey 1977, linear quantiles as
        ``scipy.stats.iqr``). ``both``: the tighter bound of the two on each side.
    z : float
        Standard deviations.
    iqr_factor : float
        Interquartile ranges.

    Returns
    -------
    low, high : float
        In the unit of the values; outliers lie strictly outside.

    Raises
    ------
    UserError
        When the rule is unknown or there is no value.
    """
    if rule not in RULES:
        raise UserError(f"clean.outliers.rule: {rule!r} is unknown; allowed are {', '.join(RULES)}")
    values = np.asarray(values, dtype=float)
    if values.size == 0:
        raise UserError("clean.outliers: there is no training row to compute bounds from")
    if rule == "zscore":
        centre, spread = float(values.mean()), float(values.std())
        return centre - z * spread, centre + z * spread
    if rule == "iqr":
        lower, upper = np.quantile(values, [0.25, 0.75])
        reach = iqr_factor * (upper - lower)
        return float(lower - reach), float(upper + reach)
    by_rule = [compute_bounds(values, r, z=z, iqr_factor=iqr_factor) for r in ("zscore", "iqr")]
    return max(low for low, _ in by_rule), min(high for _, high in by_rule)


def fit_bounds(
    clients: pd.DataFrame, columns: Sequence[str], *, z: float, iqr_factor: float
) -> Bounds:
    """Return the bounds of each column under each rule.

    Parameters
    ----------
    clients : DataFrame, n rows
        The rows that the bounds come from: training rows.
    columns : sequence of str
    z, iqr_factor : float
        See :func:`compute_bounds`.

    Returns
    -------
    dict of dict
        ``bounds[rule][column] = (low, high)``.

    Raises
    ------
    UserError
        Naming columns that the table does not have.
    """
    return {
        rule: {
            name: compute_bounds(clients[name].to_numpy(float), rule, z=z, iqr_factor=iqr_factor)
            for name in _existing(clients, columns)
        }
        for rule in RULES
    }


def flag_rows(
    clients: pd.DataFrame, column_bounds: Mapping[str, tuple[float, float]]
) -> np.ndarray:
    """Return which rows lie strictly outside the bounds in any column, bool (n,)."""
    flagged = np.zeros(len(clients), dtype=bool)
    for name, (low, high) in column_bounds.items():
        values = clients[name].to_numpy(float)
        flagged |= (values < low) | (values > high)
    return flagged


def winsorise(
    clients: pd.DataFrame,
    column_bounds: Mapping[str, tuple[float, float]],
    rows: np.ndarray,
) -> pd.DataFrame:
    """Clip some rows' values to the bounds; a new frame.

    Parameters
    ----------
    clients : DataFrame, n rows
    column_bounds : mapping of column → (low, high)
    rows : ndarray of bool, shape (n,)
        Rows that may change.

    Returns
    -------
    DataFrame
        Whole-number columns stay whole: they are clipped to the nearest whole
        number inside the bounds.
    """
    treated = clients.copy()
    for name, (low, high) in column_bounds.items():
        values = clients[name].to_numpy()
        is_whole = np.issubdtype(values.dtype, np.integer)
        inside = (np.ceil(low), np.floor(high)) if is_whole else (low, high)
        clipped = np.where(rows, np.clip(values, *inside), values)
        treated[name] = clipped.astype(values.dtype)
    return treated


def treat_outliers(
    clients: pd.DataFrame,
    is_train: np.ndarray,
    *,
    columns: Sequence[str],
    rule: str,
    z: float,
    iqr_factor: float,
    treatment: str,
) -> tuple[pd.DataFrame, Bounds]:
    """Flag outliers on every row and treat those among the training rows.

    Parameters
    ----------
    clients : DataFrame, n rows
    is_train : ndarray of bool, shape (n,)
        The rows that bounds come from and that may be treated.
    columns : sequence of str
        The columns that the rules look at.
    rule : {"zscore", "iqr", "both"}
        The rule whose outliers are treated; both rules flag in any case.
    z, iqr_factor : float
        See :func:`compute_bounds`.
    treatment : {"remove", "winsorise", "flag"}
        ``remove`` sets ``fit_row`` to False; the row stays in the table, so that a
        test fold of cross-validation is never filtered. ``winsorise`` clips the
        columns' values. ``flag`` changes nothing.

    Returns
    -------
    clients : DataFrame
        With ``fit_row``, ``is_outlier_zscore`` and ``is_outlier_iqr``. Flags are
        of the values before treatment.
    bounds : dict of dict
        See :func:`fit_bounds`.

    Raises
    ------
    UserError
        When the rule, the treatment or a column is unknown.
    """
    for name, value, allowed in (("rule", rule, RULES), ("treatment", treatment, TREATMENTS)):
        if value not in allowed:
            raise UserError(
                f"clean.outliers.{name}: {value!r} is unknown; allowed are {', '.join(allowed)}"
            )
    bounds = fit_bounds(clients.loc[is_train], columns, z=z, iqr_factor=iqr_factor)
    flagged = {r: flag_rows(clients, bounds[r]) for r in RULES}
    treated = clients
    if treatment == "winsorise":
        treated = winsorise(clients, bounds[rule], is_train)
    keep = np.ones(len(clients), dtype=bool)
    if treatment == "remove":
        keep = ~(flagged[rule] & is_train)
    added = {
        schema.FIT_ROW: keep,
        "is_outlier_zscore": flagged["zscore"],
        "is_outlier_iqr": flagged["iqr"],
    }
    return treated.assign(**added), bounds


def removal_table(
    clients: pd.DataFrame,
    columns: Sequence[str],
    rules: Sequence[str] = RULES,
    *,
    z: float = 3.0,
    iqr_factor: float = 1.5,
    target: str = schema.TARGET,
) -> list[dict[str, Any]]:
    """Describe the sample before and after outliers are removed, one entry a rule.

    Parameters
    ----------
    clients : DataFrame, n rows
        The full sample; bounds are computed on all of it.
    columns : sequence of str
        Columns that the rule looks at; a row goes when any value is outside.
    rules : sequence of {"zscore", "iqr", "both"}
    z, iqr_factor : float
        See :func:`compute_bounds`.
    target : str
        Name of the 0/1 target column.

    Returns
    -------
    list of dict
        Keys ``rule``, ``n_before``, ``n_removed``, ``n_after``, ``removed_share``,
        ``default_rate_before``, ``default_rate_removed`` (None when no row goes),
        ``default_rate_after`` (None when none stays) and ``columns``: for each
        column ``low``, ``high``, ``n_outside`` and the ``mean``, ``median``,
        ``sd``, ``min`` and ``max`` ``_before`` and ``_after``.

    Raises
    ------
    UserError
        When a rule or column is unknown.
    """
    defaults = clients[target].to_numpy(float)
    rows = []
    for rule in rules:
        fitted = {
            name: compute_bounds(clients[name].to_numpy(float), rule, z=z, iqr_factor=iqr_factor)
            for name in _existing(clients, columns)
        }
        gone = flag_rows(clients, fitted)
        described = {
            name: _describe(clients[name].to_numpy(float), ~gone, bounds)
            for name, bounds in fitted.items()
        }
        rows.append({"rule": rule, **_removal(gone, defaults), "columns": described})
    return rows


def _removal(gone: np.ndarray, defaults: np.ndarray) -> dict[str, Any]:
    """Return how many rows go and the default rates that this leaves."""
    return {
        "n_before": len(gone),
        "n_removed": int(gone.sum()),
        "n_after": int((~gone).sum()),
        "removed_share": float(gone.mean()),
        "default_rate_before": mean_or_none(defaults),
        "default_rate_removed": mean_or_none(defaults[gone]),
        "default_rate_after": mean_or_none(defaults[~gone]),
    }


def _existing(clients: pd.DataFrame, columns: Sequence[str]) -> Sequence[str]:
    absent = [c for c in columns if c not in clients]
    if absent:
        raise UserError(f"clean.outliers.columns: no such column: {', '.join(absent)}")
    return columns


def _describe(
    values: np.ndarray, kept: np.ndarray, bounds: tuple[float, float]
) -> dict[str, float | int]:
    low, high = bounds
    described: dict[str, float | int] = {
        "low": low,
        "high": high,
        "n_outside": int(((values < low) | (values > high)).sum()),
    }
    for when, sample in (("before", values), ("after", values[kept])):
        if sample.size:
            described |= {
                f"mean_{when}": float(sample.mean()),
                f"median_{when}": float(np.median(sample)),
                f"sd_{when}": float(sample.std(ddof=1)) if sample.size > 1 else 0.0,
                f"min_{when}": float(sample.min()),
                f"max_{when}": float(sample.max()),
            }
    return described
