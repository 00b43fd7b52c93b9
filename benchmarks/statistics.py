"""Speed and memory of resampling beside scipy: ``python -m benchmarks.statistics``.

Reads the clients, bootstraps a mean and shuffles labels by this library and by scipy, and
writes medians to ``benchmarks/results/statistics.json``. Contestants take turns within a
round, so that a machine that slows down slows all of them. scipy gets batches as large as our
blocks, which keeps its memory low; it draws a tenth of the replicates and its seconds are
scaled, which is fair because batch follows batch. Seconds are those of one machine; ratios
carry further.
"""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from timeit import timeit
from typing import TYPE_CHECKING, Any

from creditrisk import environment, io, paths, schema

if TYPE_CHECKING:
    import numpy as np

RESULTS = Path("benchmarks/results/statistics.json")
DIGITS = 3
"""Significant digits that a timing deserves."""
CONTESTANTS = ("ours", "ours_all_cores", "scipy")


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes
    ----------
    n_replicates : int
        Bootstrap samples, or shuffles.
    scipy_part : int
        scipy draws one in so many of them, and its seconds are multiplied by it.
    batch : int
        Replicates that scipy draws at a time: as many as a block of ours holds.
    rounds : int
        Measurements of each contestant.
    """

    n_replicates: int = 10_000
    scipy_part: int = 10
    batch: int = 10
    rounds: int = 3


@dataclass(frozen=True)
class Task:
    """One comparison: a column is resampled or, with ``shuffles``, its groups by label are."""

    id: str
    label: str
    column: str
    shuffles: bool = False


TASKS = (
    Task("bootstrap_few", "bootstrap of a mean, few distinct values", schema.LIMIT),
    Task("bootstrap_many", "bootstrap of a mean, many distinct values", schema.BILL_COLUMNS[0]),
    Task("permutation", "shuffled labels, two means", schema.LIMIT, shuffles=True),
)


def mean_difference(first: np.ndarray, second: np.ndarray, axis: int) -> np.ndarray:
    """Return the statistic that scipy shuffles."""
    return first.mean(axis=axis) - second.mean(axis=axis)


def resample(
    samples: Sequence[np.ndarray], settings: Settings, *, who: str, n: int, n_cores: int
) -> None:
    """Draw n replicates: of one sample's mean, or of two samples' difference by shuffling.

    Parameters
    ----------
    samples : sequence of numpy.ndarray
        One or two.
    settings : Settings
    who : {"ours", "ours_all_cores", "scipy"}
    n, n_cores : int
    """
    import numpy as np
    from scipy import stats

    from creditrisk.stats import bootstrap, testing

    if who == "scipy":
        plain = {"n_resamples": n, "batch": settings.batch, "rng": np.random.default_rng(0)}
        if len(samples) == 2:
            stats.permutation_test(samples, mean_difference, **plain)
        else:
            stats.bootstrap(samples, np.mean, method="percentile", **plain)
        return
    seeded: dict[str, Any] = {"random_state": 0, "n_jobs": 1 if who == "ours" else n_cores}
    if len(samples) == 2:
        testing.permute_difference(*samples, n_permutations=n, **seeded)
    else:
        bootstrap.bootstrap_replicates(*samples, n_replicates=n, **seeded)


def measure_once(
    samples: Sequence[np.ndarray], settings: Settings, who: str, n_cores: int
) -> dict[str, float]:
    """Return seconds for all replicates, and the megabytes in use at the peak of another run."""
    part = settings.scipy_part if who == "scipy" else 1

    def draw(n: int) -> None:
        resample(samples, settings, who=who, n=n, n_cores=n_cores)

    draw(2)  # libraries load on first use
    n = settings.n_replicates // part
    seconds = part * timeit(lambda: draw(n), number=1)
    tracemalloc.start()  # which slows a run down: numpy reports its arrays to it
    draw(n)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {"s": seconds, "mb": peak / 1e6}


def measure(
    columns: Mapping[str, np.ndarray],
    settings: Settings,
    *,
    n_cores: int,
    progress: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Measure every task, contestants in turns.

    Parameters
    ----------
    columns : mapping of name to numpy.ndarray, shape (n,)
        Those of :data:`TASKS` and the label.
    settings : Settings
    n_cores : int
    progress : callable
        Gets one line a round of a task.

    Returns
    -------
    list of dict
        ``task, label, column, n, n_distinct``; medians by contestant: ``s`` and ``mb``; and
        ``ratio``, scipy's seconds over ours on one core.
    """
    import numpy as np

    rows = []
    for task in TASKS:
        values, labels = columns[task.column], columns[schema.TARGET]
        samples = [values[labels == 1], values[labels == 0]] if task.shuffles else [values]
        found: dict[str, list[dict[str, float]]] = {who: [] for who in CONTESTANTS}
        for number in range(settings.rounds):
            for who in CONTESTANTS:
                found[who].append(measure_once(samples, settings, who, n_cores))
            spent = ", ".join(f"{who} {runs[-1]['s']:.2f} s" for who, runs in found.items())
            progress(f"{task.id}, round {number + 1} of {settings.rounds}: {spent}")
        seconds, memory = (
            {who: median(run[unit] for run in runs) for who, runs in found.items()}
            for unit in ("s", "mb")
        )
        rows.append(
            {
                "task": task.id,
                "label": task.label,
                "column": task.column,
                "n": values.size,
                "n_distinct": np.unique(values).size,
                "s": seconds,
                "mb": memory,
                "ratio": seconds["scipy"] / seconds["ours"],
            }
        )
    return rows


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the results as text."""
    heads = ["ours, s", "all cores, s", "scipy, s", "ratio", "ours, MB", "scipy, MB"]
    lines = [f"{'':44}" + "".join(f"{head:>14}" for head in heads)]
    for row in rows:
        cells = [*row["s"].values(), row["ratio"], row["mb"]["ours"], row["mb"]["scipy"]]
        lines.append(f"{row['label']:44}" + "".join(f"{cell:>14.3g}" for cell in cells))
    return "\n".join(lines)


def run(settings: Settings, *, target: Path = RESULTS, clients: Path = paths.CLIENTS) -> None:
    """Measure, print the table and write the results."""
    from creditrisk.models.training import available_cores

    names = list(dict.fromkeys([schema.TARGET, *(task.column for task in TASKS)]))
    frame = io.read_table(clients, columns=names)
    columns = {name: frame[name].to_numpy(dtype=float) for name in names}
    n_cores = available_cores()
    rows = measure(
        columns,
        settings,
        n_cores=n_cores,
        progress=lambda line: print(line, flush=True),
    )
    document = {"design": {**asdict(settings), "n_cores": n_cores}, "rows": rows}
    io.write_json(target, document, digits=DIGITS)
    print(table(rows))


def main() -> None:
    """Measure on the clients of the pipeline; a missing input is one line."""
    environment.apply()
    os.chdir(paths.ROOT)
    try:
        run(Settings())
    except FileNotFoundError as error:
        raise SystemExit(
            f"bench: an input is missing ({error.filename or error}): `dvc repro` makes it first"
        ) from None


if __name__ == "__main__":
    main()
