"""Recency, frequency and monetary value: hand-worked clients, and row by row equality."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from creditrisk import schema
from creditrisk.features.record import ClientRecord, from_frame
from creditrisk.segments import rfm, rfm_distributions, rfm_tables
from tests import generated

BANDS: dict[str, Any] = {
    "spend_threshold": 1000.0,
    "as_specified": {
        "recency": [1, 2, 3, 6],
        "frequency": [0.3, 0.6, 0.8, 0.95],
        "monetary": [5500, 10500, 20000, 41000],
    },
    "spend": {
        "recency": [1, 2, 3, 5],
        "frequency": [1, 2, 3, 5],
        "monetary": [4000, 12000, 28000, 58000],
    },
    "segments": [
        {"name": "unused card", "conditions": {"activity": [None, 0]}},
        {"name": "no new spend", "conditions": {"recency": [5, None]}},
        {"name": "steady", "conditions": {"frequency_score": [5, 5]}},
        {"name": "occasional", "conditions": {}},
    ],
}


RESAMPLING = {"n_replicates": 20, "random_state": 0, "n_jobs": 1}


def record(bill, paid, status=(0,) * 6) -> ClientRecord:
    one = np.ones(1)
    return ClientRecord(
        50_000 * one,
        np.array([status], dtype=float),
        np.array([bill], dtype=float),
        np.array([paid], dtype=float),
        one,
        one,
        one,
        one,
    )


def test_as_specified_is_bills_timely_months_and_payments():
    """No bill in September and August, two late months of six, 100 paid each month."""
    client = record([0, -50, 700, 0, 0, 9], [100] * 6, status=[0, -1, 2, 3, -2, 0])
    scored = rfm.score_as_specified(client, BANDS)
    assert scored["recency"] == [2]  # July is the last bill above 0; a credit balance is none
    assert scored["frequency"] == pytest.approx([4 / 6])
    assert scored["monetary"] == [600]
    # recency 2 is in band [2, 3) → 3; 4/6 lies in [.6, .8) → 3; 600 is below the first edge → 1
    assert scored["code"] == [331]


def test_no_bill_at_all_is_recency_six_and_the_worst_score():
    scored = rfm.score_as_specified(record([0] * 6, [0] * 6), BANDS)
    assert scored["recency"] == [6]
    assert scored["recency_score"] == [1]


def test_spend_is_what_statements_imply():
    """BILL_i − BILL_{i+1} + PAY_AMT_i: −500+0, 2000, 1000 (= τ, not above), 500+600, 0."""
    client = record([1500, 2000, 0, 500, 0, 0], [0, 0, 1500, 600, 0, 7777])
    scored = rfm.score(client, BANDS)
    assert client.spend.tolist() == [[-500, 2000, 1000, 1100, 0]]
    assert scored["recency"] == [1]
    assert scored["frequency"] == [2]
    assert scored["monetary"] == [4100]  # refunds do not count against spend
    assert scored["code"] == [432]
    assert scored["segment"] == ["occasional"]


def test_rules_apply_in_order():
    """An unused card has no new spend either; the earlier rule names it."""
    assert rfm.score(record([0] * 6, [0] * 6), BANDS)["segment"] == ["unused card"]
    assert rfm.score(record([900] * 6, [0] * 6), BANDS)["segment"] == ["no new spend"]
    spender = record([9000, 7000, 5000, 3000, 1500, 0], [0] * 6)
    assert rfm.score(spender, BANDS)["segment"] == ["steady"]


@pytest.mark.parametrize(
    ("higher_is_better", "expected"), [(True, [1, 2, 2, 3, 5]), (False, [5, 4, 4, 3, 1])]
)
def test_scores_put_a_value_on_an_edge_above_it(higher_is_better, expected):
    values = np.array([0, 1, 1.5, 2, 99])
    scores = rfm.score_bands(values, [1, 2, 3, 4], higher_is_better=higher_is_better)
    assert scores.tolist() == expected


@pytest.mark.parametrize("seed", range(3))
def test_one_client_alone_gets_what_the_batch_gives(seed):
    batch = from_frame(generated.raw_clients(60, seed))
    together = rfm.score(batch, BANDS)
    for i in range(len(batch)):
        alone = rfm.score(batch.take(np.array([i])), BANDS)
        assert {k: v[0] for k, v in alone.items()} == {k: v[i] for k, v in together.items()}


@pytest.mark.parametrize("seed", range(3))
def test_recency_and_frequency_agree(seed):
    """Someone whose last spend is r months ago has spent in 1 to 5 − r months; none is none."""
    scored = rfm.score(from_frame(generated.raw_clients(300, seed)), BANDS)
    recency, frequency = scored["recency"], scored["frequency"]
    assert np.all(frequency <= 5 - recency)
    assert np.array_equal(frequency == 0, recency == 5)


def test_a_higher_threshold_never_makes_anyone_more_recent():
    batch = from_frame(generated.raw_clients(300))
    low, high = (rfm.measure_spend(batch, tau)["recency"] for tau in (500, 5000))
    assert np.all(high >= low)


def test_analysis_counts_every_client_once():
    clients = generated.clients(400)
    table, results = rfm_tables.analyse(
        clients, BANDS, threshold_alternatives=[500, 2000], min_cell=5, resampling=RESAMPLING
    )
    assert sum(s["n"] for s in results["segments"]) == 400
    assert sum(map(sum, results["heatmaps"]["n"])) == 400
    recency = results["spend"]["recency_values"]
    assert [g["n"] for g in recency] == np.bincount(table["recency"], minlength=6).tolist()
    outcome = clients[schema.TARGET].to_numpy()
    rate = outcome[table["recency"] == 0].mean()
    assert recency[0]["default_rate"] == pytest.approx(rate)
    assert recency[0]["low"] < rate < recency[0]["high"]
    used = next(t for t in results["stability"]["thresholds"] if t["threshold"] == 1000)
    assert used["changed_share"] == 0


def test_small_cells_show_their_count_and_no_rate():
    maps = rfm_tables.analyse(
        generated.clients(200),
        BANDS,
        threshold_alternatives=[],
        min_cell=10,
        resampling=RESAMPLING,
    )[1]["heatmaps"]
    for counts, rates in zip(maps["n"], maps["default_rate"], strict=True):
        for n, rate in zip(counts, rates, strict=True):
            assert (rate is None) == (n < 10)


def test_delinquency_counts_months_of_two_or_more():
    """Status 1 is September's alone and does not count; 2, 3 and 8 do."""
    client = record([0] * 6, [0] * 6, status=[1, 2, 0, 3, -1, 8])
    assert rfm.months_late(client).tolist() == [3]


def test_bars_of_an_amount_hold_every_client_once_and_zero_apart():
    """0 has a bar of its own; 999.9 is below 1 k; 1,000 lies on an edge and goes above it."""
    amounts = np.array([0, 1, 999.9, 1000, 5e5, 9e6])
    bars = rfm_distributions.by_amount(amounts, np.array([1, 0, 0, 0, 0, 1]))
    assert [(b["group"], b["n"]) for b in bars if b["n"]] == [(-1, 1), (0, 2), (1000, 1), (5e5, 2)]
    assert bars[0]["default_rate"] == 1


def test_spend_by_month_is_positive_spend_oldest_first():
    """Spend newest first −500, 2000, 1000, 1100, 0: May's is last there and first here."""
    client = record([1500, 2000, 0, 500, 0, 0], [0, 0, 1500, 600, 0, 7777])
    (row,) = rfm_distributions.spend_by_month(client, np.array([1]))
    assert row["mean"] == row["median"] == [0, 1100, 1000, 2000, 0]
    assert (row["default"], row["n"], row["low"]) == (1, 1, None)  # one client has no interval


def test_intervals_of_mean_spend_are_the_normal_ones():
    from scipy import stats

    clients = from_frame(generated.raw_clients(200))
    outcome = np.arange(200) % 2
    row = rfm_distributions.spend_by_month(clients, outcome)[1]
    september = np.maximum(clients.spend[outcome == 1, 0], 0)
    expected = stats.norm.interval(0.95, september.mean(), stats.sem(september))
    assert (row["low"][-1], row["high"][-1]) == pytest.approx(expected, rel=1e-12)


def test_ties_are_counted():
    """Of seven recencies 0, 0, 0, 2, 5 … the commonest is 0, which three share."""
    scored = rfm.add_scores(
        {
            "recency": np.array([0, 0, 0, 2, 5, 4, 1]),
            "frequency": np.array([5, 4, 3, 2, 0, 1, 3]),
            "monetary": np.arange(7.0),
        },
        BANDS["spend"],
    )
    ones = np.ones(7, dtype=int)
    described = rfm_distributions.describe_scores(scored, ones, ones.astype(bool))["recency"]
    assert (described["n_values"], described["mode"]) == (5, 0)
    assert described["mode_share"] == pytest.approx(3 / 7)
