"""Both kinds of error side by side: for a test of hypotheses and for a classifier.

For a test: level, power curve in closed form with its simulated check, smallest
detectable difference, expected cost. For a classifier: the counts of a one-line
rule read the same way. Every cost is an assumption that the caller states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from creditrisk.stats import error_prices, power, rejections
from creditrisk.stats.multiplicity import family_wise_error
from creditrisk.stats.samples import Seed, check_sample


def describe_test_errors(
    values: Any,
    default_rate: float,
    *,
    alpha: float,
    n_questions: int,
    settings: Mapping[str, Any],
    random_state: int,
    n_jobs: int = 1,
    name: str = "sample",
) -> dict[str, Any]:
    """Return false alarms and power of the comparison of a mean by default status.

    Parameters
    ----------
    values : array-like, shape (n,)
        The column; both simulated groups are drawn from it.
    default_rate : float
        Share of a study's clients in the first group.
    alpha : float
    n_questions : int
        Size of the family, for the chance of any false alarm.
    settings : mapping
        ``sample_sizes, largest_difference, n_steps, targets, n_simulations,
        check_differences``.
    random_state, n_jobs : int
    name : str

    Returns
    -------
    dict
        ``alpha, sd, n_questions, family_wise_error, expected_false_alarms,
        differences`` (grid) and ``studies``: one for each sample size with group
        sizes, ``power`` on the grid, ``simulated`` and ``detectable``.
    """
    sample = check_sample(values, name=name, needs_spread=True)
    sd = float(sample.std(ddof=1))
    grid = np.linspace(0, settings["largest_difference"], settings["n_steps"] + 1)
    studies = [
        _describe_study(
            sample,
            split_study(n, default_rate),
            grid=grid,
            alpha=alpha,
            settings=settings,
            random_state=[random_state, n],
            n_jobs=n_jobs,
        )
        for n in settings["sample_sizes"]
    ]
    return {
        "column": name,
        "alpha": alpha,
        "sd": sd,
        "n_simulations": settings["n_simulations"],
        "n_questions": n_questions,
        "family_wise_error": family_wise_error(alpha, n_questions),
        "expected_false_alarms": alpha * n_questions,
        "differences": grid.tolist(),
        "studies": studies,
    }


def _describe_study(
    sample: np.ndarray,
    sizes: tuple[int, int],
    *,
    grid: np.ndarray,
    alpha: float,
    settings: Mapping[str, Any],
    random_state: Seed,
    n_jobs: int,
) -> dict[str, Any]:
    """Return power, its simulated check and the detectable differences of one study size."""
    sd = float(sample.std(ddof=1))

    def power_of(difference: float) -> float:
        return power.mean_difference_power(difference / sd, *sizes, alpha)

    simulated = rejections.simulate_rejections(
        sample,
        n_first=sizes[0],
        n_second=sizes[1],
        differences=settings["check_differences"],
        alpha=alpha,
        n_simulations=settings["n_simulations"],
        random_state=random_state,
        n_jobs=n_jobs,
    )
    detectable = [
        {
            "power": target,
            "difference": power.minimum_detectable_effect(power_of, power=target, largest=100 * sd),
        }
        for target in settings["targets"]
    ]
    return {
        "n": sum(sizes),
        "n_first": sizes[0],
        "n_second": sizes[1],
        "power": [power_of(difference) for difference in grid],
        "simulated": [{**row, "power": power_of(row["difference"])} for row in simulated],
        "detectable": detectable,
    }


def split_study(n: int, share: float) -> tuple[int, int]:
    """Return group sizes of a study of n clients, two at least in each."""
    n_first = min(max(round(n * share), 2), n - 2)
    return n_first, n - n_first


def price_tests(sd: float, default_rate: float, costs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the expected cost of both errors of one study, by level.

    Parameters
    ----------
    sd : float
        Standard deviation of the compared column, NT$.
    default_rate : float
    costs : mapping
        ``test_false_alarm, test_missed_detection, prior_real, test_clients,
        test_difference, alphas``.

    Returns
    -------
    dict
        The assumptions, ``by_alpha`` (rows of
        :func:`~creditrisk.stats.error_prices.price_test_errors`) and ``cheapest_alpha``.
    """
    n_first, n_second = split_study(costs["test_clients"], default_rate)
    rows = error_prices.price_test_errors(
        costs["alphas"],
        lambda alpha: power.mean_difference_power(
            costs["test_difference"] / sd, n_first, n_second, alpha
        ),
        prior_real=costs["prior_real"],
        cost_false_alarm=costs["test_false_alarm"],
        cost_missed_detection=costs["test_missed_detection"],
    )
    assumed = {key: costs[key] for key in costs if key.startswith(("test_", "prior"))}
    cheapest = min(rows, key=lambda row: row["cost_total"])
    return {**assumed, "by_alpha": rows, "cheapest_alpha": cheapest["alpha"]}


def describe_classifier_errors(
    values: Any, defaulted: Any, *, column: str, at_least: Sequence[float], costs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the two errors of one-line rules "flag when the column reaches a value".

    Parameters
    ----------
    values, defaulted : array-like, shape (n,)
    column : str
    at_least : sequence of float
        The cut-offs, in order; flagging everybody and nobody are added around them.
    costs : mapping
        ``client_false_alarm, client_missed_detection``.

    Returns
    -------
    dict
        ``column``, both costs, ``break_even`` (probability above which flagging is
        cheaper) and ``rules``: one
        :func:`~creditrisk.stats.error_prices.price_decisions` a cut-off with ``at_least``
        (None: nobody is flagged; the lowest value: everybody).
    """
    sample = check_sample(values, name=column, n_min=1)
    prices = {
        "cost_false_alarm": costs["client_false_alarm"],
        "cost_missed_detection": costs["client_missed_detection"],
    }
    cuts: list[float | None] = [float(sample.min()), *at_least, None]
    rules = []
    for cut in cuts:
        flagged = sample >= cut if cut is not None else np.zeros(sample.size, dtype=bool)
        counts = error_prices.count_decisions(flagged, defaulted)
        rules.append({"at_least": cut, **error_prices.price_decisions(counts, **prices)})
    return {
        "column": column,
        **prices,
        "break_even": error_prices.break_even_probability(**prices),
        "rules": rules,
    }
