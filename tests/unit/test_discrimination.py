"""Ranking figures against second libraries and hand-worked samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from creditrisk.metrics import discrimination as d


def sample(seed: int, n: int = 400, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(1.5, 4, n)
    y = (rng.random(n) < p).astype(int)
    return y, np.round(p, 1) if ties else p


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_gini_is_twice_auc_less_one_and_ks_is_the_two_sample_distance(seed, ties):
    y, p = sample(seed, ties=ties)
    assert d.gini(y, p) == pytest.approx(2 * d.roc_auc(y, p) - 1)
    assert d.ks(y, p) == pytest.approx(stats.ks_2samp(p[y == 1], p[y == 0]).statistic)


def test_summary_holds_the_same_figures_as_each_alone():
    y, p = sample(0)
    expected = {
        "roc_auc": d.roc_auc(y, p),
        "gini": d.gini(y, p),
        "ks": d.ks(y, p),
        "pr_auc": d.pr_auc(y, p),
    }
    assert d.summary(y, p) == pytest.approx(expected)


def test_hand_worked_auc():
    # 4 pairs of default and other: .9 beats both, .4 beats .3 and ties with .4
    y, p = np.array([1, 1, 0, 0]), np.array([0.9, 0.4, 0.4, 0.3])
    assert d.roc_auc(y, p) == pytest.approx(3.5 / 4)


@pytest.mark.parametrize("function", [d.roc_auc, d.gini, d.ks, d.pr_auc, d.summary])
def test_one_class_alone_is_refused(function):
    with pytest.raises(ValueError, match="labels 0 and 1"):
        function(np.ones(5, dtype=int), np.linspace(0, 1, 5))


def test_reversed_scores_reverse_the_ranking():
    y, p = sample(1)
    assert d.roc_auc(y, p) + d.roc_auc(y, 1 - p) == pytest.approx(1)


def test_roc_on_a_fine_grid_integrates_to_the_auc():
    y, p = sample(2, n=3000)
    grid = np.linspace(0, 1, 20_001)
    area = np.trapezoid(d.roc_on_grid(y, p, grid), grid)
    assert area == pytest.approx(roc_auc_score(y, p), abs=1e-3)


def test_roc_takes_the_upper_end_of_a_vertical_rise():
    y, p = np.array([1, 1, 0]), np.array([0.9, 0.8, 0.1])
    assert d.roc_on_grid(y, p, np.array([0.0, 0.5, 1.0])).tolist() == [1.0, 1.0, 1.0]


def test_roc_is_flat_up_to_a_vertical_rise():
    # corners of the curve: (0, 0), (0, 1/2), (1/2, 1/2), (1/2, 1), (1, 1)
    y, p = np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.6])
    assert d.roc_on_grid(y, p, np.array([0.25, 0.5, 0.75])).tolist() == [0.5, 1.0, 1.0]


def test_precision_on_grid_hand_worked():
    # in order of p: default, other, default -> precision 1, 1/2, 2/3 at recall 1/2, 1/2, 1
    y, p = np.array([1, 0, 1]), np.array([0.9, 0.5, 0.2])
    assert d.precision_on_grid(y, p, np.array([0.25, 0.5, 1.0])) == pytest.approx([1, 1, 2 / 3])


def test_precision_on_a_fine_grid_averages_to_average_precision():
    y, p = sample(3, n=2000)
    grid = np.arange(1, y.sum() + 1) / y.sum()
    average = d.precision_on_grid(y, p, grid).mean()
    assert average == pytest.approx(average_precision_score(y, p), abs=1e-9)


def test_delong_against_its_definition_pair_by_pair():
    y, p = sample(4, n=60, ties=True)
    other = np.clip(p + np.random.default_rng(0).normal(0, 0.2, len(p)), 0, 1)
    aucs, covariance = d.delong(y, np.stack([p, other]))

    def placements(score):
        cases, controls = score[y == 1], score[y == 0]
        wins = (cases[:, None] > controls) + 0.5 * (cases[:, None] == controls)
        return wins.mean(1), wins.mean(0)

    by_case, by_control = zip(placements(p), placements(other), strict=True)
    expected = np.cov(by_case) / y.sum() + np.cov(by_control) / (1 - y).sum()
    assert aucs == pytest.approx([roc_auc_score(y, p), roc_auc_score(y, other)])
    assert covariance == pytest.approx(expected)


def test_delong_standard_error_agrees_with_the_bootstrap():
    y, p = sample(5, n=1500)
    _, covariance = d.delong(y, p)
    rng = np.random.default_rng(0)
    draws = [rng.integers(len(y), size=len(y)) for _ in range(400)]
    spread = np.std([roc_auc_score(y[i], p[i]) for i in draws])
    assert np.sqrt(covariance[0, 0]) == pytest.approx(spread, rel=0.12)
