"""Power and prices against statsmodels, simulation and hand-worked numbers."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.power import FTestAnovaPower, GofChisquarePower, NormalIndPower

from creditrisk.errors import UserError
from creditrisk.stats import context, error_prices, power, rejections
from creditrisk.stats.samples import NotApplicableError

SKEWED = np.random.default_rng(5).lognormal(11.5, 0.8, 3000)


@pytest.mark.parametrize("effect", [0.0, 0.1, 0.3, -0.3])
def test_power_of_two_means_equals_statsmodels(effect):
    expected = NormalIndPower().power(effect, 200, 0.05, ratio=3.5)
    assert power.mean_difference_power(effect, 200, 700, 0.05) == pytest.approx(expected, abs=1e-9)


def test_power_at_no_effect_is_the_level():
    assert power.mean_difference_power(0, 50, 90, 0.03) == pytest.approx(0.03)
    assert power.chi_square_power(0, 500, 3, 2, 0.03) == pytest.approx(0.03)
    assert power.f_power(0, 500, 3, 496, 0.03) == pytest.approx(0.03)


def test_power_of_chi_square_equals_statsmodels():
    """n_bins = 4 gives 3 degrees of freedom, those of a 4 × 2 table, where w = V."""
    expected = GofChisquarePower().power(0.1, 800, 0.05, n_bins=4)
    assert power.chi_square_power(0.1, 800, 4, 2, 0.05) == pytest.approx(expected, abs=1e-9)


def test_power_of_anova_equals_statsmodels():
    f = np.sqrt(0.02 / 0.98)
    expected = FTestAnovaPower().power(f, 300, 0.05, k_groups=4)
    assert power.f_power(0.02, 300, 3, 296, 0.05) == pytest.approx(expected, abs=1e-9)


def test_smallest_detectable_effect_is_found_with_the_wanted_power():
    def power_of(effect):
        return power.mean_difference_power(effect, 300, 900, 0.05)

    effect = power.minimum_detectable_effect(power_of, power=0.8, largest=5)
    assert power_of(effect) == pytest.approx(0.8)
    expected = NormalIndPower().solve_power(None, 300, 0.05, 0.8, ratio=3)
    assert effect == pytest.approx(expected, rel=1e-4)
    assert power.minimum_detectable_effect(power_of, power=0.8, largest=0.01) is None
    assert power.minimum_detectable_effect(power_of, power=0.04, largest=1) == 0.0


def test_simulation_agrees_with_the_closed_form_on_a_skewed_column():
    sd = SKEWED.std(ddof=1)
    found = rejections.simulate_rejections(
        SKEWED,
        n_first=300,
        n_second=700,
        differences=[0, 0.1 * sd, 0.25 * sd],
        alpha=0.05,
        n_simulations=2000,
        random_state=1,
    )
    for row in found:
        expected = power.mean_difference_power(row["difference"] / sd, 300, 700, 0.05)
        assert row["share"] == pytest.approx(expected, abs=0.045)
        assert row["low"] < row["share"] < row["high"]
    assert found[0]["low"] < 0.06


def test_simulation_does_not_depend_on_threads():
    settings = {
        "n_first": 20,
        "n_second": 30,
        "differences": [0, 9e4],
        "alpha": 0.05,
        "n_simulations": 55,
        "random_state": 2,
    }
    assert rejections.simulate_rejections(
        SKEWED, n_jobs=1, **settings
    ) == rejections.simulate_rejections(SKEWED, n_jobs=3, **settings)


def test_simulation_refuses_samples_that_have_no_test():
    settings = {"differences": [0], "alpha": 0.05, "n_simulations": 10, "random_state": 0}
    with pytest.raises(NotApplicableError, match="equal"):
        rejections.simulate_rejections(np.ones(9), n_first=5, n_second=5, **settings)
    with pytest.raises(UserError, match="at least 2"):
        rejections.simulate_rejections(SKEWED, n_first=1, n_second=5, **settings)


def test_price_of_test_errors_by_hand():
    """α .1, power .6, chance .25: false alarms .75·.1·1000, missed .25·.4·2000."""
    (row,) = error_prices.price_test_errors(
        [0.1],
        lambda alpha: 0.5 + alpha,
        prior_real=0.25,
        cost_false_alarm=1000,
        cost_missed_detection=2000,
    )
    assert row["cost_false_alarm"] == pytest.approx(75)
    assert row["cost_missed_detection"] == pytest.approx(200)
    assert row["cost_total"] == pytest.approx(275)


def test_decisions_by_hand():
    counts = error_prices.count_decisions([1, 1, 1, 0, 0, 0], [1, 0, 0, 1, 0, 0])
    assert counts == {"caught": 1, "false_alarms": 2, "missed": 1, "cleared": 2}
    priced = error_prices.price_decisions(counts, cost_false_alarm=3, cost_missed_detection=12)
    assert priced["false_alarm_rate"] == pytest.approx(2 / 4)
    assert priced["missed_rate"] == pytest.approx(1 / 2)
    assert priced["wrong_flag_share"] == pytest.approx(2 / 3)
    assert priced["cost_per_client"] == pytest.approx((2 * 3 + 12) / 6)


def test_decisions_without_flags_have_no_share_of_wrong_ones():
    priced = error_prices.price_decisions(
        error_prices.count_decisions([0, 0], [1, 0]), cost_false_alarm=1, cost_missed_detection=1
    )
    assert priced["wrong_flag_share"] is None
    assert priced["missed_rate"] == 1


def test_break_even_is_where_both_decisions_cost_the_same():
    p = error_prices.break_even_probability(2000, 10_000)
    assert (1 - p) * 2000 == pytest.approx(p * 10_000)


def test_rules_run_from_everybody_to_nobody():
    found = context.describe_classifier_errors(
        [-2, 0, 1, 2, 3],
        [0, 0, 1, 0, 1],
        column="PAY_0",
        at_least=[1, 2],
        costs={"client_false_alarm": 1, "client_missed_detection": 4},
    )
    assert [r["missed"] for r in found["rules"]] == [0, 0, 1, 2]
    assert [r["false_alarms"] for r in found["rules"]] == [3, 1, 1, 0]
    assert found["break_even"] == pytest.approx(0.2)


def test_studies_keep_two_clients_in_each_group():
    assert context.split_study(20, 0.001) == (2, 18)
    assert context.split_study(1000, 0.22) == (220, 780)
