"""Kinds of question that compare several groups: one-way and two-way analyses.

Each function takes a question, the table of clients and the settings, and returns what
:func:`creditrisk.stats.declared.questions.answer` describes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from creditrisk.stats import association, factorial, posthoc, power, testing
from creditrisk.stats.declared.kind_means import describe
from creditrisk.stats.noncentrality import invert_noncentrality
from creditrisk.stats.samples import NotApplicableError

if TYPE_CHECKING:
    import pandas as pd

    from creditrisk.stats.declared.questions import Settings


def anova(question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """Test whether the means of several groups are equal, with one common variance."""
    test, common = _one_way(question, clients, settings)
    return common | {
        "statistic_name": "F",
        **{key: test[key] for key in ("statistic", "df", "p_value")},
    }


def welch_anova(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """Test whether the means of several groups are equal, each with its own variance.

    Statistic and p-value are Welch's (1951). The effect stays ω² from the sums of
    squares: a share of variance, which needs no equal variances to have a meaning.
    """
    test, common = _one_way(question, clients, settings)
    if test["welch"] is None:
        raise NotApplicableError(
            f"{question['value']}: a group has no spread, so Welch's test cannot weigh it"
        )
    return common | {
        "statistic_name": "F",
        **{key: test["welch"][key] for key in ("statistic", "df", "p_value")},
    }


def kruskal(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """Test whether several groups have the same ranks; the effect is ε² = H/(n − 1).

    The interval of ε² inverts the non-central χ² distribution on H.
    """
    test, common = _one_way(question, clients, settings)
    ranks, n = test["kruskal"], test["n"]
    bounds = invert_noncentrality(
        lambda nc: float(special.chndtr(ranks["statistic"], ranks["df"], nc)), settings.confidence
    )
    low, high = (min(1.0, nc / (n - 1)) for nc in bounds)
    medians = [group["median"] for group in common["details"]["groups"]]
    return common | {
        "estimate": max(medians) - min(medians),
        "effect": ranks["epsilon2"],
        "effect_low": low,
        "effect_high": high,
        "size": float(np.sqrt(ranks["epsilon2"])),
        "statistic_name": "H",
        **{key: ranks[key] for key in ("statistic", "df", "p_value")},
        "power_of": lambda size, level: power.kruskal_power(size, n, ranks["df"] + 1, level),
    }


def two_way(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """Test whether the effect of one factor on a mean depends on a second factor.

    The estimate is how far the gap between the two levels of the second factor varies
    over the levels of the first; None where the second has more levels.
    """
    name, factors = question["value"], (question["group"], question["and"])
    found = factorial.two_way(
        clients[name].to_numpy(),
        *(clients[factor].to_numpy() for factor in factors),
        confidence=settings.confidence,
        name=name,
    )
    term = next(row for row in found["terms"] if row["term"] == "interaction")
    return {
        "n": found["n"],
        "estimate": _gap_range(found["cells"]),
        "estimate_low": None,
        "estimate_high": None,
        "effect": term["effect"],
        "effect_low": term["low"],
        "effect_high": term["high"],
        "size": float(np.sqrt(max(0.0, term["effect"]))),
        "statistic_name": "F",
        **{key: term[key] for key in ("statistic", "df", "p_value")},
        "details": {"two_way": found, "df_error": found["df_error"]},
        "power_of": lambda size, level: power.f_power(
            size, found["n"], term["df"], found["df_error"], level
        ),
    }


def _gap_range(cells: list[dict[str, Any]]) -> float | None:
    """Return the widest minus the narrowest gap of the second factor over the first."""
    levels = sorted({cell["second"] for cell in cells})
    if len(levels) != 2:
        return None
    means = {(cell["first"], cell["second"]): cell["mean"] for cell in cells}
    gaps = [means[first, levels[1]] - means[first, levels[0]] for first in {f for f, _ in means}]
    return float(max(gaps) - min(gaps))


def _one_way(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tests of several groups, and what their kinds of question have in common."""
    name, group = question["value"], question["group"]
    values, labels = clients[name].to_numpy(), clients[group].to_numpy()
    groups = testing.split_groups(values, labels, name=name, group=group)
    level = settings.confidence
    samples = list(groups.values())
    test = association.compare_groups(samples, confidence=level, name=name)
    details: dict[str, Any] = {
        "groups": [{"label": label, **describe(sample)} for label, sample in groups.items()],
        "spread": testing.compare_spread(*samples),
        "f": {key: test[key] for key in ("statistic", "df", "p_value")},
        **{key: test[key] for key in ("eta2", "omega2", "welch", "kruskal", "df_error")},
    }
    if settings.in_full:
        details["posthoc"] = posthoc.compare_pairs(groups, confidence=level, name=name)
    if np.unique(values).size == 2:  # on a 0/1 column χ² = n · η², so show the two together
        details["binary"] = association.compare_binary(values, labels, confidence=level, name=name)
    means = [sample.mean() for sample in samples]
    return test, {
        "n": test["n"],
        "estimate": float(max(means) - min(means)),
        "estimate_low": None,
        "estimate_high": None,
        "effect": test["omega2"],
        "effect_low": test["low"],
        "effect_high": test["high"],
        "size": float(np.sqrt(test["omega2"])),
        "details": details,
        "power_of": lambda size, level: power.f_power(
            size, test["n"], test["df"], test["df_error"], level
        ),
    }
