"""Each finding of ``doctor``, with the remedy, on folders that are ill in one way."""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from creditrisk.cli import doctor
from creditrisk.cli.health import locks, machine, pipeline, routes
from creditrisk.cli.health.ailments import FAILS, FINE, NOTE, Ailment
from creditrisk.errors import UserError
from tests.unit.tiny_pipeline import write


def one(check: Callable[[Path], Iterator[Ailment]], root: Path) -> tuple[str, str]:
    (ailment,) = check(root)
    return ailment.level, str(ailment)


def test_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert one(machine.python, tmp_path)[0] == FINE
    monkeypatch.setattr(sys, "version_info", (3, 9, 1))
    level, line = one(machine.python, tmp_path)
    assert level == FAILS
    assert "3.9.1, not 3.11 to 3.13: `make setup`" in line


def test_packages(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", "pytest==0.1 \\\n    --hash=sha256:0\n")
    level, line = one(machine.packages, tmp_path)
    assert level == NOTE
    assert "not 0.1" in line
    write(tmp_path, "requirements.txt", "no-such-thing==1\nother-thing==2 ; python_version < '3'\n")
    level, line = one(machine.packages, tmp_path)
    assert level == FAILS
    assert "1 are absent (no-such-thing): `make setup`" in line


def test_memory_is_held_to_what_runs_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = SimpleNamespace(total=4e9, available=3e9)
    monkeypatch.setattr("psutil.virtual_memory", lambda: given)
    monkeypatch.setattr(machine, "CGROUP", tmp_path / "max")
    assert one(machine.memory, tmp_path)[0] == FINE
    write(tmp_path, ".bench/broken.json", "{")
    write(tmp_path, ".bench/cluster.json", '{"peak_mb": 3500}')
    assert one(machine.memory, tmp_path)[0] == NOTE
    write(tmp_path, "max", "2000000000\n")
    level, line = one(machine.memory, tmp_path)
    assert level == FAILS
    assert "of 2,000 MB; the largest stage takes 3,500 MB" in line


def test_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    level, line = one(machine.browser, tmp_path)
    assert level == NOTE
    assert "install one of chromium" in line


def write_pipeline(root: Path) -> None:
    out = {"path": "data/a.csv", "hash": "md5", "md5": "0" * 32, "size": 10**6}
    stage = {"cmd": "x", "deps": ["a.py"], "outs": ["data/a.csv"]}
    write(root, "dvc.yaml", {"stages": {"a": stage}})
    write(root, "dvc.lock", {"stages": {"a": {"cmd": "x", "outs": [out]}}})


def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pipeline(tmp_path)
    assert one(pipeline.disk, tmp_path)[0] == FINE
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1.9e6))
    level, line = one(pipeline.disk, tmp_path)
    assert level == FAILS
    assert "take 2 MB: make room" in line


def test_a_zip_fails_until_dvc_is_told(tmp_path: Path) -> None:
    level, line = one(pipeline.version_control, tmp_path)
    assert level == FAILS
    assert "`dvc config --local core.no_scm true`" in line
    write(tmp_path, ".dvc/config.local", "[core]\n    no_scm = true\n")
    assert one(pipeline.version_control, tmp_path)[0] == NOTE
    (tmp_path / ".git").mkdir()
    assert one(pipeline.version_control, tmp_path)[0] == FINE


def test_windows_line_ends(tmp_path: Path) -> None:
    write_pipeline(tmp_path)
    write(tmp_path, "a.py", "x = 1\n")
    assert one(pipeline.line_ends, tmp_path)[0] == FINE
    write(tmp_path, "a.py", "x = 1\r\n")
    level, line = one(pipeline.line_ends, tmp_path)
    assert level == NOTE
    assert "CRLF in a.py" in line


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def dvc_locks(root: Path) -> tuple[str, str]:
    ailment = next(iter(locks.locks(root)))
    return ailment.level, str(ailment)


@pytest.mark.parametrize("way", ["write", "read"])
def test_a_lock_of_a_process_that_is_no_dvc_fails_and_a_dead_one_does_not(
    tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hold(pid: int) -> None:
        entry = {"pid": pid, "cmd": "dvc repro"}
        held = {way: {"a.csv": entry if way == "write" else [entry]}}
        write(tmp_path, ".dvc/tmp/rwlock", json.dumps(held))

    assert dvc_locks(tmp_path)[0] == FINE
    hold(ended_process())
    level, line = dvc_locks(tmp_path)
    assert level == FINE
    assert "dead processes" in line
    hold(os.getpid())
    monkeypatch.setattr("psutil.Process.cmdline", lambda self: ["python", "server.py"])
    level, line = dvc_locks(tmp_path)
    assert level == FAILS
    assert f"names process {os.getpid()}, which is no DVC" in line
    assert "delete .dvc/tmp/rwlock" in line
    monkeypatch.setattr("psutil.Process.cmdline", lambda self: ["python", "-m", "dvc", "repro"])
    level, line = dvc_locks(tmp_path)
    assert level == NOTE
    assert "DVC is at work" in line


@pytest.mark.parametrize("text", ["{", "[]", '{"write": {"a": {}}}'])
def test_a_damaged_lock_is_named(tmp_path: Path, text: str) -> None:
    write(tmp_path, ".dvc/tmp/rwlock", text)
    level, line = dvc_locks(tmp_path)
    assert level == FAILS
    assert ".dvc/tmp/rwlock is damaged" in line


def test_a_dvc_that_only_holds_the_repository_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, ".dvc/tmp/lock", f" {os.getpid()}\n")
    monkeypatch.setattr("psutil.Process.cmdline", lambda self: ["dvc", "repro"])
    assert dvc_locks(tmp_path)[0] == NOTE
    monkeypatch.setattr("psutil.Process.cmdline", lambda self: ["other"])
    assert dvc_locks(tmp_path)[0] == FINE, "this lock ends with its process"


def test_cache_and_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, ".dvc/cache/files/md5/ab/" + "c" * 30, "12345")
    assert "1 objects" in one(pipeline.cache, tmp_path)[1]
    assert one(pipeline.links, tmp_path)[0] == FINE
    write(tmp_path, ".dvc/config", "[cache]\n    type = hardlink,copy\n    dir = ../elsewhere\n")
    assert "0 objects" in one(pipeline.cache, tmp_path)[1]
    level, line = one(pipeline.links, tmp_path)
    assert level == NOTE
    assert "share their bytes" in line
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert one(pipeline.cache, tmp_path)[0] == FAILS


def test_the_folder_of_dvcs_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "state"
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(folder))
    assert one(pipeline.site_cache, tmp_path)[0] == FINE
    folder.mkdir()
    folder.chmod(0o777)
    level, line = one(pipeline.site_cache, tmp_path)
    assert level == NOTE
    assert "CVE-2025-69872" in line
    monkeypatch.setattr("os.access", lambda path, mode: False)
    level, line = one(pipeline.site_cache, tmp_path)
    assert level == FAILS
    assert 'export DVC_SITE_CACHE_DIR="$HOME/.cache/dvc"' in line


def test_what_killed_runs_left(tmp_path: Path) -> None:
    write(tmp_path, "data/interim/clients.parquet", "x")
    assert one(pipeline.leftovers, tmp_path)[0] == FINE
    write(tmp_path, "data/interim/.clients-a1b2c3d4.parquet", "x")
    (tmp_path / ".dvc/tmp/exps/standalone/tmpabc").mkdir(parents=True)
    half, copies = pipeline.leftovers(tmp_path)
    assert "half-written: data/interim/.clients-a1b2c3d4.parquet" in half.text
    assert "1 folders of experiments" in copies.text
    assert half.level == copies.level == NOTE


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a checkout of the default data set on a machine where no host answers."""

    def refuse(address: tuple[str, int], timeout: float) -> socket.socket:
        raise OSError("no route")

    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CREDIT_DATA", raising=False)
    write(tmp_path, "params.yaml", {"fetch": {"source": "uci"}})
    return tmp_path


def asked(root: Path) -> tuple[Ailment, Ailment]:
    data, remote = routes.network(root)
    return data, remote


def test_being_offline_is_no_failure(offline: Path) -> None:
    data, remote = asked(offline)
    assert data.level == NOTE
    assert "point CREDIT_DATA at a copy" in data.remedy
    assert remote.level == FINE
    write(offline, "data/raw/clients.csv", "x")
    assert str(asked(offline)[0]).endswith("in the tree")


def test_a_copy_that_is_named_must_be_there(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDIT_DATA", str(offline / "no.csv"))
    assert asked(offline)[0].level == FAILS
    write(offline, "no.csv", "x")
    assert asked(offline)[0].level == FINE


def test_a_table_of_ones_own_must_be_there(offline: Path) -> None:
    write(offline, "params.yaml", {"fetch": {"source": "own.csv"}})
    assert asked(offline)[0].level == FAILS
    write(offline, "own.csv", "x")
    assert asked(offline)[0].level == FINE


def test_the_remote_is_looked_at(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def remote(url: str) -> Ailment:
        write(
            offline, ".dvc/config", f"[core]\n    remote = r\n['remote \"r\"']\n    url = {url}\n"
        )
        return asked(offline)[1]

    assert remote("../store").level == NOTE
    (offline / "store").mkdir()
    assert remote("../store").level == FINE
    assert remote("s3://bucket/folder").level == NOTE
    addresses = []

    def answer(address: tuple[str, int], timeout: float) -> SimpleNamespace:
        addresses.append(address)
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr("socket.create_connection", answer)
    assert str(remote("ssh://host.example/x")).endswith("ssh://host.example/x answers")
    assert ("host.example", 22) in addresses


def test_the_exit_code_counts_failures_and_not_notes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def damaged(root: Path) -> Iterator[Ailment]:
        raise UserError("dvc.lock is damaged: restore it from git")
        yield

    def noted(root: Path) -> Iterator[Ailment]:
        yield Ailment("thing", "is odd", "do this", NOTE)

    monkeypatch.setattr(doctor, "CHECKS", (noted,))
    assert doctor.run(argparse.Namespace(mend=False)) == 0
    assert capsys.readouterr().out.splitlines()[0] == "note  thing      is odd: do this"
    monkeypatch.setattr(doctor, "CHECKS", (damaged, noted))
    assert doctor.run(argparse.Namespace(mend=False)) == 1
    out = capsys.readouterr().out
    assert "FAIL  damaged    dvc.lock is damaged" in out
    assert "1 that would make a run fail, 1 notes." in out
