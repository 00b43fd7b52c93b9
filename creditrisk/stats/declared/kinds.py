"""The kinds of declared question: what each needs, how it answers, what its effect is.

A new kind is one function and one line in :data:`KINDS`; a new question of an existing
kind needs no code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from creditrisk.errors import UserError
from creditrisk.stats.declared import kind_groups, kind_means, kind_tables

LARGEST = {
    "g": 10.0,
    "rank_biserial": 1.0,
    "v": 1.0,
    "omega2": 0.99,
    "partial_omega2": 0.99,
    "epsilon2": 1.0,
    "log_odds": 10.0,
}
"""The scales of effect, each with the size at which a search for power ends."""


@dataclass(frozen=True)
class Kind:
    """One kind of question.

    Attributes
    ----------
    answer : callable
        ``answer(question, clients, settings)``; see
        :func:`creditrisk.stats.declared.questions.answer` for what it returns.
    effect : str
        Scale of its effect, a key of :data:`LARGEST`.
    needs : tuple of str
        Fields beyond ``value`` and ``group``: ``and`` (a second factor) or ``within``
        (columns that make the strata).
    """

    answer: Callable[..., dict[str, Any]]
    effect: str
    needs: tuple[str, ...] = ()


KINDS = {
    "z_test": Kind(kind_means.two_means, "g"),
    "welch_t": Kind(kind_means.two_means, "g"),
    "pooled_t": Kind(kind_means.two_means, "g"),
    "permutation": Kind(kind_means.two_means, "g"),
    "mann_whitney": Kind(kind_means.mann_whitney, "rank_biserial"),
    "chi_square": Kind(kind_tables.chi_square, "v"),
    "g_test": Kind(kind_tables.g_test, "v"),
    "anova": Kind(kind_groups.anova, "omega2"),
    "welch_anova": Kind(kind_groups.welch_anova, "omega2"),
    "kruskal": Kind(kind_groups.kruskal, "epsilon2"),
    "two_way": Kind(kind_groups.two_way, "partial_omega2", ("and",)),
    "stratified": Kind(kind_tables.stratify, "log_odds", ("within",)),
}

FIELDS = {"and": "a second factor", "within": "the columns that make the strata"}
"""What only some kinds need."""


def check_question(question: Mapping[str, Any]) -> None:
    """Raise a UserError when a question has an unknown kind, or not the fields of its kind."""
    name, kind = question["id"], question["kind"]
    if kind not in KINDS:
        raise UserError(f"question {name}: kind {kind!r} is none of {', '.join(KINDS)}")
    for field, meaning in FIELDS.items():
        needed = field in KINDS[kind].needs
        if needed and not question.get(field):
            raise UserError(f"question {name}: kind {kind} needs the field {field!r}, {meaning}")
        if question.get(field) and not needed:
            raise UserError(
                f"question {name}: kind {kind} has no use for the field {field!r}; remove it"
            )


def list_columns(question: Mapping[str, Any]) -> list[str]:
    """Return the columns that a question reads."""
    further = [question["and"]] if question.get("and") else []
    return [question["value"], question["group"], *further, *(question.get("within") or [])]
