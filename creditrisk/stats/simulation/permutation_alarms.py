"""The permutation test on shuffled labels, where its null hypothesis is true."""

from __future__ import annotations

import numpy as np

from creditrisk.stats.samples import Seed, in_blocks

DATA_SETS = 100
"""Studies that the test is measured on; each has reference shuffles of its own."""


def permute_studies(
    values: np.ndarray,
    group_sizes: np.ndarray,
    *,
    n_tested: int,
    n_reference: int,
    random_state: Seed,
    n_jobs: int = 1,
) -> np.ndarray:
    """Return p-values of the permutation test under a true null hypothesis.

    Shuffles serve both as data and as reference: in each of :data:`DATA_SETS` studies the
    mean difference of every tested shuffle is ranked among ``n_reference`` others, drawn
    independently, p = (b + 1)/(m + 1). Tested shuffles of a study share their reference,
    which adds a few per cent to the standard error of the rate.

    Parameters
    ----------
    values : ndarray, shape (n_rows,)
        Studies of ``sum(group_sizes)`` rows are drawn from it without replacement.
    group_sizes : ndarray of int, shape (2,)
    n_tested, n_reference : int
    random_state : int or sequence of int
    n_jobs : int

    Returns
    -------
    numpy.ndarray, shape (DATA_SETS · n_tested,)
    """
    n, n_drawn = int(group_sizes.sum()), int(group_sizes.min())

    def draw(generator: np.random.Generator, k: int) -> np.ndarray:
        return np.stack([rank(generator) for _ in range(k)])

    def rank(generator: np.random.Generator) -> np.ndarray:
        study = values[generator.choice(values.size, n, replace=False)]
        study = study - study.mean()  # so that a difference is a multiple of the drawn sum
        sums = np.array(
            [
                study.take(generator.choice(n, n_drawn, replace=False, shuffle=False)).sum()
                for _ in range(n_tested + n_reference)
            ]
        )
        slack = 1e-12 * np.abs(study).max() * n_drawn  # ties must count
        reference = np.sort(np.abs(sums[n_tested:]))
        below = np.searchsorted(reference, np.abs(sums[:n_tested]) - slack)
        return (n_reference - below + 1) / (n_reference + 1)

    studies = in_blocks(draw, n_replicates=DATA_SETS, random_state=random_state, n_jobs=n_jobs)
    return studies.ravel()
