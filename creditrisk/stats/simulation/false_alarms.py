"""Type I errors measured: every test on shuffled labels, where each null hypothesis is true.

A study of n clients is drawn without replacement from the table and its labels are dealt
at random, in the table's proportions. Whatever rejects is a false alarm. The columns keep
their own shapes: skewness, ties, rare codes, unequal groups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats.rejections import count_rejections
from creditrisk.stats.samples import NotApplicableError, Seed, check_labels, in_blocks
from creditrisk.stats.simulation import many_tests
from creditrisk.stats.simulation.permutation_alarms import DATA_SETS, permute_studies

CEILING = 0.06
"""The gate: at the 5 % level the whole interval of a test's false alarms lies below this."""

PERMUTATION = "permutation"


@dataclass(frozen=True)
class Case:
    """A column, a grouping and the tests that compare it between the groups."""

    value: str
    group: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A case's column encoded: levels, codes (n,) and the sizes of the table's groups."""

    levels: np.ndarray
    codes: np.ndarray
    group_sizes: np.ndarray


def measure(
    cases: Sequence[Case],
    columns: Mapping[str, Any],
    *,
    sizes: Sequence[int],
    alpha: float,
    n_shuffles: int,
    n_reference: int,
    random_state: int,
    n_jobs: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Return how often each test raises a false alarm, by size of the study.

    One set of shuffles serves all tests of a size, so their rates are not independent of
    each other. For the permutation test see
    :func:`~creditrisk.stats.simulation.permutation_alarms.permute_studies`.

    Parameters
    ----------
    cases : sequence of Case
    columns : mapping of str to array-like, shape (n,)
        Every column that a case names.
    sizes : sequence of int
        Studies smaller than the table; the whole table comes last by itself.
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
        ``alpha, ceiling, n_shuffles, n_reference`` and ``rows``: one a case, test and size
        with ``value, group, test, n``, what :func:`~creditrisk.stats.rejections.count_rejections`
        returns, ``n_applicable``, ``verdict`` (:func:`judge`) and ``facts``; ``gate``: the
        tests on the whole table whose interval is not below the ceiling.

    Raises
    ------
    UserError
        When a size is not smaller than the table, or ``n_shuffles`` is no such multiple.
    NotApplicableError
        When a column or a grouping is constant.
    """
    encoded = [encode(case, columns) for case in cases]
    n_rows = encoded[0].codes.size
    if n_shuffles % DATA_SETS or max(sizes, default=0) >= n_rows:
        raise UserError(
            f"false alarms: n_shuffles must be a multiple of {DATA_SETS} and every size below "
            f"the table's {n_rows} rows, got {n_shuffles} and {list(sizes)}"
        )
    rows: list[dict[str, Any]] = []
    for n in (*sizes, n_rows):
        progress(f"false alarms: {n_shuffles} shuffles of {n} clients")
        settings = {"n": n, "n_shuffles": n_shuffles, "n_jobs": n_jobs}
        found = shuffle(cases, encoded, random_state=[random_state, n], **settings)
        for case, column, by_test in zip(cases, encoded, found, strict=True):
            if PERMUTATION in case.tests:
                by_test[PERMUTATION] = permute_studies(
                    column.levels[column.codes].astype(float),
                    many_tests.apportion(column.group_sizes, n),
                    n_tested=n_shuffles // DATA_SETS,
                    n_reference=n_reference,
                    random_state=[random_state, n],
                    n_jobs=n_jobs,
                )
            rows += _summarise(case, column, n, by_test, alpha)
    at_full = [row for row in rows if row["n"] == n_rows]
    return {
        "alpha": alpha,
        "ceiling": CEILING,
        "n_shuffles": n_shuffles,
        "n_reference": n_reference,
        "sizes": [*sizes, n_rows],
        "rows": rows,
        "gate": [
            {key: row[key] for key in ("value", "group", "test", "high")}
            for row in at_full
            if row["high"] >= CEILING
        ],
    }


def encode(case: Case, columns: Mapping[str, Any]) -> Column:
    """Return a case's column encoded after checking that it and the grouping vary.

    Raises
    ------
    UserError
        When a value or a label is missing.
    NotApplicableError
        When the column or the grouping is constant.
    """
    levels, codes = many_tests.encode(check_labels(columns[case.value], name=case.value))
    groups, member = many_tests.encode(check_labels(columns[case.group], name=case.group))
    for name, found in ((case.value, levels), (case.group, groups)):
        if found.size < 2:
            raise NotApplicableError(f"{name}: all {codes.size} values are equal")
    return Column(levels, codes, np.bincount(member))


def shuffle(
    cases: Sequence[Case],
    encoded: Sequence[Column],
    *,
    n: int,
    n_shuffles: int,
    random_state: Seed,
    n_jobs: int,
) -> list[dict[str, np.ndarray]]:
    """Return the p-values of every case by test, shape (n_shuffles,) each.

    Parameters
    ----------
    cases : sequence of Case
        Their permutation tests are left out; they have a way of their own.
    encoded : sequence of Column
        One a case, as :func:`encode` returns.
    n : int
        Clients in a study.
    n_shuffles, n_jobs : int
    random_state : int or sequence of int

    Returns
    -------
    list of dict
        One a case; NaN where a test cannot be applied to a study.
    """
    n_rows = encoded[0].codes.size
    plan = [
        (case, column, [test for test in case.tests if test != PERMUTATION])
        for case, column in zip(cases, encoded, strict=True)
    ]
    members = [
        np.repeat(np.arange(c.group_sizes.size), many_tests.apportion(c.group_sizes, n))
        for c in encoded
    ]

    def draw(generator: np.random.Generator, k: int) -> np.ndarray:
        drawn = np.stack([generator.choice(n_rows, n, replace=False) for _ in range(k)])
        found = []
        for (_, column, tests), member in zip(plan, members, strict=True):
            sizes = (int(member[-1]) + 1, column.levels.size)
            counts = many_tests.cross_counts(member, column.codes[drawn], *sizes)
            found += [many_tests.p_values(test, counts, column.levels) for test in tests]
        return np.stack(found, axis=1)

    drawn = in_blocks(draw, n_replicates=n_shuffles, random_state=random_state, n_jobs=n_jobs)
    by_column = iter(drawn.T)
    return [{test: next(by_column) for test in tests} for _, _, tests in plan]


def _summarise(
    case: Case, column: Column, n: int, by_test: Mapping[str, np.ndarray], alpha: float
) -> list[dict[str, Any]]:
    """Return one row a test: its rate among the studies that have a p-value, and the facts."""
    rows = []
    for test in case.tests:
        try:
            found = rate(by_test[test], alpha)
        except NotApplicableError as error:
            named = f"{test} of {case.value} by {case.group} in studies of {n}"
            raise NotApplicableError(f"false alarms: {named}: {error}") from None
        rows.append(
            {"value": case.value, "group": case.group, "test": test, "n": n}
            | found
            | {"facts": describe(column, n, by_test[test], test, alpha)}
        )
    return rows


def rate(p_values: np.ndarray, alpha: float) -> dict[str, Any]:
    """Return how often a test rejects, among the studies to which it can be applied.

    Parameters
    ----------
    p_values : ndarray, shape (n_studies,)
        NaN where the test cannot be applied.
    alpha : float

    Returns
    -------
    dict
        What :func:`~creditrisk.stats.rejections.count_rejections` returns,
        ``n_applicable`` and ``verdict`` (:func:`judge`).

    Raises
    ------
    NotApplicableError
        When the test can be applied to no study.
    """
    usable = p_values[~np.isnan(p_values)]
    if usable.size == 0:
        raise NotApplicableError("the test applies to no study")
    counted = count_rejections(usable <= alpha)
    return counted | {"n_applicable": int(usable.size), "verdict": judge(counted, alpha)}


def judge(row: Mapping[str, float], alpha: float) -> str:
    """Return ``conservative``, ``exact`` or ``liberal``: where the whole interval lies.

    Exact means that the interval holds α.
    """
    if row["high"] < alpha:
        return "conservative"
    return "liberal" if row["low"] > alpha else "exact"


def describe(
    column: Column, n: int, p_values: np.ndarray, test: str, alpha: float
) -> dict[str, float]:
    """Return what may move a test's false alarms, measured.

    Returns
    -------
    dict
        ``smallest_group`` (rows) and ``step`` (:func:`measure_step`). For tables
        ``smallest_expected`` and ``absent_codes`` (mean number of the table's codes that a
        study does not hold); for numbers ``skewness`` and ``tied``, the chance that two
        rows are equal.
    """
    shares = np.bincount(column.codes) / column.codes.size
    groups = many_tests.apportion(column.group_sizes, n)
    facts = {"smallest_group": int(groups.min()), "step": measure_step(p_values, alpha)}
    if test in many_tests.TABLE_TESTS:
        expected = float(shares.min() * groups.min())
        absent = round(float(((1 - shares) ** n).sum()), 6) if n < column.codes.size else 0.0
        return {**facts, "smallest_expected": expected, "absent_codes": absent}
    skewness = float(stats.skew(column.levels[column.codes].astype(float)))
    return {**facts, "skewness": skewness, "tied": float((shares**2).sum())}


def measure_step(p_values: np.ndarray, alpha: float) -> float:
    """Return the share of studies at the smallest p-value above α.

    By it the rate would jump past α in a test of few possible p-values. Studies without a
    p-value (NaN) do not count.
    """
    usable = p_values[~np.isnan(p_values)]
    above = usable[usable > alpha * (1 + 1e-9)]
    return float((above <= above.min() * (1 + 1e-9)).sum() / usable.size) if above.size else 0.0
