"""Paired comparison: worked examples, second libraries, and the words it allows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from creditrisk.metrics import comparison as c
from creditrisk.metrics.discrimination import delong


def sample(seed: int, n: int = 300):
    rng = np.random.default_rng(seed)
    p = np.round(rng.beta(1.5, 4, n), 2)
    return (rng.random(n) < p).astype(int), p


def test_weighted_ranking_equals_scikit_learn_with_weights():
    y, p = sample(0)
    weights = np.random.default_rng(1).integers(0, 4, (5, len(y))).astype(float)
    figures = c.weighted_ranking(y, p, weights)
    for i, w in enumerate(weights):
        false_rate, true_rate, _ = roc_curve(y, p, sample_weight=w, drop_intermediate=False)
        assert figures["roc_auc"][i] == pytest.approx(roc_auc_score(y, p, sample_weight=w))
        assert figures["ks"][i] == pytest.approx(np.abs(true_rate - false_rate).max())
        assert figures["pr_auc"][i] == pytest.approx(average_precision_score(y, p, sample_weight=w))


def test_draws_keep_groups_whole_and_do_not_depend_on_chunks():
    groups = np.array([7, 7, 1, 3, 3, 3])
    draws = np.concatenate(list(c.group_draws(groups, n_replicates=40, random_state=0)))
    again = np.concatenate(list(c.group_draws(groups, n_replicates=40, random_state=0, chunk=7)))
    assert np.array_equal(draws, again)
    assert np.array_equal(draws[:, 0], draws[:, 1])
    assert np.array_equal(draws[:, 3], draws[:, 5])
    assert (draws[:, [0, 2, 3]].sum(1) == 3).all()  # three groups drawn each time


def test_bootstrap_interval_agrees_with_delong_where_every_row_is_its_own_group():
    y, p = sample(2, n=2000)
    replicates = c.bootstrap(y, {"m": p}, np.arange(len(y)), n_replicates=800, random_state=0)
    _, covariance = delong(y, p)
    spread = np.std(replicates["m"]["roc_auc"])
    assert spread == pytest.approx(np.sqrt(covariance[0, 0]), rel=0.1)


def test_copies_of_clients_widen_a_grouped_interval_only():
    y, p = sample(3, n=500)
    doubled = {"m": np.repeat(p, 2)}
    settings = {"n_replicates": 600, "random_state": 0}
    single = np.std(c.bootstrap(y, {"m": p}, np.arange(500), **settings)["m"]["roc_auc"])
    grouped = c.bootstrap(np.repeat(y, 2), doubled, np.repeat(np.arange(500), 2), **settings)
    naive = c.bootstrap(np.repeat(y, 2), doubled, np.arange(1000), **settings)
    assert np.std(grouped["m"]["roc_auc"]) == pytest.approx(single, rel=0.1)
    assert np.std(naive["m"]["roc_auc"]) < 0.8 * single


def test_bootstrap_is_paired():
    y, p = sample(4)
    replicates = c.bootstrap(
        y, {"a": p, "b": p}, np.arange(len(y)), n_replicates=100, random_state=0
    )
    for metric in c.HIGHER_IS_BETTER:
        assert np.array_equal(replicates["a"][metric], replicates["b"][metric])


def test_nadeau_bengio_hand_worked():
    # mean 0.02, s² = 0.0001/... of (.01, .02, .03, .02): s² = 2e-4 / 3
    # se² = (1/4 + 1/3) · s², t = mean / se with 3 degrees of freedom
    row = c.nadeau_bengio(np.array([0.01, 0.02, 0.03, 0.02]), 1 / 3)
    se = np.sqrt((1 / 4 + 1 / 3) * 2e-4 / 3)
    assert row["difference"] == pytest.approx(0.02)
    assert row["se"] == pytest.approx(se)
    assert row["p"] == pytest.approx(2 * stats.t.sf(0.02 / se, 3))
    assert row["df"] == 3


def test_nadeau_bengio_is_wider_than_the_plain_t():
    differences = np.random.default_rng(0).normal(0.01, 0.01, 10)
    corrected = c.nadeau_bengio(differences, 1 / 4)
    assert corrected["p"] > stats.ttest_1samp(differences, 0).pvalue
    assert c.nadeau_bengio(differences, 0.0)["p"] == pytest.approx(
        stats.ttest_1samp(differences, 0).pvalue
    )


def test_equal_differences_and_single_folds():
    assert c.nadeau_bengio(np.zeros(5), 0.25)["p"] == 1
    assert c.nadeau_bengio(np.full(5, 0.5), 0.25)["p"] == 0
    with pytest.raises(ValueError, match="two folds"):
        c.nadeau_bengio(np.array([0.1]), 0.25)


def test_a_difference_that_never_varies_is_certain():
    assert c.paired_bootstrap(0.0, np.zeros(5))["p"] == 1
    assert c.paired_bootstrap(0.5, np.full(5, 0.5))["p"] == 0


def rows(**p_values: float) -> dict[str, dict[str, float]]:
    """Comparisons of standard error 1 whose differences give these p-values."""
    return {
        name: {"difference": float(stats.norm.isf(p / 2)), "se": 1.0, "p": p, "df": 0}
        for name, p in p_values.items()
    }


def test_holm_hand_worked():
    # ordered p .01, .02, .04 times 3, 2, 1 -> .03, .04, .04
    table = c.holm(rows(b=0.02, a=0.01, c=0.04), 0.05)
    assert [table[n]["p_adjusted"] for n in "abc"] == pytest.approx([0.03, 0.04, 0.04])


def test_holm_interval_excludes_zero_where_the_adjusted_p_is_small():
    table = c.holm(rows(a=0.01, b=0.03, c=0.6), 0.05)
    words = {name: c.verdict(row, "roc_auc", 0.05) for name, row in table.items()}
    assert words == {"a": "better", "b": "within noise", "c": "within noise"}
    assert table["a"]["low"] > 0
    assert table["b"]["low"] < 0  # alone its 95 % interval would exclude 0
    assert c.holm({}, 0.05) == {}


@pytest.mark.parametrize(
    ("metric", "difference", "word"),
    [("roc_auc", 0.1, "better"), ("roc_auc", -0.1, "worse"), ("log_loss", 0.1, "worse")],
)
def test_verdict_knows_the_direction_of_a_metric(metric, difference, word):
    row = {
        "difference": difference,
        "low": difference - 0.05,
        "high": difference + 0.05,
        "p_adjusted": 0.001,
    }
    assert c.verdict(row, metric, 0.05) == word


def test_no_better_without_a_small_adjusted_p():
    row = {"difference": 0.1, "low": 0.05, "high": 0.15, "p_adjusted": 0.2}
    assert c.verdict(row, "roc_auc", 0.05) == "within noise"


def test_paired_bootstrap_is_a_normal_interval_of_the_spread():
    replicates = np.random.default_rng(0).normal(0.02, 0.01, 5000)
    row = c.paired_bootstrap(0.02, replicates)
    assert row["se"] == pytest.approx(0.01, rel=0.05)
    assert row["p"] == pytest.approx(2 * stats.norm.sf(0.02 / row["se"]))
    assert c.paired_bootstrap(0.0, np.zeros(10))["p"] == 1
