"""Declared questions answered: one row each, on one scale of size, with a plain verdict.

A question is data (``stats_report.questions`` in the parameters): its hypotheses,
its kind of test, two columns and the smallest effect that would matter. Each kind
is one function here; a new question of an existing kind needs no code.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creditrisk.errors import UserError
from creditrisk.stats import association, multiplicity, power, testing
from creditrisk.stats.estimation import NotApplicableError, count_in_bins

if TYPE_CHECKING:
    import pandas as pd

MEAN_KINDS = (*testing.MEAN_TESTS, "permutation")
KINDS = (*MEAN_KINDS, "chi_square", "anova")

EFFECTS = {**dict.fromkeys(MEAN_KINDS, "g"), "chi_square": "v", "anova": "omega2"}
"""Unit of each kind's effect: Hedges' g, Cramér's V, ω² (share of variance)."""

ENOUGH_POWER = 0.8
N_BINS = 60

VERDICTS = ("matters", "unclear", "negligible", "absent", "inconclusive", "not_applicable")
"""The first three are significant; the page puts all of them into words."""


@dataclass(frozen=True)
class Settings:
    """What all questions of one table share.

    Attributes
    ----------
    alpha : float
        Level that the corrected p-values are held against.
    confidence : float
        Level of the intervals.
    n_permutations : int
    random_state : int
    n_jobs : int
        Threads; without effect on results.
    """

    alpha: float
    confidence: float
    n_permutations: int
    random_state: int
    n_jobs: int = 1


def require_columns(clients: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise a UserError that lists the columns which the table does not have."""
    missing = [name for name in dict.fromkeys(names) if name not in clients]
    if missing:
        raise UserError(
            f"no column {', '.join(missing)} in the table of clients; correct the name in "
            f"stats_report, there are: {', '.join(clients.columns)}"
        )


def judge(row: Mapping[str, Any], *, alpha: float) -> str:
    """Return the key of a verdict in :data:`VERDICTS`.

    Parameters
    ----------
    row : mapping
        With ``p_holm, effect_low, effect_high, smallest_effect, power``; the effect
        may be negative, and its interval is folded at 0 first.
    alpha : float
    """
    low, high = sorted((abs(row["effect_low"]), abs(row["effect_high"])))
    if row["effect_low"] <= 0 <= row["effect_high"]:
        low = 0.0
    if row["p_holm"] < alpha:
        if high < row["smallest_effect"]:
            return "negligible"
        return "matters" if low >= row["smallest_effect"] else "unclear"
    return "absent" if row["power"] >= ENOUGH_POWER else "inconclusive"


def answer_all(
    questions: Sequence[Mapping[str, Any]], clients: pd.DataFrame, settings: Settings
) -> list[dict[str, Any]]:
    """Answer every question and correct for how many there are.

    Parameters
    ----------
    questions : sequence of mapping
        Each ``{id, question, h0, h1, kind, value, group, smallest_effect}``.
    clients : pandas.DataFrame
        One row a client.
    settings : Settings

    Returns
    -------
    list of dict
        The question's own keys plus ``applicable``, ``estimate, estimate_low,
        estimate_high``, ``effect_name, effect, effect_low, effect_high``, ``size``
        (a correlation from 0 to 1, comparable between kinds), ``statistic_name,
        statistic, df, p_value, p_holm, p_bh, power`` (at the smallest effect that
        matters and the level α/m), ``verdict`` and ``details`` of the kind. Largest
        size first; questions that cannot be asked stand last with ``reason``.

    Raises
    ------
    UserError
        For an unknown kind or column, or values that are not finite.
    """
    answers = [answer(question, clients, settings) for question in questions]
    asked = [row for row in answers if row["applicable"]]
    raw = [row["p_value"] for row in asked]
    corrected = zip(
        asked, multiplicity.adjust(raw, "holm"), multiplicity.adjust(raw, "bh"), strict=True
    )
    for row, holm, bh in corrected:
        power_at = row.pop("power_at")
        row |= {"p_holm": holm, "p_bh": bh, "power": power_at(settings.alpha / len(asked))}
        row["verdict"] = judge(row, alpha=settings.alpha)
    return sorted(asked, key=lambda row: (-row["size"], row["id"])) + [
        row for row in answers if not row["applicable"]
    ]


def answer(
    question: Mapping[str, Any], clients: pd.DataFrame, settings: Settings
) -> dict[str, Any]:
    """Answer one question; see :func:`answer_all` for the keys.

    ``power_at`` is a function of the level, because the level depends on how many
    questions the table holds.
    """
    kind = question["kind"]
    if kind not in KINDS:
        raise UserError(f"question {question['id']}: kind {kind!r} is none of {', '.join(KINDS)}")
    require_columns(clients, [question["value"], question["group"]])
    method: Callable[..., dict[str, Any]] = {"chi_square": _chi_square, "anova": _anova}.get(
        kind, _two_means
    )
    row = {**question, "effect_name": EFFECTS[kind]}
    try:
        found = method(
            question,
            clients[question["value"]].to_numpy(),
            clients[question["group"]].to_numpy(),
            settings,
        )
    except NotApplicableError as error:
        return row | {"applicable": False, "verdict": "not_applicable", "reason": str(error)}
    return row | {"applicable": True, **found}


def _two_means(
    question: Mapping[str, Any], values: np.ndarray, labels: np.ndarray, settings: Settings
) -> dict[str, Any]:
    """Compare the mean of the higher label's group with that of the lower one's."""
    name, kind = question["value"], question["kind"]
    groups = testing.split_groups(values, labels, name=name, group=question["group"])
    if len(groups) != 2:
        raise NotApplicableError(
            f"{question['group']}: {len(groups)} groups, but {kind} compares two"
        )
    (low_label, second), (high_label, first) = groups.items()
    confidence = settings.confidence
    panel = {
        method: testing.compare_means(
            first, second, method=method, confidence=confidence, name=name
        )
        for method in testing.MEAN_TESTS
    }
    main = panel["welch_t" if kind == "permutation" else kind]
    effect = testing.hedges_g(first, second, confidence=confidence, name=name)
    details: dict[str, Any] = {
        "first": {"label": high_label, **_describe(first)},
        "second": {"label": low_label, **_describe(second)},
        "panel": panel,
        "ranks": testing.compare_ranks(first, second, name=name),
        "spread": testing.compare_spread(first, second),
    }
    statistic_name = "z" if kind == "z_test" else "t"
    statistic, df, p_value = main["statistic"], main["df"], main["p_value"]
    if kind == "permutation":
        details["permutation"] = _shuffle(question, first, second, settings)
        statistic_name, statistic, df = "difference", main["difference"], None
        p_value = details["permutation"]["p_value"]
    return {
        "n": first.size + second.size,
        "estimate": main["difference"],
        "estimate_low": main["low"],
        "estimate_high": main["high"],
        "effect": effect["effect"],
        "effect_low": effect["low"],
        "effect_high": effect["high"],
        "size": abs(effect["correlation"]),
        "statistic_name": statistic_name,
        "statistic": statistic,
        "df": df,
        "p_value": p_value,
        "details": details,
        "power_at": lambda level: power.mean_difference_power(
            question["smallest_effect"], first.size, second.size, level
        ),
    }


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


def _chi_square(
    question: Mapping[str, Any], values: np.ndarray, labels: np.ndarray, settings: Settings
) -> dict[str, Any]:
    """Test whether two categorical columns are independent."""
    table = association.count_table(values, labels, name=question["value"])
    test = association.chi_square(
        table["counts"], confidence=settings.confidence, name=question["value"]
    )
    n_rows, n_columns = table["counts"].shape
    return {
        "n": test["n"],
        "estimate": association.rate_range(table["counts"]),
        "estimate_low": None,
        "estimate_high": None,
        "effect": test["cramers_v"],
        "effect_low": test["low"],
        "effect_high": test["high"],
        "size": test["cramers_v"],
        "statistic_name": "chi2",
        "statistic": test["statistic"],
        "df": test["df"],
        "p_value": test["p_value"],
        "details": {**table, "min_expected": test["min_expected"]},
        "power_at": lambda level: power.chi_square_power(
            question["smallest_effect"], test["n"], n_rows, n_columns, level
        ),
    }


def _anova(
    question: Mapping[str, Any], values: np.ndarray, labels: np.ndarray, settings: Settings
) -> dict[str, Any]:
    """Test whether the means of several groups are equal."""
    name = question["value"]
    groups = testing.split_groups(values, labels, name=name, group=question["group"])
    samples = list(groups.values())
    test = association.compare_groups(samples, confidence=settings.confidence, name=name)
    details: dict[str, Any] = {
        "groups": [{"label": label, **_describe(sample)} for label, sample in groups.items()],
        "spread": testing.compare_spread(*samples),
        **{key: test[key] for key in ("eta2", "omega2", "welch", "kruskal", "df_error")},
    }
    if np.unique(values).size == 2:  # on a 0/1 column χ² = n · η², so show the two together
        counts = association.count_table(labels, values, name=question["group"])["counts"]
        details["chi_square"] = association.chi_square(counts, confidence=settings.confidence)
    means = [sample.mean() for sample in samples]
    return {
        "n": test["n"],
        "estimate": float(max(means) - min(means)),
        "estimate_low": None,
        "estimate_high": None,
        "effect": test["omega2"],
        "effect_low": test["low"],
        "effect_high": test["high"],
        "size": float(np.sqrt(test["omega2"])),
        "statistic_name": "F",
        "statistic": test["statistic"],
        "df": test["df"],
        "p_value": test["p_value"],
        "details": details,
        "power_at": lambda level: power.anova_power(
            question["smallest_effect"], test["n"], len(groups), level
        ),
    }


def _describe(sample: np.ndarray) -> dict[str, float]:
    return {"n": sample.size, "mean": float(sample.mean()), "sd": float(sample.std(ddof=1))}
