"""What segments add: likelihood ratios against statsmodels, and arms that can only do so much."""

from __future__ import annotations

import numpy as np
import pytest

from creditrisk.errors import UserError
from creditrisk.models.rows import TrainingRows
from creditrisk.validation import added_value
from creditrisk.validation.added_value import Addition, Base, indicators, likelihood_ratio

RECIPE = {"features": [], "C": 1.0, "tol": 1e-6, "max_iter": 200, "seed": 0}


def drawn(seed: int, n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels that depend on both features and on a group of three levels."""
    rng = np.random.default_rng(seed)
    X, group = rng.normal(size=(n, 2)), rng.integers(0, 3, n)
    p = 1 / (1 + np.exp(1 - X[:, 0] - 2 * (group == 2)))
    return (rng.random(n) < p).astype(int), X, group


def test_indicators_leave_the_first_level_out():
    assert indicators([3, 1, 2, 1], name="score").tolist() == [[0, 1], [0, 0], [1, 0], [0, 0]]
    assert indicators(["b", "a"], name="segment").tolist() == [[1], [0]]


def test_a_constant_grouping_is_refused_by_name():
    with pytest.raises(UserError, match=r"segment is occasional in every training row.*rfm"):
        indicators(["occasional"] * 4, name="segment")


@pytest.mark.parametrize("seed", range(3))
def test_the_likelihood_ratio_is_statsmodels(seed):
    import statsmodels.api as sm

    y, X, group = drawn(seed)
    added = indicators(group, name="group")
    found = likelihood_ratio(y, X, added)
    fits = [
        sm.GLM(y, sm.add_constant(np.column_stack(parts)), family=sm.families.Binomial()).fit(
            tol=1e-12
        )
        for parts in ([X], [X, added])
    ]
    assert found["statistic"] == pytest.approx(2 * (fits[1].llf - fits[0].llf), abs=1e-7)
    assert found["df"] == 2
    from scipy.stats import chi2

    assert found["p_value"] == pytest.approx(chi2.sf(found["statistic"], 2), rel=1e-12)
    assert found["gain"] == pytest.approx(found["statistic"] / 2 / len(y))


def test_columns_that_are_sums_of_others_count_once():
    """A copy in the base and a copy among the added change neither statistic nor df."""
    y, X, group = drawn(4)
    added = indicators(group, name="group")
    plain = likelihood_ratio(y, X, added)
    doubled = likelihood_ratio(
        y, np.column_stack([X, X.sum(axis=1)]), np.column_stack([added, added[:, 0] + X[:, 1]])
    )
    assert doubled["df"] == plain["df"] == 2
    assert doubled["statistic"] == pytest.approx(plain["statistic"], abs=1e-7)


def test_under_no_effect_the_test_rejects_about_as_often_as_its_level():
    """200 shuffled groups, level 10 %: 20 rejections, ± 3 standard errors of 4.2."""
    y, X, _ = drawn(0, n=300)
    rng = np.random.default_rng(9)
    p = [likelihood_ratio(y, X, rng.normal(size=(300, 1)))["p_value"] for _ in range(200)]
    assert 7 <= np.sum(np.array(p) < 0.1) <= 33


def test_bad_columns_are_named():
    y, X, group = drawn(1)
    added = indicators(group, name="group")
    with pytest.raises(UserError, match=r"segment: every column is a sum"):
        likelihood_ratio(y, X, X[:, :1], name="segment")
    with pytest.raises(UserError, match=r"segment: a column holds a value that is not finite"):
        likelihood_ratio(y, X, np.where(added == 1, np.nan, 0), name="segment")
    with pytest.raises(UserError, match="added: the training rows hold one class only"):
        likelihood_ratio(np.zeros(len(y), dtype=int), X, added)


def test_columns_that_separate_the_classes_are_an_error_and_a_level_of_one_class_is_not():
    """Perfect separation has no fit. Four clients of 300 who all defaulted have a limit.

    X is as frequent among defaulters as among the others, so by hand: the level takes its
    four defaulters out, and the rate of the others falls from 100/300 to 96/296.
    """
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 1))
    with pytest.raises(UserError, match=r"segment: .*did not converge.*separate the classes"):
        likelihood_ratio((X[:, 0] > 0).astype(int), X, rng.normal(size=(300, 1)), name="segment")
    number = np.arange(300)
    y, X = (number % 3 == 0).astype(int), (number // 3 % 2.0)[:, None]
    found = likelihood_ratio(y, X, np.isin(number, [0, 3, 6, 9]).astype(float)[:, None])
    more = 96 * np.log(96 / 296) + 200 * np.log(200 / 296)
    less = 100 * np.log(1 / 3) + 200 * np.log(2 / 3)
    assert found["statistic"] == pytest.approx(2 * (more - less), abs=1e-3)


def setting(seed: int = 0, n: int = 600) -> tuple[Base, list[Addition]]:
    y, X, group = drawn(seed, n)
    rows = TrainingRows(X, y, np.arange(n), np.arange(n) % 50 > 0)
    base = Base("logistic", "Logistic regression", "logistic_l2", RECIPE, ["a", "b"], rows)
    rng = np.random.default_rng(77)
    additions = [
        added_value.as_addition("segment", "segment", {"group": group}),
        added_value.as_addition("cluster", "cluster", {"noise": rng.integers(0, 3, n)}),
    ]
    return base, additions


def compare(n_jobs: int = 1, **changes) -> dict:
    base, additions = setting(**changes)
    return added_value.compare(
        [base],
        additions,
        scaler="standard",
        n_folds=4,
        n_repeats=2,
        random_state=3,
        alpha=0.05,
        n_jobs=n_jobs,
    )


def test_a_real_addition_is_found_and_noise_is_not():
    found = compare(n=2000)
    tests = {t["id"]: t for t in found["tests"]}
    assert tests["segment"]["p_adjusted"] < 0.001
    assert tests["cluster"]["p_adjusted"] > 0.05
    arms = {a["id"]: a for a in found["models"][0]["arms"]}
    assert arms["segment"]["log_loss"]["verdict"] == "better"
    assert arms["cluster"]["roc_auc"]["verdict"] == "within noise"
    assert arms["segment"]["n_features"] == 2  # columns added
    assert found["design"]["n_fit_rows"] == tests["segment"]["n"] == 1960


def test_threads_change_nothing_and_holm_covers_the_table():
    assert compare(n_jobs=2) == compare(n_jobs=1)
    tests = compare()["tests"]
    smaller, larger = sorted(tests, key=lambda t: t["p_value"])
    assert smaller["p_adjusted"] == pytest.approx(min(1, 2 * smaller["p_value"]))
    assert larger["p_adjusted"] == max(larger["p_value"], smaller["p_adjusted"])


def test_crossing_counts_and_agrees_with_itself():
    """Two groupings of five clients by hand; a grouping against its own renaming is 1."""
    crossed = added_value.cross_groups(np.array(list("aabbb")), np.array([0, 0, 0, 1, 1]))
    assert (crossed["rows"], crossed["columns"]) == (["a", "b"], [0, 1])
    assert crossed["counts"] == [[2, 0], [1, 2]]
    # Hubert & Arabie by hand: pairs together in both 2, in rows 4, in columns 4, of 10:
    # (2 − 1.6) / (4 − 1.6)
    assert crossed["adjusted_rand"] == pytest.approx(0.4 / 2.4)
    renamed = added_value.cross_groups(np.array(list("aabbb")), np.array([7, 7, 2, 2, 2]))
    assert renamed["adjusted_rand"] == 1
