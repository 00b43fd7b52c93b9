"""What a run cost, noted in the untracked ``.bench/``: it differs every time, so DVC never sees it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path


def peak_memory_bytes() -> int:
    """Return the largest resident size of this process and of its biggest ended child."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(own, children) * (1 if sys.platform == "darwin" else 1024)


def cpu_seconds() -> float:
    """Return user and system time of this process and of its ended children."""
    return sum(os.times()[:4])


def rows(tables: Iterable[str]) -> int | None:
    """Return the rows of the first Parquet table; None when the run had nothing to do with one."""
    found = next((t for t in tables if t.endswith(".parquet")), None)
    if found is None or "pyarrow.parquet" not in sys.modules:
        return None
    import pyarrow.parquet as pq

    return int(pq.read_metadata(found).num_rows)


def note(file: Path, *, wall_seconds: float, tables: Iterable[str]) -> None:
    """Write the figures of a run that ends now.

    Parameters
    ----------
    file : Path
        The JSON file.
    wall_seconds : float
        What a clock showed.
    tables : iterable of str
        Outputs, then inputs, of which the first table gives the number of rows.
    """
    figures = {
        "wall_seconds": round(wall_seconds, 3),
        "cpu_seconds": round(cpu_seconds(), 3),
        "peak_mb": round(peak_memory_bytes() / 1e6, 1),
        "rows": rows(tables),
    }
    file.write_text(json.dumps(figures) + "\n", encoding="utf-8")
