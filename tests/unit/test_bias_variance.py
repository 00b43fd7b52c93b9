"""The two parts of an expected loss add up exactly, and each estimates what it says."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.special import rel_entr
from scipy.stats import gmean

from creditrisk.metrics.calibration import TINY, row_brier, row_log_loss
from creditrisk.models import families
from creditrisk.validation import bias_variance

from .test_families import PARAMETERS, training_rows

LOSSES = {"brier": row_brier, "log_loss": row_log_loss}


def some_refits(seed: int, n_refits: int = 7, n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(2, size=n), rng.beta(0.4, 0.9, size=(n_refits, n))


def test_brier_by_hand():
    # one defaulter with 0.2 and 0.6: mean 0.4, so 0.36 around a spread of 0.04, together
    # the mean of 0.64 and 0.16. Of two refits the mean carries half of the variance 0.08.
    split = bias_variance.split_brier(np.array([1]), np.array([[0.2], [0.6]]))
    assert split.expected == pytest.approx([0.40])
    assert split.ensemble == pytest.approx([0.36])
    assert split.variance == pytest.approx([0.08])
    assert split.central == pytest.approx([0.32])


def test_log_loss_by_hand():
    # odds 1 and 4: the central odds are their geometric mean 2, p = 2/3
    split = bias_variance.split_log_loss(np.array([1]), np.array([[0.5], [0.8]]))
    assert split.ensemble == pytest.approx([-np.log(2 / 3)])
    assert split.expected == pytest.approx([-(np.log(0.5) + np.log(0.8)) / 2])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(5))
def test_parts_add_up_to_the_mean_loss_of_the_refits(loss, seed):
    y, p = some_refits(seed)
    split = bias_variance.SPLITS[loss](y, p)
    mean_loss = LOSSES[loss](y, p).mean(axis=0)
    assert np.abs(split.central + split.variance - mean_loss).max() < 1e-12
    assert np.abs(split.expected - mean_loss).max() < 1e-12


@pytest.mark.parametrize("seed", range(3))
def test_log_loss_parts_are_those_of_heskes(seed):
    y, p = some_refits(seed)
    p = np.clip(p, TINY, 1 - TINY)  # as the log loss of a row is taken
    one, zero = gmean(p, axis=0), gmean(1 - p, axis=0)
    c = one / (one + zero)
    divergence = (rel_entr(c, p) + rel_entr(1 - c, 1 - p)).mean(axis=0)
    split = bias_variance.split_log_loss(y, p)
    assert np.abs(split.ensemble - row_log_loss(y, c)).max() < 1e-12
    assert np.abs(split.variance * (len(p) - 1) / len(p) - divergence).max() < 1e-12


def test_brier_parts_are_unbiased_for_every_number_of_refits():
    """Over all ways to draw B refits from three, they average to the population's."""
    population = np.array([0.1, 0.3, 0.8])
    for n_refits in (2, 3, 4):
        draws = np.array(list(product(population, repeat=n_refits))).T  # one column a draw
        split = bias_variance.split_brier(np.ones(draws.shape[1]), draws)
        assert split.central.mean() == pytest.approx((population.mean() - 1) ** 2, abs=1e-12)
        assert split.variance.mean() == pytest.approx(population.var(), abs=1e-12)
        assert split.ensemble.mean() > split.central.mean() + 1e-3


def test_central_part_is_noise_plus_squared_bias():
    """In a world of known probabilities, a shift of 0.1 and a wobble of 0.05."""
    rng = np.random.default_rng(0)
    true = rng.uniform(0.2, 0.7, size=40_000)
    y = (rng.random(true.size) < true).astype(int)
    p = true + 0.1 + 0.05 * rng.normal(size=(20, true.size))
    split = bias_variance.split_brier(y, p)
    assert split.variance.mean() == pytest.approx(0.05**2, rel=0.02)
    assert split.central.mean() == pytest.approx((true * (1 - true)).mean() + 0.01, abs=0.002)


@pytest.mark.parametrize("loss", LOSSES)
def test_refits_that_agree_have_no_variance(loss):
    y, p = some_refits(0)
    split = bias_variance.SPLITS[loss](y, np.repeat(p[:1], 5, axis=0))
    assert split.variance == pytest.approx(np.zeros(len(y)), abs=1e-12)
    assert split.central == pytest.approx(LOSSES[loss](y, p[0]))


def test_half_samples_take_whole_groups_among_the_allowed():
    groups = np.repeat(np.arange(50), 2)
    allowed = groups >= 10
    drawn = bias_variance.half_samples(groups, allowed, n_refits=30, random_state=1)
    assert not drawn[:, ~allowed].any()
    assert np.array_equal(drawn[:, ::2], drawn[:, 1::2])
    assert (drawn.sum(axis=1) == 40).all()  # 20 of 40 groups, two rows each
    assert len({row.tobytes() for row in drawn}) == 30
    again = bias_variance.half_samples(groups, allowed, n_refits=3, random_state=1)
    assert np.array_equal(again, drawn[:3])  # more refits go on where fewer stopped


def test_grouped_error_counts_groups_not_rows():
    values = np.random.default_rng(0).normal(size=200)
    alone = bias_variance.grouped_se(values, np.arange(200))
    assert alone == pytest.approx(values.std() / np.sqrt(200))
    twice = bias_variance.grouped_se(np.repeat(values, 2), np.repeat(np.arange(200), 2))
    assert twice == pytest.approx(alone)


def test_jackknife_matches_the_spread_over_new_refits():
    rng = np.random.default_rng(0)
    y = np.zeros(20, dtype=int)
    rows = [
        bias_variance.decompose(y, np.arange(20), {"a": rng.uniform(0.2, 0.4, size=(12, 20))})[0]
        for _ in range(300)
    ]
    spread = np.std([row["brier"]["variance"] for row in rows])
    claimed = np.mean([row["brier"]["variance_se"] for row in rows])
    assert claimed == pytest.approx(spread, rel=0.15)


def test_flexible_models_wobble_more_and_threads_change_nothing():
    rows = training_rows(n=600)
    tested = rows.groups < 200
    samples = bias_variance.half_samples(rows.groups, ~tested, n_refits=6, random_state=0)
    models = {
        "stiff": families.build(
            "logistic_l2", {**PARAMETERS["logistic_l2"], "C": 1e-4}, scaler="standard"
        ),
        "loose": families.build("logistic_l2", PARAMETERS["logistic_l2"], scaler="standard"),
        "tree": bias_variance.unpruned_tree(random_state=0),
    }
    with_rows = {name: (model, rows) for name, model in models.items()}
    scored = bias_variance.refit(with_rows, samples, tested, n_jobs=2)
    table = bias_variance.decompose(rows.y[tested], rows.groups[tested], scored)
    assert [row["name"] for row in table] == list(models)
    for loss in LOSSES:
        variances = [row[loss]["variance"] for row in table]
        assert variances == sorted(variances)
        assert min(row[loss]["excess"] for row in table) == 0
    assert set(np.unique(scored["tree"])) <= {0.0, 1.0}

    poisoned = replace(
        rows,
        X=np.where(tested[:, None], 1e6, rows.X),
        y=np.where(tested, 1 - rows.y, rows.y),
    )
    fits = {name: (model, poisoned) for name, model in models.items()}
    kept = bias_variance.refit(fits, samples, np.flatnonzero(~tested), n_jobs=1)
    clean = bias_variance.refit(with_rows, samples, np.flatnonzero(~tested), n_jobs=2)
    for name in models:  # the tested rows have no say in what the refits give to others
        assert np.array_equal(kept[name], clean[name])
