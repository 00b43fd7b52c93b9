"""Bins of one column: weight of evidence by hand and by a second library, codes, directions."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from creditrisk.errors import UserError
from creditrisk.models import binning
from creditrisk.models.binning import Bins, fit_bins, weight_of_evidence

SETTINGS = {"max_bins": 5, "max_prebins": 12, "min_bin_share": 0.02}
CODES = np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 8.0])


def status(n: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return codes like those of a month, and defaults that rise with the months past due."""
    rng = np.random.default_rng(seed)
    x = rng.choice(CODES, size=n, p=[0.1, 0.2, 0.4, 0.1, 0.1, 0.05, 0.03, 0.02])
    rate = np.where(x > 0, 0.2 + 0.08 * x, 0.12 + 0.05 * (x == -2))
    return x, (rng.random(n) < rate).astype(int)


def ratio(n: int = 2000, seed: int = 0, slope: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    return x, (rng.random(n) < 1 / (1 + np.exp(2 - slope * x))).astype(int)


def test_weight_of_evidence_and_information_value_by_hand():
    """Three bins hold 60, 30, 10 of 100 who pay and 10, 20, 20 of 50 who default."""
    good, bad = np.array([60, 30, 10]), np.array([10, 20, 20])
    woe = weight_of_evidence(good, bad)
    assert woe == pytest.approx([np.log(0.6 / 0.2), np.log(0.3 / 0.4), np.log(0.1 / 0.4)])
    bins = Bins(
        splits=np.array([1.0]), special=(), is_whole=True, n=good + bad, n_default=bad, woe=woe
    )
    by_hand = 0.4 * np.log(3) - 0.1 * np.log(0.75) - 0.3 * np.log(0.25)
    assert bins.information_value == pytest.approx(by_hand)


def test_a_bin_without_defaults_stays_finite_and_an_empty_one_is_neutral():
    woe = weight_of_evidence(np.array([80, 20, 0]), np.array([10, 0, 0]))
    assert woe[1] == pytest.approx(np.log((20.5 / 100) / (0.5 / 10)))
    assert woe[2] == 0.0


# the other library's table puts its row of totals into columns of numbers
@pytest.mark.filterwarnings("ignore:Setting an item of incompatible dtype")
@pytest.mark.parametrize("seed", range(3))
def test_counts_weights_and_information_value_are_those_of_optbinning(seed):
    from optbinning import OptimalBinning

    x, y = ratio(seed=seed)
    bins = fit_bins(x, y, trend="ascending", special=(), **SETTINGS)
    other = OptimalBinning(user_splits=bins.splits, user_splits_fixed=[True] * len(bins.splits))
    table = other.fit(x, y).binning_table
    built = table.build()
    k = len(bins.splits) + 1
    assert built["Count"].iloc[:k].tolist() == bins.n[:k].tolist()
    assert built["WoE"].iloc[:k].to_numpy(float) == pytest.approx(bins.woe[:k])
    assert table.iv == pytest.approx(bins.information_value)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("slope", "trend", "allowed"),
    [
        (2.0, "ascending", {"rises"}),
        (-2.0, "descending", {"falls"}),
        (2.0, "either", {"rises"}),
        (-2.0, "either", {"falls"}),
        (2.0, "descending", {"falls", "one bin"}),  # against the data: nothing to give
    ],
)
def test_the_default_rate_keeps_the_direction_that_is_imposed(seed, slope, trend, allowed):
    x, y = ratio(seed=seed, slope=slope)
    bins = fit_bins(x, y, trend=trend, special=(), **SETTINGS)
    assert binning.found_direction(bins) in allowed
    assert 0 < len(bins.splits) + 1 <= SETTINGS["max_bins"]
    assert bins.n[: len(bins.splits) + 1].min() >= 0.02 * len(x) - 1


def test_a_free_column_may_turn_where_a_directed_one_may_not():
    rng = np.random.default_rng(0)
    x = rng.random(3000)
    y = (rng.random(3000) < 0.1 + 1.6 * (x - 0.5) ** 2).astype(int)
    free = fit_bins(x, y, trend="free", special=(), **SETTINGS)
    assert binning.found_direction(free) == "rises and falls"
    either = fit_bins(x, y, trend="either", special=(), **SETTINGS)
    assert binning.found_direction(either) in {"rises", "falls"}
    assert free.information_value > either.information_value


def test_each_special_code_has_exactly_its_own_rows():
    x, y = status()
    bins = fit_bins(x, y, trend="ascending", special=(-2, -1, 0), **SETTINGS)
    k = len(bins.splits) + 1
    for i, code in enumerate((-2.0, -1.0, 0.0)):
        assert bins.n[k + i] == (x == code).sum()
        assert bins.n_default[k + i] == y[x == code].sum()
    assert bins.n[:k].sum() == (x > 0).sum()
    assert bins.n[-1] == 0
    assert bins.n.sum() == len(x)


def test_codes_that_the_fit_did_not_see():
    """A longer delay is the longest bin; what is no code at all is neutral."""
    x, y = status()
    bins = fit_bins(x, y, trend="ascending", special=(-2, -1, 0), **SETTINGS)
    last, other = len(bins.splits), len(bins.n) - 1
    strange = np.array([9.0, -3.0, -0.5, np.nan, np.inf])
    assert bins.index(strange).tolist() == [last, other, other, other, other]
    assert bins.woe[other] == 0.0
    without = x != -2
    absent = fit_bins(x[without], y[without], trend="ascending", special=(-2, -1, 0), **SETTINGS)
    assert absent.woe[absent.index(np.array([-2.0]))[0]] == 0.0


def test_a_column_of_special_codes_alone_has_one_neutral_bin_beside_them():
    x, y = np.repeat([-1.0, 0.0], 50), np.tile([0, 0, 0, 1], 25)
    bins = fit_bins(x, y, trend="ascending", special=(-2, -1, 0), **SETTINGS)
    assert bins.woe[bins.index(np.array([2.0]))[0]] == 0.0
    assert binning.found_direction(bins) == "one bin"


def test_bins_in_words():
    x, y = status()
    bins = fit_bins(x, y, trend="ascending", special=(-2, -1, 0), **SETTINGS)
    words = binning.labels(bins, {-2.0: "no consumption", -1.0: "paid in full", 0.0: "revolving"})
    assert words[0] == "1"
    assert words[len(bins.splits)].endswith("or more")
    assert words[-4:] == [
        "no consumption (−2)",
        "paid in full (−1)",
        "revolving (0)",
        "anything else",
    ]
    real = Bins(np.array([0.25, 0.5]), (), False, np.zeros(4), np.zeros(4), np.zeros(4))
    assert binning.labels(real, {}) == [
        "below 0.25",
        "0.25 to below 0.5",
        "0.5 and above",
        "anything else",
    ]
    whole = Bins(np.array([0.5, 1.5, 4.0]), (), True, np.zeros(5), np.zeros(5), np.zeros(5))
    assert binning.labels(whole, {}) == ["0 or less", "1", "2 to 3", "4 or more", "anything else"]


def test_a_label_states_the_edge_that_is_used():
    x, y = ratio()
    bins = fit_bins(x, y, trend="ascending", special=(), **SETTINGS)
    for i, split in enumerate(bins.splits):
        assert f"{split:g}" in binning.labels(bins, {})[i + 1]
        assert bins.index(np.array([split - 1e-9, split])).tolist() == [i, i + 1]


def test_an_unknown_direction_is_refused_with_the_allowed_ones():
    x, y = ratio()
    with pytest.raises(UserError, match="ascending, descending, either, free, got 'up'"):
        fit_bins(x, y, trend="up", special=(), **SETTINGS)


def test_the_library_prints_nothing():
    code = (
        "import numpy as np\n"
        "from creditrisk.models.binning import fit_bins\n"
        "x = np.arange(400.0); y = (x % 7 > 400 - x).astype(int) | (x % 3 == 0)\n"
        "fit_bins(x, y, trend='either', special=(), max_bins=4, max_prebins=8,"
        " min_bin_share=0.05)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr == ""
