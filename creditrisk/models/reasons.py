"""Why a client's score is what it is: contributions of features, grouped and put into words.

Columns that say the same thing share one reason, because Shapley values of collinear
columns split it among them at random. The words speak of the client ("2 months behind
in September"), never of the model. Personal attributes are never among the reasons;
where a model reads them, their part stays in the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from creditrisk import schema
from creditrisk.features import registry
from creditrisk.features.record import ClientRecord

MAX_REASONS = 4
LEAST = 0.01
"""Log-odds below which a reason is not worth a line."""
DECIMALS = 6

SEPTEMBER = schema.MONTH_NAMES[0]
N_BEFORE = schema.N_MONTHS - 1
"""Months from May to September, in which a payment meets the bill before it."""


@dataclass(frozen=True)
class Behaviour:
    """One client in plain Python numbers, months newest first."""

    limit: float
    status: Sequence[float]
    bill: Sequence[float]
    paid: Sequence[float]


@dataclass(frozen=True)
class Reason:
    """One group of features.

    Attributes
    ----------
    code : str
        What replies name.
    title : str
    patterns : tuple of str
        Names of the features, ``*`` for any ending.
    describe : callable
        Returns what this client did, in words.
    """

    code: str
    title: str
    patterns: tuple[str, ...]
    describe: Callable[[Behaviour], str]

    def covers(self, feature: str) -> bool:
        """Return whether a feature belongs to this group."""
        return any(fnmatchcase(feature, pattern) for pattern in self.patterns)


# --- words ------------------------------------------------------------------------


def money(amount: float) -> str:
    """Return an amount with its currency, in full up to a billion."""
    size = f"{abs(amount):,.0f}" if abs(amount) < 1e9 else f"{abs(amount):.1e}"
    return f"{'−' if amount < 0 and size != '0' else ''}NT$ {size}"


def percent(share: float) -> str:
    """Return a share as whole per cent; beyond tenfold only that."""
    return f"{100 * share:.0f} %" if abs(share) < 10 else "more than 1,000 %"


def counted(n: int, unit: str) -> str:
    """Return ``1 month`` and ``2 months``."""
    return f"{n} {unit}" if n == 1 else f"{n} {unit}s"


def _delinquency(c: Behaviour) -> str:
    behind = [int(code) if code > 0 else 0 for code in c.status]
    n_late = sum(months > 0 for months in behind)
    if not n_late:
        return "never behind in six months"
    newest = next(i for i, months in enumerate(behind) if months)
    months = behind[newest]
    size = "9 or more months" if months == schema.STATUS_MAX else counted(months, "month")
    text = f"{size} behind in {schema.MONTH_NAMES[newest]}"
    if newest:
        text = f"last late {text}"
    return f"{text}, late in {n_late} of six months" if n_late > 1 else text


def _card_use(c: Behaviour) -> str:
    states = {-2: "no consumption", -1: "paid in full", 0: "revolving"}
    counts = {words: sum(code == state for code in c.status) for state, words in states.items()}
    parts = [f"{words} in {counted(n, 'month')}" for words, n in counts.items() if n]
    return ", ".join(parts) or "behind in all six months"


def _limit(c: Behaviour) -> str:
    return f"credit limit of {money(c.limit)}"


def _utilization(c: Behaviour) -> str:
    share, mean = c.bill[0] / c.limit, sum(c.bill) / len(c.bill) / c.limit
    if c.bill[0] < 0:
        return f"credit balance of {money(-c.bill[0])} in {SEPTEMBER}"
    text = f"limit used to {percent(share)} in {SEPTEMBER}"
    return text if abs(share - mean) < 0.1 else f"{text}, {percent(mean)} on average"


def _balance_trend(c: Behaviour) -> str:
    change = (c.bill[0] - c.bill[-1]) / c.limit
    oldest = schema.MONTH_NAMES[-1]
    if abs(change) < 0.01:
        return f"use of the limit in {SEPTEMBER} as in {oldest}"
    size = f"{100 * abs(change):.0f} points" if abs(change) < 10 else "more than 1,000 points"
    return f"use of the limit {'up' if change > 0 else 'down'} {size} since {oldest}"


def _payments(c: Behaviour) -> str:
    mean = sum(c.paid) / len(c.paid)
    if mean == 0:
        return "no payment in six months"
    return f"{money(mean)} paid a month, {percent(mean / c.limit)} of the limit"


def _repayment(c: Behaviour) -> str:
    owed, paid = sum(max(b, 0.0) for b in c.bill[1:]), sum(c.paid[:N_BEFORE])
    if owed == 0:
        return "nothing to repay in five months"
    text = f"{percent(paid / owed)} of five months' bills repaid"
    none = sum(amount <= 0 for amount in c.paid)
    return f"{text}, no payment in {counted(none, 'month')}" if none else text


def _spending(c: Behaviour) -> str:
    change = [c.bill[i] - c.bill[i + 1] + c.paid[i] for i in range(N_BEFORE)]
    mean = sum(change) / N_BEFORE
    if max(change) <= 0:
        return "no new spend in five months"
    return f"new spend of about {money(mean)} a month"


REASONS = (
    Reason(
        "recent_delinquency",
        "Recent delinquency",
        (
            *("PAY_0", *(f"PAY_{i}" for i in range(2, 7))),
            *("n_late_*", "*months_past_due*", "weighted_delay", "months_since_delay"),
            *("delay_*", "sep_*"),
        ),
        _delinquency,
    ),
    Reason(
        "utilization",
        "Use of the limit",
        (
            *("BILL_AMT*", "credit_utilization*", *(f"utilization_{i}" for i in range(2, 7))),
            *("utilization_m*", "headroom_share", "log_owed_mean"),
        ),
        _utilization,
    ),
    Reason("credit_limit", "Credit limit", ("LIMIT_BAL", "log_limit"), _limit),
    Reason(
        "repayment",
        "Share of the bills repaid",
        ("pay_ratio_*", "n_paid_in_full", "n_no_payment", "spend_repaid_*"),
        _repayment,
    ),
    Reason(
        "payments",
        "Size of the payments",
        ("PAY_AMT*", "avg_payment", "payment_*", "n_round_payments", "log_paid_*"),
        _payments,
    ),
    Reason(
        "balance_trend",
        "Trend of the balance",
        ("utilization_sd", "utilization_slope"),
        _balance_trend,
    ),
    Reason("spending", "New spend", ("spend_over_*", "spend_mean_*", "spend_sd_*"), _spending),
    Reason(
        "card_use",
        "How the card is used",
        ("*no_consumption*", "*paid_off*", "*revolving*"),
        _card_use,
    ),
)
"""Every group, in the order that breaks ties."""
UNNAMED = len(REASONS)
"""Group of the features that are never a reason: personal attributes."""


def groups_of(features: Sequence[str]) -> np.ndarray:
    """Return each feature's group, its place in :data:`REASONS`.

    Parameters
    ----------
    features : sequence of str, length k
        Registered names.

    Returns
    -------
    ndarray of int, shape (k,)
        :data:`UNNAMED` for what is computed from a personal attribute.
    """
    audit = {f.name for f in registry.all_features() if f.is_audit}
    return np.array([UNNAMED if name in audit else _group_of(name) for name in features])


def _group_of(feature: str) -> int:
    """Return the first group that covers a feature; unnamed where none does."""
    return next((i for i, reason in enumerate(REASONS) if reason.covers(feature)), UNNAMED)


def choose(contributions: np.ndarray) -> list[list[tuple[int, float]]]:
    """Choose what to name: the largest contributions, whichever way they point.

    Parameters
    ----------
    contributions : ndarray of float, shape (n, g)
        Log-odds, by group; columns from :data:`UNNAMED` on are never named.

    Returns
    -------
    list of list of (int, float), length n
        At most four a client: group and contribution, rounded to six decimals, the
        largest size first.
    """
    named = contributions[:, :UNNAMED].round(DECIMALS)
    order = np.argsort(-np.abs(named), axis=1, kind="stable")[:, :MAX_REASONS]
    sizes = named[np.arange(len(named))[:, None], order]
    return [
        [(group, value) for group, value in zip(groups, values, strict=True) if abs(value) >= LEAST]
        for groups, values in zip(order.tolist(), sizes.tolist(), strict=True)
    ]


def behaviours(record: ClientRecord) -> list[Behaviour]:
    """Return a record's clients one by one, in plain numbers."""
    columns = (record.limit, record.status, record.bill, record.paid)
    return [Behaviour(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]
