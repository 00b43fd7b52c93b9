"""Numbers in Markdown that come from the metric files, and nowhere else.

A number stands between ``<!--summary:champion.roc_auc .3f-->`` and ``<!--/-->``: the
stage whose ``reports/metrics/<stage>.json`` holds it, the key in it, and how Python
formats it. GitHub hides the comments.
"""

from __future__ import annotations

import re
from functools import reduce
from pathlib import Path
from typing import Any

from creditrisk import io, paths

CLAIM = re.compile(
    r"<!--(?P<stage>[\w/]+):(?P<key>[\w.]+) (?P<format>[^\s>]+)-->.*?<!--/-->", re.DOTALL
)
FILES = (Path("README.md"), Path("docs/experiments.md"), Path("docs/decisions.md"))


def lookup(document: Any, key: str) -> Any:
    """Return the value at a dotted key.

    Raises
    ------
    KeyError
        Naming the part that is not there.
    """
    return reduce(lambda value, part: value[part], key.split("."), document)


def refresh(text: str, metrics: Path = paths.METRICS) -> str:
    """Return a Markdown text with every marked number as the metric files have it now.

    Parameters
    ----------
    text : str
    metrics : Path
        Folder of the metric files.

    Returns
    -------
    str
    """

    def replace(match: re.Match[str]) -> str:
        value = lookup(io.read_json(metrics / f"{match['stage']}.json"), match["key"])
        opening = match[0][: match[0].index("-->") + 3]
        shown = str(value) if match["format"] == "s" else format(value, match["format"])
        return f"{opening}{shown}<!--/-->"

    return CLAIM.sub(replace, text)


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
