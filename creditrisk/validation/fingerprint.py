"""Whether a long computation still speaks of today's data and today's champion.

Studies are looked at more often than they change, so their results are committed and
read by the pipeline. Each carries what it was computed from; a page says so where
that is no longer what the pipeline has.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema

if TYPE_CHECKING:
    import pandas as pd

IDENTITY = (schema.KEY, schema.TARGET, schema.GROUP, schema.SPLIT, schema.FIT_ROW)
"""Columns that tell one set of labelled, grouped and split clients from another."""
WORDS = {
    "clients": "other clients, labels or splits",
    "recipe": "other parameters of the champion",
    "features": "other features of the champion",
}


def fingerprint(
    labels: pd.DataFrame, recipe: Mapping[str, Any], features: Sequence[str]
) -> dict[str, Any]:
    """Return what a study was computed from.

    Parameters
    ----------
    labels : DataFrame, n rows
        The cleaned table, at least :data:`IDENTITY`.
    recipe : mapping
        The champion's parameters (a family of section ``train``).
    features : sequence of str
        The champion's features, in order.

    Returns
    -------
    dict
        ``clients``, ``recipe``, ``features``: 16 hexadecimal digits of a SHA-256 each.
    """
    clients = hashlib.sha256()
    for column in IDENTITY:
        values = labels[column].to_numpy()
        if values.dtype.kind not in "iub":
            values = (values == schema.TRAIN).astype(np.int64)  # the split is a word
        clients.update(np.ascontiguousarray(values, dtype=np.int64).tobytes())
    plain = {key: value for key, value in recipe.items() if key not in ("name", "features")}
    return {
        "clients": clients.hexdigest()[:16],
        "recipe": _digest(plain),
        "features": _digest(list(features)),
    }


def _digest(document: Any) -> str:
    text = json.dumps(_plain(document), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """Return a document whose numbers are all floats: 15 in YAML is 15.0 once validated."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else value


def differences(stored: Mapping[str, str], today: Mapping[str, str]) -> list[str]:
    """Return in words what a study was computed from that is not today's; empty if nothing."""
    return [words for key, words in WORDS.items() if stored.get(key) != today[key]]
