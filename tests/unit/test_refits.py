"""The refit band: whole groups drawn, quantiles that cover, nobody scored by a fit that saw them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from creditrisk.metrics.calibration import logit
from creditrisk.models import families, folds
from creditrisk.models.refit_band import apply_band
from creditrisk.models.rows import TrainingRows
from creditrisk.validation import refits

TREES = {
    "max_depth": 2,
    "n_estimators": 15,
    "learning_rate": 0.2,
    "min_child_weight": 2,
    "subsample": 0.8,
    "colsample_bynode": 0.5,
    "reg_lambda": 1,
    "max_bin": 32,
    "seed": 0,
}
SETTINGS = {"n_folds": 3, "n_refits": 2, "random_state": 0, "n_jobs": 1}


def make_model():
    return families.build("xgboost", TREES, scaler="standard")


def training_rows(n: int = 300, seed: int = 0) -> TrainingRows:
    """Pairs of rows share a group; one row in ten enters no fit."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    y = (rng.random(n) < 1 / (1 + np.exp(1.3 - 1.5 * X[:, 0]))).astype(int)
    return TrainingRows(X=X, y=y, groups=np.arange(n) // 2, fit_row=np.arange(n) % 10 != 0)


def test_groups_are_drawn_whole():
    groups = np.array([7, 7, 7, 2, 2, 9, 4])
    rows = np.arange(100, 107)
    seen = set()
    for seed in range(50):
        times = np.bincount(refits.draw_groups(groups, [seed], rows) - 100, minlength=7)
        assert len(set(times[:3])) == len(set(times[3:5])) == 1
        assert times[0] + times[3] + times[5] + times[6] == 4  # as many groups as there are
        seen.add(tuple(times))
    assert len(seen) > 20
    assert np.array_equal(
        refits.draw_groups(groups, [1, 2], rows), refits.draw_groups(groups, [1, 2], rows)
    )


def test_a_group_is_left_out_as_often_as_a_bootstrap_leaves_out():
    groups = np.arange(2000)
    drawn = refits.draw_groups(groups, [0], groups)
    assert len(drawn) == 2000
    assert len(np.unique(drawn)) / 2000 == pytest.approx(1 - np.exp(-1), abs=0.02)


def normal_refits(sd, n: int = 20_000, b: int = 20, seed: int = 0):
    """Return scores, and refits about them with a known standard deviation."""
    rng = np.random.default_rng(seed)
    reference = rng.normal(-1.5, 1, n)
    spread = sd(reference)[:, None] if callable(sd) else sd
    return reference, reference[:, None] + spread * rng.normal(size=(n, b))


def test_ends_of_the_band_are_the_quantiles_of_the_differences():
    reference, others = normal_refits(0.3)
    band = refits.build_band(reference, others, level=0.9, n_knots=12)
    assert band["low"] == pytest.approx([0.3 * norm.ppf(0.05)] * 12, abs=0.02)
    assert band["high"] == pytest.approx([0.3 * norm.ppf(0.95)] * 12, abs=0.02)
    assert band["level"] == 0.9
    assert band["kind"] == refits.KIND
    assert (np.diff(band["log_odds"]) > 0).all()


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_the_band_covers_fresh_refits_as_often_as_it_says(level):
    def wider(score):  # uncertainty that grows with the score
        return 0.2 + 0.1 / (1 + np.exp(-score))

    reference, others = normal_refits(wider)
    band = refits.build_band(reference, others, level=level, n_knots=24)
    assert band["high"][-1] > band["high"][0]
    fresh = normal_refits(wider, b=5, seed=1)
    # other scores and other draws; 100,000 pairs: one standard error is below 0.002
    assert refits.coverage(band, *fresh) == pytest.approx(level, abs=0.01)
    assert refits.coverage(band, fresh[0], fresh[0][:, None] + 9) == 0


def test_a_shift_of_the_refits_is_in_the_band():
    reference, others = normal_refits(0.1)
    band = refits.build_band(reference, others + 1, level=0.9, n_knots=6)
    assert min(band["low"]) > 0.7  # refits lie above: both ends do


def test_beyond_the_knots_offsets_stay_and_between_them_they_are_interpolated():
    band = {"log_odds": [-2.0, 0.0, 1.0], "low": [-0.1, -0.3, -0.5], "high": [0.1, 0.3, 0.7]}
    scores = np.array([-50.0, -2.0, -1.0, 0.5, 1.0, 50.0])
    low, high = apply_band(band, scores)
    assert low - scores == pytest.approx([-0.1, -0.1, -0.2, -0.4, -0.5, -0.5])
    assert high - scores == pytest.approx([0.1, 0.1, 0.2, 0.5, 0.7, 0.7])


def test_smoothing_by_hand():
    assert refits.smooth(np.array([3.0, 0.0, 6.0])) == pytest.approx([2.0, 3.0, 4.0])
    assert refits.smooth(np.full(5, 0.4)) == pytest.approx(np.full(5, 0.4))


def test_stability_by_hand():
    reference = logit(np.array([0.1, 0.4]))  # the first is clear, the second flagged at 0.25
    others = logit(np.array([[0.1, 0.3, 0.1, 0.1], [0.4, 0.26, 0.3, 0.5]]))
    found = refits.stability(reference, others, threshold=0.25)
    assert found["flip_rate"] == pytest.approx(1 / 8)  # one of eight
    assert found["ambiguous_share"] == 0.5  # the first client flips in one refit of four
    assert found["sd_log_odds"] == pytest.approx(np.median(others.std(axis=1, ddof=1)))


class Upright:
    """A model that reads some clients' features as they were before they were poisoned."""

    def fit(self, X, y):
        self.model = make_model().fit(X, y)
        return self

    def predict_proba(self, X):
        return self.model.predict_proba(np.where(X > POISON / 2, X - POISON, X))


POISON = 2.0**10  # a power of two: adding and taking it away leaves multiples of 2^-20 exact


@pytest.mark.parametrize("number", range(3))
def test_no_fit_sees_the_clients_that_it_scores(number):
    """Poison one fold: its own scores, read from the clean features, stay what they were."""
    rows = training_rows()
    rows = replace(rows, X=np.round(rows.X * 2.0**20) / 2.0**20)
    fold = folds.deal_folds(rows.y, rows.groups, n_folds=3, n_repeats=1, random_state=0)[0]
    own = fold == number
    poisoned = replace(rows, X=np.where(own[:, None], rows.X + POISON, rows.X))
    clean = np.column_stack(refits.refit(Upright, rows, **SETTINGS))
    after = np.column_stack(refits.refit(Upright, poisoned, **SETTINGS))
    assert np.array_equal(after[own], clean[own])
    assert (after[~own] != clean[~own]).any(axis=0).all(), "fits of the other folds saw them"


def test_rows_outside_of_the_fit_are_scored_and_never_fitted():
    rows = training_rows()
    clean = np.column_stack(refits.refit(make_model, rows, **SETTINGS))
    assert np.isfinite(clean).all()
    X = np.where(rows.fit_row[:, None], rows.X, 1e6)
    other = np.column_stack(refits.refit(make_model, replace(rows, X=X), **SETTINGS))
    assert np.array_equal(other[rows.fit_row], clean[rows.fit_row])
    assert not np.array_equal(other[~rows.fit_row], clean[~rows.fit_row])


def test_threads_do_not_matter_and_draws_differ():
    rows = training_rows()
    one = refits.refit(make_model, rows, **SETTINGS)
    two = refits.refit(make_model, rows, **SETTINGS | {"n_jobs": 2})
    assert one[0].tobytes() == two[0].tobytes()
    assert one[1].tobytes() == two[1].tobytes()
    assert not np.array_equal(one[1][:, 0], one[1][:, 1])
    other = refits.refit(make_model, rows, **SETTINGS | {"random_state": 1})
    assert not np.array_equal(other[1], one[1])


def test_the_document_says_what_it_rests_on():
    lines = []
    settings = {k: v for k, v in SETTINGS.items() if k != "n_refits"}
    document = refits.study(
        make_model,
        training_rows(),
        n_build=4,
        n_check=2,
        level=0.9,
        n_knots=5,
        threshold=0.25,
        progress=lines.append,
        **settings,
    )
    assert set(document) == {"band", "coverage", "stability", "design"}
    assert document["design"] == {
        "n": 300,
        "n_folds": 3,
        "n_build": 12,
        "n_check": 6,
        "threshold": 0.25,
    }
    assert {len(document["band"][k]) for k in ("log_odds", "low", "high")} == {5}
    assert all(
        low < high
        for low, high in zip(document["band"]["low"], document["band"]["high"], strict=True)
    )
    assert 0.6 < document["coverage"] <= 1
    assert lines[-1] == "21 of 21 fits"
