"""Description of the table: hand-worked counts, oracles for intervals and correlations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from creditrisk import schema
from creditrisk.data import codes, describe, exploration, overview
from creditrisk.data.cleaning import clean_clients
from creditrisk.errors import UserError
from tests.generated import CLEANING, raw_clients

SETTINGS = {
    "level": 0.95,
    "limit_bal_width": 50_000,
    "age_width": 5,
    "amount_edges": [1000, 10_000, 100_000],
    "min_clients": 5,
}


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame, dict]:
    raw = raw_clients(600, seed=3)
    clients, findings = clean_clients(raw, **CLEANING)
    return raw, clients, findings


@pytest.fixture(scope="module")
def explored(tables) -> dict:
    raw, clients, findings = tables
    return exploration.explore(raw, clients, findings, **SETTINGS)


# --- rates ---------------------------------------------------------------------


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_intervals_are_wilsons(level: float) -> None:
    # Oracle: scipy's own implementation of the score interval.
    defaults, counts = [3, 0, 40, 17], [10, 25, 40, 1000]
    rates = describe.default_rates(defaults, counts, level=level)
    for i, (k, n) in enumerate(zip(defaults, counts, strict=True)):
        oracle = stats.binomtest(k, n).proportion_ci(level, method="wilson")
        assert rates["rates"][i] == k / n
        assert rates["lows"][i] == pytest.approx(oracle.low, abs=1e-12)
        assert rates["highs"][i] == pytest.approx(oracle.high, abs=1e-12)


def test_wilson_worked_example() -> None:
    # 1 of 10 at 95 %: centre (0.1 + 1.92/10) / 1.384, reach 0.1925; by hand .0179 to .4042.
    rates = describe.default_rates([1], [10], level=0.95)
    assert rates["lows"][0] == pytest.approx(0.0179, abs=5e-5)
    assert rates["highs"][0] == pytest.approx(0.4042, abs=5e-5)


def test_small_and_empty_groups_have_counts_and_no_rate() -> None:
    rates = describe.default_rates([2, 0, 9], [4, 0, 30], level=0.95, min_clients=5)
    assert rates["counts"] == [4, 0, 30]
    assert rates["defaults"] == [2, 0, 9]
    assert rates["rates"] == [None, None, 0.3]
    assert rates["lows"][:2] == rates["highs"][:2] == [None, None]


# --- bins ------------------------------------------------------------------------


def test_bins_hold_their_left_edge_and_every_value() -> None:
    # 50,000 belongs to the bin that starts there; the maximum has a bin as well.
    values = np.array([10_000.0, 50_000, 99_999, 100_000])
    edges = describe.equal_edges(values, 50_000, "eda.limit_bal_width")
    assert edges.tolist() == [0, 50_000, 100_000, 150_000]
    found = describe.distribution(values, np.array([1, 0, 1, 0]), edges, level=0.95, min_clients=1)
    assert found["counts"] == [1, 2, 1]
    assert found["defaults"] == [1, 1, 0]


def test_too_narrow_bins_are_refused_by_their_parameter() -> None:
    with pytest.raises(UserError, match=r"eda.age_width: 0.5 makes 117 bins over 21 to 79"):
        describe.equal_edges(np.array([21.0, 79.0]), 0.5, "eda.age_width")


def test_amount_bins_keep_credit_balances_and_zeros_apart() -> None:
    values = np.array([-5.0, 0, 0, 1, 999, 1000, 9999, 10_000, 5e6])
    found = describe.amount_distribution(
        values, np.ones(9, dtype=int), [1000, 10_000], level=0.95, min_clients=1
    )
    labels = describe.amount_labels([1000, 10_000])
    assert labels == ["below 0", "0", "under 1k", "1k–10k", "10k up"]
    assert dict(zip(labels, found["counts"], strict=True)) == {
        "below 0": 1,
        "0": 2,
        "under 1k": 2,
        "1k–10k": 2,
        "10k up": 2,
    }


def test_summary_agrees_with_pandas_and_scipy() -> None:
    values = np.array([0.0, 0, -3, 10, 12.5, 100])
    found = describe.summarize(values)
    column = pd.Series(values)
    assert found["mean"] == pytest.approx(column.mean())
    assert found["sd"] == pytest.approx(column.std())
    assert found["p95"] == pytest.approx(column.quantile(0.95))
    assert found["skewness"] == pytest.approx(stats.skew(values))
    assert (found["n_zero"], found["n_negative"], found["n"]) == (2, 1, 6)


def test_a_constant_column_has_no_skewness_and_no_correlation() -> None:
    assert describe.summarize(np.full(4, 7.0))["skewness"] == 0.0
    table = pd.DataFrame({"a": [1.0, 2, 3], "b": [4.0, 4, 4]})
    assert describe.rank_correlations(table, ["a", "b"]) == [
        [pytest.approx(1.0), None],
        [None, None],
    ]


def test_rank_correlations_agree_with_scipy(tables) -> None:
    _, clients, _ = tables
    columns = ["LIMIT_BAL", "BILL_AMT1", "PAY_AMT1", "PAY_AMT6"]
    found = np.array(describe.rank_correlations(clients, columns))
    oracle = stats.spearmanr(clients[columns].to_numpy()).statistic
    assert found == pytest.approx(oracle, abs=1e-12)


# --- codes ---------------------------------------------------------------------------


def small(**columns: list[float]) -> pd.DataFrame:
    """Return a table where every column is 0 unless given."""
    n = len(next(iter(columns.values())))
    names = (*schema.FEATURE_COLUMNS, schema.TARGET)
    return pd.DataFrame({name: columns.get(name, [0] * n) for name in names})


def test_categories_mark_what_the_source_does_not_document() -> None:
    clients = small(
        SEX=[1, 2, 2, 2], EDUCATION=[1, 5, 5, 0], MARRIAGE=[0, 1, 2, 3], default=[1, 0, 1, 0]
    )
    found = codes.categories(clients, level=0.95)
    education = {entry["code"]: entry for entry in found["EDUCATION"]}
    assert list(education) == [0, 1, 5]
    assert [education[code]["documented"] for code in (0, 1, 5)] == [False, True, False]
    assert (education[5]["n"], education[5]["share"], education[5]["rate"]) == (2, 0.5, 0.5)
    assert [e["documented"] for e in found["MARRIAGE"]] == [False, True, True, True]
    assert all(entry["documented"] for entry in found["SEX"])


def test_status_table_counts_every_code_in_every_month(tables) -> None:
    _, clients, _ = tables
    found = codes.status_by_month(clients, level=0.95, min_clients=5)
    assert found["codes"] == list(range(-2, 10))
    assert [c for c, d in zip(found["codes"], found["documented"], strict=True) if not d] == [-2, 0]
    assert np.sum(found["counts"], axis=0).tolist() == [len(clients)] * 6
    for code, month in ((0, 0), (2, 3), (-2, 5)):
        of_code = clients[clients[schema.STATUS_COLUMNS[month]] == code]
        assert found["counts"][code + 2][month] == len(of_code)
        assert found["rates"][code + 2][month] == pytest.approx(of_code["default"].mean())


def test_evidence_compares_a_payment_with_the_bill_before() -> None:
    # September's 300 pays August's 300 exactly and is half of September's own bill.
    clients = small(PAY_0=[-1], BILL_AMT1=[600], BILL_AMT2=[300], PAY_AMT1=[300])
    row = {entry["code"]: entry for entry in codes.status_evidence(clients)}[-1]
    assert row["n_months"] == row["n_billed"] == 1
    assert row["median_paid_share"] == 1.0
    assert row["paid_exactly"] == 1.0
    assert row["no_bill"] == row["no_spend"] == 0.0
    absent = codes.status_evidence(clients)[0]
    assert (absent["code"], absent["n_months"], absent["median_paid_share"]) == (-2, 0, None)


# --- the whole table --------------------------------------------------------------------


def test_overview_shows_types_and_gaps_before_and_after() -> None:
    raw = raw_clients(60, seed=1).astype({"AGE": float})
    raw.loc[[3, 4], "AGE"] = np.nan
    clients, _ = clean_clients(raw, **CLEANING)
    found = {entry["name"]: entry for entry in overview.overview(raw, clients)}
    assert (found["AGE"]["n_missing_raw"], found["AGE"]["n_missing"]) == (2, 0)
    assert (found["AGE"]["raw_dtype"], found["AGE"]["dtype"]) == ("float64", "int64")
    assert found["default"]["raw_dtype"] == "int64"
    assert found["education_group"]["raw_dtype"] is None
    assert found["education_group"]["min"] is None
    assert set(found) == set(clients.columns)


def test_balance_and_waterfall_add_up(explored, tables) -> None:
    raw, clients, _ = tables
    every, train, holdout = explored["imbalance"]
    for key in ("n", "defaults", "non_defaults"):
        assert every[key] == train[key] + holdout[key]
    assert every["rate"] == clients["default"].mean()
    steps = {step["step"]: step["n"] for step in explored["waterfall"]}
    assert steps["raw"] == len(raw)
    assert steps["training"] + steps["holdout"] == steps["cleaned"] == len(clients)
    assert steps["fit"] == (clients["fit_row"] & (clients["split"] == "train")).sum()
    assert steps["fit"] < steps["training"]


def test_every_histogram_holds_every_client(explored, tables) -> None:
    _, clients, _ = tables
    columns = [explored["limit_bal"], explored["age"], *explored["amounts"]["columns"].values()]
    assert len(columns) == 14
    for column in columns:
        assert sum(column["counts"]) == len(clients)
        assert sum(column["defaults"]) == clients["default"].sum()


def test_removal_looks_at_raw_values_whatever_cleaning_did() -> None:
    # Winsorised clients have no outlier left; the before/after table must still show them.
    raw = raw_clients(500, seed=5)
    raw.loc[0, "LIMIT_BAL"] = 5_000_000
    settings = CLEANING | {"outliers": CLEANING["outliers"] | {"treatment": "winsorise"}}
    clients, findings = clean_clients(raw, **settings)
    found = exploration.explore(raw, clients, findings, **SETTINGS | {"limit_bal_width": 500_000})[
        "outliers"
    ]
    zscore = found["asked"][0]
    assert (zscore["rule"], set(zscore["columns"])) == ("zscore", {"AGE", "LIMIT_BAL"})
    assert zscore["columns"]["LIMIT_BAL"]["max_before"] == 5_000_000
    assert zscore["columns"]["LIMIT_BAL"]["max_after"] < 5_000_000
    gone = zscore["n_removed"]
    assert gone >= 1
    defaults = round(gone * zscore["default_rate_removed"])
    oracle = stats.binomtest(defaults, gone).proportion_ci(0.95, method="wilson")
    assert zscore["low_removed"] == pytest.approx(oracle.low, abs=1e-12)
    assert zscore["high_removed"] == pytest.approx(oracle.high, abs=1e-12)
    assert len(found["amounts"][1]["columns"]) == 14


def test_description_ignores_the_order_of_rows(explored, tables) -> None:
    raw, clients, findings = tables
    order = np.random.default_rng(0).permutation(len(clients))
    shuffled = exploration.explore(raw.iloc[order], clients.iloc[order], findings, **SETTINGS)
    assert shuffled["headline"] == explored["headline"]
    assert shuffled["pay_codes"] == explored["pay_codes"]
    assert shuffled["limit_bal"]["rates"] == explored["limit_bal"]["rates"]


def test_exploring_changes_no_input(tables) -> None:
    raw, clients, findings = tables
    copies = raw.copy(), clients.copy()
    exploration.explore(raw, clients, findings, **SETTINGS)
    pd.testing.assert_frame_equal(raw, copies[0])
    pd.testing.assert_frame_equal(clients, copies[1])


def test_text_in_a_row_that_cleaning_drops_stops_nothing(tables) -> None:
    raw, _, _ = tables
    spoilt = raw.astype({"AGE": object, "SEX": float})
    spoilt.loc[0, "SEX"], spoilt.loc[0, "AGE"] = np.nan, "unknown"
    clients, findings = clean_clients(spoilt, **CLEANING)
    found = exploration.explore(spoilt, clients, findings, **SETTINGS)
    raw_step, cleaned_step = found["waterfall"][:2]
    assert raw_step["n"] == cleaned_step["n"] + 1
    assert found["outliers"]["asked"][0]["n_before"] == len(clients)
