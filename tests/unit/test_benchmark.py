"""The command ``benchmark``: fits on the other folds only, fixed or nested, and says whom it left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from creditrisk import paths
from creditrisk.cli import benchmark as cli
from creditrisk.errors import UserError
from creditrisk.models import families, training
from creditrisk.validation import benchmark
from tests.generated import raw_clients

SMALL = {"max_depth": 2, "n_estimators": 20, "learning_rate": 0.2}
SHRUNK = {
    "trees": {"n_candidates": 2, "grid": {"max_depth": [1, 2], "travel": [2.0]}},
    "networks": {
        "n_candidates": 2,
        "grid": {"hidden": [[4]], "epochs": [3], "batch_size": [64]},
        "search_networks": 1,
        "final_networks": 1,
    },
}
"""What is changed in the space of the nested mode: less of everything."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with generated raw data, small trees and a file of folds."""
    clients = raw_clients(600, seed=5)
    document = yaml.safe_load((paths.ROOT / paths.PARAMS).read_text(encoding="utf-8"))
    document["train"]["families"]["xgboost"] |= SMALL
    (tmp_path / paths.PARAMS).write_text(yaml.safe_dump(document))
    study = yaml.safe_load((paths.ROOT / paths.STUDY_PARAMS).read_text(encoding="utf-8"))
    space = study["benchmark"]["space"]
    space |= {"folds": 3, "finalists": 1}
    for kind, changes in SHRUNK.items():
        space[kind] |= changes | {"grid": space[kind]["grid"] | changes["grid"]}
    (tmp_path / paths.STUDY_PARAMS).parent.mkdir()
    (tmp_path / paths.STUDY_PARAMS).write_text(yaml.safe_dump(study))
    (tmp_path / paths.RAW).parent.mkdir(parents=True)
    clients.to_csv(tmp_path / paths.RAW, index=False)
    folds = pd.DataFrame({"ID": clients["ID"], "fold": np.arange(600) % 3})
    folds.iloc[:-20].to_csv(tmp_path / "folds.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "available_cores", lambda: 1)  # no processes for so little
    return tmp_path


@pytest.mark.parametrize("is_nested", [False, True])
def test_it_prints_one_object_and_counts_whom_it_left_out(
    here: Path, capsys: pytest.CaptureFixture[str], is_nested: bool
) -> None:
    cli.run(here / "folds.csv", served=False, is_nested=is_nested)
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert list(result) == ["mode", "folds", "mean"]
    assert result["mode"] == ("nested" if is_nested else "fixed")
    assert [f["fold"] for f in result["folds"]] == [0, 1, 2]
    assert set(result["folds"][0]) == {"fold", *benchmark.FIGURES, "fit_s"}
    assert set(result["mean"]) == {*benchmark.FIGURES, "fit_s"}
    for name in result["mean"]:
        assert result["mean"][name] == pytest.approx(np.mean([f[name] for f in result["folds"]]))
    assert all(f["fit_s"] > 0 for f in result["folds"])
    aucs = [f["roc_auc"] for f in result["folds"]]
    assert 0.6 < min(aucs) < 1
    assert "20 clients are not in" in printed.err
    assert "fold 2: ROC AUC" in printed.err, "progress goes to stderr"


def test_the_nested_space_is_read_from_the_studies_parameters(here: Path) -> None:
    file = here / paths.STUDY_PARAMS
    file.write_text(file.read_text().replace("finalists: 1", "finalists: 0"))
    with pytest.raises(UserError, match=r"benchmark\.space\.finalists"):
        cli.run(here / "folds.csv", served=False, is_nested=True)


def test_the_served_configuration_reads_no_audit_attribute(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def figures(*, served: bool) -> list[float]:
        cli.run(here / "folds.csv", served=served, is_nested=False)
        return [f["roc_auc"] for f in json.loads(capsys.readouterr().out)["folds"]]

    before = figures(served=True), figures(served=False)
    clients = pd.read_csv(here / paths.RAW)
    clients["AGE"] = np.where(clients["default.payment.next.month"] == 1, 70, 30)
    clients.to_csv(here / paths.RAW, index=False)
    after = figures(served=True), figures(served=False)
    assert after[0] == before[0]
    assert after[1] != before[1], "all 23 columns, by contrast, see it"


def test_poisoned_test_rows_change_no_fit() -> None:
    rng = np.random.default_rng(0)
    X, fold = rng.normal(size=(300, 4)), np.arange(300) % 3
    y = (X[:, 0] + rng.normal(size=300) > 0).astype(int)
    recipe = {"features": [], **SMALL, "seed": 0, "min_child_weight": 1, "subsample": 0.8}
    recipe |= {"colsample_bynode": 0.5, "reg_lambda": 1, "max_bin": 32}

    def fitted(X: np.ndarray, y: np.ndarray) -> list[bytes]:
        models = []

        def make() -> object:
            models.append(families.build("xgboost", recipe, scaler="standard"))
            return models[-1]

        benchmark.score_folds(make, X, y, fold)
        return [bytes(m.named_steps["model"].get_booster().save_raw("ubj")) for m in models]

    clean = fitted(X, y)
    poisoned_X, poisoned_y = X.copy(), y.copy()
    poisoned_X[fold == 1] *= -1000
    poisoned_y[fold == 1] = 1 - poisoned_y[fold == 1]
    poisoned = fitted(poisoned_X, poisoned_y)
    assert poisoned[1] == clean[1], "the fold that is scored never reaches its own fit"
    assert poisoned[0] != clean[0]
    assert poisoned[2] != clean[2]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"ID": [1, 2]}, "no column fold"),
        ({"ID": [1, 2], "fold": [0.5, 1.0]}, "whole numbers"),
        ({"ID": [1, 1], "fold": [0, 1]}, "repeat an ID"),
        ({"ID": [1, 9], "fold": [0, 1]}, "1 IDs are not in the data"),
        ({"ID": [1, 2], "fold": [0, 0]}, "at least two folds"),
    ],
)
def test_wrong_folds_are_explained(table: dict[str, list[float]], reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        benchmark.align_folds(pd.DataFrame(table), np.array([1, 2, 3]))


def test_an_absent_file_is_named(here: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read .*nothing\.csv"):
        cli.run(here / "nothing.csv", served=False, is_nested=False)


def test_the_published_folds_are_those_of_the_data_set() -> None:
    folds = pd.read_csv(paths.ROOT / "data/benchmark/tabarena_r0_folds.csv")
    fold = benchmark.align_folds(folds, np.arange(1, 30_001))
    assert np.bincount(fold).tolist() == [10_000] * 3


def test_figures_by_hand_and_their_average() -> None:
    y, p = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
    found = benchmark.figures(y, p)
    assert found["roc_auc"] == pytest.approx(3 / 4)  # of four pairs one is turned
    losses = -np.log([0.9, 0.6, 0.35, 0.8])
    assert found["log_loss"] == pytest.approx(losses.mean())
    assert found["brier"] == pytest.approx(np.mean([0.01, 0.16, 0.4225, 0.04]))
    other = dict.fromkeys(benchmark.FIGURES, 0.5) | {"roc_auc_se": 0.03}
    means = benchmark.average([found | {"roc_auc_se": 0.04}, other])
    assert means["roc_auc"] == pytest.approx(0.625)
    assert means["roc_auc_se"] == pytest.approx(0.025)  # √(0.04² + 0.03²) / 2
    assert "fit_s" not in means


def test_standard_error_of_a_folds_area_is_that_of_its_test_rows() -> None:
    """DeLong's standard error against the spread over fresh samples of the same clients."""
    rng = np.random.default_rng(0)

    def draw() -> dict[str, float]:
        y = (rng.random(400) < 0.3).astype(int)
        return benchmark.figures(y, 1 / (1 + np.exp(-rng.normal(y, 1.0))))

    samples = [draw() for _ in range(300)]
    spread = np.std([found["roc_auc"] for found in samples], ddof=1)
    assert np.mean([found["roc_auc_se"] for found in samples]) == pytest.approx(spread, rel=0.15)


def test_rows_without_a_fold_are_left_out_of_everything() -> None:
    rng = np.random.default_rng(0)
    X, fold = rng.normal(size=(300, 2)), np.arange(300) % 3
    y = (X[:, 0] + rng.normal(size=300) > 0).astype(int)
    fold[:50] = -1

    def make() -> object:
        return families.build(
            "logistic_raw", {"C": 1, "tol": 1e-4, "max_iter": 99, "seed": 0}, scaler="standard"
        )

    clean, p = benchmark.score_folds(make, X, y, fold)
    X[:50] *= 1000
    y[:50] = 1 - y[:50]
    again, q = benchmark.score_folds(make, X, y, fold)
    assert clean == again
    assert np.isnan(p[:50]).all()
    assert np.array_equal(p[50:], q[50:])
    assert clean["folds"][1] == {"fold": 1, **benchmark.figures(y[fold == 1], p[fold == 1])}
