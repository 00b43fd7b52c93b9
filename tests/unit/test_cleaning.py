"""The contract's messages, the missing-value policies, and the clean table itself."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from creditrisk import paths, schema
from creditrisk.data.cleaning import clean_clients
from creditrisk.data.missing import FAMILIES, POLICIES
from creditrisk.data.outliers import removal_table
from creditrisk.data.rawtable import read_table
from creditrisk.errors import UserError
from tests.generated import CLEANING, raw_clients

RAW = raw_clients(400, seed=5)


def clean(raw: pd.DataFrame, **changes: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    sections = {k: v | changes.get(k, {}) for k, v in CLEANING.items()}
    return clean_clients(raw, **sections)


def broken(column: str, values: list[Any], base: pd.DataFrame = RAW) -> pd.DataFrame:
    """Return the raw table with the first values of a column replaced."""
    changed = base.astype({column: object})
    for row, value in enumerate(values):
        changed.loc[row, column] = value
    return changed


# --- the contract -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "values", "rule", "n"),
    [
        ("SEX", [3, 0], "is in the range (1, 2)", 2),
        ("EDUCATION", [7], "is in the range (0, 6)", 1),
        ("MARRIAGE", [-1, 4], "is in the range (0, 3)", 2),
        ("AGE", [17, 121, 12], "is in the range (18, 120)", 3),
        ("PAY_0", [-3], "is in the range (-2, 9)", 1),
        ("PAY_6", [10], "is in the range (-2, 9)", 1),
        ("LIMIT_BAL", [0, -1], "is greater than (0)", 2),
        ("PAY_AMT3", [-5], "is at least (0)", 1),
        (schema.RAW_TARGET, [2, 3], "is one of ([0, 1])", 2),
        ("ID", [7, 7], "is unique", 3),
        ("AGE", ["forty"], "is a number", 1),
        ("BILL_AMT2", ["n/a?", float("inf")], "is a number", 2),
        ("AGE", [30.5, 17.5], "is a whole number", 2),
        ("ID", [None], "is not missing", 1),
    ],
)
def test_each_failure_names_column_rule_and_count(
    column: str, values: list[Any], rule: str, n: int
) -> None:
    with pytest.raises(UserError) as caught:
        clean(broken(column, values))
    plural = "s" if n > 1 else ""
    lines = str(caught.value).splitlines()[1:-1]
    assert lines == [f"  {column}: {rule} — broken in {n} row{plural}"]


def test_all_failures_come_at_once_and_without_values() -> None:
    raw = broken("AGE", ["forty-two", 17, 30.5, 16])
    raw = broken("PAY_2", [77, 77, 77], raw)
    raw = broken("LIMIT_BAL", [-31337], raw)
    with pytest.raises(UserError) as caught:
        clean(raw)
    message = str(caught.value)
    for part in (
        "AGE: is a number — broken in 1 row\n",
        "AGE: is a whole number — broken in 1 row\n",
        "AGE: is in the range (18, 120) — broken in 2 rows\n",
        "PAY_2: is in the range (-2, 9) — broken in 3 rows\n",
        "LIMIT_BAL: is greater than (0) — broken in 1 row\n",
    ):
        assert part in message
    assert not any(value in message for value in ("forty", "17", "77", "31337"))


def test_missing_and_unexpected_columns_are_named() -> None:
    with pytest.raises(UserError, match="missing AGE, PAY_3; unexpected income"):
        clean(RAW.drop(columns=["AGE", "PAY_3"]).assign(income=1))


def test_every_code_of_the_books_is_allowed() -> None:
    raw = RAW.copy()
    raw["EDUCATION"] = np.arange(len(raw)) % 7
    raw["PAY_4"] = np.arange(len(raw)) % 12 - 2
    clients, _ = clean(raw)
    by_code = clients.groupby("EDUCATION")["education_group"].unique()
    assert {code: list(names) for code, names in by_code.items()} == {
        code: [name] for code, name in schema.EDUCATION_CODES.items()
    }
    assert sorted(clients["PAY_4"].unique()) == list(range(-2, 10))  # raw codes are kept


# --- missing values -----------------------------------------------------------------

CONSTANT = {"zero": 0, "unknown": 0}
ENDS = ("PAY_0", "PAY_6", "BILL_AMT1", "BILL_AMT6", "PAY_AMT1", "PAY_AMT6")
EVERY_POLICY = [
    (column, policy)
    for column, family in FAMILIES.items()
    if family not in ("status", "bill", "paid") or column in ENDS
    for policy in POLICIES[family]
]


@pytest.mark.parametrize(("column", "policy"), EVERY_POLICY)
def test_every_policy_of_every_column(column: str, policy: str) -> None:
    raw = broken(column, [None, np.nan, None])
    changes = {"missing": {FAMILIES[column]: policy}}
    if policy == "error":
        with pytest.raises(UserError, match=rf"{column}: is not missing — broken in 3 rows"):
            clean(raw, **changes)
        return
    clients, findings = clean(raw, **changes)
    schema.clients_contract().validate(clients, lazy=True)
    if policy == "drop":
        assert clients["ID"].tolist() == RAW["ID"].tolist()[3:]
        assert findings["headline"]["n_missing_dropped"] == 3
        assert findings["headline"]["n_missing_filled"] == 0
        return
    assert len(clients) == len(RAW)
    assert findings["headline"]["n_missing_filled"] == 3
    assert findings["missing"]["n_by_column"] == {column: 3}
    filled = clients[column].iloc[:3]
    if policy in CONSTANT:
        assert (filled == CONSTANT[policy]).all()
        return
    known = RAW[column].iloc[3:][(clients["split"] == "train").iloc[3:].to_numpy()]
    learned = round(np.median(known)) if policy == "median" else known.mode().min()
    assert (filled == learned).all()
    assert findings["missing"]["learned"] == {column: learned}


def test_a_median_comes_from_training_rows_only() -> None:
    raw = broken("AGE", [None])
    clients, _ = clean(raw)
    held_out = clients.loc[clients["split"] == "holdout", "ID"]
    older = raw.copy()
    older.loc[older["ID"].isin(held_out) & older["AGE"].notna(), "AGE"] = 80
    changed, _ = clean(older)
    pd.testing.assert_series_equal(changed["split"], clients["split"])
    assert changed["AGE"].iloc[0] == clients["AGE"].iloc[0]


def test_a_policy_that_a_column_does_not_allow_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"clean\.missing\.target: 'median', allowed are error, drop"
    ):
        clean(RAW, missing={"target": "median"})
    with pytest.raises(UserError, match=r"clean\.missing\.income: no such key"):
        clean(RAW, missing={"income": "drop"})


def test_a_table_of_gaps_is_refused() -> None:
    with pytest.raises(UserError, match="no row is left"):
        clean(RAW.assign(SEX=np.nan))
    with pytest.raises(UserError, match="no training row has AGE"):
        clean(RAW.assign(AGE=np.nan))


# --- the clean table ------------------------------------------------------------------


def test_the_clean_table_meets_its_contract_and_the_input_is_untouched() -> None:
    raw = RAW.copy()
    clients, findings = clean(raw)
    pd.testing.assert_frame_equal(raw, RAW)
    schema.clients_contract().validate(clients, lazy=True)
    features = [schema.KEY, *schema.FEATURE_COLUMNS]
    pd.testing.assert_frame_equal(clients[features], RAW[features], check_dtype=False)
    assert (clients["default"] == RAW[schema.RAW_TARGET]).all()
    headline = findings["headline"]
    assert headline["rows"] == len(RAW)
    assert headline["n_twin_rows"] >= 12
    assert headline["n_duplicates"] >= 4
    assert headline["n_groups"] <= len(RAW) - 10


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    clients, findings = clean(RAW)
    shuffled, same = clean(RAW.sample(frac=1, random_state=seed))
    pd.testing.assert_frame_equal(shuffled, clients)
    assert same == findings


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_both_sides(seed: int) -> None:
    clients, _ = clean(raw_clients(500, seed), holdout={"seed": seed})
    sides = clients.drop_duplicates(["group_id", "split"])
    assert len(sides) == clients["group_id"].nunique()
    together = clients.groupby("group_id")["ID"].transform("size") > 1
    assert together[clients["is_twin"] | clients["is_duplicate"]].all()
    assert together.sum() >= 16


def test_flags_by_hand() -> None:
    raw = RAW.copy()
    amounts = [*schema.BILL_COLUMNS, *schema.PAID_COLUMNS]
    raw.loc[0, amounts] = 0
    raw.loc[1, amounts] = 1
    raw.loc[1, "BILL_AMT1"] = raw.loc[1, "LIMIT_BAL"]
    raw.loc[2, "BILL_AMT1"] = raw.loc[2, "LIMIT_BAL"] + 1
    raw.loc[3, "BILL_AMT6"] = -1
    clients, _ = clean(raw)
    assert clients["is_inactive"].iloc[:2].tolist() == [True, False]
    assert clients["is_over_limit"].iloc[1:3].tolist() == [False, True]
    assert clients["has_credit_balance"].iloc[[1, 3]].tolist() == [False, True]


def test_winsorising_shows_in_the_values_and_not_in_the_flags() -> None:
    options = {"rule": "zscore", "z": 1.0}
    flagged, _ = clean(RAW, outliers=options | {"treatment": "flag"})
    treated, findings = clean(RAW, outliers=options | {"treatment": "winsorise"})
    changed = [c for c in flagged if not flagged[c].equals(treated[c])]
    assert set(changed) == {"AGE", "LIMIT_BAL"}
    differs = (flagged[changed] != treated[changed]).any(axis=1)
    assert differs.sum() == findings["outliers"]["n_winsorised"]
    assert (treated.loc[differs, "split"] == "train").all()


# --- the real table -------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> tuple[pd.DataFrame, dict[str, Any]]:
    file = Path(__file__).resolve().parents[2] / paths.RAW
    if not file.is_file():
        pytest.skip(f"{paths.RAW} is not there: run `make repro`, or the fetch stage alone")
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != schema.CANONICAL_SHA256:
        pytest.skip(f"{paths.RAW} is a table of your own, the counts below are the default's")
    return clean(read_table(data))


def test_counts_of_the_real_table(real: tuple[pd.DataFrame, dict[str, Any]]) -> None:
    clients, findings = real
    headline, twins = findings["headline"], findings["twins"]
    assert headline["rows"] == 30_000
    assert clients["default"].sum() == 6_636
    assert twins["n_pairs"] == 1_472
    assert twins["few_distinct"]["n_pairs"] == 294
    assert twins["few_distinct"]["limit_agreement"] == pytest.approx(0.41, abs=0.005)
    assert (twins["n_strict_pairs"], headline["n_twin_rows"]) == (1_177, 2_354)
    assert twins["education_agreement"] == pytest.approx(0.985, abs=0.0005)
    assert twins["marriage_agreement"] == pytest.approx(0.995, abs=0.0005)
    assert headline["n_duplicates"] == 35
    assert headline["n_conflict_groups"] == 21
    flags = {name: entry["n"] for name, entry in findings["flags"].items()}
    assert flags["is_inactive"] == 795
    assert flags["is_over_limit"] == 2_115
    assert flags["has_credit_balance"] == 1_930
    assert findings["flags"]["is_inactive"]["default_rate"] == pytest.approx(0.376, abs=0.0005)
    meaning = twins["target_meaning"]
    assert (meaning["n_defaults"], meaning["n_defaults_late_next"]) == (230, 229)
    assert meaning["default_rate_if_late_next"] == pytest.approx(0.65, abs=0.005)
    assert meaning["default_rate_if_not_late_next"] == pytest.approx(0.001, abs=0.0005)


def test_the_hold_out_of_the_real_table(real: tuple[pd.DataFrame, dict[str, Any]]) -> None:
    clients, findings = real
    assert findings["headline"]["n_holdout"] == pytest.approx(6_000, abs=30)
    assert findings["headline"]["holdout_default_rate"] == pytest.approx(0.2212, abs=0.002)
    assert len(clients.drop_duplicates(["group_id", "split"])) == clients["group_id"].nunique()


def test_outliers_of_the_real_table(real: tuple[pd.DataFrame, dict[str, Any]]) -> None:
    clients, _ = real
    by_rule = {e["rule"]: e for e in removal_table(clients, ["AGE", "LIMIT_BAL"])}
    assert (by_rule["iqr"]["n_removed"], by_rule["zscore"]["n_removed"]) == (436, 269)
    rates = [
        by_rule[rule][f"default_rate_{when}"]
        for rule in ("iqr", "zscore")
        for when in ("removed", "after")
    ]
    assert rates == pytest.approx([0.211, 0.221, 0.182, 0.222], abs=0.0005)
    amounts = ["AGE", "LIMIT_BAL", *schema.BILL_COLUMNS, *schema.PAID_COLUMNS]
    tukey = removal_table(clients, amounts, ["iqr"])[0]
    assert tukey["removed_share"] == pytest.approx(0.348, abs=0.0005)
