"""The sentences that open the statistics page, written from the results."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.statistics import text


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
    sentences = [
        _tell_mean(mark, results["estimation"]["column"], level),
        _tell_counts(mark),
        _tell_importance(mark, results["chi_square"]),
        _tell_strata(results["questions"], level),
        _tell_sensitivity(mark, results["sensitivity"]),
        _tell_errors(mark, results["context"]["tests"]),
    ]
    return [sentence for sentence in sentences if sentence]


def _tell_mean(mark: Headline, column: str, level: str) -> Markup:
    """Tell the mean, and how it differs by default where that was asked."""
    sentence = Markup("The mean of {} is {} ({} interval {} to {})").format(
        column,
        mark("mean.estimate", "money"),
        level,
        mark("mean.low", "money"),
        mark("mean.high", "money"),
    )
    if "difference" not in mark.numbers:
        return sentence + "."

    def unsigned(value: float) -> str:
        return fmt.money(abs(value))

    found = mark.numbers["difference"]
    ends = ("high", "low") if found["estimate"] < 0 else ("low", "high")
    # where the interval holds 0 its ends need their signs
    form = unsigned if found["low"] * found["high"] > 0 else fmt.money
    return sentence + Markup(
        "; among clients who default next month it is {} {} than among the others "
        "({} to {}; Hedges' g = {})."
    ).format(
        mark("difference.estimate", unsigned),
        "lower" if found["estimate"] < 0 else "higher",
        *(mark(f"difference.{end}", form) for end in ends),
        mark("difference.hedges_g", "decimal:2"),
    )


def _tell_counts(mark: Headline) -> Markup:
    """Tell how many answers are significant, and how many of them matter."""
    counts = mark.numbers["questions"]
    n_open = counts["significant"] - counts["matters"] - counts["negligible"]
    return Markup(
        "Of {} declared questions {} have a significant answer after Holm's correction. In {} "
        "of them the whole interval of the effect lies beyond what was declared to matter; {} "
        "are significant and negligible{}: with {} rows a small p-value says little."
    ).format(
        *(mark(f"questions.{key}", "integer") for key in counts),
        f", and {fmt.integer(n_open)} open" if n_open > 0 else "",
        mark("rows", "integer"),
    )


def _tell_importance(mark: Headline, ranked: list[dict[str, Any]]) -> Markup:
    """Tell which categorical columns go most and least with default."""
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


def _tell_strata(questions: list[dict[str, Any]], level: str) -> Markup:
    """Tell the stratified question whose gap the strata move most."""
    found = [
        row | row["details"]["stratified"]
        for row in questions
        if row["applicable"] and row["kind"] == "stratified"
    ]
    if not found:
        return Markup()

    def moved(row: dict[str, Any]) -> float:
        return abs(row["adjusted"]["difference"] - row["marginal"]["difference"])

    row = max(found, key=moved)
    adjusted = row["adjusted"]
    turned = sum(row["simpson"] == "reversed" for row in found)
    return Markup(
        "Holding {} fixed moves the gap in the rate of {} by {} from {} to {} percentage points "
        "({} interval {} to {}); it turns round in {} of {} such comparisons."
    ).format(
        text.join_words([text.name_column(name) for name in row["within"]]),
        text.name_column(row["group"]),
        text.name_column(row["value"]),
        fmt.decimal(100 * row["marginal"]["difference"], 1),
        fmt.decimal(100 * adjusted["difference"], 1),
        level,
        *(fmt.decimal(100 * adjusted[end], 1) for end in ("low", "high")),
        turned if turned else "none",
        len(found),
    )


def _tell_sensitivity(mark: Headline, sensitivity: dict[str, Any]) -> Markup:
    """Tell how many verdicts hang on which rows are in the table."""
    if not sensitivity["variants"]:
        return Markup()
    labels = [variant["label"].lower() for variant in sensitivity["variants"]]
    return Markup("Asked again {}, {} of {} verdicts {} at least once.").format(
        text.join_words(labels),
        mark("sensitivity.changed", "integer"),
        mark("questions.asked", "integer"),
        "changes" if mark.numbers["sensitivity"]["changed"] == 1 else "change",
    )


def _tell_errors(mark: Headline, tests: dict[str, Any]) -> Markup:
    """Tell both errors of the comparison of means."""
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
