"""The section on Type I and Type II errors: measured, simulated, priced, and a classifier's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.statistics import errors_costs as costs
from creditrisk.reporting.pages.statistics import errors_declared as declared
from creditrisk.reporting.pages.statistics import errors_figures as draw
from creditrisk.reporting.pages.statistics import errors_text as words

Row = dict[str, Any]

METHODS = {"raw": "no correction", "holm": "Holm", "bh": "Benjamini-Hochberg"}


def build(context: Row, errors_study: Row, beside: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    context : dict
        Key ``context`` of ``stats_report.json``: ``tests``, ``price``, ``classifier``.
    errors_study : dict
        ``document`` of the study ``errors``, and ``stale``: in words, what it was computed
        from that is not today's.
    beside : dict
        ``reports/metrics/evaluate.json``: the served model's decisions at its threshold.

    Returns
    -------
    dict
    """
    study = errors_study["document"]
    return {
        "stale": errors_study["stale"],
        "declared": declared.build_declared(study["declared"], study["false_alarms"]),
        "alarms": build_alarms(study["false_alarms"]),
        "power": build_power(study["power"]),
        "family": build_family(study["family"]) | {"left_out": study["not_simulated"]},
        **costs.build_tests(context["tests"]),
        **costs.build_price(context["price"]),
        **costs.build_classifier(context["classifier"], beside["threshold"]),
    }


def build_alarms(measured: Row) -> Row:
    """Return figure, tables and words of the false alarms."""
    rows = measured["rows"]
    full = measured["sizes"][-1]
    at_full = [row for row in rows if row["n"] == full]
    held = [row for row in at_full if row["high"] < measured["ceiling"]]
    apart = [row for row in rows if row["verdict"] != "exact"]
    return {
        "n_shuffles": measured["n_shuffles"],
        "n_reference": measured["n_reference"],
        "level": fmt.percent(measured["alpha"], 0),
        "ceiling": fmt.percent(measured["ceiling"], 0),
        "n_full": len(at_full),
        "n_held": len(held),
        "half_width": fmt.decimal(100 * max((row["high"] - row["low"]) / 2 for row in rows), 1),
        "n_rates": len(rows),
        "by_chance": fmt.decimal(0.05 * len(rows), 1),
        "failed": words.list_rates([row for row in at_full if row["high"] >= measured["ceiling"]]),
        "n_liberal": sum(row["verdict"] == "liberal" for row in apart),
        "n_conservative": sum(row["verdict"] == "conservative" for row in apart),
        **{
            verdict: words.list_rates([row for row in at_full if row["verdict"] == verdict])
            for verdict in ("liberal", "conservative")
        },
        "apart_rows": [
            [
                words.subject(row),
                fmt.integer(row["n"]),
                words.with_interval(row),
                words.explain(row, rows, measured["alpha"]),
            ]
            for row in words.one_a_test(apart, measured["alpha"])
        ],
        "heads": [f"{fmt.integer(n)} clients" for n in measured["sizes"]],
        "all_rows": _alarm_rows(rows, measured["sizes"]),
        "skipped": sum(measured["n_shuffles"] - row["n_applicable"] for row in rows),
        "figure": _alarm_figure(measured),
    }


def _alarm_rows(rows: Sequence[Row], sizes: Sequence[int]) -> list[list[Any]]:
    """Return every rate, one row a test and one column a size of study."""
    by_size = [[row for row in rows if row["n"] == n] for n in sizes]
    return [
        [words.subject(same[0]), *(fmt.percent(row["share"]) for row in same)]
        for same in zip(*by_size, strict=True)
    ]


def _alarm_figure(measured: Row) -> Any:
    """Draw every rate, the cases one below the other with a gap between."""
    sizes, rows = measured["sizes"], measured["rows"]
    cases = dict.fromkeys((row["value"], row["group"]) for row in rows)
    labels: list[str] = []
    series: dict[str, list[Any]] = {str(fmt.integer(n)): [] for n in sizes}
    for value, group in cases:
        found = [row for row in rows if (row["value"], row["group"]) == (value, group)]
        if labels:
            labels.append("")
        labels += [words.subject(row) for row in found if row["n"] == sizes[0]]
        for n, listed in zip(sizes, series.values(), strict=True):
            gap = [None] if listed else []
            listed.extend([*gap, *(row for row in found if row["n"] == n)])
    worst = max(rows, key=lambda row: row["share"])
    return draw.false_alarms(
        labels,
        series,
        alpha=measured["alpha"],
        ceiling=measured["ceiling"],
        alt=f"Rates of false alarms of {len(rows) // len(sizes)} tests in studies of "
        f"{', '.join(series)} clients, with 95 % intervals; the highest is "
        f"{fmt.percent(worst['share'])}, {words.subject(worst)} at {fmt.integer(worst['n'])}.",
    )


def build_power(simulated: Row) -> Row:
    """Return figure, table and words of the simulated power."""
    panels = simulated["panels"]
    points = [
        (panel, study, point)
        for panel in panels
        for study in panel["studies"]
        for point in study["points"]
    ]
    off = [entry for entry in points if entry[2]["off"]]
    return {
        "n_simulations": simulated["n_simulations"],
        "n_points": len(points),
        "n_off": len(off),
        "confidence": fmt.percent(simulated["confidence"], 0),
        "half_width": fmt.decimal(
            100 * max((point["high"] - point["low"]) / 2 for _, _, point in points), 1
        ),
        "largest_kept": _largest_gap([entry for entry in points if not entry[2]["off"]]),
        "findings": [words.explain_power(panel, panels) for panel in panels if words.is_off(panel)],
        "agreeing": [words.subject(panel) for panel in panels if not words.is_off(panel)],
        "figure": draw.power_panels(
            panels,
            [words.subject(panel) for panel in panels],
            [words.UNITS[panel["kind"]] for panel in panels],
            alt=f"Power against the true effect for {len(panels)} pairs of test and column: "
            f"closed form as lines, simulation as dots; {len(off)} of {len(points)} dots lie "
            "apart from their line by more than chance.",
        ),
    }


def _largest_gap(points: Sequence[tuple[Row, Row, Row]]) -> str:
    """Return the largest distance of closed form and simulation, percentage points."""
    gaps = (abs(point["share"] - point["closed"]) for _, _, point in points)
    return fmt.decimal(100 * max(gaps, default=0.0), 1)


def build_family(found: Row) -> Row:
    """Return figure, table and words of the family's errors."""
    null, mixed = found["all_null"], found["mixed"]
    rows = {
        name: [
            null[method]["family_wise"],
            mixed[method]["family_wise"],
            mixed[method]["false_discovery"],
            mixed[method]["power"],
        ]
        for method, name in METHODS.items()
    }
    raw, holm, bh = (mixed[method] for method in METHODS)
    return {
        "n": found["n"],
        "n_families": found["n_families"],
        "n_questions": found["n_questions"],
        "n_real": found["n_real"],
        "not_applicable": found["not_applicable"],
        "level": fmt.percent(found["alpha"], 0),
        "independent": fmt.percent(found["independent"]),
        "dependence": words.compare_independence(null["raw"]["family_wise"], found["independent"]),
        "any_raw": fmt.percent(null["raw"]["family_wise"]["share"]),
        "any_holm": fmt.percent(null["holm"]["family_wise"]["share"]),
        "any_bh": fmt.percent(bh["family_wise"]["share"]),
        "any_holm_mixed": fmt.percent(holm["family_wise"]["share"]),
        "holm_holds": null["holm"]["family_wise"]["low"] <= found["alpha"]
        and mixed["holm"]["family_wise"]["low"] <= found["alpha"],
        "fdr_bh": fmt.percent(bh["false_discovery"]["share"]),
        "fdr_raw": fmt.percent(raw["false_discovery"]["share"]),
        "bh_holds": bh["false_discovery"]["low"] <= found["alpha"],
        "power": {method: fmt.percent(mixed[method]["power"]["share"]) for method in METHODS},
        "lost": _lost(holm, raw),
        "lost_bh": _lost(bh, raw),
        "rows": [
            [name, *(words.with_interval(cell) for cell in cells)] for name, cells in rows.items()
        ],
        "questions": [
            [
                words.subject(row),
                fmt.percent(row["power"]),
                fmt.percent(row["tail"]["share"], 2),
                fmt.interval(row["tail"]["low"], row["tail"]["high"], "percent:2"),
            ]
            for row in sorted(found["questions"], key=lambda row: -row["power"])
        ],
        "tail": declared.build_tail(found),
        "figure": _family_figure(found, rows),
    }


def _family_figure(found: Row, rows: dict[str, list[Row]]) -> Any:
    """Draw errors and power of the family by correction."""
    null, mixed = found["all_null"], found["mixed"]
    return draw.family(
        [
            "any false alarm,\nno effect anywhere",
            "any false alarm,\nsome effects real",
            "share of findings\nthat are false",
            "real effects found\n(power)",
        ],
        rows,
        alpha=found["alpha"],
        alt=f"A family of {found['n_questions']} questions: any false alarm where no effect "
        f"is real in {fmt.percent(null['raw']['family_wise']['share'])} of studies without "
        f"correction, {fmt.percent(null['holm']['family_wise']['share'])} with Holm's; power "
        f"{fmt.percent(mixed['raw']['power']['share'])} and "
        f"{fmt.percent(mixed['holm']['power']['share'])}.",
    )


def _lost(corrected: Row, raw: Row) -> str:
    """Return the share of what is found without correction that a correction loses."""
    found = raw["power"]["share"]
    return fmt.percent(1 - corrected["power"]["share"] / found if found else None)
