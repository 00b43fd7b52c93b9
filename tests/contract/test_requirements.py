"""One pin of every package, for every Python that the project supports."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
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
