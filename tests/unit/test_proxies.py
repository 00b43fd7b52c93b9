"""Leaks and stand-ins: planted ones are found, absent ones are not, intervals hold."""

from __future__ import annotations

import numpy as np
import pytest

from creditrisk.metrics import comparison, discrimination
from creditrisk.validation import leakage, proxies
from tests import generated

SETTINGS = {"n_folds": 3, "level": 0.95, "random_state": 0}


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setitem(leakage.TREES, "n_estimators", 12)


@pytest.fixture(scope="module")
def clients():
    return generated.clients(900, 3)


@pytest.fixture(scope="module")
def train(clients):
    return clients[clients["split"] == "train"]


def sample(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.3).astype(int)
    return y, np.round(rng.normal(size=n) + 0.7 * y, 1)  # rounded: ties


@pytest.mark.parametrize("seed", range(4))
def test_rows_alone_give_delongs_interval(seed):
    """With one row a group only the divisors n and n − 1 of the two variances differ."""
    y, p = sample(400, seed)
    found = leakage.grouped_auc(y, p, np.arange(400), level=0.95)
    (auc,), covariance = discrimination.delong(y, p)
    assert found["auc"] == pytest.approx(auc, rel=1e-12)
    assert found["auc"] == pytest.approx(discrimination.roc_auc(y, p), rel=1e-12)
    assert found["se"] == pytest.approx(np.sqrt(covariance[0, 0]), rel=5e-3)
    assert found["high"] - found["low"] == pytest.approx(2 * 1.959964 * found["se"], rel=1e-6)


def test_copies_of_each_client_add_no_knowledge():
    """Every row three times in one group: the AUC and its standard error stay."""
    y, p = sample(300, 1)
    once = leakage.grouped_auc(y, p, np.arange(300), level=0.95)
    thrice = leakage.grouped_auc(*(np.tile(a, 3) for a in (y, p, np.arange(300))), level=0.95)
    assert thrice["auc"] == pytest.approx(once["auc"], rel=1e-12)
    assert thrice["se"] == pytest.approx(once["se"], rel=1e-9)
    ignored = leakage.grouped_auc(np.tile(y, 3), np.tile(p, 3), np.arange(900), level=0.95)
    assert ignored["se"] < 0.6 * once["se"]  # what counting rows would claim


def test_the_grouped_standard_error_is_that_of_the_grouped_bootstrap():
    y, p = sample(600, 2)
    groups = np.arange(600) // 2
    y[1::2], p[1::2] = y[::2], p[::2] + 0.1
    found = leakage.grouped_auc(y, p, groups, level=0.95)
    drawn = comparison.bootstrap(y, {"p": p}, groups, n_replicates=2000, random_state=0)
    assert found["se"] == pytest.approx(drawn["p"]["roc_auc"].std(), rel=0.06)


def test_folds_are_ranked_by_themselves():
    """The second fold's scores are all higher, which says nothing about its clients."""
    y, p = sample(400, 3)
    folds = np.arange(400) % 2
    within = leakage.grouped_auc(y, p, np.arange(400), level=0.95, folds=folds)
    shifted = leakage.grouped_auc(y, p + 50 * folds, np.arange(400), level=0.95, folds=folds)
    assert shifted == pytest.approx(within)
    parts = [discrimination.roc_auc(y[folds == f], p[folds == f]) for f in (0, 1)]
    assert within["auc"] == pytest.approx(np.mean(parts))


def test_an_interval_stays_inside_0_and_1_and_needs_both_classes():
    y = np.array([0, 0, 1, 1])
    found = leakage.grouped_auc(y, np.array([1.0, 2, 3, 4]), np.arange(4), level=0.95)
    assert (found["auc"], found["low"], found["high"]) == (1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="labels 0 and 1"):
        leakage.grouped_auc(np.zeros(4, dtype=int), y.astype(float), np.arange(4), level=0.95)


def test_a_table_sorted_by_the_target_is_found_out(clients):
    honest = leakage.identifier(clients, level=0.95)
    assert honest["low"] < 0.5 < honest["high"]
    assert honest["p_value"] > 0.001
    ordered = clients.sort_values("default", kind="stable")
    ids = np.arange(1, len(clients) + 1)
    found = leakage.identifier(ordered.assign(ID=ids), level=0.95)
    assert found["auc"] == 1.0
    assert found["p_value"] < 1e-10
    assert [b["rate"] for b in found["blocks"]][::9] == [0.0, 1.0]
    assert (found["blocks"][0]["first"], found["blocks"][-1]["last"]) == (1, len(clients))
    assert sum(b["n"] for b in found["blocks"]) == found["n"] == len(clients)


def test_a_signal_without_a_trend_is_learnt_but_not_ranked(train):
    """Defaults in the middle of the table: AUC of the row number is about one half."""
    ids = np.arange(len(train))
    middle = (np.abs(ids - ids.mean()) < 0.12 * len(ids)).astype(int)
    table = train.assign(ID=ids, default=middle, group_id=ids)
    assert leakage.identifier(table, level=0.95)["auc"] == pytest.approx(0.5, abs=0.01)
    assert leakage.learn_identifier(table, **SETTINGS)["auc"] > 0.95
    shuffled = table.assign(default=np.random.default_rng(0).permutation(middle))
    found = leakage.learn_identifier(shuffled, **SETTINGS)
    assert abs(found["auc"] - 0.5) < 4 * found["se"]


def test_a_leaked_column_tops_the_table_in_either_direction(train):
    honest = leakage.single_columns(train, level=0.95)
    assert honest["top"][0]["column"] == "PAY_0"
    assert honest["top"][0]["auc"] < 0.9
    assert (honest["n_columns"], len(honest["top"])) == (23, 5)
    assert [r["auc"] for r in honest["top"]] == sorted(
        (r["auc"] for r in honest["top"]), reverse=True
    )
    leaked = train.assign(BILL_AMT6=1000 - 10 * train["default"])
    top = leakage.single_columns(leaked, level=0.95)["top"][0]
    assert (top["column"], top["auc"], top["worse"]) == ("BILL_AMT6", 1.0, "lower")


def test_a_constant_column_ranks_nobody(train):
    constant = train.assign(
        **{c: 1.0 for c in train.columns if c.startswith(("BILL", "PAY", "LIM"))}
    )
    top = leakage.single_columns(constant, level=0.95)["top"]
    flat = leakage.grouped_auc(
        train["default"].to_numpy(), np.ones(len(train)), train["group_id"].to_numpy(), level=0.95
    )
    assert (flat["auc"], flat["se"]) == (0.5, 0.0)
    assert {r["column"] for r in top} >= {"SEX", "AGE", "EDUCATION", "MARRIAGE"}


def test_clients_on_both_sides_are_counted_and_agree_with_the_exact_expectation():
    """Pairs: 2 · m (n − m) / (n (n − 1)) each; our split divides none, a bad one does."""
    import pandas as pd

    n, m = 1000, 200
    group = np.arange(n) // 2
    split = np.where(group >= 400, "holdout", "train")
    table = pd.DataFrame({"group_id": group, "split": split, "is_twin": group < 300})
    found = leakage.split_twins(table, n_splits=40, random_state=0)
    assert (found["n"], found["n_test"], found["n_splits"]) == (n, m, 40)
    assert (found["groups"]["n"], found["twins"]["n"]) == (500, 300)
    chance = 2 * m * (n - m) / (n * (n - 1))
    for name, sets in (("groups", 500), ("twins", 300)):
        counts = found[name]
        assert counts["ours"] == 0
        assert counts["expected"] == pytest.approx(sets * chance, rel=1e-9)
        sd = np.sqrt(sets * chance * (1 - chance))
        assert abs(counts["mean"] - counts["expected"]) < 4 * sd / np.sqrt(40)
        assert counts["min"] <= counts["mean"] <= counts["max"]
    torn = table.assign(split=np.where(np.arange(n) % 5 == 0, "holdout", "train"))
    assert leakage.split_twins(torn, n_splits=2, random_state=0)["groups"]["ours"] == 200


def test_a_table_without_groups_has_nothing_to_split():
    import pandas as pd

    table = pd.DataFrame({"group_id": range(50), "split": "train", "is_twin": False})
    counts = leakage.split_twins(table, n_splits=3, random_state=0)["twins"]
    assert (counts["n"], counts["mean"], counts["expected"]) == (0, 0.0, 0.0)


def rows_of(found: dict, attribute: str) -> dict:
    return {(r["features"], r["learner"]): r for r in found["rows"] if r["attribute"] == attribute}


def test_a_planted_stand_in_is_found_and_a_random_attribute_is_not(train):
    """Sex is drawn at random in this table, so nothing tells it until a column is made to."""
    honest = rows_of(proxies.predict_attributes(train, n_jobs=1, **SETTINGS), "SEX")
    assert len(honest) == 4
    for row in honest.values():
        assert abs(row["auc"] - 0.5) < 4 * row["se"]
    planted = train.assign(PAY_AMT6=np.where(train["SEX"] == 2, 5000.0, 100.0))
    found = rows_of(proxies.predict_attributes(planted, n_jobs=1, **SETTINGS), "SEX")
    assert found["served", "trees"]["auc"] > 0.99


def test_the_other_attributes_are_read_only_when_asked(train):
    """Marriage is made to follow education, which only the larger set of columns holds."""
    tied = train.assign(MARRIAGE=np.where(train["EDUCATION"] == 2, 1, 2))
    found = rows_of(proxies.predict_attributes(tied, n_jobs=1, **SETTINGS), "MARRIAGE")
    assert found["with_others", "logistic"]["auc"] > 0.99
    assert abs(found["served", "logistic"]["auc"] - 0.5) < 4 * found["served", "logistic"]["se"]


def test_unknown_codes_are_left_out_and_intervals_allow_for_the_table(train):
    found = proxies.predict_attributes(train, n_jobs=1, **SETTINGS)
    known = int(train["EDUCATION"].isin([1, 2, 3]).sum())
    row = rows_of(found, "EDUCATION")["served", "trees"]
    assert row["n"] == known < len(train)
    assert row["high"] - row["low"] > 2 * 2.5 * row["se"]  # 16 rows: z is 2.96, not 1.96
    assert len(found["rows"]) == 16


def test_an_attribute_of_one_kind_is_not_applicable(train):
    found = proxies.predict_attributes(train.assign(SEX=1), n_jobs=1, **SETTINGS)
    (row,) = [r for r in found["rows"] if r["attribute"] == "SEX"]
    assert row["applicable"] is False
    assert row["reason"] == "fewer than 50 training clients of one kind"
    assert "auc" not in row


def test_all_checks_together_do_not_depend_on_threads_or_held_out_labels(clients):
    settings = SETTINGS | {"n_splits": 4, "n_folds": 2}
    found = proxies.check_leakage(clients, n_jobs=1, **settings)
    assert proxies.check_leakage(clients, n_jobs=2, **settings) == found
    held = clients["split"] == "holdout"
    poisoned = clients.assign(
        default=np.where(held, 1 - clients["default"], clients["default"]),
        SEX=np.where(held, 3 - clients["SEX"], clients["SEX"]),
    )
    other = proxies.check_leakage(poisoned, n_jobs=1, **settings)
    assert (other["columns"], other["proxies"]) == (found["columns"], found["proxies"])
    assert other["identifier"]["learned"] == found["identifier"]["learned"]
    assert other["identifier"]["auc"] != found["identifier"]["auc"]  # description of all rows
    assert found["twins"]["twins"]["ours"] == 0
