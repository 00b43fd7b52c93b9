"""What each family's pipeline holds, which columns it reads, how a point is chosen."""

from __future__ import annotations

import numpy as np
import pytest

from creditrisk.features import registry
from creditrisk.models import description, families, selection, training
from creditrisk.models.rows import TrainingRows

LINEAR = {"C": 0.1, "tol": 1e-3, "max_iter": 200, "seed": 0, "k_neighbors": 3}
TREES = {
    "max_depth": 2,
    "n_estimators": 20,
    "learning_rate": 0.1,
    "min_child_weight": 5,
    "subsample": 0.8,
    "colsample_bynode": 0.5,
    "reg_lambda": 1,
    "max_bin": 32,
    "k_neighbors": 3,
    "seed": 0,
}
NAMES = ["credit_utilization", "LIMIT_BAL", "avg_payment"]
"""Names of the columns of :func:`training_rows`, for the family that reads names."""
CARD = {
    "segments": {"column": NAMES[0], "edges": []},
    "directions": {"ascending": NAMES[:1], "descending": [], "either": NAMES[1:], "free": []},
    "max_bins": 4,
    "max_prebins": 8,
    "min_bin_share": 0.05,
    "min_information_value": 0.0,
    "max_correlation": 0.95,
    "C": 1.0,
    "tol": 1e-3,
    "max_iter": 100,
    "pdo": 20,
    "anchor_points": 600,
    "anchor_odds": 50,
}
PARAMETERS = {
    "majority": {},
    "lookup": {"alpha": 1.0},
    "logistic_raw": LINEAR,
    "logistic_states": LINEAR,
    "logistic_l1": LINEAR,
    "logistic_l2": LINEAR,
    "logistic_smote": LINEAR,
    "scorecard": CARD,
    "additive": LINEAR | {"n_knots": 4, "degree": 2, "min_level_rows": 10},
    "random_forest": {
        "n_estimators": 15,
        "min_samples_leaf": 5,
        "max_features": "sqrt",
        "max_samples": 0.5,
        "seed": 0,
    },
    "xgboost": TREES,
    "xgboost_smote": TREES,
    "blend": {
        # one of the three columns is the other member's alone
        "trees": {k: v for k, v in TREES.items() if k not in ("seed", "k_neighbors")}
        | {"features": ["amounts", "utilization"]},
        "networks": {
            "features": ["utilization", "payment"],
            "n_networks": 2,
            "hidden": [4],
            "alpha": 0.1,
            "epochs": 5,
            "batch_size": 32,
        },
        "weight": 0.4,
        "seed": 0,
    },
}
AVAILABLE = {f: registry.select([f], audit_attributes="exclude") for f in registry.families()}


def training_rows(n: int = 300, seed: int = 0) -> TrainingRows:
    """Three columns, the first of which carries the signal."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    y = (rng.random(n) < 1 / (1 + np.exp(1.3 - 1.5 * X[:, 0]))).astype(int)
    return TrainingRows(X=X, y=y, groups=np.arange(n), fit_row=np.ones(n, dtype=bool))


def test_steps_of_every_family():
    steps = {
        name: list(
            families.build(name, PARAMETERS[name], scaler="standard", features=NAMES).named_steps
        )
        for name in families.LABELS
    }
    assert steps == {
        "majority": ["model"],
        "lookup": ["encode", "model"],
        "logistic_raw": ["scale", "model"],
        "logistic_states": ["scale", "model"],
        "logistic_l1": ["scale", "model"],
        "logistic_l2": ["scale", "model"],
        "logistic_smote": ["scale", "resample", "model"],
        "scorecard": ["model"],
        "additive": ["expand", "model"],
        "random_forest": ["model"],
        "xgboost": ["model"],
        "xgboost_smote": ["scale", "resample", "model"],
        "blend": ["model"],
    }


@pytest.mark.parametrize(
    ("kind", "name"), [("standard", "StandardScaler"), ("robust", "RobustScaler")]
)
def test_the_scaler_is_a_parameter(kind, name):
    pipeline = families.build("logistic_l2", LINEAR, scaler=kind)
    assert type(pipeline.named_steps["scale"]).__name__ == name


def test_unknown_names_are_refused_with_the_allowed_ones():
    with pytest.raises(ValueError, match="standard or robust"):
        families.make_scaler("minmax")
    with pytest.raises(ValueError, match="there are: majority"):
        families.build("forest", {}, scaler="standard")
    with pytest.raises(ValueError, match=r"train.families.xgboost.features: .*wealth.*amounts"):
        families.model_features("xgboost", {"features": ["wealth"]}, AVAILABLE)
    with pytest.raises(ValueError, match=r"lookup.column: 'AGE'"):
        parameters = {"features": ["status_codes"], "column": "AGE"}
        families.model_features("lookup", parameters, AVAILABLE)


def test_features_stand_in_the_registrys_order_whatever_the_parameters_order():
    names = families.model_features("xgboost", {"features": ["delay", "amounts"]}, AVAILABLE)
    assert names == AVAILABLE["amounts"] + AVAILABLE["delay"]


def test_audit_features_count_only_where_the_rule_lets_them():
    parameters = {"features": ["delay", "audit"]}
    assert families.model_features("xgboost", parameters, AVAILABLE) == AVAILABLE["delay"]
    included = AVAILABLE | {"audit": ["SEX", "AGE"]}
    names = families.model_features("xgboost", parameters, included)
    assert names == [*AVAILABLE["delay"], "SEX", "AGE"]


def test_lookup_is_the_smoothed_default_rate_of_each_code():
    codes = np.repeat([-1.0, 0.0, 2.0], [40, 40, 20])
    y = np.zeros(100, dtype=int)
    y[[0, 1, *range(40, 48), *range(80, 95)]] = 1  # 2 of 40, 8 of 40, 15 of 20
    pipeline = families.build("lookup", {"alpha": 1e-9}, scaler="standard")
    pipeline.fit(codes[:, None], y)
    p = training.predict(pipeline, np.array([[-1.0], [0.0], [2.0]]))
    assert p == pytest.approx([0.05, 0.2, 0.75], abs=1e-6)


def test_lookup_answers_for_a_code_that_no_fit_saw():
    pipeline = families.build("lookup", {"alpha": 1.0}, scaler="standard")
    pipeline.fit(np.repeat([0.0, 2.0], 50)[:, None], np.repeat([0, 1], 50))
    assert 0 < training.predict(pipeline, np.array([[9.0]]))[0] < 1


def test_majority_gives_everybody_the_base_rate():
    rows = training_rows()
    pipeline = families.build("majority", {}, scaler="standard").fit(rows.X[:, :0], rows.y)
    assert np.unique(training.predict(pipeline, rows.X[:, :0])) == pytest.approx(rows.y.mean())


def test_l1_drops_weights_that_l2_keeps():
    rows = training_rows()
    weak = LINEAR | {"C": 0.03}
    count = {}
    for name in ("logistic_l1", "logistic_l2"):
        pipeline = families.build(name, weak, scaler="standard").fit(rows.X, rows.y)
        count[name] = np.count_nonzero(pipeline.named_steps["model"].coef_)
    assert count["logistic_l1"] < count["logistic_l2"] == 3


def test_a_list_of_c_is_a_path_from_the_most_regularised():
    path = families.candidates("logistic_l2", {**LINEAR, "C": [1.0, 0.01]})
    assert [option["C"] for option in path] == [0.01, 1.0]
    assert len(families.candidates("logistic_smote", LINEAR)) == 1


def point(loss: float, error: float = 0.02) -> dict[str, float]:
    return {"validation_log_loss": loss, "validation_se": error}


def test_rules_on_a_path():
    path = [point(0.50), point(0.44), point(0.43), point(0.435)]
    assert selection.choose_on_path(path, rule="lowest") == 2
    assert selection.choose_on_path(path, rule="one_standard_error") == 1
    with pytest.raises(ValueError, match="one_standard_error or lowest"):
        selection.choose_on_path(path, rule="best")


CV = {
    "a": {"log_loss": 0.43, "brier": 0.14, "roc_auc": 0.78},
    "b": {"log_loss": 0.44, "brier": 0.13, "roc_auc": 0.79},
    "c": {"log_loss": 0.40, "brier": 0.10, "roc_auc": 0.90},
}


def test_the_best_by_each_metric_is_one_of_those_allowed():
    chosen = {m: selection.best_of(CV, m, ["a", "b"]) for m in selection.LOWER_IS_BETTER}
    assert chosen == {"log_loss": "a", "brier": "b", "roc_auc": "b"}
    assert selection.best_of(CV, "roc_auc", ["a", "b", "c"]) == "c"
    tied = CV | {"d": CV["a"]}
    assert selection.best_of(tied, "log_loss", ["a", "d"]) == "a"
    assert selection.best_of(tied, "log_loss", ["d", "a"]) == "d"
    with pytest.raises(ValueError, match="no figures of d; trained families: a, b, c"):
        selection.best_of(CV, "brier", ["d"])
    with pytest.raises(ValueError, match="one of log_loss, brier, roc_auc, got 'ks'"):
        selection.best_of(CV, "ks", ["a"])


def test_the_cheapest_rung_within_noise_of_the_best_is_taken():
    ladder = ["a", "b", "c", "d"]

    def cheapest(among, **verdicts):
        return selection.cheapest_within_noise(ladder, "c", verdicts, among)

    near = {"a": "worse", "b": "within noise", "d": "within noise"}
    assert cheapest(ladder, **near) == "b"
    assert cheapest(["a", "c", "d"], **near) == "c", "b is within noise but not allowed"
    assert cheapest(ladder, **near | {"b": "worse"}) == "c", "dearer rungs come after the best"
    assert cheapest(ladder, **near | {"a": "within noise"}) == "a"
    # what the rule's metric does not see as the best may be told better by no verdict
    assert cheapest(ladder, **near | {"b": "better"}) == "c"
    with pytest.raises(ValueError, match="e is not on the ladder"):
        selection.cheapest_within_noise(ladder, "e", near, ["e"])


@pytest.mark.parametrize("name", list(families.LABELS))
def test_training_scores_every_row_out_of_fold(name):
    rows = training_rows()
    if name == "lookup":
        codes = np.clip(np.round(rows.X[:, :1]), -2, 9)
        rows = TrainingRows(X=codes, y=rows.y, groups=rows.groups, fit_row=rows.fit_row)
    trained = training.train(
        name,
        PARAMETERS[name],
        rows,
        scaler="standard",
        n_folds=3,
        n_repeats=2,
        random_state=0,
        n_jobs=1,
        features=NAMES,
    )
    assert trained.probability.shape == (300,)
    assert ((trained.probability > 0) & (trained.probability < 1)).all()
    assert [(f["repeat"], f["fold"]) for f in trained.folds] == [
        (r, f) for r in range(2) for f in range(3)
    ]
    assert sum(f["n_test"] for f in trained.folds) == 600
    assert (trained.cv["roc_auc"] > 0.65) == (name != "majority")


def test_a_path_is_walked_on_the_first_repeat_and_its_choice_is_fitted():
    parameters = {**LINEAR, "C": [0.001, 0.1, 10.0], "rule": "lowest"}
    lines: list[str] = []
    trained = training.train(
        "logistic_l2",
        parameters,
        training_rows(),
        scaler="standard",
        n_folds=3,
        n_repeats=2,
        random_state=0,
        n_jobs=1,
        progress=lines.append,
    )
    best = min(trained.path, key=lambda p: p["validation_log_loss"])
    assert [p["C"] for p in trained.path] == [0.001, 0.1, 10.0]
    assert trained.parameters["C"] == best["C"]
    assert trained.pipeline.named_steps["model"].get_params()["C"] == best["C"]
    assert trained.path[0]["train_log_loss"] > trained.path[-1]["train_log_loss"]
    assert any("chose C" in line for line in lines)


def test_weights_name_the_feature_that_matters():
    rows = training_rows()
    for name, key in (("logistic_l2", "coefficient"), ("xgboost", "gain_share")):
        pipeline = families.build(name, PARAMETERS[name], scaler="standard").fit(rows.X, rows.y)
        shown = description.weights(pipeline, ["signal", "noise", "more_noise"])
        assert shown[0]["feature"] == "signal"
        assert shown[0][key] > 0
    majority = families.build("majority", {}, scaler="standard").fit(rows.X, rows.y)
    assert description.weights(majority, ["a", "b", "c"]) == []
