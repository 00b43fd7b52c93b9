"""Processes that a stage starts: heard as it is heard, and gone when it is gone.

joblib's workers are new interpreters. Each one begins with :func:`begin`, which joblib is made
to call, and appends what it reads and writes to a file that the stage looks at in the end.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from types import ModuleType

from creditrisk.guards import native
from creditrisk.guards.lifetime import end_with_parent
from creditrisk.guards.watch import Ear, Heard


def follow(root: str, log: Path) -> None:
    """Let joblib's workers begin with :func:`begin`, and native readers tell of their files."""
    log.unlink(missing_ok=True)
    first = functools.partial(begin, os.getpid(), root, str(log))

    def follow_workers(module: ModuleType) -> None:
        start = module.get_memmapping_executor
        module.get_memmapping_executor = functools.partial(  # type: ignore[attr-defined]
            start, initializer=first
        )

    native.install({"joblib._parallel_backends": follow_workers})


def begin(parent: int, root: str, log: str) -> None:
    """Start a worker: tie its life to the stage's, and append what it reads and writes."""
    end_with_parent(parent)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def append(heard: Heard) -> None:
        os.write(file, "\t".join(heard).encode("utf-8", "surrogateescape") + b"\n")

    Ear(root, append).listen()
    native.install({})


def finish(log: Path) -> list[Heard]:
    """End the workers, and return what they read and wrote."""
    if not log.exists():
        return []
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(wait=True)
    lines = log.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    log.unlink()
    return [(kind, path) for kind, _, path in (line.partition("\t") for line in lines)]
