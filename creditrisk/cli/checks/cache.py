"""Every object of DVC's cache against its name, and every remembered run against its own.

DVC trusts a read-only object by its name alone; a flipped byte in it would be linked
into the working tree and called up to date.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from creditrisk.cli.checks.findings import Finding, Section
from creditrisk.cli.records import changes as compare
from creditrisk.cli.records import lockfile
from creditrisk.cli.records.hashing import in_threads, md5_of_file
from creditrisk.cli.records.lockfile import Stage
from creditrisk.errors import UserError

OBJECT = re.compile(r"[0-9a-f]{32}(\.dir)?")
UNHASHED = ("size", "nfiles")
"""Keys that DVC leaves out when it names a run."""


def objects(cache: Path) -> list[Path]:
    """Return the files of a cache that are named by their content."""
    files = (cache / "files" / "md5").glob("??/*")
    return sorted(f for f in files if OBJECT.fullmatch(f.parent.name + f.name))


def check(root: Path, stages: Sequence[Stage]) -> Section:
    """Hash every cached object and every remembered run of all pipelines.

    Parameters
    ----------
    root : Path
        The repository.
    stages : sequence of Stage
        Give an object's name in the working tree where they know it.

    Returns
    -------
    Section
    """
    caches = dict.fromkeys(compare.cache_folder(root, p) for p in lockfile.PIPELINES)
    files = [file for cache in caches for file in objects(cache)]
    runs = sorted(file for cache in caches for file in (cache / "runs").glob("??/*/*"))
    names = {e.md5: path for path, e in compare.made(stages).items() if e}
    found = in_threads(_wrong, files, "hashing the cache")
    findings = [_damaged(file, why, names, root) for file, why in found.items() if why]
    findings += [
        Finding(f"{_shown(run, root)} (a remembered run): {why}", f"delete it: {REMOVAL}")
        for run in runs
        if (why := _wrong_run(run))
    ]
    size = sum(file.stat().st_size for file in files)
    looked_at = f"{len(files)} objects, {size / 1e6:,.1f} MB, {len(runs)} remembered runs"
    return Section("cache", looked_at, findings)


REMOVAL = "DVC makes it anew when it is needed"


def _damaged(file: Path, why: str, names: Mapping[str, str], root: Path) -> Finding:
    of = names.get(file.parent.name + file.name)
    return Finding(
        f"{_shown(file, root)} ({of or 'of an earlier run'}): {why}",
        "delete it, then `dvc repro` (or `dvc pull`)" if of else "delete it",
    )


def _shown(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)


def _wrong(file: Path) -> str:
    """Return what is wrong with an object; empty when its content has its name."""
    named = (file.parent.name + file.name).removesuffix(".dir")
    try:
        md5 = md5_of_file(file)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if md5 == named else f"its content has md5 {md5}"


def _wrong_run(file: Path) -> str:
    """Return what is wrong with a remembered run; empty when its content has its names."""
    try:
        document = lockfile.read_yaml(file)
        key = document | {"outs": [out["path"] for out in document.get("outs", [])]}
        names = (_sha256(key), _sha256(document))
    except (UserError, AttributeError, LookupError, TypeError, ValueError):
        return "cannot be read"
    return "" if names == (file.parent.name, file.name) else "its content has another name"


def _sha256(document: Any) -> str:
    """Return the hash under which DVC files a run."""
    return hashlib.sha256(json.dumps(_hashed(document), sort_keys=True).encode()).hexdigest()


def _hashed(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _hashed(v) for k, v in value.items() if k not in UNHASHED}
    return [_hashed(v) for v in value] if isinstance(value, list) else value
