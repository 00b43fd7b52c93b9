"""``python -m creditrisk benchmark``: the champion's recipe on somebody else's folds.

Each fold's model is fitted on the other folds alone. The recipe is the one in
``params.yaml``; nothing is chosen here.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import params, paths, schema
from creditrisk.errors import UserError
from creditrisk.metrics import calibration, discrimination
from creditrisk.models import training

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
RECIPE = "xgboost"
"""The family that evaluate.champion can choose: the only one that can be served."""
FIGURES = ("roc_auc", "pr_auc", "log_loss", "brier", "fit_s")


def align_folds(folds: pd.DataFrame, ids: Array) -> Array:
    """Return each client's fold.

    Parameters
    ----------
    folds : DataFrame
        Columns ``ID`` and ``fold``, whole numbers, one row a client.
    ids : ndarray of int, shape (n,)
        The clients that there are.

    Returns
    -------
    ndarray of int, shape (n,)
        −1 for a client without a fold.

    Raises
    ------
    UserError
        When a column is absent or not whole numbers, an ID occurs twice or is not in
        the data, or there are fewer than two folds.
    """
    for column in ("ID", "fold"):
        if column not in folds:
            raise UserError(f"--folds: the file has no column {column}; it needs ID and fold")
        if folds[column].dtype.kind != "i":
            raise UserError(f"--folds: column {column} must hold whole numbers, without gaps")
    if (n_twice := int(folds["ID"].duplicated().sum())) > 0:
        raise UserError(f"--folds: {n_twice} rows repeat an ID; each client has one fold")
    if (n_unknown := int((~folds["ID"].isin(ids)).sum())) > 0:
        raise UserError(f"--folds: {n_unknown} IDs are not in the data")
    if (folds["fold"] < 0).any() or folds["fold"].nunique() < 2:
        raise UserError("--folds: at least two folds, numbered from 0, are needed")
    return folds.set_index("ID")["fold"].reindex(ids).fillna(-1).to_numpy(dtype=int)


def score_folds(
    make_model: Callable[[], Any],
    X: Array,
    y: Array,
    fold: Array,
    progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Fit a fresh model for each fold on the other folds and score it there.

    Parameters
    ----------
    make_model : callable
        Returns an unfitted classifier.
    X : ndarray of float, shape (n, k)
    y : ndarray of {0, 1}, shape (n,)
    fold : ndarray of int, shape (n,)
        −1 leaves a row out of everything.
    progress : callable
        Gets one line a fold.

    Returns
    -------
    dict
        ``folds``: list of ``fold``, ``roc_auc``, ``pr_auc``, ``log_loss``, ``brier`` and
        ``fit_s`` (seconds); ``mean``: the same, averaged.

    Raises
    ------
    ValueError
        When a fold holds one class only.
    """
    rows = []
    for number in np.unique(fold[fold >= 0]):
        tested, fitted = fold == number, (fold >= 0) & (fold != number)
        started = perf_counter()
        model = make_model().fit(X[fitted], y[fitted])
        seconds = perf_counter() - started
        p = training.predict(model, X[tested])
        figures = {
            "roc_auc": discrimination.roc_auc(y[tested], p),
            "pr_auc": discrimination.pr_auc(y[tested], p),
            "log_loss": float(calibration.row_log_loss(y[tested], p).mean()),
            "brier": float(calibration.row_brier(y[tested], p).mean()),
            "fit_s": seconds,
        }
        rows.append({"fold": int(number), **figures})
        progress(f"fold {number}: ROC AUC {figures['roc_auc']:.4f}, fitted in {seconds:.1f} s")
    return {"folds": rows, "mean": {k: float(np.mean([r[k] for r in rows])) for k in FIGURES}}


def read_clients() -> pd.DataFrame:
    """Return the raw table, fetched first where it is absent."""
    from creditrisk import fetching
    from creditrisk.data.rawtable import read_table

    if not paths.RAW.exists():
        # what fetching says goes to stderr: stdout holds the one JSON object
        with contextlib.redirect_stdout(sys.stderr):
            fetching.fetch(paths.RAW, **params.read_section(paths.PARAMS, "fetch"))
    return read_table(paths.RAW.read_bytes())


def run(folds: Path, *, served: bool) -> None:
    """Print the benchmark as one JSON object; progress goes to stderr.

    Parameters
    ----------
    folds : Path
        CSV with the columns ``ID`` and ``fold``.
    served : bool
        Leave SEX, EDUCATION, MARRIAGE and AGE out, as the served model does, instead
        of using all 23 columns as published figures do.

    Raises
    ------
    UserError
        When the file of folds cannot be used.
    """
    import pandas as pd

    from creditrisk.features import record, registry
    from creditrisk.models import families

    try:
        table = pd.read_csv(folds)
    except (OSError, ValueError) as error:
        raise UserError(f"--folds: cannot read {folds}: {error}") from None
    section = params.read_section(paths.PARAMS, "train")
    recipe = section["families"][RECIPE]
    clients = read_clients()
    fold = align_folds(table, clients[schema.KEY].to_numpy())
    if n_left_out := int((fold < 0).sum()):
        print(f"{n_left_out:,} clients are not in {folds} and left out", file=sys.stderr)
    names = registry.select(
        dict.fromkeys([*recipe["features"], "audit"]),
        audit_attributes="exclude" if served else "include",
    )
    result = score_folds(
        lambda: families.build(
            RECIPE, recipe, scaler=section["scaler"], n_jobs=training.available_cores()
        ),
        registry.compute(record.from_frame(clients), names),
        clients[schema.RAW_TARGET].to_numpy(dtype=int),
        fold,
        lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(json.dumps({"mode": "fixed", **result}))
