"""``python -m creditrisk compare REV``: metrics of the working tree beside those of a revision.

Every metric file counts, ``reports/metrics/summary.json`` first. Which way a metric should
go and what it may not do stand in ``params.yaml`` under ``compare``. Where the predictions of
both revisions are at hand, the champion's differences carry paired intervals.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creditrisk import environment, paths

if TYPE_CHECKING:
    from creditrisk.cli.records.revision import Revision


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "rev",
        metavar="REV",
        help="a branch, tag or commit (main, HEAD~1), or the name of an experiment",
    )
    parser.add_argument(
        "--all", action="store_true", help="show metrics that did not change as well"
    )
    parser.add_argument(
        "--markdown", action="store_true", help="print Markdown, for the text of a pull request"
    )


def run(options: argparse.Namespace) -> int:
    """Print the comparison and return 1 where a gate is broken, 0 otherwise.

    Raises
    ------
    UserError
        For a revision that does not exist, and for gates that cannot be read.
    """
    environment.apply()
    from creditrisk.cli.comparison import gates, metric_files
    from creditrisk.cli.records import revision

    settings = gates.read(paths.ROOT)
    then = revision.find(options.rev, paths.ROOT)
    old, new = metric_files.of_revision(then), metric_files.of_tree(paths.ROOT)
    intervals, notes = paired_intervals(then, paths.ROOT, old, new)
    rows = gates.compare(old, new, settings, intervals)
    print(gates.text(rows, then.label, notes, is_markdown=options.markdown, is_all=options.all))
    return int(any(row.broken for row in rows))


def paired_intervals(
    then: Revision, root: Path, old: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return paired intervals of the champion's differences, and why some are missing."""
    from creditrisk.cli.comparison import pairing

    found: dict[str, Any] = {}
    notes = []
    for where, work in (("on the hold-out", pairing.on_holdout), ("out of fold", pairing.on_folds)):
        try:
            found |= work(then, root, old, new)
        except pairing.NotPairedError as reason:
            notes.append(f"no paired interval {where}: {reason}")
    return found, notes
