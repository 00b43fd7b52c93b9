"""One pin of every package, for every Python that the project supports."""

from __future__ import annotations

import re

import pytest

from tests.contract import graph

ROOT = graph.ROOT
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*(?:\[[^\]]+\])?)==([^ ;\\]+)", re.MULTILINE)
ASKED_FOR = [
    "dvc",
    "pandas",
    "scikit-learn",
    "imbalanced-learn",
    "scipy",
    "statsmodels",
    "matplotlib",
    "joblib",
    "pyyaml",
    "bentoml",
    "pytest",
]


def pins(name: str) -> dict[str, str]:
    found = PIN.findall((ROOT / name).read_text(encoding="utf-8"))
    assert len(found) == len({package for package, _ in found}), f"{name}: a package has two pins"
    return dict(found)


def test_every_package_has_one_pin_with_hashes() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert len(pins("requirements.txt")) > 50
    for entry in re.split(r"\n(?=[a-z0-9])", text.partition("\n\n")[0] or text):
        if PIN.match(entry):
            assert "--hash=sha256:" in entry


def test_the_packages_that_were_asked_for_are_pinned() -> None:
    pinned = pins("requirements.txt")
    assert set(ASKED_FOR) <= set(pinned)
    assert pinned["xgboost"] == pinned["xgboost-cpu"]


def test_the_service_is_pinned_to_the_same_versions() -> None:
    everything, served = pins("requirements.txt"), pins("requirements-serve.txt")
    assert served
    assert {k: v for k, v in served.items() if everything.get(k) != v} == {}
    assert not set(served) & {"dvc", "pytest", "ruff", "mypy", "matplotlib", "statsmodels"}


def test_no_registry_is_named() -> None:
    for name in (
        "requirements.in",
        "requirements.txt",
        "requirements-serve.txt",
        "pyproject.toml",
        "Makefile",
    ):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "index-url" not in text.replace("--no-emit-index-url", "")
        assert "/simple" not in text


IMPORTED_AS = {
    "pandas": "pandas",
    "scikit-learn": "sklearn",
    "imbalanced-learn": "imblearn",
    "xgboost": "xgboost",
    "scipy": "scipy",
    "statsmodels": "statsmodels",
    "matplotlib": "matplotlib",
    "joblib": "joblib",
    "pyyaml": "yaml",
    "bentoml": "bentoml",
}


@pytest.mark.parametrize("package", IMPORTED_AS)
def test_the_packages_that_were_asked_for_do_real_work(package: str) -> None:
    code = [*(ROOT / "creditrisk").rglob("*.py"), ROOT / "service.py"]
    importers = {
        file
        for file in code
        if IMPORTED_AS[package] in {n.split(".")[0] for n in graph.imported_names(file)}
    }
    assert importers
    doors = [ROOT / "service.py", *(ROOT / "creditrisk/reporting/pages").glob("*/build.py")]
    doors += [p for p in (ROOT / "stages").glob("*.py") if p.stem != "__init__"]
    reached = graph.closure(*doors)
    assert any(file.relative_to(ROOT).as_posix() in reached for file in importers)


def test_the_top_level_is_the_agreed_one() -> None:
    folders = ("stages", "data", "reports", "tests", "docs", "web", "creditrisk")
    files = ("params.yaml", "dvc.yaml", "dvc.lock", "service.py", "requirements.txt", "Makefile")
    assert all((ROOT / name).is_dir() for name in folders)
    assert all((ROOT / name).is_file() for name in files)
