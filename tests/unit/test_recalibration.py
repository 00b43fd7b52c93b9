"""The three maps, their cross-fitting, and the rule for what is served."""

from __future__ import annotations

import numpy as np
import pytest
from mapie.calibration import VennAbers
from scipy import stats
from sklearn.isotonic import IsotonicRegression

from creditrisk.metrics.calibration import logit, row_log_loss
from creditrisk.metrics.calibration_inference import affine, gate
from creditrisk.models import recalibration as r
from creditrisk.models.folds import deal_folds


def sample(seed: int, n: int = 1500, *, slope: float = 1.0, shift: float = 0.0):
    """Labels drawn from p; what is shown is off by slope and shift; few rows share a group."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1.5, 4, n)
    y = (rng.random(n) < p).astype(int)
    shown = 1 / (1 + np.exp(-(logit(p) - shift) / slope))
    return y, shown, rng.integers(0, 5 * n, n), np.arange(n) % 25 > 0


def joined(y: np.ndarray, p: np.ndarray, at: float, label: int) -> float:
    """Fit isotonic regression to all rows and one more."""
    fit = IsotonicRegression().fit(np.append(p, at), np.append(y, label))
    return float(fit.predict([at])[0])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("digits", [1, 2, 9])
def test_venn_abers_is_two_isotonic_fits_for_every_probability(seed, digits):
    rng = np.random.default_rng(seed)
    p = np.round(rng.random(60), digits)
    y = (rng.random(60) < p).astype(int)
    between = rng.random(20)
    asked = np.concatenate([p[:20], between, [0.0, 1.0, 1.2]])
    p0 = np.array([joined(y, p, at, 0) for at in asked])
    p1 = np.array([joined(y, p, at, 1) for at in asked])
    assert r.fit_venn_abers(y, p)(asked) == pytest.approx(p1 / (1 - p0 + p1), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_venn_abers_agrees_with_mapies(seed):
    y, p, _, _ = sample(seed, n=500)
    _, asked, _, _ = sample(seed + 100, n=300)
    asked = asked[(asked > p.min()) & (asked < p.max())]
    oracle = VennAbers()
    with np.errstate(invalid="ignore"):  # it divides 0 by 0 and takes no notice
        oracle.fit(np.stack([1 - p, p], axis=1), y)
    expected = oracle.predict_proba(np.stack([1 - asked, asked], axis=1))[0][:, 1]
    assert r.fit_venn_abers(y, p)(asked) == pytest.approx(expected, abs=1e-9)


def test_joined_as_one_hand_worked():
    # values 1, 2, 3 with labels 0, 1, 0 and one more positive: at 1 the mean of all four,
    # (0 + 1 + 1 + 0) / 4; at 2 that of 2 and 3, (1 + 1 + 0) / 3, above the 0 before it;
    # at 3 value 2 stays above (0 + 1) / 2, so again (1 + 0 + 1) / 3
    n, positives = np.array([1, 1, 1]), np.array([0.0, 1.0, 0.0])
    assert r.joined_as_one(n, positives) == pytest.approx([1 / 2, 2 / 3, 2 / 3])


def test_no_map_gives_certainty_where_venn_abers_is_used():
    y, p, _, _ = sample(1, n=300)
    ends = np.array([0.0, 1.0])
    assert (r.fit_isotonic(y, p)(ends) == [0, 1]).any()
    assert ((r.fit_venn_abers(y, p)(ends) > 0) & (r.fit_venn_abers(y, p)(ends) < 1)).all()


def test_sigmoid_undoes_an_affine_distortion():
    y, p, _, _ = sample(2, n=30_000, slope=0.6, shift=0.5)
    honest = 1 / (1 + np.exp(-(0.6 * logit(p) + 0.5)))
    assert r.fit_sigmoid(y, p)(p) == pytest.approx(honest, abs=0.02)


def test_sigmoid_leaves_a_constant_as_it_is():
    y = np.tile([0, 0, 0, 1], 20)
    assert r.fit_sigmoid(y, np.full(80, 0.3))(np.array([0.1, 0.3])).tolist() == [0.1, 0.3]


def test_no_row_is_mapped_by_a_fit_that_saw_its_group_or_a_row_kept_out():
    y, p, groups, fit_row = sample(3, n=400)
    folds = deal_folds(y, groups, n_folds=4, n_repeats=1, random_state=0)[0]
    seen = []

    def spy(labels: np.ndarray, probabilities: np.ndarray):
        seen.append(set(probabilities))
        return lambda q: np.full(len(q), len(seen))

    mapped = r.cross_fitted(y, p, fit_row, folds, spy)
    assert set(mapped) == {1, 2, 3, 4}
    for number, learnt in enumerate(seen, start=1):
        own = mapped == number
        assert not set(groups[own]) & set(groups[np.isin(p, list(learnt))])
        assert not learnt & set(p[~fit_row])
        assert learnt == set(p[~own & fit_row])


def test_arms_are_none_as_given_and_three_others():
    y, p, groups, fit_row = sample(4)
    arms = r.recalibrate(y, p, groups, fit_row, n_folds=5, random_state=0)
    assert list(arms) == ["none", "sigmoid", "isotonic", "venn_abers"]
    assert arms["none"] is p
    again = r.recalibrate(y, p, groups, fit_row, n_folds=5, random_state=0)
    assert all(np.array_equal(arms[arm], again[arm]) for arm in arms)


def compare(y, p, groups, fit_row):
    arms = r.recalibrate(y, p, groups, fit_row, n_folds=5, random_state=0)
    return arms, r.compare_arms(y, arms, groups, alpha=0.05, margins={})


def test_a_difference_is_of_mean_losses_and_its_error_sums_over_groups():
    y, p, _, fit_row = sample(5)
    groups = np.arange(len(y)) // 2
    arms, table = compare(y, p, groups, fit_row)
    row = table["isotonic"]["differences"]["log_loss"]
    d = row_log_loss(y, arms["isotonic"]) - row_log_loss(y, p)
    pairs = d.reshape(-1, 2).sum(axis=1)
    assert row["difference"] == pytest.approx(d.mean())
    assert row["difference"] == pytest.approx(
        table["isotonic"]["log_loss"] - table["none"]["log_loss"]
    )
    assert row["se"] == pytest.approx(stats.sem(pairs) / 2)
    assert "differences" not in table["none"]


def test_holm_runs_over_arms_and_losses_together():
    _, table = compare(*sample(6))
    rows = [table[arm]["differences"][loss] for arm in r.MAPS for loss in r.ROW_LOSSES]
    smallest = min(rows, key=lambda row: row["p"])
    assert len(rows) == 6
    assert smallest["p_adjusted"] == pytest.approx(min(1, 6 * smallest["p"]))


def test_calibrated_probabilities_are_served_as_they_are():
    y, p, groups, fit_row = sample(7, n=20_000)
    _, table = compare(y, p, groups, fit_row)
    assert table["none"]["gate"]["promotable"]
    assert table["sigmoid"]["differences"]["log_loss"]["verdict"] == "within noise"
    assert r.choose_calibration(table, y, p, fit_row) is None


def test_stretched_probabilities_get_the_line_of_all_fit_rows():
    y, p, groups, fit_row = sample(8, n=20_000, slope=0.7, shift=0.2)
    arms, table = compare(y, p, groups, fit_row)
    assert table["sigmoid"]["differences"]["log_loss"]["verdict"] == "better"
    served = r.choose_calibration(table, y, p, fit_row)
    assert served["slope"] == pytest.approx(0.7, abs=0.03)
    assert served["intercept"] == pytest.approx(0.2, abs=0.05)
    moved = r.as_served(p, served)
    assert gate(y, moved, groups)["promotable"]
    assert np.abs(moved - arms["sigmoid"]).max() < 0.02


def arms(verdict: str, *, without: bool, with_line: bool) -> dict:
    return {
        "none": {"gate": {"promotable": without}},
        "sigmoid": {
            "gate": {"promotable": with_line},
            "differences": {"log_loss": {"verdict": verdict}},
        },
    }


@pytest.mark.parametrize(
    ("verdict", "without", "with_line", "mapped"),
    [
        ("better", True, True, True),
        ("better", False, False, True),
        ("within noise", True, True, False),
        ("within noise", True, False, False),
        ("within noise", False, True, True),  # the gate needs it
        ("within noise", False, False, False),
        ("worse", True, True, False),
    ],
)
def test_the_rule(verdict, without, with_line, mapped):
    y, p, _, fit_row = sample(9, n=300)
    table = arms(verdict, without=without, with_line=with_line)
    served = r.choose_calibration(table, y, p, fit_row)
    assert (served is not None) == mapped


def test_isotonic_is_never_served_however_much_better_it_is():
    y, p, _, fit_row = sample(10, n=300)
    table = arms("within noise", without=True, with_line=True)
    table["isotonic"] = {
        "gate": {"promotable": True},
        "differences": {"log_loss": {"verdict": "better"}},
    }
    assert r.choose_calibration(table, y, p, fit_row) is None


def test_as_served():
    p = np.array([0.1, 0.6])
    assert r.as_served(p, None) is p
    line = {"slope": 0.9, "intercept": -0.1}
    assert np.array_equal(r.as_served(p, line), affine(p, **line))
