"""Simulated power: the effect that is put in, agreement with the closed form, where it is off."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import power
from creditrisk.stats.samples import NotApplicableError
from creditrisk.stats.simulation import effects, many_tests, power_simulation
from creditrisk.stats.simulation.power_simulation import Panel

RNG = np.random.default_rng(7)
N = 3000
OUTCOME = (RNG.random(N) < 0.3).astype(int)
COLUMNS = {
    "tame": np.round(RNG.normal(100, 15, N)),
    "wild": np.round(RNG.lognormal(8, 2.2, N)),
    "code": RNG.choice([0, 1, 2], N, p=[0.6, 0.3, 0.1]),
    "outcome": OUTCOME,
    "group": RNG.choice(["a", "b", "c"], N, p=[0.5, 0.3, 0.2]),
}
COLUMNS["code"] = np.where(OUTCOME & (RNG.random(N) < 0.2), 2, COLUMNS["code"])
SETTINGS = {"sizes": [200], "n_effects": 3, "alpha": 0.05, "n_simulations": 600, "random_state": 4}
TAME = [
    Panel("welch_t", "tame", "outcome", 0.2),
    Panel("mann_whitney", "tame", "outcome", 0.1),
    Panel("chi_square", "code", "outcome", 0.1),
    Panel("anova", "tame", "group", 0.02),
]


def test_closed_form_is_right_on_a_column_that_meets_its_assumptions():
    found = power_simulation.simulate(TAME, COLUMNS, **SETTINGS)
    assert found["n_compared"] == 12
    for panel in found["panels"]:
        (study,) = panel["studies"]
        assert study["points"][0]["effect"] == 0
        assert study["points"][0]["closed"] == pytest.approx(0.05)
        assert study["points"][-1]["effect"] == pytest.approx(2 * panel["smallest_effect"], rel=0.1)
        for point in study["points"]:
            assert point["share"] == pytest.approx(point["closed"], abs=0.07)
            assert not point["off"]


def test_closed_form_is_off_on_a_long_tail_and_that_is_marked():
    (panel,) = power_simulation.simulate(
        [Panel("welch_t", "wild", "outcome", 0.2)], COLUMNS, **SETTINGS
    )["panels"]
    assert any(point["off"] for point in panel["studies"][0]["points"])
    assert panel["facts"]["skewness"] == pytest.approx(stats.skew(COLUMNS["wild"]))


def test_off_follows_the_exact_interval():
    """60 of 600 with a closed form of .05: binom.sf(59, 600, .05) is about 2e-7."""
    assert power_simulation.is_off({"share": 0.1, "closed": 0.05}, 600, 0.001)
    assert not power_simulation.is_off({"share": 0.1, "closed": 0.1}, 600, 0.001)


def test_threads_change_nothing():
    assert power_simulation.simulate(TAME, COLUMNS, n_jobs=1, **SETTINGS) == (
        power_simulation.simulate(TAME, COLUMNS, n_jobs=3, **SETTINGS)
    )


@pytest.mark.parametrize("v", [0.0, 0.1, 0.25])
def test_tables_are_drawn_with_the_wanted_v(v):
    """In one very large study the raw V is the population's."""
    counts = np.array([[500.0, 220, 60], [100, 80, 40]])
    design = effects.draw_table(counts, v, np.array([1_600_000, 400_000]))
    (table,) = design.draw(np.random.default_rng(0), 1)
    assert np.sqrt(stats.chi2_contingency(table).statistic / 2e6) == pytest.approx(v, abs=0.003)
    assert table.sum(axis=0) / 2e6 == pytest.approx(counts.sum(axis=0) / 1000, abs=0.002)


def test_associations_that_the_rates_cannot_carry_are_refused():
    counts = np.array([[90.0, 10], [0.0, 20]])
    with pytest.raises(NotApplicableError, match="no such association"):
        effects.draw_table(counts, 0.99, np.array([50, 50]))
    with pytest.raises(NotApplicableError, match="all equal"):
        effects.draw_table(np.ones((2, 3)), 0.1, np.array([50, 50]))


def test_shifts_of_means_put_the_wanted_share_between_groups():
    sizes, sd = np.array([60, 30, 10]), 5.0
    (shifts,) = effects.shifts_of_means(np.array([1.0, 3.0, 2.0]), sizes, np.array([0.04]), sd)
    weights = sizes / 100
    between = (weights * (shifts - (weights * shifts).sum()) ** 2).sum()
    assert between / (between + sd**2) == pytest.approx(0.04)
    assert np.argsort(shifts).tolist() == [0, 2, 1]  # the pattern of the means
    with pytest.raises(NotApplicableError, match="no pattern"):
        effects.shifts_of_means(np.ones(3), sizes, np.array([0.04]), sd)


def test_rank_shift_by_hand():
    """Values 0, 10, 20 moved by 10: of nine pairs six lie above, two tie: r = 6/9 − 1/9."""
    values = np.array([0.0, 10.0, 20.0])
    ((none, zero), (shift, r)) = effects.shifts_in_ranks(values, np.array([0.0, 0.5]))
    assert (none[0], zero) == (0, 0)
    assert shift.tolist() == [10.0, 0.0]
    assert r == pytest.approx(5 / 9)


@pytest.mark.parametrize("wanted", [0.05, 0.15])
def test_rank_shift_equals_scipy_on_all_pairs(wanted):
    values = COLUMNS["wild"][:400]
    (shift, r) = effects.shifts_in_ranks(values, np.array([wanted]))[0]
    u = stats.mannwhitneyu(values + shift[0], values, method="asymptotic").statistic
    assert r == pytest.approx(2 * u / 400**2 - 1)
    assert r == pytest.approx(wanted, abs=0.02)


def test_groups_are_moved_by_their_shift():
    values = np.array([1.0, 2.0, 4.0])
    design = effects.draw_shifted(values, np.array([0.5, 0.0, 3.0]), np.array([40, 40, 40]), 0.1)
    counts = design.draw(np.random.default_rng(1), 4)
    for group, shift in enumerate((0.5, 0.0, 3.0)):
        held = design.levels[counts[:, group].sum(axis=0) > 0]
        assert held.tolist() == (values + shift).tolist()
    assert (many_tests.moments(counts, design.levels)[0] == 40).all()


def test_closed_forms_are_those_of_power():
    sizes = np.array([150, 50])
    expected = power.chi_square_power(0.2, 200, 2, 5, 0.05)
    assert power_simulation.closed_form("chi_square", 0.2, sizes, 5, 0.05) == expected
    expected = power.mean_difference_power(0.2, 150, 50, 0.05)
    assert power_simulation.closed_form("welch_t", 0.2, sizes, 9, 0.05) == expected


def test_what_cannot_be_simulated_is_said():
    with pytest.raises(UserError, match="kind: expected one of"):
        power_simulation.simulate([Panel("sign", "tame", "outcome", 0.1)], COLUMNS, **SETTINGS)
    with pytest.raises(NotApplicableError, match="tame: all 3000 values are equal"):
        power_simulation.simulate(TAME[:1], COLUMNS | {"tame": np.ones(N)}, **SETTINGS)
    with pytest.raises(NotApplicableError, match="outcome: all 3000 labels are equal"):
        power_simulation.simulate(TAME[:1], COLUMNS | {"outcome": np.ones(N)}, **SETTINGS)
    holes = COLUMNS | {"tame": np.array([np.inf, *COLUMNS["tame"][1:]])}
    with pytest.raises(UserError, match="tame: 1 of 3000 values are missing or infinite"):
        power_simulation.simulate(TAME[:1], holes, **SETTINGS)
