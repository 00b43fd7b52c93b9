"""What status codes and payments mean: codes by month, roll rates, alignment, identity."""

from __future__ import annotations

from typing import Any

from creditrisk import schema
from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.eda import payments
from creditrisk.reporting.pages.eda import semantics_figures as draw
from creditrisk.reporting.pages.eda.semantics_figures import state_name

Row = dict[str, Any]

MONTHS = dict(zip(schema.STATUS_COLUMNS, schema.MONTH_NAMES, strict=True))
SPANS = ("to_august", "to_september")
APART = 2.0
"""September stands apart in a row whose V is this many times that of any month before,"""
SMALL_EFFECT = 0.1
"""and not below what Cohen (1988) calls a small effect, since noise doubles what is tiny."""


def build(results: Row) -> Row:
    """Return what the sections on the meaning of codes and payments show.

    Parameters
    ----------
    results : dict
        ``data/results/eda.json``: ``params``, ``pay_codes``, ``pay_evidence``,
        ``transitions``, ``alignment`` and ``identity``.
    """
    return {
        "level": fmt.percent(results["params"]["confidence_level"], 0),
        "min_clients": results["params"]["min_bin_clients"],
        **status_section(results["pay_codes"], results["pay_evidence"]),
        "rolls": roll_section(results["transitions"]),
        "alignment": payments.alignment_section(results["alignment"]),
        "identity": payments.identity_section(results["identity"]),
    }


def code_name(code: int) -> str:
    """Name a payment-status code; those above 0 begin with their number anyway."""
    meaning = schema.STATUS_CODES[code]
    return meaning if code > 0 else f"{fmt.integer(code)} {meaning}"


def status_section(table: Row, evidence: list[Row]) -> Row:
    """Return heat map and counts of the codes by month, and the evidence for −2, −1, 0."""
    labels = [f"{c} {MONTHS[c][:3]}" for c in table["columns"]]
    names = [
        f"{code_name(code)}{'' if documented else ' *'}"
        for code, documented in zip(table["codes"], table["documented"], strict=True)
    ]
    seen = [i for i, counts in enumerate(table["counts"]) if sum(counts)]
    place = {code: i for i, code in enumerate(table["codes"])}
    return {
        "figure": figures.heatmap(
            [table["rates"][i] for i in seen],
            [names[i] for i in seen],
            labels,
            format="percent",
            alt="Default rate by payment-status code and month.",
        ),
        "columns": ["Code", *labels],
        "counts": [[names[i], *map(fmt.integer, table["counts"][i])] for i in range(len(names))],
        "code1": [fmt.integer(n) for n in table["counts"][place[1]]],
        "unseen": [names[i] for i in range(len(names)) if i not in seen],
        "rate": {code: table["rates"][place[code]][0] for code in (-2, -1, 0, 1, 2, 3)},
        "evidence": [evidence_row(entry) for entry in evidence],
        "by_code": {entry["code"]: entry for entry in evidence},
    }


def evidence_row(entry: Row) -> list[Any]:
    """Return how the clients of one code used and paid the card."""
    return [
        code_name(entry["code"]),
        fmt.integer(entry["n_months"]),
        fmt.percent(entry["no_bill"]),
        fmt.percent(entry["no_spend"]),
        fmt.integer(entry["n_billed"]),
        fmt.decimal(entry["median_paid_share"], 2),
        fmt.percent(entry["paid_exactly"]),
    ]


def roll_section(transitions: Row) -> Row:
    """Return roll-rate matrices, tests on all and on training rows, and the odd cells."""
    months, every = transitions["months"], transitions["samples"]["all"]
    return {
        "figures": [draw.roll_rates(month, transitions["states"]) for month in months[-2:]],
        "departures": draw.departures(every["departures"], [pair_name(m) for m in months]),
        "samples": {
            name: summarize_tests(sample) for name, sample in transitions["samples"].items()
        },
        "vanished": [
            f"{state_name(c['earlier'])} → {state_name(c['later'])} "
            f"({fmt.integer(c['expected'])} expected, {fmt.integer(c['previous'])} a month before)"
            for c in every["vanished"]
        ],
        "recovery": [recovery_row(month, transitions["states"]) for month in reversed(months)],
        "origins": [origin_row(entry) for entry in every["september_code_1"]],
        "code1": summarize_code_1(every["september_code_1"]),
        "state_columns": ["Months", "From", "Clients", *map(state_name, transitions["states"])],
        "states": [
            row for month in months[:-2] for row in share_rows(month, transitions["states"])
        ],
        "code_columns": ["Months", "From", *map(str, transitions["codes"])],
        "codes": [
            [pair_name(month), code, *counts]
            for month in months
            for code, counts in zip(transitions["codes"], month["counts"], strict=True)
        ],
    }


def pair_name(month: Row) -> str:
    """Name a pair of months: ``July → August``."""
    return f"{MONTHS[month['earlier']]} → {MONTHS[month['later']]}"


def summarize_tests(sample: Row) -> Row:
    """Return the tests of one sample as rows, and the numbers that words follow."""
    spans = [sample["tests"][span] for span in SPANS]
    pairs = [
        pair
        for pair in zip(*(span["rows"] for span in spans), strict=True)
        if all(row["applicable"] for row in pair)
    ]
    largest = max(pairs, key=lambda pair: pair[1]["cramers_v"], default=None)
    untested = [row for row in spans[1]["rows"] if not row["applicable"]]
    rows = [
        [state_name(before["state"]), fmt.integer(after["n"]), *cells(before), *cells(after)]
        for before, after in pairs
    ]
    totals = [cells(span["total"]) for span in spans]
    return {
        "n": sample["n"],
        "rows": [*rows, ["all tested", fmt.NONE, *totals[0], *totals[1]]] if rows else [],
        "largest": largest,
        "before": [pair[0]["cramers_v"] for pair in pairs],
        "n_rejected": sum(pair[0]["p_value"] < 0.05 for pair in pairs),
        "apart": states_apart(sample["departures"]),
        "untested": [f"{state_name(row['state'])}: {row['reason']}" for row in untested],
    }


def cells(test: Row) -> list[Any]:
    """Return chi-square, degrees of freedom, p and V of a test."""
    return [
        fmt.decimal(test["statistic"], 0),
        fmt.integer(test["df"]),
        fmt.p_value(test["p_value"]),
        fmt.decimal(test.get("cramers_v"), 3),
    ]


def states_apart(departures: list[Row]) -> list[str]:
    """Return the states whose row is far further off in September than in any month before."""
    names = []
    for row in departures:
        *before, last = row["cramers_v"]
        known = [v for v in before if v is not None]
        if last is not None and known and last > max(SMALL_EFFECT, APART * max(known)):
            names.append(state_name(row["state"]))
    return names


def recovery_row(month: Row, states: list[int]) -> list[Any]:
    """Return where the clients with code 2 stood a month later."""
    counts = dict(zip(states, month["state_counts"][states.index(2)], strict=True))
    late = sum(n for state, n in counts.items() if state >= 2)
    shown = (sum(counts.values()), counts[-2] + counts[-1], counts[0], counts[1], late)
    return [pair_name(month), *map(fmt.integer, shown)]


def share_rows(month: Row, states: list[int]) -> list[list[Any]]:
    """Return one row a state with clients: how many, and where they went."""
    return [
        [pair_name(month), state_name(state), fmt.integer(sum(counts)), *map(fmt.percent, shares)]
        for state, counts, shares in zip(
            states, month["state_counts"], month["state_shares"], strict=True
        )
        if sum(counts)
    ]


def origin_row(entry: Row) -> list[Any]:
    """Return the September clients with code 1 that came from one state of August."""
    return [
        state_name(entry["state"]),
        fmt.integer(entry["n"]),
        fmt.integer(entry["n_no_bill"]),
        fmt.percent(entry["rate"]),
        fmt.interval(entry["low"], entry["high"], "percent"),
    ]


def summarize_code_1(entries: list[Row]) -> Row:
    """Return how many clients have code 1 in September, and how many of those no bill."""
    n = sum(entry["n"] for entry in entries)
    no_bill = sum(entry["n_no_bill"] for entry in entries)
    return {"n": n, "no_bill": no_bill, "share": no_bill / n if n else None}
