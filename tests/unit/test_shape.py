"""Normal quantiles against statsmodels and hand-worked positions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.graphics.gofplots import ProbPlot

from creditrisk.errors import UserError
from creditrisk.stats import shape
from creditrisk.stats.samples import NotApplicableError

SAMPLE = np.random.default_rng(12).gamma(2.0, size=83)


def test_all_points_equal_statsmodels():
    found = shape.normal_quantiles(SAMPLE, 83)
    standard = (SAMPLE - SAMPLE.mean()) / SAMPLE.std(ddof=1)
    theirs = ProbPlot(standard, a=3 / 8)
    np.testing.assert_allclose(found["theoretical"], theirs.theoretical_quantiles, rtol=1e-9)
    np.testing.assert_allclose(found["observed"], np.sort(standard), rtol=1e-9)


def test_positions_by_hand():
    """Three points: Blom's positions (5/8, 13/8, 21/8) / (13/4)."""
    found = shape.normal_quantiles([1.0, 2.0, 6.0], 3)
    expected = stats.norm.ppf([5 / 26, 0.5, 21 / 26])
    np.testing.assert_allclose(found["theoretical"], expected, atol=1e-12)
    sd = np.std([1, 2, 6], ddof=1)
    np.testing.assert_allclose(found["observed"], (np.array([1, 2, 6]) - 3) / sd, rtol=1e-12)


def test_fewer_points_lie_on_the_same_curve():
    """A normal sample lies on the diagonal, whatever the number of points."""
    sample = 5 + 3 * stats.norm.ppf((np.arange(1, 10_001) - 0.5) / 10_000)
    found = shape.normal_quantiles(sample, 25)
    assert len(found["observed"]) == len(found["theoretical"]) == 25
    np.testing.assert_allclose(found["observed"], found["theoretical"], atol=2e-3)


def test_no_more_points_than_values():
    assert len(shape.normal_quantiles(SAMPLE, 500)["observed"]) == 83


@pytest.mark.parametrize("seed", range(3))
def test_a_shift_and_a_scale_change_nothing(seed):
    sample = np.random.default_rng(seed).exponential(size=40)
    plain, moved = (shape.normal_quantiles(x, 12) for x in (sample, 7 + 100 * sample))
    np.testing.assert_allclose(plain["observed"], moved["observed"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("sample", "n_points", "error", "words"),
    [
        ([], 5, NotApplicableError, "AGE: 0 values"),
        ([1.0], 5, NotApplicableError, "AGE: 1 value,"),
        ([2.0, 2.0], 5, NotApplicableError, "AGE: all 2 values are equal"),
        ([1.0, np.nan], 5, UserError, "AGE: 1 of 2"),
        ([1.0, np.inf], 5, UserError, "AGE: 1 of 2"),
        ([1.0, 2.0], 1, UserError, "n_points: expected at least 2"),
    ],
)
def test_samples_without_quantiles_say_why(sample, n_points, error, words):
    with pytest.raises(error, match=words):
        shape.normal_quantiles(sample, n_points, name="AGE")
