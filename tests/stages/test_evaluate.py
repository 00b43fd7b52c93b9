"""The evaluate stage: the champion, what is served, what the page and the plots get."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost

from creditrisk import io, params, schema
from creditrisk.errors import UserError
from creditrisk.features import registry
from creditrisk.models import training
from creditrisk.models.rows import Scored
from creditrisk.models.trees import TableTrees
from creditrisk.reporting.pages.model import ladder as ladder_page
from creditrisk.reporting.render import render
from creditrisk.validation import champion, evaluation, fingerprint, ladder, policy, refits
from stages import evaluate
from tests.stages.model_stages import EVALUATE, TRAIN, inputs, run_evaluate, run_train, written
from tests.stages.study_runs import benchmark_inputs, run_study

SERVED = ("champion.ubj", "champion.npz", "champion.json", "feature_names.json", "card.json")
RESEARCH = ("research_model.joblib", "scaler.joblib")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = inputs(tmp_path_factory.mktemp("evaluate"))
    benchmark_inputs(made)
    for item in TRAIN["families"]:
        run_train(made, item)
    for study in evaluate.STUDIES:
        run_study(made, study, made / f"studies/{study}.json")
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
    nested = results["studies"]["benchmark"]["document"]["nested"]["all"]
    assert headline["benchmark"]["mode"] == "nested"
    assert headline["benchmark"]["r0_mean_roc_auc"] == nested["blend"]["mean"]["roc_auc"]


def test_served_trees_predict_what_the_research_pipeline_predicts(folder):
    X, _ = matrix(folder)
    pipeline = io.read_model(folder / "models/research_model.joblib")
    served = xgboost.Booster(model_file=folder / "models/champion.ubj").inplace_predict(X)
    assert served == pytest.approx(training.predict(pipeline, X), abs=1e-6)


def test_the_tables_predict_what_the_served_trees_do(folder):
    X, _ = matrix(folder)
    booster = xgboost.Booster(model_file=folder / "models/champion.ubj")
    tables = io.read_arrays(folder / "models/champion.npz")
    margin, _ = TableTrees(tables, np.zeros(X.shape[1], dtype=int)).predict(X, explain=False)
    expected = booster.predict(xgboost.DMatrix(X), output_margin=True)
    np.testing.assert_array_equal(margin.astype(np.float32), expected)


def test_the_card_tells_what_was_measured(folder, results):
    card = io.read_json(folder / "models/card.json")
    assert card["data"]["sha256"] == "0" * 64
    parts = [card["data"][part]["clients"] for part in ("train", "holdout")]
    assert sum(parts) == len(io.read_table(folder / "clients.parquet"))
    assert card["performance"]["holdout"]["roc_auc"] == results["headline"]["champion"]["roc_auc"]
    assert card["performance"]["out_of_fold"] == results["headline"]["champion_cv"]
    assert [g["grade"] for g in card["grades"]] == list("ABCDEFGH")
    assert {c["name"] for c in card["clusters"]} == {"even", "odd"}
    assert sum(c["share"] for c in card["clusters"]) == pytest.approx(1)
    assert card["refits"]["coverage"] == results["studies"]["refits"]["document"]["coverage"]
    assert any("do not extrapolate" in text for text in card["limitations"])


def test_ranges_are_those_of_the_rows_that_were_fitted(folder):
    ranges = io.read_json(folder / "models/champion.json")["ranges"]
    clients = io.read_table(folder / "clients.parquet")
    fitted = clients[(clients[schema.SPLIT] == schema.TRAIN) & clients[schema.FIT_ROW]]
    assert len(ranges) == 13
    for column, (low, high) in ranges.items():
        assert (low, high) == (fitted[column].min(), fitted[column].max()), column


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


def test_champion_json_is_all_that_serving_needs(folder, results):
    champion = io.read_json(folder / "models/champion.json")
    names = io.read_json(folder / "models/feature_names.json")
    assert champion["family"] == "xgboost"
    assert champion["features"] == names
    assert champion["calibration"] == results["calibration"]["served"]
    assert champion["policy"]["grades"] == EVALUATE["policy"]["grades"]
    threshold = champion["policy"]["threshold"]
    assert threshold["name"] == "cost_ratio"
    assert threshold["value"] == 0.25  # 1 / (1 + 3)
    assert "3 times a false alarm" in threshold["basis"]
    assert set(champion["policy"]) == {"grades", "threshold"}, "what is wrong stays on the page"
    band = results["studies"]["refits"]["document"]["band"]
    assert champion["interval"] == band
    assert band["kind"] == refits.KIND
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


def test_a_threshold_by_share_flags_about_that_share(folder):
    p = io.read_arrays(folder / "predictions/xgboost.npz")["train_probability"]
    settings = {k: v for k, v in EVALUATE["policy"]["threshold"].items() if k != "name"}
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


def test_segments_count_every_client_once(results):
    described = results["segments"]
    for name in ("clusters", "rfm"):
        assert sum(row["n"] for row in described[name]) == sum(
            results["design"][side]["n"] for side in ("train", "holdout")
        )
    assert {row["label"] for row in described["clusters"]} == {"even", "odd"}
    rates = {row["label"]: row["observed"] for row in described["rfm"]}
    assert rates["late"] > rates["calm"]


def test_exposure_adds_up_to_probability_times_what_is_owed(folder, results):
    sides = io.read_arrays(folder / "predictions/xgboost.npz")
    ids = np.concatenate([sides["train_id"], sides["holdout_id"]])
    p = np.concatenate([sides["train_probability"], sides["holdout_probability"]])
    owed = io.read_table(folder / "clients.parquet").set_index("ID")["BILL_AMT1"].clip(lower=0)
    expected = pytest.approx(p @ owed[ids].to_numpy(), rel=1e-5)
    for name in ("clusters", "rfm"):
        assert sum(row["exposure"] for row in results["segments"][name]) == expected


def test_what_segments_add_is_tested_on_training_rows(results):
    for key, name in (("cluster_test", "clusters"), ("rfm_test", "rfm")):
        test = results["segments"][key]
        assert test["n"] == results["design"]["train"]["n"]
        assert test["df"] == len(results["segments"][name]) - 1
        assert 0 <= test["p_value"] <= 1
        assert test["delta_log_loss"] <= 0


def test_segments_in_the_headline_are_those_of_the_results(results):
    short, full = results["headline"]["segments"], results["segments"]
    for name in ("clusters", "rfm"):
        assert [row["name"] for row in short[name]] == [row["label"] for row in full[name]]
        assert [row["exposure"] for row in short[name]] == [row["exposure"] for row in full[name]]
    assert short["cluster_test"] == full["cluster_test"]


def test_plot_tables_are_small_and_agree_with_the_results(folder, results):
    plots = {p.stem: pd.read_csv(p) for p in sorted((folder / "plots").glob("*.csv"))}
    assert set(plots) == {"roc", "pr", "calibration", "confusion"}
    assert all(len(table) <= 300 for table in plots.values())
    assert plots["roc"].columns.tolist() == ["false_positive_rate", "champion", "baseline"]
    assert (plots["roc"].diff().dropna() >= 0).all(axis=None)
    assert plots["confusion"]["n"].sum() == results["design"]["holdout"]["n"]


SECTION_IDS = (
    *("design", "ladder", "benchmark", "scorecard", "discrimination", "confusion"),
    *("calibration", "grades", "refits", "imbalance", "regularisation", "ablation"),
    *("importance", "segments", "limits"),
)


def test_the_page_marks_its_numbers_and_has_every_section(results):
    html = render("model", results)
    found = re.findall(r'<section id="([\w-]+)"', html)
    assert set(SECTION_IDS) <= set(found)
    assert len(found) == len(set(found))
    marked = re.findall(r'data-metric="evaluate:([\w.]+)" value="([^"]+)"', html)
    assert len(marked) > 20
    for key, value in marked:
        section, name = key.split(".")
        assert results["headline"][section][name] == json.loads(value)
    assert "make studies" not in html, "every study is of today"


# ------------------------------------------------------- what a difference may be called


def noisy(value: Any) -> Any:
    """Return results in which no difference is told from noise."""
    if isinstance(value, dict):
        quiet = {"verdict": "within noise", "outcome": "within noise"}
        return {k: quiet[k] if k in quiet else noisy(v) for k, v in value.items()}
    return [noisy(v) for v in value] if isinstance(value, list) else value


DEFINITIONS = (
    "a family is called better or worse only where its adjusted interval excludes 0",
    "For ROC AUC more is better, for log loss and Brier score less.",
    "Would another map be better?",
    "None is better than no map in either score beyond noise.",
    "the sigmoid is served if it is better in log loss",
    "Paired differences to no map, verdict, and interval adjusted over the table; less is better",
    "a line through the log-odds is not better in log loss beyond noise",
    "a line through the log-odds is not better beyond noise",
    "A family pays when the fit is worse without it, or better with it.",
    "Green is better and red worse after correction, grey within noise.",
    "none is better beyond noise",
    "change of log loss; left is better",
    "the ratios to the champion travel better.",
    "no treatment ranks clients better than none",
    "no cell has a better log loss than the untreated, uncorrected model",
)
"""All that a page may say with the word when nothing is: what it means, and that it is not so."""


def text_of(html: str) -> str:
    """Return the words of a page, those of its figures with them; scripts and styles gone."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", bare)))


def test_without_a_better_verdict_the_page_finds_nothing_better(results):
    quiet = noisy(results)
    assert "better" not in json.dumps(quiet), "no stored word could be passed through"
    html = render("model", quiet)
    shown = text_of(html) + " ".join(re.findall(r'(?:alt|aria-label)="([^"]*)"', html))
    for phrase in DEFINITIONS:
        shown = shown.replace(phrase, "")
    left = [shown[max(0, m.start() - 60) : m.end() + 40] for m in re.finditer("(?i)better", shown)]
    assert left == []


def test_the_page_uses_the_word_where_a_verdict_does(results):
    loud = noisy(results)
    row = next(row for row in loud["ladder"] if row["family"] == "blend")
    row["step"]["roc_auc"]["verdict"] = "better"
    loud["studies"]["benchmark"]["document"]["pairs"]["blend_over_trees"]["roc_auc"]["verdict"] = (
        "better"
    )
    shown = text_of(render("model", loud))
    for phrase in DEFINITIONS:
        shown = shown.replace(phrase, "")
    assert "better" in shown
    assert "the blend buys something" in shown


def test_words_in_the_tables_of_the_ladder_are_the_stored_verdicts(results):
    shown = ladder_page.build(results)
    rows = [row for row in results["ladder"] if "cv_difference" in row]
    assert len(shown["difference_rows"]) == len(rows) == len(results["ladder"]) - 1
    word = re.compile(r"(better|worse|within noise)")
    for cells, row in zip(shown["difference_rows"], rows, strict=True):
        stored = [
            row[source][metric]["verdict"]
            for source in ("cv_difference", "holdout_difference")
            for metric in ("roc_auc", "log_loss")
        ]
        assert cells[0] == row["label"]
        assert [word.findall(str(cell)) for cell in cells[1:]] == [[w] for w in stored]
    steps = [row for row in results["ladder"] if "step" in row]
    for cells, row in zip(shown["step_rows"], steps, strict=True):
        stored = [row["step"][metric]["verdict"] for metric in ("roc_auc", "log_loss", "brier")]
        assert [word.findall(str(cell)) for cell in cells[2:]] == [[w] for w in stored]


# -------------------------------------------------------------------- studies of yesterday


def test_a_stale_study_is_said_so_and_serves_nothing(folder, results, tmp_path, capsys):
    other = copied(folder, tmp_path)
    for name in ("refits", "benchmark", "ablation"):
        file = other / f"studies/{name}.json"
        document = io.read_json(file)
        document["fingerprint"] |= {"clients": "0" * 16, "features": "0" * 16}
        io.write_json(file, document)
    run_evaluate(other)
    said = capsys.readouterr().out
    words = f"{fingerprint.WORDS['clients']} and {fingerprint.WORDS['features']}"
    for name in ("refits", "benchmark", "ablation"):
        assert f"study {name} speaks of {words}: run `make studies`" in said
    assert "study learning" not in said
    after = io.read_json(other / "evaluate.json")
    assert "interval" not in io.read_json(other / "models/champion.json")
    assert "refits" not in io.read_json(other / "models/card.json")
    assert "benchmark" not in after["headline"]
    assert "benchmark" not in io.read_json(other / "evaluate_metrics.json")
    assert after["studies"]["learning"]["stale"] == []
    assert after["studies"]["refits"]["stale"] == [
        fingerprint.WORDS["clients"],
        fingerprint.WORDS["features"],
    ]
    html = render("model", after)
    assert html.count("make studies") == 3
    notes = re.findall(r"shows the study (\w+) of (.+?) than this page", text_of(html))
    assert [name for name, _ in notes] == ["benchmark", "refits", "ablation"]
    assert all(fingerprint.WORDS["clients"] in stale for _, stale in notes)
    same = {k: v for k, v in results.items() if k not in ("studies", "headline")}
    assert {k: after[k] for k in same} == same, "everything else is as it was"


def copied(folder: Path, place: Path) -> Path:
    shutil.copytree(folder, place / "copy")
    return place / "copy"


def test_results_hold_studies_speeds_and_the_champions_rule(results):
    assert set(results["studies"]) == set(evaluate.STUDIES)
    assert all(stored["stale"] == [] for stored in results["studies"].values())
    rule = results["champion"]
    assert set(rule) == {"family", "best_allowed", "metric", "among", "best", "cheapest"}
    assert rule["family"] == rule["best_allowed"] == "xgboost"
    assert (rule["metric"], rule["among"]) == ("log_loss", ["xgboost"])
    losses = {row["family"]: row["cv"]["log_loss"] for row in results["ladder"]}
    rungs = ladder.rungs(losses)
    assert rule["best"] == min(rungs, key=losses.get)
    assert rungs.index(rule["cheapest"]) <= rungs.index(rule["best"])
    assert results["speeds"]["design"]["champion"] == "xgboost"
    assert results["scorecard"]["scorecard"]["cards"], "the stored card is passed on to the page"


# ------------------------------------------------------------------------ the ladder's steps


def test_each_rung_is_compared_with_the_one_below_and_resampled_arms_are_no_rungs(folder, results):
    rows = {row["family"]: row for row in results["ladder"]}
    assert list(rows) == EVALUATE["ladder"]
    assert "step" not in rows["majority"]
    assert "step" not in rows["xgboost_smote"]
    assert rows["lookup"]["below"] == "majority"
    assert rows["blend"]["below"] == "xgboost", "over the resampled arm between them"
    for family, row in rows.items():
        if "step" not in row:
            continue
        own, below = (
            io.read_json(folder / f"results/train/{f}.json")["folds"]
            for f in (family, row["below"])
        )
        for metric in ladder.COMPARED:
            mean = np.mean([a[metric] - b[metric] for a, b in zip(own, below, strict=True)])
            assert row["step"][metric]["difference"] == pytest.approx(mean, abs=2e-6)
    step = rows["lookup"]["step"]["roc_auc"]
    assert step["verdict"] == "better", "one column against none"
    steps = [row["step"]["roc_auc"] for row in rows.values() if "step" in row]
    assert max(s["p_adjusted"] for s in steps) <= 1
    assert min(s["p_adjusted"] for s in steps) >= min(s["p"] for s in steps) * len(steps) * 0.999


def test_resampled_arms_are_no_rungs():
    assert ladder.rungs(["majority", "logistic_smote", "xgboost", "xgboost_smote", "blend"]) == [
        "majority",
        "xgboost",
        "blend",
    ]


# ------------------------------------------------------------------------ the champion's rule


def family(losses: list[float]) -> dict[str, Any]:
    """Return what training would store of a family with these log losses a fold."""
    folds = [
        {
            "repeat": i // 5,
            "fold": i % 5,
            "n_train": 800,
            "n_test": 200,
            "log_loss": loss,
            "brier": loss / 3,
            "roc_auc": 1 - loss,
        }
        for i, loss in enumerate(losses)
    ]
    means = {m: float(np.mean([f[m] for f in folds])) for m in ladder.COMPARED}
    return {"folds": folds, "cv": means}


def trained(**means: float) -> dict[str, Any]:
    """Return families, cheapest first, whose folds differ by their mean and a little noise."""
    rng = np.random.default_rng(0)
    shared = rng.normal(0, 0.02, 10)
    return {f: family(list(m + shared + rng.normal(0, 0.002, 10))) for f, m in means.items()}


RULE = {"metric": "log_loss", "alpha": 0.05}


def test_the_cheaper_of_two_families_within_noise_is_the_champion():
    found = champion.choose_champion(
        trained(majority=0.5, logistic_l2=0.4305, xgboost=0.43),
        among=["logistic_l2", "xgboost"],
        **RULE,
    )
    assert (found["best_allowed"], found["family"]) == ("xgboost", "logistic_l2")


@pytest.mark.parametrize("metric", ["log_loss", "brier", "roc_auc"])
def test_the_better_family_is_the_champion_where_the_difference_is_beyond_noise(metric):
    found = champion.choose_champion(
        trained(majority=0.5, logistic_l2=0.44, xgboost=0.43),
        among=["logistic_l2", "xgboost"],
        metric=metric,
        alpha=0.05,
    )
    assert (found["best_allowed"], found["family"]) == ("xgboost", "xgboost")


def test_what_may_not_be_served_is_weighed_but_not_chosen():
    families = trained(
        majority=0.5, logistic_l2=0.44, additive=0.4301, xgboost=0.43, xgboost_smote=0.3, blend=0.42
    )
    found = champion.choose_champion(families, among=["logistic_l2", "xgboost"], **RULE)
    assert found == {
        "family": "xgboost",
        "best_allowed": "xgboost",
        "metric": "log_loss",
        "among": ["logistic_l2", "xgboost"],
        "best": "blend",  # not the resampled arm, which is no rung
        "cheapest": "blend",
    }


def test_a_cheap_rung_within_noise_of_the_best_is_named_whether_or_not_it_may_be_served():
    families = trained(majority=0.5, logistic_l2=0.44, additive=0.4301, xgboost=0.43)
    found = champion.choose_champion(families, among=["logistic_l2", "xgboost"], **RULE)
    assert (found["cheapest"], found["family"]) == ("additive", "xgboost")


@pytest.mark.parametrize("opaque", ["blend", "random_forest", "xgboost_smote"])
def test_a_family_that_cannot_be_explained_exactly_is_refused(opaque):
    families = trained(xgboost=0.43, random_forest=0.42, xgboost_smote=0.41, blend=0.4)
    with pytest.raises(UserError, match=rf"among: {opaque} cannot be explained exactly"):
        champion.choose_champion(families, among=["xgboost", opaque], **RULE)


def test_a_family_that_was_not_trained_is_named():
    with pytest.raises(UserError, match="no figures of lookup"):
        champion.choose_champion(trained(xgboost=0.43), among=["lookup"], **RULE)


def test_a_family_that_cannot_be_served_is_refused(folder, tmp_path):
    other = copied(folder, tmp_path)
    with pytest.raises(UserError, match="logistic_l2 cannot be served"):
        run_evaluate(other, champion={"metric": "log_loss", "among": ["logistic_l2"]})


# -------------------------------------------------------- policy, calibration, what it buys


def test_bounds_of_grades_that_are_too_small_are_said_on_the_page(folder, tmp_path):
    other = copied(folder, tmp_path)
    run_evaluate(other, policy=EVALUATE["policy"] | {"min_clients": 5000})
    results = io.read_json(other / "evaluate.json")
    assert "fewer than 5000: move the bounds in policy.grades" in results["policy"]["problem"]
    assert "grade A has" in text_of(render("model", results))


def test_a_policys_problem_is_the_first_that_the_check_finds():
    rows = [
        {"grade": g, "n": 100, "defaults": 10, "observed": 0.1 * (i + 1)}
        for i, g in enumerate("ABCDEFGH")
    ]
    p = np.linspace(0.01, 0.99, 200)

    def problem(table, **changes):
        settings = EVALUATE["policy"] | {"min_clients": 100, "min_defaults": 10} | changes
        return evaluation.served_policy(p, {"train": {"grades": table}}, settings)["problem"]

    assert problem(rows) is None
    assert "grade A has 10 defaults" in problem(rows, min_defaults=11)
    turned = [*rows[:3], {**rows[3], "observed": 0.05}, *rows[4:]]
    assert "grade D defaults no more often than grade C" in problem(turned)
    with pytest.raises(UserError, match=r"policy\.grades: give 7 probabilities"):
        problem(rows, grades=[0.1, 0.2])


def scored(p: dict[str, list[float]], y: list[int]) -> Scored:
    n = len(y)
    sides = {name: np.array(values) for name, values in p.items()}
    return Scored(
        train_id=np.arange(n),
        holdout_id=np.arange(n),
        train_y=np.array(y),
        holdout_y=np.array(y),
        train_groups=np.arange(n),
        holdout_groups=np.arange(n),
        fit_row=np.ones(n, dtype=bool),
        train=sides,
        holdout={name: values / 2 for name, values in sides.items()},
    )


def test_what_the_best_rung_buys_is_counted_on_equally_many_flags():
    rows = scored(
        {"xgboost": [0.9, 0.8, 0.7, 0.1, 0.2], "blend": [0.9, 0.3, 0.8, 0.7, 0.1]}, [1, 0, 1, 1, 0]
    )
    found = champion.what_it_buys(rows, "xgboost", "blend", share=0.4)
    assert found == {
        "best": "blend",
        "share": 0.4,
        "n_flagged": 2,  # of five
        "caught_champion": 1,  # clients 0 and 1
        "caught_best": 2,  # clients 0 and 2
    }


def test_what_it_buys_is_that_of_the_stored_probabilities(folder, results):
    bought, rule = results["buys"], results["champion"]
    assert bought["n_flagged"] == round(0.2 * results["design"]["train"]["n"])
    clients = io.read_table(folder / "clients.parquet").set_index("ID")
    for key, name in (("caught_champion", rule["family"]), ("caught_best", rule["best"])):
        stored = io.read_arrays(folder / f"predictions/{name}.npz")
        top = np.argsort(-stored["train_probability"], kind="stable")[: bought["n_flagged"]]
        assert bought[key] == clients.loc[stored["train_id"][top], "default"].sum()


def test_a_served_line_moves_both_sides_of_the_champion_alone():
    rows = scored({"xgboost": [0.2, 0.5], "lookup": [0.3, 0.4]}, [0, 1])
    assert evaluation.serve(rows, "xgboost", None) is rows
    line = {"slope": 2.0, "intercept": 0.5}
    served = evaluation.serve(rows, "xgboost", line)
    for side, before in ((served.train, rows.train), (served.holdout, rows.holdout)):
        odds = np.log(before["xgboost"] / (1 - before["xgboost"]))
        assert side["xgboost"] == pytest.approx(1 / (1 + np.exp(-(2 * odds + 0.5))))
        assert np.array_equal(side["lookup"], before["lookup"])
    assert rows.train["xgboost"].tolist() == [0.2, 0.5], "what was stored is not changed"


def test_a_champion_that_needs_a_line_is_judged_and_served_through_it(folder, tmp_path):
    """Log-odds at half their size: the gate fails, the line passes or helps, and is served."""
    other = copied(folder, tmp_path)
    file = other / "predictions/xgboost.npz"
    arrays = io.read_arrays(file)
    for side in ("train", "holdout"):
        p = arrays[f"{side}_probability"]
        odds = np.log(p / (1 - p))
        arrays[f"{side}_probability"] = 1 / (1 + np.exp(-(odds / 3 - 0.4)))
    io.write_arrays(file, **arrays)
    run_evaluate(other)
    results = io.read_json(other / "evaluate.json")
    line = results["calibration"]["served"]
    assert line["slope"] == pytest.approx(3, rel=0.35)
    assert io.read_json(other / "models/champion.json")["calibration"] == pytest.approx(
        line, rel=1e-5
    )
    p = arrays["holdout_probability"]
    mapped = 1 / (1 + np.exp(-(line["slope"] * np.log(p / (1 - p)) + line["intercept"])))
    row = next(row for row in results["ladder"] if row["family"] == "xgboost")
    clients = io.read_table(other / "clients.parquet")
    y = clients.loc[clients[schema.SPLIT] == schema.HOLDOUT, schema.TARGET].to_numpy()
    brier = np.mean((mapped - y) ** 2)
    assert row["holdout"]["brier"] == pytest.approx(brier, abs=1e-5)
    assert results["calibration"]["holdout"]["predicted"] == pytest.approx(mapped.mean(), abs=1e-5)
    counts = policy.confusion(y, mapped, 0.25)
    assert results["decision"]["served"]["caught_defaults"] == counts["caught_defaults"]
    assert f"log-odds × {line['slope']:.3f}" in text_of(render("model", results))


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
        ({"champion": {"metric": "brier", "among": ["forest"]}}, "champion.among: forest"),
        ({"champion": {"metric": "by_feel", "among": ["xgboost"]}}, "'log_loss', 'brier' or"),
        ({"champion": {"metric": "brier", "among": []}}, r"champion\.among"),
        ({"policy": EVALUATE["policy"] | {"grades": [0.1, 0.2]}}, r"policy\.grades"),
        ({"calibration": EVALUATE["calibration"] | {"n_replicates": 5}}, "n_replicates"),
        ({"alpha": 0}, "alpha"),
    ],
)
def test_wrong_parameters_are_named(changes, message):
    with pytest.raises(UserError, match=message):
        params.parse(evaluate.Params, EVALUATE | changes, "evaluate")
