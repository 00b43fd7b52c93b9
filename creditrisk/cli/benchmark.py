"""``python -m creditrisk benchmark``: our models on somebody else's folds.

Each fold's model is fitted on the other folds alone. *Fixed* takes the champion's recipe
from ``params.yaml``; *nested* chooses the blend's feature families and hyper-parameters
inside each fold's training rows, from the space in ``studies/params.yaml``.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from creditrisk import params, paths, schema
from creditrisk.errors import UserError
from creditrisk.models import training
from creditrisk.validation import benchmark, benchmark_study

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

RECIPE = "xgboost"
"""The champion's family; nothing else can be served."""
PRINTED = ("roc_auc", "pr_auc", "log_loss", "brier", "fit_s")


def read_clients() -> pd.DataFrame:
    """Return the raw table, fetched first where it is absent."""
    from creditrisk import fetching
    from creditrisk.data.rawtable import read_table

    if not paths.RAW.exists():
        # what fetching says goes to stderr: stdout holds the one JSON object
        with contextlib.redirect_stdout(sys.stderr):
            fetching.fetch(paths.RAW, **params.read_section(paths.PARAMS, "fetch"))
    return read_table(paths.RAW.read_bytes())


def run(folds: Path, *, served: bool, is_nested: bool) -> None:
    """Print the benchmark as one JSON object; progress goes to stderr.

    Parameters
    ----------
    folds : Path
        CSV with the columns ``ID`` and ``fold``.
    served : bool
        Leave SEX, EDUCATION, MARRIAGE and AGE out, as the served model does, instead
        of using all 23 columns as published figures do.
    is_nested : bool
        Choose features and hyper-parameters inside each fold's training rows.

    Raises
    ------
    UserError
        When the file of folds cannot be used.
    """
    import pandas as pd

    try:
        table = pd.read_csv(folds)
    except (OSError, ValueError) as error:
        raise UserError(f"--folds: cannot read {folds}: {error}") from None
    clients = read_clients()
    fold = benchmark.align_folds(table, clients[schema.KEY].to_numpy())
    if n_left_out := int((fold < 0).sum()):
        print(f"{n_left_out:,} clients are not in {folds} and left out", file=sys.stderr)
    score = score_nested if is_nested else score_fixed
    result = score(clients, fold, "served" if served else "all")
    shown = [{"fold": row["fold"], **pick(row)} for row in result["folds"]]
    mode = "nested" if is_nested else "fixed"
    print(json.dumps({"mode": mode, "folds": shown, "mean": pick(result["mean"])}))


def pick(figures: dict[str, Any]) -> dict[str, Any]:
    """Return the figures that are printed."""
    return {name: figures[name] for name in PRINTED}


def score_fixed(clients: pd.DataFrame, fold: np.ndarray, configuration: str) -> dict[str, Any]:
    """Score the champion's recipe as it stands in ``params.yaml``."""
    from creditrisk.features import record, registry

    section = params.read_section(paths.PARAMS, "train")
    names, make = benchmark_study.fixed_model(
        RECIPE,
        section["families"][RECIPE],
        scaler=section["scaler"],
        configuration=configuration,
        n_jobs=training.available_cores(),
    )
    X = registry.compute(record.from_frame(clients), names)
    y = clients[schema.RAW_TARGET].to_numpy(dtype=int)
    return benchmark.score_folds(make, X, y, fold, clock=perf_counter, progress=say)[0]


def score_nested(clients: pd.DataFrame, fold: np.ndarray, configuration: str) -> dict[str, Any]:
    """Score the blend with everything chosen inside each fold's training rows."""
    study = importlib.import_module("studies.benchmark")
    section = params.read_section(paths.STUDY_PARAMS, "benchmark")
    shared = {name: params.read_section(paths.PARAMS, name) for name in study.READS}
    chosen = params.parse(study.Params, section | shared, "benchmark")
    result = benchmark.nested_folds(
        clients,
        clients[schema.RAW_TARGET].to_numpy(dtype=int),
        fold,
        space=chosen.space.model_dump(),
        twins=chosen.clean["twins"],
        audit_attributes=benchmark_study.CONFIGURATIONS[configuration],
        random_state=chosen.seed,
        n_jobs=training.available_cores(),
        clock=perf_counter,
        progress=say,
    )
    return result["blend"]


def say(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)
