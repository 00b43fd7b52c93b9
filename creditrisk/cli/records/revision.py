"""One commit as ``compare`` sees it: files that git keeps, outputs that DVC's cache still has.

DVC itself is not imported: what is needed of it is a hash in ``dvc.lock`` and the object
of that name in the cache, and reading both takes milliseconds.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from creditrisk import paths
from creditrisk.cli.records.changes import cache_folder, object_file
from creditrisk.cli.records.hashing import md5_of_file
from creditrisk.errors import UserError


@dataclass(frozen=True)
class Revision:
    """A commit of the repository at ``root``, under the ``name`` that it was asked for."""

    name: str
    commit: str
    root: Path

    @property
    def label(self) -> str:
        """Return the name with the short commit where that says more."""
        short = self.commit[:7]
        return self.name if self.commit.startswith(self.name) else f"{self.name} ({short})"

    def metrics(self) -> dict[str, Any]:
        """Return every metric file's content by its name below ``reports/metrics``."""
        folder = f"{paths.METRICS.as_posix()}/"
        listed = _git(self.root, "ls-tree", "-r", "--name-only", "-z", self.commit, "--", folder)
        names = [name for name in listed.split("\0") if name.endswith(".json")]
        return {
            name.removeprefix(folder).removesuffix(".json"): json.loads(self.text(name))
            for name in names
        }

    def text(self, path: str) -> str:
        """Return the text of a file that git keeps, its path taken from the root.

        Raises
        ------
        UserError
            When the commit has no such file.
        """
        return _git(self.root, "show", f"{self.commit}:./{path}")

    @cached_property
    def hashes(self) -> dict[str, str]:
        """Return the MD5 of every output in the commit's ``dvc.lock``."""
        import yaml

        # libyaml where PyYAML has it: the lock is long
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        stages = yaml.load(self.text("dvc.lock"), Loader=loader)["stages"]  # noqa: S506  (safe)
        outs = (out for stage in stages.values() for out in stage.get("outs", []))
        return {out["path"]: out["md5"] for out in outs if "md5" in out}

    def output(self, path: Path) -> Path | None:
        """Return the cached object of an output, or None where the cache has it no longer.

        Raises
        ------
        UserError
            When the object does not have the bytes that its name promises: DVC trusts a
            read-only object blindly, so the hash is taken anew.
        """
        md5 = self.hashes.get(path.as_posix())
        if md5 is None:
            return None
        found = object_file(cache_folder(self.root), md5)
        if not found.is_file():
            return None
        if md5_of_file(found) != md5:
            raise UserError(f"the cache object of {path} ({found}) is damaged: delete it")
        return found


def find(name: str, root: Path) -> Revision:
    """Return the commit that a name stands for.

    Parameters
    ----------
    name : str
        A revision of git (branch, tag, hash, ``HEAD~1``) or the name of an experiment.
    root : Path
        The repository's root.

    Raises
    ------
    UserError
        When there is no such revision, several experiments of the name, or no git.
    """
    _git(root, "rev-parse", "--git-dir")
    given = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    try:
        return Revision(name, _git(root, *given).strip(), root)
    except UserError:
        pattern = f"refs/exps/*/*/{name}"
        found = set(_git(root, "for-each-ref", "--format=%(objectname)", pattern).split())
    if len(found) == 1:
        return Revision(name, found.pop(), root)
    if found:
        raise UserError(
            f"{len(found)} experiments are called {name}: take the hash that `dvc exp show` prints"
        )
    raise UserError(
        f"git knows no revision and DVC no experiment {name!r}: "
        "`git branch --all` and `dvc exp list` name them"
    )


def _git(root: Path, *arguments: str) -> str:
    """Run git in a folder and return what it prints; its last line is the error."""
    try:
        result = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, encoding="utf-8", check=False
        )
    except FileNotFoundError:
        raise UserError("git is not installed, and a revision is git's") from None
    if result.returncode:
        said = result.stderr.strip().splitlines() or [f"git {arguments[0]} failed"]
        raise UserError(said[-1].removeprefix("fatal: "))
    return result.stdout
