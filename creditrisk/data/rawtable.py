"""From the bytes of a data file to the canonical raw table, without touching a disk.

Reads CSV, the UCI spreadsheet (.xls) and a zip that holds one of them; writes the
canonical CSV: Kaggle's columns in Kaggle's order, sorted by ID, whole numbers
without a decimal point.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from creditrisk import schema
from creditrisk.data.headers import header_message, read_header
from creditrisk.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

_XLS, _ZIP = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
_LARGEST_EXACT: Final = 2.0**53
"""Whole floats beyond it are not exact, so they stay floats."""


def read_table(data: bytes, columns: Mapping[str, str | None] | None = None) -> pd.DataFrame:
    """Read a data file into the canonical columns.

    Parameters
    ----------
    data : bytes
        CSV (UTF-8; comma, semicolon or tab), ``.xls``, or a zip with one of them.
    columns : mapping of str to (str or None), optional
        Names of the user's own; see :func:`creditrisk.data.headers.read_header`.

    Returns
    -------
    DataFrame, n rows
        ``schema.RAW_COLUMNS`` in the file's row order. Each column is numeric where
        every value that is present is a number, else text as in the file. Missing
        values are NaN.

    Raises
    ------
    UserError
        When the bytes are no such file, or naming missing and unexpected columns.
    """
    cells = _read_cells(data)
    # Row 0 is a banner in the UCI spreadsheet, so the row below it goes first.
    headers = [(i, read_header(cells.iloc[i].tolist(), columns)) for i in (1, 0) if i < len(cells)]
    if not headers:
        raise UserError("the table is empty")
    row, header = next(
        ((i, h) for i, h in headers if not h.problems),
        max(headers, key=lambda each: (each[1].n_found, -each[0])),
    )
    if header.problems:
        raise UserError(header_message(header))
    body = cells.iloc[row + 1 :].reset_index(drop=True)
    positions = {name: i for i, name in enumerate(header.names) if name is not None}
    import pandas as pd

    return pd.DataFrame({name: _numbers(body[positions[name]]) for name in schema.RAW_COLUMNS})


def canonicalise(table: pd.DataFrame) -> bytes:
    """Write a table in the canonical form.

    Parameters
    ----------
    table : DataFrame, n rows
        As :func:`read_table` gives it.

    Returns
    -------
    bytes
        CSV sorted by ID (rows without a number for an ID keep their order). A
        column of whole numbers is written as integers, missing values as nothing.
    """
    import pandas as pd

    ordered = table[list(schema.RAW_COLUMNS)]
    if pd.api.types.is_numeric_dtype(ordered[schema.KEY]):
        ordered = ordered.sort_values(schema.KEY, kind="stable")
    whole = ordered.apply(_whole)
    return whole.to_csv(index=False, lineterminator="\n").encode()


def _read_cells(data: bytes) -> pd.DataFrame:
    """Return every cell, header rows included, columns numbered from 0."""
    import pandas as pd

    if data.startswith(_ZIP):
        return _read_cells(_unzip(data))
    try:
        if data.startswith(_XLS):
            return _read_sheet(data)
        # Data of this table hold no comma of their own, so the header tells the separator.
        first = data.partition(b"\n")[0]
        separator = max(b",;\t".decode(), key=lambda s: first.count(s.encode()))
        return pd.read_csv(
            io.BytesIO(data), header=None, dtype=str, sep=separator, encoding="utf-8-sig"
        )
    except pd.errors.EmptyDataError:
        raise UserError("the table is empty") from None
    except UnicodeDecodeError:
        raise UserError("the file is neither UTF-8 CSV nor .xls; save it as CSV") from None
    except Exception as error:  # xlrd and pandas raise a dozen kinds on broken files
        text = " ".join(str(error).split())[:200]
        raise UserError(f"the file cannot be read as CSV or .xls: {text}") from None


def _read_sheet(data: bytes) -> pd.DataFrame:
    """Return the cells of the first sheet of an ``.xls``; empty and error cells are missing."""
    import pandas as pd
    import xlrd

    sheet = xlrd.open_workbook(file_contents=data, logfile=io.StringIO()).sheet_by_index(0)
    kept = (xlrd.XL_CELL_TEXT, xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE, xlrd.XL_CELL_BOOLEAN)
    rows = [[cell.value if cell.ctype in kept else None for cell in row] for row in sheet]
    return pd.DataFrame(rows, dtype=object)


def _unzip(data: bytes) -> bytes:
    """Return the one CSV or .xls of a zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            tables = [n for n in archive.namelist() if n.lower().endswith((".csv", ".xls"))]
            if len(tables) == 1:
                return archive.read(tables[0])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise UserError(f"the zip cannot be read: {error}") from None
    hint = " (save an .xlsx as CSV)" if b"[Content_Types].xml" in data[:4096] else ""
    raise UserError(f"the zip holds {len(tables)} CSV or .xls files, expected one{hint}")


def _numbers(cells: pd.Series) -> pd.Series:
    """Turn a column of cells into numbers, or leave it when one is no number."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        numbers = pd.to_numeric(cells, errors="coerce")
    return cells if (numbers.isna() & cells.notna()).any() else numbers


def _whole(column: pd.Series) -> pd.Series:
    """Return a column of whole numbers as integers (nullable when some are missing)."""
    import pandas as pd

    if not pd.api.types.is_float_dtype(column):
        return column
    present = column.dropna()
    if not ((present.abs() <= _LARGEST_EXACT) & (present % 1 == 0)).all():
        return column
    return column.astype("Int64" if len(present) < len(column) else "int64")
