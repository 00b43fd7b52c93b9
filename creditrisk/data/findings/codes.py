"""Checks of the code columns: what is in no code book, and what codes contradict.

Code 1 or more is late. Months are May to September where a rule needs the month
before. Every check is recorded in :mod:`creditrisk.data.findings.register`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from creditrisk.data.findings.register import (
    bills,
    by_month,
    finding,
    implied_spend,
    in_some_month,
    payments,
    statuses,
)

if TYPE_CHECKING:
    import pandas as pd

# --- codes that no code book explains ---------------------------------------------------


@finding(
    "CR001",
    "EDUCATION 0, 5 or 6",
    kind="inferred",
    owner="data owner",
    treatment="grouped as other_unknown; the raw code stays beside it",
    applied_at="creditrisk/schema.py#EDUCATION_CODES",
    feeds=("EDUCATION",),
)
def education_undocumented(clients: pd.DataFrame) -> np.ndarray:
    """EDUCATION is 0, 5 or 6, which the source does not explain."""
    return clients["EDUCATION"].isin((0, 5, 6)).to_numpy()


@finding(
    "CR002",
    "EDUCATION 4, others",
    kind="documented",
    owner="model owner",
    treatment="grouped with the undocumented codes as other_unknown: too few for a group of its own",
    applied_at="creditrisk/schema.py#EDUCATION_CODES",
    feeds=("EDUCATION",),
)
def education_others(clients: pd.DataFrame) -> np.ndarray:
    """EDUCATION is 4, others."""
    return (clients["EDUCATION"] == 4).to_numpy()


@finding(
    "CR003",
    "MARRIAGE 0",
    kind="inferred",
    owner="data owner",
    treatment="read as unknown and kept apart from 3, others",
    applied_at="creditrisk/schema.py#MARRIAGE_CODES",
    feeds=("MARRIAGE",),
)
def marriage_undocumented(clients: pd.DataFrame) -> np.ndarray:
    """MARRIAGE is 0, which the source does not explain."""
    return (clients["MARRIAGE"] == 0).to_numpy()


@finding(
    "CR004",
    "Status −2 in some month",
    kind="inferred",
    owner="data owner",
    treatment="a state of its own, no consumption; never a number of months",
    applied_at="creditrisk/features/definitions.py#states",
    feeds=(*by_month("no_consumption"), "n_no_consumption"),
)
def status_minus_two(clients: pd.DataFrame) -> np.ndarray:
    """The status is −2, which the source does not explain, in some month."""
    return in_some_month(statuses(clients) == -2)


@finding(
    "CR005",
    "Status 0 in some month",
    kind="inferred",
    owner="data owner",
    treatment="a state of its own, revolving credit; never a number of months",
    applied_at="creditrisk/features/definitions.py#states",
    feeds=(*by_month("revolving"), "n_revolving"),
)
def status_zero(clients: pd.DataFrame) -> np.ndarray:
    """The status is 0, which the source does not explain, in some month."""
    return in_some_month(statuses(clients) == 0)


# --- September has another code book -----------------------------------------------------


@finding(
    "CR006",
    "Status 1 in September",
    kind="inferred",
    owner="data owner",
    treatment="a flag of its own (sep_code1); counts across months start at code 2",
    applied_at="creditrisk/features/definitions.py#september_states",
    feeds=("sep_code1", "n_late_any", "months_past_due_1"),
)
def september_one(clients: pd.DataFrame) -> np.ndarray:
    """PAY_0 is 1, a code that the other five months hardly know."""
    return statuses(clients)[:, 0] == 1


@finding(
    "CR007",
    "Status 1 before September",
    kind="contradiction",
    owner="data owner",
    treatment="kept as one month past due; no count of late months includes it but n_late_any",
    applied_at="creditrisk/features/definitions.py#status_counts",
    feeds=("n_late_any", *by_month("months_past_due")[1:]),
)
def earlier_one(clients: pd.DataFrame) -> np.ndarray:
    """The status is 1 in some month from April to August, where it is nearly unknown."""
    return in_some_month(statuses(clients)[:, 1:] == 1)


@finding(
    "CR008",
    "Two months late after one",
    kind="contradiction",
    owner="data owner",
    treatment="kept; code 2 is taken for the first late code, so late means 2 or more",
    applied_at="creditrisk/features/record.py#ClientRecord.late",
    feeds=("n_late_2plus", "months_since_delay", "delay_run"),
)
def late_two_at_once(clients: pd.DataFrame) -> np.ndarray:
    """The status goes from 0 or less to 2 in one month: nobody is two months late after one."""
    status = statuses(clients)
    return in_some_month((status[:, 1:] <= 0) & (status[:, :5] == 2))


@finding(
    "CR009",
    "Other jump of two months or more",
    kind="contradiction",
    owner="service",
    treatment="a guard: codes are held to their range, not to each other; look at the client's source",
    applied_at="creditrisk/serving/messages.py#Status",
)
def other_jump(clients: pd.DataFrame) -> np.ndarray:
    """Months past due rise by two or more in one month, the step from not late to 2 aside."""
    late = np.maximum(statuses(clients), 0)
    first = (late[:, 1:] == 0) & (late[:, :5] == 2)
    return in_some_month((late[:, :5] - late[:, 1:] >= 2) & ~first)


# --- status against bills and payments -----------------------------------------------------


@finding(
    "CR010",
    "Late, but nothing was billed",
    kind="contradiction",
    owner="data owner",
    treatment="kept; pay_ratio is 1 where nothing was owed, so only the status says late",
    applied_at="creditrisk/features/record.py#ClientRecord.pay_ratio",
    feeds=("sep_code1", "n_late_2plus", *by_month("pay_ratio", 5)),
)
def late_without_bill(clients: pd.DataFrame) -> np.ndarray:
    """The status is 1 or more in some month though the bill of the month before was 0 or less."""
    return in_some_month((statuses(clients)[:, :5] >= 1) & (bills(clients)[:, 1:] <= 0))


@finding(
    "CR011",
    "No consumption, but bill and spend",
    kind="contradiction",
    owner="data owner",
    treatment="kept: −2 stays a state, spend is read from the amounts",
    applied_at="creditrisk/features/record.py#ClientRecord.spend",
    feeds=(*by_month("no_consumption")[:5], *by_month("spend_over_limit", 5)),
)
def spend_without_consumption(clients: pd.DataFrame) -> np.ndarray:
    """The status is −2 in some month though its bill and its implied spend are above 0."""
    unused = statuses(clients)[:, :5] == -2
    return in_some_month(unused & (bills(clients)[:, :5] > 0) & (implied_spend(clients) > 0))


@finding(
    "CR012",
    "Paid in full, but payment below bill",
    kind="contradiction",
    owner="data owner",
    treatment="both readings kept: paid_off from the status, n_paid_in_full from the amounts",
    applied_at="creditrisk/features/definitions.py#payment_counts",
    feeds=(*by_month("paid_off")[:5], "n_paid_off", "n_paid_in_full"),
)
def paid_off_without_payment(clients: pd.DataFrame) -> np.ndarray:
    """The status is −1 in some month though the payment is below the bill of the month before."""
    settled, paid = bills(clients)[:, 1:], payments(clients)[:, :5]
    return in_some_month((statuses(clients)[:, :5] == -1) & (paid < settled))


@finding(
    "CR013",
    "Late, but payment covers the bill",
    kind="contradiction",
    owner="data owner",
    treatment="kept: delay is read from the status, payment from the amounts",
    applied_at="creditrisk/features/definitions.py#delay_summary",
    feeds=("n_late_2plus", "delay_run", "n_paid_in_full"),
)
def late_despite_payment(clients: pd.DataFrame) -> np.ndarray:
    """The status is 2 or more in some month though the payment covers the bill before, above 0."""
    settled, paid = bills(clients)[:, 1:], payments(clients)[:, :5]
    return in_some_month((statuses(clients)[:, :5] >= 2) & (settled > 0) & (paid >= settled))
