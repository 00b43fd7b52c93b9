"""Change one thing after another in a ground and print what DVC itself would rerun.

A process of its own, since DVC's Python interface works in the current folder. DVC first takes
every dependency and parameter as it is, as after a run; after each change it is asked
which stages it sees changed. Each line: what changed, those stages, and the stages behind
them in DVC's graph; tabs between, blanks within.
"""

from __future__ import annotations

import functools
import itertools
import os
import sys
from pathlib import Path
from typing import Any

import networkx
import yaml
from dvc.dependency import param
from dvc.repo import Repo

CHANGED = "changed by the attack"


class Asked:
    """One repository, its dependencies taken as they are."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self.folder, self.prefix = folder, prefix
        os.chdir(folder)
        self.graph = Repo().index.graph
        for stage in self.graph:
            stage.save_deps()

    def stale(self) -> tuple[list[str], list[str]]:
        """Return the stages with a changed dependency, and those behind them."""
        os.chdir(self.folder)
        found = {stage for stage in self.graph if any(dep.status() for dep in stage.deps)}
        behind = {s for stage in found for s in networkx.ancestors(self.graph, stage)} - found
        direct, after = (
            [self.prefix + stage.addressing for stage in side] for side in (found, behind)
        )
        return direct, after


def change(root: Path, name: str) -> tuple[Path, bytes]:
    """Change a file, or a parameter (``file: key``); return the file and what it was."""
    file, _, key = name.partition(": ")
    path = root / file
    before = path.read_bytes()
    if not key:
        path.write_bytes(before + b"\n")
        return path, before
    document: dict[str, Any] = yaml.safe_load(before)
    set_leaf(document, key)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path, before


def set_leaf(section: dict[str, Any], key: str) -> None:
    """Change the leaf at a dotted key; names of metrics have dots of their own."""
    name = next(n for n in section if key == n or key.startswith(f"{n}."))
    if key == name:
        section[name] = CHANGED
    else:
        set_leaf(section[name], key.removeprefix(f"{name}."))


def main(folder: str, *names: str) -> None:
    """Make each change, ask, and take it back."""
    # DVC parses the whole parameter file for each stage; once for each change is enough here
    param.load_path = functools.cache(param.load_path)
    root = Path(folder)
    repositories = [Asked(root, ""), Asked(root / "studies", "studies/")]
    for name in names:
        path, before = change(root, name)
        param.load_path.cache_clear()
        sides = zip(*(repository.stale() for repository in repositories), strict=True)
        path.write_bytes(before)
        print(name, *(" ".join(itertools.chain(*side)) for side in sides), sep="\t", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
