"""What differs between ``dvc.lock`` and the working tree, stage by stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from creditrisk.cli.records.lockfile import ABSENT, Description, Entry, Stage
from creditrisk.errors import UserError

NEW, COMMAND, PARAMETER, DEPENDENCY, OUTPUT = (
    "stage",
    "command",
    "parameter",
    "dependency",
    "output",
)
UNCACHED, RESTORABLE, DROPPED = "not in cache", "only in cache", "no longer stated"


@dataclass(frozen=True)
class Change:
    """One difference: ``old`` is what the lock recorded, ``new`` what is there now.

    ``kind`` is one of the constants above. DVC takes :data:`RESTORABLE` outputs from its
    cache again, keeps silent about :data:`DROPPED`, and reruns the stage for every other kind.
    """

    stage: Stage
    kind: str
    what: str
    old: Any = None
    new: Any = None


def paths_of(stages: Iterable[Stage]) -> list[str]:
    """Return every dependency and output of the stages, by either file."""
    descriptions = [d for s in stages for d in (s.stated, s.recorded) if d]
    return list(dict.fromkeys(p for d in descriptions for p in (*d.deps, *d.outs)))


def dvc_config(folder: Path) -> ConfigParser:
    """Return what a pipeline's ``.dvc/config`` and ``.dvc/config.local`` say.

    Raises
    ------
    UserError
        When one of the files cannot be parsed.
    """
    config = ConfigParser(interpolation=None)
    files = [folder / ".dvc" / name for name in ("config", "config.local")]
    try:
        config.read(files, encoding="utf-8")
    except ConfigError as error:
        raise UserError(f"{files[0]}: {' '.join(str(error).split())}: mend it") from None
    return config


def cache_folder(root: Path, pipeline: str = ".") -> Path:
    """Return where a pipeline's DVC keeps its objects (``cache.dir`` of its config)."""
    folder = root / pipeline
    given = dvc_config(folder).get("cache", "dir", fallback="cache")
    return folder / ".dvc" / Path(given).expanduser()


def object_file(cache: Path, md5: str) -> Path:
    """Return the cache's file of an object."""
    return cache / "files" / "md5" / md5[:2] / md5[2:]


def changes(stage: Stage, today: Mapping[str, Entry | None], cache: Path) -> list[Change]:
    """Return in what a stage differs from its record.

    Parameters
    ----------
    stage : Stage
    today : mapping
        Path → its present :class:`~creditrisk.cli.records.lockfile.Entry`, None where nothing is.
    cache : Path
        Folder of the pipeline's cache.

    Returns
    -------
    list of Change
        Empty when DVC has nothing to do and nothing is left over in the lock.
    """
    stated, recorded = stage.stated, stage.recorded
    if stated is None:
        return [Change(stage, DROPPED, "stage")]
    if recorded is None:
        return [Change(stage, NEW, stage.title)]
    found = []
    if stated.command != recorded.command:
        found.append(Change(stage, COMMAND, "cmd", recorded.command, stated.command))
    for (file, key), value in stated.params.items():
        old = recorded.params.get((file, key), ABSENT)
        if old != value or value == ABSENT:
            found.append(Change(stage, PARAMETER, f"{file}:{key}", old, value))
    for path in stated.deps:
        if today[path] is None or not same(recorded.deps.get(path), today[path]):
            found.append(Change(stage, DEPENDENCY, path, recorded.deps.get(path), today[path]))
    found += _outputs(stage, stated, recorded, today, cache)
    return found + _dropped(stage, stated, recorded)


def _outputs(
    stage: Stage,
    stated: Description,
    recorded: Description,
    today: Mapping[str, Entry | None],
    cache: Path,
) -> list[Change]:
    """Return the outputs that are not as recorded, in the tree or in the cache."""
    found = []
    for path in stated.outs:
        old, new = recorded.outs.get(path), today[path]
        is_gits = path in stated.uncached
        is_cached = old is not None and object_file(cache, old.md5).exists()
        if new is None:
            is_restorable = is_cached and not is_gits
            found.append(Change(stage, RESTORABLE if is_restorable else OUTPUT, path, old))
        elif not same(old, new):
            found.append(Change(stage, OUTPUT, path, old, new))
        elif not is_gits and not is_cached:
            found.append(Change(stage, UNCACHED, path, old, new))
    return found


def same(left: Entry | None, right: Entry | None) -> bool:
    """Tell whether two entries have one content."""
    return (left and left.md5) == (right and right.md5)


def _dropped(stage: Stage, stated: Description, recorded: Description) -> list[Change]:
    """Return what only the lock has; DVC keeps silent about it."""
    gone = [*(recorded.deps.keys() - stated.deps), *(recorded.outs.keys() - stated.outs)]
    gone += [f"{file}:{key}" for file, key in recorded.params.keys() - stated.params]
    return [Change(stage, DROPPED, what) for what in sorted(gone)]


def made(stages: Iterable[Stage]) -> dict[str, Entry | None]:
    """Return output path → what the lock recorded of it, over all stages."""
    return {path: e for s in stages if s.recorded for path, e in s.recorded.outs.items()}


def is_own(change: Change, made_here: Mapping[str, Entry | None]) -> bool:
    """Tell whether a change is the stage's own, not that of the stage before it.

    An input that another stage wrote is put right by that one, which shows the change among
    its outputs; here it counts only if the lock has the two at odds.
    """
    is_handed_on = change.kind == DEPENDENCY and change.what in made_here
    return not is_handed_on or not same(made_here[change.what], change.old)


def readers(sources: Iterable[Stage], stages: Sequence[Stage]) -> dict[str, set[str]]:
    """Return which of the stages stand downstream, by title, each with what it waits for.

    Parameters
    ----------
    sources : iterable of Stage
        Those that rerun.
    stages : sequence of Stage
        Those that may follow.

    Returns
    -------
    dict
        Title of a stage that reads from a rerunning one → titles of those it reads from;
        a source itself is in it only when it also stands downstream of another.
    """
    reached: dict[str, set[str]] = {}
    queue = list(sources)
    while queue:
        source = queue.pop(0)
        outs = source.stated.outs if source.stated else {}
        for stage in stages:
            deps = stage.stated.deps if stage.stated else {}
            if not any(_meet(out, dep) for out in outs for dep in deps):
                continue
            is_first = stage.title not in reached
            reached.setdefault(stage.title, set()).add(source.title)
            if is_first:
                queue.append(stage)
    return reached


def _meet(out: str, dep: str) -> bool:
    """Tell whether two paths are one, or one lies in the other."""
    return out == dep or out.startswith(f"{dep}/") or dep.startswith(f"{out}/")


def leaves(old: Any, new: Any, where: str = "") -> list[tuple[str, Any, Any]]:
    """Return the leaves in which two parameter values differ: dotted key, old, new.

    Lists are compared by position where both have one length, else shown whole.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        pairs = [(k, old.get(k, ABSENT), new.get(k, ABSENT)) for k in dict.fromkeys([*old, *new])]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(i, *pair) for i, pair in enumerate(zip(old, new, strict=True))]
    else:
        return [] if old == new else [(where, old, new)]
    joined = [(f"{where}.{key}".lstrip("."), before, after) for key, before, after in pairs]
    return [leaf for key, before, after in joined for leaf in leaves(before, after, key)]
