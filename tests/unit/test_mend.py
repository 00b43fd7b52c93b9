"""What a killed DVC cuts off, at whatever byte, is found and made whole."""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from creditrisk import paths
from creditrisk.cli import doctor
from creditrisk.cli.health import locks
from creditrisk.errors import UserError
from tests.small_pipeline import dvc, git

ROOT = Path(__file__).resolve().parents[2]
ALL_DIGITS = next(
    n for n in range(10**6) if hashlib.md5(f"{n}\n".encode()).hexdigest()[:10].isdecimal()
)
"""What an output holds whose MD5 looks like a number for long."""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Return a clone in which a pipeline of two stages has run and is committed."""
    git(tmp_path, "init", "--quiet")
    dvc(tmp_path, "init", "--quiet")
    entry = "  s{0}:\n    cmd: echo {0} > o{0}\n    deps: [in]\n    outs: [o{0}]\n"
    stages = "".join(entry.format(n) for n in ("x", ALL_DIGITS))
    (tmp_path / "in").write_text("", encoding="utf-8")
    (tmp_path / "dvc.yaml").write_text(f"stages:\n{stages}", encoding="utf-8")
    dvc(tmp_path, "repro", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "ran")
    return tmp_path


def test_at_whatever_byte_the_lock_is_cut_dvc_reads_it_after_mending(repo: Path) -> None:
    from dvc.repo import Repo

    lock = repo / "dvc.lock"
    whole = lock.read_bytes()
    n_mended = 0
    for length in range(0, len(whole), 3):
        lock.write_bytes(whole[:length])
        done = list(locks.mend(repo))
        if done:
            n_mended += 1
            assert done == ["dvc.lock was cut off: it is HEAD's again"]
            assert lock.read_bytes() == whole
        else:
            assert lock.read_bytes() == whole[:length], "what DVC can read is left alone"
            try:
                with Repo(str(repo)) as repository:
                    repository.status()
            except Exception as error:  # pragma: no cover
                pytest.fail(f"cut at {length}, left alone, and DVC says: {error!r}")
    assert n_mended > len(whole) // 3 // 4


def test_where_git_has_no_lock_it_is_removed_and_dvc_goes_on(repo: Path) -> None:
    git(repo, "rm", "--quiet", "--cached", "dvc.lock")
    git(repo, "commit", "--quiet", "--message", "no lock")
    (repo / "dvc.lock").write_text("")
    assert list(locks.mend(repo)) == ["dvc.lock was cut off and is removed: DVC makes it anew"]
    assert "Running stage" not in dvc(repo, "repro"), "the run cache has both stages"


@pytest.mark.parametrize("text", ["", "{", '{"write": {"a": {"pid"'])
def test_a_cut_list_of_running_stages_is_removed(repo: Path, text: str) -> None:
    rwlock = repo / ".dvc/tmp/rwlock"
    rwlock.write_text(text)
    with pytest.raises(AssertionError, match="structure is corrupted"):
        dvc(repo, "repro")
    assert list(locks.mend(repo)) == [
        ".dvc/tmp/rwlock was cut off and is removed: DVC makes it anew"
    ]
    dvc(repo, "repro")


def test_nothing_is_touched_while_a_dvc_is_at_work(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo / "dvc.lock").write_text("")
    (repo / ".dvc/tmp/lock").write_text(f" {os.getpid()}\n")
    monkeypatch.setattr("psutil.Process.cmdline", lambda self: ["dvc", "repro"])
    with pytest.raises(UserError, match="DVC is at work"):
        list(locks.mend(repo))
    assert (repo / "dvc.lock").read_text() == ""


def test_the_doctor_names_the_remedy_and_says_whether_to_try_again(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(paths, "ROOT", repo)
    monkeypatch.setattr(doctor, "CHECKS", (locks.locks,))
    mend: Callable[[bool], int] = lambda on: doctor.run(argparse.Namespace(mend=on))  # noqa: E731
    assert mend(True) == 1
    assert "nothing to mend" in capsys.readouterr().err
    (repo / "dvc.lock").write_text("schema: '2.0'\nstages:\n  s1:\n")
    assert mend(False) == 1
    assert "doctor --mend" in capsys.readouterr().out
    assert mend(True) == 0
    assert mend(False) == 0


def test_make_repro_mends_and_tries_again() -> None:
    assert "doctor --mend 2>/dev/null && $(RUN) dvc repro" in (ROOT / "Makefile").read_text(
        encoding="utf-8"
    )
