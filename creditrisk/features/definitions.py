"""Every feature, by family. Months have suffix 1 (September) to 6 (April).

Sources of the ideas are measured facts about this table: PAY_AMT_i settles
BILL_AMT_{i+1}; status codes −2, −1 and 0 are states, not numbers; PAY_0's code 1
belongs to another code book than that of the other months.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from creditrisk import schema
from creditrisk.features.blocks import BLOCKS, register
from creditrisk.features.record import ClientRecord
from creditrisk.features.rows import columns, mean, slope, standard_deviation, weighted

LIMIT = (schema.LIMIT,)
STATUS, BILL, PAID = schema.STATUS_COLUMNS, schema.BILL_COLUMNS, schema.PAID_COLUMNS
MONTHS = schema.MONTH_NAMES
RECENCY = np.array([6.0, 5.0, 4.0, 3.0, 2.0, 1.0]) / 21.0
"""Weights that fall linearly from September to April and sum to 1."""


def singly(*columns_by_month: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the sources of features made month by month: one tuple a month."""
    return list(zip(*columns_by_month, strict=True))


def per_month(text: str, months: int = 6) -> list[str]:
    """Return one meaning a month, ``{}`` replaced by the month's name."""
    return [text.format(MONTHS[i]) for i in range(months)]


def numbered(stem: str, months: int = 6) -> list[str]:
    """Return ``stem_1 … stem_6``."""
    return [f"{stem}_{i + 1}" for i in range(months)]


# --- the raw columns ----------------------------------------------------------


@register("amounts", "NT$", LIMIT, LIMIT, ["credit limit, own and family cards"])
def limit(r: ClientRecord) -> np.ndarray:
    return r.limit


@register("amounts", "NT$", singly(BILL), BILL, per_month("bill statement of {}"))
def bills(r: ClientRecord) -> np.ndarray:
    return r.bill


@register("amounts", "NT$", singly(PAID), PAID, per_month("amount paid in {}"))
def payments(r: ClientRecord) -> np.ndarray:
    return r.paid


@register(
    "status_codes",
    "code",
    singly(STATUS),
    STATUS,
    per_month("payment-status code of {}, for trees only"),
)
def status_codes(r: ClientRecord) -> np.ndarray:
    return r.status


# --- status as states, for linear models ---------------------------------------


@register(
    "status_states",
    "months",
    singly(STATUS),
    numbered("months_past_due"),
    per_month("months past due in {}"),
)
def months_past_due(r: ClientRecord) -> np.ndarray:
    return r.months_past_due


@register(
    "status_states",
    "flag",
    singly(STATUS * 3),
    [f"{state}_{i + 1}" for state in ("no_consumption", "paid_off", "revolving") for i in range(6)],
    [
        text.format(month)
        for text in (
            "no consumption (−2) in {}",
            "paid in full (−1) in {}",
            "revolving credit (0) in {}",
        )
        for month in MONTHS
    ],
)
def states(r: ClientRecord) -> np.ndarray:
    return np.concatenate([r.status == -2, r.status == -1, r.status == 0], axis=1).astype(float)


@register(
    "status_states",
    "flag",
    STATUS[:1],
    ["sep_code1", "sep_late_2", "sep_late_3plus"],
    [
        "September code 1, which belongs to a code book of its own",
        "exactly two months past due in September",
        "three or more months past due in September",
    ],
)
def september_states(r: ClientRecord) -> np.ndarray:
    september = r.status[:, :1]
    return np.concatenate([september == 1, september == 2, september >= 3], axis=1).astype(float)


# --- delay ----------------------------------------------------------------------


@register(
    "delay",
    "count",
    STATUS,
    ["n_late_2plus", "n_late_any", "n_no_consumption", "n_paid_off", "n_revolving"],
    [
        "months with status of 2 or more",
        "months with status of 1 or more (September's code 1 included)",
        "months with code −2",
        "months with code −1",
        "months with code 0",
    ],
)
def status_counts(r: ClientRecord) -> np.ndarray:
    s = r.status
    return columns(
        r.late.sum(1), (s >= 1).sum(1), (s == -2).sum(1), (s == -1).sum(1), (s == 0).sum(1)
    )


@register(
    "delay",
    "months",
    STATUS,
    [
        "max_months_past_due",
        "mean_months_past_due",
        "weighted_delay",
        "months_since_delay",
        "delay_run",
    ],
    [
        "longest delay of the six months",
        "mean months past due",
        "months past due weighted by recency (6:5:4:3:2:1)",
        "months since a status of 2 or more; 6 when there was none",
        "months in a row with status of 2 or more, up to now",
    ],
)
def delay_summary(r: ClientRecord) -> np.ndarray:
    mpd, late = r.months_past_due, r.late
    since = np.where(late.any(1), late.argmax(1), schema.N_MONTHS)
    run = np.cumprod(late, axis=1).sum(1)
    return columns(mpd.max(1), mean(mpd), weighted(mpd, RECENCY), since, run)


@register(
    "delay",
    "months",
    STATUS,
    ["delay_change"],
    ["mean delay of the last three months less that of the first three"],
)
def delay_change(r: ClientRecord) -> np.ndarray:
    return mean(r.months_past_due[:, :3]) - mean(r.months_past_due[:, 3:])


# --- utilization ------------------------------------------------------------------


@register(
    "utilization",
    "ratio",
    singly(LIMIT * 6, BILL),
    ["credit_utilization", *numbered("utilization")[1:]],
    ["BILL_AMT1 / LIMIT_BAL", *(f"bill of {m} over the limit" for m in MONTHS[1:])],
)
def utilization(r: ClientRecord) -> np.ndarray:
    return r.utilization


@register(
    "utilization",
    "ratio",
    (*LIMIT, *BILL),
    [
        "utilization_mean",
        "utilization_max",
        "utilization_min",
        "utilization_sd",
        "utilization_slope",
    ],
    [
        "bill over the limit, mean of six months",
        "bill over the limit, highest of six months",
        "bill over the limit, lowest of six months",
        "bill over the limit, standard deviation over six months",
        "bill over the limit, change a month by least squares",
    ],
)
def utilization_summary(r: ClientRecord) -> np.ndarray:
    u = r.utilization
    return columns(mean(u), u.max(1), u.min(1), standard_deviation(u), slope(u))


@register(
    "utilization",
    "ratio",
    [(*LIMIT, BILL[0]), (*LIMIT, *BILL)],
    ["credit_utilization_clipped", "headroom_share"],
    [
        "September bill without credit balance over the limit, 0 to 1",
        "share of the limit still free on average",
    ],
)
def utilization_bounded(r: ClientRecord) -> np.ndarray:
    share = np.minimum(r.owed / r.limit[:, None], 1.0)
    return columns(share[:, 0], 1.0 - mean(share))


# --- payment ------------------------------------------------------------------------


@register("payment", "NT$", PAID, ["avg_payment"], ["mean of PAY_AMT1 … PAY_AMT6"])
def avg_payment(r: ClientRecord) -> np.ndarray:
    return r.paid_mean


@register(
    "payment",
    "ratio",
    singly(BILL[1:], PAID[:5]),
    numbered("pay_ratio", 5),
    per_month("payment of {} over the bill that it settles, 0 to 1; 1 when nothing was owed", 5),
)
def pay_ratio(r: ClientRecord) -> np.ndarray:
    return r.pay_ratio


@register(
    "payment",
    "ratio",
    (*BILL[1:], *PAID[:5]),
    ["pay_ratio_mean", "pay_ratio_min", "pay_ratio_total"],
    [
        "share of the bill paid, mean of five months",
        "share of the bill paid, lowest of five months",
        "all payments over all bills that they settle, 0 to 2",
    ],
)
def pay_ratio_summary(r: ClientRecord) -> np.ndarray:
    owed = r.owed[:, 1:].sum(1)
    total = np.divide(r.paid[:, :5].sum(1), owed, out=np.ones_like(owed), where=owed > 0)
    return columns(mean(r.pay_ratio), r.pay_ratio.min(1), np.minimum(total, 2.0))


@register(
    "payment",
    "count",
    [(*BILL[1:], *PAID[:5]), PAID, PAID],
    ["n_paid_in_full", "n_no_payment", "n_round_payments"],
    [
        "months whose bill was above 0 and paid in full",
        "months without any payment",
        "payments above 0 that are whole thousands",
    ],
)
def payment_counts(r: ClientRecord) -> np.ndarray:
    full = ((r.paid[:, :5] >= r.owed[:, 1:]) & (r.owed[:, 1:] > 0)).sum(1)
    none = (r.paid <= 0).sum(1)
    whole = ((r.paid > 0) & (np.mod(r.paid, 1000.0) == 0)).sum(1)
    return columns(full, none, whole)


@register(
    "payment",
    "ratio",
    (*LIMIT, *PAID),
    ["payment_over_limit", "payment_max_over_limit", "payment_slope_over_limit"],
    [
        "mean payment over the limit",
        "largest payment over the limit",
        "change of payments a month over the limit",
    ],
)
def payment_over_limit(r: ClientRecord) -> np.ndarray:
    return columns(r.paid_mean, r.paid.max(1), slope(r.paid)) / r.limit[:, None]


# --- spend -----------------------------------------------------------------------------


@register(
    "spend",
    "ratio",
    singly(LIMIT * 5, BILL[:5], BILL[1:], PAID[:5]),
    numbered("spend_over_limit", 5),
    per_month("implied spend of {} over the limit", 5),
)
def spend_over_limit(r: ClientRecord) -> np.ndarray:
    return r.spend_over_limit


@register(
    "spend",
    "ratio",
    (*LIMIT, *BILL, *PAID[:5]),
    ["spend_mean_over_limit", "spend_sd_over_limit"],
    ["mean implied spend over the limit", "its standard deviation over five months"],
)
def spend_summary(r: ClientRecord) -> np.ndarray:
    return columns(mean(r.spend_over_limit), standard_deviation(r.spend_over_limit))


# --- repayment: payments against spend ---------------------------------------------------


@register(
    "repayment",
    "ratio",
    [(*BILL, *PAID[:5]), (*BILL[:2], *PAID[:1])],
    ["spend_repaid_share", "spend_repaid_share_1"],
    [
        "all payments over all implied spend of five months, 0 to 3; 1 when nothing was spent",
        "payment over implied spend of September, 0 to 3; 1 when nothing was spent",
    ],
)
def spend_repaid_share(r: ClientRecord) -> np.ndarray:
    spent, paid = np.maximum(r.spend, 0.0), r.paid[:, :5]
    spent, paid = columns(spent.sum(1), spent[:, 0]), columns(paid.sum(1), paid[:, 0])
    ratio = np.divide(paid, spent, out=np.ones_like(spent), where=spent > 0)
    return np.clip(ratio, 0.0, 3.0)


# --- logarithms, for linear models ----------------------------------------------------------


@register("log_amounts", "log NT$", LIMIT, ["log_limit"], ["natural logarithm of the limit"])
def log_limit(r: ClientRecord) -> np.ndarray:
    return np.log(r.limit)


@register(
    "log_amounts",
    "log NT$",
    [BILL, PAID, PAID[:1], PAID[1:2]],
    ["log_owed_mean", "log_paid_mean", "log_paid_1", "log_paid_2"],
    [
        "log(1 + mean bill without credit balances)",
        "log(1 + mean payment)",
        "log(1 + September payment)",
        "log(1 + August payment)",
    ],
)
def log_amounts(r: ClientRecord) -> np.ndarray:
    return np.log1p(columns(mean(r.owed), r.paid_mean, r.paid[:, 0], r.paid[:, 1]))


# --- audit attributes --------------------------------------------------------------------------


@register("audit", "code", ("SEX",), ["SEX"], ["1 male, 2 female"])
def sex(r: ClientRecord) -> np.ndarray:
    return r.sex


@register(
    "audit",
    "code",
    ("EDUCATION",),
    ["EDUCATION"],
    ["1 graduate school … 3 high school, others unknown"],
)
def education(r: ClientRecord) -> np.ndarray:
    return r.education


@register(
    "audit", "code", ("MARRIAGE",), ["MARRIAGE"], ["1 married, 2 single, 3 others, 0 unknown"]
)
def marriage(r: ClientRecord) -> np.ndarray:
    return r.marriage


@register("audit", "years", ("AGE",), ["AGE"], ["age in years"])
def age(r: ClientRecord) -> np.ndarray:
    return r.age


@register("audit", "NT$ a year", (*LIMIT, "AGE"), ["limit_over_age"], ["credit limit over age"])
def limit_over_age(r: ClientRecord) -> np.ndarray:
    return r.limit / r.age


ALL_BLOCKS = tuple(BLOCKS)
"""Every block, in the order of this file."""
