"""The section on sensitivity: the same questions on other selections of clients."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt
from creditrisk.reporting.figures import Figure
from creditrisk.reporting.pages.statistics import figures as draw
from creditrisk.reporting.pages.statistics import text
from creditrisk.reporting.pages.statistics.answers import in_multiples

Row = dict[str, Any]

SHORT = {
    "matters": "matters",
    "unclear": "open, significant",
    "negligible": "negligible",
    "absent": "absent",
    "inconclusive": "open",
    "not_applicable": "not applicable",
}


def build(sensitivity: Row, questions: list[Row]) -> Row:
    """Return what the template shows of the selections.

    Parameters
    ----------
    sensitivity : dict
        ``variants`` and ``changes`` of :mod:`creditrisk.stats.declared.sensitivity`.
    questions : list of dict
        The answers on all rows.
    """
    variants = sensitivity["variants"]
    asked = {row["id"]: row for row in questions if row["applicable"]}
    labels = {variant["id"]: variant["label"] for variant in variants}
    changes = [c for c in sensitivity["changes"] if c["becomes"] != "not_applicable"]
    changed = list(dict.fromkeys(change["question"] for change in changes))
    return {
        "variants": [selection_row(variant) for variant in variants],
        "labels": list(labels.values()),
        "n_asked": len(asked),
        "changed": [text.name_subject(asked[name]) for name in changed if name in asked],
        "to_matters": sum("matters" in (c["verdict"], c["becomes"]) for c in changes),
        "changes": [change_row(change, asked, labels) for change in changes],
        "lost": [
            f"{text.name_subject(asked[c['question']])} ({labels[c['variant']].lower()})"
            for c in sensitivity["changes"]
            if c["becomes"] == "not_applicable"
        ],
        "rows": [effects_row(row, variants) for row in asked.values()],
        "figure": effects_figure(list(asked.values()), variants),
    }


def selection_row(variant: Row) -> list[Any]:
    """Return what a selection leaves out."""
    rule = (
        f"first row of each {variant['one_row_per']}"
        if variant["one_row_per"]
        else f"not {' or '.join(variant['exclude'])}"
    )
    return [
        variant["label"],
        Markup("<code>{}</code>").format(rule),
        fmt.integer(variant["n"]),
        fmt.integer(variant["n_excluded"]),
    ]


def change_row(change: Row, asked: dict[str, Row], labels: dict[str, str]) -> list[Any]:
    """Return a verdict that a selection changes."""
    row = asked.get(change["question"])
    return [
        text.name_subject(row) if row else change["question"],
        labels[change["variant"]],
        text.VERDICTS[change["verdict"]],
        text.VERDICTS[change["becomes"]],
    ]


def effects_row(row: Row, variants: list[Row]) -> list[Any]:
    """Return a question's effect and verdict on all rows and on each selection."""
    cells = [effect_cell(row, row["verdict"])]
    cells += [effect_cell(v["answers"][row["id"]], row["verdict"]) for v in variants]
    return [f"{text.name_subject(row)} ({text.name_test(row['kind'])})", *cells]


def effect_cell(answer: Row, usual: str) -> Markup | str:
    """Return effect, interval and verdict, the verdict stressed where it is another one."""
    verdict = SHORT[answer["verdict"]]
    if not answer["applicable"]:
        return verdict
    stressed = (
        verdict if answer["verdict"] == usual else Markup("<strong>{}</strong>").format(verdict)
    )
    return Markup("{}<br><small>{}</small>").format(text.effect_cell(answer), stressed)


def effects_figure(asked: list[Row], variants: list[Row]) -> Figure | None:
    """Draw each question's effect on all rows with its interval, and on each selection."""
    if not asked or not variants:
        return None
    series = {
        variant["label"]: [
            in_multiples(answer | {"smallest_effect": row["smallest_effect"]})[1]
            if (answer := variant["answers"][row["id"]])["applicable"]
            else None
            for row in asked
        ]
        for variant in variants
    }
    return draw.selections(
        [f"{text.name_subject(row)} ({text.name_test(row['kind'])})" for row in asked],
        [in_multiples(row) for row in asked],
        series,
        alt=f"Effects of {len(asked)} questions in multiples of the smallest effect that "
        f"matters, on all rows and on {len(variants)} selections of them.",
    )
