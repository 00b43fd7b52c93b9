"""Wrong parameters are all named at once, with what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from creditrisk import params


class Example(params.Params):
    alpha: float
    rule: Literal["zscore", "iqr"]


def test_every_wrong_key_is_named() -> None:
    with pytest.raises(params.ParamsError) as caught:
        params.parse(Example, {"alpha": "much", "rule": "mad", "extra": 1}, "clean")
    message = str(caught.value)
    assert "clean.alpha" in message
    assert "'zscore' or 'iqr'" in message
    assert "got 'mad'" in message
    assert "clean.extra" in message


def test_there_are_no_defaults_and_no_changes() -> None:
    with pytest.raises(params.ParamsError, match=r"clean\.rule: Field required"):
        params.parse(Example, {"alpha": 0.05}, "clean")
    parsed = params.parse(Example, {"alpha": 0.05, "rule": "iqr"}, "clean")
    with pytest.raises(ValueError, match="frozen"):
        parsed.alpha = 0.1


def test_nan_is_no_parameter() -> None:
    with pytest.raises(params.ParamsError, match=r"clean\.alpha"):
        params.parse(Example, {"alpha": float("nan"), "rule": "iqr"}, "clean")


@pytest.mark.parametrize(("key", "value"), [("alpha", True), ("steps", [1, False])])
def test_a_bool_is_no_number(key: str, value: object) -> None:
    class Numbers(params.Params):
        alpha: float
        steps: list[int]
        switch: bool

    given = {"alpha": 0.5, "steps": [1, 2], "switch": True}
    assert params.parse(Numbers, given, "clean").switch is True
    with pytest.raises(params.ParamsError, match=f"{key} takes neither true nor false"):
        params.parse(Numbers, {**given, key: value}, "clean")


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    with pytest.raises(params.ParamsError, match="params.yaml"):
        params.read_section(file, "clean")
    file.write_text("clean: [1")
    with pytest.raises(params.ParamsError, match="params.yaml"):
        params.read_section(file, "clean")
    file.write_text("clean: {alpha: 1}")
    assert params.read_section(file, "clean") == {"alpha": 1}
    assert params.read_section(file, "other") == {}
