"""Nothing that a stage reads may change while it runs.

DVC hashes dependencies when a command has ended. A file that is edited meanwhile would be
recorded as it is now beside a result of what it was, and nothing would ever rerun. The runner
therefore takes a snapshot before the stage's first line and compares when its last has run.

What remains is the time between that comparison and DVC's own hash, some ten milliseconds.

A dependency counts as changed when it was written again, even with the same bytes: the stage may
have read what stood there in between. Of parameter files only the declared keys count.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from creditrisk.errors import UserError
from creditrisk.guards.declared import LOADER

HASHED_BELOW = 1 << 20
"""Bytes. Larger files are told by inode, size and time alone: hashing the models and tables
that `evaluate` reads twice would take longer than all other guards together."""

IGNORED = ("__pycache__",)
"""Folders in a declared folder that ``.dvcignore`` leaves out."""


class Snapshot(NamedTuple):
    """The state of all inputs at one moment."""

    files: Mapping[str, tuple[int | bytes, ...]]
    """File → inode, size, time of its last change in ns, and SHA-256 of a small one."""
    params: Mapping[str, bytes]
    """Parameter file → its bytes."""


def take(deps: Iterable[str], params: Iterable[str]) -> Snapshot:
    """Look at every input, relative to the working folder.

    Parameters
    ----------
    deps : iterable of str
        Files and folders.
    params : iterable of str
        Parameter files.

    Raises
    ------
    FileNotFoundError
        Naming an input that is not there.
    """
    return Snapshot(
        files={file: _state(file) for dep in deps for file in _files(dep)},
        params={file: Path(file).read_bytes() for file in params},
    )


def check(before: Snapshot, deps: Iterable[str], params: Mapping[str, tuple[str, ...]]) -> None:
    """Compare the inputs with what they were.

    Parameters
    ----------
    before : Snapshot
        Taken when the run began.
    deps : iterable of str
        As then.
    params : mapping
        Parameter file → declared keys.

    Raises
    ------
    UserError
        Naming every input that changed. Nothing is removed: DVC records a run only when its
        command succeeds, so the outputs count as modified until the stage has run again.
    """
    try:
        now = take(deps, params)
    except FileNotFoundError as error:
        raise _changed([str(error.filename)]) from None
    changed = [
        file
        for file in sorted({*before.files, *now.files})
        if before.files.get(file) != now.files.get(file)
    ]
    for file, keys in params.items():
        if before.params[file] != now.params[file]:
            old, new = (yaml.load(s.params[file], LOADER) for s in (before, now))  # noqa: S506
            changed += [f"{k} in {file}" for k in keys if _value(old, k) != _value(new, k)]
    if changed:
        raise _changed(changed)


def _changed(names: list[str]) -> UserError:
    return UserError(
        f"{', '.join(names)} changed while the stage ran, so nobody can say what its outputs "
        "were made from: run it again"
    )


def _files(dep: str) -> Iterator[str]:
    """Yield a file, or every file of a folder that DVC looks at."""
    if not os.path.isdir(dep):
        yield dep
        return
    for folder, folders, names in os.walk(dep):
        folders[:] = [f for f in folders if f not in IGNORED]
        yield from (Path(folder, name).as_posix() for name in names if not name.endswith(".pyc"))


def _state(file: str) -> tuple[int | bytes, ...]:
    """Return what tells a file from what it was."""
    with open(file, "rb") as stream:
        found = os.fstat(stream.fileno())
        told = (found.st_ino, found.st_size, found.st_mtime_ns)
        if found.st_size > HASHED_BELOW:
            return told
        return (*told, hashlib.sha256(stream.read()).digest())


def _value(document: Any, key: str) -> Any:
    """Return the value of a dotted key; None where there is none."""
    for part in key.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document
