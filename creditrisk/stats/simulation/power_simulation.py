"""Type II errors measured: power by simulation on the data's own shapes, beside the closed form.

Studies are drawn from the table's columns with replacement and given a known effect; the
share of them that reject is the power. What the closed form leaves out (skewness, ties,
rare codes) is in the data and so in the simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from creditrisk.errors import UserError
from creditrisk.stats import power, rejections
from creditrisk.stats.samples import NotApplicableError, check_labels, check_sample, in_blocks
from creditrisk.stats.simulation import effects, many_tests

KINDS = ("welch_t", "mann_whitney", "chi_square", "anova")
CONFIDENCE = 0.95
"""Of all simulated shares together (Bonferroni), when the closed form is held against them."""


@dataclass(frozen=True)
class Panel:
    """One test on one column by one grouping, up to twice the smallest effect that matters.

    The effect is in standard deviations for ``welch_t``, a rank-biserial correlation for
    ``mann_whitney``, Cramér's V for ``chi_square``, a share of the variance for ``anova``.
    """

    kind: str
    value: str
    group: str
    smallest_effect: float


def simulate(
    panels: Sequence[Panel],
    columns: Mapping[str, Any],
    *,
    sizes: Sequence[int],
    n_effects: int,
    alpha: float,
    n_simulations: int,
    random_state: int,
    n_jobs: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Return simulated and closed-form power of every panel, size and effect.

    Parameters
    ----------
    panels : sequence of Panel
    columns : mapping of str to array-like, shape (n,)
    sizes : sequence of int
        Clients in a study, split into groups as the table is.
    n_effects : int
        Effects from 0 to twice the smallest that matters, equally spaced.
    alpha : float
    n_simulations : int
        Studies an effect.
    random_state, n_jobs : int
        Threads are without effect on the result.
    progress : callable

    Returns
    -------
    dict
        ``alpha, n_simulations, n_compared, confidence`` and ``panels``: each with its own
        fields, ``facts`` (:func:`describe`) and ``studies``, one a size: ``n``, ``sizes`` and
        ``points``: ``effect``, ``closed`` and what
        :func:`~creditrisk.stats.rejections.count_rejections` returns, with ``off``: whether the
        closed form lies outside the interval that holds for all points together.

    Raises
    ------
    UserError
        For an unknown kind.
    NotApplicableError
        When a column or a grouping is constant.
    """
    n_compared = len(panels) * len(sizes) * n_effects
    found = []
    for i, panel in enumerate(panels):
        if panel.kind not in KINDS:
            raise UserError(f"kind: expected one of {', '.join(KINDS)}, got {panel.kind!r}")
        progress(f"power: {panel.kind} of {panel.value} by {panel.group}")
        studies = []
        for n in sizes:
            designs = _designs(panel, columns, n, n_effects)
            points = [
                _point(
                    panel.kind,
                    design,
                    alpha,
                    n_simulations=n_simulations,
                    random_state=[random_state, i, n, j],
                    n_jobs=n_jobs,
                )
                for j, design in enumerate(designs)
            ]
            for point in points:
                point["off"] = is_off(point, n_simulations, (1 - CONFIDENCE) / n_compared)
            studies.append({"n": n, "sizes": designs[0].sizes.tolist(), "points": points})
        found.append({**vars(panel), "facts": describe(panel, columns, sizes), "studies": studies})
    return {
        "alpha": alpha,
        "n_simulations": n_simulations,
        "n_compared": n_compared,
        "confidence": CONFIDENCE,
        "panels": found,
    }


def is_off(point: Mapping[str, float], n_simulations: int, error: float) -> bool:
    """Tell whether the closed form lies outside the exact interval of the simulated share."""
    counted = stats.binomtest(round(point["share"] * n_simulations), n_simulations)
    interval = counted.proportion_ci(1 - error, method="exact")
    return not interval.low <= point["closed"] <= interval.high


def _point(
    kind: str,
    design: effects.Design,
    alpha: float,
    *,
    n_simulations: int,
    random_state: list[int],
    n_jobs: int,
) -> dict[str, Any]:
    """Return closed form and simulation at one effect."""

    def draw(generator: np.random.Generator, k: int) -> np.ndarray:
        return many_tests.p_values(kind, design.draw(generator, k), design.levels)

    p = in_blocks(draw, n_replicates=n_simulations, random_state=random_state, n_jobs=n_jobs)
    return {  # a study that the test cannot be applied to rejects nothing
        "effect": design.effect,
        "closed": closed_form(kind, design.effect, design.sizes, design.levels.size, alpha),
        **rejections.count_rejections(np.nan_to_num(p, nan=1.0) <= alpha),
    }


def closed_form(kind: str, effect: float, sizes: np.ndarray, n_levels: int, alpha: float) -> float:
    """Return the power that the textbook states; see :mod:`~creditrisk.stats.power`."""
    n, n_first, n_second = int(sizes.sum()), int(sizes[0]), int(sizes[1])
    if kind == "welch_t":
        return power.mean_difference_power(effect, n_first, n_second, alpha)
    if kind == "mann_whitney":
        return power.rank_power(effect, n_first, n_second, alpha)
    if kind == "chi_square":
        return power.chi_square_power(effect, n, sizes.size, n_levels, alpha)
    return power.f_power(effect, n, sizes.size - 1, n - sizes.size, alpha)


def _designs(
    panel: Panel, columns: Mapping[str, Any], n: int, n_effects: int
) -> list[effects.Design]:
    """Return one design an effect, from none to twice the smallest that matters."""
    groups, member = many_tests.encode(check_labels(columns[panel.group], name=panel.group))
    if groups.size < 2:
        raise NotApplicableError(f"{panel.group}: all {member.size} labels are equal")
    wanted = np.linspace(0, 2 * panel.smallest_effect, n_effects)
    shares = np.bincount(member) / member.size
    sizes = many_tests.apportion(shares, n)
    if panel.kind == "chi_square":
        levels, codes = many_tests.encode(check_labels(columns[panel.value], name=panel.value))
        counts = many_tests.cross_counts(member, codes[None], groups.size, levels.size)[0]
        return [effects.draw_table(counts, effect, sizes) for effect in wanted.tolist()]
    values = check_sample(columns[panel.value], name=panel.value, needs_spread=True)
    if panel.kind == "mann_whitney":
        return [
            effects.draw_shifted(values, s, sizes, r)
            for s, r in effects.shifts_in_ranks(values, wanted)
        ]
    sd = float(values.std())
    if panel.kind == "welch_t":
        pattern = np.array([1.0, 0.0])
        return [effects.draw_shifted(values, e * sd * pattern, sizes, e) for e in wanted.tolist()]
    means = np.bincount(member, weights=values) / np.bincount(member)
    return [
        effects.draw_shifted(values, s, sizes, e)
        for s, e in zip(
            effects.shifts_of_means(means, sizes, wanted, sd), wanted.tolist(), strict=True
        )
    ]


def describe(panel: Panel, columns: Mapping[str, Any], sizes: Sequence[int]) -> dict[str, Any]:
    """Return what the closed form leaves out, measured on the column.

    Returns
    -------
    dict
        For tables ``smallest_expected`` and ``absent_codes`` (mean number of codes that a
        study does not hold), one a size; for numbers ``skewness`` and ``tied``, the chance
        that two rows are equal.
    """
    _, codes = many_tests.encode(columns[panel.value])
    shares = np.bincount(codes) / codes.size
    if panel.kind == "chi_square":
        _, member = many_tests.encode(columns[panel.group])
        rarest = shares.min() * np.bincount(member).min() / member.size
        return {
            "smallest_expected": [float(n * rarest) for n in sizes],
            "absent_codes": [round(float(((1 - shares) ** n).sum()), 6) for n in sizes],
        }
    sample = check_sample(columns[panel.value], name=panel.value)
    return {"skewness": float(stats.skew(sample)), "tied": float((shares**2).sum())}
