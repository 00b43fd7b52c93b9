"""Features: hand-worked clients, why each number is right, and properties over all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from creditrisk import schema
from creditrisk.features import blocks, registry
from creditrisk.features.record import ClientRecord, from_frame, from_mappings
from tests import generated

ALL = [feature.name for feature in registry.all_features()]


def client(**changed: Any) -> dict[str, float]:
    """Return a client who never did anything, except what is changed (lists: newest first)."""
    values = dict.fromkeys(schema.FEATURE_COLUMNS, 0)
    values |= {"LIMIT_BAL": 100_000, "SEX": 2, "EDUCATION": 2, "MARRIAGE": 1, "AGE": 40}
    groups = {
        "status": schema.STATUS_COLUMNS,
        "bill": schema.BILL_COLUMNS,
        "paid": schema.PAID_COLUMNS,
    }
    for name, value in changed.items():
        if name in groups:
            values |= dict(zip(groups[name], value, strict=True))
        else:
            values[name] = value
    return values


def feature(name: str, **changed: Any) -> float:
    return float(registry.compute(from_mappings([client(**changed)]), [name])[0, 0])


def test_months_run_newest_first() -> None:
    # PAY_0 is September, PAY_6 April: the newest month has index 0 in every array.
    record = from_mappings(
        [client(status=[1, 2, 3, 4, 5, 6], bill=range(10, 16), paid=range(20, 26))]
    )
    assert record.status[0].tolist() == [1, 2, 3, 4, 5, 6]
    assert record.bill[0, 0] == 10
    assert record.paid[0, -1] == 25


@pytest.mark.parametrize("bill", [50_000, 0, -2_000, 150_000])
def test_credit_utilization_is_exactly_bill_over_limit(bill: int) -> None:
    # As asked: BILL_AMT1 / LIMIT_BAL, not clipped, credit balances stay negative.
    changed = {"LIMIT_BAL": 80_000, "bill": [bill, 9, 9, 9, 9, 9]}
    assert feature("credit_utilization", **changed) == bill / 80_000
    clipped = min(max(bill, 0) / 80_000, 1)
    assert feature("credit_utilization_clipped", **changed) == clipped


def test_avg_payment_is_the_mean_of_six() -> None:
    # 1000 + 2000 + 0 + 0 + 600 + 0 = 3600, over six months and not over the three paid.
    assert feature("avg_payment", paid=[1000, 2000, 0, 0, 600, 0]) == 600


def test_delay_counts() -> None:
    # September's 1 is of another code book, so only the 2 and the 3 count as late.
    status = [1, 2, -1, 3, 0, -2]
    expected = {
        "n_late_2plus": 2,
        "n_late_any": 3,
        "n_no_consumption": 1,
        "n_paid_off": 1,
        "n_revolving": 1,
        "max_months_past_due": 3,
        "mean_months_past_due": (1 + 2 + 3) / 6,
        "weighted_delay": (6 * 1 + 5 * 2 + 3 * 3) / 21,
        "months_since_delay": 1,  # August is one month before September
        "delay_run": 0,  # September itself is not late
        "delay_change": (1 + 2 + 0) / 3 - (3 + 0 + 0) / 3,
        "sep_code1": 1,
        "sep_late_2": 0,
        "months_past_due_4": 3,
        "no_consumption_6": 1,
        "paid_off_3": 1,
        "revolving_5": 1,
    }
    for name, value in expected.items():
        assert feature(name, status=status) == pytest.approx(value), name


def test_delay_run_counts_back_from_september_only() -> None:
    assert feature("delay_run", status=[2, 3, 0, 2, 2, 2]) == 2
    assert feature("delay_run", status=[2] * 6) == 6
    assert feature("months_since_delay", status=[0, 0, 0, 0, 0, 2]) == 5
    assert feature("months_since_delay", status=[1, 1, 0, 0, 0, 0]) == 6  # never: one past April


def test_september_states_exclude_each_other() -> None:
    for code, name in ((1, "sep_code1"), (2, "sep_late_2"), (5, "sep_late_3plus")):
        flags = [
            feature(n, status=[code, 0, 0, 0, 0, 0])
            for n in ("sep_code1", "sep_late_2", "sep_late_3plus")
        ]
        assert sum(flags) == 1
        assert feature(name, status=[code, 0, 0, 0, 0, 0]) == 1


def test_utilization_summary() -> None:
    # Bills fall from 60 to 10 thousand going back, so utilization grows 0.1 a month.
    bill = [60_000, 50_000, 40_000, 30_000, 20_000, 10_000]
    assert feature("utilization_mean", bill=bill) == pytest.approx(0.35)
    assert feature("utilization_max", bill=bill) == pytest.approx(0.6)
    assert feature("utilization_min", bill=bill) == pytest.approx(0.1)
    assert feature("utilization_sd", bill=bill) == pytest.approx(
        np.std([0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    )
    assert feature("utilization_slope", bill=bill) == pytest.approx(0.1)
    assert feature("headroom_share", bill=bill) == pytest.approx(0.65)
    # A credit balance frees no more than the whole limit, an overdraft no less than nothing.
    assert feature("headroom_share", bill=[-5, 0, 0, 0, 0, 300_000]) == pytest.approx(5 / 6)


def test_slope_agrees_with_least_squares_and_is_zero_for_a_constant() -> None:
    bill = [12_300, 4_000, -700, 88_000, 5, 41_000]
    fitted = np.polyfit(range(6), [b / 100_000 for b in reversed(bill)], 1)[0]
    assert feature("utilization_slope", bill=bill) == pytest.approx(fitted, rel=1e-12)
    assert feature("utilization_slope", bill=[7_777] * 6) == 0.0


def test_pay_ratio_uses_the_bill_of_the_month_before() -> None:
    # September's payment of 500 settles August's bill of 1000, not September's of 9999.
    changed = {"bill": [9999, 1000, 400, 0, -50, 800], "paid": [500, 400, 30, 20, 200, 5]}
    ratios = [feature(f"pay_ratio_{i}", **changed) for i in range(1, 6)]
    # August paid all of July's 400; where nothing was owed the ratio is 1.
    assert ratios == [0.5, 1.0, 1.0, 1.0, 0.25]
    assert feature("pay_ratio_mean", **changed) == pytest.approx(3.75 / 5)
    assert feature("pay_ratio_min", **changed) == 0.25
    assert feature("pay_ratio_total", **changed) == pytest.approx(1150 / 2200)
    assert feature("n_paid_in_full", **changed) == 1  # July's 400; a bill of 0 is not paid in full


def test_payment_counts() -> None:
    paid = [1000, 0, 2500, 3000, 0, 12_000]
    assert feature("n_no_payment", paid=paid) == 2
    assert feature("n_round_payments", paid=paid) == 3  # 0 is no round payment
    assert feature("payment_over_limit", paid=paid) == pytest.approx(18_500 / 6 / 100_000)
    assert feature("payment_max_over_limit", paid=paid) == pytest.approx(0.12)


def test_spend_follows_the_account_identity() -> None:
    # Bill of 1000, 300 paid, next bill 1500: 800 was charged in between.
    changed = {"LIMIT_BAL": 10_000, "bill": [1500, 1000, 0, 0, 0, 0], "paid": [300, 0, 0, 0, 0, 0]}
    assert feature("spend_over_limit_1", **changed) == pytest.approx(0.08)
    assert feature("spend_over_limit_2", **changed) == pytest.approx(0.1)
    assert feature("spend_mean_over_limit", **changed) == pytest.approx(0.18 / 5)
    assert feature("spend_sd_over_limit", **changed) == pytest.approx(np.std([0.08, 0.1, 0, 0, 0]))


def test_spend_repaid() -> None:
    # 1500 - 1000 + 300 = 800 charged in September, 1000 in August: 300 of 1800 came back.
    changed = {"LIMIT_BAL": 10_000, "bill": [1500, 1000, 0, 0, 0, 0], "paid": [300, 0, 0, 0, 0, 0]}
    assert feature("spend_repaid_share", **changed) == pytest.approx(300 / 1800)
    assert feature("spend_repaid_share_1", **changed) == pytest.approx(300 / 800)
    # Nothing spent: nothing to repay. A payment far above the spend is held at 3.
    assert feature("spend_repaid_share", bill=[0] * 6, paid=[0] * 6) == 1
    calm = {"bill": [100, 9_100, 9_100, 9_100, 9_100, 9_100], "paid": [9_100, 0, 0, 0, 0, 0]}
    assert feature("spend_repaid_share_1", **calm) == 3


def test_logarithms_and_audit_attributes() -> None:
    assert feature("log_limit") == pytest.approx(np.log(100_000))
    assert feature("log_paid_2", paid=[0, 99, 0, 0, 0, 0]) == pytest.approx(np.log(100))
    assert feature("log_owed_mean", bill=[-600, 600, 0, 0, 0, 0]) == pytest.approx(np.log(101))
    assert feature("limit_over_age") == 2500
    assert [feature(name) for name in schema.AUDIT_COLUMNS] == [2, 2, 1, 40]


def test_inactive_clients_have_finite_features() -> None:
    # 795 clients have no bill and no payment; nothing may be divided by their zeros.
    values = registry.compute(from_mappings([client()]), ALL)
    assert np.isfinite(values).all()
    assert feature("pay_ratio_mean") == 1
    assert feature("n_paid_in_full") == 0
    assert feature("headroom_share") == 1


def test_twin_one_month_later_shifts_the_monthly_features() -> None:
    # The same client a month later: months 2..6 of the later row are 1..5 of the earlier.
    late = client(
        bill=[60, 50, 40, 30, 20, 10], paid=[6, 5, 4, 3, 2, 1], status=[0, -1, 2, 0, -2, 0]
    )
    early = client(
        bill=[50, 40, 30, 20, 10, 7], paid=[5, 4, 3, 2, 1, 8], status=[-1, 2, 0, -2, 0, 0]
    )
    record = from_mappings([early, late])
    for stem, first, last in (
        ("utilization", 2, 5),
        ("pay_ratio", 1, 4),
        ("spend_over_limit", 1, 4),
        ("revolving", 1, 5),
    ):
        for month in range(first, last + 1):
            earlier = registry.compute(record, [f"{stem}_{month}"])[0, 0]
            later = registry.compute(record, [f"{stem}_{month + 1}"])[1, 0]
            assert earlier == later, (stem, month)
    assert (
        registry.compute(record, ["credit_utilization"])[0, 0]
        == (registry.compute(record, ["utilization_2"])[1, 0])
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_one_row_equals_the_batch_bit_for_bit(seed: int) -> None:
    clients = generated.raw_clients(300, seed)
    batch = registry.compute(from_frame(clients), ALL)
    assert np.isfinite(batch).all()
    for row in range(0, len(clients), 7):
        alone = registry.compute(from_frame(clients.iloc[[row]]), ALL)[0]
        assert alone.tobytes() == batch[row].tobytes()


def test_every_way_into_the_record_gives_the_same_features() -> None:
    clients = generated.raw_clients(200)
    expected = registry.compute(from_frame(clients), ALL)
    as_floats = clients.astype(dict.fromkeys((schema.LIMIT, *schema.BILL_COLUMNS), float))
    records = {
        "mappings": from_mappings(clients.to_dict("records")),
        "floats": from_frame(as_floats),
        "shuffled columns": from_frame(clients[sorted(clients.columns)]),
        "take": from_frame(clients).take(np.arange(200)),
    }
    for way, record in records.items():
        assert np.array_equal(registry.compute(record, ALL), expected), way


def test_features_depend_on_no_other_client() -> None:
    clients = generated.raw_clients(200)
    expected = registry.compute(from_frame(clients), ALL)
    order = np.random.default_rng(0).permutation(200)
    assert np.array_equal(registry.compute(from_frame(clients.iloc[order]), ALL), expected[order])


def test_sources_are_exactly_what_a_feature_depends_on() -> None:
    # Nudge one raw column at a time: the features that move are those that list it.
    clients = generated.raw_clients(400).astype(float)
    before = registry.compute(from_frame(clients), ALL)
    moved: dict[str, set[str]] = {name: set() for name in ALL}
    for column in schema.FEATURE_COLUMNS:
        for step in (1, -1, 2, -2, 700, -700):
            nudged = clients.assign(**{column: clients[column] + step})
            if column == schema.LIMIT or column in schema.PAID_COLUMNS:
                nudged[column] = nudged[column].clip(lower=1)
            changes = (registry.compute(from_frame(nudged), ALL) != before).any(axis=0)
            for index in np.flatnonzero(changes):
                moved[ALL[index]].add(column)
    for entry in registry.all_features():
        assert moved[entry.name] == set(entry.sources), entry.name


def test_absent_audit_attributes_touch_nothing_else() -> None:
    clients = generated.raw_clients(50)
    names = registry.select(registry.families(), audit_attributes="exclude")
    without = clients.drop(columns=list(schema.AUDIT_COLUMNS))
    expected = registry.compute(from_frame(clients), names)
    assert np.array_equal(registry.compute(from_frame(without), names), expected)
    nameless = [{c: row[c] for c in without.columns} for row in clients.to_dict("records")]
    assert np.array_equal(registry.compute(from_mappings(nameless), names), expected)


def test_audit_exclusion_drops_every_feature_made_with_a_sensitive_attribute() -> None:
    kept = registry.select(registry.families(), audit_attributes="exclude")
    dropped = set(ALL) - set(kept)
    assert dropped == {*schema.AUDIT_COLUMNS, "limit_over_age"}
    assert registry.select(registry.families(), audit_attributes="include") == ALL


def test_select_keeps_the_registry_order_and_refuses_unknown_names() -> None:
    chosen = registry.select(["payment", "delay"], audit_attributes="exclude")
    assert chosen == [name for name in ALL if name in set(chosen)]
    with pytest.raises(ValueError, match="no feature family luck; there are: amounts"):
        registry.select(["luck"], audit_attributes="exclude")
    with pytest.raises(ValueError, match="must be exclude or include, got 'maybe'"):
        registry.select([], audit_attributes="maybe")


def test_compute_keeps_the_order_asked_for_and_names_the_unknown() -> None:
    record = from_mappings([client(bill=[5, 0, 0, 0, 0, 0])])
    names = ["avg_payment", "credit_utilization", "AGE", "LIMIT_BAL"]
    assert registry.compute(record, names)[0].tolist() == [0, 5 / 100_000, 40, 100_000]
    with pytest.raises(KeyError, match="no feature income is registered"):
        registry.compute(record, ["income"])


def test_a_missing_column_is_named() -> None:
    clients = generated.raw_clients(20).drop(columns=["BILL_AMT3", "PAY_0"])
    with pytest.raises(KeyError, match="PAY_0, BILL_AMT3"):
        from_frame(clients)


def test_computing_changes_no_input() -> None:
    clients = generated.raw_clients(30)
    copy = clients.copy()
    record = from_frame(clients)
    arrays = {name: getattr(record, name).copy() for name in ("limit", "status", "bill", "paid")}
    registry.compute(record, ALL)
    pd.testing.assert_frame_equal(clients, copy)
    for name, array in arrays.items():
        assert np.array_equal(getattr(record, name), array), name


def test_a_name_is_registered_once() -> None:
    assert len(set(ALL)) == len(ALL)

    def nothing(record: ClientRecord) -> np.ndarray:
        return record.limit

    with pytest.raises(ValueError, match="credit_utilization"):
        blocks.register("x", "ratio", ("LIMIT_BAL",), ["credit_utilization"], ["again"])(nothing)
