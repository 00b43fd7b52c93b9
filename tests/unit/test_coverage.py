"""Coverage by simulation: against theory, exact enumeration and by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln
from statsmodels.stats.proportion import proportion_confint

from creditrisk.errors import UserError
from creditrisk.stats.intervals import MEAN_METHODS
from creditrisk.stats.samples import NotApplicableError
from creditrisk.stats.simulation import coverage
from creditrisk.stats.simulation.coverage import Design

# nearly normal, 2,001 distinct values
NORMAL = stats.norm.ppf((np.arange(2001) + 0.5) / 2001)
# as skewed as amounts are, few distinct values as limits have
SKEWED = np.random.default_rng(1).lognormal(11.5, 1.0, 3000).round(-4) + 10_000


def design(**changes):
    return Design(
        **{
            "sizes": (20,),
            "n_samples": 1000,
            "n_bootstrap": 199,
            "confidence": 0.95,
            "gate_size": 20,
            "gate_level": 0.999,
            "random_state": 3,
        }
        | changes
    )


def by_method(document, n=20):
    return {row["method"]: row for row in document["rows"] if row["n"] == n}


def test_theory_holds_for_normal_values():
    """t covers 95 % exactly; z at 20 values covers P(|t_19| < 1.96) = 93.5 %."""
    found = by_method(coverage.simulate(NORMAL, design(n_samples=3000, n_bootstrap=39)))
    z = stats.norm.ppf(0.975)
    expected = {"t": 0.95, "normal": 1 - 2 * stats.t.sf(z, 19)}
    for method, share in expected.items():
        assert found[method]["low"] <= share <= found[method]["high"]
        # t of a symmetric sample misses on both sides alike
        noise = 4 * np.sqrt((1 - share) / 3000)
        assert abs(found[method]["below"] - found[method]["above"]) < noise
    # width of the normal interval: 2 z E[s] / sqrt(n), E[s] of a normal sample (c4)
    c4 = np.sqrt(2 / 19) * np.exp(gammaln(10) - gammaln(9.5))
    expected_width = 2 * z * NORMAL.std() * c4 / np.sqrt(20)
    assert found["normal"]["width"] == pytest.approx(expected_width, rel=0.01)


def test_a_skewed_population_is_missed_on_one_side_and_bootstrap_t_mends_it():
    """Hall (1988): studentised and BCa correct for skewness, normal and basic do not."""
    found = by_method(coverage.simulate(SKEWED, design(n_samples=2000, n_bootstrap=399)))
    assert list(found) == list(MEAN_METHODS)
    for row in found.values():
        assert row["coverage"] + row["below"] + row["above"] == pytest.approx(1)
    assert found["normal"]["below"] > 3 * found["normal"]["above"]
    assert found["normal"]["coverage"] < found["bca"]["coverage"] < found["studentised"]["coverage"]
    assert found["basic"]["coverage"] < found["percentile"]["coverage"]
    assert found["studentised"]["low"] > found["basic"]["high"]


def test_the_gate_follows_the_numbers():
    """The same skewed population: too few at 10 values, enough at 800."""
    sizes = {"sizes": (10, 800), "n_samples": 600, "n_bootstrap": 199}
    small = coverage.simulate(SKEWED, design(**sizes, gate_size=10))
    assert not small["gate"]["passes"]
    failed = {row["method"] for row in small["gate"]["methods"] if not row["holds"]}
    assert {"normal", "basic", "percentile"} <= failed
    large = coverage.simulate(SKEWED, design(**sizes, gate_size=800))
    assert large["gate"]["passes"]
    assert large["gate"]["n"] == 800
    assert large["rows"] == small["rows"]  # the gate judges, it draws nothing


def test_threads_and_other_sizes_change_nothing_and_more_samples_extend():
    one = coverage.draw_intervals(SKEWED, 20, design(n_samples=35))
    assert one.shape == (35, 6, 2)
    assert (one[..., 0] < one[..., 1]).all()
    np.testing.assert_array_equal(
        one, coverage.draw_intervals(SKEWED, 20, design(n_samples=35), n_jobs=3)
    )
    more = coverage.draw_intervals(SKEWED, 20, design(n_samples=50))
    np.testing.assert_array_equal(one[:30], more[:30])
    alone = by_method(coverage.simulate(SKEWED, design(n_samples=50)))
    beside = by_method(coverage.simulate(SKEWED, design(n_samples=50, sizes=(10, 20))))
    assert alone == beside


def test_intervals_of_one_drawn_sample_are_those_of_its_rows():
    """Skewness, error and t interval recomputed by scipy from the sample that was drawn."""
    seed = np.random.SeedSequence([3, 20]).spawn(1)[0]
    levels, frequencies = np.unique(SKEWED, return_counts=True)
    counts = coverage.draw_counts(np.random.default_rng(seed), frequencies, n=20, k=10)
    found = coverage.draw_intervals(SKEWED, 20, design(n_samples=10))
    for intervals, count in zip(found, counts, strict=True):
        rows = np.repeat(levels, count)
        theirs = stats.ttest_1samp(rows, 0).confidence_interval(0.95)
        np.testing.assert_allclose(intervals[MEAN_METHODS.index("t")], theirs, rtol=1e-9)


def test_a_row_is_counted_by_hand():
    """Truth 2: one interval below it, two above, one holds it, its end included."""
    found = np.array([[0, 1], [3, 5], [2.5, 4], [2, 6]])
    row = coverage.judge(found, 2.0, design(), n=7, method="t")
    exact = proportion_confint(1, 4, alpha=0.001, method="beta")
    assert row == {
        "n": 7,
        "method": "t",
        "coverage": 0.25,
        "low": pytest.approx(exact[0], rel=1e-9),
        "high": pytest.approx(exact[1], rel=1e-9),
        "below": 0.25,
        "above": 0.5,
        "width": 2.125,
    }


def test_exact_coverage_of_a_rate_by_listing_every_sample():
    """n = 3 from {0, 0, 1}: 27 samples, each interval built by statsmodels."""
    found = coverage.list_rate_coverage([0, 0, 1], [3], confidence=0.9)
    assert found["rate"] == pytest.approx(1 / 3)
    rows = {row["method"]: row for row in found["rows"]}
    for method in ("normal", "wilson"):
        inside = below = width = 0
        for sample in product([0, 0, 1], repeat=3):
            low, high = proportion_confint(sum(sample), 3, alpha=0.1, method=method)
            inside += low <= 1 / 3 <= high
            below += high < 1 / 3
            width += high - low
        assert rows[method]["coverage"] == pytest.approx(inside / 27), method
        assert rows[method]["below"] == pytest.approx(below / 27)
        if method == "wilson":  # theirs cuts the normal one at 0 and 1
            assert rows[method]["width"] == pytest.approx(width / 27)


def test_wald_is_poor_and_wilson_is_near_at_small_n():
    """Brown, Cai & DasGupta (2001), p. 104: n = 50, p = 0.005 has a Wald coverage of .2216."""
    outcomes = np.repeat([0, 1], [995, 5])
    rows = coverage.list_rate_coverage(outcomes, [50], confidence=0.95)["rows"]
    found = {row["method"]: row["coverage"] for row in rows}
    assert found["normal"] == pytest.approx(1 - 0.995**50, abs=0.001)
    assert found["wilson"] > 0.95


def test_what_has_no_coverage_says_so():
    with pytest.raises(NotApplicableError, match="x: all 5 values are equal"):
        coverage.simulate(np.ones(5), design(), name="x")
    with pytest.raises(UserError, match="x: 1 of 2 values are missing or infinite"):
        coverage.simulate([1.0, np.inf], design(), name="x")
    with pytest.raises(NotApplicableError, match="a sample of 2 has no spread; draw larger"):
        coverage.simulate([0.0, 1.0], design(sizes=(2,)))
    with pytest.raises(UserError, match="default: expected 0 and 1 only"):
        coverage.list_rate_coverage([0, 1, 2], [5], confidence=0.95, name="default")
    with pytest.raises(NotApplicableError, match="all 3 values are equal"):
        coverage.list_rate_coverage([1, 1, 1], [5], confidence=0.95)
