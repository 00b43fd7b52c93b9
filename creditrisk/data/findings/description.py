"""The register of findings, counted: rows, default rate, and the difference to the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk import schema
from creditrisk.data.findings import amounts, codes  # noqa: F401  they fill the register
from creditrisk.data.findings.register import REGISTER, Finding

if TYPE_CHECKING:
    import pandas as pd

FINDINGS: tuple[Finding, ...] = tuple(sorted(REGISTER, key=lambda entry: entry.code))
"""Every finding, by code."""

_SHOWN = ("code", "title", "rule", "kind", "owner", "treatment", "applied_at", "reads_target")


def describe_findings(clients: pd.DataFrame, *, level: float) -> list[dict[str, Any]]:
    """Return how many rows each finding has and how often they default.

    Parameters
    ----------
    clients : DataFrame, n ≥ 1 rows
        The cleaned table.
    level : float
        Joint confidence level of all differences, between 0 and 1.

    Returns
    -------
    list of dict
        One a finding, by code: what the register says (``code``, ``title``, ``rule``,
        ``kind``, ``owner``, ``treatment``, ``applied_at``, ``reads_target``,
        ``feeds``); ``n``, ``share``, ``rate`` of its rows and ``rate_rest``;
        ``difference`` (``rate`` − ``rate_rest``) with ``low``, ``high`` and a
        ``verdict``: "default more often", "default less often", "no clear
        difference", "none found", or "not compared"; ``n_train`` and ``rate_train``
        on training rows, for findings that feed features. None where a figure does
        not apply.

    Notes
    -----
    The interval is Newcombe's hybrid score interval (1998, method 10) at the
    Bonferroni level 1 − (1 − ``level``)/m, m the number of findings compared, so all
    of them hold together with probability ``level`` whatever overlap the findings
    have. A finding is not compared when its rule reads the target, or when it has
    every row. Rows count as independent; duplicates and twins are not quite.

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent
    proportions: comparison of eleven methods. Statistics in Medicine 17, 873-890.
    """
    default = clients[schema.TARGET].to_numpy()
    is_train = (clients[schema.SPLIT] == schema.TRAIN).to_numpy()
    found = {entry.code: entry.check(clients) for entry in FINDINGS}
    compared = [
        e.code for e in FINDINGS if not e.reads_target and 0 < found[e.code].sum() < len(default)
    ]
    alpha = (1 - level) / max(len(compared), 1)
    return [
        {key: getattr(entry, key) for key in _SHOWN}
        | {"feeds": list(entry.feeds)}
        | _count(found[entry.code], default)
        | _compare(found[entry.code], default, alpha if entry.code in compared else None)
        | _count_training(found[entry.code][is_train], default[is_train], entry.feeds)
        for entry in FINDINGS
    ]


def newcombe(first: tuple[int, int], second: tuple[int, int], level: float) -> tuple[float, float]:
    """Return Newcombe's hybrid score interval of a difference of two rates.

    Parameters
    ----------
    first, second : tuple of int
        Events and trials, at least one trial each; the difference is first − second.
    level : float
        Coverage, between 0 and 1.

    Returns
    -------
    low, high : float
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(*first, *second, method="newcomb", alpha=1 - level)
    return float(low), float(high)


def _count(rows: np.ndarray, default: np.ndarray) -> dict[str, Any]:
    """Return size and default rate of the rows, and the rate of the rest."""
    return {
        "n": int(rows.sum()),
        "share": float(rows.mean()),
        "rate": _rate(default[rows]),
        "rate_rest": _rate(default[~rows]),
    }


def _compare(rows: np.ndarray, default: np.ndarray, alpha: float | None) -> dict[str, Any]:
    """Return the difference rest → rows with its interval; Nones without ``alpha``."""
    if alpha is None:
        verdict = "not compared" if rows.any() else "none found"
        return {"difference": None, "low": None, "high": None, "verdict": verdict}
    here, rest = default[rows], default[~rows]
    low, high = newcombe(
        (int(here.sum()), len(here)), (int(rest.sum()), len(rest)), level=1 - alpha
    )
    verdict = "no clear difference"
    if low > 0 or high < 0:
        verdict = "default more often" if low > 0 else "default less often"
    return {
        "difference": float(here.mean() - rest.mean()),
        "low": low,
        "high": high,
        "verdict": verdict,
    }


def _count_training(
    rows: np.ndarray, default: np.ndarray, feeds: tuple[str, ...]
) -> dict[str, Any]:
    """Return size and default rate among training rows where features rest on them."""
    if not feeds:
        return {"n_train": None, "rate_train": None}
    return {"n_train": int(rows.sum()), "rate_train": _rate(default[rows])}


def _rate(default: np.ndarray) -> float | None:
    """Return the mean, None of nothing."""
    return float(default.mean()) if len(default) else None
