"""Slice ``errors``: power of one comparison, what errors cost, and those of classifiers."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.statistics import errors_figures as draw

Row = dict[str, Any]

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
DECISIONS = ("caught", "false_alarms", "missed", "cleared")


def build_tests(tests: Row) -> Row:
    """Return the power of the comparison of one mean, in closed form and simulated."""
    rows = []
    for study in tests["studies"]:
        null = next(row for row in study["simulated"] if row["difference"] == 0)
        rows.append(
            [
                fmt.integer(study["n"]),
                f"{fmt.integer(study['n_first'])} + {fmt.integer(study['n_second'])}",
                fmt.percent(null["share"]),
                fmt.interval(null["low"], null["high"], "percent"),
                *(fmt.money(target["difference"]) for target in study["detectable"]),
            ]
        )
    simulated = [row for study in tests["studies"] for row in study["simulated"]]
    gap = max(abs(row["share"] - row["power"]) for row in simulated)
    sizes = ", ".join(str(fmt.integer(study["n"])) for study in tests["studies"])
    return {
        "tests": tests,
        "targets_heads": [
            f"Difference found in {fmt.percent(t['power'], 0)}"
            for t in tests["studies"][-1]["detectable"]
        ],
        "study_rows": rows,
        "power_gap": fmt.decimal(100 * gap, 1),
        "power_figure": draw.power_curves(
            tests,
            alt=f"Power of the comparison of {tests['column']} against the true difference, for "
            f"studies of {sizes} clients.",
        ),
    }


def build_price(price: Row) -> Row:
    """Return what the errors of one test are expected to cost, by level."""
    rows = [
        [
            f"{row['alpha']:g}",
            fmt.percent(row["power"], 0),
            fmt.money(row["cost_false_alarm"]),
            fmt.money(row["cost_missed_detection"]),
            fmt.money(row["cost_total"]),
        ]
        for row in price["by_alpha"]
    ]
    return {"price": price, "price_rows": rows}


def build_classifier(classifier: Row, threshold: Row) -> Row:
    """Return the one-line rules and the served model, priced alike."""
    model = price_model(classifier, threshold)
    rules = classifier["rules"]
    n_rules = sum(rules[0][key] for key in DECISIONS)
    cheapest = min(rules, key=lambda rule: rule["cost_per_client"])
    column = classifier["column"]
    n_model = sum(model[key] for key in DECISIONS)
    return {
        "mapping": MAPPING,
        "classifier": classifier,
        "cheapest": {
            "name": name_rule(cheapest, column),
            "cost": fmt.money(cheapest["cost_per_client"]),
        },
        "model": model | {"n": n_model, "threshold": threshold["value"]},
        "model_cheaper": model["cost_per_client"] < cheapest["cost_per_client"],
        "rule_rows": [
            decision_row(name_rule(rule, column), f"all {fmt.integer(n_rules)}", rule)
            for rule in rules
        ]
        + [
            decision_row(
                f"served model, flag at {fmt.decimal(threshold['value'], 2)} or more",
                f"hold-out, {fmt.integer(n_model)}",
                model,
            )
        ],
    }


def name_rule(rule: Row, column: str) -> str:
    """Return a one-line classifier in words."""
    if rule["at_least"] is None:
        return "flag nobody"
    if rule["missed"] == 0 and rule["cleared"] == 0:
        return "flag everybody"
    return f"{column} ≥ {rule['at_least']:g}"


def price_model(classifier: Row, threshold: Row) -> Row:
    """Return the served model's decisions with the rates and costs that the rules have."""
    caught, missed = threshold["caught_defaults"], threshold["missed_detections"]
    alarms, cleared = threshold["false_alarms"], threshold["correctly_clear"]
    cost = alarms * classifier["cost_false_alarm"] + missed * classifier["cost_missed_detection"]
    flagged = caught + alarms
    return {
        "caught": caught,
        "false_alarms": alarms,
        "missed": missed,
        "cleared": cleared,
        "false_alarm_rate": alarms / (alarms + cleared),
        "missed_rate": missed / (missed + caught),
        "wrong_flag_share": alarms / flagged if flagged else None,
        "cost_per_client": cost / (caught + missed + alarms + cleared),
    }


def decision_row(name: str, source: str, counted: Row) -> list[Any]:
    """Return one row of the table of classifiers."""
    return [
        name,
        source,
        *(fmt.integer(counted[key]) for key in DECISIONS),
        fmt.percent(counted["false_alarm_rate"]),
        fmt.percent(counted["missed_rate"]),
        fmt.percent(counted["wrong_flag_share"]),
        fmt.money(counted["cost_per_client"]),
    ]
