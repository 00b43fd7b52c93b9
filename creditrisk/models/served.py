"""What is served of the champion beside its trees: their tables, and the range of its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creditrisk import schema
from creditrisk.models import trees

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

Array = np.ndarray


def tree_tables(pipeline: Pipeline, X: Array, n_jobs: int) -> dict[str, Array]:
    """Return ``champion.npz``: the champion's trees as tables, checked on every row.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted, of a single boosted-tree step.
    X : ndarray of float, shape (n, k)
    n_jobs : int
        Threads.

    Raises
    ------
    UserError
        When the tables do not say what the trees say.
    """
    booster = pipeline.named_steps["model"].get_booster()
    tables = trees.build_tables(booster)
    if len(tables["output"]):
        trees.check_tables(tables, booster, X, n_jobs)
    return tables


def amount_ranges(table: pd.DataFrame, labels: pd.DataFrame) -> dict[str, list[float]]:
    """Return the lowest and highest amount that the champion was fitted on, by column.

    Parameters
    ----------
    table : DataFrame, n rows
        The features, with the raw amounts among them.
    labels : DataFrame, n rows
        With split and fit_row.
    """
    fitted = ((labels[schema.SPLIT] == schema.TRAIN) & labels[schema.FIT_ROW]).to_numpy()
    columns = (schema.LIMIT, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS)
    amounts = table.loc[fitted, list(columns)]
    return {
        column: [float(amounts[column].min()), float(amounts[column].max())] for column in columns
    }
