"""Metrics and clusters of the working tree against those of HEAD, within a tolerance.

For another processor, on which trained models need not repeat to the last bit.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from creditrisk import io, paths, schema
from creditrisk.cli.checks.findings import Finding, Section
from creditrisk.cli.records import revision
from creditrisk.cli.records.changes import ABSENT

FOLDERS = (paths.METRICS, paths.study("*").parent)
REMEDY = "read what differs with `python -m creditrisk compare HEAD`, then raise --tolerance or stay away"
LABELS = "cluster_id"


def check(root: Path, tolerance: float) -> Section:
    """Compare every committed metric and study, and the clusters where HEAD's are cached.

    Parameters
    ----------
    root : Path
        The repository, a clone.
    tolerance : float
        Relative, above 0; a number that is nearly 0 may differ by as much absolutely.

    Returns
    -------
    Section

    Raises
    ------
    UserError
        When there is no git, no commit, or HEAD lacks one of the files.
    """
    head = revision.find("HEAD", root)
    files = sorted(f for folder in FOLDERS for f in (root / folder).rglob("*.json"))
    findings, n_numbers = [], 0
    for file in files:
        name = file.relative_to(root).as_posix()
        pairs = list(_pairs(json.loads(head.text(name)), io.read_json(file)))
        n_numbers += len(pairs)
        findings += [
            Finding(f"{name}: {key} was {old}, is {new}", REMEDY)
            for key, old, new in pairs
            if not _near(old, new, tolerance)
        ]
    looked_at = f"{n_numbers:,} values of {len(files)} files within {tolerance:g} of HEAD"
    clusters = _clusters_agree(root, head)
    if clusters is False:
        findings.append(Finding(f"{paths.CLUSTERS}: clients are grouped otherwise", REMEDY))
    compared = "clusters compared" if clusters is not None else "clusters of HEAD not in the cache"
    return Section("metrics", f"{looked_at}; {compared}", findings)


def _pairs(old: Any, new: Any, where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield every leaf of two documents: dotted key, old, new."""
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        old, new = dict(enumerate(old)), dict(enumerate(new))
    if not (isinstance(old, dict) and isinstance(new, dict)):
        yield where, old, new
        return
    for key in dict.fromkeys([*old, *new]):
        name = f"{where}.{key}".lstrip(".")
        yield from _pairs(old.get(key, ABSENT), new.get(key, ABSENT), name)


def _near(old: Any, new: Any, tolerance: float) -> bool:
    numbers = [v for v in (old, new) if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < 2:
        return bool(old == new)
    return math.isclose(old, new, rel_tol=tolerance, abs_tol=tolerance)


def _clusters_agree(root: Path, head: revision.Revision) -> bool | None:
    """Tell whether both tables group the clients alike (adjusted Rand index 1).

    None where one of the tables is not at hand.
    """
    before, now = head.output(paths.CLUSTERS), root / paths.CLUSTERS
    if before is None or not now.exists():
        return None
    old, new = (io.read_table(p, [schema.KEY, LABELS]) for p in (before, now))
    both = old.merge(new, on=schema.KEY)
    kinds = [both[f"{LABELS}{side}"].nunique() for side in ("_x", "_y")]
    pairs = both[[f"{LABELS}_x", f"{LABELS}_y"]].drop_duplicates()
    return len(both) == len(old) == len(new) and kinds == [len(pairs)] * 2
