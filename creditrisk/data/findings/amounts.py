"""Checks of the amounts (alignment, account identity, bounds, use) and of related rows.

Only the checks of related rows look beyond a row: they read what cleaning wrote.
Every check is recorded in :mod:`creditrisk.data.findings.register`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creditrisk import schema
from creditrisk.data.findings.register import (
    bills,
    by_month,
    finding,
    implied_spend,
    in_some_month,
    payments,
    statuses,
)
from creditrisk.data.groups import number_profiles

if TYPE_CHECKING:
    import pandas as pd

SPEND_TOLERANCE = 1000.0
"""NT$; interest, fees and refunds blur implied spend by less."""

PAY_RATIO = (*by_month("pay_ratio", 5), "pay_ratio_mean", "pay_ratio_min", "pay_ratio_total")
SPEND = (*by_month("spend_over_limit", 5), "spend_mean_over_limit", "spend_repaid_share")
UTILIZATION = ("credit_utilization", *by_month("utilization")[1:])

# --- which bill a payment settles, and whether the account adds up ------------------------------


@finding(
    "CR014",
    "Payment equals the bill before",
    kind="identity",
    owner="model owner",
    treatment="the reading in use: PAY_AMT of a month settles the bill of the month before",
    applied_at="creditrisk/features/record.py#ClientRecord.pay_ratio",
    feeds=(*PAY_RATIO, "n_paid_in_full"),
)
def pays_bill_before(clients: pd.DataFrame) -> np.ndarray:
    """PAY_AMT equals the bill of the month before, above 0, in some month."""
    settled, paid = bills(clients)[:, 1:], payments(clients)[:, :5]
    return in_some_month((settled > 0) & (paid == settled))


@finding(
    "CR015",
    "Payment equals the same month's bill",
    kind="identity",
    owner="model owner",
    treatment="the rival reading, rejected: so few support it alone",
    applied_at="creditrisk/data/codes.py#status_evidence",
    feeds=PAY_RATIO,
)
def pays_own_bill(clients: pd.DataFrame) -> np.ndarray:
    """PAY_AMT equals its own month's bill, above 0, and not the bill before, in some month."""
    bill, paid = bills(clients), payments(clients)[:, :5]
    own, settled = bill[:, :5], bill[:, 1:]
    return in_some_month((own > 0) & (paid == own) & (paid != settled))


@finding(
    "CR016",
    "Implied spend below 0",
    kind="identity",
    owner="data owner",
    treatment="kept signed; read as refunds, and as 0 where spend is summed",
    applied_at="creditrisk/features/definitions.py#spend_repaid_share",
    feeds=SPEND,
)
def spend_negative(clients: pd.DataFrame) -> np.ndarray:
    """Bill − bill before + payment is below 0 in some month: the account does not add up."""
    return in_some_month(implied_spend(clients) < 0)


@finding(
    "CR017",
    "Implied spend below −NT$ 1,000",
    kind="identity",
    owner="data owner",
    treatment="kept signed; too much for interest or fees, a refund or a booking between statements",
    applied_at="creditrisk/features/definitions.py#spend_repaid_share",
    feeds=SPEND,
)
def spend_far_negative(clients: pd.DataFrame) -> np.ndarray:
    """Bill − bill before + payment is below −NT$ 1,000 in some month."""
    return in_some_month(implied_spend(clients) < -SPEND_TOLERANCE)


# --- bills and payments out of the ordinary -----------------------------------------------------


@finding(
    "CR018",
    "September bill over the limit",
    kind="contradiction",
    owner="data owner",
    treatment="kept and flagged; one bounded utilization stops at 1",
    applied_at="creditrisk/data/cleaning.py#flag_semantics",
    feeds=("credit_utilization", "credit_utilization_clipped"),
)
def over_limit_now(clients: pd.DataFrame) -> np.ndarray:
    """BILL_AMT1 is above LIMIT_BAL."""
    return bills(clients)[:, 0] > clients[schema.LIMIT].to_numpy(float)


@finding(
    "CR019",
    "Bill over the limit in some month",
    kind="contradiction",
    owner="data owner",
    treatment="kept: utilization may pass 1; headroom_share stops at 0",
    applied_at="creditrisk/features/definitions.py#utilization_bounded",
    feeds=(*UTILIZATION, "utilization_max", "headroom_share"),
)
def over_limit_ever(clients: pd.DataFrame) -> np.ndarray:
    """A bill of some month is above LIMIT_BAL."""
    return in_some_month(bills(clients) > clients[[schema.LIMIT]].to_numpy(float))


@finding(
    "CR020",
    "Credit balance in some month",
    kind="inferred",
    owner="data owner",
    treatment="kept and flagged; what is owed is max(bill, 0)",
    applied_at="creditrisk/features/record.py#ClientRecord.owed",
    feeds=(*UTILIZATION, "credit_utilization_clipped", "headroom_share", *PAY_RATIO),
)
def credit_balance(clients: pd.DataFrame) -> np.ndarray:
    """A bill of some month is below 0, read as money that the bank owes."""
    return in_some_month(bills(clients) < 0)


@finding(
    "CR021",
    "Payment with nothing to settle",
    kind="identity",
    owner="data owner",
    treatment="kept; pay_ratio is 1 where nothing was owed",
    applied_at="creditrisk/features/record.py#ClientRecord.pay_ratio",
    feeds=PAY_RATIO,
)
def payment_without_bill(clients: pd.DataFrame) -> np.ndarray:
    """PAY_AMT is above 0 in some month though the bill of the month before was 0 or less."""
    return in_some_month((payments(clients)[:, :5] > 0) & (bills(clients)[:, 1:] <= 0))


@finding(
    "CR022",
    "Frozen account",
    kind="inferred",
    owner="model owner",
    treatment="kept; no feature of its own",
    applied_at="creditrisk/features/definitions.py#delay_summary",
    feeds=("utilization_sd", "n_no_payment", "delay_run"),
)
def frozen(clients: pd.DataFrame) -> np.ndarray:
    """The bill is the same in all six months, above 0, and nothing was paid."""
    bill = bills(clients)
    still = (bill[:, 0] > 0) & (bill == bill[:, :1]).all(axis=1)
    return still & (payments(clients) == 0).all(axis=1)


@finding(
    "CR023",
    "Inactive",
    kind="inferred",
    owner="model owner",
    treatment="kept, flagged, and a segment of its own",
    applied_at="creditrisk/data/cleaning.py#flag_semantics",
    feeds=("spend_repaid_share", "pay_ratio_total", "n_no_payment"),
)
def inactive(clients: pd.DataFrame) -> np.ndarray:
    """All six bills and all six payments are 0."""
    return (bills(clients) == 0).all(axis=1) & (payments(clients) == 0).all(axis=1)


@finding(
    "CR024",
    "Inactive, yet late",
    kind="contradiction",
    owner="data owner",
    treatment="kept; the status is believed, what was owed cannot be seen here",
    applied_at="creditrisk/features/definitions.py#september_states",
    feeds=("sep_code1", "n_late_any"),
)
def inactive_late(clients: pd.DataFrame) -> np.ndarray:
    """All bills and payments are 0, and yet the status is 1 or more in some month."""
    return inactive(clients) & in_some_month(statuses(clients) >= 1)


# --- rows that depend on each other ---------------------------------------------------------------


@finding(
    "CR025",
    "Exact duplicate",
    kind="duplicate",
    owner="data owner",
    treatment="flagged and kept; one group, so never on both sides of a split",
    applied_at="creditrisk/data/groups.py#flag_duplicates",
    reads_target=True,
)
def duplicate(clients: pd.DataFrame) -> np.ndarray:
    """The row repeats an earlier one in all columns but ID, the target included."""
    return clients["is_duplicate"].to_numpy(bool)


@finding(
    "CR026",
    "Label conflict",
    kind="duplicate",
    owner="data owner",
    treatment="flagged and kept; one group; no model can be right on all of them",
    applied_at="creditrisk/data/groups.py#flag_conflicts",
    reads_target=True,
)
def label_conflict(clients: pd.DataFrame) -> np.ndarray:
    """Another row has the same 23 features and the other outcome."""
    return clients["has_label_conflict"].to_numpy(bool)


@finding(
    "CR027",
    "Hidden twin, strict",
    kind="duplicate",
    owner="data owner",
    treatment="flagged and kept; one group, so never on both sides of a split",
    applied_at="creditrisk/data/groups.py#find_twins",
)
def strict_twin(clients: pd.DataFrame) -> np.ndarray:
    """A month apart, another row has the same sex, limit, age ± 1 and ten amounts, not too few distinct."""
    return clients["is_twin"].to_numpy(bool)


@finding(
    "CR028",
    "Hidden twin, loose only",
    kind="duplicate",
    owner="data owner",
    treatment="grouped for splitting; not counted as the same client",
    applied_at="creditrisk/data/groups.py#assign_groups",
)
def loose_twin(clients: pd.DataFrame) -> np.ndarray:
    """As a strict twin, but with few distinct amounts or another limit, and no strict twin."""
    import pandas as pd

    profiles = pd.Series(number_profiles(clients))
    n_profiles = profiles.groupby(clients[schema.GROUP].to_numpy()).transform("nunique")
    return (n_profiles > 1).to_numpy() & ~clients["is_twin"].to_numpy(bool)
