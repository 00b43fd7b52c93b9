"""Payments, bills and spend: alignment and identity by hand, and on simulated accounts."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from creditrisk import schema
from creditrisk.data import accounts
from tests.generated import clients

EDGES = [1000.0, 10_000.0]


def account(
    bills: list[list[float]], paid: list[list[float]], status: list[list[int]] | None = None
) -> pd.DataFrame:
    """Return clients from amounts that run newest month first."""
    n = len(bills)
    table = pd.DataFrame({schema.KEY: range(1, n + 1), schema.TARGET: [0] * n})
    columns = {schema.BILL_COLUMNS: bills, schema.PAID_COLUMNS: paid}
    columns[schema.STATUS_COLUMNS] = status or [[0] * 6] * n
    for names, values in columns.items():
        table[list(names)] = np.array(values)
    return table


# --- alignment --------------------------------------------------------------------------


def test_a_payment_is_held_against_the_bill_before_and_against_its_own() -> None:
    # Client 1 pays August's 300 in September (own bill 600). Client 2 pays exactly his own
    # September bill, 50. Client 3 has two equal bills and pays one: both readings fit, so
    # he must not count where the bills differ. Client 4 owes nothing and pays nothing.
    table = account(
        bills=[
            [600, 300, 0, 0, 0, 0],
            [50, 80, 0, 0, 0, 0],
            [70, 70, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0],
        ],
        paid=[[300, 0, 0, 0, 0, 0], [50, 0, 0, 0, 0, 0], [70, 0, 0, 0, 0, 0], [0] * 6],
        status=[[-1, 0, 0, 0, 0, 0], [0] * 6, [-1, 0, 0, 0, 0, 0], [-1] * 6],
    )
    rows = {(r["scope"], r["month"]): r for r in accounts.describe_alignment(table, level=0.95)}
    assert len(rows) == 10
    september = rows["all", "September"]
    assert september["paid"] == "PAY_AMT1"
    assert (september["previous"]["bill"], september["same"]["bill"]) == ("BILL_AMT2", "BILL_AMT1")
    assert (september["previous"]["n"], september["previous"]["matches"]) == (3, 2)
    assert (september["same"]["n"], september["same"]["matches"]) == (3, 2)
    assert september["unequal"] == {"n": 2, "previous": 1, "same": 1}
    full = rows["paid_in_full", "September"]
    assert (full["previous"]["share"], full["same"]["share"]) == (1.0, 0.5)
    assert rows["paid_in_full", "May"]["previous"]["share"] is None  # nobody has a bill


def test_intervals_of_matches_are_wilsons() -> None:
    for row in accounts.describe_alignment(clients(800, seed=2), level=0.9):
        for side in ("previous", "same"):
            match = row[side]
            oracle = stats.binomtest(match["matches"], match["n"]).proportion_ci(0.9, "wilson")
            assert match["low"] == pytest.approx(oracle.low, abs=1e-12)
            assert match["high"] == pytest.approx(oracle.high, abs=1e-12)


def test_simulated_accounts_settle_the_bill_before() -> None:
    # The generator pays BILL_{i+1} with PAY_AMT_i; the alignment must find it.
    rows = accounts.describe_alignment(clients(2000, seed=4), level=0.95)
    for row in rows:
        assert row["unequal"]["previous"] > 20 * row["unequal"]["same"]
        assert row["previous"]["low"] > row["same"]["high"]


# --- identity ---------------------------------------------------------------------------


def test_implied_spend_by_hand() -> None:
    # September: 600 − 300 + 250 = 550 spent. August: 300 − 1,000 + 400 = −300, a refund.
    bill = np.array([[600.0, 300.0, 1000.0, 0.0, 0.0, 0.0]])
    paid = np.array([[250.0, 400.0, 0.0, 0.0, 0.0]])
    assert accounts.implied_spend(bill, paid).tolist() == [[550.0, -300.0, 1000.0, 0.0, 0.0]]


def test_readings_shift_the_payment_by_a_month() -> None:
    table = account(
        bills=[[100, 0, 0, 0, 0, 0], [0] * 6], paid=[[10, 20, 30, 0, 0, 0], [7, 0, 0, 0, 0, 0]]
    )
    spends = accounts.read_payments(table)
    assert {name: spend.shape for name, spend in spends.items()} == {
        "taken": (2, 5),
        "older": (2, 5),
        "newer": (2, 4),
        "unpaid": (2, 5),
        "stranger": (2, 5),
    }
    assert spends["taken"][0].tolist() == [110, 20, 30, 0, 0]
    assert spends["older"][0].tolist() == [120, 30, 0, 0, 0]
    assert spends["newer"][0].tolist() == [10, 20, 30, 0]  # August takes September's payment
    assert spends["unpaid"][0].tolist() == [100, 0, 0, 0, 0]
    assert spends["stranger"][0, 0] == 107  # the next client's payment
    assert spends["stranger"][1, 0] == 10  # the last takes the first's


def test_breaks_are_counted_at_both_limits() -> None:
    # Spends −1,500, −1,000 and −1 are negative; only the first lies below −1,000.
    table = account(
        bills=[[500, 2000, 3000, 3001, 3001, 3001]], paid=[[0, 0, 0, 0, 0, 0]]
    )  # spends −1500, −1000, −1, 0, 0
    found = accounts.describe_identity(table, edges=EDGES, level=0.95)
    taken = found["readings"][0]
    assert (taken["n"], taken["negative"], taken["clearly_negative"]) == (5, 3, 1)
    assert taken["zero"] == 2
    assert [m["negative"] for m in found["months"]] == [1, 1, 1, 0, 0]
    assert [m["month"] for m in found["months"]][:2] == ["September", "August"]


def test_bins_are_mirror_images_and_hold_their_inner_edge() -> None:
    labels = accounts.signed_labels(EDGES)
    assert labels == ["−(10k up)", "−(1k–10k)", "−(under 1k)", "0", "under 1k", "1k–10k", "10k up"]
    values = np.array([-10_000, -9_999, -1000, -999, -1, 0, 1, 999, 1000, 9_999, 10_000])
    counted = accounts.count_signed(values, EDGES)
    assert counted == [1, 2, 2, 1, 2, 2, 1]
    assert counted == accounts.count_signed(-values, EDGES)[::-1]


@pytest.mark.parametrize("seed", range(3))
def test_the_true_reading_of_simulated_accounts_is_never_negative(seed: int) -> None:
    # Without twins and duplicates copied over, spend is what the generator charged: ≥ 0
    # up to rounding; any other reading breaks the identity for many.
    found = accounts.describe_identity(clients(1500, seed=seed), edges=EDGES, level=0.95)
    share = {r["reading"]: r["negative"] / r["n"] for r in found["readings"]}
    assert share["taken"] < 0.01
    assert min(share[name] for name in share if name != "taken") > 0.05
    for row in found["readings"]:
        counts = found["histograms"][row["reading"]]
        assert sum(counts) == row["n"]
        assert sum(counts[: len(EDGES) + 1]) == row["negative"]


def test_quantiles_by_status_are_numpys_and_an_unseen_status_has_none() -> None:
    table = clients(800, seed=3)
    states = accounts.describe_identity(table, edges=EDGES, level=0.95)["states"]
    by_state = {row["state"]: row for row in states}
    spend = accounts.read_payments(table)["taken"]
    status = table[list(schema.STATUS_COLUMNS[:5])].to_numpy()
    here = spend[status >= 3]
    assert by_state[3]["n"] == here.size
    assert by_state[3]["p75"] == np.quantile(here, 0.75)
    absent = accounts.spend_by_state(np.array([[1.0]]), np.array([[0]]))
    assert (absent[0]["n"], absent[0]["median"]) == (0, None)


def test_inactive_clients_stand_beside_the_others_of_their_code() -> None:
    # Clients 1 to 3 have no bill or payment; 1 and 4 have code 1, 2 and 3 code −2.
    table = account(
        bills=[[0] * 6, [0] * 6, [0] * 6, [9, 0, 0, 0, 0, 0]],
        paid=[[0] * 6] * 4,
        status=[[1] + [-2] * 5, [-2] * 6, [-2] * 6, [1] * 6],
    ).assign(**{schema.TARGET: [1, 0, 1, 0]})
    found = accounts.describe_inactive(table, level=0.95)
    assert (found["all"]["n"], found["all"]["defaults"]) == (3, 2)
    assert [c["code"] for c in found["codes"]] == [-2, 1]
    without, one = found["codes"]
    assert (without["inactive"]["rate"], without["others"]["n"]) == (0.5, 0)
    assert without["others"]["rate"] is None
    assert (one["inactive"]["rate"], one["others"]["rate"]) == (1.0, 0.0)


def test_nobody_inactive_is_no_error() -> None:
    table = account(bills=[[5] * 6], paid=[[0] * 6])
    found = accounts.describe_inactive(table, level=0.95)
    assert (found["all"]["n"], found["all"]["rate"], found["codes"]) == (0, None, [])


def test_the_order_of_clients_does_not_matter_and_all_is_plain() -> None:
    table = clients(600, seed=8)
    shuffled = table.sample(frac=1, random_state=1)
    for describe in (
        lambda t: accounts.describe_identity(t, edges=EDGES, level=0.95),
        lambda t: accounts.describe_alignment(t, level=0.95),
    ):
        found = describe(table)
        assert describe(shuffled) == found
        assert json.loads(json.dumps(found, allow_nan=False)) == found
