"""Files are written whole or not at all, and the same content gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from creditrisk import io


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="disk"), io.atomic(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("disk")
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_json_rounds_to_six_digits_and_keeps_whole_numbers(tmp_path: Path) -> None:
    io.write_json(
        tmp_path / "x.json", {"a": np.float64(1 / 3), "n": np.int64(2_867_208), "b": np.bool_(True)}
    )
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": 0.333333, "n": 2867208, "b": True}


@pytest.mark.parametrize(
    "bad", [float("nan"), float("inf"), np.float32("nan"), np.array([1.0, np.inf])]
)
def test_a_number_that_is_not_finite_is_refused_by_its_key(tmp_path: Path, bad: object) -> None:
    with pytest.raises(io.NonFiniteError, match=r"scores\.auc"):
        io.write_json(tmp_path / "x.json", {"scores": {"auc": bad}})
    assert list(tmp_path.iterdir()) == []


def test_a_value_without_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="where has no JSON form: set"):
        io.plain({"where": {1, 2}})


def test_tables_come_back_as_they_were_and_bytes_repeat(tmp_path: Path) -> None:
    clients = pd.DataFrame(
        {"ID": [1, 2], "x": [0.1, -2.5], "name": ["a", "b"], "flag": [True, False]}
    )
    for name in ("one.parquet", "two.parquet"):
        io.write_table(tmp_path / name, clients)
    pd.testing.assert_frame_equal(io.read_table(tmp_path / "one.parquet"), clients)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_an_absent_column_is_named(tmp_path: Path) -> None:
    io.write_table(tmp_path / "x.parquet", pd.DataFrame({"ID": [1]}))
    with pytest.raises(KeyError, match="LIMIT_BAL"):
        io.read_table(tmp_path / "x.parquet", ["ID", "LIMIT_BAL"])


def test_arrays_repeat_and_pickles_are_refused(tmp_path: Path) -> None:
    values = {"a": np.arange(3), "b": np.array([0.5])}
    for name in ("one.npz", "two.npz"):
        io.write_arrays(tmp_path / name, **values)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert {k: v.tolist() for k, v in io.read_arrays(tmp_path / "one.npz").items()} == {
        "a": [0, 1, 2],
        "b": [0.5],
    }
    np.savez(tmp_path / "bad.npz", a=np.array([object()]))
    with pytest.raises(ValueError, match="allow_pickle"):
        io.read_arrays(tmp_path / "bad.npz")


def test_arrays_have_one_form_whatever_python_writes_them(tmp_path: Path) -> None:
    # fixed bytes: numpy.savez gives others on Python 3.11.2 than on 3.11.7
    io.write_arrays(tmp_path / "x.npz", a=np.arange(10), b=np.linspace(0, 1, 1000))
    expected = "f43a1e8db8f15e61d66a2503e12d306a9701fb543399bac781b6ba2ba26c72f6"
    assert io.sha256(tmp_path / "x.npz") == expected


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert io.sha256(tmp_path / "x") == expected
