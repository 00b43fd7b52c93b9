"""Kinds of question on counts: two columns crossed, and a 2 × 2 table within strata.

Each function takes a question, the table of clients and the settings, and returns what
:func:`creditrisk.stats.declared.questions.answer` describes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from creditrisk.errors import UserError
from creditrisk.stats import association, power, stratified
from creditrisk.stats.samples import NotApplicableError, check_labels

if TYPE_CHECKING:
    import pandas as pd

    from creditrisk.stats.declared.questions import Settings


def chi_square(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """Test whether two categorical columns are independent (Pearson)."""
    test, common = _two_columns(question, clients, settings)
    return common | {
        "statistic_name": "chi2",
        **{key: test[key] for key in ("statistic", "p_value")},
    }


def g_test(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """Test whether two categorical columns are independent (likelihood ratio)."""
    test, common = _two_columns(question, clients, settings)
    return common | {"statistic_name": "G", **test["g_test"]}


def stratify(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """Compare the outcome of two groups within strata (Cochran-Mantel-Haenszel).

    The effect is the natural logarithm of the common odds ratio. Its size is put on the
    scale of correlations by d = ln(OR) · √3/π (Hasselblad & Hedges 1995) and
    r = d/√(d² + n²/(n1·n2)) (Borenstein et al. 2009).
    """
    outcome = clients[question["group"]].to_numpy()
    if not np.isin(outcome, (0, 1)).all():
        raise UserError(f"{question['group']}: the outcome of a stratified question is 0 or 1")
    marks = check_labels(clients[question["value"]], name=question["value"])
    levels = np.unique(marks)
    if levels.size != 2:
        raise NotApplicableError(
            f"{question['value']}: {levels.size} groups, but stratified compares two"
        )
    strata, names = number_strata(clients, question["within"])
    found = stratified.compare_strata(
        marks == levels[1],
        outcome,
        strata,
        confidence=settings.confidence,
        name=question["value"],
    )
    found["strata"] = [row | {"label": names[row["label"]]} for row in found["strata"]]
    found["strata_left_out"] = [names[code] for code in found["strata_left_out"]]
    effect, low, high = (float(np.log(found[key])) for key in ("odds_ratio", "low", "high"))
    error = (high - low) / (2 * special.ndtri((1 + settings.confidence) / 2))
    d, n = effect * np.sqrt(3) / np.pi, found["n"]
    n_first = sum(row["n_exposed"] for row in found["strata"])
    return {
        "n": n,
        "estimate": found["adjusted"]["difference"],
        "estimate_low": found["adjusted"]["low"],
        "estimate_high": found["adjusted"]["high"],
        "effect": effect,
        "effect_low": low,
        "effect_high": high,
        "size": float(abs(d) / np.sqrt(d**2 + n**2 / (n_first * (n - n_first)))),
        "statistic_name": "CMH",
        "statistic": found["statistic"],
        "df": 1,
        "p_value": found["p_value"],
        "details": {
            "stratified": found,
            "exposed": {"label": levels[1].item(), "other": levels[0].item()},
        },
        "power_of": lambda size, level: power.normal_power(size / error, level),
    }


def number_strata(clients: pd.DataFrame, columns: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Return each client's stratum, a combination of the levels of several columns.

    Parameters
    ----------
    clients : pandas.DataFrame, n rows
    columns : sequence of str
        Bands of :func:`creditrisk.stats.declared.derived.add_bands` keep their order.

    Returns
    -------
    tuple
        Numbers from 0 in the order of the levels, shape (n,), and the name of each
        stratum, for example ``"50,000 to below 140,000 · below 1"``.

    Raises
    ------
    UserError
        When a level is missing.
    """
    for column in columns:
        check_labels(clients[column], name=column)
    groups = clients.groupby(list(columns), observed=True, sort=True)
    names = [" · ".join(map(str, levels)) for levels in groups.size().index.to_frame().to_numpy()]
    return groups.ngroup().to_numpy(), names


def _two_columns(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tests of a two-way table, and what their kinds of question have in common."""
    name = question["value"]
    table = association.count_table(
        clients[name].to_numpy(), clients[question["group"]].to_numpy(), name=name
    )
    test = association.chi_square(table["counts"], confidence=settings.confidence, name=name)
    n_rows, n_columns = table["counts"].shape
    return test, {
        "n": test["n"],
        "estimate": association.rate_range(table["counts"]),
        "estimate_low": None,
        "estimate_high": None,
        "effect": test["cramers_v"],
        "effect_low": test["low"],
        "effect_high": test["high"],
        "size": test["cramers_v"],
        "df": test["df"],
        "details": {**table, "min_expected": test["min_expected"], "g_test": test["g_test"]},
        "power_of": lambda size, level: power.chi_square_power(
            size, test["n"], n_rows, n_columns, level
        ),
    }
