"""What the audit says of twins: tiers, agreement beside chance, the meaning of the target."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from creditrisk import paths, schema
from creditrisk.data import audit
from creditrisk.data.cleaning import clean_clients
from creditrisk.data.groups import find_twins
from creditrisk.data.rates import wilson
from creditrisk.data.rawtable import read_table
from tests.generated import CLEANING, clients


def table(n: int, **columns: Any) -> pd.DataFrame:
    """Return n rows with what the audit reads; statuses are 0."""
    fixed = {"SEX": 1, "EDUCATION": 1, "MARRIAGE": 1, schema.LIMIT: 1e5, schema.TARGET: 0}
    rows = pd.DataFrame(fixed | dict.fromkeys(schema.STATUS_COLUMNS, 0), index=range(n))
    return rows.assign(**columns)


def pair_table(*pairs: tuple[int, int, int, bool]) -> pd.DataFrame:
    """Return pairs as (earlier, later, distinct amounts, strict)."""
    frame = pd.DataFrame(pairs, columns=["earlier", "later", "n_distinct", "is_strict"])
    return frame.astype({"is_strict": bool, "earlier": int, "later": int, "n_distinct": int})


# --- agreement by chance ----------------------------------------------------------------


def test_chance_counts_the_pairs_of_one_class() -> None:
    # class 1 has values a a b: of its six ordered pairs two agree; class 2 has a b: none of two
    values = np.array(["a", "a", "b", "a", "b"])
    within = np.array([1, 1, 1, 2, 2])
    assert audit.agreement_by_chance(values, values, within) == pytest.approx(2 / 8)


@pytest.mark.parametrize("seed", range(4))
def test_chance_is_the_share_over_all_ordered_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second, within = rng.integers(0, (4, 3, 2), size=(40, 3)).T
    agree = [
        first[i] == second[j]
        for i in range(40)
        for j in range(40)
        if i != j and within[i] == within[j]
    ]
    found = audit.agreement_by_chance(first, second, within)
    assert found == pytest.approx(np.mean(agree), abs=1e-12)


def test_chance_does_not_apply_where_nobody_shares_a_class() -> None:
    assert audit.agreement_by_chance(np.array([1, 1]), np.array([1, 1]), np.array([1, 2])) is None


# --- tiers --------------------------------------------------------------------------------


def test_every_pair_is_in_one_tier() -> None:
    rows = table(8, LIMIT_BAL=[1e5, 1e5, 1e5, 2e5, 1e5, 1e5, 1e5, 2e5])
    pairs = pair_table((0, 1, 5, True), (2, 3, 5, False), (4, 5, 1, False), (6, 7, 2, False))
    found = audit.describe_twins(rows, pairs, 3)
    tiers = {tier["name"]: tier for tier in found["tiers"]}
    assert {n: t["n_pairs"] for n, t in tiers.items()} == {
        "strict": 1,
        "other_limit": 1,
        "few_distinct": 2,
    }
    compared = {n: [row["later"] for row in t["columns"]] for n, t in tiers.items()}
    assert schema.LIMIT not in compared["strict"] + compared["other_limit"], "the rules use it"
    assert compared["few_distinct"][0] == schema.LIMIT
    assert compared["strict"] == ["EDUCATION", "MARRIAGE", *schema.STATUS_COLUMNS[1:]]
    limit = tiers["few_distinct"]["columns"][0]
    assert (limit["n_agree"], limit["rate"]) == (1, 0.5)
    assert (limit["low"], limit["high"]) == pytest.approx([float(x) for x in wilson(1, 2)])
    assert found["few_distinct"] == {"n_pairs": 2, "limit_agreement": 0.5}


def test_statuses_are_compared_a_month_apart() -> None:
    status = {"PAY_0": [2, -1], "PAY_2": [0, 2], "PAY_3": [7, 0]}
    # the later row, 1, tells the earlier row's September and August again; July it does not
    found = audit.describe_agreement(table(2, **status), pair_table((0, 1, 5, True)), audit.UNUSED)
    rates = {(row["earlier"], row["later"]): row["rate"] for row in found}
    assert rates["PAY_0", "PAY_2"] == rates["PAY_2", "PAY_3"] == 1
    assert rates["PAY_3", "PAY_4"] == 0


def test_no_pair_is_no_rate() -> None:
    found = audit.describe_twins(table(3), pair_table(), 3)
    assert (found["n_pairs"], found["n_strict_rows"]) == (0, 0)
    assert found["education_agreement"] is found["few_distinct"]["limit_agreement"] is None
    for tier in found["tiers"]:
        for row in tier["columns"]:
            assert row["rate"] is row["low"] is row["high"] is None
            assert row["by_chance"] == 1, "every row is alike"
    meaning = found["target_meaning"]
    assert meaning["by_next_status"] == []
    assert meaning["late_next_if_default"] is meaning["default_rate_if_late_next_low"] is None


# --- what the target means -------------------------------------------------------------------


def test_the_target_is_held_against_the_next_status() -> None:
    # earlier rows 0..3 default yes yes no no; later rows 4..7 have codes 2, 5, 1, 0
    rows = table(8, default=[1, 1, 0, 0, 0, 0, 0, 0], PAY_0=[0, 0, 0, 0, 2, 5, 1, 0])
    pairs = pair_table(*((i, i + 4, 5, True) for i in range(4)))
    found = audit.describe_target(rows, pairs)
    assert (found["n_defaults"], found["n_defaults_late_next"]) == (2, 2)
    assert (found["n_late_next"], found["n_not_late_next"]) == (3, 1)
    assert found["late_next_if_default"] == 1
    assert found["default_rate_if_late_next"] == pytest.approx(2 / 3)
    assert found["default_rate_if_not_late_next"] == 0
    # Wilson by hand for 2 of 3, z² = 3.8415: centre (2 + z²/2)/(3 + z²), and so on
    z2 = 3.841458820694124
    half = np.sqrt(z2) / (3 + z2) * np.sqrt(2 * 1 / 3 + z2 / 4)
    centre = (2 + z2 / 2) / (3 + z2)
    ends = [found[f"default_rate_if_late_next_{end}"] for end in ("low", "high")]
    assert ends == pytest.approx([centre - half, centre + half], abs=1e-12)
    shown = {row["code"]: (row["n"], row["defaults"]) for row in found["by_next_status"]}
    assert shown == {0: (1, 0), 1: (1, 0), 2: (1, 1), 3: (1, 1)}, "code 5 is shown with 3"


@pytest.mark.parametrize("seed", range(2))
def test_planted_twins_agree_in_what_the_rule_does_not_use(seed: int) -> None:
    rows = clients(400, seed)
    found = audit.describe_twins(rows, find_twins(rows, **CLEANING["twins"]), 3)
    assert found["n_strict_pairs"] >= 6, "the generator plants six"
    strict = next(tier for tier in found["tiers"] if tier["name"] == "strict")
    for row in strict["columns"]:
        # September is told anew with its own code 1, so it may differ
        assert row["rate"] == 1 or row["earlier"] == "PAY_0"
        assert row["low"] <= row["rate"] <= row["high"]
        assert 0 < row["by_chance"] < 1


# --- the real table ---------------------------------------------------------------------------


def test_twins_of_the_real_table() -> None:
    file = Path(__file__).resolve().parents[2] / paths.RAW
    if not file.is_file():
        pytest.skip(f"{paths.RAW} is not there: run `make repro`, or the fetch stage alone")
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != schema.CANONICAL_SHA256:
        pytest.skip(f"{paths.RAW} is a table of your own, the counts below are the default's")
    found = clean_clients(read_table(data), **CLEANING)[1]["twins"]
    tiers = {tier["name"]: tier for tier in found["tiers"]}
    assert [tier["n_pairs"] for tier in tiers.values()] == [1_177, 1, 294]
    assert found["n_strict_rows"] == 2_354
    rates = {row["earlier"]: row for row in tiers["strict"]["columns"]}
    assert rates["EDUCATION"]["rate"] == pytest.approx(0.985, abs=0.0005)
    assert rates["MARRIAGE"]["rate"] == pytest.approx(0.995, abs=0.0005)
    # another code book in September: the one month whose status is told anew differently
    assert rates["PAY_0"]["high"] < min(rates[c]["low"] for c in schema.STATUS_COLUMNS[1:5])
    limit = tiers["few_distinct"]["columns"][0]
    assert limit["rate"] == pytest.approx(0.41, abs=0.005)
    assert limit["low"] > 5 * limit["by_chance"], "not chance alone"
    meaning = found["target_meaning"]
    assert meaning["late_next_if_default"] == pytest.approx(229 / 230)
    assert sum(row["n"] for row in meaning["by_next_status"]) == 1_177
    assert sum(row["defaults"] for row in meaning["by_next_status"]) == 230
