"""Experiments with real DVC on a cut-down pipeline: run, sweep, look, apply, save, compare."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from creditrisk import io
from creditrisk.cli.documents import graph
from tests.small_pipeline import (
    ROOT,
    commit,
    copy_checkout,
    dvc,
    environment,
    git,
    make_small,
    rerun_stages,
)

pytestmark = pytest.mark.e2e

FAMILIES = ["majority", "logistic_l2", "xgboost"]
LEFT_OUT = ("eda", "stats_report", "report")
"""Stages that no experiment here needs."""
DEPTH = "train.families.xgboost.max_depth"
BASE_DEPTH = 3
COMMENT = "  # beside the champion\n"
"""Stands after a list, where DVC loses comments."""


def cut_down(folder: Path) -> None:
    """Leave three families and no page, in ``dvc.yaml`` and in what speaks of it."""
    pipeline = io.read_yaml(ROOT / "dvc.yaml")
    dropped = set(pipeline["stages"]["train"]["foreach"]) - set(FAMILIES)
    for name in LEFT_OUT:
        del pipeline["stages"][name]
    pipeline["stages"]["train"]["foreach"] = FAMILIES
    for stage in pipeline["stages"].values():
        if "deps" in stage:
            stage["deps"] = [
                path
                for path in stage["deps"]
                if path.startswith("creditrisk/") or Path(path).stem not in dropped
            ]
    stages = {"stages": pipeline["stages"]}
    io.write_text(folder / "dvc.yaml", yaml.safe_dump(stages, sort_keys=False))
    io.write_json(folder / "docs/pipeline.json", graph.read_graph(stages))
    parameters = io.read_yaml(folder / "params.yaml")
    parameters["evaluate"]["ladder"] = FAMILIES
    text = yaml.safe_dump(parameters, sort_keys=False, default_flow_style=None)
    assert "  baseline:" in text
    io.write_text(folder / "params.yaml", text.replace("  baseline:", f"{COMMENT}  baseline:"))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a reproduced and committed copy of this repository with generated clients."""
    folder = tmp_path_factory.mktemp("experiments") / "repo"
    copy_checkout(folder)
    make_small(folder)
    cut_down(folder)
    dvc(folder, "repro")
    commit(folder, "reproduced")
    return folder


@pytest.fixture(autouse=True)
def _back_to_the_commit(clone: Path) -> None:
    git(clone, "checkout", "--quiet", "--force", "HEAD")
    dvc(clone, "checkout", "--force", "--quiet")


def creditrisk(folder: Path, *arguments: str, code: int = 0) -> str:
    """Return what one of our commands prints; it must end with the code."""
    result = subprocess.run(
        [sys.executable, "-m", "creditrisk", *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout


def depths(folder: Path) -> dict[str, int]:
    """Return the depth of each experiment by its name, as ``dvc exp show`` has it."""
    _, commit_ = json.loads(dvc(folder, "exp", "show", "--json"))
    found = {}
    for experiment in commit_["experiments"] or ():
        values = experiment["revs"][0]["data"]["params"]["params.yaml"]["data"]
        found[experiment["name"]] = values["train"]["families"]["xgboost"]["max_depth"]
    return found


def test_an_experiment_runs_what_it_changes_and_is_compared_saved_and_thrown_away(
    clone: Path,
) -> None:
    output = dvc(clone, "exp", "run", "--name", "shallow", "--set-param", f"{DEPTH}=1")
    assert rerun_stages(output) == {"train@xgboost", "evaluate", "summary"}
    compared = creditrisk(clone, "compare", "HEAD", "--markdown", code=1)
    assert "| champion_cv.roc_auc" in compared
    assert "within noise" in compared or "worse" in compared or "better" in compared
    assert "no paired interval" not in compared
    assert "champion.roc_auc" in dvc(clone, "metrics", "diff", "--md")
    assert "max_depth" in dvc(clone, "params", "diff")
    dvc(clone, "exp", "save", "--name", "kept")
    assert depths(clone) == {"shallow": 1, "kept": 1}
    assert "champion.roc_auc" in dvc(clone, "exp", "diff", "HEAD", "kept")
    dvc(clone, "exp", "remove", "kept", "shallow")
    assert depths(clone) == {}


def test_params_get_their_layout_back_with_the_new_value(clone: Path) -> None:
    committed = (clone / "params.yaml").read_text(encoding="utf-8")
    dvc(clone, "exp", "run", "--name", "written", "--set-param", f"{DEPTH}=1", "train@xgboost")
    creditrisk(clone, "params", code=1)
    assert f"{DEPTH}: {BASE_DEPTH} -> 1" in creditrisk(clone, "params", "--write")
    written = (clone / "params.yaml").read_text(encoding="utf-8")
    assert COMMENT in written
    before, after = committed.splitlines(), written.splitlines()
    assert len(before) == len(after)
    assert sum(old != new for old, new in zip(before, after, strict=True)) == 1
    assert "changed" not in dvc(clone, "status", "train@xgboost")
    dvc(clone, "exp", "remove", "written")


def test_a_queued_sweep_runs_apart_and_one_of_it_is_applied(clone: Path) -> None:
    queue = ("exp", "run", "--queue", "--name", "sweep", "--set-param", f"{DEPTH}=1,2")
    dvc(clone, *queue, "train@xgboost")
    dvc(clone, "exp", "run", "--run-all")
    assert git(clone, "status", "--porcelain") == ""
    found = depths(clone)
    assert sorted(found.values()) == [1, 2]
    page = clone / "reports/experiments.html"
    creditrisk(clone, "experiments")
    html = page.read_text(encoding="utf-8")
    assert all(name in html for name in found)
    page.unlink()
    deeper = next(name for name, depth in found.items() if depth == 2)
    changed = "train/xgboost:cv.log_loss"
    assert changed in creditrisk(clone, "compare", deeper, code=1)
    dvc(clone, "exp", "apply", deeper)
    assert changed not in creditrisk(clone, "compare", deeper, code=1)
    assert "changed" not in dvc(clone, "status", "train@xgboost")
    assert git(clone, "log", "--oneline").count("\n") == 1
    dvc(clone, "exp", "remove", *found)


def test_a_parameter_that_does_not_exist_is_refused_before_anything_runs(clone: Path) -> None:
    command = [sys.executable, "-m", "dvc", "exp", "run", "-S", "train.cv.fold=3"]
    result = subprocess.run(
        command, cwd=clone, env=environment(), capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert "Key 'fold' is not in struct" in result.stdout + result.stderr
    assert git(clone, "status", "--porcelain") == ""
