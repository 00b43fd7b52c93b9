"""The hold-out split: whole groups, stratified by the target, drawn once."""

from __future__ import annotations

import numpy as np

from creditrisk.errors import UserError


def draw_holdout(
    group_id: np.ndarray, target: np.ndarray, *, share: float, random_state: int
) -> np.ndarray:
    """Draw a share of the groups, with the target's rate kept.

    Parameters
    ----------
    group_id : ndarray of int, shape (n,)
    target : ndarray of {0, 1}, shape (n,)
    share : float
        Of the groups that are held out, between 0 and 1.
    random_state : int

    Returns
    -------
    ndarray of bool, shape (n,)
        True for rows that are held out; no group is on both sides. The draw depends
        on the groups in ascending order, not on the order of the rows.

    Raises
    ------
    UserError
        When there are too few groups of either class to split.
    """
    from sklearn.model_selection import train_test_split

    groups, member, sizes = np.unique(group_id, return_inverse=True, return_counts=True)
    has_default = np.bincount(member, weights=target) > 0
    # A pair with one default has another rate than a single defaulter, so groups of
    # several rows are strata of their own where there are enough of them.
    strata = has_default + 2 * (sizes > 1)
    smallest = np.bincount(strata)[np.unique(strata)].min()
    if smallest * min(share, 1 - share) < 1:
        strata = has_default.astype(int)
    counts = np.bincount(strata, minlength=2)
    if counts.min() * min(share, 1 - share) < 0.5:
        raise UserError(
            f"clean.holdout: {len(groups)} groups, {int(has_default.sum())} of them with a "
            f"default, are too few to hold out {share:g} of them"
        )
    _, held_out = train_test_split(
        groups, test_size=share, random_state=random_state, stratify=strata
    )
    return np.isin(group_id, held_out)
