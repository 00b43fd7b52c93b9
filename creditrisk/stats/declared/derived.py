"""Columns that are declared, not coded: a number cut into bands with readable labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.stats.samples import check_sample

if TYPE_CHECKING:
    import pandas as pd


def name_bands(edges: Sequence[float]) -> list[str]:
    """Return the label of each band between edges, lowest first.

    ``[50000, 140000]`` gives ``below 50,000``, ``50,000 to below 140,000`` and
    ``140,000 and above``.
    """
    text = [f"{edge:,g}" if abs(edge) < 1e5 else f"{edge:,.0f}" for edge in edges]
    between = [f"{low} to below {high}" for low, high in pairwise(text)]
    return [f"below {text[0]}", *between, f"{text[-1]} and above"]


def add_bands(clients: pd.DataFrame, columns: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the table with further columns, each another column cut into bands.

    Parameters
    ----------
    clients : pandas.DataFrame, n rows
        Left as it is.
    columns : mapping
        New name → ``{"source": column, "edges": ascending numbers}``; a value on an edge
        belongs to the band above it.

    Returns
    -------
    pandas.DataFrame, n rows
        With the new columns: ordered categories, labelled by :func:`name_bands`.

    Raises
    ------
    UserError
        When a name is taken, a source is missing or not finite, or edges do not rise.
    """
    import pandas as pd

    labels = {}
    for name, rule in columns.items():
        source, edges = rule["source"], list(rule["edges"])
        if name in clients:
            raise UserError(f"stats_report.columns.{name}: the table has this column; rename it")
        if source not in clients:
            raise UserError(
                f"stats_report.columns.{name}: no column {source} in the table of clients; "
                "correct the source"
            )
        if not edges or (np.diff(edges) <= 0).any():
            raise UserError(
                f"stats_report.columns.{name}: edges must rise, got {edges}; sort them and "
                "leave out repeats"
            )
        values = check_sample(clients[source], name=source, n_min=0)
        labels[name] = pd.Categorical.from_codes(
            np.digitize(values, edges), categories=pd.Index(name_bands(edges)), ordered=True
        )
    return clients.assign(**labels)
