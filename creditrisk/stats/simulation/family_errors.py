"""A family of questions at once: false alarms, false discoveries and power, corrected or not.

A study of n clients is drawn from the table and every question is answered twice: with its
true labels, and with labels that were shuffled, so that its null hypothesis is true. The
shuffle is one for all grouping columns of a study; how the questions hang together is
therefore the data's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from creditrisk import schema
from creditrisk.errors import UserError
from creditrisk.stats.multiplicity import family_wise_error
from creditrisk.stats.rejections import count_rejections
from creditrisk.stats.samples import check_labels, in_blocks
from creditrisk.stats.simulation import false_alarms, many_tests

METHODS = ("raw", "holm", "bh")


def select_questions(
    questions: Sequence[Mapping[str, Any]],
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Split declared questions into those of a kind that is simulated, and the others."""
    kept = [question for question in questions if question["kind"] in many_tests.TESTS]
    return kept, [question for question in questions if question not in kept]


def recipe(questions: Sequence[Mapping[str, Any]], alpha: float) -> dict[str, Any]:
    """Return what a measurement takes from the declared questions: its mark of identity."""
    fields = ("id", "kind", "value", "group", "and", "within")
    return {"alpha": alpha, "questions": [{k: q[k] for k in fields if k in q} for q in questions]}


def measure(
    questions: Sequence[Mapping[str, Any]],
    columns: Mapping[str, Any],
    *,
    alpha: float,
    n: int,
    n_families: int,
    share_real: float,
    random_state: int,
    n_jobs: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Return the errors of a family without correction, with Holm's and Benjamini-Hochberg's.

    Parameters
    ----------
    questions : sequence of mapping
        Each with ``id, kind, value, group``, the kind one of
        :data:`~creditrisk.stats.simulation.many_tests.TESTS`.
    columns : mapping of str to array-like, shape (n_rows,)
    alpha : float
    n : int
        Clients in a study, drawn without replacement.
    n_families : int
        Studies.
    share_real : float
        Share of the questions that keep their true labels in the mixed family. Which ones
        is drawn anew for each study; a question about the row number, the control, never
        does.
    random_state, n_jobs : int
        Threads are without effect on the result.
    progress : callable

    Returns
    -------
    dict
        ``alpha, n, n_families, n_questions, independent`` (1 − (1 − α)^m),
        ``not_applicable`` (tests that could not be applied; they count as not rejected),
        ``questions`` (each with ``power``, the uncorrected share of studies that reject,
        ``tail``, the share that reject a true null hypothesis at Holm's first step
        (:func:`~creditrisk.stats.rejections.count_rejections`), and ``facts`` of
        :func:`creditrisk.stats.simulation.false_alarms.describe`), ``tail_level`` (that
        step, α/m), ``all_null`` and ``mixed``: by method, see :func:`count_errors`, and
        ``n_real``.

    Raises
    ------
    UserError
        When there are fewer than two questions, a study would be larger than the table, or
        no question could keep its labels.
    NotApplicableError
        When a column or a grouping is constant.
    """
    candidates, n_real = _candidates(questions, columns, n, share_real)
    progress(f"families: {n_families} studies of {n} clients, {len(questions)} questions each")
    p = answer_studies(questions, columns, n, n_families, random_state=random_state, n_jobs=n_jobs)
    not_applicable = int(np.isnan(p).sum())
    true, null = np.nan_to_num(p, nan=1.0).transpose(1, 0, 2)
    real = _choose_real(candidates, n_real, null.shape, random_state)
    none = np.zeros_like(real)
    return {
        "alpha": alpha,
        "n": n,
        "n_families": n_families,
        "n_questions": len(questions),
        "n_real": n_real,
        "independent": family_wise_error(alpha, len(questions)),
        "not_applicable": not_applicable,
        "tail_level": alpha / len(questions),
        "questions": [
            {key: question[key] for key in ("id", "kind", "value", "group")}
            | {"power": float((true[:, i] <= alpha).mean())}
            | {"tail": count_rejections(null[:, i] <= alpha / len(questions))}
            | {"facts": _describe(question, columns, n, p[:, 1, i], alpha)}
            for i, question in enumerate(questions)
        ],
        "all_null": {m: count_errors(adjust_many(null, m) <= alpha, none) for m in METHODS},
        "mixed": {
            m: count_errors(adjust_many(np.where(real, true, null), m) <= alpha, real)
            for m in METHODS
        },
    }


def _describe(
    question: Mapping[str, Any],
    columns: Mapping[str, Any],
    n: int,
    p_values: np.ndarray,
    alpha: float,
) -> dict[str, float]:
    """Return what may move the false alarms of a question's test in studies of n."""
    kind = question["kind"]
    column = false_alarms.encode(
        false_alarms.Case(question["value"], question["group"], (kind,)), columns
    )
    return false_alarms.describe(column, n, p_values, kind, alpha)


def _candidates(
    questions: Sequence[Mapping[str, Any]], columns: Mapping[str, Any], n: int, share_real: float
) -> tuple[list[int], int]:
    """Return which questions may keep their true labels, and how many do."""
    n_rows = len(columns[questions[0]["value"]]) if questions else 0
    candidates = [i for i, q in enumerate(questions) if schema.KEY not in (q["value"], q["group"])]
    n_real = round(share_real * len(questions))
    if len(questions) < 2 or n > n_rows or not 1 <= n_real <= len(candidates):
        raise UserError(
            f"family: expected two questions and {n} rows at least, and from 1 to "
            f"{len(candidates)} questions with true labels; got {len(questions)} questions, "
            f"{n_rows} rows and {n_real} with true labels"
        )
    return candidates, n_real


def _choose_real(
    candidates: Sequence[int], n_real: int, shape: tuple[int, int], random_state: int
) -> np.ndarray:
    """Return which questions keep their true labels, shape (n_families, m)."""
    generator = np.random.default_rng([random_state, shape[0]])
    order = generator.random((shape[0], len(candidates))).argsort(axis=1)
    real = np.zeros(shape, dtype=bool)
    np.put_along_axis(real, np.asarray(candidates)[order[:, :n_real]], values=True, axis=1)
    return real


def answer_studies(
    questions: Sequence[Mapping[str, Any]],
    columns: Mapping[str, Any],
    n: int,
    n_families: int,
    *,
    random_state: int,
    n_jobs: int = 1,
) -> np.ndarray:
    """Return p-values of every question in every study, with true and with shuffled labels.

    Returns
    -------
    numpy.ndarray, shape (n_families, 2, m)
        NaN where a test cannot be applied to a study.
    """
    names = dict.fromkeys(name for q in questions for name in (q["value"], q["group"]))
    encoded = {name: many_tests.encode(check_labels(columns[name], name=name)) for name in names}
    n_rows = next(iter(encoded.values()))[1].size

    def draw(generator: np.random.Generator, k: int) -> np.ndarray:
        rows = np.stack([generator.choice(n_rows, n, replace=False) for _ in range(k)])
        shuffled = generator.permuted(rows, axis=1)
        return np.stack(
            [_answer(question, encoded, rows, (rows, shuffled)) for question in questions], axis=2
        )

    return in_blocks(draw, n_replicates=n_families, random_state=[random_state, n], n_jobs=n_jobs)


def _answer(
    question: Mapping[str, Any],
    encoded: Mapping[str, tuple[np.ndarray, np.ndarray]],
    rows: np.ndarray,
    labellings: Sequence[np.ndarray],
) -> np.ndarray:
    """Return the p-values of one question under each labelling, shape (k, 2)."""
    (levels, codes), (groups, member) = encoded[question["value"]], encoded[question["group"]]
    return np.stack(
        [
            many_tests.p_values(
                question["kind"],
                many_tests.cross_counts(member[labels], codes[rows], groups.size, levels.size),
                levels,
            )
            for labels in labellings
        ],
        axis=1,
    )


def adjust_many(p_values: np.ndarray, method: str) -> np.ndarray:
    """Return adjusted p-values of many families at once.

    ``statsmodels.stats.multitest.multipletests`` takes one family at a time; the tests hold
    the two together.

    Parameters
    ----------
    p_values : ndarray, shape (k, m)
        One family a row.
    method : {"raw", "holm", "bh"}
        As they are, Holm (1979), or Benjamini and Hochberg (1995).

    Returns
    -------
    numpy.ndarray, shape (k, m)

    Raises
    ------
    UserError
        For an unknown method.
    """
    if method not in METHODS:
        raise UserError(f"method: expected one of {', '.join(METHODS)}, got {method!r}")
    if method == "raw":
        return p_values
    m = p_values.shape[1]
    order = p_values.argsort(axis=1)
    ascending = np.take_along_axis(p_values, order, axis=1)
    if method == "holm":  # m·p of the smallest, (m − 1)·p of the next, … never falling
        adjusted = np.maximum.accumulate(ascending * np.arange(m, 0, -1), axis=1)
    else:  # m·p/i of the i-th, never above that of a larger p
        scaled = ascending * m / np.arange(1, m + 1)
        adjusted = np.minimum.accumulate(scaled[:, ::-1], axis=1)[:, ::-1]
    result = np.empty_like(p_values)
    np.put_along_axis(result, order, np.minimum(adjusted, 1.0), axis=1)
    return result


def count_errors(rejected: np.ndarray, real: np.ndarray) -> dict[str, dict[str, float] | None]:
    """Return what a rule of rejection does to families of which the truth is known.

    Parameters
    ----------
    rejected, real : ndarray of bool, shape (k, m)
        Real: the null hypothesis is false.

    Returns
    -------
    dict
        ``family_wise``: share of families with any false alarm, exact 95 % interval.
        ``false_discovery``: mean of false alarms over rejections, 0 where nothing is
        rejected; ``power``: mean share of the real questions that are rejected (None
        without any); both with the normal 95 % interval of a mean over families.
        ``false_alarms``: their mean number in a family.
    """
    false = (rejected & ~real).sum(axis=1)
    found = (rejected & real).sum(axis=1)
    n_real = real.sum(axis=1)
    return {
        "family_wise": count_rejections(false > 0),
        "false_discovery": _mean(false / np.maximum(false + found, 1)),
        "power": _mean(found / n_real) if n_real.all() else None,
        "false_alarms": _mean(false.astype(float), most=rejected.shape[1]),
    }


def _mean(values: np.ndarray, most: float = 1.0) -> dict[str, float]:
    """Return a mean over families as ``share`` with its normal 95 % interval, cut at its range."""
    mean = float(values.mean())
    half = float(special.ndtri(0.975) * values.std(ddof=1) / np.sqrt(values.size))
    return {"share": mean, "low": max(mean - half, 0.0), "high": min(mean + half, most)}
