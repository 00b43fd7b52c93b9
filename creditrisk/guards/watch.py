"""Which files of the repository a process really reads and writes, held to what is declared.

Python tells an audit hook of every file that it opens, moves or removes; reading a module counts
as reading its source. Libraries that open files in C++ are made to tell too
(:mod:`creditrisk.guards.native`), and so are the processes that joblib starts
(:mod:`creditrisk.guards.workers`). Not heard: whether a file exists, what a folder lists, modules
that the runner itself had imported before, other native code, and programs that a stage starts
(only `fetch` starts one, pip, which writes to the system's temporary folder). The contract tests
read imports from the syntax tree and see what is not heard here.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from creditrisk.errors import UserError
from creditrisk.guards.declared import Declared

Heard = tuple[str, str]
"""``read``, ``write``, ``make`` (a folder) or ``gone``, and a path from the root."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC
ELSEWHERE = (".git", ".dvc/cache", ".dvc/tmp", ".bench")
"""Folders of the repository that belong to tools."""


class Ear:
    """Turns audit events into notes about files of the repository, each new one once.

    Parameters
    ----------
    root : str
        The repository's root, absolute.
    note : callable
        Takes a :data:`Heard`.
    """

    def __init__(self, root: str, note: Callable[[Heard], None]) -> None:
        self.root = root + os.sep
        self.note = note
        self.seen: set[Heard] = set()
        prefixes = (sys.prefix, sys.exec_prefix, sys.base_prefix)
        homes = [p for p in prefixes if p.startswith(self.root)]
        self.exempt = tuple(
            f"{os.path.join(root, folder)}{os.sep}" for folder in (*ELSEWHERE, *homes)
        )

    def listen(self) -> None:
        """Hear every event from now on; there is no way to stop.

        A stage raises some 80,000 events, of which a few thousand are about files. Calling a
        plain function takes a quarter of the time that calling a method does.
        """
        hear = self.hear

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            if event in MEANINGS:
                hear(event, arguments)

        sys.addaudithook(hook)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take an event of :data:`MEANINGS`."""
        for kind, place in MEANINGS[event](*arguments):
            name = self.inside(place)
            if name is not None and (found := self.told(kind, name)) is not None:
                self.keep(found)

    def keep(self, heard: Heard) -> None:
        """Pass a note on, unless it repeats one: a file that was removed may be written again."""
        kind, path = heard
        if heard in self.seen:
            return
        self.seen.add(heard)
        self.seen.discard(("write" if kind == "gone" else "gone", path))
        self.note(heard)

    def inside(self, place: Any) -> str | None:
        """Return a path from the root; None for what lies elsewhere or is no path."""
        if isinstance(place, bytes):
            place = os.fsdecode(place)
        if not isinstance(place, str):
            return None
        if place.startswith(self.exempt) and ".." not in place:
            return None  # most files are modules of the environment
        path = os.path.abspath(place)
        if sys.pycache_prefix and path.startswith(sys.pycache_prefix):
            path = _source(path) or path
        if not path.startswith(self.root) or path.startswith(self.exempt):
            return None
        return path[len(self.root) :]

    def told(self, kind: str, name: str) -> Heard | None:
        """Return what an event says of a file; None where it says nothing that counts."""
        if "__pycache__" in name:
            source = _source(name) if kind == "read" else None
            if source is None:
                return None
            name = source
        path = self.root + name
        # reading what is not there fails, and so does making what is
        if kind == "read" and not os.path.isfile(path):
            return None
        if kind == "make" and os.path.isdir(path):
            return None
        return kind, name.replace(os.sep, "/")


def _source(path: str) -> str | None:
    """Return the source of a compiled module; None where the file is something else."""
    try:
        return importlib.util.source_from_cache(path)
    except ValueError:
        return None


def _opened(path: Any, mode: Any, flags: Any) -> Iterator[tuple[str, Any]]:
    yield ("write" if isinstance(flags, int) and flags & WRITING else "read"), path


def _moved(source: Any, target: Any, *folders: int) -> Iterator[tuple[str, Any]]:
    if all(f == -1 for f in folders):  # else names count from an open folder
        yield "gone", source
        yield "write", target


def _removed(path: Any, *folders: int) -> Iterator[tuple[str, Any]]:
    if all(f == -1 for f in folders):
        yield "gone", path


def _made(path: Any, mode: int, folder: int = -1) -> Iterator[tuple[str, Any]]:
    if folder == -1:
        yield "make", path


def _linked(source: Any, target: Any, *folders: int) -> Iterator[tuple[str, Any]]:
    if all(f == -1 for f in folders):
        yield "write", target


MEANINGS: dict[str, Callable[..., Iterator[tuple[str, Any]]]] = {
    "open": _opened,
    "os.rename": _moved,
    "os.remove": _removed,
    "os.rmdir": _removed,
    "os.mkdir": _made,
    "os.link": _linked,
    "os.symlink": _linked,
    "os.truncate": lambda path, length: iter([("write", path)]),
}


def judge(
    declared: Declared, heard: Iterable[Heard], named: Iterable[str] = ()
) -> tuple[list[str], list[str]]:
    """Return what was read and what was written though nothing declares it.

    Parameters
    ----------
    declared : Declared
        The stage's entry.
    heard : iterable of Heard
        In order, one process after the other.
    named : iterable of str
        Files that parameters or variables name; those who name them may hold them to a hash.

    Returns
    -------
    (list of str, list of str)
        Paths from the root, sorted. A file that was written and moved or removed again counts
        as what is left of it.
    """
    reads: set[str] = set()
    writes: set[str] = set()
    own: set[str] = set()
    for kind, path in heard:
        if kind == "read":
            reads.add(path)
        elif kind == "gone" and path in own:
            writes.discard(path)
        elif not (declared.may_make if kind == "make" else declared.may_write)(path):
            writes.add(path)
        own |= {path} if kind in ("write", "make") else set()
    allowed = {*own, *named}
    undeclared = {
        p for p in reads - allowed if not declared.may_read(p) and not p.endswith("/__init__.py")
    }
    return sorted(undeclared), sorted(writes)


def check(declared: Declared, heard: Iterable[Heard], named: Iterable[str] = ()) -> None:
    """Refuse a run that read or wrote what its entry does not say; see :func:`judge`.

    Raises
    ------
    UserError
        With the lines to add to the pipeline's file.
    """
    reads, writes = judge(declared, heard, named)
    parts = []
    for verb, paths, kind in (("it reads", reads, "deps"), ("it writes", writes, "outs")):
        if paths:
            lines = "\n".join(declared.line(p) for p in paths)
            indent = declared.line("").partition("-")[0][2:]
            parts.append(
                f"{verb} what {declared.pipeline} does not declare; leave it alone, "
                f"or add to its entry\n{indent}{kind}:\n{lines}"
            )
    if parts:
        raise UserError("\n".join(parts))
