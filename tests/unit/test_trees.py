"""Trees as tables: XGBoost's margins to the bit, its Shapley values, and one tree by hand."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import xgboost

from creditrisk.errors import UserError
from creditrisk.models import trees

GROUPS = np.array([0, 0, 1, 1, 2, 0])


def data(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(n, 6)), 1)  # many values lie exactly on a threshold
    X[:, 4] = X[:, 0] + 0.1 * X[:, 4]
    score = X[:, 0] * X[:, 1] + np.abs(X[:, 2]) - X[:, 3]
    return X, (score + rng.normal(size=n) > 0.5).astype(int)


def train(n: int = 600, seed: int = 0, rounds: int = 30, **options: Any) -> xgboost.Booster:
    X, y = data(n, seed)
    settings = {"objective": "binary:logistic", "max_depth": 3, "eta": 0.3, "nthread": 1}
    return xgboost.train({**settings, **options}, xgboost.DMatrix(X, y), rounds)


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    return train()


def rows_with_gaps(n: int) -> np.ndarray:
    X, _ = data(n, seed=1)
    X[np.random.default_rng(2).random(X.shape) < 0.1] = np.nan
    return X


def margins(booster: xgboost.Booster, X: np.ndarray) -> np.ndarray:
    return booster.predict(xgboost.DMatrix(X), output_margin=True)


@pytest.mark.parametrize(
    "options", [{}, {"max_depth": 1}, {"max_depth": 2, "min_child_weight": 20}]
)
@pytest.mark.parametrize("n", [1, 5, 17, 700])
def test_margins_are_xgboosts_to_the_bit(options: dict[str, Any], n: int) -> None:
    booster = train(**options)
    table = trees.TableTrees(trees.build_tables(booster), GROUPS)
    X = rows_with_gaps(n)
    found, none = table.predict(X, explain=False)
    assert none is None
    np.testing.assert_array_equal(found.astype(np.float32), margins(booster, X))


def test_contributions_are_xgboosts(booster: xgboost.Booster) -> None:
    X = rows_with_gaps(800)
    expected = booster.predict(xgboost.DMatrix(X), pred_contribs=True)
    table = trees.TableTrees(trees.build_tables(booster), np.arange(6))
    margin, contributions = table.predict(X, explain=True)
    np.testing.assert_allclose(contributions, expected[:, :-1], rtol=0, atol=1e-6)
    assert table.bias == pytest.approx(float(expected[0, -1]), abs=1e-6)
    np.testing.assert_allclose(contributions.sum(axis=1) + table.bias, margin, rtol=0, atol=1e-5)


def test_one_tree_by_hand() -> None:
    """Two tests, on x0 and then x1; 8 of 10 rows are below 0 in x0, 2 of those in x1.

    Without features the tree says (2·1 + 6·2 + 2·5) / 10 = 2.4. With x0 < 0 known it says
    (2·1 + 6·2) / 8 = 1.75; with x1 < 0 known, 0.8·1 + 0.2·5 = 1.8; with both, 1. Shapley:
    x0 gets ((1.75 − 2.4) + (1 − 1.8)) / 2 and x1 ((1.8 − 2.4) + (1 − 1.75)) / 2.
    """
    stump = {
        "left_children": [1, 3, -1, -1, -1],
        "right_children": [2, 4, -1, -1, -1],
        "split_indices": [0, 1, 0, 0, 0],
        "split_conditions": [0.0, 0.0, 5.0, 1.0, 2.0],
        "default_left": [1, 0, 0, 0, 0],
        "sum_hessian": [10.0, 8.0, 2.0, 2.0, 6.0],
    }
    complete = trees._complete(stump)
    assert complete is not None
    built = trees._tabulate(*complete)
    assert built["expected"] == pytest.approx(2.4)
    below = 0b1111111  # every test answered yes
    assert built["output"][below] == 1.0
    assert built["member"][:2] == [0, 1]
    np.testing.assert_allclose(built["shapley"][below, :2], [-0.725, -0.675])


def test_alone_and_in_a_batch_the_bits_are_the_same(booster: xgboost.Booster) -> None:
    table = trees.TableTrees(trees.build_tables(booster), GROUPS)
    X = rows_with_gaps(trees.BLOCK + 20)
    margin, contributions = table.predict(X, explain=True)
    for i in range(0, len(X), 9):
        one, own = table.predict(X[i : i + 1], explain=True)
        assert one[0] == margin[i]
        np.testing.assert_array_equal(own[0], contributions[i])
    few, _ = table.predict(X[: trees.FEW], explain=False)
    np.testing.assert_array_equal(few, margin[: trees.FEW])


def test_groups_add_up_their_features(booster: xgboost.Booster) -> None:
    X, tables = rows_with_gaps(50), trees.build_tables(booster)
    _, each = trees.TableTrees(tables, np.arange(6)).predict(X, explain=True)
    _, grouped = trees.TableTrees(tables, GROUPS).predict(X, explain=True)
    expected = np.stack([each[:, g == GROUPS].sum(axis=1) for g in range(3)], axis=1)
    np.testing.assert_allclose(grouped, expected, rtol=0, atol=1e-12)


def test_deeper_trees_have_no_tables() -> None:
    assert len(trees.build_tables(train(max_depth=4))["output"]) == 0


def test_xgboost_answers_for_deeper_trees() -> None:
    booster, X = train(max_depth=5), rows_with_gaps(60)
    model = trees.BoosterTrees(booster, GROUPS)
    margin, contributions = model.predict(X, explain=True)
    np.testing.assert_allclose(margin, margins(booster, X), rtol=0, atol=1e-6)
    np.testing.assert_allclose(contributions.sum(axis=1) + model.bias, margin, rtol=0, atol=1e-5)
    assert model.predict(X, explain=False)[1] is None


@pytest.mark.parametrize("part", ["output", "shapley"])
def test_wrong_tables_are_refused(booster: xgboost.Booster, part: str) -> None:
    X, tables = rows_with_gaps(50), trees.build_tables(booster)
    before = pickle.dumps(booster)
    trees.check_tables(tables, booster, X, n_jobs=2)
    assert pickle.dumps(booster) == before, "what is written later does not know of the threads"
    wrong = {**tables, part: tables[part] + np.float32(0.001)}
    with pytest.raises(UserError, match="are off by"):
        trees.check_tables(wrong, booster, X)


def test_a_row_far_down_is_compared_too(
    booster: xgboost.Booster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trees, "CHECKED", 7)
    X, tables = rows_with_gaps(50), trees.build_tables(booster)
    own = trees.TableTrees.predict

    def off_at_the_end(self: trees.TableTrees, rows: np.ndarray, *, explain: bool) -> tuple:
        margin, values = own(self, rows, explain=explain)
        return margin + (0.001 if (rows[-1:] == X[-1:]).all() else 0.0), values

    X[-1] = 0.5  # without a gap, so that it equals itself
    monkeypatch.setattr(trees.TableTrees, "predict", off_at_the_end)
    with pytest.raises(UserError, match="margins are off by"):
        trees.check_tables(tables, booster, X)


def test_shapley_weights_share_out_everything() -> None:
    """Efficiency: for any game, the values add up to the worth of all less that of none."""
    rng = np.random.default_rng(0)
    for m in range(1, 8):
        worth = rng.normal(size=2**m)
        assert (trees._shapley_weights(m) @ worth).sum() == pytest.approx(worth[-1] - worth[0])
