"""Bins of one column with their weight of evidence: what a scorecard is made of.

optbinning chooses the splits; everything that is stored, and all that scores a client,
is the plain table kept in :class:`Bins`. So a code scores exactly as the table says,
and nothing of a solver, its clock or its threads reaches a stored model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from creditrisk.errors import UserError

Array = np.ndarray

TRENDS = {
    "ascending": ("ascending",),
    "descending": ("descending",),
    "either": ("ascending", "descending"),
    "free": (None,),
}
"""Direction imposed on the default rate over the bins → optbinning's names to try.

``either`` takes the one of higher information value (optbinning's own guess between the
two can end in a single bin); ``free`` is for codes in no order.
"""
NO_CLOCK = 1e6
"""Seconds the solver may take: so many that the clock never decides (it takes 0.04)."""
SPLIT_DIGITS = 3
"""Decimals of a split, so that a table shows the edges that are used."""


@dataclass(frozen=True)
class Bins:
    """The bins of one column, k of them.

    First those between splits, ascending, then one for each special code, then one for
    any other value (missing, or a code below the highest special one that is none).

    Attributes
    ----------
    splits : ndarray of float
        A bin holds its lower split, not its upper one.
    special : tuple of float
        Codes that are states, not numbers, each with a bin of its own.
    is_whole : bool
        Whether the column held whole numbers only.
    n, n_default : ndarray of int, shape (k,)
        Rows and defaults of the fit.
    woe : ndarray of float, shape (k,)
        Weight of evidence; 0, that is neutral, where the fit had no row.
    """

    splits: Array
    special: tuple[float, ...]
    is_whole: bool
    n: Array
    n_default: Array
    woe: Array

    def index(self, x: Array) -> Array:
        """Return the bin of each value, shape (n,)."""
        return bin_index(x, self.splits, self.special)

    @property
    def information_value(self) -> float:
        """Σ (share of the good − share of the bad) · WoE, in nats."""
        good = self.n - self.n_default
        shares = good / max(good.sum(), 1) - self.n_default / max(self.n_default.sum(), 1)
        return float((shares * self.woe).sum())


def fit_bins(
    x: Array,
    y: Array,
    *,
    trend: str,
    special: Sequence[float],
    max_bins: int,
    max_prebins: int,
    min_bin_share: float,
) -> Bins:
    """Bin one column and count its bins.

    Parameters
    ----------
    x : ndarray of float, shape (n,)
    y : ndarray of int, shape (n,)
        1 is default.
    trend : str
        A key of :data:`TRENDS`.
    special : sequence of float
        Codes with a bin of their own; the direction does not bind them.
    max_bins, max_prebins : int
        Bins between splits at the end, and among which the solver chooses.
    min_bin_share : float
        Least rows of a bin between splits, as a share of n.

    Returns
    -------
    Bins

    Raises
    ------
    UserError
        For an unknown direction, naming the allowed ones.
    """
    if trend not in TRENDS:
        raise UserError(f"a direction must be one of {', '.join(TRENDS)}, got {trend!r}")
    codes = tuple(float(code) for code in special)
    numeric = np.isfinite(x) & (x > max(codes, default=-np.inf))
    candidates = []
    for name in TRENDS[trend]:
        splits = _optimal_splits(
            x[numeric],
            y[numeric],
            trend=name,
            max_bins=max_bins,
            max_prebins=max_prebins,
            min_rows=max(1, round(min_bin_share * len(x))),
        )
        candidates.append(_count(x, y, splits, codes, numeric))
    return max(candidates, key=lambda bins: bins.information_value)


def _count(x: Array, y: Array, splits: Array, special: tuple[float, ...], numeric: Array) -> Bins:
    """Count rows and defaults of each bin."""
    index = bin_index(x, splits, special)
    k = len(splits) + 2 + len(special)
    n = np.bincount(index, minlength=k)
    n_default = np.bincount(index[y == 1], minlength=k)
    return Bins(
        splits=splits,
        special=special,
        is_whole=bool((x[numeric] == np.round(x[numeric])).all()),
        n=n,
        n_default=n_default,
        woe=weight_of_evidence(n - n_default, n_default),
    )


def bin_index(x: Array, splits: Array, special: Sequence[float]) -> Array:
    """Return the bin of each value, in the order that :class:`Bins` states.

    A number beyond those of the fit falls into the outermost bin, so a longer delay than
    any seen scores as the longest one.
    """
    index = np.searchsorted(splits, x, side="right")
    k = len(splits) + 1
    index[~np.isfinite(x) | (x <= max(special, default=-np.inf))] = k + len(special)
    for i, code in enumerate(special):
        index[x == code] = k + i
    return index


def weight_of_evidence(n_good: Array, n_bad: Array) -> Array:
    """Return ln(share of the good / share of the bad) of each bin.

    Parameters
    ----------
    n_good, n_bad : ndarray of int, shape (k,)
        Clients who paid and who defaulted, by bin.

    Returns
    -------
    ndarray of float, shape (k,)
        Above 0 where default is rarer than on the whole. A bin without one of the two
        counts half a client more of each, so that it stays finite; an empty bin is 0.
    """
    pure = (n_good == 0) | (n_bad == 0)
    good, bad = n_good + 0.5 * pure, n_bad + 0.5 * pure
    woe = np.log(good / max(n_good.sum(), 1)) - np.log(bad / max(n_bad.sum(), 1))
    return np.where(n_good + n_bad == 0, 0.0, woe)


def labels(bins: Bins, names: dict[float, str]) -> list[str]:
    """Return the bins in words, in their order.

    Parameters
    ----------
    bins : Bins
    names : dict of code to str
        What the special codes mean.
    """
    edges = [-np.inf, *bins.splits.tolist(), np.inf]
    if bins.special and bins.is_whole:
        edges[0] = max(bins.special) + 1
    between = whole_label if bins.is_whole else _label
    numeric = [between(low, high) for low, high in pairwise(edges)]
    coded = [
        f"{names.get(code, 'code')} ({code:g})".replace("-", "\N{MINUS SIGN}")
        for code in bins.special
    ]
    return [*numeric, *coded, "anything else"]


def found_direction(bins: Bins) -> str:
    """Return how the default rate runs over the bins between splits.

    Returns
    -------
    {"rises", "falls", "rises and falls", "one bin"}
    """
    steps = np.sign(np.diff(bins.woe[: len(bins.splits) + 1]))
    if not steps.any():
        return "one bin"
    if (steps > 0).any() and (steps < 0).any():
        return "rises and falls"
    return "falls" if (steps > 0).any() else "rises"


def whole_label(low: float, high: float) -> str:
    """Return an interval of whole numbers in words: the numbers that it holds.

    Parameters
    ----------
    low, high : float
        It holds its lower end, not its upper one; infinite where it has none.
    """
    first, last = np.ceil(low), np.ceil(high) - 1
    if np.isinf(low):
        return "any number" if np.isinf(high) else f"{last:,.0f} or less"
    if np.isinf(high):
        return f"{first:,.0f} or more"
    return f"{first:,.0f}" if first == last else f"{first:,.0f} to {last:,.0f}"


def _label(low: float, high: float) -> str:
    """Return an interval of real numbers in words."""
    if np.isinf(low):
        return "any number" if np.isinf(high) else f"below {high:,.10g}"
    return f"{low:,.10g} and above" if np.isinf(high) else f"{low:,.10g} to below {high:,.10g}"


def _optimal_splits(
    x: Array, y: Array, *, trend: str | None, max_bins: int, max_prebins: int, min_rows: int
) -> Array:
    """Return the splits of highest information value that keep the direction."""
    if len(x) < 2 * min_rows or len(np.unique(y)) < 2:
        return np.empty(0)
    from optbinning import OptimalBinning

    # Constraint programming on one worker with a fixed seed: solved to the optimum, the
    # same on every machine
    binning = OptimalBinning(
        solver="cp",
        monotonic_trend=trend,
        max_n_prebins=max_prebins,
        min_prebin_size=min(min_rows / len(x), 0.5),
        max_n_bins=max_bins,
        min_bin_size=min(min_rows / len(x), 0.5),
        split_digits=SPLIT_DIGITS,
        time_limit=NO_CLOCK,
    )
    binning.fit(x, y)
    return np.array(binning.splits, dtype=np.float64) + 0.0  # no −0
