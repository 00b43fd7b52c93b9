"""Calibration and grades: the gate, the curve, what recalibration would change."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from markupsafe import Markup

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.pages.model import figures as draw
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

SIDES = {"train": "out of fold", "holdout": "hold-out"}
ARMS = {
    "none": "none",
    "sigmoid": "sigmoid, affine in log-odds",
    "isotonic": "isotonic",
    "venn_abers": "Venn–Abers",
}
SCORES = {"log_loss": "log loss", "brier": "Brier score"}


def build(document: Row, problem: str | None = None) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    document : dict
        What :func:`creditrisk.validation.calibration_report.calibration_document` returned.
    problem : str, optional
        What is wrong with the bounds of the grades.

    Returns
    -------
    dict
    """
    train, holdout = document["train"], document["holdout"]
    bins = {side: {"reliability": document[side]["bins"]} for side in SIDES}
    return {
        "gate": document["gate"] | {"reason": document["gate"]["reason"].replace("-", fmt.MINUS)},
        "problem": problem,
        "train": train,
        "holdout": holdout,
        "alpha": document["alpha"],
        "n_folds": document["n_folds"],
        "served": document["served"],
        "why": why(document),
        "verdicts": [
            row["verdict"]
            for arm in document["arms"].values()
            for row in arm.get("differences", {}).values()
        ],
        "rejected": rejected(train, document["alpha"]),
        "curve_figure": curve_figure(train["curve"]),
        "bins_figure": draw.reliability(bins, SIDES),
        "gate_rows": gate_rows(document["gate"], holdout["intervals"]),
        "test_rows": [test_row(name, document[side]) for side, name in SIDES.items()],
        "score_rows": [
            score_row(f"{SCORES[score]}, {name}", document[side]["scores"][score])
            for side, name in SIDES.items()
            for score in SCORES
        ],
        "arm_rows": [arm_row(name, document["arms"][arm]) for arm, name in ARMS.items()],
        "difference_rows": [
            difference_row(name, document["arms"][arm]["differences"])
            for arm, name in ARMS.items()
            if arm != "none"
        ],
        "grade_figure": grade_figure(train["grades"]),
        "grade_rows": {side: [grade_row(r) for r in document[side]["grades"]] for side in SIDES},
        "rising": {side: rising(document[side]["grades"]) for side in SIDES},
        "too_low": {side: too_low(document[side]["grades"], document["alpha"]) for side in SIDES},
    }


def why(document: Row) -> str:
    """Return which branch of the rule decided what is served."""
    arms = document["arms"]
    if arms["sigmoid"]["differences"]["log_loss"]["verdict"] == "better":
        return "better"
    if document["served"]:
        return "gate"
    return "none" if arms["none"]["gate"]["promotable"] else "no help"


def rejected(side: Row, alpha: float) -> list[str]:
    """Return the tests that find probabilities less than perfectly calibrated."""
    tests = {"Spiegelhalter's": side["spiegelhalter"], "Cox's": side["cox"]}
    return [name for name, test in tests.items() if test and test["p"] < alpha]


def rising(grades: list[Row]) -> bool:
    """Tell whether the observed rate rises over the grades that hold clients."""
    rates = [row["observed"] for row in grades if row["n"]]
    return all(a < b for a, b in pairwise(rates))


def too_low(grades: list[Row], alpha: float) -> list[str]:
    """Return the grades whose probability is too low by Jeffreys' test after Holm."""
    return [row["grade"] for row in grades if row["n"] and row["jeffreys_p_adjusted"] < alpha]


def gate_rows(gate: Row, holdout: Row) -> list[list[Any]]:
    """Return both conditions: estimate, interval, bounds, verdict; the hold-out beside them."""
    low, high = gate["slope_bounds"]
    margin = gate["mean_margin"]
    shown = [
        ("calibration slope", "slope", (low, high), 1, "decimal:3"),
        ("mean probability − base rate, points", "mean_gap", (-margin, margin), 100, "decimal:2"),
    ]
    rows = []
    for label, name, (least, most), unit, form in shown:
        cells: list[Any] = [label]
        for source in (gate, holdout):
            value, *ends = (source.get(name + part) for part in ("", "_low", "_high"))
            scaled = [None if end is None else unit * end for end in (value, *ends)]
            cells += [fmt.apply(scaled[0], form), fmt.interval(scaled[1], scaled[2], form)]
        inside = name in gate and least <= gate[f"{name}_low"] and gate[f"{name}_high"] <= most
        verdict = "yes" if inside else "no"
        bounds = fmt.interval(unit * least, unit * most, lambda v: fmt.decimal(v, 2))
        rows.append([*cells[:3], bounds, verdict, *cells[3:]])
    return rows


def test_row(name: str, side: Row) -> list[Any]:
    """Return both tests of perfect calibration on one side."""
    cox = side["cox"] or {"statistic": None, "p": None}
    return [
        name,
        fmt.decimal(side["spiegelhalter"]["z"], 2),
        fmt.p_value(side["spiegelhalter"]["p"]),
        fmt.decimal(cox["statistic"], 2),
        fmt.p_value(cox["p"]),
        fmt.decimal(side["ece"], 4),
    ]


def score_row(name: str, parts: Row) -> list[Any]:
    """Return what one score is made of."""
    names = ("score", "miscalibration", "expected")
    return [
        name,
        *(fmt.decimal(parts[part], 5) for part in names),
        fmt.p_value(parts["p"]),
        *(fmt.decimal(parts[part], 5) for part in ("discrimination", "uncertainty")),
    ]


def arm_row(name: str, arm: Row) -> list[Any]:
    """Return the figures of one map."""
    names = ("log_loss", "brier", "ece", "miscalibration", "discrimination", "roc_auc")
    return [
        name,
        *(fmt.decimal(arm[figure], 4) for figure in names),
        fmt.decimal(arm.get("calibration_slope"), 3),
        fmt.decimal(arm.get("calibration_intercept"), 3),
        "passes" if arm["gate"]["promotable"] else "fails",
    ]


def difference_row(name: str, differences: Row) -> list[Any]:
    """Return one map's paired differences to none, with the verdict in words."""
    cells: list[Any] = [name]
    for score in SCORES:
        d = differences[score]
        cells.append(
            Markup("{} {}<br><small>{}</small>").format(
                fmt.decimal(d["difference"], 5),
                d["verdict"],
                fmt.interval(d["low"], d["high"], "decimal:5"),
            )
        )
    return cells


def grade_row(row: Row) -> list[Any]:
    """Return one grade's counts, rates and back-tests."""
    return [
        row["grade"],
        fmt.interval(row["from"], row["to"], lambda share: f"{100 * share:g}{fmt.THIN}%"),
        fmt.integer(row["n"]),
        fmt.integer(row["defaults"]),
        fmt.percent(row["mean_probability"]),
        fmt.percent(row["observed"]),
        fmt.interval(row["low"], row["high"], "percent"),
        *(
            fmt.p_value(row[test + part])
            for test in ("jeffreys_p", "binomial_p")
            for part in ("", "_adjusted")
        ),
    ]


def curve_figure(curve: Row) -> Figure:
    """Draw the recalibration curve over its band of consistency."""
    fig, ax = figures.new(560, 430)
    x = curve["probability"]
    ax.axline((0, 0), slope=1, color=theme.color("muted"), linewidth=1, linestyle=":")
    ax.fill_between(
        x,
        curve["low"],
        curve["high"],
        step="post",
        color=theme.series(1),
        alpha=0.2,
        lw=0,
        label=f"{fmt.percent(curve['level'], 0)} band if calibrated",
    )
    ax.step(x, curve["observed"], where="post", color=theme.series(0), label="observed")
    ax.set(xlabel="predicted probability", ylabel="observed default rate")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(ticks("percent:0"))
    ax.set_xlim(left=0)
    ax.set_ylim(bottom=0)
    ax.legend(loc="upper left")
    return figures.svg(
        fig,
        alt="Reliability without bins: observed default rate by isotonic regression against the "
        "predicted probability, out of fold; it leaves the band that calibration would give for "
        f"{fmt.percent(curve['outside'])} of clients.",
    )


def grade_figure(grades: list[Row]) -> Figure:
    """Draw observed rates with intervals as bars, mean probabilities as diamonds."""
    shown = [row for row in grades if row["n"]]
    fig, ax = figures.new(640, 70 + 30 * len(shown))
    at = range(len(shown))
    ends = [[row[end] for row in shown] for end in ("low", "high")]
    color = theme.series(0)
    ax.barh(at, [row["observed"] for row in shown], height=0.62, color=color, label="observed")
    ax.hlines(at, *ends, color=theme.color("ink"), linewidth=1.3, label="95 % interval")
    means = [row["mean_probability"] for row in shown]
    color = theme.series(1)
    ax.plot(means, at, "D", color=color, markersize=6, label="mean probability")
    ax.set_yticks(at, [row["grade"] for row in shown])
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set(ylim=(len(shown) - 0.4, -0.6), xlabel="default rate")
    ax.xaxis.set_major_formatter(ticks("percent:0"))
    ax.grid(visible=False, axis="y")
    fig.legend(loc="outside upper right", ncols=3)
    rates = "; ".join(
        f"{row['grade']} {fmt.percent(row['observed'])} against {fmt.percent(mean)}"
        for row, mean in zip(shown, means, strict=True)
    )
    return figures.svg(fig, alt=f"Observed default rate against mean probability: {rates}.")
