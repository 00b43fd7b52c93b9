"""Grades: whose grade a bound is, back-tests by hand and oracle, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from creditrisk.data.rates import wilson
from creditrisk.errors import UserError
from creditrisk.validation import policy
from creditrisk.validation.grades import assign_grades, check_grades, grade_names, grade_table

BOUNDS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


def sample(seed: int, n: int = 8000):
    rng = np.random.default_rng(seed)
    p = rng.uniform(0, 0.8, n)
    return (rng.random(n) < p).astype(int), p


def test_seven_bounds_make_eight_grades():
    assert "".join(grade_names(BOUNDS)) == "ABCDEFGH"


@pytest.mark.parametrize(
    "bounds", [BOUNDS[:-1], [0.0, *BOUNDS[1:]], [*BOUNDS[:-1], 1.0], BOUNDS[::-1], [0.2] * 7]
)
def test_other_bounds_are_refused_by_name(bounds):
    with pytest.raises(UserError, match=r"policy\.grades: give 7"):
        grade_names(bounds)


def test_a_probability_on_a_bound_belongs_to_the_riskier_grade():
    p = np.array([0.0, np.nextafter(0.1, 0), 0.1, 0.35, 0.7, 1.0])
    assert assign_grades(p, BOUNDS).tolist() == [0, 0, 1, 3, 7, 7]


def test_table_counts_everybody_once():
    y, p = sample(0)
    table = grade_table(y, p, BOUNDS)
    assert sum(row["n"] for row in table) == len(y)
    assert sum(row["defaults"] for row in table) == y.sum()
    assert sum(row["n"] * row["mean_probability"] for row in table) == pytest.approx(p.sum())
    assert [(row["from"], row["to"]) for row in table[::7]] == [(0.0, 0.1), (0.7, 1.0)]
    assert all(row["from"] <= row["mean_probability"] < row["to"] for row in table)


def test_back_tests_of_one_grade_hand_worked():
    # 3 defaults of 10 at 15 %: P(X >= 3) = 1 − (.85^10 + 10·.15·.85^9 + 45·.15²·.85^8) = .1798
    y, p = np.array([1, 1, 1] + [0] * 7), np.full(10, 0.15)
    row = grade_table(y, p, BOUNDS)[1]
    assert row["binomial_p"] == pytest.approx(0.1798, abs=5e-5)
    assert row["binomial_p"] == pytest.approx(
        stats.binomtest(3, 10, 0.15, alternative="greater").pvalue
    )
    # Jeffreys: the posterior Beta(3.5, 7.5) puts this much below 15 %
    density = stats.beta(3.5, 7.5).pdf
    x = np.linspace(0, 0.15, 200_001)
    assert row["jeffreys_p"] == pytest.approx(np.trapezoid(density(x), x), abs=1e-6)
    assert (row["low"], row["high"]) == pytest.approx(tuple(float(end) for end in wilson(3, 10)))


def test_jeffreys_p_is_small_where_the_probability_is_too_low():
    y, p = sample(1)
    honest, low = grade_table(y, p, BOUNDS), grade_table(y, p * 0.8, BOUNDS)
    high = grade_table(y, np.minimum(p * 1.2, 0.99), BOUNDS)
    assert min(row["jeffreys_p_adjusted"] for row in honest) > 0.05
    assert max(row["jeffreys_p_adjusted"] for row in low[1:6]) < 0.05
    assert min(row["jeffreys_p_adjusted"] for row in high) == 1


def test_holm_runs_over_the_grades_that_hold_clients():
    y, p = sample(2)
    table = grade_table(y[p < 0.55], p[p < 0.55], BOUNDS)
    for test in ("jeffreys_p", "binomial_p"):
        raw = [row[test] for row in table[:6]]
        expected = multipletests(raw, method="holm")[1]
        assert [row[f"{test}_adjusted"] for row in table[:6]] == pytest.approx(list(expected))
        assert table[7][test] is table[7][f"{test}_adjusted"] is None
    assert table[7] | {"n": 0, "observed": None, "low": None} == table[7]


def test_good_grades_pass():
    check_grades(grade_table(*sample(3), BOUNDS))


def test_an_empty_or_small_grade_is_refused_by_name():
    y, p = sample(3)
    table = grade_table(y[p < 0.7], p[p < 0.7], BOUNDS)
    with pytest.raises(UserError, match=r"grade H has 0 clients .* than 500: move .*grades"):
        check_grades(table)
    with pytest.raises(
        UserError, match=r"grade [A-G] has \d+ clients in training, fewer than 1200"
    ):
        check_grades(table[:7], min_clients=1200)


def test_a_grade_with_few_defaults_is_refused():
    y, p = sample(3)
    y = y * (p >= 0.1)  # nobody in A defaults
    with pytest.raises(UserError, match="grade A has 0 defaults in training, fewer than 30"):
        check_grades(grade_table(y, p, BOUNDS))


def test_grades_that_do_not_rank_are_refused():
    y, p = sample(3)
    p = np.where(p < 0.3, p, 1.1 - p)  # upside down from D on
    with pytest.raises(UserError, match=r"grade E defaults no more often than grade D"):
        check_grades(grade_table(y, p, BOUNDS))


THRESHOLD = {"name": "cost_ratio", "cost_false_alarm": 1.0, "cost_missed_detection": 3.0}


def test_policy_by_cost_says_where_its_threshold_comes_from():
    document = policy.policy_document(BOUNDS, THRESHOLD | {"flag_share": 0.2}, np.array([0.5]))
    assert document == {
        "grades": BOUNDS,
        "threshold": {
            "name": "cost_ratio",
            "value": 0.25,
            "basis": "a missed detection is assumed to cost 3 times a false alarm: 1 / (1 + 3)",
        },
    }


def test_policy_by_share_takes_its_threshold_from_the_probabilities():
    p = np.linspace(0, 1, 1001)
    settings = THRESHOLD | {"name": "flag_share", "flag_share": 0.15}
    threshold = policy.policy_document(BOUNDS, settings, p)["threshold"]
    assert threshold["value"] == pytest.approx(0.85)
    assert threshold["basis"].startswith("15 % of clients can be looked after")


def test_the_basis_states_both_costs_and_their_ratio():
    words = policy.threshold_basis(
        "cost_ratio", cost_false_alarm=2.0, cost_missed_detection=5.0, flag_share=0.2
    )
    assert words == "a missed detection is assumed to cost 2.5 times a false alarm: 2 / (2 + 5)"


def test_policy_refuses_bounds_and_names():
    with pytest.raises(UserError, match=r"policy\.grades"):
        policy.policy_document([0.5], THRESHOLD | {"flag_share": 0.2}, np.array([0.5]))
    with pytest.raises(UserError, match="cost_ratio, flag_share"):
        policy.policy_document(
            BOUNDS, THRESHOLD | {"name": "gut", "flag_share": 0.2}, np.array([0.5])
        )


def test_an_empty_grade_is_passed_over_where_no_size_is_asked_for():
    """A small table may leave a grade empty; the grades on both sides must still rank."""
    y, p = sample(3)
    kept = (p < 0.2) | (p >= 0.3)
    table = grade_table(y[kept], p[kept], BOUNDS)
    assert table[2]["observed"] is None
    check_grades(table, min_clients=0, min_defaults=0)
    turned = [*table[:3], {**table[3], "observed": 0.01}, *table[4:]]
    with pytest.raises(UserError, match="grade D defaults no more often than grade B"):
        check_grades(turned, min_clients=0, min_defaults=0)
    with pytest.raises(UserError, match="grade C has 0 clients"):
        check_grades(table, min_clients=1, min_defaults=0)
