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
        When either side would get less than one group of either class.
    """
    from sklearn.model_selection import train_test_split

    groups, member, sizes = np.unique(group_id, return_inverse=True, return_counts=True)
    has_default = np.bincount(member, weights=target) > 0
    smaller_side = min(share, 1 - share)
    if np.bincount(has_default, minlength=2).min() * smaller_side < 1:
        raise UserError(
            f"clean.holdout: {len(groups)} groups, {int(has_default.sum())} of them with a "
            f"default, are too few to hold out {share:g} of them; bring more clients or set "
            "clean.holdout.share nearer to 0.5"
        )
    # A pair with one default has another rate than a single defaulter, so groups of
    # several rows are strata of their own where there are enough of them.
    strata = has_default + 2 * (sizes > 1)
    if np.unique(strata, return_counts=True)[1].min() * smaller_side < 1:
        strata = has_default
    _, held_out = train_test_split(
        groups, test_size=share, random_state=random_state, stratify=strata
    )
    return np.isin(group_id, held_out)
