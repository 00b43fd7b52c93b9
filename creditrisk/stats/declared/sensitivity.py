"""The declared questions asked again of other selections of the same clients.

A conclusion that hangs on a handful of outliers, on accounts without any use, or on a
client who is counted twice is no conclusion. Each selection is declared as data: the
flags whose rows are left out, or the column of which every value keeps one row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from creditrisk.errors import UserError
from creditrisk.stats.declared import questions as questions_of
from creditrisk.stats.declared.questions import Settings, require_columns

if TYPE_CHECKING:
    import pandas as pd

KEPT = (
    "id",
    "applicable",
    "reason",
    "n",
    "estimate",
    "effect_name",
    "effect",
    "effect_low",
    "effect_high",
    "p_holm",
    "verdict",
)
"""What a variant keeps of an answer; the details stand with the answer on all rows."""


def select(clients: pd.DataFrame, variant: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of one variant, in their order.

    Parameters
    ----------
    clients : pandas.DataFrame, n rows
    variant : mapping
        ``id`` and either ``exclude``, a list of columns of flags (a row that any of them
        marks is left out), or ``one_row_per``, a column of which each value keeps its
        first row.

    Raises
    ------
    UserError
        When neither or both are given, a column is missing, or no row remains.
    """
    flags, once = list(variant.get("exclude") or []), variant.get("one_row_per")
    if bool(flags) == bool(once):
        raise UserError(
            f"sensitivity variant {variant['id']}: give either 'exclude', a list of flags, or "
            "'one_row_per', a column"
        )
    if once:
        require_columns(clients, [once])
        return clients.drop_duplicates(once)
    require_columns(clients, flags)
    kept = clients[~clients[flags].astype(bool).any(axis=1)]
    if kept.empty:
        raise UserError(
            f"sensitivity variant {variant['id']}: {', '.join(flags)} mark every row; "
            "name a flag that leaves some"
        )
    return kept


def answer_variants(
    questions: Sequence[Mapping[str, Any]],
    clients: pd.DataFrame,
    variants: Sequence[Mapping[str, Any]],
    settings: Settings,
) -> list[dict[str, Any]]:
    """Answer all questions on each variant's rows.

    Parameters
    ----------
    questions : sequence of mapping
        As for :func:`~creditrisk.stats.declared.questions.answer_all`.
    clients : pandas.DataFrame
    variants : sequence of mapping
        ``{id, label, exclude or one_row_per}``; see :func:`select`.
    settings : Settings

    Returns
    -------
    list of dict
        The variant's own keys plus ``n``, ``n_excluded`` and ``answers``: question id →
        :data:`KEPT`. Corrections count the questions of that variant.

    Raises
    ------
    UserError
        See :func:`select` and :func:`~creditrisk.stats.declared.questions.answer_all`.
    """
    briefly = replace(settings, in_full=False)
    found = []
    for variant in variants:
        rows = select(clients, variant)
        answers = {
            row["id"]: {key: row[key] for key in KEPT if key in row}
            for row in questions_of.answer_all(questions, rows, briefly)
        }
        found.append(
            {
                **variant,
                "n": len(rows),
                "n_excluded": len(clients) - len(rows),
                "answers": {question["id"]: answers[question["id"]] for question in questions},
            }
        )
    return found


def list_changes(
    answers: Sequence[Mapping[str, Any]], variants: Sequence[Mapping[str, Any]]
) -> list[dict[str, str]]:
    """Return the verdicts that a variant changes.

    Parameters
    ----------
    answers : sequence of mapping
        The questions answered on all rows, in the order to list them.
    variants : sequence of mapping
        As :func:`answer_variants` returns.

    Returns
    -------
    list of dict
        ``question, variant`` (ids), ``verdict`` on all rows and ``becomes``.
    """
    return [
        {
            "question": row["id"],
            "variant": variant["id"],
            "verdict": row["verdict"],
            "becomes": variant["answers"][row["id"]]["verdict"],
        }
        for row in answers
        for variant in variants
        if variant["answers"][row["id"]]["verdict"] != row["verdict"]
    ]
