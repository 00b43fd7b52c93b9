"""Which rung is served, by a written rule, and what the best rung would buy instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.models import selection
from creditrisk.models.families import EXPLAINED_EXACTLY
from creditrisk.models.rows import Scored
from creditrisk.validation import ladder


def choose_champion(
    trained: Mapping[str, Mapping[str, Any]],
    *,
    metric: str,
    among: Sequence[str],
    alpha: float,
) -> dict[str, Any]:
    """Choose the rung that is served, and say what the ladder came to.

    The champion is the cheapest rung of ``among`` that is within noise of the best of them;
    the verdict on the whole ladder is the same over all rungs. Both read cross-validation
    over training rows alone.

    Parameters
    ----------
    trained : mapping of family to mapping
        What training stored, cheapest family first.
    metric : {"log_loss", "brier", "roc_auc"}
    among : sequence of str
        Rungs that may be served: all of them explained exactly.
    alpha : float
        Family-wise error rate of the differences to the best.

    Returns
    -------
    dict
        ``family``, ``best_allowed``, ``metric``, ``among``, ``best`` and ``cheapest`` (of
        the whole ladder).

    Raises
    ------
    UserError
        When ``among`` has a family that cannot be explained exactly or was not trained.
    """
    if opaque := [family for family in among if family not in EXPLAINED_EXACTLY]:
        raise UserError(
            f"evaluate.champion.among: {', '.join(opaque)} cannot be explained exactly; "
            f"those that can: {', '.join(EXPLAINED_EXACTLY)}"
        )
    cv = {family: stored["cv"] for family, stored in trained.items()}
    rungs = ladder.rungs(trained)

    def choose(allowed: Sequence[str]) -> tuple[str, str]:
        best = selection.best_of(cv, metric, allowed)
        differences = ladder.cv_differences(
            {family: trained[family] for family in dict.fromkeys([*allowed, best])},
            best,
            alpha=alpha,
        )
        verdicts = {family: row[metric]["verdict"] for family, row in differences.items()}
        return best, selection.cheapest_within_noise(rungs, best, verdicts, allowed)

    best_allowed, champion = choose(list(among))
    best, cheapest = choose(rungs)
    return {
        "family": champion,
        "best_allowed": best_allowed,
        "metric": metric,
        "among": list(among),
        "best": best,
        "cheapest": cheapest,
    }


def what_it_buys(scored: Scored, champion: str, best: str, share: float) -> dict[str, Any]:
    """Return how many defaults champion and best rung catch out of fold, flagging equally many.

    Parameters
    ----------
    scored : Scored
    champion, best : str
    share : float
        Of the training clients that are flagged.

    Returns
    -------
    dict
        ``best``, ``share``, ``n_flagged``, ``caught_champion``, ``caught_best``.
    """
    n_flagged = round(share * len(scored.train_y))

    def caught(family: str) -> int:
        flagged = np.argsort(-scored.train[family], kind="stable")[:n_flagged]
        return int(scored.train_y[flagged].sum())

    return {
        "best": best,
        "share": share,
        "n_flagged": n_flagged,
        "caught_champion": caught(champion),
        "caught_best": caught(best),
    }
