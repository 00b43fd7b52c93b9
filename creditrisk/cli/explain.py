"""``python -m creditrisk explain``: why ``dvc repro`` would rerun a stage.

Each reason is shown as old → new. Nothing is run or changed, and DVC is not asked:
the record is ``dvc.lock``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from creditrisk import paths
from creditrisk.cli.checks.findings import listed
from creditrisk.cli.records import changes as compare
from creditrisk.cli.records import hashing, lockfile, old_versions
from creditrisk.cli.records.changes import Change
from creditrisk.cli.records.lockfile import Entry, Stage

WIDTH = 60
"""Characters of a parameter's value that are shown."""
WORDS = {
    compare.UNCACHED: "is here, but its object in the cache is not",
    compare.RESTORABLE: "missing, the cache has it",
}


@dataclass
class Why:
    """A stage that has something to do: reasons of its own, and stages it waits for."""

    stage: Stage
    reasons: list[Change] = field(default_factory=list)
    waits_for: list[str] = field(default_factory=list)

    @property
    def is_restored(self) -> bool:
        """Tell whether only outputs are missing, which the cache has."""
        return bool(self.reasons) and all(c.kind == compare.RESTORABLE for c in self.reasons)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command; it takes nothing."""
    parser.description = (
        "Say for each stage that `dvc repro` would rerun (and each study that `make studies` "
        "would) what changed since it ran, old → new: a line of code or data by its hash, a "
        "parameter by its value, the command, an output that is missing or was edited. A stage "
        "that only reads from one of those is listed too; it is left out if the bytes that it "
        "reads come out as before. A run that DVC remembers (a parameter set back) is taken "
        "from its cache instead."
    )


def run(options: argparse.Namespace) -> int:
    """Print the reasons; the exit code is 0, whether something reruns or not."""
    for line in report(paths.ROOT):
        print(line)
    return 0


def explain(root: Path) -> list[Why]:
    """Return the stages that would rerun, in the order of the files.

    Parameters
    ----------
    root : Path
        The repository.

    Raises
    ------
    UserError
        When ``dvc.yaml``, ``dvc.lock`` or a parameter file cannot be read.
    """
    stages = lockfile.read_stages(root)
    today = hashing.entries(root, compare.paths_of(stages))
    made = compare.made(stages)
    whys = {stage.title: Why(stage) for stage in stages}
    upstream: list[Stage] = []
    # The root comes first and never waits for a study, since `dvc repro` runs none.
    for pipeline in lockfile.PIPELINES:
        members = [stage for stage in stages if stage.pipeline == pipeline]
        cache = compare.cache_folder(root, pipeline)
        for stage in members:
            found = compare.changes(stage, today, cache)
            why = whys[stage.title]
            why.reasons = [
                c for c in found if c.kind != compare.DROPPED and compare.is_own(c, made)
            ]
            if why.reasons and not why.is_restored:
                upstream.append(stage)
        reached = compare.readers(upstream, members)
        for title, sources in reached.items():
            whys[title].waits_for = [s.title for s in stages if s.title in sources]
        upstream += [s for s in members if s.title in reached and s not in upstream]
    return [why for why in whys.values() if why.reasons or why.waits_for]


def report(root: Path) -> list[str]:
    """Return the lines that the command prints."""
    whys = explain(root)
    if not whys:
        return ["Nothing would rerun: every stage and study is as its lock recorded it."]
    lines_of = _counted(root, whys)
    texts = [(_verdict(why), *_reasons(why, lines_of)) for why in whys]
    lines = []
    for text, group in groupby(zip(texts, whys, strict=True), key=lambda pair: pair[0]):
        titles = ", ".join(why.stage.title for _, why in group)
        lines += [f"{titles}: {text[0]}", *(f"  {reason}" for reason in text[1:])]
    own = sum(bool(w.reasons) and not w.is_restored for w in whys)
    restored = sum(w.is_restored and not w.waits_for for w in whys)
    only = len(whys) - own - restored
    lines.append(f"{own} would rerun, {only} may follow, {restored} restored from the cache.")
    return lines


def _verdict(why: Why) -> str:
    if why.reasons and not why.is_restored:
        return "would rerun"
    if why.waits_for:
        return "may rerun; cut off if what it reads comes out as before"
    return "nothing to run, its outputs come back from the cache"


def _reasons(why: Why, lines_of: Mapping[tuple[str, str], Any]) -> list[str]:
    lines = [line for change in why.reasons for line in _lines(change, lines_of)]
    if why.waits_for:
        lines.append(f"upstream   {listed(why.waits_for, 4)}")
    return lines


def _counted(root: Path, whys: Sequence[Why]) -> Mapping[tuple[str, str], Any]:
    """Return (path, recorded hash) → lines added and removed, looked up once each."""
    asked = {
        (c.what, c.old.md5)
        for why in whys
        for c in why.reasons
        if isinstance(c.old, Entry) and isinstance(c.new, Entry) and c.kind != compare.UNCACHED
    }
    return hashing.in_threads(
        lambda pair: old_versions.moved_lines(root, *pair), sorted(asked), "asking git"
    )


def _lines(change: Change, lines_of: Mapping[tuple[str, str], Any]) -> list[str]:
    """Return a change in words, a parameter's differing leaves one by one."""
    kind, what, old, new = change.kind, change.what, change.old, change.new
    if kind == compare.NEW:
        return ["new        has never run here"]
    if kind == compare.COMMAND:
        return [f"command    {old} → {new}"]
    if kind == compare.PARAMETER:
        file, _, key = what.partition(":")
        place = "" if file == str(paths.PARAMS) else f" ({file})"
        return [
            f"parameter  {leaf}{place}: {_short(before)} → {_short(after)}"
            for leaf, before, after in compare.leaves(old, new, key)
        ] or [f"parameter  {key}{place} is missing from {file}"]
    if kind in (compare.UNCACHED, compare.RESTORABLE):
        return [f"output     {what}: {WORDS[kind]}"]
    name = "input " if kind == compare.DEPENDENCY else "output"
    return [f"{name}     {what}: {_moved(old, new, lines_of.get((what, getattr(old, 'md5', ''))))}"]


def _moved(old: Any, new: Any, lines: tuple[int, int] | None) -> str:
    """Return how a file differs from what was recorded."""
    if new is None:
        return "missing"
    if old is None:
        return f"newly stated, {new.size:,} bytes"
    if lines is not None:
        return f"+{lines[0]} −{lines[1]} lines"
    size = f"{old.size:,} → {new.size:,} bytes, " if old.size != new.size else ""
    return f"{size}md5 {old.md5[:8]}… → {new.md5[:8]}…"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}…"
