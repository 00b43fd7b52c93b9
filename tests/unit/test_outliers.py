"""Outlier rules against scipy, and what each treatment does to which rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from creditrisk.data.outliers import (
    compute_bounds,
    fit_bounds,
    flag_rows,
    removal_table,
    treat_outliers,
)
from creditrisk.errors import UserError

LIMITS = {"z": 2.0, "iqr_factor": 1.5}


def sample(seed: int = 0, n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "AGE": np.clip(rng.normal(35, 9, n), 21, 79).round().astype("int64"),
            "LIMIT_BAL": np.exp(rng.normal(11.7, 0.8, n)).round(-4),
            "default": (rng.random(n) < 0.25).astype("int64"),
        }
    )


def treat(clients: pd.DataFrame, is_train: np.ndarray, rule: str, treatment: str) -> pd.DataFrame:
    return treat_outliers(
        clients,
        is_train,
        columns=["AGE", "LIMIT_BAL"],
        rule=rule,
        treatment=treatment,
        **LIMITS,
    )[0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("z", [2.0, 3.0])
def test_zscore_flags_what_scipy_flags(seed: int, z: float) -> None:
    values = sample(seed)["LIMIT_BAL"].to_numpy()
    low, high = compute_bounds(values, "zscore", z=z)
    expected = np.abs(stats.zscore(values)) > z
    assert expected.any()
    np.testing.assert_array_equal((values < low) | (values > high), expected)


@pytest.mark.parametrize("seed", range(5))
def test_iqr_bounds_are_those_of_scipy(seed: int) -> None:
    values = sample(seed)["LIMIT_BAL"].to_numpy()
    q1, q3 = stats.scoreatpercentile(values, [25, 75])
    expected = (q1 - 1.5 * stats.iqr(values), q3 + 1.5 * stats.iqr(values))
    assert compute_bounds(values, "iqr", iqr_factor=1.5) == pytest.approx(expected)


def test_a_value_on_the_bound_is_no_outlier() -> None:
    # quartiles of 0..8 are 2 and 6, so the fences are −4 and 12
    values = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8.0])
    assert compute_bounds(values, "iqr") == (-4, 12)
    table = pd.DataFrame({"AGE": [-4.0, 12.0, 12.5, -4.5]})
    assert flag_rows(table, {"AGE": (-4, 12)}).tolist() == [False, False, True, True]


def test_both_flags_the_union_of_the_rules() -> None:
    clients = sample()
    bounds = fit_bounds(clients, ["AGE", "LIMIT_BAL"], **LIMITS)
    by_rule = {rule: flag_rows(clients, bounds[rule]) for rule in ("zscore", "iqr", "both")}
    assert (by_rule["zscore"] != by_rule["iqr"]).any()
    np.testing.assert_array_equal(by_rule["both"], by_rule["zscore"] | by_rule["iqr"])


@pytest.mark.parametrize("rule", ["zscore", "iqr", "both"])
def test_remove_keeps_the_rows_and_spares_those_not_trained_on(rule: str) -> None:
    clients = sample()
    is_train = np.arange(len(clients)) % 4 != 0
    treated = treat(clients, is_train, rule, "remove")
    pd.testing.assert_frame_equal(treated[clients.columns], clients)
    flagged = (
        treated["is_outlier_zscore"] | treated["is_outlier_iqr"]
        if rule == "both"
        else treated[f"is_outlier_{rule}"]
    )
    np.testing.assert_array_equal(~treated["fit_row"], flagged & is_train)
    assert (flagged & ~is_train).any()
    assert treated.loc[~is_train, "fit_row"].all()


@pytest.mark.parametrize("rule", ["zscore", "iqr", "both"])
def test_winsorise_clips_training_rows_only_and_whole_numbers_stay_whole(rule: str) -> None:
    clients = sample()
    before = clients.copy()
    is_train = np.arange(len(clients)) % 4 != 0
    treated = treat(clients, is_train, rule, "winsorise")
    pd.testing.assert_frame_equal(clients, before)
    assert treated["AGE"].dtype == "int64"
    assert treated["fit_row"].all()
    bounds = fit_bounds(clients[is_train], ["AGE", "LIMIT_BAL"], **LIMITS)[rule]
    for name, (low, high) in bounds.items():
        values = treated.loc[is_train, name]
        assert values.between(low, high).all()
        inside = clients[name].between(low, high)
        assert not inside[is_train].all()
        pd.testing.assert_series_equal(treated.loc[inside, name], clients.loc[inside, name])
        pd.testing.assert_series_equal(treated.loc[~is_train, name], clients.loc[~is_train, name])


def test_flag_changes_nothing_but_adds_flags() -> None:
    clients = sample()
    treated = treat(clients, np.ones(len(clients), dtype=bool), "both", "flag")
    pd.testing.assert_frame_equal(treated[clients.columns], clients)
    assert treated["fit_row"].all()
    assert treated["is_outlier_iqr"].any()


def test_held_out_rows_never_move_a_bound() -> None:
    clients = sample()
    is_train = np.arange(len(clients)) % 4 != 0
    wild = clients.copy()
    wild.loc[~is_train, "LIMIT_BAL"] *= 100
    arguments = {"columns": ["LIMIT_BAL"], "rule": "both", "treatment": "remove", **LIMITS}
    first, bounds = treat_outliers(clients, is_train, **arguments)
    second, same = treat_outliers(wild, is_train, **arguments)
    assert bounds == same
    pd.testing.assert_series_equal(first["fit_row"], second["fit_row"])


def test_removal_table_by_hand() -> None:
    clients = pd.DataFrame({"AGE": [30] * 8 + [31, 90], "default": [1, 1, *[0] * 7, 1]})
    entry = removal_table(clients, ["AGE"], ["iqr"])[0]
    # both quartiles are 30, so anything else is outside: 31 and 90
    assert entry["n_before"] == 10
    assert entry["n_removed"] == 2
    assert entry["n_after"] == 8
    assert entry["removed_share"] == 0.2
    rates = [entry[f"default_rate_{when}"] for when in ("before", "removed", "after")]
    assert rates == [0.3, 0.5, 0.25]
    age = entry["columns"]["AGE"]
    assert (age["mean_before"], age["mean_after"], age["max_after"]) == (36.1, 30, 30)


def test_removal_table_without_an_outlier_has_no_rate_of_the_removed() -> None:
    clients = pd.DataFrame({"AGE": [30, 31, 32, 33], "default": [0, 1, 0, 1]})
    for entry in removal_table(clients, ["AGE"]):
        assert entry["n_removed"] == 0
        assert entry["default_rate_removed"] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"rule": "mad"},
            r"clean\.outliers\.rule: 'mad' is unknown; allowed are zscore, iqr, both",
        ),
        ({"treatment": "drop"}, r"clean\.outliers\.treatment: 'drop' is unknown"),
        ({"columns": ["INCOME"]}, r"clean\.outliers\.columns: no such column: INCOME"),
    ],
)
def test_wrong_options_are_named(changes: dict[str, object], message: str) -> None:
    options = {"columns": ["AGE"], "rule": "iqr", "treatment": "flag", **LIMITS} | changes
    with pytest.raises(UserError, match=message):
        treat_outliers(sample(), np.ones(400, dtype=bool), **options)


def test_no_training_row_is_an_error() -> None:
    with pytest.raises(UserError, match="no training row"):
        treat(sample(), np.zeros(400, dtype=bool), "iqr", "flag")
