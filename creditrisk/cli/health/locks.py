"""DVC's locks: held, left behind, or cut off by a killed DVC, and how they are made whole.

DVC writes ``dvc.lock`` and its list of running stages (``.dvc/tmp/rwlock``) over the old ones. A DVC
that is killed, or finds the disk full, while it does so leaves a part, and every later run refuses it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from creditrisk import io
from creditrisk.cli.checks.findings import listed
from creditrisk.cli.health.ailments import Ailment, fails, note
from creditrisk.cli.records import lockfile, revision
from creditrisk.errors import UserError

MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")
MEND = "`python -m creditrisk doctor --mend` (`make repro` does it)"


def locks(root: Path) -> Iterator[Ailment]:
    """Locks of DVC: held by a DVC that runs, left by a dead process, held by a stranger, or cut."""
    for pipeline in lockfile.PIPELINES:
        rwlock, lock = _files(root, pipeline)
        name = rwlock.relative_to(root).as_posix()
        if lock.exists() and not _is_whole_lock(lock):
            cut = lock.relative_to(root).as_posix()
            yield fails("locks", f"{cut} is damaged, as a killed DVC leaves it", MEND)
        held = _read_rwlock(rwlock)
        if held is None:
            yield fails("locks", f"{name} is damaged, as a killed DVC leaves it", MEND)
            continue
        kinds = {pid: _kind(pid) for pid in _pids(held) | _pid_in(rwlock.with_name("lock"))}
        strangers = [pid for pid in _pids(held) if kinds[pid] == "stranger"]
        busy = [str(pid) for pid, kind in kinds.items() if kind == "dvc"]
        if strangers:
            text = f"{name} names process {listed(map(str, strangers))}, which is no DVC"
            yield fails("locks", text, f"a killed run left it: delete {name}")
        elif busy:
            yield note("locks", f"DVC is at work (process {listed(busy)})", "let it end first")
        else:
            dead = ", but entries of dead processes, which DVC clears by itself"
            yield Ailment("locks", f"none held in {name}{dead if _pids(held) else ''}")


def mend(root: Path) -> Iterator[str]:
    """Make whole what a killed DVC cut off, and leave everything else alone.

    A cut ``dvc.lock`` becomes that of HEAD. What ran since then comes back from DVC's run cache.

    Parameters
    ----------
    root : Path
        The repository.

    Yields
    ------
    str
        What was done.

    Raises
    ------
    UserError
        When a DVC is at work, which may be writing just now.
    """
    for pipeline in lockfile.PIPELINES:
        rwlock, lock = _files(root, pipeline)
        damaged = [f for f in (lock, rwlock) if f.exists() and not WHOLE[f.name](f)]
        if not damaged:
            continue
        busy = [pid for pid in _pid_in(rwlock.with_name("lock")) if _kind(pid) == "dvc"]
        if busy:
            raise UserError(f"DVC is at work (process {busy[0]}): nothing was touched")
        for file in damaged:
            yield _mend(file, root)


def _mend(file: Path, root: Path) -> str:
    name = file.relative_to(root).as_posix()
    if file.name == "dvc.lock":
        try:
            io.write_text(file, revision.find("HEAD", root).text(name))
        except UserError:  # no git, or never committed
            pass
        else:
            return f"{name} was cut off: it is HEAD's again"
    file.unlink()
    return f"{name} was cut off and is removed: DVC makes it anew"


def _files(root: Path, pipeline: str) -> tuple[Path, Path]:
    """Return the list of running stages and the lock of a pipeline."""
    return root / pipeline / ".dvc/tmp/rwlock", root / pipeline / "dvc.lock"


def _is_whole_lock(file: Path) -> bool:
    """Tell whether DVC can work with a ``dvc.lock``.

    DVC's own description of the file lets half a hash pass, which is a number where it has no
    letter yet, and then DVC ends with "unexpected error".
    """
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from voluptuous import Invalid

    try:
        stages = COMPILED_LOCKFILE_SCHEMA(lockfile.read_yaml(file)).get("stages", {})
    except (UserError, Invalid):
        return False
    return all(
        entry.get("hash") == "md5" and MD5.fullmatch(str(entry.get("md5")))
        for stage in stages.values()
        for entry in (*stage.get("deps", ()), *stage.get("outs", ()))
    )


def _read_rwlock(file: Path) -> Mapping[str, Any] | None:
    """Return who holds what; None when the file is damaged."""
    try:
        held = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        _pids(held)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return held


WHOLE = {"dvc.lock": _is_whole_lock, "rwlock": lambda file: _read_rwlock(file) is not None}


def _pids(held: Mapping[str, Any]) -> set[int]:
    """Return the processes that hold anything: writers one a path, readers a list a path."""
    readers = [entry for entries in held.get("read", {}).values() for entry in entries]
    return {int(entry["pid"]) for entry in [*held.get("write", {}).values(), *readers]}


def _pid_in(file: Path) -> set[int]:
    """Return the process that a lock file names; the lock itself ends with the process."""
    text = file.read_text(encoding="ascii", errors="replace").strip() if file.exists() else ""
    return {int(text)} if text.isdigit() else set()


def _kind(pid: int) -> str:
    import psutil

    try:
        words = psutil.Process(pid).cmdline()
    except psutil.AccessDenied:
        return "dvc"  # someone else's process; it may be one
    except psutil.NoSuchProcess:
        return "dead"
    return "dvc" if any("dvc" in word for word in words) else "stranger"
