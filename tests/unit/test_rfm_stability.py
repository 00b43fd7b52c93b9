"""How firm segments are: edges by hand, a shifted month by hand, and the same for any threads."""

from __future__ import annotations

import numpy as np
import pytest

from creditrisk import schema
from creditrisk.errors import UserError
from creditrisk.features.record import from_frame
from creditrisk.segments import rfm, rfm_stability
from tests import generated
from tests.unit.test_rfm import BANDS, record


def resample(n_jobs: int = 1, seed: int = 0, n: int = 400) -> dict:
    clients = generated.clients(n, 2)
    return rfm_stability.resample_bands(
        from_frame(clients),
        BANDS,
        (clients[schema.SPLIT] == schema.TRAIN).to_numpy(),
        clients[schema.GROUP].to_numpy(),
        n_replicates=30,
        random_state=seed,
        n_jobs=n_jobs,
    )


def test_edges_of_values_without_ties_are_the_quintiles():
    """Of 1 … 10, a fifth is reached at 2; 2 itself belongs to the band above."""
    edges = rfm_stability.derive_edges(np.arange(1, 11), np.ones(10))
    assert edges.tolist() == [2, 4, 6, 8]


@pytest.mark.parametrize("seed", range(3))
def test_quintiles_are_numpys_and_weights_are_repeats(seed):
    rng = np.random.default_rng(seed)
    values, weights = rng.exponential(size=200), rng.integers(0, 4, 200)
    expected = np.quantile(np.repeat(values, weights), [0.2, 0.4, 0.6, 0.8], method="inverted_cdf")
    assert rfm_stability.derive_edges(values, weights).tolist() == expected.tolist()


def test_ties_merge_the_least_populous_neighbours():
    """Six values, 65 % at 0: its quintiles coincide. 3 and 4 have the fewest together (5 of 100)."""
    values = np.arange(6)
    edges = rfm_stability.derive_edges(values, np.array([65, 9, 4, 3, 2, 17]))
    assert edges.tolist() == [1, 2, 3, 5]


def test_too_few_values_for_five_bands_name_the_measure():
    with pytest.raises(UserError, match=r"rfm.stability: recency takes 1 value.*more clients"):
        rfm_stability.derive_edges(np.zeros(9), np.ones(9), measure="recency")
    with pytest.raises(UserError, match="takes 4 value"):
        rfm_stability.derive_edges(np.arange(4), np.ones(4))


def test_a_window_reads_four_months_and_counts_them_as_five():
    """Spend Sep … May −500, 2000, 1000, 1100, 0; to August the first falls out, May comes in.

    To September: active August and June (τ = 1000 is not above itself), so recency 1,
    frequency 2 · 5/4, money (2000 + 1000 + 1100) · 5/4. To August: the same amounts, but
    August is the newest month.
    """
    client = record([1500, 2000, 0, 500, 0, 0], [0, 0, 1500, 600, 0, 7777])
    newer, older = (rfm_stability.measure_window(client, 1000, newest=n) for n in (0, 1))
    assert newer["recency"] == [1]
    assert older["recency"] == [0]
    for window in (newer, older):
        assert window["frequency"] == [2.5]
        assert window["monetary"] == [5125]
    assert newer["activity"] == [1500 + 2000 + 500 + 1500 + 600]  # statements May to September
    assert older["activity"] == [2000 + 500 + 1500 + 600 + 7777]  # April's payment came in


def test_no_spend_in_a_window_is_recency_five_and_all_four_months_count_as_five():
    silent = record([0] * 6, [0] * 6)
    assert rfm_stability.measure_window(silent, 1000, newest=0)["recency"] == [5]
    busy = record([9000, 7000, 5000, 3000, 1500, 0], [0] * 6)
    assert rfm_stability.measure_window(busy, 1000, newest=0)["frequency"] == [5]


def test_one_month_moves_a_client_from_steady_to_occasional():
    """Spend Sep … May 0, 2000, 2000, 2000, 2000: to August four of four, to September three."""
    client = record([8000, 8000, 6000, 4000, 2000, 0], [0] * 6)
    shifted = rfm_stability.shift_month(client, BANDS)
    steady, occasional = (shifted["names"].index(name) for name in ("steady", "occasional"))
    assert shifted["counts"][steady][occasional] == 1
    assert np.sum(shifted["counts"]) == 1
    assert shifted["kept_share"] == 0
    assert shifted["kept_scores"] == {
        "recency_score": 0,  # 5 → 4
        "frequency_score": 0,  # 5 → 4 (3 · 5/4 = 3.75)
        "monetary_score": 1,  # 10,000 and 7,500 share the band from 4,000
    }
    kept = {row["name"]: row["kept_share"] for row in shifted["segments"]}
    assert kept["steady"] == 0
    assert kept["unused card"] is None  # nobody to keep


@pytest.mark.parametrize("seed", range(3))
def test_the_shift_counts_every_client_once_and_agrees_with_its_parts(seed):
    shifted = rfm_stability.shift_month(from_frame(generated.raw_clients(300, seed)), BANDS)
    counts = np.array(shifted["counts"])
    assert counts.sum() == 300
    assert shifted["kept_share"] == pytest.approx(np.trace(counts) / 300)
    kept = sum(row["n"] * (row["kept_share"] or 0) for row in shifted["segments"])
    assert kept == pytest.approx(np.trace(counts))


def test_resampling_does_not_depend_on_threads_but_on_the_seed():
    assert resample(n_jobs=3) == resample(n_jobs=1)
    assert resample(seed=1)["edges"] != resample(seed=0)["edges"]


def test_shares_that_keep_are_shares_and_sampling_alone_moves_fewer():
    found = resample()
    for reference in found["kept"].values():
        for share in reference.values():
            assert 0 <= share["p5"] <= share["mean"] <= 1
    kept = found["kept"]
    assert kept["derived"]["monetary_score"]["mean"] > kept["fixed"]["monetary_score"]["mean"]
    edges = found["edges"]["monetary"]
    assert all(a <= b for a, b in zip(edges["low"], edges["high"], strict=True))


def test_each_segments_share_adds_up_to_that_of_all():
    found = resample()
    total = sum(row["n"] * (row["mean"] or 0) for row in found["segments"])
    assert total / 400 == pytest.approx(found["kept"]["fixed"]["segment"]["mean"])
    assert sum(row["n"] for row in found["segments"]) == 400


def test_labels_are_those_of_the_service():
    """The reference that replicates are held against is what rfm.score says."""
    batch = from_frame(generated.raw_clients(200))
    labels = rfm_stability._labels(
        rfm_stability._quantities(batch, BANDS), BANDS["spend"], BANDS["segments"]
    )
    scored = rfm.score(batch, BANDS)
    names = np.array(rfm_stability.segment_names(BANDS["segments"]))
    assert names[labels[-1]].tolist() == scored["segment"].tolist()
    for row, name in zip(labels, rfm.SCORES, strict=False):
        assert row.tolist() == scored[name].tolist()


def test_bands_cannot_be_read_off_clients_who_are_all_the_same():
    clients = generated.clients(40)
    same = clients.iloc[[5] * 40].reset_index(drop=True)
    with pytest.raises(UserError, match=r"rfm.stability: recency takes 1 value"):
        rfm_stability.resample_bands(
            from_frame(same),
            BANDS,
            np.ones(40, dtype=bool),
            np.arange(40),
            n_replicates=2,
            random_state=0,
        )
