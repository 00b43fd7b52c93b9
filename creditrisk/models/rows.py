"""The rows that models read: features and labels, training side and hold-out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from creditrisk import schema
from creditrisk.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray

LABEL_COLUMNS = (schema.KEY, schema.TARGET, schema.GROUP, schema.SPLIT, schema.FIT_ROW)
"""What models need of the cleaned table beside the features."""


@dataclass(frozen=True)
class TrainingRows:
    """The training side of the table, n rows.

    Attributes
    ----------
    X : ndarray of float, shape (n, k)
        Features in the order of their names.
    y : ndarray of int, shape (n,)
    groups : ndarray of int, shape (n,)
    fit_row : ndarray of bool, shape (n,)
        False keeps a row out of every fit; it is still scored.
    """

    X: Array
    y: Array
    groups: Array
    fit_row: Array


@dataclass(frozen=True)
class Sides:
    """Both sides of the hold-out split.

    Attributes
    ----------
    train : TrainingRows
    train_id, holdout_id : ndarray of int
    holdout_features : ndarray of float, shape (m, k)
        Hold-out rows carry no label here: training has no use for one.
    """

    train: TrainingRows
    train_id: Array
    holdout_id: Array
    holdout_features: Array


def matrix(features: pd.DataFrame, names: Sequence[str]) -> Array:
    """Return some columns of the feature table as float64, shape (n, k)."""
    return features[list(names)].to_numpy(dtype=np.float64)


def split_sides(clients: pd.DataFrame, features: pd.DataFrame, names: Sequence[str]) -> Sides:
    """Divide the table into its training side and its hold-out.

    Parameters
    ----------
    clients : DataFrame, n rows
        With :data:`LABEL_COLUMNS`.
    features : DataFrame, n rows
        ID and at least the columns in ``names``, same rows in the same order.
    names : sequence of str, length k

    Returns
    -------
    Sides

    Raises
    ------
    ValueError
        When the two tables hold different clients, or a group lies on both sides.
    """
    if not np.array_equal(clients[schema.KEY], features[schema.KEY]):
        raise ValueError("clients and features hold different IDs, or in another order")
    X = matrix(features, names)
    train = (clients[schema.SPLIT] == schema.TRAIN).to_numpy()
    key, group = clients[schema.KEY].to_numpy(), clients[schema.GROUP].to_numpy()
    if len(shared := np.intersect1d(group[train], group[~train])):
        raise ValueError(f"{len(shared)} groups lie on both sides of the split, e.g. {shared[0]}")
    rows = TrainingRows(
        X=X[train],
        y=clients[schema.TARGET].to_numpy()[train],
        groups=group[train],
        fit_row=clients[schema.FIT_ROW].to_numpy(dtype=bool)[train],
    )
    return Sides(
        train=rows, train_id=key[train], holdout_id=key[~train], holdout_features=X[~train]
    )


@dataclass(frozen=True)
class Scored:
    """Labels and every family's probabilities, both sides of the split.

    Attributes
    ----------
    train_id, holdout_id : ndarray of int
    train_y, holdout_y : ndarray of int
    train_groups, holdout_groups : ndarray of int
    fit_row : ndarray of bool
        Training rows that may enter a fit.
    train, holdout : dict of family to ndarray of float
        Out of fold on training rows; by the final pipeline on the hold-out.
    """

    train_id: Array
    holdout_id: Array
    train_y: Array
    holdout_y: Array
    train_groups: Array
    holdout_groups: Array
    fit_row: Array
    train: dict[str, Array]
    holdout: dict[str, Array]


def gather(clients: pd.DataFrame, predictions: Mapping[str, Mapping[str, Array]]) -> Scored:
    """Join labels and stored probabilities by client.

    Parameters
    ----------
    clients : DataFrame
        With :data:`LABEL_COLUMNS`.
    predictions : mapping of family to mapping
        Arrays ``train_id``, ``train_probability``, ``holdout_id``,
        ``holdout_probability``.

    Returns
    -------
    Scored

    Raises
    ------
    UserError
        Naming a family whose predictions are of other clients: it must be trained anew.
    """
    sides = {}
    for side in (schema.TRAIN, schema.HOLDOUT):
        rows = clients[clients[schema.SPLIT] == side]
        for family, arrays in predictions.items():
            if not np.array_equal(arrays[f"{side}_id"], rows[schema.KEY]):
                raise UserError(f"{family}: {side} predictions are of other clients: run it again")
        sides[side] = rows
    return Scored(
        train_id=sides[schema.TRAIN][schema.KEY].to_numpy(),
        holdout_id=sides[schema.HOLDOUT][schema.KEY].to_numpy(),
        train_y=sides[schema.TRAIN][schema.TARGET].to_numpy(),
        holdout_y=sides[schema.HOLDOUT][schema.TARGET].to_numpy(),
        train_groups=sides[schema.TRAIN][schema.GROUP].to_numpy(),
        holdout_groups=sides[schema.HOLDOUT][schema.GROUP].to_numpy(),
        fit_row=sides[schema.TRAIN][schema.FIT_ROW].to_numpy(dtype=bool),
        train={f: np.asarray(a["train_probability"]) for f, a in predictions.items()},
        holdout={f: np.asarray(a["holdout_probability"]) for f, a in predictions.items()},
    )
