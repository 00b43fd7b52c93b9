"""The sentences that open the statistics page, written from the results."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt


class Headline:
    """The headline numbers, each given out with the mark by which tests read it back."""

    def __init__(self, numbers: dict[str, Any]) -> None:
        self.numbers = numbers

    def __call__(self, key: str, form: Any = "decimal") -> Markup:
        """Return a number by its dotted key, formatted and marked."""
        value: Any = self.numbers
        for part in key.split("."):
            value = value[part]
        return fmt.metric(value, f"stats_report:{key}", form)


def write_verdict(results: dict[str, Any]) -> list[Markup]:
    """Return the sentences, each with numbers; those without their number are left out."""
    mark = Headline(results["headline"])
    level = fmt.percent(results["sample"]["confidence"], 0)
    counts = mark.numbers["questions"]
    n_open = counts["significant"] - counts["matters"] - counts["negligible"]
    sentences = [
        _tell_difference(mark, level),
        Markup(
            "Of {} declared questions {} have a significant answer after Holm's correction. In {} "
            "of them the whole interval of the effect lies beyond what was declared to matter; {} "
            "are significant and negligible{}: with {} rows a small p-value says little."
        ).format(
            *(mark(f"questions.{key}", "integer") for key in mark.numbers["questions"]),
            f", and {fmt.integer(n_open)} open" if n_open > 0 else "",
            mark("rows", "integer"),
        ),
        _tell_importance(mark, results["chi_square"]),
        Markup("The mean of {} is {} ({} interval {} to {}).").format(
            results["estimation"]["column"],
            mark("mean.estimate", "money"),
            level,
            mark("mean.low", "money"),
            mark("mean.high", "money"),
        ),
        _tell_errors(mark, results["context"]["tests"]),
    ]
    return [sentence for sentence in sentences if sentence]


def _tell_difference(mark: Headline, level: str) -> Markup:
    if "difference" not in mark.numbers:
        return Markup()

    def unsigned(value: float) -> str:
        return fmt.money(abs(value))

    found = mark.numbers["difference"]
    ends = ("high", "low") if found["estimate"] < 0 else ("low", "high")
    # where the interval holds 0 its ends need their signs
    form = unsigned if found["low"] * found["high"] > 0 else fmt.money
    return Markup(
        "Clients who default next month have a mean credit limit that is {} {} than that "
        "of the others ({} interval {} to {}; Hedges' g = {})."
    ).format(
        mark("difference.estimate", unsigned),
        "lower" if found["estimate"] < 0 else "higher",
        level,
        *(mark(f"difference.{end}", form) for end in ends),
        mark("difference.hedges_g", "decimal:2"),
    )


def _tell_importance(mark: Headline, ranked: list[dict[str, Any]]) -> Markup:
    strong = [row for row in ranked if "cramers_v" in row]
    if not strong:
        return Markup()
    return Markup(
        "Among the categorical columns {} goes most with default (Cramér's V = {}), "
        "and {} goes least (V = {})."
    ).format(
        strong[0]["column"],
        mark("top_cramers_v"),
        strong[-1]["column"],
        fmt.decimal(strong[-1]["cramers_v"]),
    )


def _tell_errors(mark: Headline, tests: dict[str, Any]) -> Markup:
    study = tests["studies"][-1]
    sentence = Markup(
        "At the {} level the comparison of means raises a false alarm in {} of the simulated "
        "studies of {} clients"
    ).format(
        fmt.percent(tests["alpha"], 0),
        mark("false_alarm_rate", "percent"),
        fmt.integer(study["n"]),
    )
    if "detectable_difference" not in mark.numbers:
        return sentence + "."
    return sentence + Markup("; it finds a true difference of {} in {} of them.").format(
        mark("detectable_difference", "money"), fmt.percent(study["detectable"][0]["power"], 0)
    )
