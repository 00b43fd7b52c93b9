"""The study of the penalty: nothing leaks into a choice, and its parts agree."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from creditrisk import io
from creditrisk.features import table
from creditrisk.models import families, training
from creditrisk.models.folds import deal_folds
from creditrisk.models.rows import TrainingRows, split_sides
from creditrisk.validation import (
    coefficients,
    learning,
    learning_curves,
    learning_models,
    regularisation,
)
from tests import generated

LINEAR: dict[str, Any] = {"tol": 1e-4, "max_iter": 2000, "seed": 0, "rule": "one_standard_error"}
RECIPES: dict[str, dict[str, Any]] = {
    "logistic_l1": LINEAR | {"features": ["delay", "status_states"], "C": [0.003, 0.03, 0.3]},
    "logistic_l2": LINEAR | {"features": ["delay", "status_states"], "C": [0.0003, 0.01, 1.0]},
    "xgboost": {
        "features": ["amounts", "status_codes"],
        "max_depth": 2,
        "n_estimators": 20,
        "learning_rate": 0.1,
        "min_child_weight": 5,
        "subsample": 0.8,
        "colsample_bynode": 0.5,
        "reg_lambda": 1,
        "max_bin": 32,
        "seed": 0,
    },
}
SETTINGS = learning.Settings(
    scaler="standard",
    folds=3,
    fold_seed=1,
    inner_folds=3,
    grid_points=4,
    strongest=5,
    coefficient_tol=1e-6,
    shares=(0.3, 0.6, 1.0),
    subsamples=2,
    refits=4,
    penalties=(1e-5, 1.0),
    trees=({"max_depth": 1, "n_estimators": 5, "learning_rate": 0.1}, {"max_depth": 3}),
    seed=5,
    alpha=0.05,
)


@cache
def inputs() -> tuple[dict[str, TrainingRows], dict[str, list[str]]]:
    people = generated.clients(900, 3)
    features = table.feature_table(people)
    available = table.model_features(audit_attributes="exclude")["families"]
    names = {f: families.model_features(f, r, available) for f, r in RECIPES.items()}
    return {f: split_sides(people, features, own).train for f, own in names.items()}, names


def outer_folds(rows: TrainingRows) -> np.ndarray:
    (folds,) = deal_folds(rows.y, rows.groups, n_folds=3, n_repeats=1, random_state=1)
    return folds


def walk(family: str, rows: TrainingRows, folds: np.ndarray) -> regularisation.Walk:
    return regularisation.walk(
        family,
        RECIPES[family],
        rows,
        folds,
        scaler="standard",
        inner_folds=3,
        random_state=5,
        n_jobs=2,
    )


def poisoned(rows: TrainingRows, where: np.ndarray) -> TrainingRows:
    """Turn labels and blow up features of some rows."""
    return replace(
        rows,
        X=np.where(where[:, None], 1e3 - 7 * rows.X, rows.X),
        y=np.where(where, 1 - rows.y, rows.y),
    )


@cache
def document() -> dict[str, Any]:
    rows, names = inputs()
    return learning.study(RECIPES, rows, names, SETTINGS, n_jobs=2)


@pytest.mark.parametrize("family", learning_models.PENALISED)
def test_poisoned_outer_test_rows_change_neither_choice_nor_coefficients(family):
    rows = inputs()[0][family]
    folds = outer_folds(rows)
    bad = poisoned(rows, folds == 0)
    clean, after = walk(family, rows, folds), walk(family, bad, folds)
    assert after.inner[0] == clean.inner[0]
    for rule in ("one_standard_error", "lowest"):
        assert (
            regularisation.choices(after, rule)[1][0] == regularisation.choices(clean, rule)[1][0]
        )
    assert after.outer[0][1]["train_log_loss"] == clean.outer[0][1]["train_log_loss"]
    assert after.outer[0][1]["log_loss"] != clean.outer[0][1]["log_loss"]
    assert after.inner[1] != clean.inner[1]  # there the poisoned rows are trained on

    fits = [(0.03, folds != 0), (0.03, folds != 1)]
    one, two = (
        coefficients.at(family, RECIPES[family], r, fits, scaler="standard", n_jobs=1)
        for r in (rows, bad)
    )
    assert np.array_equal(one[0], two[0])
    assert not np.array_equal(one[1], two[1])


def test_rows_outside_of_the_fit_are_never_fitted():
    rows = inputs()[0]["logistic_l2"]
    folds = outer_folds(rows)
    left_out = np.arange(len(rows.y)) % 10 == 0
    marked = replace(rows, fit_row=~left_out)
    clean, after = (
        walk("logistic_l2", r, folds)
        for r in (marked, replace(poisoned(marked, left_out), y=rows.y))
    )
    for one, two in zip(clean.outer, after.outer, strict=True):
        assert [p["train_log_loss"] for p in one] == [p["train_log_loss"] for p in two]


@pytest.mark.parametrize("family", learning_models.PENALISED)
def test_plain_path_is_that_of_the_train_stage(family):
    rows = inputs()[0][family]
    trained = training.train(
        family,
        RECIPES[family],
        rows,
        scaler="standard",
        n_folds=3,
        n_repeats=1,
        random_state=1,
        n_jobs=1,
    )
    points = document()["paths"][family]["points"]
    for ours, theirs in zip(points, trained.path, strict=True):
        assert {key: ours[key] for key in theirs} == theirs
    own = document()["nested"][family]["one_standard_error"]
    assert own["C"] == trained.parameters["C"] == document()["coefficients"][family]["chosen"]


def made_up_walk() -> regularisation.Walk:
    """Two folds, two options; the inner paths of the folds prefer different ones."""
    inner = [
        [{"C": 1, "validation_log_loss": a, "validation_se": 0.0} for a in losses]
        for losses in ([0.4, 0.5], [0.5, 0.4])
    ]
    outer = [
        [{"log_loss": a, "roc_auc": 1 - a} for a in losses]
        for losses in ([0.50, 0.30], [0.60, 0.45])
    ]
    points = [{"validation_log_loss": a, "validation_se": 0.0} for a in (0.55, 0.375)]
    options = [{"C": 1, "rule": "lowest"}, {"C": 2, "rule": "lowest"}]
    return regularisation.Walk(options=options, outer=outer, points=points, inner=inner)


def test_optimism_by_hand():
    # plain takes C = 2 in both folds: (0.30 + 0.45) / 2; nested takes C = 1 in the first
    (row,) = regularisation.optimism({"logistic_l2": made_up_walk()}, alpha=0.05)[
        "logistic_l2"
    ].values()
    assert row["C"] == 2
    assert row["chosen"] == [1, 2]
    assert row["log_loss"]["plain"] == pytest.approx(0.375)
    assert row["log_loss"]["nested"] == pytest.approx(0.475)
    # differences 0.2 and 0: mean 0.1, s² = 0.02, se² = (1/2 + 1) · 0.02
    found = row["log_loss"]["optimism"]
    assert found["difference"] == pytest.approx(0.1)
    assert found["se"] == pytest.approx(np.sqrt(0.03))
    assert found["verdict"] == "within noise"
    assert row["roc_auc"]["optimism"]["difference"] == pytest.approx(-0.1)


def test_coefficients_at_the_chosen_point_are_those_of_a_fit_there():
    rows, names = inputs()
    for family in learning_models.PENALISED:
        followed = document()["coefficients"][family]
        pipeline = families.build(
            family, {**RECIPES[family], "C": followed["chosen"], "tol": 1e-6}, scaler="standard"
        )
        own = rows[family]
        pipeline.fit(own.X[own.fit_row], own.y[own.fit_row])
        weights = dict(zip(names[family], pipeline.named_steps["model"].coef_[0], strict=True))
        strongest = sorted(weights, key=lambda name: -abs(weights[name]))[:5]
        at = followed["C"].index(followed["chosen"])
        assert [row["feature"] for row in followed["features"]] == strongest
        for row in followed["features"]:
            assert row["values"][at] == weights[row["feature"]]
            assert 0 <= row["kept_in"] <= 3


def test_l1_lets_go_of_features_and_l2_shrinks_all():
    lasso, ridge = (document()["coefficients"][f] for f in learning_models.PENALISED)
    assert lasso["n_nonzero"][0] < lasso["n_nonzero"][-1] <= lasso["n_features"]
    assert set(ridge["n_nonzero"]) == {ridge["n_features"]}
    norms = np.square([f["values"] for f in ridge["features"]]).sum(axis=0)
    assert norms[0] < norms[-1]


def test_samples_are_nested_whole_groups_of_the_allowed():
    groups = np.repeat(np.arange(100), 2)
    allowed = groups >= 20
    drawn = learning_curves.grow(groups, allowed, (0.1, 0.5, 1.0), random_state=3)
    assert drawn.sum(axis=1).tolist() == [16, 80, 160]  # of 80 groups of two rows
    assert not drawn[:, ~allowed].any()
    assert not (drawn[:-1] & ~drawn[1:]).any()
    assert np.array_equal(drawn[:, ::2], drawn[:, 1::2])
    other = learning_curves.grow(groups, allowed, (0.1, 0.5, 1.0), random_state=4)
    assert not np.array_equal(other[0], drawn[0])
    assert np.array_equal(other[2], drawn[2])


def test_penalty_keeps_its_weight_against_each_row():
    """Twice the same rows at C give the weights of one time the rows at 2 C."""
    rows = inputs()[0]["logistic_l2"]
    walked = walk("logistic_l2", rows, outer_folds(rows))
    make = learning_models.sample_pipeline(
        "logistic_l2", RECIPES, {"logistic_l2": walked}, "standard"
    )
    half = make(0, 0.5).fit(rows.X, rows.y)
    both = make(0, 1.0).fit(np.tile(rows.X, (2, 1)), np.tile(rows.y, 2))
    C = regularisation.chosen_inside(walked)[0]
    assert half.named_steps["model"].C == 2 * C
    assert half.named_steps["model"].coef_ == pytest.approx(
        both.named_steps["model"].coef_, abs=1e-6
    )


def test_curve_ends_at_the_nested_estimate():
    """All rows of every fold, at the C chosen inside it: one fit, measured twice."""
    nested = document()["nested"]["logistic_l2"]["one_standard_error"]
    last = document()["curves"]["logistic_l2"]["points"][-1]
    for metric in regularisation.METRICS:
        assert last[metric] == pytest.approx(nested[metric]["nested"], abs=1e-12)
    rows = inputs()[0]["logistic_l2"]
    assert last["n_rows"] == pytest.approx(rows.fit_row.sum() * 2 / 3, rel=0.02)


def test_last_step_by_hand():
    # log loss falls by 0.01 and 0.02 in two folds, for 500 rows more; s² = 0.00005
    figures = {
        "log_loss": np.array([[0.50, 0.52], [0.49, 0.50]]),
        "roc_auc": np.array([[0.70, 0.70], [0.70, 0.70]]),
        "n_rows": np.array([[500, 500], [1000, 1000]]),
    }
    step = learning_curves.last_steps({"a": figures}, 0.05)["a"]
    assert step["log_loss"]["difference"] == pytest.approx(-0.015)
    assert step["log_loss"]["per_thousand"] == pytest.approx(-0.03)
    assert step["log_loss"]["se"] == pytest.approx(np.sqrt(1.5 * 0.00005))
    assert step["roc_auc"]["difference"] == 0
    assert step["roc_auc"]["verdict"] == "within noise"


def test_a_step_that_every_fold_shares_is_called_better():
    falls = np.array([0.0101, 0.0100, 0.0099, 0.0100, 0.0102])
    figures = {
        "log_loss": np.stack([np.full(5, 0.5), 0.5 - falls]),
        "roc_auc": np.stack([np.full(5, 0.7), 0.7 - falls]),
        "n_rows": np.array([[500] * 5, [1000] * 5]),
    }
    step = learning_curves.last_steps({"a": figures}, 0.05)["a"]
    assert step["log_loss"]["verdict"] == "better"
    assert step["roc_auc"]["verdict"] == "worse"


def test_document_is_small_and_the_same_from_any_number_of_threads():
    rows, names = inputs()
    text = io.json_text(document())
    assert io.json_text(learning.study(RECIPES, rows, names, SETTINGS, n_jobs=1)) == text
    assert set(document()) == {
        "design",
        "paths",
        "coefficients",
        "nested",
        "curves",
        "decomposition",
    }
    assert len(text) < 80_000


def test_refits_go_from_stiff_to_flexible_and_are_judged_on_the_first_fold():
    rows = document()["decomposition"]
    chosen = document()["nested"]["logistic_l2"]["one_standard_error"]["chosen"][0]
    assert [row["name"] for row in rows] == [
        "Logistic, L2, C = 1e-05",
        f"Logistic, L2, C = {chosen:g} (chosen)",
        "Logistic, L2, C = 1",
        "XGBoost, 5 trees of depth 1",
        "XGBoost, 20 trees of depth 3",
        "One unpruned tree",
    ]
    line = inputs()[0]["logistic_l2"]
    assert document()["design"]["n_judged"] == (outer_folds(line) == 0).sum()
    assert rows[-1]["brier"]["variance"] > 10 * rows[0]["brier"]["variance"]


def test_markdown_holds_the_figures_and_the_verdicts():
    text = learning.markdown(document())
    nested = document()["nested"]["logistic_l2"]["lowest"]["log_loss"]
    assert f"| {nested['plain']:.4f} | {nested['nested']:.4f} |" in text
    step = document()["curves"]["xgboost"]["last_step"]["log_loss"]
    assert f"{step['difference']:+.5f}" in text
    assert step["verdict"] in text
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert widths == {6, 8}  # five and seven columns, no row broken
