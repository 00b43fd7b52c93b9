"""A change of an input is seen, whatever it is made to look like."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from creditrisk.errors import UserError
from creditrisk.guards import inputs

DEPS = ("table.csv", "code", "big.bin")
PARAMS = {"params.yaml": ("own", "shared.key")}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("table.csv").write_text("a\n1\n")
    Path("code/__pycache__").mkdir(parents=True)
    Path("code/a.py").write_text("x = 1\n")
    Path("big.bin").write_bytes(bytes(inputs.HASHED_BELOW + 1))
    Path("params.yaml").write_text("own: {a: 1}\nshared: {key: 2, other: 3}\n")
    return tmp_path


def check_after(change) -> None:
    before = inputs.take(DEPS, PARAMS)
    change()
    inputs.check(before, DEPS, PARAMS)


def forge() -> None:
    """Change a byte, and put size and time back."""
    file = Path("table.csv")
    was = file.stat()
    with file.open("r+") as stream:
        stream.write("b")
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert file.stat().st_mtime_ns == was.st_mtime_ns


def replace_with_the_same() -> None:
    Path("new.csv").write_bytes(Path("table.csv").read_bytes())
    Path("new.csv").replace("table.csv")


def grow() -> None:
    with Path("big.bin").open("ab") as stream:
        stream.write(b"1")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda: Path("table.csv").write_text("a\n2\n"), "table.csv"),
        (forge, "table.csv"),
        (replace_with_the_same, "table.csv"),
        (lambda: Path("table.csv").unlink(), "table.csv"),
        (lambda: Path("code/b.py").write_text("y = 1\n"), "code/b.py"),
        (lambda: Path("code/a.py").unlink(), "code/a.py"),
        (grow, "big.bin"),
        (lambda: Path("params.yaml").write_text("own: {a: 2}\nshared: {key: 2}\n"), "own"),
        (lambda: Path("params.yaml").write_text("own: {a: 1}\nshared: {}\n"), "shared.key"),
    ],
)
def test_a_change_names_the_input(change, name: str) -> None:
    with pytest.raises(UserError, match=rf"^{name}( in params.yaml)? changed while the stage ran"):
        check_after(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda: None,
        lambda: Path("table.csv").chmod(0o444),
        lambda: Path("code/__pycache__/a.cpython-311.pyc").write_bytes(b"1"),
        lambda: Path("code/a.pyc").write_bytes(b"1"),
        lambda: Path("params.yaml").write_text("# 2\nown: {a: 1}\nshared: {key: 2, other: 4}\n"),
    ],
)
def test_what_is_no_input_may_change(change) -> None:
    check_after(change)


def test_a_missing_input_is_named() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        inputs.take(["absent.csv"], ())
    assert caught.value.filename == "absent.csv"
