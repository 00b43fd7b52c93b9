"""The evaluate stage: the champion, what is served, what the page and the plots get."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost

from creditrisk import io, params, schema
from creditrisk.errors import UserError
from creditrisk.features import registry
from creditrisk.models import training
from creditrisk.reporting.render import render
from creditrisk.validation import ladder
from stages import evaluate
from tests.stages.model_stages import EVALUATE, TRAIN, inputs, run_evaluate, run_train, written

SERVED = ("champion.ubj", "champion.json", "feature_names.json")
RESEARCH = ("research_model.joblib", "scaler.joblib")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = inputs(tmp_path_factory.mktemp("evaluate"))
    for item in TRAIN["families"]:
        run_train(made, item)
    run_evaluate(made)
    return made


@pytest.fixture(scope="module")
def results(folder: Path) -> dict:
    return io.read_json(folder / "evaluate.json")


def matrix(folder: Path) -> tuple[np.ndarray, pd.DataFrame]:
    names = io.read_json(folder / "models/feature_names.json")
    table = io.read_table(folder / "features.parquet")
    return table[names].to_numpy(), io.read_table(folder / "clients.parquet")


def test_a_second_run_gives_the_same_bytes(folder):
    first = written(folder)
    run_evaluate(folder)
    assert written(folder) == first


def test_headline_has_the_keys_that_users_rely_on(folder, results):
    headline = io.read_json(folder / "evaluate_metrics.json")
    assert headline == results["headline"]
    assert list(headline["champion"]) == [
        "family",
        "roc_auc",
        "roc_auc_low",
        "roc_auc_high",
        "gini",
        "ks",
        "pr_auc",
        "log_loss",
        "brier",
        "calibration_slope",
        "calibration_intercept",
        "ece",
    ]
    cv = {"roc_auc", "log_loss", "brier", "ece", "calibration_slope"}
    assert set(headline["champion_cv"]) == cv
    own = headline["champion"]
    assert own["roc_auc_low"] < own["roc_auc"] < own["roc_auc_high"]
    assert own["gini"] == pytest.approx(2 * own["roc_auc"] - 1, abs=1e-5)
    assert 0.5 < headline["public_split"]["roc_auc"] < 1


def test_served_trees_predict_what_the_research_pipeline_predicts(folder):
    X, _ = matrix(folder)
    pipeline = io.read_model(folder / "models/research_model.joblib")
    served = xgboost.Booster(model_file=folder / "models/champion.ubj").inplace_predict(X)
    assert served == pytest.approx(training.predict(pipeline, X), abs=1e-6)


def test_the_scaler_is_fitted_on_training_rows_in_the_order_of_the_names(folder):
    X, clients = matrix(folder)
    rows = ((clients[schema.SPLIT] == schema.TRAIN) & clients[schema.FIT_ROW]).to_numpy()
    scaler = io.read_model(folder / "models/scaler.joblib")
    assert scaler.mean_ == pytest.approx(X[rows].mean(0))
    assert 0 < rows.sum() < len(rows)


def test_the_manifest_lists_every_file_with_its_hash(folder):
    files = io.read_json(folder / "models/manifest.json")["files"]
    assert set(files) == {*SERVED, *RESEARCH, "clusters.json", "rfm.json"}
    for name, digest in files.items():
        assert digest == io.sha256(folder / "models" / name)


def test_champion_json_is_all_that_serving_needs(folder):
    champion = io.read_json(folder / "models/champion.json")
    names = io.read_json(folder / "models/feature_names.json")
    assert champion["family"] == "xgboost"
    assert champion["features"] == names
    assert champion["calibration"] is None
    assert champion["threshold"] == 0.25  # 1 / (1 + 3)
    assert set(names) <= {f.name for f in registry.all_features()}


def test_confusion_counts_add_up_to_the_hold_out(results):
    served, design = results["decision"]["served"], results["design"]["holdout"]
    assert served["caught_defaults"] + served["missed_detections"] == design["n_defaults"]
    counts = ("caught_defaults", "missed_detections", "false_alarms", "correctly_clear")
    assert sum(served[name] for name in counts) == design["n"]
    for name in counts:
        assert results["headline"]["threshold"][name] == served[name]
    by_name = {row["name"]: row for row in results["decision"]["table"]}
    assert by_name["nobody"]["cost_per_client"] == pytest.approx(
        3 * design["n_defaults"] / design["n"], rel=1e-5
    )


def test_a_threshold_by_share_flags_about_that_share(folder, tmp_path):
    from creditrisk.validation import policy

    p = io.read_arrays(folder / "predictions/xgboost.npz")["train_probability"]
    settings = {k: v for k, v in EVALUATE["threshold"].items() if k != "basis"}
    value = policy.choose_threshold(p, basis="flag_share", **settings)
    assert (p >= value).mean() == pytest.approx(0.2, abs=0.01)
    with pytest.raises(UserError, match="cost_ratio, flag_share"):
        policy.choose_threshold(p, basis="gut", **settings)


def test_differences_have_the_champion_as_reference_and_words_from_the_verdict(results):
    rows = {row["family"]: row for row in results["ladder"]}
    assert "cv_difference" not in rows["xgboost"]
    for family, row in rows.items():
        if family == "xgboost":
            continue
        d = row["holdout_difference"]["roc_auc"]
        expected = row["holdout"]["roc_auc"] - rows["xgboost"]["holdout"]["roc_auc"]
        assert d["difference"] == pytest.approx(expected, abs=2e-6)
        assert d["verdict"] in ("better", "worse", "within noise")
    assert rows["majority"]["holdout_difference"]["roc_auc"]["verdict"] == "worse"


def test_smote_moves_the_mean_probability_and_its_prior_is_undone(results):
    rows = {row["treatment"]: row for row in results["imbalance"] if row["label"] == "XGBoost"}
    base = results["design"]["holdout"]["default_rate"]
    assert rows["SMOTE"]["mean_probability"] > rows["none"]["mean_probability"]
    gap = {name: abs(row["mean_probability"] - base) for name, row in rows.items()}
    assert gap["SMOTE, prior corrected"] < gap["SMOTE"]


def test_segments_count_every_client_once(results):
    for rows in results["segments"].values():
        assert sum(row["n"] for row in rows) == sum(
            results["design"][side]["n"] for side in ("train", "holdout")
        )
    assert {row["label"] for row in results["segments"]["clusters"]} == {"even", "odd"}
    rates = {row["label"]: row["observed"] for row in results["segments"]["rfm"]}
    assert rates["late"] > rates["calm"]


def test_plot_tables_are_small_and_agree_with_the_results(folder, results):
    plots = {p.stem: pd.read_csv(p) for p in sorted((folder / "plots").glob("*.csv"))}
    assert set(plots) == {"roc", "pr", "calibration", "confusion"}
    assert all(len(table) <= 300 for table in plots.values())
    assert plots["roc"].columns.tolist() == ["false_positive_rate", "champion", "baseline"]
    assert (plots["roc"].diff().dropna() >= 0).all(axis=None)
    assert plots["confusion"]["n"].sum() == results["design"]["holdout"]["n"]


def test_the_page_marks_its_numbers_and_has_every_section(results):
    html = render("model", results)
    sections = ("design", "ladder", "discrimination", "confusion", "calibration", "imbalance")
    for name in (*sections, "regularisation", "importance", "segments", "limits"):
        assert f'<section id="{name}">' in html
    marked = re.findall(r'data-metric="evaluate:([\w.]+)" value="([^"]+)"', html)
    assert len(marked) > 20
    for key, value in marked:
        section, name = key.split(".")
        assert results["headline"][section][name] == json.loads(value)
    assert "better" not in html.split("<main")[1].split('id="design"')[0] or any(
        row.get("cv_difference", {}).get("roc_auc", {}).get("verdict") == "better"
        for row in results["ladder"]
    )


def test_a_family_that_cannot_be_served_is_refused(folder):
    champion = {"rule": "lowest_cv_log_loss", "among": ["logistic_l2"]}
    with pytest.raises(UserError, match="logistic_l2 cannot be served"):
        run_evaluate(folder, champion=champion)
    run_evaluate(folder)


def test_differences_over_other_folds_are_refused(folder):
    names = TRAIN["families"]
    trained = {f: io.read_json(folder / f"results/train/{f}.json") for f in names}
    trained["lookup"]["folds"][0]["n_test"] += 1
    with pytest.raises(UserError, match="lookup was cross-validated on other folds than xgboost"):
        ladder.cv_differences(trained, "xgboost", alpha=0.05)


def test_predictions_of_other_clients_are_refused(folder, tmp_path):
    other = inputs(tmp_path)
    for item in TRAIN["families"]:
        run_train(other, item)
    clients = io.read_table(other / "clients.parquet")
    io.write_table(other / "clients.parquet", clients.iloc[5:])
    with pytest.raises(UserError, match="majority: train predictions are of other clients"):
        run_evaluate(other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"baseline": "forest"}, "baseline: forest is not in ladder"),
        ({"champion": {"rule": "lowest_cv_brier", "among": ["forest"]}}, "champion.among: forest"),
        ({"champion": {"rule": "by_feel", "among": ["xgboost"]}}, "lowest_cv_log_loss"),
        ({"alpha": 0}, "alpha"),
    ],
)
def test_wrong_parameters_are_named(changes, message):
    with pytest.raises(UserError, match=message):
        params.parse(evaluate.Params, EVALUATE | changes, "evaluate")
