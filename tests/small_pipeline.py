"""The pipeline on a thousand generated clients, in a folder of its own, with real DVC."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.generated import raw_clients

ROOT = Path(__file__).resolve().parents[1]
SMALLER = {
    "params.yaml": ROOT / "tests/e2e/small_params.yaml",
    "studies/params.yaml": ROOT / "tests/e2e/small_studies.yaml",
}
"""File of parameters → the file of what is changed in it."""
TABLE = Path("data/raw/my_dataset.csv")
"""The generated table, to which the small parameters point."""
LEFT_OUT = ("tests/", "reports/", "dvc.lock", "studies/dvc.lock")
"""What a copy of the checkout does without, or makes itself."""


def environment(**extra: str) -> dict[str, str]:
    """Return an environment whose ``python`` is the one that runs the tests."""
    bin_folder = str(Path(sys.executable).parent)
    return os.environ | {"PATH": bin_folder + os.pathsep + os.environ["PATH"]} | extra


def call(folder: Path, *command: str, **extra: str) -> str:
    """Return what a command prints; one that fails is an assertion with its output."""
    result = subprocess.run(
        command,
        cwd=folder,
        env=environment(**extra),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def dvc(folder: Path, *arguments: str, **extra: str) -> str:
    """Return what a DVC command prints."""
    return call(folder, sys.executable, "-m", "dvc", *arguments, **extra)


def git(folder: Path, *arguments: str) -> str:
    """Return what a git command prints; commits have an author."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    return call(folder, "git", *identity, *arguments)


def rerun_stages(output: str) -> set[str]:
    """Return the stages that ``dvc repro`` says it ran."""
    lines = [line for line in output.splitlines() if line.startswith("Running stage")]
    return {line.split("'")[1] for line in lines}


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return nested settings with some of them changed."""
    return base | {
        k: merge(base[k], v) if isinstance(v, dict) and isinstance(base.get(k), dict) else v
        for k, v in changes.items()
    }


def copy_checkout(folder: Path, left_out: tuple[str, ...] = LEFT_OUT) -> None:
    """Copy the checkout as it stands, uncommitted files too, into a git repository of its own."""
    names = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    for name in names:
        if name and not name.startswith(left_out) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch=main")


def make_small(folder: Path) -> None:
    """Give a copy the generated table and settings that take seconds.

    The studies' results stay those of the real table, so they speak of other clients.
    """
    (folder / TABLE).parent.mkdir(parents=True, exist_ok=True)
    raw_clients(1000, seed=7).to_csv(folder / TABLE, index=False, lineterminator="\n")
    for name, changes in SMALLER.items():
        params, small = (
            yaml.safe_load(file.read_text(encoding="utf-8")) for file in (ROOT / name, changes)
        )
        text = yaml.safe_dump(merge(params, small), sort_keys=False, default_flow_style=None)
        (folder / name).write_text(text, encoding="utf-8")


def commit(folder: Path, message: str) -> None:
    """Commit everything that git sees in a copy."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
