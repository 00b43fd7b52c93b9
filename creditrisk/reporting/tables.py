"""Tables: which columns are right-aligned, and the same table as CSV."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup

from creditrisk.reporting.format import DASH, MINUS, NBSP, NONE, THIN, Number

_MARKED: Final = re.compile(r'<data [^>]*value="([^"]*)">[^<]*</data>')
LONG: Final = 28
"""Characters from which a cell is prose, which keeps a readable width on a phone."""

_NUMERIC: Final = frozenset(f"0123456789.,<>+%()[]~× {MINUS}-{DASH}{THIN}{NBSP}")


def _text(cell: Any) -> str:
    """Return a cell's text without markup."""
    if hasattr(cell, "__html__"):
        return Markup(cell.__html__()).striptags()  # noqa: S704  (read, never shown)
    return str(cell)


def plain_cell(cell: Any) -> str:
    """Return a table cell as CSV text: plain numbers, no markup, no typography."""
    if isinstance(cell, Number):
        return "" if cell.value is None else repr(cell.value)
    if cell is None or cell == NONE:
        return ""
    if hasattr(cell, "__html__") and (marked := _MARKED.fullmatch(cell.__html__().strip())):
        return html.unescape(marked[1])
    text = _text(cell)
    return text.replace(MINUS, "-").replace(THIN, " ").replace(NBSP, " ")


def csv_text(columns: list[Any], rows: list[list[Any]]) -> str:
    """Return a table as CSV (RFC 4180 quoting, line feeds)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([plain_cell(c) for c in columns])
    writer.writerows([[plain_cell(c) for c in row] for row in rows])
    return buffer.getvalue()


def csv_uri(columns: list[Any], rows: list[list[Any]]) -> str:
    """Return a table as a ``data:`` address that a browser saves as a CSV file."""
    return "data:text/csv;charset=utf-8," + quote(csv_text(columns, rows), safe=" ,;:/()=.'")


def column_alignments(columns: list[Any], rows: list[list[Any]], align: list[str]) -> list[str]:
    """Return the class of each column: ``"num"`` (right-aligned), ``"long"`` (text) or ``""``.

    Parameters
    ----------
    columns : list
        Column heads.
    rows : list of list
        Cells; every row has one for each column.
    align : list of str
        ``"right"``/``"r"``/``"num"`` or ``"left"``/``"l"``/``""`` by column; where the list
        ends, a column is right-aligned when all of its cells look like numbers.

    Raises
    ------
    ValueError
        When a row is shorter or longer than the head.
    """
    for i, row in enumerate(rows):
        if len(row) != len(columns):
            raise ValueError(f"table row {i} has {len(row)} cells for {len(columns)} columns")
    classes = []
    for j in range(len(columns)):
        cells = [row[j] for row in rows]
        if j < len(align):
            numeric = align[j] in ("right", "r", "num")
        else:
            numeric = bool(cells) and all(map(_looks_numeric, cells))
        long = any(len(_text(cell)) > LONG for cell in cells)
        classes.append("num" if numeric else "long" if long else "")
    return classes


def _looks_numeric(cell: Any) -> bool:
    """Tell whether a cell reads as a number, an interval or a missing number."""
    if isinstance(cell, Number | int | float):
        return True
    text = _text(cell).replace("NT$", "").strip()
    return text in ("", NONE) or (any(c.isdigit() for c in text) and not set(text) - _NUMERIC)
