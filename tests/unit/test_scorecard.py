"""The scorecard: the scale by a published example, the tables as the model, the sign rule."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from creditrisk import io
from creditrisk.errors import UserError
from creditrisk.models import scorecard_tables
from creditrisk.models.scorecard import Scorecard, scale

FEATURES = ["PAY_0", "LIMIT_BAL", "credit_utilization"]
SETTINGS = {
    "features": FEATURES,
    "segments": {"column": "PAY_0", "edges": [1]},
    "directions": {
        "ascending": ["PAY_0", "credit_utilization"],
        "descending": ["LIMIT_BAL"],
        "either": [],
        "free": [],
    },
    "max_bins": 5,
    "max_prebins": 12,
    "min_bin_share": 0.02,
    "min_information_value": 0.005,
    "max_correlation": 0.9,
    "C": 1.0,
    "tol": 1e-4,
    "max_iter": 100,
    "pdo": 20,
    "anchor_points": 600,
    "anchor_odds": 50,
}


STATES = {-2.0: "no consumption (−2)", -1.0: "paid in full (−1)", 0.0: "revolving credit (0)"}


def people(n: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return status, limit and utilization, all of which carry a signal of their own."""
    rng = np.random.default_rng(seed)
    status = rng.choice([-2, -1, 0, 1, 2, 3, 4], size=n, p=[0.1, 0.2, 0.4, 0.1, 0.1, 0.07, 0.03])
    limit = rng.integers(1, 50, n) * 10_000.0
    utilization = rng.random(n)
    logit = -2.2 + 0.7 * np.maximum(status, 0) + 0.7 * (status == -2)
    logit = logit + 1.5 * utilization - 3e-6 * limit
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    return np.column_stack([status, limit, utilization]).astype(float), y


ONE_CARD = SETTINGS | {"segments": {"column": "PAY_0", "edges": []}}


@pytest.fixture(scope="module")
def scorecard() -> Scorecard:
    return Scorecard(**SETTINGS).fit(*people())


@pytest.fixture(scope="module")
def document(scorecard: Scorecard) -> dict:
    return io.plain(scorecard_tables.document(scorecard, people()[0]))  # as it is stored


def by_hand(document: dict, scorecard: Scorecard, x: np.ndarray) -> float:
    """Look a client's points up in the stored tables and add them, as a reader would."""
    i = 0 if x[0] < 1 else 1  # a missing status is not below 1
    stored, card = document["cards"][i], scorecard.cards_[i]
    total = stored["start_points"]
    for column, j, bins in zip(stored["columns"], card.columns, card.bins, strict=True):
        assert column["feature"] == FEATURES[j]
        total += column["bins"][int(bins.index(x[j : j + 1])[0])]["points"]
    return total


def test_the_scale_is_that_of_the_published_example():
    """Siddiqi (2006): 600 points at 50:1 and 20 points to double give 28.8539 and 487.123."""
    factor, offset = scale(pdo=20, anchor_points=600, anchor_odds=50)
    assert factor == pytest.approx(28.8539, abs=1e-4)
    assert offset == pytest.approx(487.123, abs=1e-3)


def test_points_are_odds_on_that_scale(scorecard):
    factor, offset = scorecard.scale()
    points = np.array([580.0, 600.0, 620.0])
    assert scorecard.odds(points) == pytest.approx([25, 50, 100])
    assert offset + factor * np.log(scorecard.odds(points)) == pytest.approx(points)


def test_worked_examples_from_the_stored_tables_are_the_models_probabilities(scorecard, document):
    """Points are whole, so six stored digits lose nothing and a sum by hand is exact."""
    X, _ = people(300, seed=1)
    p = scorecard.predict_proba(X)[:, 1]
    total = np.array([by_hand(document, scorecard, x) for x in X])
    assert np.abs(1 / (1 + 50 * 2 ** ((total - 600) / 20)) - p).max() < 1e-9
    worked = [scorecard_tables.worked_example(scorecard, x)["probability"] for x in X]
    assert np.abs(np.array(worked) - p).max() < 1e-9
    for card in scorecard.cards_:
        assert all(float(points).is_integer() for row in card.points for points in row)
        assert card.start_points.is_integer()


def test_each_segment_has_the_card_of_its_clients_alone(scorecard, document):
    """Cut by hand at code 1, one card fitted on each side: the same tables."""
    X, y = people()
    late = X[:, 0] >= 1
    assert [c["segment"] for c in document["cards"]] == ["PAY_0 0 or less", "PAY_0 1 or more"]
    assert [c["n"] for c in document["cards"]] == [(~late).sum(), late.sum()]
    for side, stored in zip((~late, late), document["cards"], strict=True):
        assert stored["default_rate"] == pytest.approx(y[side].mean(), abs=1e-6)
        alone = Scorecard(**ONE_CARD).fit(X[side], y[side])
        assert np.array_equal(alone.points(X[side]), scorecard.points(X[side]))


def test_a_segments_least_code_is_in_it(scorecard):
    codes = np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 8.0, 9.0, -3.0, np.nan])
    X = np.column_stack([codes, np.full(9, 1e5), np.full(9, 0.5)])
    assert scorecard.segment(X).tolist() == [0, 0, 0, 1, 1, 1, 1, 0, 1]
    four = Scorecard(**SETTINGS | {"segments": {"column": "PAY_0", "edges": [-1, 1, 2]}})
    assert four.segment(X).tolist() == [0, 1, 1, 2, 3, 3, 3, 0, 3]
    assert [scorecard_tables.segment_label(four, i) for i in range(4)] == [
        "PAY_0 −2 or less",
        "PAY_0 −1 to 0",
        "PAY_0 1",
        "PAY_0 2 or more",
    ]


def test_a_column_that_informs_in_one_segment_only_is_on_that_card_only():
    """Utilization tells the late apart and nobody else; one card must average the two."""
    rng = np.random.default_rng(0)
    X, _ = people(12_000)
    late = X[:, 0] >= 1
    logit = np.where(late, -2 + 5 * X[:, 2], -1.5 - 2e-6 * X[:, 1])
    y = (rng.random(len(X)) < 1 / (1 + np.exp(-logit))).astype(int)
    test = np.arange(len(X)) % 2 == 1
    strict = {"min_information_value": 0.03}  # chance leaves some 0.01 among 4,000 rows
    two, one = (Scorecard(**s | strict).fit(X[~test], y[~test]) for s in (SETTINGS, ONE_CARD))
    used = [{FEATURES[j] for j in card.columns} for card in two.cards_]
    assert "credit_utilization" not in used[0]
    assert "credit_utilization" in used[1]
    loss = [
        -np.log(np.where(y, m.predict_proba(X)[:, 1], m.predict_proba(X)[:, 0])) for m in (two, one)
    ]
    assert loss[0][test].mean() < loss[1][test].mean() - 0.01


@pytest.mark.parametrize("code", [-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 9.0, -3.0, np.nan])
def test_every_code_scores_exactly_as_the_table_says(scorecard, document, code):
    client = np.array([code, 100_000.0, 0.5])
    stored = document["cards"][0 if code < 1 else 1]
    by_label = {
        b["bin"]: b["points"]
        for column in stored["columns"]
        if column["feature"] == "PAY_0"
        for b in column["bins"]
    }
    if code in STATES:
        expected = by_label[STATES[code]]
    elif code >= 1:  # also 9, which no row of the fit has: the longest delay there is
        numbers = [points for label, points in by_label.items() if label[0].isdigit()]
        expected = numbers[min(int(code), len(numbers)) - 1]
    else:
        expected = by_label["anything else"]
        assert expected == 0
    steps = scorecard_tables.worked_example(scorecard, client)["steps"]
    rest = sum(step["points"] for step in steps if step["feature"] != "PAY_0")
    rest += stored["start_points"]
    assert scorecard.points(client[np.newaxis])[0] == rest + expected
    assert scorecard.points(client[np.newaxis])[0] == by_hand(document, scorecard, client)


def test_the_examples_are_the_middle_and_a_risky_client(scorecard, document):
    points = np.sort(scorecard.points(people()[0]))
    middle, risky = document["examples"]
    assert middle["points"] == points[len(points) // 2 - 1]
    assert risky["points"] == pytest.approx(np.quantile(points, 0.05), abs=3)
    assert risky["probability"] > middle["probability"]
    start = {card["segment"]: card["start_points"] for card in document["cards"]}
    for example in document["examples"]:
        assert example["start_points"] == start[example["segment"]]
        total = example["start_points"] + sum(step["points"] for step in example["steps"])
        assert total == example["points"]


def test_every_card_is_calibrated_and_better_bins_have_more_points(scorecard):
    X, y = people()
    p, segment = scorecard.predict_proba(X)[:, 1], scorecard.segment(X)
    for i, card in enumerate(scorecard.cards_):
        assert p[segment == i].mean() == pytest.approx(y[segment == i].mean(), abs=0.01)
        assert (card.weights < 0).all()
        for bins, points in zip(card.bins, card.points, strict=True):
            order = np.argsort(bins.woe, kind="stable")
            assert (np.diff(points[order]) >= 0).all()


def test_weak_and_repeated_columns_are_dropped_with_the_reason():
    X, y = people()
    rng = np.random.default_rng(5)
    wider = np.column_stack([X, rng.random(len(y)), X[:, 2] + 0.001 * rng.random(len(y))])
    names = [*FEATURES, "utilization_sd", "utilization_2"]
    directions = {**SETTINGS["directions"], "either": ["utilization_sd", "utilization_2"]}
    # noise has an information value of about 0.003 here, the weakest real column 0.05
    changed = ONE_CARD | {"features": names, "directions": directions}
    (card,) = Scorecard(**changed | {"min_information_value": 0.02}).fit(wider, y).cards_
    reasons = {names[j]: reason for j, reason in card.dropped}
    assert reasons["utilization_sd"].startswith("information value 0.0")
    twins = {"credit_utilization", "utilization_2"}
    (dropped,) = twins & set(reasons)
    (kept,) = twins - {dropped}
    assert reasons[dropped].endswith(f"with {kept}")


@pytest.mark.parametrize("seed", range(3))
def test_a_column_with_the_wrong_sign_leaves_the_card(seed):
    """A proxy of the utilization alone looks risky, beside it and its noise it looks safe."""
    rng = np.random.default_rng(seed)
    signal, noise = rng.normal(size=(2, 6000))
    y = (rng.random(6000) < 1 / (1 + np.exp(1.5 - 1.5 * signal))).astype(int)
    X = np.column_stack([signal + noise, noise + 0.4 * signal])
    names = ["credit_utilization", "utilization_2"]
    changed = SETTINGS | {
        "features": names,
        "segments": {"column": "utilization_2", "edges": []},
        "directions": {"ascending": names, "descending": [], "either": [], "free": []},
        "max_correlation": 1.0,
    }
    (card,) = Scorecard(**changed).fit(X, y).cards_
    assert [names[j] for j in card.columns] == ["credit_utilization"]
    assert card.dropped == [(1, "wrong sign beside the others")]
    assert (card.weights < 0).all()


def test_a_card_on_which_nothing_informs_gives_everybody_the_odds_of_its_segment():
    """Utilization is the same for all who are not late, so nothing can tell them apart."""
    X, y = people()
    late = X[:, 0] >= 1
    X[:, 2] = np.where(late, X[:, 2], 0.5)
    changed = SETTINGS | {
        "directions": {"ascending": FEATURES, "descending": [], "either": [], "free": []},
        "min_information_value": 0.05,
    }
    X[~late, 0], X[:, 1] = 0, 1e5
    empty, other = Scorecard(**changed).fit(X, y).cards_
    assert empty.columns == []
    assert other.columns
    factor, offset = scale(pdo=20, anchor_points=600, anchor_odds=50)
    odds = (~y[~late].astype(bool)).sum() / y[~late].sum()
    assert empty.start_points == np.round(offset + factor * np.log(odds))


def test_two_fits_have_the_same_bytes_and_the_order_of_rows_is_nothing(scorecard):
    X, y = people()
    again = clone(scorecard).fit(X, y)
    assert pickle.dumps(again) == pickle.dumps(Scorecard(**SETTINGS).fit(X, y))
    assert np.array_equal(pickle.loads(pickle.dumps(scorecard)).points(X), scorecard.points(X))
    order = np.random.default_rng(0).permutation(len(y))
    shuffled = clone(scorecard).fit(X[order], y[order])
    assert np.array_equal(shuffled.points(X), scorecard.points(X))


def test_it_is_a_classifier_of_two_classes(scorecard):
    X, _ = people(50)
    p = scorecard.predict_proba(X)
    assert p.sum(axis=1) == pytest.approx(1)
    assert scorecard.predict(X).tolist() == (p[:, 1] >= 0.5).astype(int).tolist()
    assert scorecard.classes_.tolist() == [0, 1]


def test_what_is_missing_is_named():
    X, y = people(400)
    with pytest.raises(ValueError, match="3 columns with 2 names"):
        Scorecard(**SETTINGS | {"features": FEATURES[:2]}).fit(X, y)
    empty = {"ascending": ["PAY_0"], "descending": [], "either": [], "free": []}
    with pytest.raises(UserError, match="none for column LIMIT_BAL"):
        Scorecard(**SETTINGS | {"directions": empty}).fit(X, y)
    with pytest.raises(UserError, match="min_information_value: no column reaches 9 on any card"):
        Scorecard(**SETTINGS | {"min_information_value": 9.0}).fit(X, y)
    elsewhere = {"column": "PAY_2", "edges": [1]}
    with pytest.raises(UserError, match="segments.column: no direction for PAY_2"):
        Scorecard(**SETTINGS | {"segments": elsewhere}).fit(X, y)
    paid = np.where(X[:, 0] >= 4, 0, y)
    with pytest.raises(UserError, match="segments.edges: segment 2 lacks clients who default"):
        Scorecard(**SETTINGS | {"segments": {"column": "PAY_0", "edges": [4]}}).fit(X, paid)
