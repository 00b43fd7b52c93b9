"""Nothing of a test row reaches a fit: proof by poison, shuffled labels and groups."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from creditrisk.models import families, folds, training
from creditrisk.models.rows import TrainingRows, split_sides

from .test_families import NAMES, PARAMETERS, training_rows

FITTED = [name for name in families.LABELS if name not in ("majority", "lookup")]


def fitted_bytes(name: str, rows: TrainingRows, tested: np.ndarray) -> bytes:
    """Fit on the rows outside of the test fold, as training does, and pickle the result."""
    pipeline = families.build(name, PARAMETERS[name], scaler="standard", features=NAMES)
    keep = ~tested & rows.fit_row
    return pickle.dumps(training.portable(pipeline.fit(rows.X[keep], rows.y[keep])))


def poisoned(rows: TrainingRows, where: np.ndarray) -> TrainingRows:
    """Turn labels and blow up features of some rows."""
    X = np.where(where[:, None], 1e6 - rows.X, rows.X)
    return replace(rows, X=X, y=np.where(where, 1 - rows.y, rows.y))


@pytest.mark.parametrize("name", FITTED)
def test_poisoned_test_rows_leave_the_fit_of_a_fold_unchanged(name):
    rows = training_rows()
    tested = folds.deal_folds(rows.y, rows.groups, n_folds=3, n_repeats=1, random_state=0)[0] == 0
    clean = fitted_bytes(name, rows, tested)
    assert fitted_bytes(name, poisoned(rows, tested), tested) == clean
    assert fitted_bytes(name, poisoned(rows, ~tested), tested) != clean  # the test can fail


@pytest.mark.parametrize("name", FITTED)
def test_poisoned_test_rows_leave_other_rows_scores_unchanged(name):
    rows = training_rows()
    tested = folds.deal_folds(rows.y, rows.groups, n_folds=3, n_repeats=1, random_state=0)[0] == 0
    pipeline = families.build(name, PARAMETERS[name], scaler="standard", features=NAMES)
    (clean,) = training.fit_fold([pipeline], rows, tested)
    one = np.zeros(len(rows.y), dtype=bool)
    one[np.flatnonzero(tested)[0]] = True
    (after,) = training.fit_fold([pipeline], replace(poisoned(rows, one), y=rows.y), tested)
    assert np.array_equal(clean["probability"][1:], after["probability"][1:])


@pytest.mark.parametrize("name", FITTED)
def test_rows_outside_of_the_fit_are_scored_and_never_fitted(name):
    rows = training_rows(400)
    left_out = np.arange(len(rows.y)) % 10 == 0
    rows = replace(rows, fit_row=~left_out)
    settings = {"scaler": "standard", "n_folds": 3, "n_repeats": 1, "random_state": 0, "n_jobs": 1}
    settings["features"] = NAMES
    clean = training.train(name, PARAMETERS[name], rows, **settings)
    after = training.train(
        name,
        PARAMETERS[name],
        replace(rows, X=np.where(left_out[:, None], 50.0, rows.X)),
        **settings,
    )
    assert pickle.dumps(clean.pipeline) == pickle.dumps(after.pipeline)
    assert np.array_equal(clean.probability[~left_out], after.probability[~left_out])
    assert len(clean.probability) == len(rows.y)


@pytest.mark.parametrize("name", FITTED)
def test_shuffled_labels_give_an_auc_of_one_half(name):
    rows = training_rows(n=1500)
    shuffled = replace(rows, y=np.random.default_rng(1).permutation(rows.y))
    trained = training.train(
        name,
        PARAMETERS[name],
        shuffled,
        scaler="standard",
        n_folds=3,
        n_repeats=1,
        random_state=0,
        n_jobs=1,
        features=NAMES,
    )
    assert abs(trained.cv["roc_auc"] - 0.5) < 0.06  # four standard errors


def test_synthetic_rows_are_made_in_the_fit_only(monkeypatch):
    from imblearn.over_sampling import SMOTE

    seen = []
    original = SMOTE.fit_resample

    def noted(self, X, y, **kwargs):
        seen.append(len(X))
        return original(self, X, y, **kwargs)

    monkeypatch.setattr(SMOTE, "fit_resample", noted)
    rows = training_rows()
    tested = np.arange(len(rows.y)) % 3 == 0
    pipeline = families.build("xgboost_smote", PARAMETERS["xgboost_smote"], scaler="standard")
    (fold,) = training.fit_fold([pipeline], rows, tested)
    assert seen == [200]  # the 200 rows outside of the fold, not 300
    assert len(fold["probability"]) == 100  # prediction adds no rows


def test_duplicated_clients_cannot_be_remembered_across_folds():
    """Ten copies of each client, labels at random: only a split by group shows one half."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 3)), rng.integers(0, 2, 120)
    copies = np.tile(np.arange(120), 10)
    rows = TrainingRows(X=X[copies], y=y[copies], groups=copies, fit_row=np.ones(1200, dtype=bool))
    deep = PARAMETERS["xgboost"] | {"max_depth": 8, "n_estimators": 60, "min_child_weight": 0}
    settings = {"scaler": "standard", "n_folds": 3, "n_repeats": 1, "random_state": 0, "n_jobs": 1}
    grouped = training.train("xgboost", deep, rows, **settings)
    naive = training.train("xgboost", deep, replace(rows, groups=np.arange(1200)), **settings)
    assert abs(grouped.cv["roc_auc"] - 0.5) < 0.2  # 120 clients: one standard error is .05
    assert naive.cv["roc_auc"] > 0.95


def tables(groups: list[int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    clients = pd.DataFrame(
        {
            "ID": [1, 2, 3, 4],
            "default": [0, 1, 0, 1],
            "group_id": groups,
            "split": ["train", "train", "holdout", "holdout"],
            "fit_row": [True, False, False, False],
        }
    )
    return clients, pd.DataFrame({"ID": [1, 2, 3, 4], "x": [0.1, 0.2, 0.3, 0.4]})


def test_sides_are_divided_and_a_group_on_both_sides_is_refused():
    sides = split_sides(*tables([1, 1, 2, 3]), ["x"])
    assert sides.train_id.tolist() == [1, 2]
    assert sides.train.fit_row.tolist() == [True, False]
    assert sides.holdout_features.tolist() == [[0.3], [0.4]]
    with pytest.raises(ValueError, match=r"1 groups lie on both sides of the split, e.g. 2"):
        split_sides(*tables([1, 2, 2, 3]), ["x"])


def test_tables_of_different_clients_are_refused():
    clients, features = tables([1, 1, 2, 3])
    with pytest.raises(ValueError, match="different IDs"):
        split_sides(clients, features.iloc[::-1], ["x"])


@pytest.mark.parametrize("name", FITTED)
def test_thread_count_leaves_no_trace_in_what_is_stored(name):
    rows = training_rows()
    parameters = PARAMETERS[name] | (
        {"C": [0.01, 0.1], "rule": "lowest"} if name == "logistic_l1" else {}
    )
    trained = [
        training.train(
            name,
            parameters,
            rows,
            scaler="standard",
            n_folds=3,
            n_repeats=2,
            random_state=0,
            n_jobs=n_jobs,
            features=NAMES,
        )
        for n_jobs in (1, 2)
    ]
    assert pickle.dumps(trained[0].pipeline) == pickle.dumps(trained[1].pipeline)
    assert np.array_equal(trained[0].probability, trained[1].probability)
    assert trained[0].folds == trained[1].folds
