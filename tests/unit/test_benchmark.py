"""The benchmark fits on the other folds only and says what it left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from creditrisk import paths
from creditrisk.cli import benchmark
from creditrisk.errors import UserError
from creditrisk.models import families
from tests.generated import raw_clients

SMALL = {"max_depth": 2, "n_estimators": 20, "learning_rate": 0.2}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with generated raw data, small trees and a file of folds."""
    clients = raw_clients(600, seed=5)
    document = yaml.safe_load((paths.ROOT / paths.PARAMS).read_text(encoding="utf-8"))
    document["train"]["families"]["xgboost"] |= SMALL
    (tmp_path / paths.PARAMS).write_text(yaml.safe_dump(document))
    (tmp_path / paths.RAW).parent.mkdir(parents=True)
    clients.to_csv(tmp_path / paths.RAW, index=False)
    folds = pd.DataFrame({"ID": clients["ID"], "fold": np.arange(600) % 3})
    folds.iloc[:-20].to_csv(tmp_path / "folds.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_prints_one_object_and_counts_whom_it_left_out(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark.run(here / "folds.csv", served=False)
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert result["mode"] == "fixed"
    assert [f["fold"] for f in result["folds"]] == [0, 1, 2]
    assert set(result["folds"][0]) == {"fold", *benchmark.FIGURES}
    aucs = [f["roc_auc"] for f in result["folds"]]
    assert result["mean"]["roc_auc"] == pytest.approx(np.mean(aucs))
    assert 0.6 < min(aucs) < 1
    assert "20 clients are not in" in printed.err


def test_the_served_configuration_reads_no_audit_attribute(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def figures(*, served: bool) -> list[float]:
        benchmark.run(here / "folds.csv", served=served)
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
        benchmark.run(here / "nothing.csv", served=False)


def test_the_published_folds_are_those_of_the_data_set() -> None:
    folds = pd.read_csv(paths.ROOT / "data/benchmark/tabarena_r0_folds.csv")
    fold = benchmark.align_folds(folds, np.arange(1, 30_001))
    assert np.bincount(fold).tolist() == [10_000] * 3
