"""A stage ends when the DVC that started it ends, so that a killed pipeline leaves nothing running.

DVC starts a command through the user's shell. Most shells give their place to a single command, so that
DVC is the parent, and the kernel can be asked to end the stage with it. Some stay in between:
then a thread looks after the shell's own parent. All this works on Linux; elsewhere a stage
outlives a killed DVC, and its lock keeps the next run away until it has ended.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from creditrisk.errors import UserError

PR_SET_PDEATHSIG = 1
SECONDS_BETWEEN_LOOKS = 0.2


def end_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends.

    Parameters
    ----------
    parent : int
        The process that should be the parent. If it has ended before the kernel was asked,
        this process ends at once.
    """
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        _end()


def end_with_dvc() -> None:
    """Tie this process to the DVC that started it; a run by hand may outlive its terminal.

    Raises
    ------
    UserError
        When that DVC has ended already.
    """
    if sys.platform != "linux" or "DVC_STAGE" not in os.environ:
        return
    parent = starter = os.getppid()
    end_with_parent(parent)
    if _is_shell(parent):
        starter = _parent(parent)
        threading.Thread(target=_end_with, args=(parent, starter), daemon=True).start()
    if starter == 1 and b"dvc" not in _command(1):  # orphans belong to the first process
        raise UserError("the DVC that started this stage has ended")


def _end_with(shell: int, starter: int) -> None:
    """Wait until the shell has another parent than the one that started it."""
    while _parent(shell) == starter:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    _end()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _is_shell(process: int) -> bool:
    """Say whether a process was started to run our command line."""
    words = _command(process).split(b"\0")
    return b"-c" in words and b"creditrisk.run" in words[words.index(b"-c") + 1]


def _command(process: int) -> bytes:
    """Return a process's command line; nothing when it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def _parent(process: int) -> int:
    """Return a process's parent, 1 when the process itself has ended."""
    try:
        # the name in brackets may hold anything, so the fields count from its end
        return int(Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
    except OSError:
        return 1
