"""One comparison of two rates within strata: does it survive what else differs?"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special, stats

from creditrisk.errors import UserError
from creditrisk.stats.intervals import normal_interval
from creditrisk.stats.samples import Interval, NotApplicableError, check_labels, check_sample


def compare_strata(
    exposed: Any, outcome: Any, strata: Any, *, confidence: float, name: str = "exposure"
) -> dict[str, Any]:
    """Compare the rate of an outcome with and without an exposure, strata held fixed.

    Parameters
    ----------
    exposed, outcome : array-like of 0 and 1, shape (n,)
    strata : array-like, shape (n,)
        Labels.
    confidence : float
        Level of the intervals; those of single strata hold together (Bonferroni).
    name : str
        Column of the exposure, for messages.

    Returns
    -------
    dict
        ``n``, rows in strata where both sides and both outcomes occur; the others
        are left out of everything: ``n_left_out`` rows, ``strata_left_out`` labels.
        ``odds_ratio, low, high``: Mantel & Haenszel (1959) with the interval of
        Robins, Breslow & Greenland (1986); ``statistic, p_value``: their test of no
        association in any stratum (χ², df 1, without continuity correction);
        ``homogeneity``: Breslow-Day test of one odds ratio in all strata with
        Tarone's (1985) correction (None where there is one stratum);
        ``marginal``: rates and their difference without strata, Newcombe's (1998)
        interval; ``adjusted``: the Mantel-Haenszel difference of rates with Sato's
        (1989) variance; ``strata``: one row each, labels in ascending order,
        ``odds_ratio`` None where a cell is empty; ``simpson``: "reversed" where the
        intervals of the marginal and of the adjusted difference lie on opposite
        sides of 0, "same_sign" where both lie on one side, else "unclear".

    Raises
    ------
    UserError
        When a column is not of 0 and 1, a label is missing or lengths differ.
    NotApplicableError
        When no stratum can be compared, or the odds ratio is 0 or infinite.
    """
    labels, tables = _count_strata(exposed, outcome, strata, name)
    whole = (tables.sum(1) > 0).all(1) & (tables.sum(2) > 0).all(1)
    kept, left_out = tables[whole], tables[~whole]
    cross = kept[:, 0, 0] * kept[:, 1, 1], kept[:, 0, 1] * kept[:, 1, 0]
    if not all(product.any() for product in cross):
        reason = "the odds ratio is 0 or infinite" if len(kept) else "no stratum has both sides"
        raise NotApplicableError(f"{name}: {reason}")
    marginal = _compare_rates(kept.sum(0), confidence)
    adjusted = _adjusted_difference(kept, confidence)
    kept_labels = [label for label, keep in zip(labels, whole, strict=True) if keep]
    level = 1 - (1 - confidence) / len(kept)
    return {
        "n": int(kept.sum()),
        "n_left_out": int(left_out.sum()),
        "strata_left_out": [label for label in labels if label not in kept_labels],
        **_pooled_odds(kept, confidence),
        "homogeneity": _homogeneity(kept),
        "marginal": marginal,
        "adjusted": adjusted,
        "strata": [
            {
                "label": label,
                "n": int(table.sum()),
                "n_exposed": int(table[0].sum()),
                **_compare_rates(table, level),
            }
            for label, table in zip(kept_labels, kept, strict=True)
        ],
        "simpson": _read_simpson(marginal, adjusted),
    }


def _count_strata(
    exposed: Any, outcome: Any, strata: Any, name: str
) -> tuple[list[Any], np.ndarray]:
    """Return labels and counts, shape (k, 2, 2): exposed first, then events first."""
    sides = []
    for side, what in ((exposed, name), (outcome, f"outcome of {name}")):
        column = check_sample(side, name=what, n_min=1)
        if not np.isin(column, (0, 1)).all():
            raise UserError(f"{what}: expected only 0 and 1; code one level as 1, the other as 0")
        sides.append(1 - column.astype(int))
    labels, member = np.unique(check_labels(strata, name=f"strata of {name}"), return_inverse=True)
    if not sides[0].shape == sides[1].shape == member.shape:
        raise UserError(f"{name}: exposure, outcome and strata differ in length")
    tables = np.zeros((labels.size, 2, 2))
    np.add.at(tables, (member, *sides), 1)
    return labels.tolist(), tables


def _pooled_odds(tables: np.ndarray, confidence: float) -> dict[str, float]:
    """Return the pooled odds ratio with its interval, and the test that it is 1."""
    from statsmodels.stats.contingency_tables import StratifiedTable

    pooled = StratifiedTable(np.moveaxis(tables, 0, -1))
    low, high = pooled.oddsratio_pooled_confint(1 - confidence)
    statistic = float(pooled.test_null_odds().statistic)
    return {
        "odds_ratio": float(pooled.oddsratio_pooled),
        "low": float(low),
        "high": float(high),
        "statistic": statistic,
        "p_value": float(stats.chi2.sf(statistic, 1)),  # statsmodels' 1 − cdf ends at 1e-16
    }


def _homogeneity(tables: np.ndarray) -> dict[str, Any] | None:
    """Return the Breslow-Day test with Tarone's correction.

    Own, because statsmodels divides 0 by 0 where the pooled odds ratio is 1: here the
    quadratic equation is solved in the form without cancellation.
    """
    if len(tables) < 2:
        return None
    (a, b), (c, d) = np.moveaxis(tables, 0, -1)
    n = tables.sum((1, 2))
    ratio = (a * d / n).sum() / (b * c / n).sum()
    linear = ratio * (2 * a + b + c) + d - a
    root = np.sqrt(linear**2 + 4 * (1 - ratio) * ratio * (a + b) * (a + c))
    with np.errstate(divide="ignore", invalid="ignore"):  # the branch that is not taken
        expected = np.where(
            linear >= 0,
            2 * ratio * (a + b) * (a + c) / (linear + root),
            (root - linear) / (2 * (1 - ratio)),
        )
    cells = expected, a + b - expected, a + c - expected, d - a + expected
    variance = 1 / sum(1 / cell for cell in cells)
    statistic = ((a - expected) ** 2 / variance).sum()
    statistic -= (a - expected).sum() ** 2 / variance.sum()
    df = len(tables) - 1
    return {
        "statistic": float(statistic),
        "df": df,
        "p_value": float(special.chdtrc(df, statistic)),
    }


def _compare_rates(table: np.ndarray, confidence: float) -> dict[str, Any]:
    """Return both rates of one table, their difference and odds ratio."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    (a, b), (c, d) = table
    low, high = confint_proportions_2indep(
        a, a + b, c, c + d, method="newcomb", compare="diff", alpha=1 - confidence
    )
    return {
        "rate_exposed": float(a / (a + b)),
        "rate_other": float(c / (c + d)),
        "difference": float(a / (a + b) - c / (c + d)),
        "low": float(low),
        "high": float(high),
        "odds_ratio": float(a * d / (b * c)) if table.all() else None,
    }


def _adjusted_difference(tables: np.ndarray, confidence: float) -> dict[str, float]:
    """Return the Mantel-Haenszel difference of rates with Sato's (1989) interval.

    Its variance is consistent for few large strata and for many small ones.
    """
    (x1, _), (x0, _) = np.moveaxis(tables, 0, -1)
    n1, n0 = tables.sum(2).T
    n = n1 + n0
    weight = (n1 * n0 / n).sum()
    difference = ((x1 * n0 - x0 * n1) / n).sum() / weight
    p = ((n1**2 * x0 - n0**2 * x1 + n1 * n0 * (n0 - n1) / 2) / n**2).sum()
    q = ((x1 * (n0 - x0) + x0 * (n1 - x1)) / (2 * n)).sum()
    error = float(np.sqrt(difference * p + q) / weight)
    low, high = normal_interval(float(difference), error, confidence)
    return {"difference": float(difference), "low": low, "high": high}


def _read_simpson(marginal: dict[str, Any], adjusted: dict[str, Any]) -> str:
    """Say whether holding the strata fixed turns the difference round."""

    def side(row: dict[str, Any]) -> int:
        ends: Interval = row["low"], row["high"]
        return int(min(ends) > 0) - int(max(ends) < 0)

    product = side(marginal) * side(adjusted)
    return {-1: "reversed", 0: "unclear", 1: "same_sign"}[product]
