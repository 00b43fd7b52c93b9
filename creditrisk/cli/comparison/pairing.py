"""Paired intervals of the champion's figures between a revision and the working tree.

The statistics are those of the model page: on the hold-out a bootstrap that draws groups of
rows of one client, out of fold the corrected t over the same folds, both with Holm's levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creditrisk import io, params, paths, schema
from creditrisk.cli.records.hashing import md5_of_file
from creditrisk.cli.records.revision import Revision

if TYPE_CHECKING:
    import numpy as np

FAMILY, CLIENTS = "champion.family", "data.sha256"
TOLERANCE = 1e-5
"""Between a figure and its stored form, which has six significant digits."""


class NotPairedError(Exception):
    """Why two revisions cannot be compared row by row."""


def on_holdout(
    then: Revision, root: Path, old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Compare the champions of both sides on the hold-out (grouped bootstrap, Holm).

    Parameters
    ----------
    then : Revision
    root : Path
        The working tree.
    old, new : mapping of str to value
        The metrics of both sides by name.

    Returns
    -------
    dict of dict
        ``champion.<metric>`` → a row of :func:`~creditrisk.metrics.comparison.holm` with its
        ``verdict``; the difference is the working tree less the revision.

    Raises
    ------
    NotPairedError
        When predictions are not at hand, speak of other clients, or are not those that the
        metrics were computed from.
    """
    import numpy as np

    from creditrisk.metrics import comparison

    before, now = (
        io.read_arrays(file)
        for file in _files(then, root, old, new, of_family=paths.family_predictions)
    )
    if not np.array_equal(before["holdout_id"], now["holdout_id"]):
        raise NotPairedError("the hold-outs are not the same clients")
    y, groups = _labels(root, now["holdout_id"])
    p = {"then": before["holdout_probability"], "now": now["holdout_probability"]}
    exact = {side: _figures(y, values) for side, values in p.items()}
    for side, stored, place in (("then", old, then.label), ("now", new, "the working tree")):
        if abs(exact[side]["roc_auc"] - stored["champion.roc_auc"]) > TOLERANCE:
            raise NotPairedError(f"predictions and metrics of {place} differ: run `dvc repro`")
    settings = params.read_section(root / paths.PARAMS, "evaluate")
    draws = comparison.bootstrap(
        y,
        p,
        groups,
        n_replicates=settings["bootstrap"]["replicates"],
        random_state=settings["bootstrap"]["seed"],
    )
    raw = {
        metric: comparison.paired_bootstrap(
            exact["now"][metric] - exact["then"][metric], replicates - draws["then"][metric]
        )
        for metric, replicates in draws["now"].items()
    }
    return _judged(raw, "champion", settings["alpha"])


def on_folds(
    then: Revision, root: Path, old: Mapping[str, Any], new: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Compare the champions of both sides fold by fold (Nadeau-Bengio, Holm).

    Parameters, returns and errors are those of :func:`on_holdout`, the keys
    ``champion_cv.<metric>``.
    """
    from creditrisk.errors import UserError
    from creditrisk.validation import ladder

    before, now = (
        io.read_json(file)
        for file in _files(then, root, old, new, of_family=lambda f: paths.results(f"train/{f}"))
    )
    try:
        raw = ladder.fold_differences({"now": now, "then": before}, "now", "then")
    except UserError:
        raise NotPairedError("the folds are not the same") from None
    alpha = params.read_section(root / paths.PARAMS, "evaluate")["alpha"]
    return _judged(raw, "champion_cv", alpha)


def _files(
    then: Revision, root: Path, old: Mapping[str, Any], new: Mapping[str, Any], *, of_family: Any
) -> tuple[Path, Path]:
    """Return the same output of the champion then, from the cache, and now."""
    if FAMILY not in old or FAMILY not in new:
        raise NotPairedError("the metrics name no champion")
    if old.get(CLIENTS) != new.get(CLIENTS):
        raise NotPairedError("the raw tables are not the same")
    path = of_family(new[FAMILY])
    if not (root / path).is_file():
        raise NotPairedError(f"{path.as_posix()} is not here: run `dvc repro`")
    cached = then.output(of_family(old[FAMILY]))
    if cached is None:
        raise NotPairedError(
            f"DVC's cache has no {of_family(old[FAMILY]).as_posix()} of {then.label}; "
            "`dvc fetch --all-commits` brings it where a remote is set up"
        )
    if md5_of_file(root / path) == md5_of_file(cached):
        raise NotPairedError("both sides have the same file")
    return cached, root / path


def _labels(root: Path, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the outcome and the group of clients by their IDs, each of shape (n,)."""
    if not (root / paths.CLIENTS).is_file():
        raise NotPairedError(f"{paths.CLIENTS.as_posix()} is not here: run `dvc repro`")
    table = io.read_table(root / paths.CLIENTS, [schema.KEY, schema.TARGET, schema.GROUP])
    table = table.set_index(schema.KEY)
    if not set(ids.tolist()) <= set(table.index):
        raise NotPairedError(f"{paths.CLIENTS.as_posix()} has other clients: run `dvc repro`")
    rows = table.loc[ids]
    return rows[schema.TARGET].to_numpy(dtype=int), rows[schema.GROUP].to_numpy()


def _figures(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Return the bootstrapped figures on the sample itself."""
    import numpy as np

    from creditrisk.metrics import calibration, comparison

    ranking = comparison.weighted_ranking(y, p, np.ones((1, len(y))))
    return {metric: float(value[0]) for metric, value in ranking.items()} | {
        "log_loss": float(calibration.row_log_loss(y, p).mean()),
        "brier": float(calibration.row_brier(y, p).mean()),
    }


def _judged(
    raw: Mapping[str, Mapping[str, float]], prefix: str, alpha: float
) -> dict[str, dict[str, Any]]:
    """Adjust a table of differences for its size and give each its verdict."""
    from creditrisk.metrics import comparison

    return {
        f"{prefix}.{metric}": {**row, "verdict": comparison.verdict(row, metric, alpha)}
        for metric, row in comparison.holm(raw, alpha).items()
    }
