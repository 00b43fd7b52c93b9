"""The statistics page: results of ``stats_report`` as text, tables and figures."""

from __future__ import annotations

from typing import Any

from creditrisk import schema
from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.statistics import figures as draw
from creditrisk.reporting.pages.statistics import text
from creditrisk.reporting.pages.statistics.verdict import write_verdict

SECTIONS = [
    ("questions", "Declared questions and answers"),
    ("estimation", "The mean credit limit"),
    ("bootstrap", "Bootstrap of the mean"),
    ("permutation", "Permutation tests"),
    ("tests", "z-test and t-tests, side by side"),
    ("chi_square", "Categorical feature importance (chi-square)"),
    ("anova", "Analysis of variance"),
    ("context", "Hypothesis testing context"),
    ("limits", "Limits"),
]

METHODS = {
    "normal": "Normal (z)",
    "t": "Student t",
    "percentile": "Bootstrap, percentile",
    "basic": "Bootstrap, basic",
    "bca": "Bootstrap, BCa",
    "grouped": "Normal, rows of one client kept together",
}
MAPPING = [
    ["The null hypothesis", "there is no difference", "this client will not default"],
    ["Type I, false alarm", "a true H₀ is rejected", "a client who pays is flagged"],
    ["Type II, missed detection", "a false H₀ is kept", "a client who defaults is cleared"],
    ["What sets their balance", "α, fixed before looking", "the threshold, moved at will by cost"],
    [
        "What is known of the rates",
        "α holds by theory over repeated samples; power for an assumed effect",
        "both are measured on clients whose outcome is known",
    ],
    ["Decisions", "one a question", "one a client"],
    [
        "How common the positive case is",
        "does not enter the level",
        "decides how many flags are wrong",
    ],
]


def build(results: dict[str, Any]) -> dict[str, Any]:
    """Return what the template of the page reads.

    Parameters
    ----------
    results : dict
        ``data/results/stats_report.json``.

    Returns
    -------
    dict
    """
    asked = [row for row in results["questions"] if row["applicable"]]
    return {
        "sections": SECTIONS,
        "results": results,
        "verdict": write_verdict(results),
        "asked": asked,
        "skipped": [row for row in results["questions"] if not row["applicable"]],
        "confidence": fmt.percent(results["sample"]["confidence"], 0),
        "answers": [text.answer_row(row) for row in asked],
        "declared": [text.declared_row(row) for row in results["questions"]],
        "sizes": _sizes_figure(asked),
        "control": _significant_control(asked, results["sample"]["confidence"]),
        "name_column": text.name_column,
        **_estimation(results["estimation"]),
        "permutations": [_permutation(row) for row in asked if row["kind"] == "permutation"],
        "panels": text.list_panels(asked),
        **_importance(results["chi_square"]),
        "anovas": [text.describe_anova(row) for row in asked if row["kind"] == "anova"],
        **_context(results["context"]),
    }


def _significant_control(asked: list[dict[str, Any]], confidence: float) -> dict[str, str] | None:
    """Return the row number's answer where it is significant, though it should tell nothing."""
    for row in asked:
        if row["value"] == schema.KEY and row["p_holm"] < 1 - confidence:
            return {
                "p": fmt.p_value(row["p_holm"]),
                "effect": f"{text.SYMBOLS[row['effect_name']]} = {text.signed(row['effect'])}",
            }
    return None


def _sizes_figure(asked: list[dict[str, Any]]) -> figures.Figure | None:
    """Draw every effect against its own smallest effect that matters."""
    if not asked:
        return None
    values: list[float] = []
    lows: list[float] = []
    highs: list[float] = []
    for row in asked:
        ends = sorted((abs(row["effect_low"]), abs(row["effect_high"])))
        if row["effect_low"] <= 0 <= row["effect_high"]:
            ends[0] = 0.0
        # ω² is a share of variance: its root is on the scale of the other effects
        power = 0.5 if row["effect_name"] == "omega2" else 1.0
        for target, x in zip(
            (lows, values, highs), (ends[0], abs(row["effect"]), ends[1]), strict=True
        ):
            target.append((x / row["smallest_effect"]) ** power)
    n_beyond = sum(low >= 1 for low in lows)
    return draw.relative_sizes(
        [
            f"{text.name_column(row['value'])} by {text.name_column(row['group'])} "
            f"({text.name_test(row['kind'])})"
            for row in asked
        ],
        values,
        lows,
        highs,
        alt=f"Effects of {len(asked)} questions in multiples of the smallest effect that matters; "
        f"{n_beyond} lie wholly beyond it.",
    )


def _estimation(mean: dict[str, Any]) -> dict[str, Any]:
    named = {row["method"]: row for row in mean["intervals"]}
    rows = [
        [
            METHODS[method],
            fmt.money(row["low"]),
            fmt.money(row["high"]),
            fmt.money(row["high"] - row["low"]),
        ]
        for method, row in named.items()
    ]
    usual = [row for row in mean["intervals"] if row["method"] != "grouped"]
    apart = max(
        max(row[end] for row in usual) - min(row[end] for row in usual) for end in ("low", "high")
    )
    width = {method: row["high"] - row["low"] for method, row in named.items()}
    column = mean["column"]
    bca = named["bca"]
    return {
        "mean": mean,
        "interval_rows": rows,
        "largest_gap": fmt.money(apart),
        "gap_share": fmt.percent(apart / width["normal"], 1),
        "grouped_factor": fmt.decimal(width["grouped"] / width["normal"], 2),
        "interval_figure": draw.intervals(
            [METHODS[m].replace("rows of one client kept together", "grouped rows") for m in named],
            [row["low"] for row in named.values()],
            [row["high"] for row in named.values()],
            estimate=mean["mean"],
            xlabel=f"mean of {column}",
            alt=f"Intervals of the mean of {column} by {len(named)} methods; all but the "
            f"last differ by {fmt.money(apart)} at most.",
        ),
        "bootstrap_figure": draw.distribution(
            mean["edges"],
            mean["counts"],
            marks={"observed mean": mean["mean"]},
            span=(bca["low"], bca["high"]),
            span_label="BCa interval",
            normal=(mean["mean"], mean["standard_error"]),
            xlabel=f"mean of {column} in a bootstrap sample",
            ylabel="samples",
            alt=f"Histogram of {fmt.integer(mean['n_bootstrap'])} bootstrap means of {column}, "
            f"bell-shaped around {fmt.money(mean['mean'])}.",
        ),
    }


def _permutation(row: dict[str, Any]) -> dict[str, Any]:
    found, column = row["details"]["permutation"], row["value"]
    figure = draw.distribution(
        found["edges"],
        found["counts"],
        marks={"observed difference": found["observed"], "its mirror image": -found["observed"]},
        xlabel=f"difference of the means of {column} after shuffling the labels",
        ylabel="shuffles",
        xformat="money" if column in text.AMOUNTS else "decimal:2",
        alt=f"Differences of mean {column} under {fmt.integer(found['n_permutations'])} shuffles "
        f"of the labels; the observed one is {text.in_unit(column, found['observed'])}.",
    )
    return {
        "row": row,
        "found": found,
        "figure": figure,
        "observed": text.in_unit(column, found["observed"]),
        "largest": text.in_unit(column, found["largest"]),
        "sd": text.in_unit(column, found["sd"]),
        "in_sd": fmt.decimal(abs(found["observed"]) / found["sd"], 1),
    }


def _importance(ranked: list[dict[str, Any]]) -> dict[str, Any]:
    strong = [row for row in ranked if "cramers_v" in row]
    rows = [
        [
            i,
            row["column"],
            fmt.decimal(row["cramers_v"]),
            fmt.interval(row["low"], row["high"]),
            fmt.decimal(row["statistic"], 1),
            fmt.integer(row["df"]),
            fmt.p_value(row["p_value"]),
            fmt.decimal(row["min_expected"], 1),
            fmt.percent(row["small_expected_share"], 0),
            fmt.decimal(row["pooled_v"]),
        ]
        for i, row in enumerate(strong, 1)
    ]
    figure = None
    if strong:
        figure = figures.bars(
            [row["column"] for row in strong],
            [row["cramers_v"] for row in strong],
            low=[row["low"] for row in strong],
            high=[row["high"] for row in strong],
            xlabel="bias-corrected Cramér's V with default",
            format="decimal:2",
            alt=f"Cramér's V of {len(strong)} categorical columns with default; "
            f"{strong[0]['column']} leads with {fmt.decimal(strong[0]['cramers_v'])}.",
        )
    return {
        "importance_rows": rows,
        "importance_figure": figure,
        "importance_lead": _lead(strong),
        "importance": strong,
        "not_ranked": [row for row in ranked if "cramers_v" not in row],
    }


def _lead(ranked: list[dict[str, Any]]) -> str:
    """Say which column leads, and whether its interval is clear of the next one's."""
    if len(ranked) < 2:
        return ""
    first, second = ranked[:2]
    apart = "lies above" if first["low"] > second["high"] else "overlaps"
    return (
        f" {first['column']} leads with V = {fmt.decimal(first['cramers_v'])}; its interval "
        f"{apart} that of {second['column']}, the next."
    )


def _context(context: dict[str, Any]) -> dict[str, Any]:
    tests, price, classifier = context["tests"], context["price"], context["classifier"]
    largest = tests["studies"][-1]
    studies = []
    for study in tests["studies"]:
        null = next(row for row in study["simulated"] if row["difference"] == 0)
        studies.append(
            [
                fmt.integer(study["n"]),
                f"{fmt.integer(study['n_first'])} + {fmt.integer(study['n_second'])}",
                fmt.percent(null["share"]),
                fmt.interval(null["low"], null["high"], "percent"),
                *(fmt.money(target["difference"]) for target in study["detectable"]),
            ]
        )
    priced = [
        [
            f"{row['alpha']:g}",
            fmt.percent(row["power"], 0),
            fmt.money(row["cost_false_alarm"]),
            fmt.money(row["cost_missed_detection"]),
            fmt.money(row["cost_total"]),
        ]
        for row in price["by_alpha"]
    ]
    gap = max(
        abs(row["share"] - row["power"]) for study in tests["studies"] for row in study["simulated"]
    )
    return {
        "tests": tests,
        "price": price,
        "classifier": classifier,
        "targets_heads": [
            f"Difference found in {fmt.percent(t['power'], 0)}" for t in largest["detectable"]
        ],
        "mapping": MAPPING,
        "study_rows": studies,
        "price_rows": priced,
        "power_gap": fmt.decimal(100 * gap, 1),
        "power_figure": draw.power_curves(
            tests,
            alt=f"Power of the comparison of {tests['column']} against the true difference, for "
            f"studies of {', '.join(str(fmt.integer(s['n'])) for s in tests['studies'])} clients.",
        ),
        "rule_rows": [text.rule_row(rule, classifier["column"]) for rule in classifier["rules"]],
        "cheapest": min(classifier["rules"], key=lambda rule: rule["cost_per_client"]),
        "rule_name": text.name_rule,
    }
