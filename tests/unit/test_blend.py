"""The blend: each member reads its own columns, trains as long as it is told, and repeats."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest

from creditrisk.features import registry
from creditrisk.models import blend, families, training
from creditrisk.models.rows import split_sides
from tests import generated

TREES = {
    "features": ["amounts", "status_codes"],
    "max_depth": 2,
    "n_estimators": 20,
    "learning_rate": 0.2,
    "min_child_weight": 5,
    "subsample": 0.8,
    "colsample_bynode": 0.5,
    "reg_lambda": 1,
    "max_bin": 32,
}
NETWORKS = {
    "features": ["status_states", "payment"],
    "n_networks": 2,
    "hidden": [8, 4],
    "alpha": 0.3,
    "epochs": 5,
    "batch_size": 64,
}
RECIPE = {
    "features": ["amounts", "status_codes", "status_states", "payment"],
    "trees": TREES,
    "networks": NETWORKS,
    "weight": 0.4,
    "seed": 0,
}
AVAILABLE = {f: registry.select([f], audit_attributes="exclude") for f in registry.families()}
NAMES = families.model_features("blend", RECIPE, AVAILABLE)


@pytest.fixture(scope="module")
def rows():
    from creditrisk.features.table import feature_table

    people = generated.clients(900, 3)
    return split_sides(people, feature_table(people), NAMES).train


def fitted(rows, **changes):
    model = blend.blend(RECIPE | changes, NAMES)
    return model.fit(rows.X, rows.y)


def columns_of(member: dict) -> np.ndarray:
    own = {name for family in member["features"] for name in AVAILABLE[family]}
    return np.array([name in own for name in NAMES])


@pytest.mark.parametrize(("name", "member"), [("trees", TREES), ("networks", NETWORKS)])
def test_a_member_reads_its_own_columns_only(rows, name, member):
    own = columns_of(member)
    assert 0 < own.sum() < len(own)
    poisoned = np.where(own, rows.X, -1e6)
    clean, other = fitted(rows), blend.blend(RECIPE, NAMES).fit(poisoned, rows.y)
    for X in (rows.X, poisoned):
        same = [m.named_estimators_[f"{name}_0"].predict_proba(X) for m in (clean, other)]
        assert np.array_equal(*same)
        assert np.array_equal(same[0], clean.named_estimators_[f"{name}_0"].predict_proba(rows.X))
    hurt = np.where(own, -1e6, rows.X)  # its own columns, by contrast, matter
    assert not np.array_equal(
        clean.named_estimators_[f"{name}_0"].predict_proba(hurt),
        clean.named_estimators_[f"{name}_0"].predict_proba(rows.X),
    )


def test_the_probability_is_the_weighted_mean_of_the_two(rows):
    model = fitted(rows)
    trees, networks = (
        model.named_estimators_[f"{name}_0"].predict_proba(rows.X) for name in ("trees", "networks")
    )
    assert model.predict_proba(rows.X) == pytest.approx(0.6 * trees + 0.4 * networks, abs=1e-7)
    assert np.abs(trees - networks).max() > 0.01


@pytest.mark.parametrize(("weight", "name"), [(0.0, "trees"), (1.0, "networks")])
def test_a_whole_weight_leaves_one_member(rows, weight, name):
    model = fitted(rows, weight=weight)
    alone = model.named_estimators_[f"{name}_0"].predict_proba(rows.X)
    assert model.predict_proba(rows.X) == pytest.approx(alone, abs=1e-7)


def test_trees_alone_are_those_of_the_family_xgboost(rows):
    own = columns_of(TREES)
    alone = families.build("xgboost", TREES | {"seed": 0}, scaler="standard")
    alone.fit(rows.X[:, own], rows.y)
    ours = fitted(rows).named_estimators_["trees_0"]
    assert np.array_equal(ours.predict_proba(rows.X), alone.predict_proba(rows.X[:, own]))


@pytest.mark.parametrize("epochs", [3, 4, 9])
def test_networks_train_for_exactly_so_many_epochs_without_a_warning(rows, epochs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bag = blend.bag(NETWORKS | {"epochs": epochs}, seed=0).fit(rows.X, rows.y)
    assert [network.n_iter_ for network in bag[-1].estimators_] == [epochs, epochs]


def test_networks_of_a_bag_differ_in_their_seed_alone(rows):
    bag = blend.bag(NETWORKS, seed=0).fit(rows.X, rows.y)
    one, two = bag[-1].estimators_
    assert not np.array_equal(one.coefs_[0], two.coefs_[0])
    assert all(
        np.array_equal(drawn, np.arange(len(rows.y))) for drawn in bag[-1].estimators_samples_
    )


def test_inputs_of_the_networks_are_ranks_between_the_stated_ends(rows):
    bag = blend.bag(NETWORKS, seed=0).fit(rows.X, rows.y)
    Z = bag[:-1].transform(rows.X)
    assert Z.min() == pytest.approx(-blend.SPREAD)
    assert Z.max() == pytest.approx(blend.SPREAD)
    far = bag[:-1].transform(rows.X * 1e9)  # an amount never seen cannot run away
    assert np.abs(far).max() <= blend.SPREAD + 1e-9
    squeezed = np.sign(rows.X) * np.log1p(np.abs(rows.X))  # order is kept, amounts are not
    again = blend.bag(NETWORKS, seed=0).fit(squeezed, rows.y)[:-1].transform(squeezed)
    assert np.abs(again - Z).max() < 0.05


def test_another_seed_gives_other_members_and_the_same_seed_the_same(rows):
    first = fitted(rows)
    assert pickle.dumps(first) == pickle.dumps(fitted(rows))
    for name in ("trees", "networks"):
        one, two = (
            m.named_estimators_[f"{name}_0"].predict_proba(rows.X)
            for m in (first, fitted(rows, seed=1))
        )
        assert not np.array_equal(one, two)


def test_the_family_trains_and_threads_leave_no_trace(rows):
    trained = [
        training.train(
            "blend",
            RECIPE,
            rows,
            scaler="standard",
            n_folds=3,
            n_repeats=1,
            random_state=0,
            n_jobs=n_jobs,
            features=NAMES,
        )
        for n_jobs in (1, 2)
    ]
    assert trained[0].probability.tobytes() == trained[1].probability.tobytes()
    assert pickle.dumps(trained[0].pipeline) == pickle.dumps(trained[1].pipeline)
    assert trained[0].cv["roc_auc"] > 0.65
    assert trained[0].path == []
