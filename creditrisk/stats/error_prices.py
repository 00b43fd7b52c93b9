"""What the two errors cost, of a test of hypotheses and of a classifier.

A Type I error is a false alarm: a true null hypothesis rejected, a client who pays
flagged. A Type II error is a missed detection: a false null hypothesis kept, a client
who defaults cleared. Every price is an assumption that the caller states.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


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
