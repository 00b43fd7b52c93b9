"""SMOTE on the minority class, and what undoing it in the prior can repair.

SMOTE only ever runs as a step of an imbalanced-learn pipeline: its ``fit`` sees
the rows of the fit and nothing else, and ``predict`` skips it. It interpolates
between neighbours, so it needs columns on one scale before it, and it makes
values that no client has (a status code of 1.4); both are reasons to measure it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creditrisk.metrics.calibration import logit

if TYPE_CHECKING:
    from imblearn.over_sampling import SMOTE

RESAMPLED_RATE = 0.5
"""Share of defaults after SMOTE with its default strategy: classes of equal size."""


def smote(*, k_neighbors: int, random_state: int) -> SMOTE:
    """Return the oversampling step: synthetic defaults until the classes are equal.

    Parameters
    ----------
    k_neighbors : int
        Neighbours among which a partner is drawn.
    random_state : int

    Returns
    -------
    imblearn.over_sampling.SMOTE
    """
    from imblearn.over_sampling import SMOTE

    return SMOTE(k_neighbors=k_neighbors, random_state=random_state)


def prior_corrected(p: np.ndarray, *, base_rate: float, fitted_rate: float) -> np.ndarray:
    """Shift probabilities from the rate that was fitted on back to the population's.

    ``logit p' = logit p + log[π (1 − π_s) / ((1 − π) π_s)]`` (Elkan, IJCAI 2001; King
    & Zeng, Political Analysis 9, 2001). Exact for plain over- and undersampling,
    only rough for SMOTE, which also moves the classes' shapes.

    Parameters
    ----------
    p : ndarray of float, shape (n,)
    base_rate : float
        π, share of defaults among clients.
    fitted_rate : float
        π_s, share of defaults among the rows of the fit.

    Returns
    -------
    ndarray of float, shape (n,)
    """
    shift = np.log(base_rate * (1 - fitted_rate) / ((1 - base_rate) * fitted_rate))
    return 1 / (1 + np.exp(-(logit(p) + shift)))
