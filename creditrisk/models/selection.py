"""Written rules that choose: a point on a path of C, and the champion.

Both read cross-validation on training rows only. The hold-out has no say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.errors import UserError

CHAMPION_RULES = {
    "lowest_cv_log_loss": ("log_loss", 1),
    "lowest_cv_brier": ("brier", 1),
    "highest_cv_roc_auc": ("roc_auc", -1),
}
"""Rule → the figure it reads and the sign that makes smaller better."""


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


def choose_champion(
    cv: Mapping[str, Mapping[str, Any]], *, rule: str, among: Sequence[str]
) -> tuple[str, str]:
    """Choose the family that is served.

    Parameters
    ----------
    cv : mapping of family to mapping
        Cross-validation figures on training rows.
    rule : str
        A key of :data:`CHAMPION_RULES`.
    among : sequence of str
        Families that may be served; the first wins a tie.

    Returns
    -------
    family : str
    metric : str
        The figure that decided.

    Raises
    ------
    UserError
        For an unknown rule or family, naming the allowed ones.
    """
    if rule not in CHAMPION_RULES:
        raise UserError(
            f"evaluate.champion.rule must be one of {', '.join(CHAMPION_RULES)}, got {rule!r}"
        )
    if unknown := [family for family in among if family not in cv]:
        raise UserError(
            f"evaluate.champion.among: no figures of {', '.join(unknown)}; "
            f"trained families: {', '.join(cv)}"
        )
    metric, sign = CHAMPION_RULES[rule]
    return min(among, key=lambda family: sign * cv[family][metric]), metric
