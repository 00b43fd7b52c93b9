"""Cramér's V between codes and variance inflation, held to oracles and hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest

from creditrisk.errors import UserError
from creditrisk.stats import dependence
from creditrisk.stats.samples import NotApplicableError
from tests import generated


def by_column(columns: dict) -> dict:
    return {row["column"]: row for row in dependence.variance_inflation(columns)}


@pytest.mark.parametrize("seed", range(5))
def test_inflation_is_that_of_statsmodels(seed):
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5)) + 100 * rng.normal(size=5)
    design = np.column_stack([np.ones(300), X])
    expected = [variance_inflation_factor(design, i + 1) for i in range(5)]
    found = dependence.variance_inflation({str(i): X[:, i] for i in range(5)})
    assert [row["vif"] for row in found] == pytest.approx(expected, rel=1e-9)


def test_two_columns_share_one_correlation():
    """r² = 6² / (10 · 12) = 0.3 on these points, so both inflate to 1 / 0.7."""
    x, y = np.array([-1, 1, -2, 2, 0, 0]), np.array([-1, 1, -1, 1, 2, -2])
    rows = dependence.variance_inflation({"x": x, "y": y})
    assert [row["r2"] for row in rows] == pytest.approx([0.3, 0.3])
    assert [row["vif"] for row in rows] == pytest.approx([1 / 0.7] * 2)


def test_inflation_ignores_unit_origin_and_order():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 200))
    columns = {"a": a, "b": b, "c": a + b + rng.normal(size=200)}
    plain = by_column(columns)
    moved = by_column({"c": 33 * columns["c"] + 1e6, "b": -b, "a": a / 1000})
    for name in columns:
        assert moved[name]["vif"] == pytest.approx(plain[name]["vif"], rel=1e-6)


def test_exact_combinations_and_constants_get_a_reason_and_spoil_nobody():
    rng = np.random.default_rng(0)
    a, b, free = rng.normal(size=(3, 100))
    alone = by_column({"a": a, "b": b, "free": free})
    rows = by_column({"a": a, "b": b, "sum": a + b, "same": np.full(100, 7.0), "free": free})
    for name in ("a", "b", "sum"):
        assert rows[name]["vif"] is None
        assert rows[name]["r2"] is None
        assert rows[name]["reason"] == "an exact linear combination of other columns"
    assert rows["same"] == {"column": "same", "vif": None, "r2": None, "reason": "constant"}
    assert rows["free"]["vif"] == pytest.approx(alone["free"]["vif"], rel=1e-9)


def test_a_column_alone_is_not_inflated():
    assert by_column({"a": [1.0, 2.0]})["a"] == {"column": "a", "vif": 1.0, "r2": 0.0}


def test_fewer_rows_than_columns_are_all_combinations():
    X = np.random.default_rng(0).normal(size=(3, 5))
    rows = dependence.variance_inflation({str(i): X[:, i] for i in range(5)})
    assert all("linear combination" in row["reason"] for row in rows)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_missing_and_infinite_values_are_named(bad):
    with pytest.raises(UserError, match="LIMIT_BAL: 1 of 3 values are missing or infinite"):
        dependence.variance_inflation({"LIMIT_BAL": [1.0, bad, 2.0], "AGE": [1.0, 2.0, 3.0]})


def test_rows_must_match_and_one_row_is_not_enough():
    with pytest.raises(UserError, match="differ in length"):
        dependence.variance_inflation({"a": [1.0, 2.0], "b": [1.0, 2.0, 3.0]})
    with pytest.raises(UserError, match="differ in length"):
        dependence.cramers_v_matrix({"a": [1, 2], "b": [1, 2, 1]}, confidence=0.95)
    with pytest.raises(NotApplicableError, match="at least 2 needed"):
        dependence.variance_inflation({"a": [1.0], "b": [1.0]})


def test_v_of_a_two_by_two_table_worked_by_hand():
    """Counts 40/10/20/30: χ² = 100 (40·30 − 10·20)² / (60·40·50·50) = 16.67, φ² = 1/6.

    Bergsma (2013) takes 1/99 from φ² and puts 2 − 1/99 for both numbers of levels.
    """
    first = np.repeat([0, 0, 1, 1], [40, 10, 20, 30])
    second = np.repeat(["x", "y", "x", "y"], [40, 10, 20, 30])
    found = dependence.cramers_v_matrix({"a": first, "b": second}, confidence=0.95)
    v = np.sqrt((1 / 6 - 1 / 99) / (1 - 1 / 99))
    assert found["values"][0][1] == found["values"][1][0] == pytest.approx(v, rel=1e-12)
    assert found["lows"][0][1] < v < found["highs"][0][1]
    assert [found["values"][i][i] for i in range(2)] == pytest.approx([1.0, 1.0])


def test_v_is_small_where_columns_are_independent_and_one_where_they_are_the_same():
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 4, (2, 4000))
    columns = {"a": a, "b": b, "renamed": np.array(["w", "x", "y", "z"])[a]}
    (_, ab, renamed), *_ = dependence.cramers_v_matrix(columns, confidence=0.95)["values"]
    assert ab < 0.04
    assert renamed == pytest.approx(1.0)


def test_v_of_a_constant_column_is_not_defined_and_a_missing_label_is_named():
    found = dependence.cramers_v_matrix({"a": [1, 1, 1, 1], "b": [1, 2, 1, 2]}, confidence=0.95)
    assert found["values"] == [[None, None], [None, pytest.approx(1.0)]]
    assert found["lows"][0] == [None, None]
    with pytest.raises(UserError, match="SEX: 1 of 2 labels are missing"):
        dependence.cramers_v_matrix({"SEX": [1, None]}, confidence=0.95)


def test_inflation_reads_training_rows_only_and_v_reads_all():
    clients = generated.clients(600, 1)
    held = (clients["split"] == "holdout").to_numpy()
    found = dependence.describe_dependence(clients, confidence=0.95)
    assert (found["n"], found["n_train"]) == (600, int((~held).sum()))
    poisoned = clients.assign(
        BILL_AMT1=np.where(held, 1e9, clients["BILL_AMT1"]),
        SEX=np.where(held, 1, clients["SEX"]),
    )
    other = dependence.describe_dependence(poisoned, confidence=0.95)
    assert other["vif"] == found["vif"]
    assert other["cramers_v"] != found["cramers_v"]
    assert found["cramers_v"]["columns"] == list(dependence.CODE_COLUMNS)
    assert [row["column"] for row in found["vif"]] == list(dependence.LINEAR_COLUMNS)
