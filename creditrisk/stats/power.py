"""Type I and Type II errors: power in closed form and by simulation, and what errors cost.

A Type I error is a false alarm: a true null hypothesis rejected. A Type II error
is a missed detection: a false null hypothesis kept. Power is one minus the chance
of the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from creditrisk.errors import UserError
from creditrisk.stats.estimation import Seed, check_sample, in_blocks


def mean_difference_power(effect: float, n_first: int, n_second: int, alpha: float) -> float:
    """Return the power of a two-sided z-test of two means.

    Parameters
    ----------
    effect : float
        True difference in standard deviations.
    n_first, n_second : int
    alpha : float
        Chance of a false alarm.

    Returns
    -------
    float
        Φ(δ − z) + Φ(−δ − z) with δ = effect · √(n1·n2/(n1+n2)) and z the 1 − α/2
        quantile (Cohen 1988). Also that of the t-tests and of the permutation test
        from some dozens of values on.
    """
    z = special.ndtri(1 - alpha / 2)
    shift = effect * np.sqrt(n_first * n_second / (n_first + n_second))
    return float(special.ndtr(shift - z) + special.ndtr(-shift - z))


def chi_square_power(effect: float, n: int, n_rows: int, n_columns: int, alpha: float) -> float:
    """Return the power of the chi-square test of an r × c table.

    Parameters
    ----------
    effect : float
        True Cramér's V.
    n : int
        Rows of data.
    n_rows, n_columns : int
        Shape of the table.
    alpha : float

    Returns
    -------
    float
        Upper tail of the non-central χ² with non-centrality n · V² · (min(r, c) − 1)
        (Cohen 1988, with w² = V² · (min(r, c) − 1)).
    """
    df = (n_rows - 1) * (n_columns - 1)
    critical = stats.chi2.isf(alpha, df)
    return float(stats.ncx2.sf(critical, df, n * effect**2 * (min(n_rows, n_columns) - 1)))


def anova_power(effect: float, n: int, n_groups: int, alpha: float) -> float:
    """Return the power of the one-way F-test.

    Parameters
    ----------
    effect : float
        True share of the variance that lies between the groups, below 1.
    n, n_groups : int
    alpha : float

    Returns
    -------
    float
        Upper tail of the non-central F with non-centrality n · η²/(1 − η²)
        (Cohen 1988, with f² = η²/(1 − η²)).
    """
    df, error = n_groups - 1, n - n_groups
    critical = stats.f.isf(alpha, df, error)
    # not stats.ncf.sf: at non-centrality 0 scipy 1.17 returns a negative number
    return float(1 - special.ncfdtr(df, error, n * effect / (1 - effect), critical))


def minimum_detectable_effect(
    power_of: Callable[[float], float], *, power: float, largest: float
) -> float | None:
    """Return the smallest effect that is found with the wanted power.

    Parameters
    ----------
    power_of : callable
        Power as a function of the effect, non-decreasing.
    power : float
        Wanted power, e.g. 0.8.
    largest : float
        Where the search ends.

    Returns
    -------
    float or None
        None when not even ``largest`` is found that often.
    """
    if power_of(largest) < power:
        return None
    if power_of(0.0) >= power:
        return 0.0
    return float(optimize.brentq(lambda effect: power_of(effect) - power, 0.0, largest))


def simulate_rejections(
    values: Any,
    *,
    n_first: int,
    n_second: int,
    differences: Sequence[float],
    alpha: float,
    n_simulations: int,
    random_state: Seed,
    n_jobs: int = 1,
    name: str = "sample",
) -> list[dict[str, float]]:
    """Count how often the z-test rejects when the true difference is known.

    Both groups are drawn with replacement from the same column, so the null
    hypothesis holds on this column's own shape; the first group is then moved by
    each difference in turn. At difference 0 the share is the false-alarm rate.

    Parameters
    ----------
    values : array-like, shape (n,)
    n_first, n_second : int
        Group sizes of one simulated study.
    differences : sequence of float
        True differences, in the column's unit.
    alpha : float
    n_simulations : int
    random_state : int or sequence of int
    n_jobs : int
        Threads; without effect on the result.
    name : str

    Returns
    -------
    list of dict
        ``difference`` and what :func:`count_rejections` returns.
    """
    sample = check_sample(values, name=name, needs_spread=True)
    if min(n_first, n_second) < 2:
        raise UserError(f"group sizes: expected at least 2, got {n_first} and {n_second}")

    draw = partial(draw_studies, sample=sample, n_first=n_first, n_second=n_second)
    studies = in_blocks(draw, n_replicates=n_simulations, random_state=random_state, n_jobs=n_jobs)
    z = special.ndtri(1 - alpha / 2)
    return [
        {
            "difference": float(difference),
            **count_rejections(np.abs(studies[:, 0] + difference) > z * studies[:, 1]),
        }
        for difference in differences
    ]


def draw_studies(
    generator: np.random.Generator, k: int, *, sample: np.ndarray, n_first: int, n_second: int
) -> np.ndarray:
    """Draw k studies of two groups; return difference and standard error, shape (k, 2)."""
    rows = generator.integers(0, sample.size, size=(k, n_first + n_second))
    drawn = sample.take(rows, mode="clip")
    a, b = drawn[:, :n_first], drawn[:, n_first:]
    error = np.sqrt(a.var(axis=1, ddof=1) / n_first + b.var(axis=1, ddof=1) / n_second)
    return np.stack([a.mean(axis=1) - b.mean(axis=1), error], axis=1)


def count_rejections(rejected: np.ndarray) -> dict[str, float]:
    """Return ``n_rejected``, its ``share`` and the share's 95 % exact binomial interval.

    Parameters
    ----------
    rejected : ndarray of bool, shape (n_simulations,)

    Returns
    -------
    dict
        ``n_rejected, share, low, high`` (Clopper & Pearson 1934).
    """
    n_rejected = int(rejected.sum())
    interval = stats.binomtest(n_rejected, rejected.size).proportion_ci(0.95, method="exact")
    return {
        "n_rejected": n_rejected,
        "share": n_rejected / rejected.size,
        "low": float(interval.low),
        "high": float(interval.high),
    }


def price_test_errors(
    alphas: Sequence[float],
    power_of: Callable[[float], float],
    *,
    prior_real: float,
    cost_false_alarm: float,
    cost_missed_detection: float,
) -> list[dict[str, float]]:
    """Return what each kind of error of a test is expected to cost, by level.

    Parameters
    ----------
    alphas : sequence of float
    power_of : callable
        Power as a function of α, for one study and one true effect.
    prior_real : float
        Assumed chance that the effect is real, 0 to 1.
    cost_false_alarm, cost_missed_detection : float
        Assumed, NT$ a wrong decision.

    Returns
    -------
    list of dict
        ``alpha, power, cost_false_alarm`` = (1 − prior)·α·cost,
        ``cost_missed_detection`` = prior·(1 − power)·cost and ``cost_total``.
    """
    rows = []
    for alpha in alphas:
        power = power_of(alpha)
        alarm = (1 - prior_real) * alpha * cost_false_alarm
        missed = prior_real * (1 - power) * cost_missed_detection
        rows.append(
            {
                "alpha": alpha,
                "power": power,
                "cost_false_alarm": alarm,
                "cost_missed_detection": missed,
                "cost_total": alarm + missed,
            }
        )
    return rows


def count_decisions(flagged: Any, defaulted: Any) -> dict[str, int]:
    """Count a rule's decisions against what happened.

    Parameters
    ----------
    flagged, defaulted : array-like of bool or 0/1, shape (n,)

    Returns
    -------
    dict
        ``caught`` (defaulters flagged), ``false_alarms`` (others flagged),
        ``missed`` (defaulters cleared) and ``cleared`` (others cleared).
    """
    flag, bad = np.asarray(flagged, dtype=bool), np.asarray(defaulted, dtype=bool)
    return {
        "caught": int((flag & bad).sum()),
        "false_alarms": int((flag & ~bad).sum()),
        "missed": int((~flag & bad).sum()),
        "cleared": int((~flag & ~bad).sum()),
    }


def price_decisions(
    counts: dict[str, int], *, cost_false_alarm: float, cost_missed_detection: float
) -> dict[str, Any]:
    """Return the rates of both errors of a classifier and what they cost.

    Parameters
    ----------
    counts : dict
        As :func:`count_decisions` returns.
    cost_false_alarm, cost_missed_detection : float
        Assumed, NT$ a client.

    Returns
    -------
    dict
        The counts; ``false_alarm_rate`` (of the non-defaulters),
        ``missed_rate`` (of the defaulters), ``wrong_flag_share`` (of the flagged;
        None where nobody is flagged); the NT$ of each error and ``cost_per_client``.
    """
    good = counts["false_alarms"] + counts["cleared"]
    bad = counts["caught"] + counts["missed"]
    n_flagged = counts["caught"] + counts["false_alarms"]
    alarm = counts["false_alarms"] * cost_false_alarm
    missed = counts["missed"] * cost_missed_detection
    return {
        **counts,
        "false_alarm_rate": counts["false_alarms"] / good if good else None,
        "missed_rate": counts["missed"] / bad if bad else None,
        "wrong_flag_share": counts["false_alarms"] / n_flagged if n_flagged else None,
        "cost_false_alarms": alarm,
        "cost_missed": missed,
        "cost_per_client": (alarm + missed) / (good + bad),
    }


def break_even_probability(cost_false_alarm: float, cost_missed_detection: float) -> float:
    """Return the probability of default above which flagging is the cheaper error.

    c_fa / (c_fa + c_md): flagging costs (1 − p)·c_fa, clearing costs p·c_md
    (Elkan 2001, with correct decisions free).
    """
    return cost_false_alarm / (cost_false_alarm + cost_missed_detection)
