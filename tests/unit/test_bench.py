"""The speed benchmark measures every family and states what it did; times are never asserted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import ladder
from creditrisk import io, paths
from creditrisk.errors import UserError
from creditrisk.models.rows import TrainingRows
from tests.stages import model_stages

TINY = ladder.Settings(
    n_rows=400, n_batch=100, n_warm_up=200, rounds=2, batch_runs=3, single_runs=4
)
FAMILIES = ["majority", "logistic_l2", "random_forest", "xgboost"]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the stages left: features and a chosen C."""
    folder = model_stages.inputs(tmp_path_factory.mktemp("bench"))
    io.write_json(folder / "results/train/logistic_l2.json", {"parameters": {"C": 0.1}})
    return folder


def sources(here: Path) -> dict:
    return {
        "clients": here / "clients.parquet",
        "features": here / "features.parquet",
        "model_features": here / "model_features.json",
        "trained": model_stages.place(here, "results", "json"),
    }


def measure(here: Path, families: list[str], settings: ladder.Settings = TINY) -> dict:
    target = here / "ladder.json"
    ladder.run(model_stages.TRAIN, families, "xgboost", settings, target=target, **sources(here))
    return io.read_json(target)


def test_results_state_the_design_and_every_family(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("creditrisk.models.training.available_cores", lambda: 2)
    document = measure(here, FAMILIES)
    assert document["design"] == {
        "n_rows": 400,
        "n_batch": 100,
        "n_warm_up": 200,
        "rounds": 2,
        "batch_runs": 3,
        "single_runs": 4,
        "n_cores": 2,
        "champion": "xgboost",
    }
    rows = {row["family"]: row for row in document["rows"]}
    assert list(rows) == FAMILIES
    for row in rows.values():
        assert min(row["fit_s"], row["us_per_row"], row["us_single"]) > 0
    # only these two fit on several threads; for the others there is nothing to state
    parallel = [family for family, row in rows.items() if row["fit_s_all_cores"] is not None]
    assert parallel == ["random_forest", "xgboost"]
    printed = capsys.readouterr().out
    assert "round 2 of 2, xgboost: fit " in printed
    assert printed.splitlines()[-4].startswith("Base rate ")


def test_families_are_measured_as_they_are_trained(here: Path) -> None:
    entry = ladder.contestant("logistic_l2", model_stages.TRAIN, **sources(here))
    assert entry.build(1)[-1].C == 0.1
    other = ladder.contestant("xgboost", model_stages.TRAIN, **sources(here))
    assert other.build(2)[-1].n_jobs == 2
    assert other.rows.X.shape[1] == 13 + 6 + 11  # as served: nothing of the family `audit`


def test_only_rows_that_may_enter_a_fit_are_fitted() -> None:
    seen = []

    class Model:
        def fit(self, X: np.ndarray, y: np.ndarray) -> None:
            seen.append((X[:, 0].tolist(), y.tolist()))

        def predict_proba(self, X: np.ndarray) -> None:
            seen.append(len(X))

        def get_params(self) -> dict:
            return {"n_jobs": None}

    class Pipeline(Model):
        def __getitem__(self, i: int) -> Model:
            return self

    fit_row = np.array([True, False, True, True])
    X, y = np.arange(4.0)[:, None], np.array([0, 1, 0, 1])
    rows = TrainingRows(X=X, y=y, groups=np.arange(4), fit_row=fit_row)
    settings = ladder.Settings(2, 3, 1, rounds=1, batch_runs=2, single_runs=1)
    seconds = ladder.time_round(ladder.Contestant(lambda n_jobs: Pipeline(), rows), settings, 2)
    assert seen[0] == ([0.0, 2.0], [0, 0])
    assert seen[1:] == [3, 3, 3, 1, 1]  # one untimed prediction, then the timed ones
    assert {name: len(s) for name, s in seconds.items()} == {
        "fit": 1, "fit_all_cores": 0, "batch": 2, "single": 1,
    }  # fmt: skip


def test_a_table_that_is_too_small_is_refused(here: Path) -> None:
    with pytest.raises(UserError, match=r"fewer than the 20,000 and 10,000"):
        measure(here, ["majority"], ladder.Settings())


def test_ratios_are_those_to_the_champion() -> None:
    times = {"fit_s_all_cores": None, "us_per_row": 1.0, "us_single": 500.0}
    document = {
        "design": {"champion": "xgboost"},
        "rows": [
            {"family": "majority", "label": "Base rate", "fit_s": 0.5} | times,
            {"family": "xgboost", "label": "XGBoost", "fit_s": 2.0, "fit_s_all_cores": 1.0}
            | {"us_per_row": 4.0, "us_single": 250.0},
        ],
    }
    _, base, champion = ladder.table(document).splitlines()
    assert base.split() == ["Base", "rate", "0.5", "0.25", "1", "0.25", "500", "2"]
    assert champion.split() == ["XGBoost", "2", "1", "1", "1", "4", "1", "250", "1"]


def test_committed_results_name_no_machine_and_cover_families_of_the_ladder() -> None:
    text = (paths.ROOT / ladder.RESULTS).read_text(encoding="utf-8")
    document = json.loads(text)
    assert set(document) == {"design", "rows"}
    assert set(document["design"]) == {*vars(ladder.Settings()), "n_cores", "champion"}
    known = io.read_yaml(paths.ROOT / paths.PARAMS)["evaluate"]["ladder"]
    measured = [row["family"] for row in document["rows"]]
    assert measured == [family for family in known if family in measured]
    assert document["design"]["champion"] in measured
