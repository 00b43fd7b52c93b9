"""Memory and speed of DBSCAN beside scikit-learn's: ``python -m benchmarks.density``.

Reads the clients, draws rows like theirs (scaled training rows, drawn with replacement, plus a
little noise), clusters them and writes seconds and peak memory to
``benchmarks/results/density.json``. Every run has a process of its own, since a peak cannot be
reset: its memory is what the process held at most beyond what it held before. scikit-learn is
given the ``eps`` that ours reads at the knee. Seconds are those of the processor, all run on one
thread of one machine; how both grow with the rows carries further.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

from creditrisk import environment, io, params, paths

if TYPE_CHECKING:
    import numpy as np

RESULTS = Path("benchmarks/results/density.json")
DIGITS = 3
"""Significant digits that a measurement deserves."""
CONTESTANTS = {
    "sampled": "ours, a sample is fitted",
    "all_rows": "ours, all rows are fitted",
    "scikit_learn": "scikit-learn",
}


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes
    ----------
    sizes : tuple of int
        Rows that are clustered.
    max_rows : int
        Rows that are fitted when ours fits a sample.
    scikit_learn_rows : int
        Most rows that scikit-learn is given.
    min_samples : int
    noise : float
        Standard deviation of what is added to a drawn row, in scaled units.
    random_state : int
    """

    sizes: tuple[int, ...] = (10_000, 30_000, 100_000)
    max_rows: int = 10_000
    scikit_learn_rows: int = 30_000
    min_samples: int = 16
    noise: float = 0.01
    random_state: int = 0


def draw_rows(train: np.ndarray, n: int, settings: Settings) -> np.ndarray:
    """Return n rows like those given: drawn with replacement, plus a little noise."""
    import numpy as np

    rng = np.random.default_rng(settings.random_state)
    drawn = train[rng.integers(0, len(train), n)]
    return drawn + rng.normal(0.0, settings.noise, drawn.shape)


def run_dbscan(points: np.ndarray, who: str, settings: Settings, eps: float) -> dict[str, Any]:
    """Cluster by one contestant and return what it found: ``eps``, ``n_clusters``."""
    if who == "scikit_learn":
        from sklearn.cluster import DBSCAN

        fitted = DBSCAN(eps=eps, min_samples=settings.min_samples, algorithm="kd_tree")
        return {"eps": eps, "n_clusters": int(fitted.fit(points).labels_.max() + 1)}
    from creditrisk.segments import density

    _, found = density.cluster(
        points,
        points,
        max_rows=settings.max_rows if who == "sampled" else len(points),
        min_samples=settings.min_samples,
        limits={"max_noise_share": 0.25, "max_largest_share": 0.9, "max_clusters": 20},
        random_state=settings.random_state,
    )
    return {key: found[key] for key in ("eps", "n_clusters")}


def peak_megabytes() -> float:
    """Return the most memory that this process has held."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def measure_here(points: np.ndarray, who: str, settings: Settings, eps: float) -> dict[str, Any]:
    """Measure one run in this process: ``s``, ``mb`` beyond the start, and what was found."""
    run_dbscan(points[:1000], who, settings, eps or 1.0)  # libraries load on first use
    before, start = peak_megabytes(), process_time()
    found = run_dbscan(points, who, settings, eps)
    return {"s": process_time() - start, "mb": peak_megabytes() - before, **found}


def measure_apart(points: np.ndarray, who: str, settings: Settings, eps: float) -> dict[str, Any]:
    """Measure one run in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure_here, (points, who, settings, eps))


def measure(
    train: np.ndarray, settings: Settings, *, progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Measure every contestant at every size.

    Parameters
    ----------
    train : ndarray of float, shape (m, p)
        Scaled rows to draw from.
    settings : Settings
    progress : callable
        Gets one line a run.

    Returns
    -------
    list of dict
        ``n, who, s, mb, eps, n_clusters``.
    """
    rows = []
    for n in settings.sizes:
        points, eps = draw_rows(train, n, settings), 0.0
        for who in CONTESTANTS:
            if who == "scikit_learn" and n > settings.scikit_learn_rows:
                continue
            found = measure_apart(points, who, settings, eps)
            eps = found["eps"]  # that of all rows, for scikit-learn
            rows.append({"n": n, "who": who, **found})
            progress(f"{n:,} rows, {who}: {found['s']:.1f} s, {found['mb']:.0f} MB")
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the results as text."""
    heads = ("rows", "s", "MB", "eps", "clusters")
    lines = [f"{'':28}" + "".join(f"{head:>10}" for head in heads)]
    for row in rows:
        cells = [f"{row['n']:,}"]
        cells += [f"{row[key]:.3g}" for key in ("s", "mb", "eps", "n_clusters")]
        lines.append(f"{CONTESTANTS[row['who']]:28}" + "".join(f"{cell:>10}" for cell in cells))
    return "\n".join(lines)


def run(settings: Settings, *, target: Path = RESULTS, clients: Path = paths.CLIENTS) -> None:
    """Measure, print the table and write the results."""
    from creditrisk.segments import segmentation

    features = params.read_section(paths.PARAMS, "cluster")["features"]
    data = segmentation.prepare(io.read_table(clients), features, k_max=2)
    rows = measure(data.train, settings, progress=lambda line: print(line, flush=True))
    io.write_json(target, {"design": asdict(settings), "rows": rows}, digits=DIGITS)
    print(table(rows))


def main() -> None:
    """Measure on rows like the pipeline's clients; a missing input is one line."""
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
