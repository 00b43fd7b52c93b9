"""Nested choice: candidates from the grid, halving by loss, and no say for a test row."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from creditrisk import schema
from creditrisk.features import record, registry
from creditrisk.models import training
from creditrisk.validation import benchmark, nested
from tests.generated import CLEANING, raw_clients

SPACE = {
    "folds": 3,
    "finalists": 2,
    "trees": {
        "n_candidates": 3,
        "features": {"codes": ["status_codes"], "both": ["amounts", "status_codes", "audit"]},
        "grid": {
            "max_depth": [1, 2],
            "travel": [1.0, 2.0],
            "min_child_weight": [1, 5],
            "subsample": [0.8],
            "colsample_bynode": [0.5],
            "reg_lambda": [1],
        },
        "fixed": {"max_bin": 32},
        "search_rate": 0.2,
        "final_rate": 0.1,
    },
    "networks": {
        "n_candidates": 2,
        "features": {"states": ["status_states"], "both": ["status_states", "payment", "audit"]},
        "grid": {"hidden": [[4]], "alpha": [0.1, 1.0], "epochs": [3, 4], "batch_size": [64]},
        "fixed": {},
        "search_networks": 1,
        "final_networks": 2,
    },
    "weights": [0.0, 0.5, 1.0],
}
TWINS = CLEANING["twins"]
SETTINGS = {"space": SPACE, "twins": TWINS, "random_state": 0, "n_jobs": 1}


def silent(line: str) -> None:
    pass


# ---------------------------------------------------------------------- candidates


@pytest.mark.parametrize("kind", nested.KINDS)
def test_candidates_are_distinct_and_from_the_grid_alone(kind):
    own = SPACE[kind] | {"n_candidates": 7}
    drawn = nested.draw_candidates({kind: own}, kind, random_state=0)
    assert len(drawn) == 7
    assert len({repr(candidate) for candidate in drawn}) == 7
    for candidate in drawn:
        assert candidate["features"] in own["features"]
        assert set(candidate) == {"features", *own["grid"]}
        assert all(candidate[key] in values for key, values in own["grid"].items())


def test_candidates_follow_the_seed_and_a_small_grid_is_exhausted():
    draw = [
        nested.draw_candidates(SPACE, "trees", random_state=seed) for seed in (0, 0, 1, 2, 3, 4)
    ]
    assert draw[0] == draw[1]
    assert any(other != draw[0] for other in draw[2:])
    many = {"trees": SPACE["trees"] | {"n_candidates": 1000}}
    assert len(nested.draw_candidates(many, "trees", random_state=0)) == 2 * 2 * 2 * 2


def test_every_value_of_the_grid_is_drawn_about_equally_often():
    many = [nested.draw_candidates(SPACE, "trees", random_state=seed)[0] for seed in range(400)]
    for key, value in (("features", "codes"), ("max_depth", 1), ("travel", 2.0)):
        share = np.mean([candidate[key] == value for candidate in many])
        assert share == pytest.approx(0.5, abs=0.1)  # four standard errors


def test_a_members_rate_times_rounds_is_the_candidates_travel():
    (candidate, *_) = nested.draw_candidates(SPACE, "trees", random_state=0)
    found = {
        final: nested.member_parameters(SPACE, "trees", candidate, final=final)
        for final in (False, True)
    }
    assert found[False]["learning_rate"] == 0.2
    assert found[True]["learning_rate"] == 0.1
    for parameters in found.values():
        travelled = parameters["learning_rate"] * parameters["n_estimators"]
        assert travelled == pytest.approx(candidate["travel"])
        assert "travel" not in parameters
        assert parameters["max_bin"] == 32
        assert parameters["features"] == SPACE["trees"]["features"][candidate["features"]]


def test_the_final_fit_of_networks_only_has_more_of_them():
    (candidate, *_) = nested.draw_candidates(SPACE, "networks", random_state=0)
    search, final = (
        nested.member_parameters(SPACE, "networks", candidate, final=final)
        for final in (False, True)
    )
    assert (search.pop("n_networks"), final.pop("n_networks")) == (1, 2)
    assert search == final


# ------------------------------------------------------------------------- halving

GRID = {
    "trees": {
        "n_candidates": 9,
        "features": {"all": ["amounts"]},
        "grid": {"max_depth": list(range(9)), "travel": [1.0]},
        "fixed": {},
        "search_rate": 0.5,
    }
}
ROWS = nested.Rows(np.empty((50, 0)), np.ones(50, dtype=int), np.arange(50) % 5, ())


def halve(probability, n_finalists=1):
    """Search where a candidate's probability on a fold is known; note who met which fold."""
    met: dict[int, list[int]] = {}

    def run(jobs):
        answers = []
        for kind, parameters, rows, number in jobs:
            assert kind == "trees"
            met.setdefault(number, []).append(parameters["max_depth"])
            n = int((rows.fold == number).sum())
            answers.append(np.full(n, probability(parameters["max_depth"], number)))
        return answers

    space = GRID | {"finalists": n_finalists}
    found, out_of_fold = nested.halve("trees", space, ROWS, run, random_state=0, progress=silent)
    return [candidate["max_depth"] for candidate in found], out_of_fold, met


def near_four(depth, number):
    """Everybody defaults, so more is better: 4 is the best, then 5, 3, 6, 2 …"""
    return 0.9 - 0.05 * abs(depth - 4) + 0.001 * depth


def test_the_better_half_goes_on_and_the_lowest_mean_loss_wins():
    winners, out_of_fold, met = halve(near_four)
    assert winners == [4]
    assert [len(met[number]) for number in range(5)] == [9, 5, 3, 2, 1]
    assert set(met[1]) == {2, 3, 4, 5, 6}
    assert set(met[2]) == {3, 4, 5}
    assert set(met[3]) == {4, 5}
    assert out_of_fold == pytest.approx(np.full(50, 0.904))


def test_as_many_finalists_as_are_asked_for_meet_every_fold_and_are_averaged():
    winners, out_of_fold, met = halve(near_four, 4)
    assert winners == [4, 5, 3, 6]
    assert [len(met[number]) for number in range(5)] == [9, 5, 4, 4, 4]
    assert out_of_fold == pytest.approx(np.full(50, (0.904 + 0.855 + 0.853 + 0.806) / 4))


def test_the_mean_over_all_folds_decides_not_the_last_one():
    def probability(depth, number):
        return {0: 0.8, 1: 0.79}.get(depth, 0.1) + (0.015 if (depth, number) == (1, 4) else 0)

    winners, _, met = halve(probability, 2)
    assert set(met[4]) == {0, 1}
    assert winners == [0, 1], "candidate 1 wins the last fold, candidate 0 the mean"


def test_who_is_out_after_the_first_fold_cannot_come_back():
    def probability(depth, number):
        return (0.1 if number == 0 else 0.99) if depth == 8 else 0.5 + 0.01 * depth

    winners, _, met = halve(probability)
    assert 8 not in met[1]
    assert winners == [7]


@pytest.mark.parametrize("seed", range(5))
def test_finalists_have_the_lowest_mean_losses_of_those_that_reached_the_end(seed):
    table = np.random.default_rng(seed).uniform(0.2, 0.9, size=(9, 5))
    winners, out_of_fold, met = halve(lambda depth, number: table[depth, number], 2)
    losses = {depth: -np.log(table[depth]).mean() for depth in met[4]}
    assert winners == sorted(losses, key=losses.get)[:2]
    assert out_of_fold == pytest.approx(table[winners].mean(axis=0)[ROWS.fold])


def test_the_weight_has_the_lowest_loss_and_the_first_wins_a_tie():
    y = np.array([0, 1, 1, 0])
    good, bad = np.array([0.1, 0.9, 0.8, 0.2]), np.array([0.6, 0.4, 0.4, 0.6])
    weights = [0.0, 0.25, 0.5, 0.75, 1.0]
    assert nested.choose_weight(y, trees=good, networks=bad, weights=weights) == 0.0
    assert nested.choose_weight(y, trees=bad, networks=good, weights=weights) == 1.0
    # each is sure and wrong about one of two clients: the middle loses least
    one, two = np.array([0.01, 0.6]), np.array([0.6, 0.01])
    assert nested.choose_weight(np.ones(2), one, two, weights) == 0.5
    assert nested.choose_weight(y, good, good, weights) == 0.0


# -------------------------------------------------------------------------- groups


def test_groups_are_made_of_the_given_rows_alone():
    people = raw_clients(300, seed=2)
    whole = nested.training_groups(people, TWINS)
    _, size = np.unique(whole, return_counts=True)
    assert (size > 1).sum() >= 8, "duplicates and twins are in the table"
    paired = np.flatnonzero(np.isin(whole, np.flatnonzero(np.bincount(whole) > 1)))
    heads = paired[whole[paired] == paired]
    tails = np.setdiff1d(paired, heads)
    alone = people.drop(index=people.index[tails])  # every second one of a pair is elsewhere
    assert len(np.unique(nested.training_groups(alone, TWINS))) == len(alone)
    together = nested.training_groups(people.iloc[::-1], TWINS)  # and the order of rows is free
    same = whole[:, None] == whole
    assert np.array_equal((together[:, None] == together)[::-1, ::-1], same)


# ---------------------------------------------------------- no test row has a say


@pytest.fixture(scope="module")
def people():
    clients = raw_clients(600, seed=11)
    return clients, clients[schema.RAW_TARGET].to_numpy(), np.arange(600) % 3


def fits(monkeypatch, clients, y, fold, audit_attributes="include"):
    """Run the nested mode; return the result and, fold by fold, recipe and model."""
    noted = []
    original = benchmark.fit_nested

    def note(*args, **keywords):
        noted.append(original(*args, **keywords))
        return noted[-1]

    with monkeypatch.context() as patch:
        patch.setattr(benchmark, "fit_nested", note)
        result = benchmark.nested_folds(
            clients, y, fold, audit_attributes=audit_attributes, **SETTINGS
        )
    return result, noted


def contents(model):
    """Return all that a fitted blend knows, and what it says of clients it never met."""
    _, X = benchmark.columns(raw_clients(200, seed=99), SPACE, "include")
    known = [repr(model.weights).encode(), training.predict(model, X).tobytes()]
    for name, member in model.named_estimators_.items():
        if name.startswith("trees"):
            known.append(bytes(member[-1].get_booster().save_raw("ubj")))
        else:
            known.append(pickle.dumps(member))
            nets = member[-1][-1].estimators_
            known += [w.tobytes() for net in nets for w in (*net.coefs_, *net.intercepts_)]
    return known


def poison(clients, y, tested):
    """Turn test rows into something else: half to noise, half to twins of training rows."""
    other, labels = clients.copy(), y.copy()
    rows, donors = np.flatnonzero(tested), np.flatnonzero(~tested)
    labels[rows] = 1 - labels[rows]
    noise, twins = rows[::2], rows[1::2]
    for c in (*schema.BILL_COLUMNS, *schema.PAID_COLUMNS):
        other.iloc[noise, other.columns.get_loc(c)] = 999_999
    for c in schema.STATUS_COLUMNS:
        other.iloc[noise, other.columns.get_loc(c)] = 8
    donors = donors[: len(twins)]
    shared = [schema.LIMIT, *schema.AUDIT_COLUMNS]
    for c in shared:
        other.iloc[twins, other.columns.get_loc(c)] = clients.iloc[donors][c].to_numpy()
    for columns in (schema.BILL_COLUMNS, schema.PAID_COLUMNS, schema.STATUS_COLUMNS):
        for later, earlier in zip(columns[1:], columns[:-1], strict=True):
            # the test row is the same client one month earlier
            other.iloc[twins, other.columns.get_loc(earlier)] = clients.iloc[donors][
                later
            ].to_numpy()
    other[schema.RAW_TARGET] = labels
    return other, labels


def test_poisoned_test_rows_change_neither_the_choice_nor_the_fit(people, monkeypatch):
    clients, y, fold = people
    clean, before = fits(monkeypatch, clients, y, fold)
    other, labels = poison(clients, y, fold == 1)
    n_groups = len(np.unique(nested.training_groups(clients, TWINS)))
    assert len(np.unique(nested.training_groups(other, TWINS))) < n_groups - 20, "twins were made"
    after_result, after = fits(monkeypatch, other, labels, fold)
    assert after_result["chosen"][1] == clean["chosen"][1]
    assert contents(after[1][1]) == contents(before[1][1])
    for number in (0, 2):  # they are training rows of the other folds
        assert contents(after[number][1]) != contents(before[number][1])


def test_a_run_repeats_byte_by_byte_and_its_figures_are_those_of_its_probabilities(
    people, monkeypatch
):
    clients, y, fold = people
    fold = np.where(np.arange(600) < 60, -1, fold)
    (first, models), (second, _) = (fits(monkeypatch, clients, y, fold) for _ in range(2))
    for arm in ("blend", "trees"):
        p = first["probability"][arm]
        assert p.tobytes() == second["probability"][arm].tobytes()
        assert np.array_equal(np.isnan(p), fold < 0), "left out of everything"
        for row in first[arm]["folds"]:
            own = fold == row["fold"]
            assert row["roc_auc"] == benchmark.figures(y[own], p[own])["roc_auc"]
        assert first[arm]["mean"]["roc_auc"] > 0.6
        assert "fit_s" not in first[arm]["mean"], "no clock, no seconds"
    assert first["chosen"] == second["chosen"]
    # the arm "trees" is the blend's own best candidate
    _, X = benchmark.columns(clients, SPACE, "include")
    own = fold == 0
    trees = models[0][1].named_estimators_["trees_0"]
    assert np.array_equal(first["probability"]["trees"][own], training.predict(trees, X[own]))


def test_the_choice_does_not_depend_on_processes(people):
    clients, y, _ = people
    names, X = benchmark.columns(clients, SPACE, "include")
    groups = nested.training_groups(clients, TWINS)
    keywords = {"space": SPACE, "random_state": 0}
    one, two = (nested.choose_recipe(X, y, groups, names, n_jobs=n, **keywords) for n in (1, 2))
    assert one == two
    assert one["weight"] in SPACE["weights"]
    drawn = nested.draw_candidates(SPACE, "trees", random_state=0)
    assert len(one["trees"]) == 2
    assert all(candidate in drawn for candidate in one["trees"])


def test_finalists_of_a_kind_share_its_weight():
    recipe = {
        "trees": nested.draw_candidates(SPACE, "trees", random_state=0)[:2],
        "networks": nested.draw_candidates(SPACE, "networks", random_state=0)[:1],
        "weight": 0.3,
    }
    names = registry.select(
        ["amounts", "status_codes", "status_states", "payment"], audit_attributes="exclude"
    )
    model = nested.chosen_blend(SPACE, recipe, names, seed=5)
    assert [name for name, _ in model.estimators] == ["trees_0", "trees_1", "networks_0"]
    assert model.weights == pytest.approx([0.35, 0.35, 0.3])
    trees = model.estimators[0][1][-1]
    assert trees.get_params()["max_depth"] == recipe["trees"][0]["max_depth"]
    assert trees.get_params()["learning_rate"] == SPACE["trees"]["final_rate"]


def test_twins_of_training_rows_share_an_inner_fold(people, monkeypatch):
    clients, y, _ = people
    groups = nested.training_groups(clients, TWINS)
    seen = []
    original = nested.Rows

    def note(X, y, fold, names):
        seen.append(fold)
        return original(X, y, fold, names)

    monkeypatch.setattr(nested, "Rows", note)
    names, X = benchmark.columns(clients, SPACE, "include")
    nested.choose_recipe(X, y, groups, names, space=SPACE, random_state=0, n_jobs=1)
    (fold,) = seen
    for group in np.flatnonzero(np.bincount(groups) > 1):
        assert len(set(fold[groups == group])) == 1


def test_the_served_configuration_reads_no_audit_attribute(people, monkeypatch):
    clients, y, fold = people
    changed, rng = clients.copy(), np.random.default_rng(0)
    for column in schema.AUDIT_COLUMNS:  # within the code books, and telling
        values = {"SEX": (1, 2), "EDUCATION": (1, 3), "MARRIAGE": (1, 2), "AGE": (25, 60)}[column]
        changed[column] = np.where(rng.random(600) < 0.9, np.take(values, y), values[0])
    # Who is whose twin is told by SEX and AGE too. The question here is what models read,
    # not which rows share an inner fold: groups are those of the clients as they were.
    grouped = nested.training_groups
    monkeypatch.setattr(
        nested, "training_groups", lambda some, twins: grouped(clients.loc[some.index], twins)
    )
    served = [fits(monkeypatch, c, y, fold, "exclude")[0] for c in (clients, changed)]
    assert served[0]["chosen"] == served[1]["chosen"]
    for arm in ("blend", "trees"):
        same = [result["probability"][arm].tobytes() for result in served]
        assert same[0] == same[1]
    names, _ = benchmark.columns(clients, SPACE, "exclude")
    assert not set(names) & set(schema.AUDIT_COLUMNS)
    every = [fits(monkeypatch, c, y, fold, "include")[0] for c in (clients, changed)]
    areas = [result["blend"]["mean"]["roc_auc"] for result in every]
    assert areas[1] > areas[0] + 0.02, "all 23 columns, by contrast, see it"


def test_columns_are_all_that_some_candidate_reads(people):
    clients, _, _ = people
    names, X = benchmark.columns(clients, SPACE, "include")
    wanted = ["amounts", "status_codes", "status_states", "payment", "audit"]
    assert names == registry.select(wanted, audit_attributes="include")
    assert np.array_equal(X, registry.compute(record.from_frame(clients), names))
