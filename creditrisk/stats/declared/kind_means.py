"""Kinds of question that compare two groups on a number: means, shuffles, ranks.

Each function takes a question, the table of clients and the settings, and returns what
:func:`creditrisk.stats.declared.questions.answer` describes.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from creditrisk.stats import power, shape, testing
from creditrisk.stats.samples import NotApplicableError, count_in_bins

if TYPE_CHECKING:
    import pandas as pd

    from creditrisk.stats.declared.questions import Settings

N_BINS = 60
N_QUANTILES = 99


def two_means(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """Compare the mean of the higher label's group with that of the lower one's.

    The kind of the question names the test that enters the table: one of
    :data:`~creditrisk.stats.testing.MEAN_TESTS`, or the permutation test.
    """
    kind, name = question["kind"], question["value"]
    first, second, details = _compare(question, clients, settings)
    main = details["panel"]["welch_t" if kind == "permutation" else kind]
    effect = testing.hedges_g(first, second, confidence=settings.confidence, name=name)
    if kind == "permutation":
        shuffled = details["permutation"]
        statistic = {"statistic_name": "difference", "statistic": shuffled["observed"], "df": None}
        p_value = shuffled["p_value"]
    else:
        statistic = {"statistic_name": "z" if kind == "z_test" else "t"}
        statistic |= {key: main[key] for key in ("statistic", "df")}
        p_value = main["p_value"]
    return {
        "n": first.size + second.size,
        "estimate": main["difference"],
        "estimate_low": main["low"],
        "estimate_high": main["high"],
        "effect": effect["effect"],
        "effect_low": effect["low"],
        "effect_high": effect["high"],
        "size": abs(effect["correlation"]),
        **statistic,
        "p_value": p_value,
        "details": details,
        "power_of": lambda size, level: power.mean_difference_power(
            size, first.size, second.size, level
        ),
    }


def mann_whitney(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """Compare the ranks of two groups; the effect is the rank-biserial correlation.

    The size is the correlation of the ranks with the group, the counterpart of the
    point-biserial correlation of two means.
    """
    first, second, details = _compare(question, clients, settings)
    ranks = details["ranks"]
    order = stats.rankdata(np.concatenate([first, second]))
    member = np.repeat([1.0, 0.0], [first.size, second.size])
    return {
        "n": first.size + second.size,
        "estimate": float(np.median(first) - np.median(second)),
        "estimate_low": None,
        "estimate_high": None,
        "effect": ranks["rank_biserial"],
        "effect_low": ranks["low"],
        "effect_high": ranks["high"],
        "size": abs(float(np.corrcoef(order, member)[0, 1])),
        "statistic_name": "U",
        "statistic": ranks["statistic"],
        "df": None,
        "p_value": ranks["p_value"],
        "details": details,
        "power_of": lambda size, level: power.rank_power(size, first.size, second.size, level),
    }


def _compare(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Return both groups, the higher label's first, and every test with its assumptions."""
    name, group = question["value"], question["group"]
    groups = testing.split_groups(
        clients[name].to_numpy(), clients[group].to_numpy(), name=name, group=group
    )
    if len(groups) != 2:
        raise NotApplicableError(
            f"{group}: {len(groups)} groups, but {question['kind']} compares two"
        )
    (low_label, second), (high_label, first) = groups.items()
    level = settings.confidence
    panel = {
        method: testing.compare_means(first, second, method=method, confidence=level, name=name)
        for method in testing.MEAN_TESTS
    }
    details: dict[str, Any] = {
        "first": {"label": high_label, **describe(first)},
        "second": {"label": low_label, **describe(second)},
        "panel": panel,
        "ranks": testing.compare_ranks(first, second, confidence=level, name=name),
        "spread": testing.compare_spread(first, second),
    }
    if settings.in_full or question["kind"] == "permutation":
        details["permutation"] = _shuffle(question, first, second, settings)
    if settings.in_full:
        details["quantiles"] = {"first": _quantiles(first), "second": _quantiles(second)}
    return first, second, details


def describe(sample: np.ndarray) -> dict[str, Any]:
    """Return ``n, mean, sd, median`` and ``skewness`` (None without spread) of a group."""
    return {
        "n": sample.size,
        "mean": float(sample.mean()),
        "sd": float(sample.std(ddof=1)),
        "median": float(np.median(sample)),
        "skewness": float(stats.skew(sample)) if np.ptp(sample) > 0 else None,
    }


def _quantiles(sample: np.ndarray) -> dict[str, Any] | None:
    """Return the points of a QQ plot; None for a group without spread."""
    return shape.normal_quantiles(sample, N_QUANTILES) if np.ptp(sample) > 0 else None


def _shuffle(
    question: Mapping[str, Any], first: np.ndarray, second: np.ndarray, settings: Settings
) -> dict[str, Any]:
    """Return the permutation test of a mean difference, its replicates counted in bins."""
    found = testing.permute_difference(
        first,
        second,
        n_permutations=settings.n_permutations,
        # from the id, so that adding a question moves no other one's result
        random_state=[settings.random_state, zlib.crc32(question["id"].encode())],
        n_jobs=settings.n_jobs,
        name=question["value"],
    )
    replicates = found.pop("replicates")
    return {
        **found,
        "n_permutations": settings.n_permutations,
        "largest": float(np.abs(replicates).max()),
        "sd": float(replicates.std(ddof=1)),
        **count_in_bins(replicates, N_BINS),
    }
