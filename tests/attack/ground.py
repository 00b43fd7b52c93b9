"""The ground of the attacks: small pipelines in temporary folders, which may be ruined."""

from __future__ import annotations

import difflib
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import psutil
import yaml

from tests import small_pipeline

LINES_SHOWN = 40
PARTS = ("features", "rfm")
"""The stages whose run, with all before them, is enough where the whole takes a minute."""
GATE = """

import functools as _functools
import time as _time
from pathlib import Path as _Path

_main = main


@_functools.wraps(_main)
def main(*args, **kwargs):
    _Path({started!r}).touch()
    while not _Path({go!r}).exists():
        _time.sleep(0.02)
    return _main(*args, **kwargs)
"""


class Skip(Exception):  # noqa: N818  not an error
    """An attack cannot be made here; the text says why."""


def wait_for(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Wait until a condition holds; an assertion says what did not happen in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.02)


class Gate:
    """A stage that stops at its beginning until it is let through.

    The stop is written into the copy's own stage file, so its hash is part of the ground
    that the gate is built on: commit it before comparing locks.
    """

    def __init__(self, ground: Ground, stage: str) -> None:
        self.started = ground.folder.with_name(f"{ground.folder.name}-{stage}-started")
        self.go = ground.folder.with_name(f"{ground.folder.name}-{stage}-go")
        file = ground.folder / "stages" / f"{stage}.py"
        text = file.read_text(encoding="utf-8")
        text += GATE.format(started=str(self.started), go=str(self.go))
        file.write_text(text, encoding="utf-8")

    def wait(self) -> None:
        """Wait until the stage stands at the gate."""
        wait_for(self.started.exists, "the stage starts")

    def open(self) -> None:
        """Let the stage through."""
        self.go.touch()


class Ground:
    """One copy of the repository with its own git, DVC cache and DVC state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def words(self, words: tuple[str, ...]) -> list[str]:
        """Return a command line: ``dvc`` and ``python`` are those of the tests."""
        head = {"dvc": [sys.executable, "-m", "dvc"], "python": [sys.executable]}
        return [*head.get(words[0], [words[0]]), *words[1:]]

    def environment(self, extra: dict[str, str]) -> dict[str, str]:
        """Return an environment in which DVC keeps its state beside the ground."""
        site = str(self.folder.with_name(f"{self.folder.name}-state"))
        return small_pipeline.environment(DVC_SITE_CACHE_DIR=site) | extra

    def start(self, *words: str, **extra: str) -> subprocess.Popen[str]:
        """Start a command in the ground, its output in one pipe."""
        return subprocess.Popen(
            self.words(words),
            cwd=self.folder,
            env=self.environment(extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Wait for a started command; return its exit code and what it said."""
        output, _ = process.communicate(timeout=900)
        return process.returncode, output

    def call(self, *words: str, **extra: str) -> tuple[int, str]:
        """Run a command in the ground; return its exit code and what it said."""
        return self.end(self.start(*words, **extra))

    def must(self, *words: str, **extra: str) -> str:
        """Run a command that has to succeed; return what it said."""
        code, output = self.call(*words, **extra)
        assert code == 0, f"{' '.join(words)} ended with {code}:\n{output}"
        return output

    def must_fail(self, *words: str, **extra: str) -> str:
        """Run a command that has to fail; return what it said."""
        code, output = self.call(*words, **extra)
        assert code != 0, f"{' '.join(words)} succeeded:\n{output}"
        return output

    def repro(self, *targets: str, **extra: str) -> bool:
        """Run the pipeline as ``make repro`` does; tell whether something had to be mended first.

        DVC writes its lock and its list of running stages in place, so a run that ends while it does
        leaves a part of one, which the next run refuses.
        """
        code, output = self.call("dvc", "repro", *targets, **extra)
        if code == 0:
            return False
        code, mended = self.call("python", "-m", "creditrisk", "doctor", "--mend", **extra)
        assert code == 0, f"dvc repro failed, and {mended}:\n{output}"
        self.must("dvc", "repro", *targets, **extra)
        return True

    def lock(self) -> str:
        """Return dvc.lock with its entries sorted: where a run has several targets, DVC appends in any order."""
        return yaml.safe_dump(yaml.safe_load((self.folder / "dvc.lock").read_text("utf-8")))

    def same_lock_as(self, other: Ground, when: str, *, may_have_more: bool = False) -> None:
        """Assert that dvc.lock is another ground's, or show where it differs.

        A mended lock may have more: HEAD's has every stage, another ground's those that ran.
        """
        mine, theirs = (yaml.safe_load(ground.lock()) for ground in (self, other))
        if may_have_more:
            mine["stages"] = {k: v for k, v in mine["stages"].items() if k in theirs["stages"]}
        texts = (yaml.safe_dump(lock).splitlines() for lock in (theirs, mine))
        differing = list(difflib.unified_diff(*texts, "expected", "found", lineterm=""))
        shown = "\n".join(differing[:LINES_SHOWN])
        assert not differing, f"{when}: another dvc.lock, {len(differing)} lines\n{shown}"

    def changes(self) -> str:
        """Return what git sees changed."""
        return small_pipeline.git(self.folder, "status", "--porcelain")

    def processes(self) -> list[psutil.Process]:
        """Return the living processes that work in the ground."""
        found = []
        for process in psutil.process_iter():
            try:
                if (
                    process.cwd().startswith(str(self.folder))
                    and process.status() != psutil.STATUS_ZOMBIE
                ):
                    found.append(process)
            except psutil.Error:  # gone meanwhile, or somebody else's
                continue
        return found

    def temporaries(self) -> list[str]:
        """Return files that a cut-off write left among the outputs."""
        folders = ("data", "models", "reports")
        files = [p for folder in folders for p in (self.folder / folder).rglob(".*-*")]
        return [p.relative_to(self.folder).as_posix() for p in files if p.is_file()]

    def cache_objects(self) -> list[Path]:
        """Return the files of DVC's cache."""
        cache = self.folder / ".dvc/cache/files/md5"
        return sorted(p for p in cache.rglob("*") if p.is_file() and p.parent != cache)

    def outputs(self) -> dict[str, str]:
        """Return what dvc.lock says of every output: path → MD5."""
        stages = yaml.safe_load(self.lock())["stages"].values()
        return {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", ())}


class Yard:
    """Makes grounds.

    Parameters
    ----------
    folder : Path
        Where they stand; the caller removes it.
    is_full : bool
        Every case instead of a few, on the whole pipeline instead of :data:`PARTS`.
    """

    def __init__(self, folder: Path, *, is_full: bool) -> None:
        self.folder = folder
        self.is_full = is_full
        self.random = random.Random()  # each moment and byte is in the message
        self.targets = () if is_full else PARTS
        self._n = 0

    def place(self, name: str) -> Path:
        """Return a path that no ground has."""
        self._n += 1
        return self.folder / f"{self._n:02d}-{name}"

    @cached_property
    def template(self) -> Ground:
        """The pipeline after a clean run, committed; attacks copy it and leave it alone."""
        ground = Ground(self.place("template"))
        small_pipeline.copy_checkout(ground.folder)
        small_pipeline.make_small(ground.folder)
        ground.must("dvc", "repro", *self.targets)
        small_pipeline.commit(ground.folder, "reproduced")
        return ground

    def copy(self, name: str) -> Ground:
        """Return a copy of the template."""
        ground = Ground(self.place(name))
        shutil.copytree(self.template.folder, ground.folder, symlinks=True)
        return ground

    def clone(self, name: str) -> Ground:
        """Return a fresh clone of the template beside which only the raw file lies."""
        ground = Ground(self.place(name))
        small_pipeline.git(
            self.folder, "clone", "--quiet", str(self.template.folder), str(ground.folder)
        )
        table = ground.folder / small_pipeline.TABLE
        table.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.template.folder / small_pipeline.TABLE, table)
        return ground
