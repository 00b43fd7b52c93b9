"""Reading and writing, each in one way that gives the same bytes every time."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SIGNIFICANT_DIGITS = 6


class NonFiniteError(ArithmeticError):
    """A number that is about to be stored is NaN or infinite."""


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path that takes the place of ``path`` when the block succeeds.

    Parameters
    ----------
    path : Path
        The file to be written; its folder is made when missing.

    Yields
    ------
    Path
        A file in the same folder with the same suffix. It is removed when the
        block raises, so nothing half-written stays behind.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        with temporary.open("r+b") as file:  # Windows flushes writable files only
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends, atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def plain(value: Any, digits: int | None = SIGNIFICANT_DIGITS, where: str = "") -> Any:
    """Turn numpy and pandas values into plain Python, rounding floats.

    Parameters
    ----------
    value : object
        Mapping, sequence, array, scalar or None, nested at will.
    digits : int or None
        Significant digits that floats keep; None keeps them all.
    where : str
        Key path, used in error messages.

    Returns
    -------
    dict, list, str, int, float, bool or None

    Raises
    ------
    NonFiniteError
        When a float is NaN or infinite; the message names its key.
    TypeError
        When a value has no JSON form.
    """
    if hasattr(value, "tolist"):  # arrays and numpy scalars
        value = value.tolist()
    if isinstance(value, Mapping):
        return {
            str(k): plain(v, digits, f"{where}.{k}" if where else str(k)) for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(v, digits, f"{where}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NonFiniteError(f"{where or 'value'} is {value}: a stored number must be finite")
        return value if digits is None else float(f"{value:.{digits}g}")
    if value is None or isinstance(value, str | int | bool):
        return value
    raise TypeError(f"{where or 'value'} has no JSON form: {type(value).__name__}")


def json_text(document: Any, *, digits: int | None = SIGNIFICANT_DIGITS) -> str:
    """Return JSON: keys in the order given, floats rounded, no NaN, one line feed at the end."""
    rounded = plain(document, digits)
    return json.dumps(rounded, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, document: Any, *, digits: int | None = SIGNIFICANT_DIGITS) -> None:
    """Write :func:`json_text` atomically."""
    write_text(path, json_text(document, digits=digits))


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_yaml(path: Path) -> Any:
    """Read a YAML file with plain types only."""
    import yaml

    return yaml.safe_load(Path(path).read_text(encoding="utf-8"))


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a frame as Parquet without the metadata that names library versions."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    with atomic(path) as temporary:
        pq.write_table(arrow, temporary, compression="zstd")


def read_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a Parquet table.

    Raises
    ------
    KeyError
        Naming the columns that were asked for and are not in the file.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    if columns is not None:
        missing = [c for c in columns if c not in pq.read_schema(path).names]
        if missing:
            raise KeyError(f"{path} has no column {', '.join(missing)}")
    return pd.read_parquet(path, columns=columns)


def read_csv(path: Path) -> pd.DataFrame:
    """Read a small CSV table that stands in the repository."""
    import pandas as pd

    return pd.read_csv(path)


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a small table for plots as CSV, floats to six significant digits."""
    write_text(
        path,
        table.to_csv(index=False, float_format=f"%.{SIGNIFICANT_DIGITS}g", lineterminator="\n"),
    )


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write named arrays as an uncompressed npz whose bytes depend on the arrays alone.

    ``numpy.savez`` streams its members, and Python's patch releases differ in the zip
    headers that they write for a stream; a member of known size has one form.
    """
    import io
    import zipfile

    from numpy.lib import format as npy

    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")  # dated 1980, the format's beginning
            member.create_system = 3  # what Windows would write differs
            content = io.BytesIO()
            npy.write_array(content, array, allow_pickle=False)
            archive.writestr(member, content.getvalue())


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read every array of an npz; pickled objects are refused."""
    import numpy as np

    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def write_model(path: Path, model: Any) -> None:
    """Write a fitted estimator with joblib: a research artefact, never served."""
    import joblib

    with atomic(path) as temporary:
        joblib.dump(model, temporary)


def read_model(path: Path) -> Any:
    """Read what :func:`write_model` wrote. joblib unpickles: only for files of our own."""
    import joblib

    return joblib.load(path)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    import hashlib

    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
