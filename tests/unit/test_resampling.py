"""SMOTE as a step of a pipeline, folds by groups, and the correction of the prior."""

from __future__ import annotations

import numpy as np
import pytest

from creditrisk.models.folds import deal_folds
from creditrisk.models.resampling import prior_corrected, smote


def grouped(seed: int = 0, n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return (rng.random(n) < 0.22).astype(int), rng.integers(0, n - n // 8, n)


def test_smote_makes_classes_equal_and_keeps_the_rows_it_got():
    y, _ = grouped()
    X = np.random.default_rng(1).normal(size=(len(y), 4))
    X_new, y_new = smote(k_neighbors=5, random_state=0).fit_resample(X, y)
    assert y_new.mean() == pytest.approx(0.5)
    assert np.array_equal(X_new[: len(X)], X)
    defaults = X[y == 1]
    made = X_new[len(X) :]
    assert (made >= defaults.min(0)).all()
    assert (made <= defaults.max(0)).all()


def test_prior_correction_hand_worked():
    # fitted at one half, true rate one fifth: odds are divided by four
    p = prior_corrected(np.array([0.5, 0.8]), base_rate=0.2, fitted_rate=0.5)
    assert p == pytest.approx([0.2, 0.5])


def test_prior_correction_undoes_plain_oversampling():
    rng = np.random.default_rng(0)
    truth = rng.beta(1.5, 5, 200_000)
    y = (rng.random(len(truth)) < truth).astype(int)
    base = y.mean()
    odds = truth / (1 - truth) * (1 - base) / base  # what a fit on equal classes would say
    corrected = prior_corrected(odds / (1 + odds), base_rate=base, fitted_rate=0.5)
    assert corrected == pytest.approx(truth, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_folds_keep_groups_whole_and_share_rows_and_defaults(seed):
    y, groups = grouped(seed)
    folds = deal_folds(y, groups, n_folds=5, n_repeats=2, random_state=seed)
    assert folds.shape == (2, len(y))
    for fold in folds:
        assert all(len(set(fold[groups == g])) == 1 for g in np.unique(groups))
        rows = np.bincount(fold, minlength=5)
        defaults = np.bincount(fold, weights=y, minlength=5)
        assert np.ptp(rows) <= 6
        assert np.ptp(defaults) <= 6
    assert not np.array_equal(folds[0], folds[1])


def test_folds_do_not_depend_on_row_order():
    y, groups = grouped()
    order = np.random.default_rng(3).permutation(len(y))
    settings = {"n_folds": 4, "n_repeats": 1, "random_state": 7}
    shuffled = deal_folds(y[order], groups[order], **settings)
    assert np.array_equal(shuffled, deal_folds(y, groups, **settings)[:, order])


def test_more_folds_than_groups_are_refused():
    with pytest.raises(ValueError, match="3 folds need as many groups, there are 2"):
        deal_folds(np.array([0, 1, 0]), np.array([1, 1, 2]), n_folds=3, n_repeats=1, random_state=0)
