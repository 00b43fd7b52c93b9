"""Ideas: columns worked by hand, fitted steps, and proof that a fit sees its own rows only."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier

from creditrisk import schema
from creditrisk.features.record import ClientRecord, from_frame
from creditrisk.models import families, training
from creditrisk.models.folds import deal_folds
from creditrisk.models.rows import TrainingRows, split_sides
from creditrisk.validation import idea_columns as c
from creditrisk.validation import idea_recipes as recipes
from creditrisk.validation import idea_steps as steps
from creditrisk.validation import ideas
from creditrisk.validation.ablation_arms import Bench
from tests import generated
from tests.stages.model_stages import LINEAR, TREES

RECIPES = {
    "trees": TREES | {"n_estimators": 8, "features": ["status_codes", "delay", "payment"]},
    "logistic": LINEAR | {"C": 0.01},
}
AUDIT = ("sex", "education", "marriage", "age")
WITH_COLUMNS = [idea for idea in ideas.ALL if idea.columns]
CASES = [(kind, idea) for kind in RECIPES for idea in ideas.for_model(kind)]


def client(**changes: object) -> ClientRecord:
    """One client who never used the card, but for the changes."""
    known = {
        "limit": [100_000.0],
        "status": [[-2.0] * 6],
        "bill": [[0.0] * 6],
        "paid": [[0.0] * 6],
        **{key: [np.nan] for key in AUDIT},
    }
    return ClientRecord(**{k: np.array(v, dtype=float) for k, v in (known | changes).items()})


@cache
def bench(kind: str = "trees") -> Bench:
    people = generated.clients(450, 3)
    rows = split_sides(people, people, []).train
    record = from_frame(people[people[schema.SPLIT] == schema.TRAIN])
    return Bench(kind, RECIPES[kind], "standard", record, rows)


# --- columns ----------------------------------------------------------------------


BUSY = client(
    bill=[[10_000, 8_000, 6_000, 4_000, 2_000, 0]],
    paid=[[8_000, 300, 0, 200, 0, 500]],
    status=[[1, 0, 0, 2, 0, -1]],
)
# owed before each payment: 8,000 6,000 4,000 2,000 0; spend: 10,000 2,300 2,000 2,200 2,000

BY_HAND = [
    # 8,000 = the bill; 300 is 5 % of 6,000; 200 is 10 % of 2,000; nothing is below 5 %
    (c.exact_payments, [1, 1, 1, 1, 0]),
    # multiples of 100: 4 payments; of 500: 8,000 and 500; of 1,000: 8,000; bills all of 100
    (c.rounding_habits, [4, 2, 1, 1, 1, 1, 5]),
    (c.months_since_payment, [0, 0]),
    # July owed 4,000 and paid nothing: 200 of 100,000 short of 5 %
    (c.payment_gap, [0, 0, 0.002, 0, 0.057]),
    (c.unpaid_with_debt, [1, 0, 0]),
    (c.payment_over_current_bill, [0.8, 0.0375, 0, 0.05, 0, 1]),
    # September over the mean of the others: paid 8,000/200 and bill 10,000/4,000; cap 5
    (c.newest_against_own_past, [5, 2.5, 10_000 / 2_125]),
    (c.cash_flow_coverage, [-0.02, -0.02, -0.02, 5]),
    (c.utilization_acceleration, [0, 0, 0, 0]),
    (c.credit_balances, [0, 0, 0]),
    (c.over_limit, [0, 0, 0]),
    (c.inactivity, [0, 0, 0]),
    (c.status_path, [3 * 12 + 2, 3 * 144 + 2 * 12 + 2]),
    (c.status_differences, [1, 0, -2, 2, 1, 3, 1]),
    # a delay in September that August did not show, of the code with a book of its own
    (c.september_surprise, [1, 0, 0, 0, 1]),
    (c.revolving_runs, [2, 0]),
    (c.fading_delay, [1 + 2 / 8, 1 + 2 * 0.2**3]),
    # July revolves without a payment; September and June are late yet paid; May owed nothing
    (c.contradictions, [0, 1, 2, 0]),
]


@pytest.mark.parametrize(
    ("function", "expected"), BY_HAND, ids=lambda v: getattr(v, "__name__", "")
)
def test_columns_worked_by_hand(function, expected):
    np.testing.assert_allclose(function(BUSY)[0], expected, atol=1e-12)


def test_volatility_of_equal_spend_is_zero_and_of_one_burst_is_two():
    steady = client(bill=[[500, 400, 300, 200, 100, 0]])
    np.testing.assert_allclose(c.spend_volatility(steady)[0], [0, 1, 0], atol=1e-12)
    burst = client(bill=[[500, 0, 0, 0, 0, 0]])  # sd of (1, 0, 0, 0, 0) is 0.4, mean 0.2
    np.testing.assert_allclose(c.spend_volatility(burst)[0], [2, 5, 4])


def test_runs_count_back_from_now_and_the_longest_may_lie_earlier():
    r = client(status=[[0, -1, 0, 0, 0, -1]], bill=[[120_000, 150_000, 10, 130_000, 0, 0]])
    assert c.revolving_runs(r)[0].tolist() == [3, 1]
    np.testing.assert_allclose(c.over_limit(r)[0], [3, 2, 0.5])


def test_growth_debt_and_products_on_a_client_small_enough_to_see():
    r = client(bill=[[np.e - 1, 0, 0, 0, 0, 0]], status=[[2, 0, 0, 0, 0, 0]])
    np.testing.assert_allclose(c.bill_growth(r)[0], [1, 0, 0, 0, 0, 1])
    np.testing.assert_allclose(c.signed_logs(r)[0], [1, *[0] * 11])
    np.testing.assert_allclose(c.debt_in_dollars(client())[0], [np.log1p(100_000), 0, 0])
    full = client(bill=[[100_000] * 6], status=[[2, 0, 0, 0, 0, 0]])  # pays nothing, used wholly
    np.testing.assert_allclose(c.delay_by_utilization(full)[0], [1, 2, 0, np.log(100_000)])


def test_credit_and_unused_cards_are_told_apart():
    assert c.credit_balances(client(bill=[[-1_000, 0, -5_000, 0, 0, 0]]))[0].tolist() == [
        2,
        1,
        0.05,
    ]
    assert c.inactivity(client())[0].tolist() == [6, 6, 1]
    assert c.inactivity(client(paid=[[0, 0, 9, 0, 0, 0]]))[0].tolist() == [5, 2, 0]


@pytest.mark.parametrize("idea", WITH_COLUMNS, ids=lambda idea: idea.id)
def test_columns_are_finite_blind_to_audit_attributes_and_the_same_alone(idea):
    record = bench().record
    columns = idea.columns(record)
    assert columns.shape[0] == len(record)
    for odd in (client(), client(bill=[[-9e5] * 6]), client(bill=[[9e6] * 6], status=[[8] * 6])):
        assert np.isfinite(idea.columns(odd)).all()
    assert np.isfinite(columns).all()
    blind = replace(record, **dict.fromkeys(AUDIT, record.limit))
    assert np.array_equal(idea.columns(blind), columns)
    alone = np.concatenate([idea.columns(record.take(np.array([i]))) for i in range(20)])
    assert np.array_equal(alone, columns[:20])


def test_the_model_of_september_sees_nothing_of_september():
    record = bench().record
    known = c.september_inputs(record)
    changed = {k: getattr(record, k).copy() for k in ("status", "bill", "paid")}
    for values in changed.values():
        values[:, 0] += 7
    after = c.september_inputs(replace(record, **changed))
    assert np.array_equal(known[:, 1:], after[:, 1:])
    assert not np.array_equal(known[:, 0], after[:, 0])


# --- fitted steps -------------------------------------------------------------------


def test_peers_are_clients_in_the_same_band_of_the_limit():
    X = np.array([[1, 10], [1, 20], [1, 60], [9, 1], [9, 3], [9, 5]], dtype=float)
    step = steps.PeerDifferences(n_bands=2).fit(X)
    assert step.transform(X)[:, 0].tolist() == [-10, 0, 40, -2, 0, 2]
    assert step.transform(np.array([[0.5, 25.0], [50.0, 5.0]]))[:, 0].tolist() == [5, 2]


def test_weight_of_evidence_is_the_log_ratio_of_shares():
    X, y = np.array([[0.0]] * 4 + [[1.0]] * 4), np.array([1, 0, 0, 0, 1, 1, 1, 0])
    # with half a client added: defaults 1.5 and 3.5 of 5, others 3.5 and 1.5 of 5
    expected = np.log([1.5 / 3.5, 3.5 / 1.5])
    np.testing.assert_allclose(np.unique(steps.WeightOfEvidence().fit(X, y).transform(X)), expected)


@pytest.mark.parametrize("seed", range(3))
def test_weight_of_evidence_rises_with_the_rate_of_the_bin(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2000, 1))
    y = (rng.random(2000) < 1 / (1 + np.exp(-2 * X[:, 0]))).astype(int)
    step = steps.WeightOfEvidence(n_bins=5).fit(X, y)
    grid = step.transform(np.linspace(-3, 3, 50)[:, None])[:, 0]
    assert (np.diff(grid) >= 0).all()
    assert len(np.unique(grid)) == 5


def test_rows_of_the_fit_do_not_remember_their_own_label():
    """One nearest neighbour knows every label by heart; out of inner folds it knows none."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 3)), rng.integers(0, 2, 600)
    step = steps.OutOfFold(KNeighborsClassifier(n_neighbors=1))
    inside = step.fit_transform(X, y)[:, 0]
    assert (step.transform(X)[:, 0] == y).all()
    assert abs((inside == y).mean() - 0.5) < 0.1  # five standard errors


def test_surprise_is_what_was_seen_less_what_was_expected():
    rng = np.random.default_rng(1)
    X = np.column_stack([rng.integers(0, 2, 300), rng.normal(size=(300, 2))])
    step = steps.september_model()
    for out in (step.fit_transform(X, None), step.transform(X)):
        np.testing.assert_allclose(out.sum(axis=1), X[:, 0])
        assert ((out[:, 0] > 0) & (out[:, 0] < 1)).all()


# --- recipes ------------------------------------------------------------------------


def test_delay_cannot_lower_the_risk_under_the_constraint():
    names = ["x", *recipes.RISES, *recipes.FALLS]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, len(names)))
    y = (rng.random(800) < 0.5 - 0.3 * np.tanh(X[:, 1])).astype(int)  # the wrong way round
    trees = families.build("xgboost", TREES, scaler="standard").named_steps["model"]
    grid = np.zeros((30, len(names)))
    grid[:, 1] = np.linspace(-3, 3, 30)
    free = clone(trees).fit(X, y).predict_proba(grid)[:, 1]
    bound = recipes.monotone_delay(clone(trees), names).fit(X, y).predict_proba(grid)[:, 1]
    assert (np.diff(free) < -1e-3).any()
    assert (np.diff(bound) >= 0).all()


def test_status_and_amounts_never_share_a_branch_under_the_constraint():
    b = bench()
    names = b.names(["status_codes", "payment"])
    trees = recipes.status_apart_from_amounts(b.build().named_steps["model"], names)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(900, len(names)))
    y = ((X[:, 0] > 0) & (X[:, -1] > 0)).astype(int)  # an interaction of both sides
    splits = trees.fit(X, y).get_booster().trees_to_dataframe()
    splits = splits[splits["Feature"] != "Leaf"]
    status = splits["Feature"].str[1:].astype(int) < 6
    assert status.any()
    assert not status.all()
    assert (status.groupby(splits["Tree"]).nunique() == 1).all()


def test_four_seeds_are_the_mean_of_four_fits():
    b = bench()
    X, y = b.record.bill, b.rows.y
    trees = b.build().named_steps["model"]
    together = recipes.four_seeds(trees, []).fit(X, y).predict_proba(X)[:, 1]
    alone = [
        clone(trees).set_params(random_state=s).fit(X, y).predict_proba(X)[:, 1] for s in range(4)
    ]
    np.testing.assert_allclose(together, np.mean(alone, axis=0), rtol=1e-6)
    assert not np.allclose(alone[0], alone[1])


def test_settings_are_scaled_and_whole_numbers_stay_whole():
    trees = bench().build().named_steps["model"]
    halved = recipes.scaled_settings(learning_rate=0.5, n_estimators=2)(clone(trees), [])
    assert (halved.learning_rate, halved.n_estimators) == (0.05, 16)
    assert isinstance(halved.n_estimators, int)


def test_rows_of_a_fit_are_chosen_by_group_or_not_at_all():
    allowed = np.array([False, True, True, True, True])
    rows = TrainingRows(np.zeros((5, 1)), np.zeros(5), np.array([7, 7, 7, 8, 9]), allowed)
    assert recipes.one_row_per_group(rows).tolist() == [False, True, False, True, True]
    assert recipes.all_rows(rows).all()


# --- the catalogue --------------------------------------------------------------------


def test_the_catalogue_has_distinct_questions():
    assert len(ideas.ALL) >= 18
    assert len({idea.id for idea in ideas.ALL}) == len(ideas.ALL)
    assert all(idea.question.endswith("?") for idea in ideas.ALL)
    assert {idea.kind for idea in ideas.ALL} == {"columns", "fitted", "recipe", "rows"}


def poisoned(b: Bench, where: np.ndarray) -> Bench:
    """Turn the labels of some rows and shuffle their amounts and codes out of shape."""
    record = replace(
        b.record,
        limit=np.where(where, 7e5 - b.record.limit / 2, b.record.limit),
        status=np.where(where[:, None], 3.0, b.record.status),
        bill=np.where(where[:, None], 5e6 - b.record.bill, b.record.bill),
        paid=np.where(where[:, None], 123.0, b.record.paid),
    )
    y = np.where(where, 1 - b.rows.y, b.rows.y)
    return replace(b, record=record, rows=replace(b.rows, y=y))


@pytest.mark.parametrize(("kind", "idea"), CASES, ids=lambda v: getattr(v, "id", v))
def test_poisoned_test_rows_leave_every_idea_unmoved(kind, idea):
    """Half of the test fold is poisoned: fit and scores of the other half stay to the last bit."""
    b = bench(kind)
    tested = deal_folds(b.rows.y, b.rows.groups, n_folds=3, n_repeats=1, random_state=0)[0] == 0
    half = tested & (np.arange(len(tested)) % 2 == 0)

    def scores(on: Bench) -> np.ndarray:
        arm = on.idea_arm(idea)
        (fit,) = training.fit_fold([arm.pipeline], arm.rows, tested)
        return fit["probability"][~half[tested]]

    clean = scores(b)
    assert np.array_equal(scores(poisoned(b, half)), clean)
    if idea.id == "status_path" and kind == "trees":
        assert not np.array_equal(scores(poisoned(b, ~tested)), clean)  # the test can fail
