"""False alarms of the declared questions: does each one's own test hold its level here?

Every question keeps its columns, its group sizes and the whole table; only what its null
hypothesis calls exchangeable is dealt anew. Labels of one column go through the machinery of
:mod:`~creditrisk.stats.simulation.false_alarms`; tests within strata and of two factors
through :mod:`~creditrisk.stats.simulation.null_deals`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.stats.samples import NotApplicableError, check_labels
from creditrisk.stats.simulation import false_alarms, many_tests, null_deals, permutation_alarms
from creditrisk.stats.simulation.false_alarms import CEILING, PERMUTATION, Case

Question = Mapping[str, Any]

KINDS = (*many_tests.TESTS, PERMUTATION, "two_way", "stratified")
FIELDS = ("id", "kind", "value", "group", "and", "within")
TWO_GROUPS = ("z_test", "welch_t", "pooled_t", "mann_whitney", PERMUTATION)


def list_columns(question: Question) -> list[str]:
    """Return the columns that a question reads."""
    sides = [question[side] for side in ("value", "group", "and") if side in question]
    return [*sides, *question.get("within", ())]


def measure(
    questions: Sequence[Question],
    columns: Mapping[str, Any],
    *,
    alpha: float,
    n_shuffles: int,
    n_reference: int,
    random_state: int,
    n_jobs: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Return how often the test of each declared question raises a false alarm.

    Parameters
    ----------
    questions : sequence of mapping
        Each with ``id, kind, value, group``; ``and`` where the kind is two_way, ``within``
        where it is stratified.
    columns : mapping of str to array-like, shape (n,)
        Every column that a question names.
    alpha : float
    n_shuffles : int
        A multiple of :data:`~creditrisk.stats.simulation.permutation_alarms.DATA_SETS`.
    n_reference : int
        Reference shuffles of the permutation test.
    random_state, n_jobs : int
        Threads are without effect on the result.
    progress : callable

    Returns
    -------
    dict
        ``alpha, ceiling, n, n_shuffles, n_reference``; ``rows``: a question's own fields
        with what :func:`~creditrisk.stats.simulation.false_alarms.rate` returns and
        ``facts``; ``gate``: ids of the questions whose interval is not below the ceiling;
        ``not_applicable``: ``{id, kind, reason}`` of those whose test cannot be applied.

    Raises
    ------
    UserError
        For an unknown kind, no question, missing values, or ``n_shuffles`` that is no such
        multiple.
    """
    if not questions or n_shuffles % permutation_alarms.DATA_SETS:
        raise UserError(
            f"declared questions: expected at least one and shuffles in multiples of "
            f"{permutation_alarms.DATA_SETS}, got {len(questions)} and {n_shuffles}"
        )
    n = len(columns[questions[0]["value"]])
    settings = {"n_shuffles": n_shuffles, "random_state": [random_state, n], "n_jobs": n_jobs}
    progress(f"declared questions: {n_shuffles} shuffles of all {n} clients")
    shuffled = _shuffle_labels(questions, columns, n, settings)
    rows, left_out = [], []
    for question in questions:
        progress(f"declared questions: {question['id']}")
        try:
            p, facts = _deal(
                question,
                columns,
                shuffled,
                alpha=alpha,
                n_reference=n_reference,
                settings=settings,
            )
            found = false_alarms.rate(p, alpha)
        except NotApplicableError as error:
            named = {key: question[key] for key in ("id", "kind")}
            left_out.append(named | {"reason": str(error)})
            continue
        named = {key: question[key] for key in FIELDS if key in question}
        step = {"step": false_alarms.measure_step(p, alpha)}
        rows.append(named | found | {"facts": facts | step})
    return {
        "alpha": alpha,
        "ceiling": CEILING,
        "n": n,
        "n_shuffles": n_shuffles,
        "n_reference": n_reference,
        "rows": rows,
        "gate": [row["id"] for row in rows if row["high"] >= CEILING],
        "not_applicable": left_out,
    }


def _encode(question: Question, columns: Mapping[str, Any]) -> false_alarms.Column:
    """Return a question's column encoded, where its kind can compare it between the groups."""
    kind, value, group = (question[key] for key in ("kind", "value", "group"))
    column = false_alarms.encode(Case(value, group, (kind,)), columns)
    if kind in TWO_GROUPS and column.group_sizes.size != 2:
        raise NotApplicableError(f"{group}: {column.group_sizes.size} groups, {kind} compares two")
    return column


def _shuffle_labels(
    questions: Sequence[Question], columns: Mapping[str, Any], n: int, settings: dict[str, Any]
) -> dict[tuple[str, str], dict[str, np.ndarray]]:
    """Return p-values by column, grouping and test, all of the same shuffles."""
    asked: dict[tuple[str, str], list[str]] = {}
    encoded: dict[tuple[str, str], false_alarms.Column] = {}
    for question in questions:
        pair = question["value"], question["group"]
        if question["kind"] not in many_tests.TESTS:
            continue
        try:
            encoded[pair] = _encode(question, columns)
        except NotApplicableError:  # told where the question itself is measured
            continue
        asked.setdefault(pair, []).append(question["kind"])
    cases = [Case(*pair, tuple(dict.fromkeys(kinds))) for pair, kinds in asked.items()]
    if not cases:
        return {}
    found = false_alarms.shuffle(cases, [encoded[pair] for pair in asked], n=n, **settings)
    return dict(zip(asked, found, strict=True))


def _deal(
    question: Question,
    columns: Mapping[str, Any],
    shuffled: Mapping[tuple[str, str], Mapping[str, np.ndarray]],
    *,
    alpha: float,
    n_reference: int,
    settings: dict[str, Any],
) -> null_deals.Dealt:
    """Return the p-values of one question where its null hypothesis is true, and the facts."""
    kind, name, group = (question[key] for key in ("kind", "value", "group"))
    if kind not in KINDS:
        raise UserError(f"question {question['id']}: kind {kind!r} is none of {', '.join(KINDS)}")
    values, labels = columns[name], columns[group]
    if kind == "stratified":
        strata = _combine([columns[within] for within in question["within"]], question["within"])
        return null_deals.deal_within_strata(values, labels, strata, name=name, **settings)
    if kind == "two_way":
        second = columns[question["and"]]
        return null_deals.deal_over_cells(values, labels, second, name=name, **settings)
    column = _encode(question, columns)
    n = column.codes.size
    if kind == PERMUTATION:
        p = permutation_alarms.permute_studies(
            column.levels[column.codes].astype(float),
            column.group_sizes,
            n_tested=settings["n_shuffles"] // permutation_alarms.DATA_SETS,
            n_reference=n_reference,
            random_state=settings["random_state"],
            n_jobs=settings["n_jobs"],
        )
    else:
        p = shuffled[name, group][kind]
    return p, false_alarms.describe(column, n, p, kind, alpha)


def _combine(columns: Sequence[Any], names: Sequence[str]) -> np.ndarray:
    """Return a number for each combination of labels, shape (n,)."""
    codes = [
        many_tests.encode(check_labels(column, name=name))[1]
        for column, name in zip(columns, names, strict=True)
    ]
    return np.unique(np.stack(codes), axis=1, return_inverse=True)[1].ravel()
