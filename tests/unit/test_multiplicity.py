"""Corrections for many questions against scipy, hand-worked numbers and theory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import multiplicity


def test_holm_by_hand():
    """Sorted .01 .02 .03 .04 times 4 3 2 1 = .04 .06 .06 .04; each at least its forerunner."""
    assert multiplicity.adjust([0.03, 0.01, 0.04, 0.02], "holm") == pytest.approx(
        [0.06, 0.04, 0.06, 0.06]
    )


def test_bh_equals_scipy():
    p = np.random.default_rng(0).uniform(size=40) ** 2
    np.testing.assert_allclose(
        multiplicity.adjust(p.tolist(), "bh"), stats.false_discovery_control(p), rtol=1e-12
    )


def test_questions_that_could_not_be_asked_do_not_count():
    assert multiplicity.adjust([0.01, None, 0.04], "holm") == [
        pytest.approx(0.02),
        None,
        pytest.approx(0.04),
    ]
    assert multiplicity.adjust([None], "bh") == [None]


def test_order_of_the_corrections():
    """raw ≤ BH ≤ Holm ≤ 1, whatever the values."""
    p = np.random.default_rng(1).uniform(size=25)
    holm, bh = (np.array(multiplicity.adjust(p.tolist(), m)) for m in ("holm", "bh"))
    assert (p <= bh + 1e-15).all()
    assert (bh <= holm + 1e-15).all()
    assert (holm <= 1).all()


def test_holm_bounds_the_chance_of_any_false_alarm():
    """Without a correction ten null tests raise one in 40 % of families, with it in 5 %.

    A family raises a false alarm when its smallest adjusted p does, and that is ten
    times the smallest raw one, which is held on some families and then counted on all.
    """
    smallest = np.random.default_rng(2).uniform(size=(20_000, 10)).min(axis=1)
    for p in np.random.default_rng(4).uniform(size=(5, 10)):
        adjusted = multiplicity.adjust(p.tolist(), "holm")
        assert min(adjusted) == pytest.approx(min(1, 10 * p.min()))
    assert (smallest < 0.05).mean() == pytest.approx(
        multiplicity.family_wise_error(0.05, 10), abs=0.015
    )
    assert (10 * smallest < 0.05).mean() == pytest.approx(0.05, abs=0.007)


def test_bh_bounds_the_share_of_false_findings():
    """Half the nulls false: the mean false discovery proportion stays below α · m0/m."""
    rng = np.random.default_rng(3)
    shares = []
    for _ in range(400):
        p = 2 * stats.norm.sf(np.abs(np.r_[rng.normal(size=20), rng.normal(3, 1, size=20)]))
        found = np.array(multiplicity.adjust(p.tolist(), "bh")) < 0.1
        shares.append(found[:20].sum() / max(found.sum(), 1))
    assert 0.03 < np.mean(shares) < 0.065


def test_family_wise_error_of_one_question_is_alpha():
    assert multiplicity.family_wise_error(0.05, 1) == pytest.approx(0.05)
    assert multiplicity.family_wise_error(0.05, 14) == pytest.approx(1 - 0.95**14)


@pytest.mark.parametrize("p", [[-0.1], [1.1], [float("nan")]])
def test_impossible_p_values_are_refused(p):
    with pytest.raises(UserError, match="from 0 to 1"):
        multiplicity.adjust(p, "holm")


def test_unknown_method_is_refused():
    with pytest.raises(UserError, match="holm, bh"):
        multiplicity.adjust([0.1], "bonferroni")
