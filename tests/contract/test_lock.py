"""What dvc.lock recorded is what the files at hand say; the repair of dvc.yaml repairs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from creditrisk.cli.records import lockfile
from tests import small_pipeline
from tests.contract import graph

ROOT = graph.ROOT
STAGES = {stage.title: stage for stage in lockfile.read_stages(ROOT)}


@pytest.mark.parametrize("title", STAGES)
def test_the_lock_has_each_stage_and_no_orphan(title: str) -> None:
    stage = STAGES[title]
    assert stage.stated is not None, f"{stage.lock}: no dvc.yaml has {title}; remove its entry"
    assert stage.recorded is not None, f"{stage.lock}: {title} was never run"


@pytest.mark.parametrize("title", STAGES)
def test_the_lock_records_what_is_declared(title: str) -> None:
    stated, recorded = STAGES[title].stated, STAGES[title].recorded
    assert stated
    assert recorded
    assert recorded.command == stated.command
    assert recorded.params == stated.params
    assert set(recorded.deps) == set(stated.deps)
    assert set(recorded.outs) == set(stated.outs)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout without any data that git does not keep."""
    folder = tmp_path_factory.mktemp("bare") / "repo"
    small_pipeline.copy_checkout(folder, left_out=("tests/",))
    return folder


@pytest.mark.parametrize("pipeline", lockfile.PIPELINES)
def test_nothing_is_stale_as_far_as_git_can_tell(bare: Path, tmp_path: Path, pipeline: str) -> None:
    said = small_pipeline.dvc(
        bare / pipeline, "repro", "--allow-missing", "--dry", DVC_SITE_CACHE_DIR=str(tmp_path)
    )
    stages = [line for line in said.splitlines() if "tage '" in line]
    assert stages
    assert [line for line in stages if not line.endswith("didn't change, skipping")] == []


# --- python -m tests.contract.graph --write -----------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with copies of both pipelines' files."""
    (tmp_path / "studies").mkdir()
    for name in ("dvc.yaml", "studies/dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_repair_leaves_what_is_right_alone(copy: Path) -> None:
    assert graph.main(["--write"], copy) == 0
    for name in ("dvc.yaml", "studies/dvc.yaml"):
        assert (copy / name).read_bytes() == (ROOT / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("dvc.yaml", "      - creditrisk/data/outliers.py\n"),
        ("dvc.yaml", "        - creditrisk/models/steps.py\n"),
        ("dvc.yaml", "        - creditrisk/reporting/pages/${key}\n"),
        ("studies/dvc.yaml", "      - studies/ablation.py\n"),
    ],
)
def test_the_repair_brings_back_what_was_forgotten(copy: Path, name: str, line: str) -> None:
    whole = (copy / name).read_text(encoding="utf-8")
    assert line in whole
    (copy / name).write_text(whole.replace(line, ""), encoding="utf-8")
    assert graph.main([], copy) == 1
    assert graph.main(["--write"], copy) == 0
    assert (copy / name).read_text(encoding="utf-8") == whole


def test_the_repair_removes_what_is_not_imported_and_keeps_data_and_comments(copy: Path) -> None:
    file = copy / "dvc.yaml"
    whole = file.read_text(encoding="utf-8")
    first = "      - stages/rfm.py\n"
    comment = "      # a word on what follows\n"
    wrong = whole.replace(first, f"{comment}{first}      - creditrisk/stats/power.py\n")
    file.write_text(wrong, encoding="utf-8")
    assert graph.main(["--write"], copy) == 0
    assert file.read_text(encoding="utf-8") == whole.replace(first, comment + first)


def test_the_repaired_file_is_the_same_pipeline(copy: Path) -> None:
    def stages(file: Path) -> dict[str, Any]:
        return yaml.safe_load(file.read_text(encoding="utf-8"))["stages"]

    file = copy / "dvc.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("      - creditrisk/io.py\n", ""), encoding="utf-8"
    )
    graph.main(["--write"], copy)
    assert stages(file) == stages(ROOT / "dvc.yaml")
