"""Reading what a long computation found, and whether it still speaks of today's data.

The stages ``eda``, ``stats_report`` and ``evaluate`` read the studies' documents, which
git keeps, as plain inputs. A page says so where a document is of other data or settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from creditrisk import io
from creditrisk.errors import UserError
from creditrisk.validation import fingerprint


def read_study(
    path: Path, today: Mapping[str, str], *, recipe: str = fingerprint.WORDS["recipe"]
) -> dict[str, Any]:
    """Return a study's document, and in words how it differs from today.

    Parameters
    ----------
    path : Path
        The document; see :func:`creditrisk.paths.study`.
    today : mapping
        Those parts of :func:`~creditrisk.validation.fingerprint.fingerprint` of the
        present data and settings that the reader answers for.
    recipe : str
        What the study's settings are called where they differ.

    Returns
    -------
    dict
        ``document``, and ``stale``: what it was computed from that is not today's.

    Raises
    ------
    UserError
        When the document is not there.
    """
    if not path.exists():
        raise UserError(f"{path} is missing: git keeps it; restore it or run `make studies`")
    document = io.read_json(path)
    words = fingerprint.WORDS | {"recipe": recipe}
    stored = document["fingerprint"]
    stale = [words[key] for key, value in today.items() if stored.get(key) != value]
    if stale:
        print(f"study {path.stem} speaks of {' and '.join(stale)}: run `make studies`", flush=True)
    return {"document": document, "stale": stale}
