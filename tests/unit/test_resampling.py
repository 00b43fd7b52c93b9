"""Treatments of imbalance as steps and weights, folds by groups, the correction of the prior."""

from __future__ import annotations

import numpy as np
import pytest

from creditrisk.errors import UserError
from creditrisk.models import families, resampling
from creditrisk.models.folds import deal_folds
from creditrisk.models.resampling import prior_corrected, smote

from .test_families import LINEAR, TREES


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


def columns(n: int = 600, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two amounts and a status code; the first amount carries the signal."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    X[:, 2] = rng.choice([-2, -1, 0, 2], n)
    y = (rng.random(n) < 1 / (1 + np.exp(1.6 - 1.2 * X[:, 0]))).astype(int)
    return X, y


def treated(family: str, treatment: str, **changes):
    pipeline = families.build(
        family, (LINEAR if "log" in family else TREES) | changes, scaler="standard"
    )
    return resampling.treated(
        pipeline,
        treatment,
        scaler=families.make_scaler("standard"),
        categorical=[2],
        k_neighbors=3,
        random_state=0,
    )


def resampled(treatment: str, X: np.ndarray, y: np.ndarray):
    step = resampling.sampler(treatment, categorical=[2], k_neighbors=3, random_state=0)
    return step.fit_resample(X, y)


def test_every_sampler_makes_classes_equal_in_its_own_way():
    X, y = columns()
    n = {c: int((y == c).sum()) for c in (0, 1)}
    sizes = {}
    for treatment in ("oversampling", "undersampling", "smote", "smotenc"):
        X_new, y_new = resampled(treatment, X, y)
        assert y_new.mean() == resampling.RESAMPLED_RATE
        sizes[treatment] = len(X_new)
        if treatment.startswith(("over", "under")):  # only rows that exist
            assert {tuple(row) for row in X_new} <= {tuple(row) for row in X}
    assert sizes == {
        "oversampling": 2 * n[0],
        "undersampling": 2 * n[1],
        "smote": 2 * n[0],
        "smotenc": 2 * n[0],
    }


def test_smote_invents_codes_and_smotenc_takes_those_that_exist():
    X, y = columns()
    codes = set(X[:, 2])
    assert set(resampled("smotenc", X, y)[0][:, 2]) == codes
    assert set(resampled("smote", X, y)[0][:, 2]) - codes


def test_a_treatment_is_a_step_before_the_model_and_leaves_the_pipeline_alone():
    steps = {
        (family, treatment): list(treated(family, treatment).named_steps)
        for family in ("logistic_l2", "xgboost")
        for treatment in ("class_weight", "undersampling", "smote")
    }
    assert steps == {
        ("logistic_l2", "class_weight"): ["scale", "model"],
        ("logistic_l2", "undersampling"): ["scale", "resample", "model"],
        ("logistic_l2", "smote"): ["scale", "resample", "model"],
        ("xgboost", "class_weight"): ["model"],
        ("xgboost", "undersampling"): ["resample", "model"],
        ("xgboost", "smote"): ["scale", "resample", "model"],  # distances need one scale
    }
    base = families.build("xgboost", TREES, scaler="standard")
    settings = {"categorical": [2], "k_neighbors": 3, "random_state": 0}
    resampling.treated(base, "smote", scaler=families.make_scaler("standard"), **settings)
    assert list(base.named_steps) == ["model"]


def test_class_weights_are_what_scikit_learn_calls_balanced():
    X, y = columns()
    ours = resampling.fit_treated(treated("logistic_l2", "class_weight"), "class_weight", X, y)
    theirs = families.build("logistic_l2", LINEAR, scaler="standard")
    theirs.set_params(model__class_weight="balanced").fit(X, y)
    assert ours.predict_proba(X) == pytest.approx(theirs.predict_proba(X), abs=1e-12)


@pytest.mark.parametrize(("penalty", "same"), [(0.0, True), (50.0, False)])
def test_positive_weight_is_class_weight_under_a_weaker_penalty(penalty, same):
    X, y = columns()
    X = np.round(X, 1)  # few values: weights cannot move the edges of bins
    free = {"reg_lambda": penalty, "min_child_weight": 0, "subsample": 1.0, "max_bin": 256}
    p = [
        resampling.fit_treated(treated("xgboost", name, **free), name, X, y).predict_proba(X)
        for name in ("class_weight", "scale_pos_weight")
    ]
    assert (np.abs(p[0] - p[1]).max() < 1e-4) == same


@pytest.mark.parametrize("treatment", ["class_weight", "oversampling", "undersampling"])
def test_the_prior_of_a_plain_treatment_is_undone_exactly_up_to_noise(treatment):
    """A weak penalty and a right form: slopes stay, only the intercept moves."""
    X, y = columns(20_000)
    fits = {
        name: resampling.fit_treated(treated("logistic_l2", name, C=100.0), name, X, y)
        for name in ("none", treatment)
    }
    plain, raw = (fit.predict_proba(X)[:, 1] for fit in fits.values())
    corrected = prior_corrected(raw, base_rate=y.mean(), fitted_rate=0.5)
    assert raw.mean() - plain.mean() > 0.15
    assert np.abs(corrected - plain).max() < 0.03


def test_only_a_treatment_has_a_prior_to_undo():
    assert resampling.corrections("none") == ["raw", "recalibrated"]
    assert resampling.corrections("smote") == ["raw", "prior_corrected", "recalibrated"]


def test_wrong_treatments_are_refused_with_a_remedy():
    settings = {"k_neighbors": 3, "random_state": 0}
    with pytest.raises(UserError, match="no treatment 'adasyn'; there are: none, class_weight"):
        resampling.sampler("adasyn", categorical=[2], **settings)
    with pytest.raises(UserError, match="add one of the feature families status_codes"):
        resampling.sampler("smotenc", categorical=[], **settings)
