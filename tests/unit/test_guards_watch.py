"""What audit events say of files, and which of it an entry does not declare."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from creditrisk.errors import UserError
from creditrisk.guards import outputs, watch
from creditrisk.guards.declared import Declared

ENTRY = Declared(
    name="probe@one",
    pipeline="dvc.yaml",
    deps=("in.csv", "code"),
    outs=("data/out.csv",),
    metrics=(),
    params={"params.yaml": ("probe",)},
    item="one",
    placeholder="${item}",
)


@pytest.fixture
def ear(tmp_path: Path) -> watch.Ear:
    for name in ("in.csv", "code/a.py", "code/__pycache__/a.cpython-311.pyc", ".git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    heard: list[watch.Heard] = []
    found = watch.Ear(str(tmp_path), heard.append)
    found.heard = heard
    return found


def test_opening_is_reading_or_writing_by_its_flags(ear: watch.Ear, tmp_path: Path) -> None:
    ear.hear("open", (str(tmp_path / "in.csv"), "r", os.O_RDONLY))
    ear.hear("open", (os.fsencode(tmp_path / "out.csv"), None, os.O_WRONLY | os.O_CREAT))
    ear.hear("open", (str(tmp_path / "in.csv"), "r", os.O_RDONLY))
    assert ear.heard == [("read", "in.csv"), ("write", "out.csv")]


def test_relative_names_count_from_the_working_folder(
    ear: watch.Ear, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path / "code")
    ear.hear("open", ("../in.csv", "r", os.O_RDONLY))
    assert ear.heard == [("read", "in.csv")]


def test_a_compiled_module_stands_for_its_source(
    ear: watch.Ear, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = str(tmp_path / "code/__pycache__/a.cpython-311.pyc")
    ear.hear("open", (compiled, "r", os.O_RDONLY))
    ear.hear("open", (compiled + ".123", "wb", os.O_WRONLY))
    ear.hear("open", (compiled.replace("a.cpython-311.pyc", "cache.nbi"), "rb", os.O_RDONLY))
    assert ear.heard == [("read", "code/a.py")]
    ear.seen.clear()
    monkeypatch.setattr(sys, "pycache_prefix", "/elsewhere")
    ear.hear("open", (f"/elsewhere{tmp_path}/code/a.cpython-311.pyc", "r", os.O_RDONLY))
    assert ear.heard == [("read", "code/a.py")] * 2


def test_what_is_not_ours_is_not_heard(ear: watch.Ear, tmp_path: Path) -> None:
    for place in (3, "/etc/passwd", str(tmp_path / ".git/config"), str(tmp_path / "absent.csv")):
        ear.hear("open", (place, "r", os.O_RDONLY))
    ear.hear("open", (str(tmp_path) + "-other", "w", os.O_WRONLY))
    ear.hear("os.mkdir", (str(tmp_path / "code"), 0o777, -1))
    ear.hear("os.remove", ("in.csv", 5))
    assert ear.heard == []


def test_a_file_may_be_written_removed_and_written_again(ear: watch.Ear, tmp_path: Path) -> None:
    place = str(tmp_path / "x.csv")
    for _ in range(2):
        ear.hear("open", (place, "w", os.O_WRONLY))
        ear.hear("os.remove", (place, -1))
    ear.hear("open", (place, "w", os.O_WRONLY))
    assert watch.judge(ENTRY, ear.heard) == ([], ["x.csv"])


def test_declared_files_pass() -> None:
    heard = [
        ("read", "in.csv"),
        ("read", "code/a.py"),
        ("read", "params.yaml"),
        ("read", "creditrisk/paths.py"),
        ("read", "creditrisk/models/__init__.py"),
        ("make", "data"),
        ("write", "data/.out-a1b2c3d4.csv"),
        ("gone", "data/.out-a1b2c3d4.csv"),
        ("write", "data/out.csv"),
        ("read", "data/out.csv"),
    ]
    assert watch.judge(ENTRY, heard) == ([], [])
    watch.check(ENTRY, heard)  # which refuses what is judged, and nothing here


def test_what_was_written_and_moved_counts_as_what_is_left() -> None:
    heard = [("write", ".x-1"), ("read", ".x-1"), ("gone", ".x-1"), ("write", "x.csv")]
    assert watch.judge(ENTRY, heard) == ([], ["x.csv"])


def test_removing_what_others_made_counts_as_writing() -> None:
    assert watch.judge(ENTRY, [("gone", "in.csv")]) == ([], ["in.csv"])


def test_a_file_that_a_parameter_names_may_be_read() -> None:
    heard = [("read", "mine.csv")]
    assert watch.judge(ENTRY, heard) == (["mine.csv"], [])
    assert watch.judge(ENTRY, heard, named=["mine.csv"]) == ([], [])


def test_the_words_are_the_lines_to_add() -> None:
    heard = [("read", "z.csv"), ("read", "data/one.json"), ("make", "new"), ("write", "new/o.csv")]
    with pytest.raises(UserError) as caught:
        watch.check(ENTRY, heard)
    assert str(caught.value) == (
        "it reads what dvc.yaml does not declare; leave it alone, or add to its entry\n"
        "      deps:\n"
        "        - data/${item}.json\n"
        "        - z.csv\n"
        "it writes what dvc.yaml does not declare; leave it alone, or add to its entry\n"
        "      outs:\n"
        "        - new\n"
        "        - new/o.csv"
    )


def test_what_a_killed_run_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (".out-a1b2c3d4.csv", ".out-a1b2c3d4.json", ".other-a1b2c3d4.csv", "out.csv"):
        Path(name).touch()
    outputs.remove_leftovers(["out.csv", "absent/out.csv"])
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        ".other-a1b2c3d4.csv",
        ".out-a1b2c3d4.json",
        "out.csv",
    ]


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_a_metric_that_is_no_number_is_named(tmp_path: Path, number: str) -> None:
    file = tmp_path / "m.json"
    file.write_text('{"a": 1, "curve": {"auc": [0.5, ' + number + "]}}")
    with pytest.raises(UserError, match=r"m\.json: curve\.auc\[1\] is (nan|-?inf)"):
        outputs.check_metrics([str(file)])
