"""Numbers that a report page marks, held to the metric files that they come from.

A page writes ``<data data-metric="stage:dotted.key" value="0.25">25 %</data>``.
"""

from __future__ import annotations

import json
import math
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class MarkedNumbers(HTMLParser):
    """The marked numbers of a page's text: ``metrics``, pairs of key and value.

    A subclass that gathers more prepares its attributes before it calls ``__init__`` here.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.metrics: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the number that an element marks."""
        have = {name: value or "" for name, value in attrs}
        if "data-metric" in have:
            self.metrics.append((have["data-metric"], have.get("value", "")))


def look_up(key: str, folder: Path) -> Any:
    """Return the value of ``stage:dotted.key`` in a folder of metrics.

    Raises
    ------
    KeyError, IndexError, TypeError, FileNotFoundError
        When there is no such number.
    """
    stage, _, dotted = key.partition(":")
    value: Any = json.loads((folder / f"{stage}.json").read_text(encoding="utf-8"))
    for part in dotted.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def wrong_numbers(page: MarkedNumbers, folder: Path) -> list[str]:
    """Return in words the marked numbers that their metric file does not hold.

    Parameters
    ----------
    page : MarkedNumbers
    folder : Path
        Folder of the metric files.

    Returns
    -------
    list of str
        Empty when all agree: text exactly, numbers to nine digits.
    """
    wrong = []
    for key, shown in page.metrics:
        try:
            stored = look_up(key, folder)
        except (LookupError, TypeError, ValueError, FileNotFoundError):
            wrong.append(f"{key}: no such number")
            continue
        if not _agree(shown, stored):
            wrong.append(f"{key}: page {shown}, file {stored}")
    return wrong


def _agree(shown: str, stored: Any) -> bool:
    if isinstance(stored, str):
        return shown == stored
    try:
        return math.isclose(float(shown), float(stored), rel_tol=1e-9, abs_tol=1e-12)
    except (TypeError, ValueError):
        return False
