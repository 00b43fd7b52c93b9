"""``python -m creditrisk doctor``: what on this machine would make a run fail, and the remedy."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from creditrisk import paths
from creditrisk.cli.health import locks, machine, pipeline, routes
from creditrisk.cli.health.ailments import FAILS, Ailment
from creditrisk.errors import UserError

CHECKS: tuple[Callable[[Path], Iterator[Ailment]], ...] = (
    machine.python,
    machine.packages,
    machine.memory,
    pipeline.disk,
    pipeline.version_control,
    pipeline.line_ends,
    locks.locks,
    pipeline.cache,
    pipeline.links,
    pipeline.site_cache,
    pipeline.leftovers,
    routes.network,
    machine.browser,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    parser.description = (
        "Look at Python and its packages, memory, disk, git, line ends, DVC's locks, cache, "
        "links and state, leftovers of killed runs, the ways to the data, the remote, and the "
        "browser for the tests. Nothing is changed. A line that starts with FAIL would make a "
        "run fail and gives exit code 1; a note would not."
    )
    parser.add_argument(
        "--mend",
        action="store_true",
        help="instead, make whole what a killed DVC cut off: dvc.lock and .dvc/tmp/rwlock; exit "
        "code 0 when something was mended, so that a run can be tried again, else 1",
    )


def run(options: argparse.Namespace) -> int:
    """Print every finding with its remedy; return 1 when a run would fail, else 0.

    With ``--mend`` print what was mended; return 1 when nothing was.
    """
    if options.mend:
        done = list(locks.mend(paths.ROOT))
        print("\n".join(done) or "nothing to mend", file=sys.stdout if done else sys.stderr)
        return int(not done)
    n_fails = n_notes = 0
    for ailment in examine(paths.ROOT):
        print(ailment, flush=True)
        n_fails += ailment.level == FAILS
        n_notes += ailment.is_note
    print(f"{n_fails} that would make a run fail, {n_notes} notes.")
    return int(n_fails > 0)


def examine(root: Path) -> Iterator[Ailment]:
    """Do each check; a file of DVC's that cannot be read is a finding too.

    Parameters
    ----------
    root : Path
        The repository.

    Yields
    ------
    Ailment
    """
    for check in CHECKS:
        try:
            yield from check(root)
        except UserError as error:
            yield Ailment(check.__name__, str(error), level=FAILS)
