"""``python -m creditrisk experiments``: a page with every experiment beside its commit.

The page is made from ``dvc exp show --json`` and kept by nobody: it shows what lies in this
clone today.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from creditrisk import io, paths
from creditrisk.errors import UserError

PAGE = Path("reports/experiments.html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--output",
        type=Path,
        default=paths.ROOT / PAGE,
        help=f"the page's file (default: {PAGE.as_posix()}, which git ignores)",
    )
    parser.add_argument(
        "--commits",
        type=int,
        default=1,
        metavar="N",
        help="show the experiments of the last N commits (default: 1, those of HEAD)",
    )


def run(options: argparse.Namespace) -> int:
    """Write the page and say where it is.

    Raises
    ------
    UserError
        When DVC cannot list the experiments: no clone of git, no commit.
    """
    from creditrisk.cli.comparison import experiment_page, gates

    settings = gates.read(paths.ROOT)
    shown = show(paths.ROOT, options.commits)
    file = options.output.resolve()
    io.write_text(file, experiment_page.page(shown, settings, file))
    n = sum(len(experiment_page.experiments(entry)) for entry in shown)
    place = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    print(f"{place}: experiments shown: {n}")
    return 0


def show(root: Path, n_commits: int) -> list[dict[str, Any]]:
    """Return what ``dvc exp show --json`` says of the last commits.

    Raises
    ------
    UserError
        With DVC's own line when it fails.
    """
    command = [sys.executable, "-m", "dvc", "exp", "show", "--json", "-n", str(n_commits)]
    result = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", check=False)
    if result.returncode:
        said = [line for line in result.stderr.splitlines() if line.startswith("ERROR: ")]
        raise UserError(said[0].removeprefix("ERROR: ") if said else "`dvc exp show` failed")
    return json.loads(result.stdout)
