"""The locks against the working tree: files, parameters, commands, and one against another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from creditrisk.cli.checks.findings import Finding, Section, listed
from creditrisk.cli.records import changes as compare
from creditrisk.cli.records.changes import Change
from creditrisk.cli.records.lockfile import PIPELINES, Entry, Stage

AGAIN = {".": "`dvc repro`", "studies": "`make studies`"}


def check(
    root: Path, stages: Sequence[Stage], today: Mapping[str, Entry | None], *, is_exact: bool
) -> Section:
    """Hold every stage to its record.

    Parameters
    ----------
    root : Path
        The repository.
    stages : sequence of Stage
    today : mapping
        Path → what is there now.
    is_exact : bool
        Hold outputs to their bytes; otherwise only sources, parameters and commands.

    Returns
    -------
    Section
    """
    made = compare.made(stages)
    grouped: dict[Any, list[Change]] = {}
    for stage in stages:
        cache = compare.cache_folder(root, stage.pipeline)
        for change in compare.changes(stage, today, cache):
            is_held = is_exact or change.kind != compare.OUTPUT or change.new is None
            if compare.is_own(change, made) and is_held:
                key = (change.kind, change.what, str(change.old), str(change.new))
                grouped.setdefault(key, []).append(change)
    findings = [_finding(group, root) for group in grouped.values()]
    findings += _at_odds(stages, made)
    n_params = sum(len(s.stated.params) for s in stages if s.stated)
    counted = f"{len(stages)} stages, {len(today)} files and folders, {n_params} parameters"
    return Section("locks", counted, findings)


def _finding(group: Sequence[Change], root: Path) -> Finding:
    """Put the same change of one or more stages into words."""
    change, stage = group[0], group[0].stage
    titles = listed(c.stage.title for c in group)
    again = AGAIN[stage.pipeline]
    if change.kind == compare.DROPPED:
        owner = stage.title if change.what == "stage" else f"{change.what} of {titles}"
        text = f"{stage.lock} still has {owner}, which {stage.pipeline}/dvc.yaml does not"
        return Finding(text.replace("./", ""), f"{again}, or delete the entry")
    if change.kind == compare.NEW:
        return Finding(f"{stage.title} is not in {stage.lock}", again)
    if change.kind == compare.COMMAND:
        return Finding(f"{titles} ran as `{change.old}`, now it is `{change.new}`", again)
    if change.kind == compare.PARAMETER:
        return Finding(f"{change.what} is not what {titles} ran with ({_leaf(change)})", again)
    if change.kind == compare.DEPENDENCY:
        how = "is gone" if change.new is None else f"changed ({_hashes(change)})"
        return Finding(f"{change.what} {how} since {titles} ran", again)
    return _output(change, root)


def _output(change: Change, root: Path) -> Finding:
    """Put an output that is absent or was edited into words."""
    stage, what = change.stage, change.what
    is_in_git = stage.stated is not None and what in stage.stated.uncached
    if change.kind == compare.RESTORABLE:
        return Finding(f"{what} (output of {stage.title})", "`dvc checkout`", is_absent=True)
    if change.kind == compare.UNCACHED:
        text = f"the cache's object of {what}"
        return Finding(text, f"`dvc pull` or {AGAIN[stage.pipeline]}", is_absent=True)
    if change.new is None and not is_in_git:
        text = f"{what} (output of {stage.title})"
        return Finding(text, f"`dvc pull` or {AGAIN[stage.pipeline]}", is_absent=True)
    if change.old is None:
        return Finding(f"{what} has never been recorded", AGAIN[stage.pipeline])
    cache = compare.cache_folder(root, stage.pipeline)
    remedy = AGAIN[stage.pipeline]
    if is_in_git:
        remedy = f"`git checkout -- {what}`, or {remedy}"
    elif compare.object_file(cache, change.old.md5).exists():
        remedy = f"`dvc checkout --force {what}`"
    if change.new is None:
        return Finding(f"{what} is gone, and git should keep it", remedy)
    return Finding(f"{what} is not what {stage.title} wrote ({_hashes(change)})", remedy)


def _hashes(change: Change) -> str:
    if change.old is None:
        return "not in the lock"
    return f"md5 {change.old.md5[:8]}… → {change.new.md5[:8]}…"


def _leaf(change: Change) -> str:
    """Return the leaves that differ, as far as they fit in a line."""
    leaves = compare.leaves(change.old, change.new)
    return listed(f"{key} {old} → {new}".strip()[:60] for key, old, new in leaves)


def _at_odds(stages: Sequence[Stage], made: Mapping[str, Entry | None]) -> list[Finding]:
    """Return inputs whose recorded hash is not the one that their producer recorded.

    This sees what the tree cannot show: a lock that was merged by hand, before any data
    are pulled. A study may be older than the pipeline's data; that is no contradiction.
    """
    root_stages = [s for s in stages if s.pipeline == PIPELINES[0] and s.recorded and s.stated]
    odd: dict[str, list[str]] = {}
    for stage in root_stages:
        deps = stage.recorded.deps if stage.recorded else {}
        for path, entry in deps.items():
            if path in made and not compare.same(entry, made[path]):
                odd.setdefault(path, []).append(stage.title)
    return [
        Finding(
            f"dvc.lock has {listed(titles)} run with another {path} than was written", AGAIN["."]
        )
        for path, titles in odd.items()
    ]
