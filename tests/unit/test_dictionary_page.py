"""The dictionary and the comparison before/after cleaning: numbers first, then their page."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pandera.errors
import pytest

from creditrisk import schema
from creditrisk.data import dictionary, overview
from creditrisk.data.cleaning import clean_clients
from creditrisk.data.contract import to_numbers
from creditrisk.errors import UserError
from creditrisk.reporting import render
from creditrisk.reporting.pages.eda import changes as changes_page
from creditrisk.reporting.pages.eda import dictionary as dictionary_page
from tests.generated import CLEANING, clients, raw_clients


def words(name: str, built: dict[str, Any]) -> str:
    text = render.environment().get_template(f"eda/{name}.html.j2").render({name: built})
    text = re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", text).split()))


@pytest.fixture(scope="module")
def columns() -> dict[str, dict[str, Any]]:
    raw = raw_clients(400, seed=2)
    return {c["name"]: c for c in dictionary.describe_columns(raw, clients(400, seed=2))}


# --- the dictionary ---------------------------------------------------------------------


def test_every_raw_column_has_a_row_in_order(columns) -> None:
    assert tuple(columns) == schema.RAW_COLUMNS
    roles = [column["role"] for column in columns.values()]
    assert {role: roles.count(role) for role in roles} == {
        "key": 1,
        "feature": 19,
        "audit only": 4,
        "target": 1,
    }
    assert columns["PAY_0"]["month"] == columns["PAY_AMT1"]["month"] == "2005-09"
    assert columns["BILL_AMT6"]["month"] == "2005-04"
    assert columns["AGE"]["month"] is None
    assert columns["PAY_AMT1"]["meaning"].endswith("settles BILL_AMT2")
    assert "March" in columns["PAY_AMT6"]["meaning"]
    assert json.loads(json.dumps(columns, allow_nan=False)) == columns


def test_codes_are_counted_and_the_undocumented_ones_told_apart(columns) -> None:
    raw = raw_clients(400, seed=2)
    education = columns["EDUCATION"]["codes"]
    assert sum(code["n"] for code in education) == len(raw)
    documented = {code["code"] for code in education if code["documented"]}
    assert documented == {1, 2, 3, 4}
    status = {code["code"]: code for code in columns["PAY_0"]["codes"]}
    assert (status[9]["n"], status[9]["documented"]) == (0, True)
    assert (status[-2]["documented"], status[0]["documented"]) == (False, False)
    assert status[2]["n"] == (raw["PAY_0"] == 2).sum()
    assert columns["BILL_AMT1"]["codes"] == []


@pytest.mark.parametrize("name", sorted(schema.CODE_RANGES))
def test_the_allowed_range_is_the_contracts(name: str, columns) -> None:
    low, high = map(int, columns[name]["allowed"].split(" to "))
    column = schema.raw_contract().columns[name]
    column.validate(pd.DataFrame({name: [low, high]}))
    for value in (low - 1, high + 1):
        with pytest.raises(pandera.errors.SchemaError):
            column.validate(pd.DataFrame({name: [value]}))


def test_text_gaps_and_infinity_are_left_out_of_what_is_observed() -> None:
    raw = raw_clients(60, seed=1).astype({"AGE": object, "LIMIT_BAL": float, "SEX": float})
    raw.loc[0, "AGE"] = "old"
    raw.loc[1, "LIMIT_BAL"] = np.inf
    raw["SEX"] = np.nan
    raw["MARRIAGE"] = [7] + [1] * 59
    found = {c["name"]: c for c in dictionary.describe_columns(raw, clients(60, seed=1))}
    rest = pd.to_numeric(raw["AGE"].iloc[1:])
    assert (found["AGE"]["min"], found["AGE"]["max"]) == (rest.min(), rest.max())
    assert found["LIMIT_BAL"]["max"] == raw["LIMIT_BAL"].drop(1).max()
    assert (found["SEX"]["min"], found["SEX"]["n_distinct"]) == (None, 0)
    assert found["MARRIAGE"]["codes"][-1] == {
        "code": 7,
        "meaning": "not in the code book",
        "documented": False,
        "n": 1,
    }


def test_the_page_counts_undocumented_values(columns) -> None:
    built = dictionary_page.build(list(columns.values()))
    odd = sum(c["n"] for col in columns.values() for c in col["codes"] if not c["documented"])
    text = words("dictionary", built)
    assert f"{odd:,} values in 8 columns (EDUCATION, MARRIAGE, PAY_0," in text
    assert "Documented but never seen: " in text
    assert "9 in PAY_0, PAY_2, PAY_3, PAY_4, PAY_5, PAY_6" in text
    assert "other or unknown inferred or unknown" in text


def test_the_page_says_so_when_every_code_is_documented(columns) -> None:
    plain = [
        column | {"codes": [code for code in column["codes"] if code["documented"] and code["n"]]}
        for column in columns.values()
    ]
    text = words("dictionary", dictionary_page.build(plain))
    assert "Every code that occurs is documented" in text
    assert "never seen" not in text


# --- before and after -------------------------------------------------------------------


def test_a_clean_table_changes_in_types_only() -> None:
    raw = raw_clients(300, seed=3)
    found = dictionary.describe_changes(raw, clients(300, seed=3))
    assert (found["n_changed"], found["n_dropped"], found["n_cells"]) == (0, 0, 300 * 25)
    by_name = {c["name"]: c for c in found["columns"]}
    assert by_name[schema.RAW_TARGET]["cleaned"] == schema.TARGET
    assert (by_name["LIMIT_BAL"]["raw_type"], by_name["LIMIT_BAL"]["type"]) == ("int64", "float64")
    assert by_name["AGE"]["mean_before"] == by_name["AGE"]["mean_after"] == raw["AGE"].mean()
    added = {c["name"]: c for c in found["added"]}
    assert added["split"]["n_true"] is None
    assert added["is_inactive"]["n_true"] == clients(300, seed=3)["is_inactive"].sum()
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_filled_gaps_dropped_rows_and_clipped_values_are_counted_by_id() -> None:
    # Two ages are filled with the median, one client without a limit is left out, and
    # one limit far out is clipped; the raw rows come in another order.
    raw = raw_clients(300, seed=3).astype({"AGE": float, "LIMIT_BAL": float})
    raw.loc[[3, 4], "AGE"] = np.nan
    raw.loc[7, "LIMIT_BAL"] = np.nan
    settings = CLEANING | {
        "outliers": CLEANING["outliers"] | {"columns": ["LIMIT_BAL"], "treatment": "winsorise"}
    }
    raw.loc[raw.index[50], "LIMIT_BAL"] = 9_000_000
    cleaned, findings = clean_clients(raw, **settings)
    found = dictionary.describe_changes(raw.sample(frac=1, random_state=0), cleaned)
    assert (found["n_raw"], found["n_clients"], found["n_dropped"]) == (300, 299, 1)
    by_name = {c["name"]: c for c in found["columns"]}
    age, limit = by_name["AGE"], by_name["LIMIT_BAL"]
    assert (age["missing_before"], age["missing_after"], age["changed"]) == (2, 0, 2)
    assert (limit["missing_before"], limit["missing_after"]) == (1, 0)
    assert limit["changed"] == findings["outliers"]["n_winsorised"] >= 1
    assert limit["max_before"] == 9_000_000 > limit["max_after"]
    assert found["n_changed"] == age["changed"] + limit["changed"]


def test_a_repeated_id_cannot_be_matched() -> None:
    raw = raw_clients(50, seed=1)
    raw.loc[1, "ID"] = 1
    with pytest.raises(UserError, match=r"ID: 1 rows of the raw table repeat an ID"):
        dictionary.describe_changes(raw, clients(50, seed=1))


def page(raw: pd.DataFrame, cleaned: pd.DataFrame) -> str:
    steps = overview.waterfall(to_numbers(raw)[0], cleaned)
    return words("changes", changes_page.build(dictionary.describe_changes(raw, cleaned), steps))


def test_the_page_follows_what_cleaning_did() -> None:
    raw = raw_clients(300, seed=3)
    text = page(raw, clients(300, seed=3))
    assert "Cleaning changed none of 7,500 values and left out no row." in text
    assert "13 of 25 columns another type" in text

    raw = raw.astype({"AGE": float, "LIMIT_BAL": float})
    raw.loc[[3, 4], "AGE"] = np.nan
    raw.loc[7, "LIMIT_BAL"] = np.nan
    text = page(raw, clean_clients(raw, **CLEANING)[0])
    assert "Cleaning changed 2 of 7,475 values, in AGE and left out 1 of 300 rows." in text
    assert "float64 → int64" in text


def test_the_waterfall_names_what_each_step_takes() -> None:
    figure = changes_page.draw_waterfall(
        {"raw": 100, "cleaned": 100, "holdout": 20, "training": 80, "fit": 77}
    )
    drawn = str(figure)
    for label in ("−20", "−3", ">77<", ">0<"):
        assert label in drawn, label
    assert "100 raw rows, 100 cleaned, 80 for training, 77 in fits" in drawn
