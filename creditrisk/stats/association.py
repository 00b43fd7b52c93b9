"""A column against a grouping: chi-square with Cramér's V, ANOVA with its robust twins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special, stats

from creditrisk.errors import UserError
from creditrisk.stats.noncentrality import invert_noncentrality, share_of_variance
from creditrisk.stats.samples import NotApplicableError, check_labels, check_sample

MIN_EXPECTED = 5.0
"""Cochran's (1954) rule of thumb for the chi-square approximation."""


def count_table(rows: Any, columns: Any, *, name: str) -> dict[str, Any]:
    """Cross-tabulate two columns of labels.

    Parameters
    ----------
    rows, columns : array-like, shape (n,)
    name : str
        Of the first column, for messages.

    Returns
    -------
    dict
        ``rows``, ``columns`` (labels in ascending order) and ``counts``,
        numpy.ndarray of int, shape (n_rows, n_columns).

    Raises
    ------
    UserError
        When a label is missing.
    """
    sides = [
        np.unique(check_labels(side, name=name), return_inverse=True) for side in (rows, columns)
    ]
    (row_labels, i), (column_labels, j) = sides
    counts = np.zeros((row_labels.size, column_labels.size), dtype=np.int64)
    np.add.at(counts, (i, j), 1)
    return {"rows": row_labels.tolist(), "columns": column_labels.tolist(), "counts": counts}


def expected_counts(counts: np.ndarray) -> np.ndarray:
    """Return the counts that independence expects, same shape."""
    return counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / counts.sum()


def pool_rare(counts: np.ndarray, min_expected: float = MIN_EXPECTED) -> np.ndarray:
    """Merge the rows with an expected count below a limit into one row.

    The smallest remaining row joins them while the merged row is still too small and
    another row remains to compare it with.
    """
    order = np.argsort(counts.sum(1), kind="stable")
    column_share = counts.sum(0).min() / counts.sum()
    sizes = counts.sum(1)[order] * column_share
    n_rare = int((sizes < min_expected).sum())
    while 0 < n_rare < len(order) - 1 and sizes[:n_rare].sum() < min_expected:
        n_rare += 1
    n_rare = min(n_rare, len(order) - 1)
    if n_rare < 2:
        return counts
    return np.vstack([counts[order[n_rare:]], counts[order[:n_rare]].sum(0)])


def rate_range(counts: np.ndarray, min_expected: float = MIN_EXPECTED) -> float | None:
    """Return the largest minus the smallest share of the last column among the rows.

    Rows that expect fewer than ``min_expected`` in a cell are left out: their share
    is mostly chance. None for tables that do not have two columns, or where fewer
    than two rows remain.
    """
    large = expected_counts(counts).min(axis=1) >= min_expected
    if counts.shape[1] != 2 or large.sum() < 2:
        return None
    shares = counts[large, 1] / counts[large].sum(axis=1)
    return float(shares.max() - shares.min())


def chi_square(counts: Any, *, confidence: float, name: str = "table") -> dict[str, Any]:
    """Return Pearson's chi-square test of a table, with Cramér's V.

    Parameters
    ----------
    counts : array-like of int, shape (r, c)
    confidence : float
        Level of the interval of V.
    name : str

    Returns
    -------
    dict
        ``statistic, df, p_value`` (no continuity correction), ``min_expected``,
        ``small_expected_share`` (cells expecting fewer than 5), ``cramers_v``
        (bias-corrected, Bergsma 2013), ``low, high`` (non-central χ² inversion),
        ``cramers_v_raw``, and ``g_test``: ``statistic, p_value`` of the likelihood
        ratio, which has the same df.

    Raises
    ------
    NotApplicableError
        When fewer than two rows or columns hold a count, or no label occurs twice.
    """
    table = np.asarray(counts, dtype=float)
    if table.ndim != 2 or not np.isfinite(table).all() or (table < 0).any():
        raise UserError(f"{name}: expected a two-way table of counts")
    table = table[table.sum(1) > 0][:, table.sum(0) > 0]
    r, c = table.shape
    n, smaller = table.sum(), min(r, c) - 1
    if smaller < 1 or max(r, c) == n:
        reason = "constant" if smaller < 1 else "no value occurs twice"
        raise NotApplicableError(f"{name}: {reason}, so there is nothing to compare")
    test = stats.chi2_contingency(table, correction=False)
    likelihood = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    phi2 = test.statistic / n
    corrected = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    r_fair, c_fair = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    bounds = invert_noncentrality(
        lambda nc: float(special.chndtr(test.statistic, test.dof, nc)), confidence
    )
    low, high = (float(min(1.0, np.sqrt(nc / (n * smaller)))) for nc in bounds)
    return {
        "n": int(n),
        **_tested(test),
        "df": int(test.dof),
        "min_expected": float(test.expected_freq.min()),
        "small_expected_share": float((test.expected_freq < MIN_EXPECTED).mean()),
        "cramers_v": float(np.sqrt(corrected / (min(r_fair, c_fair) - 1))),
        "low": low,
        "high": high,
        "cramers_v_raw": float(np.sqrt(phi2 / smaller)),
        "g_test": _tested(likelihood),
    }


def rank_categoricals(
    columns: Mapping[str, Any], target: Any, *, confidence: float
) -> list[dict[str, Any]]:
    """Rank categorical columns by how strongly they go with a target.

    Parameters
    ----------
    columns : mapping of str to array-like, shape (n,)
    target : array-like, shape (n,)
    confidence : float

    Returns
    -------
    list of dict
        :func:`chi_square` of each column plus ``column``, ``n_levels`` and
        ``pooled_v``, ``pooled_p_value`` (codes too rare for the approximation
        merged into one), strongest V first; a constant column stands last with
        ``reason`` alone.
    """
    ranked: list[dict[str, Any]] = []
    constant: list[dict[str, Any]] = []
    for column, values in columns.items():
        table = count_table(values, target, name=column)
        try:
            result = chi_square(table["counts"], confidence=confidence, name=column)
            pooled = chi_square(pool_rare(table["counts"]), confidence=confidence, name=column)
        except NotApplicableError as error:
            constant.append({"column": column, "reason": str(error)})
            continue
        ranked.append(
            {
                "column": column,
                "n_levels": len(table["rows"]),
                **result,
                "pooled_v": pooled["cramers_v"],
                "pooled_p_value": pooled["p_value"],
            }
        )
    return sorted(ranked, key=lambda r: (-r["cramers_v"], r["column"])) + constant


def compare_groups(
    samples: Sequence[Any], *, confidence: float, name: str = "sample"
) -> dict[str, Any]:
    """Test whether several group means are equal: one-way ANOVA and its robust twins.

    Parameters
    ----------
    samples : sequence of array-like, k groups
        Each with two values at least.
    confidence : float
        Level of the interval of η².
    name : str

    Returns
    -------
    dict
        ``statistic, df, df_error, p_value`` of the classic F; ``eta2``, ``omega2``
        (less biased) with ``low, high`` (non-central F inversion, Steiger 2004);
        ``welch`` (unequal variances; None where a group has no spread) and
        ``kruskal`` (ranks; with ε² = H/(n − 1)): each statistic, df and p_value.

    Raises
    ------
    NotApplicableError
        When there are fewer than two groups, a group is too small, or no group has
        spread.
    """
    groups = [check_sample(s, name=f"{name}, group {i + 1}") for i, s in enumerate(samples)]
    if len(groups) < 2:
        raise NotApplicableError(f"{name}: {len(groups)} group, at least two needed")
    if all(np.ptp(group) == 0 for group in groups):
        raise NotApplicableError(f"{name}: no spread within any group")
    n, df = sum(g.size for g in groups), len(groups) - 1
    error = n - len(groups)
    f = stats.f_oneway(*groups)
    between = float(f.statistic) * df / error
    share = share_of_variance(float(f.statistic), df, error, n, confidence=confidence)
    return {
        "n": n,
        **_tested(f),
        "df": df,
        "df_error": error,
        "eta2": between / (1 + between),
        "omega2": share["effect"],
        "low": share["low"],
        "high": share["high"],
        "welch": _welch(groups),
        "kruskal": _kruskal(groups, n, df),
    }


def compare_binary(
    outcome: Any, groups: Any, *, confidence: float, name: str = "outcome"
) -> dict[str, Any]:
    """Test whether the rate of a 0/1 outcome differs between groups, by three tests.

    Parameters
    ----------
    outcome : array-like of 0 and 1, shape (n,)
    groups : array-like, shape (n,)
        Labels.
    confidence : float
        Level of the intervals of V and of η².
    name : str
        Column of the outcome, for messages.

    Returns
    -------
    dict
        ``n``; ``chi_square`` (:func:`chi_square`); ``likelihood_ratio``: ``statistic,
        df, p_value`` of the logistic regression on the groups, which is the G
        statistic because that model fits every group's rate; ``anova``
        (:func:`compare_groups`); ``n_eta2`` = n · η², which equals χ².

    Raises
    ------
    UserError
        When the outcome holds anything but 0 and 1, or a label is missing.
    NotApplicableError
        When there is one group, a group has fewer than two rows, or the outcome is
        constant within each group.
    """
    events = check_sample(outcome, name=name)
    if not np.isin(events, (0, 1)).all():
        raise UserError(f"{name}: expected only 0 and 1; code the event as 1 and the rest as 0")
    if np.shape(groups) != events.shape:
        raise UserError(f"{name}: {events.size} values, but groups of shape {np.shape(groups)}")
    counts = count_table(groups, events, name=name)["counts"]
    test = chi_square(counts, confidence=confidence, name=name)
    samples = [np.repeat((0.0, 1.0), row) for row in counts]
    anova = compare_groups(samples, confidence=confidence, name=name)
    return {
        "n": test["n"],
        "chi_square": test,
        "likelihood_ratio": {**test["g_test"], "df": test["df"]},
        "anova": anova,
        "n_eta2": test["n"] * anova["eta2"],
    }


def _welch(groups: list[np.ndarray]) -> dict[str, float] | None:
    """Return Welch's (1951) ANOVA, or None where a group has no variance to weigh by."""
    if any(np.ptp(group) == 0 for group in groups):
        return None
    from statsmodels.stats.oneway import anova_oneway

    test = anova_oneway(groups, use_var="unequal")
    return {**_tested(test), "df": float(test.df_num), "df_error": float(test.df_denom)}


def _kruskal(groups: list[np.ndarray], n: int, df: int) -> dict[str, float]:
    """Return the Kruskal-Wallis test with ties corrected."""
    test = stats.kruskal(*groups)
    return {**_tested(test), "df": df, "epsilon2": float(test.statistic) / (n - 1)}


def _tested(test: Any) -> dict[str, float]:
    """Return statistic and p-value of a library's result as plain numbers."""
    return {"statistic": float(test.statistic), "p_value": float(test.pvalue)}
