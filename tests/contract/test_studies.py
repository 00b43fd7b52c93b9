"""studies/dvc.yaml, studies/params.yaml, paths.py and the studies' code say the same thing."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml

from creditrisk import params, paths, run
from tests.contract import graph

ROOT = graph.ROOT
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STUDIES = yaml.safe_load((ROOT / "studies/dvc.yaml").read_text(encoding="utf-8"))["stages"]
SECTIONS = yaml.safe_load((ROOT / paths.STUDY_PARAMS).read_text(encoding="utf-8"))
SHARED = yaml.safe_load((ROOT / paths.PARAMS).read_text(encoding="utf-8"))


def module(name: str) -> Any:
    return importlib.import_module(f"studies.{name}")


def params_of(name: str) -> dict[str, list[str]]:
    """Return the keys that a study's stage reads, by file."""
    return {file: keys for entry in STUDIES[name].get("params", []) for file, keys in entry.items()}


def test_the_studies_are_a_repository_of_their_own_that_works_from_the_root() -> None:
    assert (ROOT / "studies/.dvc/config").is_file()
    assert all(stage["wdir"] == ".." for stage in STUDIES.values())


def test_every_study_has_its_file_its_section_and_a_description() -> None:
    names = run.script_names("studies")
    assert sorted(STUDIES) == sorted(SECTIONS) == names
    assert not set(names) & set(run.script_names()), "one command runs stages and studies by name"
    for name, stage in STUDIES.items():
        assert len(stage["desc"]) > 20, f"{name}: desc says what goes in and what comes out"


@pytest.mark.parametrize("name", STUDIES)
def test_code_dependencies_are_the_import_graph(name: str) -> None:
    stated = {d for d in STUDIES[name]["deps"] if graph.IS_CODE.match(d)}
    expected = graph.expected_code("studies", name)
    assert sorted(expected - stated) == [], "missing in studies/dvc.yaml: it would go stale"
    assert sorted(stated - expected) == [], "superfluous in studies/dvc.yaml: it would rerun"


@pytest.mark.parametrize("name", STUDIES)
def test_commands_go_through_the_runner(name: str) -> None:
    assert STUDIES[name]["cmd"] == f"python -m creditrisk.run {name}"


@pytest.mark.parametrize("name", STUDIES)
def test_files_are_those_of_the_path_table(name: str) -> None:
    defaults = inspect.signature(module(name).main).parameters.values()
    files = {p.default.as_posix() for p in defaults if isinstance(p.default, Path)}
    stated = {d for d in STUDIES[name]["deps"] if not graph.IS_CODE.match(d)}
    assert files == stated | {paths.study(name).as_posix()}


@pytest.mark.parametrize("name", STUDIES)
def test_a_studys_only_output_is_its_document_which_git_keeps(name: str) -> None:
    assert STUDIES[name]["outs"] == [{paths.study(name).as_posix(): {"cache": False}}]
    assert not {"metrics", "plots"} & set(STUDIES[name])


@pytest.mark.parametrize("name", STUDIES)
def test_the_section_fits_the_study_and_is_all_that_reruns_it(name: str) -> None:
    reads = getattr(module(name), "READS", ())
    params.parse(
        module(name).Params, SECTIONS[name] | {section: SHARED[section] for section in reads}, name
    )
    stated = params_of(name)
    assert stated.pop(paths.STUDY_PARAMS.as_posix()) == [name]
    shared = stated.pop(paths.PARAMS.as_posix(), [])
    assert {key.split(".")[0] for key in shared} == set(reads)
    assert stated == {}


def test_the_pipeline_reads_every_study_and_runs_none() -> None:
    stages = PIPELINE["stages"]
    assert not set(stages) & set(STUDIES)
    results = {paths.study(name).as_posix() for name in STUDIES}
    read = {dep for stage in stages.values() for dep in stage.get("deps", ())}
    assert results <= read
    for name, stage in stages.items():
        outs = str(stage.get("outs", "")) + str(stage.get("do", {}).get("outs", ""))
        assert "studies/" not in outs, f"{name}: only `make studies` writes there"
