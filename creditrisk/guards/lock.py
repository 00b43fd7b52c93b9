"""One run of a stage at a time, whoever started it.

DVC's own locks go with the DVC process; a stage that outlives it would write beside the next
run. The lock here is held by the stage itself. The system releases it when the process ends,
however it ends, so there is no stale lock to take over.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from creditrisk.errors import UserError


@contextmanager
def held(file: Path, name: str) -> Iterator[None]:
    """Hold a stage's lock, and tell others who holds it.

    Parameters
    ----------
    file : Path
        The lock; it is made when missing and stays afterwards.
    name : str
        The stage, for the message.

    Raises
    ------
    UserError
        When another process holds it, naming its number and since when.
    """
    from zc.lockfile import LockError, LockFile

    file.parent.mkdir(parents=True, exist_ok=True)
    holder = f"process {os.getpid()} since {time.strftime('%H:%M:%S on %d %B')}"
    try:
        lock = LockFile(str(file), content_template=holder)
    except LockError:
        raise UserError(
            f"another run of {name} is going on, {_holder(file)}: wait until it has ended, or end it"
        ) from None
    try:
        yield
    finally:
        lock.close()


def _holder(file: Path) -> str:
    """Return what the holder wrote; the first byte is the locked one on Windows."""
    with file.open(encoding="utf-8") as stream:
        stream.seek(1)
        return stream.readline().strip() or "another process"
