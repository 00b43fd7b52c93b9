"""The champion's recipe refitted on other draws of clients → the band of its probabilities.

Reads ``clients.parquet`` (labels, groups, split), ``features.parquet`` and
``model_features.json``; writes band, coverage and stability of decisions. Params: section
``refits`` of ``studies/params.yaml``, and the recipes of section ``train``. The work is done
by :func:`creditrisk.validation.refits.study`; the hold-out is not read.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from creditrisk import io, params, paths, schema
from creditrisk.models import families, rows, training
from creditrisk.validation import fingerprint, refits

READS = ("train",)

Share = Annotated[float, Field(gt=0, lt=1)]


class Params(params.Params):
    """Section ``refits`` of ``studies/params.yaml``, and section ``train``."""

    family: str
    folds: Annotated[int, Field(ge=2)]
    build: Annotated[int, Field(ge=2)]
    check: Annotated[int, Field(ge=1)]
    level: Share
    knots: Annotated[int, Field(ge=2)]
    threshold: Share
    seed: Annotated[int, Field(ge=0)]
    train: dict[str, Any]


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    features: Path = paths.FEATURES,
    model_features: Path = paths.MODEL_FEATURES,
    results: Path = paths.study("refits"),
) -> None:
    """Refit the recipe on bootstrap draws of groups and write what that moves."""
    recipe = params.train["families"][params.family]
    available = io.read_json(model_features)["families"]
    names = families.model_features(params.family, recipe, available)
    labels = io.read_table(clients, columns=list(rows.LABEL_COLUMNS))
    sides = rows.split_sides(labels, io.read_table(features, columns=[schema.KEY, *names]), names)
    document = refits.study(
        lambda: families.build(
            params.family, recipe, scaler=params.train["scaler"], features=names
        ),
        sides.train,
        n_folds=params.folds,
        n_build=params.build,
        n_check=params.check,
        level=params.level,
        n_knots=params.knots,
        threshold=params.threshold,
        random_state=params.seed,
        n_jobs=training.available_cores(),
        progress=lambda line: print(line, flush=True),
    )
    io.write_json(
        results, {"fingerprint": fingerprint.fingerprint(labels, recipe, names), **document}
    )
    print(f"refits: {document['coverage']:.1%} of checking refits inside the band", flush=True)


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "refits", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
