"""dvc.yaml, params.yaml, paths.py and the code say the same thing."""

from __future__ import annotations

import importlib
import inspect
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from creditrisk import params, paths, run
from creditrisk.reporting import render
from tests.contract import graph

ROOT = graph.ROOT
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def resolved() -> dict[str, dict[str, Any]]:
    """Return every stage with ``foreach`` groups unrolled: name@item → definition."""
    stages: dict[str, dict[str, Any]] = {}
    for name, stage in PIPELINE["stages"].items():
        if "foreach" not in stage:
            stages[name] = stage
            continue
        items = stage["foreach"]
        for key in items:
            fields = {"key": key, "item": key}
            if isinstance(items, dict):
                fields |= {f"item.{k}": v for k, v in items[key].items()}
            text = yaml.safe_dump(stage["do"])
            for field, value in fields.items():
                text = text.replace("${" + field + "}", str(value))
            assert "${" not in text
            stages[f"{name}@{key}"] = yaml.safe_load(text)
    return stages


STAGES = resolved()


def entry_names(entries: list[Any]) -> list[str]:
    return [next(iter(e)) if isinstance(e, dict) else e for e in entries]


def outs(stage: dict[str, Any]) -> list[str]:
    return [n for kind in ("outs", "metrics", "plots") for n in entry_names(stage.get(kind, []))]


def split(name: str) -> tuple[str, str | None]:
    stage, _, item = name.partition("@")
    return stage, item or None


PAGES = list(PIPELINE["stages"]["report"]["foreach"])


@pytest.mark.parametrize("name", STAGES)
def test_code_dependencies_are_the_import_graph(name: str) -> None:
    stated = {d for d in STAGES[name]["deps"] if graph.IS_CODE.match(d)}
    expected = graph.expected_code("stages", *split(name))
    assert sorted(expected - stated) == [], "missing in dvc.yaml: the stage would go stale"
    assert sorted(stated - expected) == [], "superfluous in dvc.yaml: the stage would rerun in vain"


@pytest.mark.parametrize("name", STAGES)
def test_commands_go_through_the_runner(name: str) -> None:
    stage, item = split(name)
    words = ["python", "-m", "creditrisk.run", stage, *([item] if item else [])]
    assert STAGES[name]["cmd"].split() == words


def test_every_stage_is_described_and_has_its_file() -> None:
    named = set(PIPELINE["stages"])
    assert named == set(run.script_names())
    for name, stage in STAGES.items():
        assert len(stage["desc"]) > 20, f"{name}: desc says what goes in and what comes out"


def default_paths(name: str) -> tuple[set[str], set[str]]:
    """Return the files that a stage's ``main`` names, and patterns for folders and families."""
    main = importlib.import_module(f"stages.{name}").main
    files, patterns = set(), set()
    for parameter in inspect.signature(main).parameters.values():
        default = parameter.default
        if isinstance(default, Path) and default.suffix:
            files.add(default.as_posix())
        elif isinstance(default, Path):
            patterns.add(f"{default.as_posix()}/*")
        elif default is not parameter.empty and callable(default):
            patterns.add(default("*").as_posix())
    return files, patterns


@pytest.mark.parametrize("name", [n for n in STAGES if "@" not in n])
def test_files_are_those_of_the_path_table(name: str) -> None:
    stated = {d for d in STAGES[name]["deps"] if not graph.IS_CODE.match(d)} | set(
        outs(STAGES[name])
    )
    files, patterns = default_paths(name)
    assert files <= stated
    assert all(any(fnmatch(s, p) for s in stated) for p in patterns)
    assert all(any(fnmatch(s, p) for p in patterns) for s in stated - files)


def test_outputs_are_unique_and_git_keeps_only_the_small_ones() -> None:
    all_outs = [o for stage in STAGES.values() for o in outs(stage)]
    assert len(all_outs) == len(set(all_outs))
    for name, stage in STAGES.items():
        for kind in ("outs", "metrics", "plots"):
            for entry in stage.get(kind, []):
                path, options = (
                    next(iter(entry.items())) if isinstance(entry, dict) else (entry, {})
                )
                assert path.startswith("reports/") == (options.get("cache") is False), (name, path)


def lookup(key: str) -> Any:
    value: Any = PARAMS
    for part in key.split("."):
        value = value[part]
    return value


@pytest.mark.parametrize("name", STAGES)
def test_params_exist_and_cover_what_the_stage_reads(name: str) -> None:
    stage, item = split(name)
    module = importlib.import_module(f"stages.{stage}")
    keys = STAGES[name].get("params", [])
    for key in keys:
        lookup(key)
    if not hasattr(module, "Params"):
        assert keys == []
        return
    section = PARAMS[stage]
    if hasattr(module, "select"):
        section = module.select(section, item)
    shared = {name: PARAMS[name] for name in getattr(module, "READS", ())}
    params.parse(module.Params, section | shared, stage)
    assert set(shared) <= set(keys), "a stage that reads another section is stale when it changes"
    assert {k.split(".")[0] for k in keys} == {stage, *shared}
    own = {k.removeprefix(f"{stage}.").split(".")[0] for k in keys if k.startswith(f"{stage}.")}
    if stage not in keys:
        assert {("families" if k == "family" else k) for k in section} == own


OF_COMMANDS = {"compare"}
"""Sections that a command reads and no stage."""


def test_every_param_is_read_by_a_stage() -> None:
    read = {key for stage in STAGES.values() for key in stage.get("params", [])}
    for section in set(PARAMS) - OF_COMMANDS:
        for key in PARAMS[section]:
            prefix = f"{section}.{key}"
            assert section in read or any(
                k == prefix or k.startswith(prefix + ".") for k in read
            ), prefix
    families = {k.split(".")[2] for k in read if k.startswith("train.families.")}
    assert (
        families == set(PARAMS["train"]["families"]) == set(PIPELINE["stages"]["train"]["foreach"])
    )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_uses_no_other_pages_folder(page: str) -> None:
    reached = graph.closure(graph.PAGE_FOLDERS / page / "build.py")
    foreign = {n for n in reached if n.startswith("creditrisk/reporting/pages/")}
    assert all(n.startswith(f"creditrisk/reporting/pages/{page}/") for n in foreign)


def test_pages_show_the_stages_that_dvc_knows_of() -> None:
    stated = PIPELINE["stages"]["report"]["foreach"]
    shown = {
        name: {"stage": page.stage, "beside": page.beside or page.stage}
        for name, page in render.PAGES.items()
    }
    assert stated == shown


def test_pages_and_paths_agree() -> None:
    for item in PAGES:
        assert paths.page(item).as_posix() in outs(STAGES[f"report@{item}"])
