"""Declared questions answered: one row each, on one scale of size, with a plain verdict.

A question is data (``stats_report.questions`` in the parameters): its hypotheses,
its kind of test, its columns and the smallest effect that would matter. What a kind
does stands in :mod:`creditrisk.stats.declared.kinds`; here the answers become one table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from creditrisk.errors import UserError
from creditrisk.stats import multiplicity
from creditrisk.stats.declared.kinds import KINDS, LARGEST, check_question, list_columns
from creditrisk.stats.power import minimum_detectable_effect
from creditrisk.stats.samples import NotApplicableError

if TYPE_CHECKING:
    import pandas as pd

ENOUGH_POWER = 0.8

VERDICTS = ("matters", "unclear", "negligible", "absent", "inconclusive", "not_applicable")
"""The first three are significant; the page puts all of them into words."""


@dataclass(frozen=True)
class Settings:
    """What all questions of one table share.

    Attributes
    ----------
    alpha : float
        Level that the corrected p-values are held against.
    confidence : float
        Level of the intervals.
    n_permutations : int
    random_state : int
    n_jobs : int
        Threads; without effect on results.
    in_full : bool
        Whether answers hold what only explains them: pairs of groups, quantiles, and the
        shuffles of questions that another test answers.
    """

    alpha: float
    confidence: float
    n_permutations: int
    random_state: int
    n_jobs: int = 1
    in_full: bool = True


def require_columns(clients: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise a UserError that lists the columns which the table does not have."""
    missing = [name for name in dict.fromkeys(names) if name not in clients]
    if missing:
        raise UserError(
            f"no column {', '.join(missing)} in the table of clients; correct the name in "
            f"stats_report, there are: {', '.join(clients.columns)}"
        )


def judge(row: Mapping[str, Any], *, alpha: float) -> str:
    """Return the key of a verdict in :data:`VERDICTS`.

    Parameters
    ----------
    row : mapping
        With ``p_holm, effect_low, effect_high, smallest_effect, power``; the effect
        may be negative, and its interval is folded at 0 first.
    alpha : float
    """
    low, high = sorted((abs(row["effect_low"]), abs(row["effect_high"])))
    if row["effect_low"] <= 0 <= row["effect_high"]:
        low = 0.0
    if row["p_holm"] < alpha:
        if high < row["smallest_effect"]:
            return "negligible"
        return "matters" if low >= row["smallest_effect"] else "unclear"
    return "absent" if row["power"] >= ENOUGH_POWER else "inconclusive"


def answer_all(
    questions: Sequence[Mapping[str, Any]], clients: pd.DataFrame, settings: Settings
) -> list[dict[str, Any]]:
    """Answer every question and correct for how many there are.

    Parameters
    ----------
    questions : sequence of mapping
        Each ``{id, question, h0, h1, kind, value, group, smallest_effect}`` and what its
        kind needs: ``and``, a second factor, or ``within``, the columns of the strata.
    clients : pandas.DataFrame
        One row a client.
    settings : Settings

    Returns
    -------
    list of dict
        The question's own keys plus ``applicable``, ``estimate, estimate_low,
        estimate_high``, ``effect_name, effect, effect_low, effect_high``, ``size``
        (a correlation from 0 to 1, comparable between kinds), ``statistic_name,
        statistic, df, p_value, p_holm, p_bh, power`` (at the smallest effect that
        matters and the level α/m), ``detectable`` (the smallest effect found with 80 %
        power at that level; None where there is none), ``verdict`` and ``details`` of
        the kind. Largest size first; questions that cannot be asked stand last with
        ``reason``.

    Raises
    ------
    UserError
        For an unknown kind or column, a field that the kind lacks or has no use for, or
        values that are not finite.
    """
    answers = [answer(question, clients, settings) for question in questions]
    asked = [row for row in answers if row["applicable"]]
    raw = [row["p_value"] for row in asked]
    corrected = zip(
        asked, multiplicity.adjust(raw, "holm"), multiplicity.adjust(raw, "bh"), strict=True
    )
    for row, holm, bh in corrected:
        power_of = partial(row.pop("power_of"), level=settings.alpha / len(asked))
        row |= {"p_holm": holm, "p_bh": bh, "power": power_of(row["smallest_effect"])}
        row["detectable"] = minimum_detectable_effect(
            power_of, power=ENOUGH_POWER, largest=LARGEST[row["effect_name"]]
        )
        row["verdict"] = judge(row, alpha=settings.alpha)
    return sorted(asked, key=lambda row: (-row["size"], row["id"])) + [
        row for row in answers if not row["applicable"]
    ]


def answer(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """Answer one question by its kind; see :func:`answer_all` for the keys.

    ``power_of`` is a function of the effect and the level, because the level depends on
    how many questions the table holds.
    """
    check_question(question)
    require_columns(clients, list_columns(question))
    kind = KINDS[question["kind"]]
    row = {**question, "effect_name": kind.effect}
    try:
        found = kind.answer(question, clients, settings)
    except NotApplicableError as error:
        return row | {"applicable": False, "verdict": "not_applicable", "reason": str(error)}
    return row | {"applicable": True, **found}
