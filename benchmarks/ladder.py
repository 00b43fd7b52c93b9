"""Speed of each family on this machine: ``python -m benchmarks.ladder`` (``make bench``).

Reads what ``dvc repro`` left (training rows, features, chosen parameters), fits every family
of ``evaluate.ladder`` in one process and writes the medians to
``benchmarks/results/ladder.json``. Families take turns within a round, so that a machine
that slows down slows all of them. Seconds are those of one machine and of nobody
else's; ratios to the champion carry further.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from timeit import repeat
from typing import TYPE_CHECKING, Any

from creditrisk import environment, io, params, paths, schema
from creditrisk.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from creditrisk.models.rows import TrainingRows

RESULTS = Path("benchmarks/results/ladder.json")
DIGITS = 3
"""Significant digits that a timing deserves."""


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes
    ----------
    n_rows, n_batch : int
        Training rows of a fit; rows of a batch that is scored.
    n_warm_up : int
        Rows of a first fit that is not timed: libraries load on first use.
    rounds : int
        Timed fits of each family; families take turns.
    batch_runs, single_runs : int
        Timed predictions in a round, each kind after one that is not timed.
    """

    n_rows: int = 20_000
    n_batch: int = 10_000
    n_warm_up: int = 2_000
    rounds: int = 3
    batch_runs: int = 5
    single_runs: int = 100


@dataclass(frozen=True)
class Contestant:
    """One family: ``build`` takes threads and returns its unfitted pipeline; ``rows`` it reads."""

    build: Callable[[int], Any]
    rows: TrainingRows


def contestant(
    family: str,
    train: Mapping[str, Any],
    *,
    clients: Path,
    features: Path,
    model_features: Path,
    trained: Callable[[str], Path],
) -> Contestant:
    """Return a family as it is trained: its features, its C where training chose one.

    Parameters
    ----------
    family : str
    train : mapping
        Section ``train`` of ``params.yaml``.
    clients, features, model_features : Path
    trained : callable
        Name of a stage's results → their path.
    """
    from creditrisk.models import families, rows

    recipe = train["families"][family]
    if len(families.candidates(family, recipe)) > 1:
        recipe = {**recipe, "C": io.read_json(trained(f"train/{family}"))["parameters"]["C"]}
    names = families.model_features(family, recipe, io.read_json(model_features)["families"])
    labels = io.read_table(clients, columns=list(rows.LABEL_COLUMNS))
    table = io.read_table(features, columns=[schema.KEY, *names])

    def build(n_jobs: int) -> Any:
        return families.build(family, recipe, scaler=train["scaler"], n_jobs=n_jobs, features=names)

    return Contestant(build, rows.split_sides(labels, table, names).train)


def time_round(entry: Contestant, settings: Settings, n_cores: int) -> dict[str, list[float]]:
    """Fit one family and score with it.

    Returns
    -------
    dict of list of float
        Seconds: ``fit`` on one thread; ``fit_all_cores``, empty where a fit takes one thread
        only; ``batch`` and ``single``, predictions of the former.
    """
    X, y = (part[entry.rows.fit_row][: settings.n_rows] for part in (entry.rows.X, entry.rows.y))
    pipeline, parallel = entry.build(1), entry.build(n_cores)
    takes_threads = n_cores > 1 and parallel[-1].get_params().get("n_jobs") == n_cores
    return {
        "fit": repeat(lambda: pipeline.fit(X, y), number=1, repeat=1),
        "fit_all_cores": repeat(lambda: parallel.fit(X, y), number=1, repeat=int(takes_threads)),
        "batch": time_predictions(pipeline, entry.rows.X[: settings.n_batch], settings.batch_runs),
        "single": time_predictions(pipeline, entry.rows.X[:1], settings.single_runs),
    }


def time_predictions(pipeline: Any, X: np.ndarray, runs: int) -> list[float]:
    """Return the seconds of several predictions of the same rows, after an untimed one."""
    pipeline.predict_proba(X)
    return repeat(lambda: pipeline.predict_proba(X), number=1, repeat=runs)


def measure(
    entries: Mapping[str, Contestant],
    settings: Settings,
    *,
    n_cores: int,
    progress: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Measure every family, in turns.

    Parameters
    ----------
    entries : mapping of family to Contestant
    settings : Settings
    n_cores : int
    progress : callable
        Gets one line a round of a family.

    Returns
    -------
    list of dict
        ``family``, ``label``, ``n_features`` and medians: ``fit_s``, ``fit_s_all_cores`` (None
        where a fit takes one thread only), ``us_per_row`` of a batch, ``us_single``.
    """
    from creditrisk.models.families import LABELS

    found: dict[str, dict[str, list[float]]] = {family: {} for family in entries}
    for entry in entries.values():
        entry.build(1).fit(entry.rows.X[: settings.n_warm_up], entry.rows.y[: settings.n_warm_up])
    for number in range(settings.rounds):
        for family, entry in entries.items():
            seconds = time_round(entry, settings, n_cores)
            for name, values in seconds.items():
                found[family].setdefault(name, []).extend(values)
            fit = seconds["fit"][0]
            progress(f"round {number + 1} of {settings.rounds}, {family}: fit {fit:.2f} s")
    return [
        {"family": family, "label": LABELS[family], "n_features": entries[family].rows.X.shape[1]}
        | _medians(own, settings.n_batch)
        for family, own in found.items()
    ]


def _medians(seconds: Mapping[str, list[float]], n_batch: int) -> dict[str, float | None]:
    """Return one family's timings in their units."""
    parallel = seconds["fit_all_cores"]
    return {
        "fit_s": median(seconds["fit"]),
        "fit_s_all_cores": median(parallel) if parallel else None,
        "us_per_row": 1e6 * median(seconds["batch"]) / n_batch,
        "us_single": 1e6 * median(seconds["single"]),
    }


def check_rows(entries: Mapping[str, Contestant], settings: Settings) -> None:
    """Refuse to call fewer rows by a larger number.

    Raises
    ------
    UserError
        When there are fewer training rows than the settings ask for.
    """
    for entry in entries.values():
        n_fit, n = int(entry.rows.fit_row.sum()), len(entry.rows.y)
        if n_fit < settings.n_rows or n < settings.n_batch:
            raise UserError(
                f"clients.parquet has {n_fit:,} rows to fit on and {n:,} to score, fewer than the "
                f"{settings.n_rows:,} and {settings.n_batch:,} of benchmarks/ladder.py: Settings"
            )


def table(document: Mapping[str, Any]) -> str:
    """Return the results as text: seconds and microseconds, each with its ratio to the champion."""
    rows = document["rows"]
    (champion,) = (r for r in rows if r["family"] == document["design"]["champion"])
    units = {
        "fit_s": "fit, s",
        "fit_s_all_cores": "all cores, s",
        "us_per_row": "batch, us a row",
        "us_single": "one row, us",
    }
    lines = [f"{'family':30}" + "".join(f"{unit:>16}{'ratio':>8}" for unit in units.values())]
    for row in rows:
        cells = [_cell(row[key], champion[key]) for key in units]
        lines.append(f"{row['label']:30}" + "".join(cells))
    return "\n".join(lines)


def _cell(value: float | None, reference: float | None) -> str:
    """Return a number and its ratio to the champion's, blank where there is none."""
    shown = "" if value is None else f"{value:.3g}"
    ratio = f"{value / reference:.2g}" if value is not None and reference else ""
    return f"{shown:>16}{ratio:>8}"


def run(
    train: Mapping[str, Any],
    ladder: list[str],
    champion: str,
    settings: Settings,
    *,
    target: Path = RESULTS,
    clients: Path = paths.CLIENTS,
    features: Path = paths.FEATURES,
    model_features: Path = paths.MODEL_FEATURES,
    trained: Callable[[str], Path] = paths.results,
) -> None:
    """Measure the families of the ladder, print the table and write the results."""
    from creditrisk.models.training import available_cores

    sources: dict[str, Any] = {
        "clients": clients,
        "features": features,
        "model_features": model_features,
        "trained": trained,
    }
    entries = {family: contestant(family, train, **sources) for family in ladder}
    check_rows(entries, settings)
    n_cores = available_cores()
    rows = measure(
        entries, settings, n_cores=n_cores, progress=lambda line: print(line, flush=True)
    )
    design = {**asdict(settings), "n_cores": n_cores, "champion": champion}
    document = {"design": design, "rows": rows}
    io.write_json(target, document, digits=DIGITS)
    print(table(document))


def main() -> None:
    """Measure with the parameters of the pipeline; a missing input is one line."""
    environment.apply()
    os.chdir(paths.ROOT)
    try:
        run(
            params.read_section(paths.PARAMS, "train"),
            params.read_section(paths.PARAMS, "evaluate")["ladder"],
            io.read_json(paths.metrics("evaluate"))["champion"]["family"],
            Settings(),
        )
    except UserError as error:
        raise SystemExit(f"bench: {error}") from None
    except FileNotFoundError as error:
        raise SystemExit(
            f"bench: an input is missing ({error.filename or error}): `dvc repro` makes it first"
        ) from None


if __name__ == "__main__":
    main()
