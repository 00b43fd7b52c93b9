"""Who started a stage, and whether it is still there; that it ends with it is tested with processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from creditrisk.errors import UserError
from creditrisk.guards import lifetime

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the parents that the kernel would have been asked to watch."""
    found: list[int] = []
    monkeypatch.setattr(lifetime, "end_with_parent", found.append)
    return found


def test_a_run_by_hand_is_its_own_master(asked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DVC_STAGE", raising=False)
    lifetime.end_with_dvc()
    assert asked == []


def test_the_parent_of_a_stage_of_dvc_is_watched(
    asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_STAGE", "probe")
    lifetime.end_with_dvc()
    assert asked == [os.getppid()]


def test_an_orphan_does_not_begin(asked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STAGE", "probe")
    monkeypatch.setattr(os, "getppid", lambda: 1)
    monkeypatch.setattr(lifetime, "_command", lambda process: b"/sbin/init\0")
    with pytest.raises(UserError, match="has ended"):
        lifetime.end_with_dvc()
    monkeypatch.setattr(lifetime, "_command", lambda process: b"python\0-m\0dvc\0repro\0")
    lifetime.end_with_dvc()  # in a container, where DVC is the first process
    assert asked == [1, 1]


def test_a_shell_that_stays_in_between_is_known_by_its_command() -> None:
    wait = "print(flush=True); input()"
    for words, expected in (
        (["-c", wait, "-c"], False),
        (["-c", f"{wait} # creditrisk.run"], True),
    ):
        command = [sys.executable, *words]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            assert lifetime._is_shell(process.pid) == expected
            assert lifetime._parent(process.pid) == os.getpid()
            process.communicate(b"\n")
        assert not lifetime._is_shell(process.pid), "it has ended"
        assert lifetime._parent(process.pid) == 1
