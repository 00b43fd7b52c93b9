"""The runner's own duties: the numeric environment and clear words for wrong calls."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from creditrisk import environment

ROOT = Path(__file__).resolve().parents[2]


def call(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | extra,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unknown_stage_is_answered_with_the_stages() -> None:
    result = call("-m", "creditrisk.run", "nonsense")
    assert result.returncode != 0
    assert "no stage or study 'nonsense'" in result.stderr
    assert "evaluate" in result.stderr
    assert "ablation" in result.stderr, "studies run through the same door"
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("words", "reason"), [(("train",), "needs an item"), (("clean", "x"), "takes no item")]
)
def test_a_missing_or_superfluous_item_is_said(words: tuple[str, ...], reason: str) -> None:
    result = call("-m", "creditrisk.run", *words)
    assert result.returncode != 0
    assert reason in result.stderr


def test_a_stage_called_by_its_own_name_goes_through_the_runner() -> None:
    result = call("-m", "stages.report", "nonsense")
    assert result.returncode != 0
    assert result.stderr.startswith("report: no item 'nonsense' in dvc.yaml; there are: index, ")


def test_the_parents_environment_does_not_win() -> None:
    code = (
        "from creditrisk import environment; environment.apply();"
        "from numpy._core._multiarray_umath import __cpu_features__ as f;"
        "import os; print(f.get('X86_V4', False), f.get('AVX512F', False), os.environ['OMP_NUM_THREADS'])"
    )
    result = call(
        "-c", code, OMP_NUM_THREADS="7", OPENBLAS_CORETYPE="Zen", NPY_DISABLE_CPU_FEATURES=""
    )
    x86_v4, _, threads = result.stdout.split()
    assert x86_v4 == "False"
    assert threads == "1"
    assert result.stderr == ""


def test_numpy_must_not_be_there_before() -> None:
    import numpy as np  # noqa: F401

    with pytest.raises(RuntimeError, match="before numpy"):
        environment.apply()


def test_only_groups_that_the_processor_has_are_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    skylake = environment.ABOVE_AVX2["X86_V4"] | {"avx2"}
    monkeypatch.setattr(environment, "cpu_flags", lambda: skylake)
    assert environment.numeric()["NPY_DISABLE_CPU_FEATURES"] == "X86_V4"
    monkeypatch.setattr(environment, "cpu_flags", lambda: {"avx2"})
    assert environment.numeric()["NPY_DISABLE_CPU_FEATURES"] == ""
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert "OPENBLAS_CORETYPE" not in environment.numeric()
