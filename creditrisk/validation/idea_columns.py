"""Candidate columns beyond the registry: small pure functions of the record of arrays.

Each returns columns of shape (n, k) that are finite for every client, also for one
without any bill or payment. Where an amount would have a long tail, it is a ratio
clipped to a range or a logarithm, so that a linear model can read it too. A function
that a fitted step of :mod:`creditrisk.validation.ideas` consumes returns that step's
inputs; the step learns inside the fit.
"""

from __future__ import annotations

import numpy as np

from creditrisk.features import registry
from creditrisk.features.record import ClientRecord
from creditrisk.features.rows import columns, mean, standard_deviation, weighted

Array = np.ndarray

LINEAR_FAMILIES = ("status_states", "delay", "utilization", "payment", "spend", "log_amounts")
"""What a logistic regression reads of the registry, for ideas that use one inside."""
MINIMUM_SHARE = 0.05
"""Share of a bill near which payments heap: the usual minimum payment."""


def _ratio(part: Array, whole: Array, *, otherwise: float, cap: float) -> Array:
    """Return part over whole, within ±cap; ``otherwise`` where whole is 0 or below."""
    value = np.full(np.broadcast(part, whole).shape, otherwise)
    np.divide(part, whole, out=value, where=whole > 0)
    return np.clip(value, -cap, cap)


def _signed_log(amount: Array) -> Array:
    """Return sign(x) · log(1 + |x|)."""
    return np.sign(amount) * np.log1p(np.abs(amount))


def _run(flag: Array) -> Array:
    """Return how many months in a row hold, counted back from now."""
    return np.cumprod(flag, axis=1).sum(1)


def _longest_run(flag: Array) -> Array:
    """Return the longest run of months that hold."""
    longest = current = np.zeros(len(flag))
    for month in flag.T:
        current = np.where(month, current + 1, 0)
        longest = np.maximum(longest, current)
    return longest


# --- payments ---------------------------------------------------------------------


def exact_payments(r: ClientRecord) -> Array:
    """Count payments equal to their bill to the dollar, or to 5 or 10 % of it."""
    owed, paid = r.owed[:, 1:], r.paid[:, :5]
    share = _ratio(paid, owed, otherwise=0.0, cap=2.0)
    exact = (owed > 0) & (paid == owed)
    near = [np.abs(share - at) < at / 20 for at in (MINIMUM_SHARE, 2 * MINIMUM_SHARE)]
    below = (paid > 0) & (share > 0) & (share < MINIMUM_SHARE)
    return columns(exact.sum(1), exact[:, 0], *(n.sum(1) for n in near), below.sum(1))


def rounding_habits(r: ClientRecord) -> Array:
    """Count payments and bills that are multiples of 100, 500 and 1,000."""
    made = [((r.paid > 0) & (np.mod(r.paid, step) == 0)) for step in (100.0, 500.0, 1000.0)]
    billed = (r.bill > 0) & (np.mod(r.bill, 100.0) == 0)
    return columns(*(m.sum(1) for m in made), *(m[:, 0] for m in made), billed.sum(1))


def months_since_payment(r: ClientRecord) -> Array:
    """Return months since the last payment and since one of 5 % of its bill."""
    any_payment = r.paid > 0
    enough = r.pay_ratio >= MINIMUM_SHARE
    since = np.where(any_payment.any(1), any_payment.argmax(1), r.paid.shape[1])
    since_enough = np.where(enough.any(1), enough.argmax(1), enough.shape[1])
    return columns(since, since_enough)


def payment_gap(r: ClientRecord) -> Array:
    """Return scheduled (5 % of the bill) less paid, and the unpaid rest, over the limit."""
    owed, paid, limit = r.owed[:, 1:], r.paid[:, :5], r.limit[:, None]
    short = np.maximum(MINIMUM_SHARE * owed - paid, 0.0) / limit
    unpaid = np.clip((owed - paid) / limit, -1.0, 2.0)
    return np.concatenate([short[:, :2], columns(short.sum(1)), unpaid[:, :2]], axis=1)


def unpaid_with_debt(r: ClientRecord) -> Array:
    """Count months that owed something and paid nothing; their run up to now."""
    missed = (r.owed[:, 1:] > 0) & (r.paid[:, :5] <= 0)
    return columns(missed.sum(1), _run(missed), missed[:, 0])


def payment_over_current_bill(r: ClientRecord) -> Array:
    """Return each payment over the bill of its own month, not of the one it settles."""
    return _ratio(r.paid, r.owed, otherwise=1.0, cap=2.0)


def newest_against_own_past(r: ClientRecord) -> Array:
    """Return September's payment, bill and spend against the client's other months."""
    series = (r.paid, r.owed, np.maximum(r.spend, 0.0))
    return columns(*(_ratio(v[:, 0], mean(v[:, 1:]), otherwise=1.0, cap=5.0) for v in series))


def cash_flow_coverage(r: ClientRecord) -> Array:
    """Return paid less spent over the limit: newest, mean, worst, and months in the red."""
    flow = np.clip((r.paid[:, :5] - r.spend) / r.limit[:, None], -2.0, 2.0)
    return columns(flow[:, 0], mean(flow), flow.min(1), (flow < 0).sum(1))


# --- bills and spend ----------------------------------------------------------------


def spend_volatility(r: ClientRecord) -> Array:
    """Return the coefficient of variation of spend, largest over mean, months without."""
    spent = np.maximum(r.spend, 0.0)
    average = mean(spent)
    variation = _ratio(standard_deviation(spent), average, otherwise=0.0, cap=3.0)
    peak = _ratio(spent.max(1), average, otherwise=0.0, cap=5.0)
    return columns(variation, peak, (spent <= 0).sum(1))


def utilization_acceleration(r: ClientRecord) -> Array:
    """Return second differences of utilization, newest first, within ±2."""
    return np.clip(-np.diff(-np.diff(r.utilization, axis=1), axis=1), -2.0, 2.0)


def bill_growth(r: ClientRecord) -> Array:
    """Return the logarithm of each bill over the one before, and of last over first."""
    level = np.log1p(r.owed)
    steps = np.clip(level[:, :5] - level[:, 1:], -3.0, 3.0)
    return np.column_stack([steps, np.clip(level[:, 0] - level[:, 5], -5.0, 5.0)])


def signed_logs(r: ClientRecord) -> Array:
    """Return signed logarithms of all bills and payments."""
    return _signed_log(np.concatenate([r.bill, r.paid], axis=1))


def debt_in_dollars(r: ClientRecord) -> Array:
    """Return logarithms of unused limit, of the unpaid rest and of the least payment due."""
    free = _signed_log(r.limit - r.bill[:, 0])
    unpaid = np.log1p(np.maximum(r.owed[:, 1] - r.paid[:, 0], 0.0))
    return columns(free, unpaid, np.log1p(MINIMUM_SHARE * r.owed[:, 0]))


def credit_balances(r: ClientRecord) -> Array:
    """Return months in credit, credit now, and the largest credit over the limit."""
    credit = np.minimum(np.maximum(-r.bill, 0.0) / r.limit[:, None], 1.0)
    return columns((credit > 0).sum(1), credit[:, 0] > 0, credit.max(1))


def over_limit(r: ClientRecord) -> Array:
    """Return months over the limit, their run up to now, and the largest excess."""
    over = r.utilization > 1.0
    excess = np.clip(r.utilization.max(1) - 1.0, 0.0, 2.0)
    return columns(over.sum(1), _run(over), excess)


def inactivity(r: ClientRecord) -> Array:
    """Return months without bill and payment, their run up to now, and never active."""
    idle = (r.bill == 0) & (r.paid == 0)
    return columns(idle.sum(1), _run(idle), idle.all(1))


# --- status -------------------------------------------------------------------------


def status_path(r: ClientRecord) -> Array:
    """Return the paths of the last two and the last three status codes, as one code each."""
    code = r.status + 2
    return columns(code[:, 0] * 12 + code[:, 1], code[:, 0] * 144 + code[:, 1] * 12 + code[:, 2])


def status_differences(r: ClientRecord) -> Array:
    """Return first differences of the codes and how often they rose, fell and changed."""
    change = r.status[:, :5] - r.status[:, 1:]
    return np.column_stack([change, (change > 0).sum(1), (change < 0).sum(1)])


def september_surprise(r: ClientRecord) -> Array:
    """Return flags of September's delay given August's: new, code 1 after late, cured."""
    now, before = r.status[:, 0], r.status[:, 1]
    return columns(
        (now >= 1) & (before <= 0),
        (now >= 2) & (before <= 0),
        (now == 1) & (before >= 2),
        (now <= 0) & (before >= 2),
        now - before,
    )


def revolving_runs(r: ClientRecord) -> Array:
    """Return the longest run of revolving months, and the run up to now."""
    revolving = r.status == 0
    return columns(_longest_run(revolving), _run(revolving))


def fading_delay(r: ClientRecord) -> Array:
    """Return months past due with weights that halve, and that fall to a fifth, each month."""
    months = np.arange(r.status.shape[1])
    return columns(*(weighted(r.months_past_due, share**months) for share in (0.5, 0.2)))


def contradictions(r: ClientRecord) -> Array:
    """Count months whose status disagrees with the amounts."""
    status, ratio, owed = r.status[:, :5], r.pay_ratio, r.owed[:, 1:] > 0
    return columns(
        ((status == -1) & (ratio < 0.9) & owed).sum(1),
        ((status == 0) & (r.paid[:, :5] <= 0) & owed).sum(1),
        ((status >= 1) & (ratio >= MINIMUM_SHARE) & owed).sum(1),
        ((status == -2) & owed).sum(1),
    )


def delay_by_utilization(r: ClientRecord) -> Array:
    """Return products of delay with utilization and with the share of the bill paid."""
    used = np.clip(mean(r.utilization), 0.0, 1.5)
    late, delay = r.status[:, 0] >= 1, weighted(r.months_past_due, 0.5 ** np.arange(6))
    return columns(late * used, delay * used, delay * mean(r.pay_ratio), late * np.log(r.limit))


# --- inputs of fitted steps -----------------------------------------------------------


def peer_inputs(r: ClientRecord) -> Array:
    """Return the limit, then the quantities that are set against peers of that limit."""
    spent = np.clip(mean(r.spend_over_limit), -1.0, 1.0)
    logs = np.log1p(columns(mean(r.owed), r.paid_mean, r.paid[:, 0]))
    return np.column_stack([r.limit, mean(r.utilization), mean(r.pay_ratio), spent, logs])


def september_inputs(r: ClientRecord) -> Array:
    """Return whether September is late, then what was known of the client before it."""
    late = r.status[:, :1] >= 1
    earlier = [r.status[:, 1:], r.utilization[:, 1:], r.pay_ratio[:, 1:]]
    flows = [np.log1p(r.paid[:, 1:]), r.spend_over_limit[:, 1:], np.log(r.limit)[:, None]]
    return np.concatenate([late.astype(float), *earlier, *flows], axis=1)


def linear_inputs(r: ClientRecord) -> Array:
    """Return the registry's columns that suit a logistic regression."""
    return registry.compute(r, registry.select(LINEAR_FAMILIES, audit_attributes="exclude"))
