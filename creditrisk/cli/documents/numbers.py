"""Numbers in Markdown that come from metric files and studies, and nowhere else.

A number stands between ``<!--summary:champion.roc_auc .3f-->`` and ``<!--/-->``: the
stage whose ``reports/metrics/<stage>.json`` holds it, the key in it, and how Python
formats it; ``study/<name>`` reads ``studies/results/<name>.json`` and ``bench/<name>``
``benchmarks/results/<name>.json``. A study's tables stand between
``<!--tables:<name>-->`` and ``<!--/tables-->``. GitHub hides the comments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

from creditrisk import io, paths
from creditrisk.cli.documents import study_tables
from creditrisk.validation import ablation, benchmark_report, imbalance, learning

CLAIM = re.compile(
    r"<!--(?P<stage>[\w/]+):(?P<key>[\w.]+) (?P<format>[^\s>]+)-->.*?<!--/-->", re.DOTALL
)
BLOCK = re.compile(r"<!--tables:(?P<study>\w+)-->.*?<!--/tables-->", re.DOTALL)
TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "ablation": ablation.markdown,
    "benchmark": benchmark_report.markdown,
    "coverage": study_tables.coverage,
    "errors": study_tables.errors,
    "imbalance": imbalance.markdown,
    "learning": learning.markdown,
    "outliers": study_tables.outliers,
}
STUDY, BENCH = "study/", "bench/"
FILES = (
    Path("README.md"),
    Path("docs/experiments.md"),
    Path("docs/decisions.md"),
    Path("docs/trust.md"),
)


def lookup(document: Any, key: str) -> Any:
    """Return the value at a dotted key.

    Raises
    ------
    KeyError
        Naming the part that is not there.
    """
    return reduce(lambda value, part: value[part], key.split("."), document)


def refresh(
    text: str,
    metrics: Path = paths.METRICS,
    study: Callable[[str], Path] = paths.study,
    benchmarks: Path = paths.SPEEDS.parent,
) -> str:
    """Return a Markdown text with every marked number and table as the files have it now.

    Parameters
    ----------
    text : str
    metrics : Path
        Folder of the metric files.
    study : callable
        Name of a study → its results.
    benchmarks : Path
        Folder of the benchmarks' results.

    Returns
    -------
    str
    """

    def replace(match: re.Match[str]) -> str:
        name = match["stage"]
        path = metrics / f"{name}.json"
        if name.startswith(STUDY):
            path = study(name.removeprefix(STUDY))
        elif name.startswith(BENCH):
            path = benchmarks / f"{name.removeprefix(BENCH)}.json"
        value = lookup(io.read_json(path), match["key"])
        opening = match[0][: match[0].index("-->") + 3]
        shown = str(value) if match["format"] == "s" else format(value, match["format"])
        return f"{opening}{shown}<!--/-->"

    def draw(match: re.Match[str]) -> str:
        name = match["study"]
        table = TABLES[name](io.read_json(study(name))).strip()
        return f"<!--tables:{name}-->\n\n{table}\n\n<!--/tables-->"

    return BLOCK.sub(draw, CLAIM.sub(replace, text))


def run(write: bool) -> list[Path]:
    """Compare the Markdown files with the metric files, or bring them up to date.

    Returns
    -------
    list of Path
        The files that differed.
    """
    stale = []
    for path in FILES:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = refresh(before)
        if after != before:
            stale.append(path)
            if write:
                io.write_text(path, after)
    return stale
