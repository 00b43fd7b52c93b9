"""Duplicates, conflicts, hidden twins, groups, and the split that keeps groups whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from creditrisk import schema
from creditrisk.data import groups
from creditrisk.data.holdout import draw_holdout
from creditrisk.errors import UserError
from tests.generated import raw_clients

RULE = {"min_amounts": 4, "min_distinct": 3, "age_tolerance": 1}


def unlike(n: int) -> pd.DataFrame:
    """Return n rows whose amounts have nothing in common."""
    clients = raw_clients(n, n_duplicates=0, n_twins=0)
    amounts = [*schema.BILL_COLUMNS, *schema.PAID_COLUMNS]
    clients[amounts] = np.arange(n * 12).reshape(n, 12) + 1000
    return clients


def make_twin(clients: pd.DataFrame, earlier: int, later: int) -> pd.DataFrame:
    """Make one row what another looked like a month before."""
    changed = clients.copy()
    for columns in (schema.BILL_COLUMNS, schema.PAID_COLUMNS):
        values = clients.loc[later, list(columns[1:])].to_numpy()
        changed.loc[earlier, list(columns[:5])] = values
    same = [schema.LIMIT, *schema.AUDIT_COLUMNS]
    changed.loc[earlier, same] = clients.loc[later, same]
    return changed


def set_shared(clients: pd.DataFrame, later: int, values: list[int]) -> pd.DataFrame:
    """Set the ten amounts that a later row shares with its earlier self."""
    changed = clients.copy()
    changed.loc[later, [*schema.BILL_COLUMNS[1:], *schema.PAID_COLUMNS[1:]]] = values
    return changed


def pairs_of(clients: pd.DataFrame, **changes: int) -> list[tuple[int, int, bool]]:
    found = groups.find_twins(clients, **(RULE | changes))
    return list(found[["earlier", "later", "is_strict"]].itertuples(index=False, name=None))


def test_a_made_twin_is_found_with_its_direction() -> None:
    assert pairs_of(unlike(20)) == []
    assert pairs_of(make_twin(unlike(20), earlier=7, later=3)) == [(7, 3, True)]


@pytest.mark.parametrize(
    ("column", "change", "expected"),
    [
        ("AGE", 1, [(7, 3, True)]),  # a birthday between the months
        ("AGE", -1, [(7, 3, True)]),
        ("AGE", 2, []),
        (schema.LIMIT, 10_000, [(7, 3, False)]),  # grouped, but not the same client for sure
        ("EDUCATION", 1, [(7, 3, True)]),  # the rule does not use it
    ],
)
def test_the_rule_column_by_column(
    column: str, change: int, expected: list[tuple[int, int, bool]]
) -> None:
    clients = make_twin(unlike(20), earlier=7, later=3)
    clients.loc[7, column] += change
    assert pairs_of(clients) == expected


def test_sex_must_agree_and_a_missing_age_fits() -> None:
    clients = make_twin(unlike(20), earlier=7, later=3)
    assert pairs_of(clients.assign(SEX=clients["SEX"].where(clients.index != 7, 9))) == []
    age = clients["AGE"].astype(float).where(clients.index != 7)
    assert pairs_of(clients.assign(AGE=age)) == [(7, 3, True)]


def test_few_amounts_and_few_distinct_amounts() -> None:
    three = set_shared(unlike(20), 3, [500, 600, 700, *[0] * 7])
    assert pairs_of(make_twin(three, 7, 3)) == []
    assert pairs_of(make_twin(three, 7, 3), min_amounts=3) == [(7, 3, True)]
    repeated = set_shared(unlike(20), 3, [390, 390, 390, 390, 780, 0, 0, 0, 0, 0])
    assert pairs_of(make_twin(repeated, 7, 3)) == [(7, 3, False)]
    assert pairs_of(make_twin(repeated, 7, 3), min_distinct=2) == [(7, 3, True)]


def test_a_row_is_not_its_own_twin() -> None:
    clients = unlike(5)
    clients[[*schema.BILL_COLUMNS, *schema.PAID_COLUMNS]] = 390
    found = groups.find_twins(clients.assign(SEX=1, AGE=30), **RULE)
    assert len(found) == 5 * 4
    assert (found["earlier"] != found["later"]).all()


@pytest.mark.parametrize("seed", range(3))
def test_twins_of_the_generated_table_are_found_by_brute_force_too(seed: int) -> None:
    clients = raw_clients(300, seed=seed)
    early = clients[[*schema.BILL_COLUMNS[:5], *schema.PAID_COLUMNS[:5]]].to_numpy()
    late = clients[[*schema.BILL_COLUMNS[1:], *schema.PAID_COLUMNS[1:]]].to_numpy()
    expected = [
        (e, k)
        for e in range(len(clients))
        for k in range(len(clients))
        if e != k
        and (late[k] != 0).sum() >= 4
        and (early[e] == late[k]).all()
        and clients["SEX"][e] == clients["SEX"][k]
        and abs(clients["AGE"][e] - clients["AGE"][k]) <= 1
    ]
    assert len(expected) >= 6
    assert [pair[:2] for pair in pairs_of(clients)] == expected


def test_distinct_amounts_by_hand() -> None:
    amounts = np.array([[0, 0, 5, 5], [1, 2, 3, 4], [0, 0, 0, 0], [-1, 1, 1, 0.0]])
    assert groups.count_distinct(amounts).tolist() == [1, 4, 0, 2]


def test_duplicates_and_conflicts_by_hand() -> None:
    clients = unlike(6)
    clients.loc[[4, 5], schema.FEATURE_COLUMNS] = clients.loc[
        [1, 2], schema.FEATURE_COLUMNS
    ].to_numpy()
    profiles = groups.number_profiles(clients)
    target = np.array([0, 0, 1, 0, 0, 0])
    assert groups.flag_duplicates(profiles, target).tolist() == [*[False] * 4, True, False]
    conflicts = [False, False, True, False, False, True]
    assert groups.flag_conflicts(profiles, target).tolist() == conflicts


def test_groups_are_chained_and_named_after_their_first_row() -> None:
    profiles = np.array([0, 1, 2, 3, 1, 5])  # rows 1 and 4 are equal
    pairs = pd.DataFrame({"earlier": [4, 5], "later": [3, 0]})  # 4–3 and 5–0 are twins
    assert groups.assign_groups(profiles, pairs).tolist() == [0, 1, 2, 1, 1, 0]


# --- the hold-out -----------------------------------------------------------------


def grouped(seed: int, n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    group_id = np.where(rng.random(n) < 0.1, rng.integers(0, n, n), np.arange(n))
    return group_id, (rng.random(n) < 0.22).astype(int)


@pytest.mark.parametrize("seed", range(10))
def test_no_group_is_on_both_sides_and_the_rate_is_kept(seed: int) -> None:
    group_id, target = grouped(seed)
    held_out = draw_holdout(group_id, target, share=0.2, random_state=seed)
    assert not set(group_id[held_out]) & set(group_id[~held_out])
    n_groups = len(np.unique(group_id))
    assert len(np.unique(group_id[held_out])) == pytest.approx(0.2 * n_groups, abs=2)
    assert held_out.mean() == pytest.approx(0.2, abs=0.015)
    assert target[held_out].mean() == pytest.approx(target.mean(), abs=0.015)


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_rows() -> None:
    group_id, target = grouped(0)
    first = draw_holdout(group_id, target, share=0.2, random_state=42)
    order = np.random.default_rng(1).permutation(len(target))
    shuffled = draw_holdout(group_id[order], target[order], share=0.2, random_state=42)
    np.testing.assert_array_equal(shuffled, first[order])
    other = draw_holdout(group_id, target, share=0.2, random_state=43)
    assert (other != first).any()


def test_a_few_large_groups_do_not_stop_the_draw() -> None:
    group_id = np.array([0, 0, 1, 1, *range(2, 42)])
    target = np.array([0, 1, 0, 0, *([0, 1] * 20)])
    held_out = draw_holdout(group_id, target, share=0.2, random_state=0)
    assert 6 <= held_out.sum() <= 12


@pytest.mark.parametrize("target", [np.zeros(50, dtype=int), np.ones(50, dtype=int)])
def test_one_class_alone_cannot_be_split(target: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"clean\.holdout: 50 groups"):
        draw_holdout(np.arange(50), target, share=0.2, random_state=0)


def test_groups_of_several_rows_may_all_hold_a_default() -> None:
    # No group of several rows without a default: that stratum is absent, not too small.
    group_id = np.array([*range(40), *np.repeat(np.arange(40, 50), 2)])
    target = np.array([*([0] * 30), *([1] * 10), *([0, 1] * 10)])
    held_out = draw_holdout(group_id, target, share=0.2, random_state=0)
    assert (held_out & (group_id >= 40)).sum() == 2 * 2


@pytest.mark.parametrize(("n_others", "n_defaults"), [(2, 2), (3, 96), (96, 3)])
def test_a_class_with_less_than_a_group_for_a_side_is_refused(
    n_others: int, n_defaults: int
) -> None:
    target = np.repeat([0, 1], [n_others, n_defaults])
    with pytest.raises(UserError, match=r"too few to hold out 0\.25.*clean\.holdout\.share"):
        draw_holdout(np.arange(len(target)), target, share=0.25, random_state=0)
