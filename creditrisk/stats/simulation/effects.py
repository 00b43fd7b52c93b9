"""Studies with a known effect, drawn from the data's own shapes: shifts and rates that differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from creditrisk.stats.samples import NotApplicableError
from creditrisk.stats.simulation import many_tests


@dataclass(frozen=True)
class Design:
    """What studies with a known effect are drawn from.

    Attributes
    ----------
    effect : float
        The effect that is truly there.
    sizes : ndarray of int, shape (g,)
        Rows of each group.
    levels : ndarray, shape (m,)
        Distinct values after the effect was put in.
    draw : callable
        ``draw(generator, k)`` returns cross tables, shape (k, g, m).
    """

    effect: float
    sizes: np.ndarray
    levels: np.ndarray
    draw: Callable[[np.random.Generator, int], np.ndarray]


def shifts_of_means(
    means: np.ndarray, sizes: np.ndarray, wanted: np.ndarray, sd: float
) -> np.ndarray:
    """Return shifts in the pattern of the means that put a share of variance between groups.

    Between groups lies Σ(n_g/n)·d_g² = σ²·η²/(1 − η²), d the shifts less their mean.

    Raises
    ------
    NotApplicableError
        When the means are all equal: they give no pattern.
    """
    weights = sizes / sizes.sum()
    pattern = means - (weights * means).sum()
    spread = float(np.sqrt((weights * pattern**2).sum()))
    if spread <= 1e-12 * np.abs(means).max():  # equal but for rounding
        raise NotApplicableError("group means: all equal, so they give no pattern of shifts")
    scale = sd * np.sqrt(wanted / (1 - wanted)) / spread
    return scale[:, None] * pattern


def shifts_in_ranks(values: np.ndarray, wanted: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Return the shifts of the first group whose rank-biserial correlations come nearest.

    A column moves in steps of the median gap between neighbouring values (NT$ 10,000 for
    the credit limit): a shift of one dollar would break every tie of round amounts and
    count as an effect. The correlation of a shift is exact: P(X + d > Y) − P(X + d < Y)
    for X, Y drawn from the column.
    """
    step = float(np.median(np.diff(np.unique(values))))
    ordered, n = np.sort(values), values.size

    def superiority(shift: float) -> float:
        below = np.searchsorted(ordered, ordered + shift, "left")
        through = np.searchsorted(ordered, ordered + shift, "right")
        return float((below + through).sum() / n**2 - 1)

    found = {}
    for target in wanted.tolist():
        low, high = 0, 1
        while superiority(high * step) < target:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if superiority(middle * step) < target else (low, middle)
        nearest = min((low, high), key=lambda m: abs(superiority(m * step) - target))
        found[nearest] = superiority(nearest * step)
    return [(np.array([steps * step, 0.0]), r) for steps, r in sorted(found.items())]


def draw_shifted(
    values: np.ndarray, shifts: np.ndarray, sizes: np.ndarray, effect: float
) -> Design:
    """Draw every group from one column, each moved by its shift."""
    base, codes = many_tests.encode(values)
    moved = base[None, :] + shifts[:, None]
    levels, places = many_tests.encode(moved.ravel())
    places = places.reshape(moved.shape)
    member = np.repeat(np.arange(sizes.size), sizes)

    def draw(generator: np.random.Generator, k: int) -> np.ndarray:
        rows = codes[generator.integers(0, codes.size, size=(k, member.size))]
        return many_tests.cross_counts(member, places[member, rows], sizes.size, levels.size)

    return Design(effect, sizes, levels, draw)


def draw_table(counts: np.ndarray, effect: float, sizes: np.ndarray) -> Design:
    """Draw tables whose rates differ in the pattern of the real ones, scaled to a wanted V.

    Parameters
    ----------
    counts : ndarray, shape (2, m)
        The table's own counts.
    effect : float
        V² = Σ π_l·(rate_l − rate)² / (rate·(1 − rate)), π the shares of the codes.
    sizes : ndarray of int, shape (2,)
        Their sum is the number of rows; how they split is left to chance.

    Raises
    ------
    NotApplicableError
        When the real rates do not differ, or the wanted ones leave 0 to 1.
    """
    shares = counts.sum(axis=0) / counts.sum()
    rates = counts[1] / counts.sum(axis=0)
    rate = float(counts[1].sum() / counts.sum())
    own = np.sqrt((shares * (rates - rate) ** 2).sum() / (rate * (1 - rate)))
    if own == 0:
        raise NotApplicableError("rates: all equal, so they give no pattern")
    wanted = rate + (rates - rate) * effect / own
    if wanted.min() < 0 or wanted.max() > 1:
        raise NotApplicableError(f"V = {effect:g}: no such association in the pattern of the rates")
    cells = np.stack([shares * (1 - wanted), shares * wanted])

    def draw(generator: np.random.Generator, k: int) -> np.ndarray:
        return generator.multinomial(sizes.sum(), cells.ravel(), size=k).reshape(k, *cells.shape)

    return Design(effect, sizes, np.arange(float(shares.size)), draw)
