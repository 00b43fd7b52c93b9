"""Roll rates: counts by hand, the test against scipy and Anderson-Goodman, its calibration."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from creditrisk import schema
from creditrisk.data import codes, transitions
from creditrisk.stats import association
from tests.generated import clients

SETTINGS = {"level": 0.95, "min_clients": 30}


def frame(status: list[list[int]], **columns: list[float]) -> pd.DataFrame:
    """Return clients whose status runs newest first, as the columns do."""
    table = pd.DataFrame(np.array(status), columns=list(schema.STATUS_COLUMNS))
    defaults = {schema.TARGET: 0, schema.SPLIT: schema.TRAIN, schema.BILL_COLUMNS[0]: 100.0}
    return table.assign(**{**defaults, **columns})


def chain(rng: np.random.Generator, n: int) -> np.ndarray:
    """Simulate n Markov chains on codes −1, 0 and 2, newest first; no month is special."""
    codes_of = np.array([-1, 0, 2])
    upper = np.cumsum([[0.6, 0.3, 0.1], [0.2, 0.6, 0.2], [0.1, 0.4, 0.5]], axis=1)
    months = [rng.integers(0, 3, n)]
    for _ in range(schema.N_MONTHS - 1):
        months.append((rng.random((n, 1)) > upper[months[-1]]).sum(axis=1))
    return codes_of[np.column_stack(months[::-1])]


def test_moves_are_counted_from_the_earlier_to_the_later_month() -> None:
    # One client goes 2 (August) to 1 (September); the other 0 (April) to 5 (May).
    moves = transitions.count_moves(frame([[1, 2, 0, 0, 0, 0], [0, 0, 0, 0, 5, 0]]))
    assert moves.shape == (5, 12, 12)
    assert moves.sum(axis=(1, 2)).tolist() == [2] * 5
    assert transitions.PAIRS[0] == ("PAY_6", "PAY_5")
    assert transitions.PAIRS[-1] == ("PAY_2", "PAY_0")
    assert moves[-1, 2 + 2, 1 + 2] == 1
    assert moves[0, 0 + 2, 5 + 2] == 1


def test_pooling_keeps_every_client_and_sums_three_to_nine() -> None:
    moves = transitions.count_moves(clients(500, seed=1))
    pooled = transitions.pool_states(moves)
    assert pooled.shape == (5, 6, 6)
    np.testing.assert_array_equal(pooled[:, :5, :5], moves[:, :5, :5])
    np.testing.assert_array_equal(pooled[:, 5, 5], moves[:, 5:, 5:].sum(axis=(1, 2)))
    assert pooled.sum() == moves.sum()


def test_roll_rates_are_shares_of_a_row() -> None:
    moves = transitions.count_moves(clients(500, seed=1))
    for month in transitions.roll_rates(moves, min_clients=20):
        for counts, shares in zip(month["state_counts"], month["state_shares"], strict=True):
            if sum(counts) < 20:
                assert shares == [None] * 6
            else:
                assert sum(shares) == pytest.approx(1, abs=1e-12)
                assert shares[0] == counts[0] / sum(counts)


def test_a_table_worked_by_hand() -> None:
    # Two months of 40 clients each, 30/10 and 10/30: every cell expects 20, so
    # chi2 = 4 · 10² / 20 = 20 on 1 degree of freedom, phi² = 20/80 = 0.25.
    # Bergsma: phi² − 1/79, over (2 − 1/79) − 1 = 78/79.
    test = transitions.homogeneity(np.array([[30, 10, 0], [10, 30, 0]]), min_clients=30)
    assert test["applicable"]
    assert (test["n"], test["df"], test["min_expected"]) == (80, 1, 20.0)
    assert test["statistic"] == pytest.approx(20.0, abs=1e-12)
    assert test["cramers_v"] == pytest.approx(np.sqrt((0.25 - 1 / 79) / (78 / 79)), abs=1e-12)


def anderson_goodman(row: np.ndarray) -> tuple[float, int]:
    """Return the statistic as the paper writes it: Σ n_i(t−1) (p̂_ij(t) − p̂_ij)² / p̂_ij."""
    row = row[:, row.sum(axis=0) > 0]
    n, pooled = row.sum(axis=1, keepdims=True), row.sum(axis=0) / row.sum()
    return float((n * (row / n - pooled) ** 2 / pooled).sum()), (len(row) - 1) * (row.shape[1] - 1)


@pytest.mark.parametrize("span", ["to_august", "to_september"])
def test_each_row_agrees_with_the_paper_with_scipy_and_with_our_other_test(span: str) -> None:
    moves = transitions.pool_states(transitions.count_moves(clients(3000, seed=3)))
    found = transitions.compare_months(moves, min_clients=30)[span]
    used = moves[:-1] if span == "to_august" else moves
    tested = [(i, row) for i, row in enumerate(found["rows"]) if row["applicable"]]
    assert len(tested) >= 4
    for i, row in tested:
        counts = used[:, i]
        statistic, df = anderson_goodman(counts)
        assert row["statistic"] == pytest.approx(statistic, rel=1e-9)
        assert row["df"] == df
        assert row["p_value"] == pytest.approx(stats.chi2.sf(statistic, df), rel=1e-9)
        other = association.chi_square(counts, confidence=0.9)
        assert row["cramers_v"] == pytest.approx(other["cramers_v"], abs=1e-12)
    total = found["total"]
    assert total["n_rows"] == len(tested)
    assert total["statistic"] == pytest.approx(sum(row["statistic"] for _, row in tested))
    assert total["df"] == sum(row["df"] for _, row in tested)


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ([[20, 9], [30, 30]], "a month has fewer than 30"),
        ([[0, 0], [500, 500]], "a month has fewer than 30"),
        ([[50, 0], [70, 0]], "all clients are alike"),
        ([[30, 20]], "all clients are alike"),
    ],
)
def test_what_cannot_be_tested_says_why(counts: list[list[int]], reason: str) -> None:
    test = transitions.homogeneity(np.array(counts), min_clients=30)
    assert not test["applicable"]
    assert reason in test["reason"]
    assert "statistic" not in test


def test_a_table_in_which_no_two_clients_are_alike_has_no_effect_size() -> None:
    test = transitions.homogeneity(np.eye(2, dtype=int), min_clients=1)
    assert not test["applicable"]


def test_without_a_testable_row_the_total_has_no_p() -> None:
    found = transitions.compare_months(np.zeros((5, 6, 6), dtype=int), min_clients=30)
    assert found["to_august"]["total"]["n_rows"] == 0
    assert found["to_august"]["total"]["p_value"] is None


def test_homogeneous_chains_give_uniform_p_values() -> None:
    # The same roll rates in every month: p must be uniform, so neither too many small
    # ones nor too few. 200 chains of 400 clients; Kolmogorov's test at 0.1 %.
    rng = np.random.default_rng(7)
    p_values = []
    for _ in range(200):
        moves = transitions.pool_states(transitions.count_moves(frame(chain(rng, 400))))
        row = transitions.compare_months(moves, min_clients=30)["to_september"]["rows"][2]
        p_values.append(row["p_value"])
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


@pytest.mark.parametrize("seed", range(3))
def test_another_code_book_in_september_is_found_and_only_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    status = chain(rng, 4000)
    same = transitions.describe_transitions(frame(status), **SETTINGS)
    status[:, 0] = np.where((status[:, 1] == 2) & (status[:, 0] == 0), 1, status[:, 0])
    other = transitions.describe_transitions(frame(status), **SETTINGS)
    for described, is_apart in ((same, False), (other, True)):
        row = described["samples"]["all"]["departures"][transitions.STATES.index(2)]
        *before, september = row["cramers_v"]
        assert (september > 2 * max(*before, 0.1)) is is_apart
        cells = [(c["earlier"], c["later"]) for c in described["samples"]["all"]["vanished"]]
        assert cells == ([(2, 0)] if is_apart else [])


def test_departures_compare_a_month_with_the_other_months_up_to_august() -> None:
    moves = transitions.pool_states(transitions.count_moves(clients(3000, seed=3)))
    found = transitions.departures(moves, min_clients=30)[2]["cramers_v"]
    september = np.array([moves[4, 2], moves[:4, 2].sum(axis=0)])
    first = np.array([moves[0, 2], moves[1:4, 2].sum(axis=0)])
    for value, table in ((found[4], september), (found[0], first)):
        assert value == transitions.homogeneity(table, min_clients=30)["cramers_v"]


def test_the_training_sample_holds_training_rows_only() -> None:
    table = clients(1500, seed=5)
    found = transitions.describe_transitions(table, **SETTINGS)["samples"]
    train = table[table[schema.SPLIT] == schema.TRAIN]
    assert (found["all"]["n"], found["train"]["n"]) == (len(table), len(train))
    alone = transitions.describe_transitions(train, **SETTINGS)["samples"]["all"]
    assert found["train"] == alone
    assert found["train"] != found["all"]


def test_code_1_is_traced_to_its_august_state() -> None:
    table = frame(
        [[1, 2, 0, 0, 0, 0], [1, 7, 0, 0, 0, 0], [1, -2, 0, 0, 0, 0], [0, 2, 0, 0, 0, 0]],
        **{schema.BILL_COLUMNS[0]: [500.0, 800.0, 0.0, 0.0], schema.TARGET: [1, 0, 1, 1]},
    )
    rows = {row["state"]: row for row in codes.trace_code_1(table, level=0.95, min_clients=1)}
    assert {state: row["n"] for state, row in rows.items() if row["n"]} == {-2: 1, 2: 1, 3: 1}
    assert (rows[2]["rate"], rows[2]["n_no_bill"]) == (1.0, 0)
    assert (rows[3]["rate"], rows[-2]["n_no_bill"]) == (0.0, 1)
    assert rows[0]["rate"] is None


def test_the_order_of_clients_does_not_matter() -> None:
    table = clients(600, seed=8)
    shuffled = table.sample(frac=1, random_state=1)
    assert transitions.describe_transitions(shuffled, **SETTINGS) == (
        transitions.describe_transitions(table, **SETTINGS)
    )
