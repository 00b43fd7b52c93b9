"""By how many lines a file has moved since a stage ran, where git knows what it was then."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from creditrisk.cli.records.hashing import manifest_md5, md5_of_bytes

N_COMMITS = 20
"""So many commits that touched a path are looked through for the version that ran."""


def git(root: Path, *arguments: str, given: bytes | None = None) -> bytes | None:
    """Return what git prints, or None where it fails or is not installed."""
    command = ["git", "-C", str(root), "-c", "core.quotepath=false", *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False)
    except OSError:
        return None
    return None if done.returncode else done.stdout


def moved_lines(root: Path, path: str, md5: str) -> tuple[int, int] | None:
    """Return lines added and removed since the version with a hash.

    Parameters
    ----------
    root : Path
    path : str
        File or folder, from the root.
    md5 : str
        Of that version; ends in ``.dir`` for a folder.

    Returns
    -------
    tuple of int, or None
        None where none of the last :data:`N_COMMITS` commits of the path holds it, or
        where its lines cannot be counted.
    """
    log = git(root, "log", f"-{N_COMMITS}", "--format=%H", "--", path)
    for commit in (log or b"").decode().split():
        if _md5_at(root, commit, path) == md5:
            return _count(git(root, "diff", "--numstat", commit, "--", path))
    return None


def _md5_at(root: Path, commit: str, path: str) -> str | None:
    """Return the hash that DVC would have recorded at a commit."""
    tree = git(root, "ls-tree", "-r", "-z", commit, "--", path)
    rows = [row.split("\t", 1) for row in (tree or b"").decode().split("\0") if row]
    names = [name for _, name in rows]
    hashes = _blob_md5s(root, [head.split()[2] for head, _ in rows])
    if names == [path]:
        return hashes[0]
    files = zip(hashes, (name.removeprefix(f"{path}/") for name in names), strict=True)
    listed = [{"md5": md5, "relpath": name} for md5, name in files]
    return f"{manifest_md5(sorted(listed, key=lambda f: f['relpath']))}.dir" if rows else None


def _blob_md5s(root: Path, blobs: Sequence[str]) -> list[str]:
    """Return the MD5 of each blob's content, through one process of git."""
    stream = git(root, "cat-file", "--batch", given="\n".join(blobs).encode()) or b""
    hashes = []
    for _ in blobs:
        head, _, stream = stream.partition(b"\n")
        size = int(head.split()[2])
        hashes.append(md5_of_bytes(stream[:size]))
        stream = stream[size + 1 :]
    return hashes


def _count(numstat: bytes | None) -> tuple[int, int] | None:
    """Sum ``git diff --numstat``; None where a file is binary."""
    rows = [line.split("\t")[:2] for line in (numstat or b"").decode().splitlines()]
    if not rows or any("-" in row for row in rows):
        return None
    return sum(int(added) for added, _ in rows), sum(int(removed) for _, removed in rows)
