"""Written rules that choose: a point on a path of C, and a rung of the ladder.

Both read cross-validation on training rows only. The hold-out has no say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.errors import UserError

LOWER_IS_BETTER = {"log_loss": True, "brier": True, "roc_auc": False}
"""The figures that the champion's rule may read."""


def choose_on_path(path: Sequence[Mapping[str, float]], *, rule: str) -> int:
    """Choose a point on a path of C.

    Parameters
    ----------
    path : sequence of mapping
        ``validation_log_loss`` and ``validation_se`` per point, C ascending, that is
        from the most to the least regularised.
    rule : {"one_standard_error", "lowest"}
        ``lowest`` takes the least validation log loss; ``one_standard_error`` the most
        regularised point within one standard error of it (Breiman et al., CART, 1984).

    Returns
    -------
    int

    Raises
    ------
    UserError
        Naming the allowed rules.
    """
    losses = np.array([point["validation_log_loss"] for point in path])
    best = int(np.argmin(losses))
    if rule == "lowest":
        return best
    if rule == "one_standard_error":
        return int(np.argmax(losses <= losses[best] + path[best]["validation_se"]))
    raise UserError(f"rule must be one_standard_error or lowest, got {rule!r}")


def best_of(cv: Mapping[str, Mapping[str, Any]], metric: str, among: Sequence[str]) -> str:
    """Return the family with the best out-of-fold figure; the first of them on a tie.

    Parameters
    ----------
    cv : mapping of family to mapping
        Cross-validation figures on training rows.
    metric : str
        A key of :data:`LOWER_IS_BETTER`.
    among : sequence of str

    Raises
    ------
    UserError
        For a family without figures or an unknown metric, naming what there is.
    """
    if metric not in LOWER_IS_BETTER:
        raise UserError(
            f"evaluate.champion.metric must be one of {', '.join(LOWER_IS_BETTER)}, got {metric!r}"
        )
    if unknown := [family for family in among if family not in cv]:
        raise UserError(
            f"evaluate.champion.among: no figures of {', '.join(unknown)}; "
            f"trained families: {', '.join(cv)}"
        )
    sign = 1 if LOWER_IS_BETTER[metric] else -1
    return min(among, key=lambda family: sign * cv[family][metric])


def cheapest_within_noise(
    ladder: Sequence[str], best: str, verdicts: Mapping[str, str], among: Sequence[str]
) -> str:
    """Return the first rung of the ladder that is not told apart from the best.

    Parameters
    ----------
    ladder : sequence of str
        Families, cheapest first.
    best : str
    verdicts : mapping of family to str
        Of each family's paired difference to ``best``, adjusted over its table; see
        :func:`creditrisk.metrics.comparison.verdict`.
    among : sequence of str
        Families that may be chosen, ``best`` with them.
    """
    allowed = set(among)
    for family in ladder:
        if family == best or (family in allowed and verdicts[family] == "within noise"):
            return family
    raise ValueError(f"{best} is not on the ladder")
