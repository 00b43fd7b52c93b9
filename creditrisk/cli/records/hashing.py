"""Hashes of files and folders as DVC records them, computed afresh on every call."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TypeVar

from creditrisk.cli.records.lockfile import Entry

QUIET_SECONDS = 2.0
"""What takes longer says how far it is, as often."""
GivenT = TypeVar("GivenT")
FoundT = TypeVar("FoundT")


def md5_of_bytes(data: bytes) -> str:
    """Return the MD5 of bytes as hexadecimal text; DVC's content address, no protection."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def md5_of_file(path: Path) -> str:
    """Return the MD5 of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return digest.hexdigest()


def entry(root: Path, path: str) -> Entry | None:
    """Return what DVC would record for a path, or None where there is nothing."""
    full = root / path
    try:
        if not full.is_dir():
            return Entry(md5_of_file(full), full.stat().st_size)
    except FileNotFoundError:
        return None
    files = sorted(_files(root, full))
    listed = [{"md5": md5_of_file(full / relative), "relpath": relative} for relative in files]
    size = sum((full / relative).stat().st_size for relative in files)
    return Entry(f"{manifest_md5(listed)}.dir", size, len(files))


def manifest_md5(files: list[dict[str, str]]) -> str:
    """Return the MD5 of a folder's manifest: name and MD5 of every file in it."""
    return md5_of_bytes(json.dumps(files, sort_keys=True).encode())


def _files(root: Path, folder: Path) -> Iterator[str]:
    """Yield the files below a folder that ``.dvcignore`` leaves in."""
    ignored = _ignored(root)
    for file in folder.rglob("*"):
        if file.is_file() and not ignored(file.relative_to(root).as_posix()):
            yield file.relative_to(folder).as_posix()


@cache
def _ignored(root: Path) -> Callable[[str], bool]:
    from pathspec import GitIgnoreSpec

    file = root / ".dvcignore"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return GitIgnoreSpec.from_lines([".git/", ".dvc/", *lines]).match_file


def in_threads(
    function: Callable[[GivenT], FoundT], given: Iterable[GivenT], title: str
) -> dict[GivenT, FoundT]:
    """Apply a function to each thing in threads; hashing lets other threads run.

    Parameters
    ----------
    function : callable
    given : iterable
        Hashable things, each done once.
    title : str
        What is being done, for a line of progress every two seconds.

    Returns
    -------
    dict
        Thing → result, in the order given.
    """
    things = list(dict.fromkeys(given))
    found, said = {}, time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for thing, result in zip(things, pool.map(function, things), strict=True):
            found[thing] = result
            if time.monotonic() - said > QUIET_SECONDS:
                said = time.monotonic()
                print(f"{title}: {len(found)} of {len(things)}", file=sys.stderr, flush=True)
    return found


def entries(root: Path, paths: Iterable[str]) -> dict[str, Entry | None]:
    """Return :func:`entry` of many paths."""
    return in_threads(lambda path: entry(root, path), paths, "hashing files")
