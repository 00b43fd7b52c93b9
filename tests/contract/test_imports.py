"""The rooms of the house import in one direction only."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.contract import graph

ROOT = graph.ROOT
LEAVES = ("errors", "environment", "params", "paths", "io", "schema")
ROOMS = (  # each may import itself and the rooms above it
    ("data",),
    ("features",),
    ("stats", "segments"),
    ("metrics",),
    ("models",),
    ("validation",),
    ("scoring",),
)
RANK = {room: rank for rank, names in enumerate(ROOMS) for room in names}
FORBIDDEN_IN_PURE_ROOMS = {"yaml", "dvc", "bentoml", "time", "datetime", "requests", "subprocess"}
CODE = sorted((ROOT / "creditrisk").rglob("*.py"))
FOLDERS = ("stages", "studies")
SCRIPTS = sorted(p for top in FOLDERS for p in (ROOT / top).glob("*.py") if p.stem != "__init__")


def room(file: Path) -> str:
    return file.relative_to(ROOT / "creditrisk").parts[0].removesuffix(".py")


def first_party(file: Path) -> set[str]:
    return {room(f) for f in graph.direct(file) if "creditrisk" in f.relative_to(ROOT).parts[:1]}


@pytest.mark.parametrize("file", [f for f in CODE if room(f) in LEAVES], ids=lambda f: f.stem)
def test_leaves_import_nothing_but_errors(file: Path) -> None:
    assert first_party(file) - {"errors"} == set()


@pytest.mark.parametrize(
    "file",
    [f for f in CODE if room(f) in RANK],
    ids=lambda f: str(f.relative_to(ROOT / "creditrisk")),
)
def test_pure_rooms_import_only_rooms_before_them(file: Path) -> None:
    own = room(file)
    allowed = {"schema", "errors", own} | {r for r, rank in RANK.items() if rank < RANK[own]}
    assert first_party(file) <= allowed
    foreign = {name.split(".")[0] for name in graph.imported_names(file)}
    assert not foreign & FORBIDDEN_IN_PURE_ROOMS
    tree = ast.parse(file.read_text(encoding="utf-8"))
    calls = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    assert not calls & {"print", "np.random.seed", "numpy.random.seed", "open"}


@pytest.mark.parametrize(
    "file", [f for f in CODE if room(f) == "reporting"], ids=lambda f: f.stem or "reporting"
)
def test_reporting_imports_no_model_code(file: Path) -> None:
    assert first_party(file) <= {"schema", "errors", "reporting"}
    heavy = {name.split(".")[0] for name in graph.imported_names(file)}
    assert not heavy & {"sklearn", "xgboost", "imblearn", "statsmodels", "openTSNE", "pandas"}


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_stages_and_studies_are_thin(file: Path) -> None:
    tops = {name.split(".")[0] for name in graph.imported_names(file)}
    third_party = tops - set(sys.stdlib_module_names) - {"creditrisk"}
    assert third_party <= {"pydantic"}, "logic with pandas or scikit-learn belongs in creditrisk/"
    assert not any(f.parent.name in FOLDERS for f in graph.direct(file))
    tree = ast.parse(file.read_text(encoding="utf-8"))
    main = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "main")
    assert main.end_lineno - main.lineno < 40
    assert ast.get_docstring(tree), "the header says what it turns into what"


def test_package_files_are_empty() -> None:
    files = [p for top in ("creditrisk", *FOLDERS) for p in (ROOT / top).rglob("__init__.py")]
    assert files
    assert [p for p in files if p.read_bytes()] == []


def test_every_room_has_a_rank() -> None:
    edges = {
        "fetching",
        "guards",
        "run",
        "studies",
        "cli",
        "scale",
        "__main__",
        "serving",
        "reporting",
        "__init__",
    }
    assert {room(f) for f in CODE} <= edges | set(LEAVES) | set(RANK)


def test_the_service_starts_light() -> None:
    """Start-up time and memory: no data-frame, plotting or estimator library on the way."""
    reached = {ROOT / name for name in graph.closure(ROOT / "service.py")}
    names = {name.split(".")[0] for file in reached for name in graph.imported_names(file)}
    top_level = set()
    for file in reached:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                top_level.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                top_level.add(str(node.module).split(".")[0])
    assert {"bentoml"} <= names
    assert not top_level & {"pandas", "sklearn", "matplotlib", "joblib", "statsmodels", "imblearn"}
    assert not any(p.parent.name in (*FOLDERS, "reporting") for p in reached)
