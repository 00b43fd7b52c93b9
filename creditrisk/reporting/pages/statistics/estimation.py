"""The sections on the mean, on bootstrap distributions and on the coverage of intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from creditrisk import schema
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.statistics import estimation_figures as own
from creditrisk.reporting.pages.statistics import figures as draw
from creditrisk.reporting.pages.statistics import text

Row = dict[str, Any]

METHODS = {
    "normal": "Normal (z)",
    "t": "Student t",
    "percentile": "Bootstrap, percentile",
    "basic": "Bootstrap, basic",
    "bca": "Bootstrap, BCa",
    "studentised": "Bootstrap, studentised",
    "grouped": "Normal, rows of one client kept together",
    "wilson": "Wilson score",
}
PAIR = Markup("{} to<br>{}")
NOTED = Markup("{}<br><small>{}</small>")
FORMULA_HOLDS = 0.05
"""Largest gap between a bootstrap error and the textbook's that is called none."""


def build(mean: Row, distributions: Sequence[Row], coverage: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    mean : dict
        ``estimation.estimate_mean``, with ``column`` and ``n_bootstrap``.
    distributions : sequence of dict
        ``distributions.describe_all``.
    coverage : dict
        ``document`` of the study, and ``stale``: in words what it was computed from that is
        not today's.

    Returns
    -------
    dict
        ``mean``, ``bootstrap`` and ``coverage``, one part a section.
    """
    return {
        "mean": describe_mean(mean),
        "bootstrap": describe_bootstrap(distributions),
        "coverage": describe_coverage(coverage["document"], coverage["stale"]),
    }


def describe_mean(mean: Row) -> Row:
    """Return the first section: every interval of one mean."""
    named = {row["method"]: row for row in mean["intervals"]}
    usual = [row for method, row in named.items() if method != "grouped"]
    apart = max(
        max(row[end] for row in usual) - min(row[end] for row in usual) for end in ("low", "high")
    )
    width = {method: row["high"] - row["low"] for method, row in named.items()}
    t, column = named["t"], mean["column"]
    return {
        "stored": mean,
        "confidence": fmt.percent(mean["confidence"], 0),
        "t": f"{fmt.money(t['low'])} to {fmt.money(t['high'])}",
        "rows": [
            [METHODS[m], fmt.money(r["low"]), fmt.money(r["high"]), fmt.money(width[m])]
            for m, r in named.items()
        ],
        "apart": fmt.money(apart),
        "apart_share": fmt.percent(apart / width["normal"], 1),
        "matters": apart > 0.1 * width["normal"],
        "grouped_factor": fmt.decimal(width["grouped"] / width["normal"], 2),
        "figure": draw.intervals(
            [METHODS[m].replace("rows of one client kept together", "grouped rows") for m in named],
            [row["low"] for row in named.values()],
            [row["high"] for row in named.values()],
            estimate=mean["mean"],
            xlabel=f"mean of {column}",
            alt=f"Intervals of the mean of {column} by {len(named)} methods; all but the "
            f"last differ by {fmt.money(apart)} at most.",
        ),
    }


def describe_bootstrap(rows: Sequence[Row]) -> Row:
    """Return the second section: bootstrap distributions, what they are like and their table."""
    shown = [row for row in rows if row["applicable"]]
    smooth = [row for row in shown if row["formula_error"] is not None]
    gaps = [abs(row["standard_error"] / row["formula_error"] - 1) for row in smooth]
    apart: list[str] = []
    crossing: list[str] = []
    for row in shown:
        low, high = row["intervals"][0]["low"], row["intervals"][0]["high"]
        if row["group"] is not None:
            (crossing if low <= 0 <= high else apart).append(name(row))
    return {
        "n_bootstrap": shown[0]["n_bootstrap"] if shown else 0,
        "n_shown": len(shown),
        "formula_gap": fmt.percent(max(gaps)) if gaps else None,
        "formula_holds": bool(gaps) and max(gaps) < FORMULA_HOLDS,
        "apart": apart,
        "crossing": crossing,
        "lumpy": [describe_lumps(row) for row in shown if is_lumpy(row)],
        "undefined": [
            {"name": name(row), "reason": interval["reason"].removeprefix("BCa interval: ")}
            for row in shown
            for interval in row["intervals"]
            if "reason" in interval
        ],
        "skipped": [row for row in rows if not row["applicable"]],
        "rows": [bootstrap_row(row) for row in shown],
        "figure": own.distributions(
            shown,
            [capitalise(name(row)) for row in shown],
            ["percent" if row["statistic"] == "rate" else in_thousands for row in shown],
            alt=f"Histograms of {len(shown)} bootstrap distributions with percentile intervals; "
            f"{sum(map(is_lumpy, shown))} of them, of medians, sit on few values.",
        )
        if shown
        else None,
    }


def name(row: Row) -> str:
    """Return what was bootstrapped, in words."""
    value = f"{row['statistic']} of {text.name_column(row['value'])}"
    if row["statistic"] == "rate" and row["value"] == schema.TARGET:
        value = "default rate"
    if row["group"] is None:
        return value
    return f"{value}, {text.name_column(row['group'])} {row['first']} minus {row['second']}"


def capitalise(words: str) -> str:
    """Return words with a capital letter first, the rest as it is."""
    return words[:1].upper() + words[1:]


def in_thousands(value: float) -> str:
    """Write an amount for the axis of a small panel."""
    return f"{fmt.decimal(value / 1000, 0 if value % 1000 == 0 else 1)}k"


def in_unit(row: Row, value: float | None) -> str:
    """Format a value of the row's statistic."""
    if row["statistic"] == "rate":
        return fmt.percent(value, 2)
    return text.in_unit(row["value"], value)


def interval_ends(row: Row, method: str) -> tuple[str, str]:
    """Return both ends of an interval, dashes where it is not defined."""
    (found,) = (i for i in row["intervals"] if i["method"] == method)
    return in_unit(row, found["low"]), in_unit(row, found["high"])


def interval_cell(row: Row, method: str) -> str:
    """Return an interval for the table, where the estimate names the currency; or a dash."""
    low, high = (end.replace(f"NT${fmt.NBSP}", "") for end in interval_ends(row, method))
    return fmt.NONE if low == fmt.NONE else PAIR.format(low, high)


def is_lumpy(row: Row) -> bool:
    """Return whether a median sits on few values; a rate of few clients may, but shows no lumps."""
    return row["statistic"] == "median" and "values" in row


def describe_lumps(row: Row) -> Row:
    """Return what there is to say of a distribution on few values."""
    return {
        "name": name(row),
        "n_values": row["n_distinct"],
        "at_estimate": fmt.percent(row["at_estimate"], 2),
        "estimate": in_unit(row, row["estimate"]),
        "is_point": row["intervals"][0]["low"] == row["intervals"][0]["high"],
        "percentile": " to ".join(interval_ends(row, "percentile")),
        "order": " to ".join(interval_ends(row, "order")) if row["group"] is None else None,
    }


def bootstrap_row(row: Row) -> list[Any]:
    """Return the line of the table."""
    error, formula = row["standard_error"], row["formula_error"]
    clients = " + ".join(fmt.integer(n) for n in row["n"])
    beside = "" if formula is None else f"({in_unit(row, formula)})"
    bias = f"bias {fmt.decimal(row['bias'] / error, 3)}" if error else ""
    return [
        NOTED.format(capitalise(name(row)), f"{clients} clients"),
        NOTED.format(in_unit(row, row["estimate"]), bias),
        NOTED.format(in_unit(row, error), beside),
        *(interval_cell(row, method) for method in ("percentile", "bca")),
    ]


def describe_coverage(document: Row, stale: Sequence[str]) -> Row:
    """Return the third section: how often intervals of each kind hold the truth."""
    rows, design, gate = document["rows"], document["design"], document["gate"]
    sizes, confidence = design["sizes"], design["confidence"]
    small = describe_smallest([row for row in rows if row["n"] == sizes[0]], confidence)
    best, worst = small["best"], small["worst"]
    return {
        "stale": list(stale),
        "design": design,
        "population": document["population"],
        "gate": gate,
        "failed": [short(row["method"]) for row in gate["methods"] if not row["holds"]],
        "confidence": fmt.percent(confidence, 0),
        "level": fmt.percent(design["gate_level"], 1),
        "small": small,
        "heads": [f"{fmt.integer(n)} clients" for n in sizes],
        "rows": coverage_rows(rows, sizes),
        "misses": [miss_row(row, fmt.money) for row in rows],
        "rates": document["rates"],
        "rate_rows": [
            miss_row(row, lambda w: fmt.percent(w, 2)) for row in document["rates"]["rows"]
        ],
        "figure": own.coverage(
            rows,
            METHODS,
            confidence,
            alt=f"Coverage of {small['n_methods']} kinds of interval at {len(sizes)} sizes; at "
            f"{fmt.integer(sizes[0])} clients the {worst['name']} interval is furthest from its "
            f"claim with {worst['coverage']}, the {best['name']} interval nearest with "
            f"{best['coverage']}.",
        ),
    }


def describe_smallest(rows: Sequence[Row], confidence: float) -> Row:
    """Return which interval does best where it is hardest, with the fewest clients."""
    order = sorted(rows, key=lambda row: abs(row["coverage"] - confidence))
    best = order[0]
    even = min(rows, key=lambda row: abs(row["below"] - row["above"]))
    normal = next(row for row in rows if row["method"] == "normal")
    more, less = (pick(normal["below"], normal["above"]) for pick in (max, min))
    return {
        "n": best["n"],
        "n_methods": len(rows),
        "n_short": sum(row["high"] < confidence for row in rows),
        "best": named(best)
        | {"short": best["high"] < confidence, "over": best["low"] > confidence},
        "best_width": fmt.decimal(best["width"] / normal["width"], 2),
        "tied": [
            short(row["method"])
            for row in order[1:]
            if row["low"] <= best["high"] and best["low"] <= row["high"]
        ],
        "worst": named(order[-1]),
        "even": named(even),
        "normal": named(normal),
        "lopsided": more > 2 * less,
    }


def short(method: str) -> str:
    """Return a method's name within a sentence."""
    words = METHODS[method].removeprefix("Bootstrap, ")
    return words if words[:2] in ("St", "BC", "Wi") else words.lower()


def named(row: Row) -> Row:
    """Return a row of coverage as words."""
    shares = {key: fmt.percent(row[key]) for key in ("coverage", "below", "above")}
    return {"name": short(row["method"]), **shares}


def coverage_rows(rows: Sequence[Row], sizes: Sequence[int]) -> list[list[Any]]:
    """Return a line a method, with coverage and its exact interval a size."""
    cells = {
        (row["method"], row["n"]): text.TWO_LINES.format(
            fmt.percent(row["coverage"]), fmt.interval(row["low"], row["high"], "percent")
        )
        for row in rows
    }
    methods = dict.fromkeys(row["method"] for row in rows)
    return [[METHODS[m], *(cells[m, n] for n in sizes)] for m in methods]


def miss_row(row: Row, width: Any) -> list[Any]:
    """Return a line a size and method, with both sides of the misses."""
    return [
        fmt.integer(row["n"]),
        METHODS[row["method"]],
        fmt.percent(row["coverage"], 2),
        fmt.percent(row["below"], 2),
        fmt.percent(row["above"], 2),
        width(row["width"]),
    ]
