"""The findings register: each check fires where it should, and the counts are right."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from creditrisk import paths, schema
from creditrisk.data.cleaning import clean_clients
from creditrisk.data.findings import description as findings
from creditrisk.data.findings.register import REGISTER, finding
from creditrisk.data.rawtable import read_table
from creditrisk.features.registry import all_features
from tests.generated import CLEANING, clients

ROOT = Path(__file__).resolve().parents[2]
BY_CODE = {entry.code: entry for entry in findings.FINDINGS}

# pays each bill of 5,000 in full and one dollar more, so that no payment equals a bill
NEUTRAL: dict[str, Any] = {
    schema.LIMIT: 100_000.0,
    "SEX": 1,
    "EDUCATION": 2,
    "MARRIAGE": 1,
    "AGE": 30,
    **dict.fromkeys(schema.STATUS_COLUMNS, -1),
    **dict.fromkeys(schema.BILL_COLUMNS, 5000.0),
    **dict.fromkeys(schema.PAID_COLUMNS, 5001.0),
    schema.TARGET: 0,
    schema.GROUP: 0,
    schema.SPLIT: schema.TRAIN,
    "is_duplicate": False,
    "has_label_conflict": False,
    "is_twin": False,
}
NO_BILLS = dict.fromkeys(schema.BILL_COLUMNS, 0.0)
NO_PAYMENTS = dict.fromkeys(schema.PAID_COLUMNS, 0.0)
UNUSED = {**NO_BILLS, **NO_PAYMENTS}

# what fires, and the nearest thing that does not
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "CR001": ({"EDUCATION": 6}, {"EDUCATION": 4}),
    "CR002": ({"EDUCATION": 4}, {"EDUCATION": 5}),
    "CR003": ({"MARRIAGE": 0}, {"MARRIAGE": 3}),
    "CR004": ({"PAY_6": -2}, {"PAY_6": 0}),
    "CR005": ({"PAY_6": 0}, {"PAY_6": -2}),
    "CR006": ({"PAY_0": 1}, {"PAY_2": 1}),
    "CR007": ({"PAY_2": 1}, {"PAY_0": 1}),
    "CR008": ({"PAY_2": 0, "PAY_0": 2}, {"PAY_2": 1, "PAY_0": 2}),
    "CR009": ({"PAY_2": 1, "PAY_0": 3}, {"PAY_2": 0, "PAY_0": 2}),
    "CR010": ({"BILL_AMT2": 0, "PAY_0": 1}, {"BILL_AMT1": 0, "PAY_0": 1}),
    "CR011": ({"PAY_2": -2}, {"PAY_2": -2, "BILL_AMT2": 0}),
    "CR012": ({"PAY_AMT3": 4999}, {"PAY_AMT6": 0}),  # April's payment settles an unseen bill
    "CR013": ({"PAY_3": 2}, {"PAY_3": 2, "PAY_AMT3": 4999}),
    "CR014": ({"PAY_AMT2": 5000}, {"PAY_AMT2": 0, "BILL_AMT3": 0}),
    "CR015": ({"PAY_AMT2": 3000, "BILL_AMT2": 3000}, {"PAY_AMT2": 5000}),  # equal to both
    "CR016": ({"BILL_AMT2": 10_002}, {"BILL_AMT2": 10_001}),  # 5,000 − bill + 5,001
    "CR017": ({"BILL_AMT2": 11_002}, {"BILL_AMT2": 11_001}),
    "CR018": ({"BILL_AMT1": 100_001}, {"BILL_AMT2": 100_001}),
    "CR019": ({"BILL_AMT6": 100_001}, {"BILL_AMT6": 100_000}),
    "CR020": ({"BILL_AMT6": -1}, {"BILL_AMT6": 0}),
    "CR021": ({"BILL_AMT4": 0}, {"BILL_AMT1": 0}),  # no known payment settles September's bill
    "CR022": (NO_PAYMENTS, {**NO_PAYMENTS, "BILL_AMT1": 5001}),
    "CR023": (UNUSED, {**UNUSED, "PAY_AMT6": 1}),
    "CR024": ({**UNUSED, "PAY_0": 1}, {**UNUSED, "PAY_0": 0}),
    "CR025": ({"is_duplicate": True}, {"has_label_conflict": True}),
    "CR026": ({"has_label_conflict": True}, {"is_duplicate": True}),
    "CR027": ({"is_twin": True}, {"is_duplicate": True}),
    "CR028": ({schema.GROUP: 1, "BILL_AMT1": 1}, {schema.GROUP: 1}),
}


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    """Return neutral clients with changes; a second row of group 1 is a neutral client's."""
    return pd.DataFrame([NEUTRAL | row for row in rows])


def test_codes_are_stable_and_each_has_a_case() -> None:
    codes = [f"CR{i:03d}" for i in range(1, 29)]
    assert [entry.code for entry in findings.FINDINGS] == codes == list(CASES)
    assert len({entry.title for entry in findings.FINDINGS}) == 28


@pytest.mark.parametrize("code", CASES)
def test_a_check_fires_where_it_should_and_only_there(code: str) -> None:
    fires, quiet = CASES[code]
    check = BY_CODE[code].check
    other = {schema.GROUP: 1}  # whom the related row may be grouped with
    for change, expected in ((fires, True), (quiet, False), ({}, False)):
        found = check(frame(change, other))
        assert found.dtype == bool
        assert found[0] == expected, change


def test_a_neutral_client_has_no_finding() -> None:
    assert [entry.code for entry in findings.FINDINGS if entry.check(frame({})).any()] == []


def test_a_loose_twin_is_no_strict_twin_and_no_duplicate() -> None:
    check = BY_CODE["CR028"].check
    strict = {schema.GROUP: 1, "is_twin": True}
    assert check(frame({"BILL_AMT1": 1, **strict}, strict)).tolist() == [False, False]
    assert check(frame({}, {})).tolist() == [False, False]  # equal features: duplicates
    # loosely tied to a strict pair: the third row alone
    third = {schema.GROUP: 1, "BILL_AMT1": 2}
    assert check(frame({"BILL_AMT1": 1, **strict}, strict, third)).tolist() == [False, False, True]


@pytest.mark.parametrize("seed", range(3))
def test_checks_of_a_client_read_that_client_alone(seed: int) -> None:
    table = clients(200, seed)[list(schema.FEATURE_COLUMNS)]
    order = np.random.default_rng(seed).permutation(len(table))
    for entry in findings.FINDINGS:
        if entry.kind == "duplicate":
            continue
        found = entry.check(table)
        assert (entry.check(table.iloc[order]) == found[order]).all(), entry.code
        alone = [bool(entry.check(table.iloc[[i]])[0]) for i in range(20)]
        assert alone == found[:20].tolist(), entry.code


def test_features_that_rest_on_findings_exist() -> None:
    known = {feature.name for feature in all_features()}
    for entry in findings.FINDINGS:
        assert set(entry.feeds) <= known, entry.code


def names_in(file: Path) -> set[str]:
    """Return names and members that a module defines."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
            found |= {f"{node.name}.{m.name}" for m in node.body if isinstance(m, ast.FunctionDef)}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


@pytest.mark.parametrize("entry", findings.FINDINGS, ids=lambda e: e.code)
def test_treatments_are_where_the_register_says(entry: Any) -> None:
    path, _, name = entry.applied_at.partition("#")
    assert name in names_in(ROOT / path)


def test_the_register_refuses_a_second_code_and_unknown_words() -> None:
    known = {"kind": "identity", "owner": "service", "treatment": "-", "applied_at": "-"}

    def rule(clients: pd.DataFrame) -> np.ndarray:
        """Never holds."""
        return np.zeros(len(clients), dtype=bool)

    before = list(REGISTER)
    with pytest.raises(ValueError, match="CR001 is registered twice"):
        finding("CR001", "again", **known)(rule)
    with pytest.raises(ValueError, match="CR999 needs a known kind"):
        finding("CR999", "new", **known | {"kind": "odd"})(rule)
    with pytest.raises(ValueError, match="CR999 needs a known kind"):
        finding("CR999", "new", **known)(lambda c: c["SEX"] == 1)  # no rule in words
    assert before == REGISTER


# --- counted ------------------------------------------------------------------------------


def described(table: pd.DataFrame, level: float = 0.95) -> dict[str, dict[str, Any]]:
    return {row["code"]: row for row in findings.describe_findings(table, level=level)}


def test_newcombe_gives_the_published_interval() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10, example (a)
    low, high = findings.newcombe((56, 70), (48, 80), 0.95)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    # example (h) there: 10/10 against 0/10 keeps to -1..1
    low, high = findings.newcombe((10, 10), (0, 10), 0.95)
    assert (low, high) == pytest.approx((0.6075, 1.0), abs=5e-5)


def planted(n_with: int, defaults_with: int, n_rest: int, defaults_rest: int) -> pd.DataFrame:
    """Return clients of whom the first n_with have MARRIAGE 0; every second row is held out."""
    target = [i < defaults_with for i in range(n_with)] + [i < defaults_rest for i in range(n_rest)]
    return frame(
        *(
            {
                "MARRIAGE": 0 if i < n_with else 1,
                schema.TARGET: int(defaults),
                schema.GROUP: i,
                schema.SPLIT: schema.HOLDOUT if i % 2 else schema.TRAIN,
            }
            for i, defaults in enumerate(target)
        )
    )


def test_a_planted_finding_is_counted() -> None:
    row = described(planted(20, 15, 80, 8))["CR003"]
    assert (row["n"], row["share"], row["rate"], row["rate_rest"]) == (20, 0.2, 0.75, 0.1)
    assert row["difference"] == pytest.approx(0.65)
    # the only finding with rows, so that the joint level is the level
    assert (row["low"], row["high"]) == findings.newcombe((15, 20), (8, 80), 0.95)
    assert row["verdict"] == "default more often"
    assert (row["n_train"], row["rate_train"]) == (
        10,
        0.8,
    )  # rows 0, 2 … 18, of which 0 … 14 default


@pytest.mark.parametrize(
    ("table", "verdict"),
    [
        (planted(20, 15, 80, 8), "default more often"),
        (planted(60, 2, 60, 40), "default less often"),
        (planted(20, 3, 80, 8), "no clear difference"),
        (planted(0, 0, 80, 8), "none found"),
        (planted(20, 3, 0, 0), "not compared"),
    ],
)
def test_the_verdict_follows_the_interval(table: pd.DataFrame, verdict: str) -> None:
    row = described(table)["CR003"]
    assert row["verdict"] == verdict
    if row["difference"] is None:
        assert row["low"] is row["high"] is None
    if verdict == "none found":
        assert (row["rate"], row["n_train"], row["rate_train"]) == (None, 0, None)
    if verdict == "not compared":
        assert row["rate_rest"] is None


def test_the_level_is_shared_by_the_findings_that_are_compared() -> None:
    table = planted(20, 15, 80, 8)
    table.loc[50:70, "EDUCATION"] = 4  # a second finding
    table.loc[:5, "is_duplicate"] = True  # reads the target, so it is counted and not compared
    rows = described(table, level=0.9)
    assert [code for code, row in rows.items() if row["n"]] == ["CR002", "CR003", "CR025"]
    expected = findings.newcombe((15, 20), (8, 80), 0.95)  # 1 − 0.1 / 2
    assert (rows["CR003"]["low"], rows["CR003"]["high"]) == pytest.approx(expected, abs=1e-12)
    assert (rows["CR025"]["n"], rows["CR025"]["rate"]) == (6, 1.0)
    assert rows["CR025"]["verdict"] == "not compared"


def test_a_difference_that_alone_would_be_clear_may_not_be_among_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = planted(20, 7, 80, 10)
    assert described(table)["CR003"]["verdict"] == "default more often"
    copies = [replace(BY_CODE["CR003"], code=f"CR1{i:02d}") for i in range(20)]
    monkeypatch.setattr(findings, "FINDINGS", tuple(copies))
    assert {row["verdict"] for row in described(table).values()} == {"no clear difference"}


@pytest.mark.parametrize("seed", range(2))
def test_generated_clients_are_described_without_gaps(seed: int) -> None:
    table = clients(600, seed)
    default = table[schema.TARGET].to_numpy()
    for row in described(table).values():
        rows = BY_CODE[row["code"]].check(table)
        assert row["n"] == rows.sum()
        numbers = [v for v in row.values() if isinstance(v, float)]
        assert np.isfinite(numbers).all()
        if row["n"] and row["rate_rest"] is not None:
            both = row["share"] * row["rate"] + (1 - row["share"]) * row["rate_rest"]
            assert both == pytest.approx(default.mean(), abs=1e-12)
        if row["difference"] is not None:
            assert -1 <= row["low"] <= row["difference"] <= row["high"] <= 1
        assert (row["n_train"] is None) == (not row["feeds"])


# --- the real table --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> dict[str, dict[str, Any]]:
    file = ROOT / paths.RAW
    if not file.is_file():
        pytest.skip(f"{paths.RAW} is not there: run `make repro`, or the fetch stage alone")
    data = file.read_bytes()
    if hashlib.sha256(data).hexdigest() != schema.CANONICAL_SHA256:
        pytest.skip(f"{paths.RAW} is a table of your own, the counts below are the default's")
    return described(clean_clients(read_table(data), **CLEANING)[0])


def test_counts_of_the_real_table(real: dict[str, dict[str, Any]]) -> None:
    assert {code: row["n"] for code, row in real.items()} == {
        "CR001": 345, "CR002": 123, "CR003": 54, "CR004": 6561, "CR005": 21173, "CR006": 3688,
        "CR007": 28, "CR008": 5948, "CR009": 0, "CR010": 1531, "CR011": 2484, "CR012": 5159,
        "CR013": 1015, "CR014": 8562, "CR015": 16, "CR016": 612, "CR017": 554, "CR018": 2115,
        "CR019": 3931, "CR020": 1930, "CR021": 692, "CR022": 111, "CR023": 795, "CR024": 495,
        "CR025": 35, "CR026": 46, "CR027": 2354, "CR028": 199,
    }  # fmt: skip


def test_rates_of_the_real_table(real: dict[str, dict[str, Any]]) -> None:
    rates = {code: real[code]["rate"] for code in ("CR003", "CR006", "CR022", "CR023")}
    expected = {"CR003": 0.093, "CR006": 0.339, "CR022": 0.865, "CR023": 0.376}
    assert rates == pytest.approx(expected, abs=0.0005)
    assert real["CR003"]["verdict"] == "no clear difference"
    assert real["CR023"]["verdict"] == "default more often"
    assert real["CR011"]["verdict"] == "default less often"
