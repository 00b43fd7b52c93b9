"""The header variants in which the credit-card table travels, and their one form.

Copies of the table name their columns as Kaggle does, as the UCI spreadsheet does,
as X1…X23 and Y, in lower case, or with PAY_1 for PAY_0. All become Kaggle's names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from creditrisk import schema


def _key(name: object) -> str:
    """Reduce a name to lower-case words: ``Default Payment.next month`` ≡ ``default_payment…``."""
    return re.sub(r"[^a-z0-9]+", "_", str(name).strip().lower()).strip("_")


_NUMBERED: Final = {f"x{i}": name for i, name in enumerate(schema.FEATURE_COLUMNS, start=1)}
_KNOWN: Final = (
    {_key(name): name for name in schema.RAW_COLUMNS}
    | _NUMBERED
    | {"pay_1": "PAY_0"}
    | dict.fromkeys(("default", "default_payment", "y"), schema.RAW_TARGET)
)
# What pandas, spreadsheets and R call the key when its header cell is empty.
_NAMELESS: Final = frozenset({"", "unnamed_0", "nan", "none"})


@dataclass(frozen=True)
class Header:
    """What a row of names means.

    Attributes
    ----------
    names : tuple of (str or None)
        The canonical name of each column; None where the column is left out.
    problems : tuple of str
        Why the row is no header of this table; empty when it is one.
    n_found : int
        Canonical columns that were recognised.
    """

    names: tuple[str | None, ...]
    problems: tuple[str, ...]
    n_found: int


def read_header(names: Sequence[object], columns: Mapping[str, str | None] | None = None) -> Header:
    """Find the canonical name of each column.

    Parameters
    ----------
    names : sequence
        A row of column names as the file has them.
    columns : mapping of str to (str or None), optional
        The user's own names: name in the file → canonical name, or None for a
        column to leave out. They go before the variants known here.

    Returns
    -------
    Header
    """
    own = {str(k).strip(): v for k, v in (columns or {}).items()}
    found: list[str | None] = []
    left_out: list[bool] = []
    for name in names:
        text = str(name).strip()
        left_out.append(text in own and own[text] is None)
        found.append(own[text] if text in own else _KNOWN.get(_key(name)))
    _name_the_key(names, found)

    problems = []
    missing = [c for c in schema.RAW_COLUMNS if c not in found]
    unexpected = [
        str(n) for n, f, out in zip(names, found, left_out, strict=True) if f is None and not out
    ]
    if missing:
        problems.append(f"missing columns: {', '.join(missing)}")
    if unexpected:
        problems.append(f"unexpected columns: {', '.join(map(repr, unexpected))}")
    for canonical, count in Counter(f for f in found if f is not None).items():
        if count > 1:
            sources = [str(n) for n, f in zip(names, found, strict=True) if f == canonical]
            problems.append(f"{canonical} is named {count} times: {', '.join(sources)}")
    absent = [k for k in own if k not in {str(n).strip() for n in names}]
    if absent:
        problems.append(f"fetch.columns names columns that are not there: {', '.join(absent)}")
    return Header(tuple(found), tuple(problems), len(schema.RAW_COLUMNS) - len(missing))


def _name_the_key(names: Sequence[object], found: list[str | None]) -> None:
    """Take a nameless first column for the ID where the rest is X1…X23 (a UCI mirror)."""
    numbered = sum(_key(n) in _NUMBERED for n in names)
    if (
        names
        and schema.KEY not in found
        and numbered == len(_NUMBERED)
        and _key(names[0]) in _NAMELESS
    ):
        found[0] = schema.KEY


def header_message(header: Header) -> str:
    """Return what is wrong with a header and what to do about it."""
    return (
        f"the table's columns do not fit: {'; '.join(header.problems)}. "
        "Map names of your own with fetch.columns in params.yaml, "
        "e.g. {credit_limit: LIMIT_BAL, remarks: null} (null leaves a column out)."
    )
