"""The section on strata: does a difference of rates survive what else differs?"""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.figures import Figure
from creditrisk.reporting.pages.statistics import text

Row = dict[str, Any]


def build(rows: list[Row], *, alpha: float = 0.05, confidence: float = 0.95) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    rows : list of dict
        Questions that were answered; those of other kinds are passed over.
    alpha, confidence : float
        Level of the tests and of the intervals.

    Returns
    -------
    dict
    """
    items = [describe(row, alpha) for row in rows if row["kind"] == "stratified"]
    return {
        "items": items,
        "n_by_fate": {fate: sum(i["fate"] == fate for i in items) for fate in FATES},
        "level": fmt.percent(alpha, 0),
        "confidence": fmt.percent(confidence, 0),
    }


FATES = ("reversed", "kept", "gone", "appears", "none")


def describe(row: Row, alpha: float) -> Row:
    """Return one comparison: without strata, within each, and with all of them held fixed."""
    found = row["details"]["stratified"]
    marginal, adjusted, homogeneity = (found[k] for k in ("marginal", "adjusted", "homogeneity"))
    strata = found["strata"]
    return {
        "id": row["id"],
        "question": row["question"],
        "subject": text.name_subject(row),
        "within": text.join_words([text.name_column(column) for column in row["within"]]),
        "sides": [name_side(row, side) for side in ("label", "other")],
        "outcome": text.name_column(row["group"]),
        "found": found,
        "marginal": interval_words(marginal),
        "adjusted": interval_words(adjusted),
        "fate": tell_fate(found),
        "change": relative_change(marginal, adjusted),
        "odds_ratio": fmt.decimal(found["odds_ratio"], 2),
        "odds_interval": fmt.interval(found["low"], found["high"], "decimal:2"),
        "chi2": text.large(found["statistic"]),
        "p": fmt.p_value(found["p_value"]),
        "p_holm": fmt.p_value(row["p_holm"]),
        "same_odds": homogeneity
        and {
            "differ": homogeneity["p_value"] < alpha,
            "chi2": text.large(homogeneity["statistic"]),
            "df": homogeneity["df"],
            "p": fmt.p_value(homogeneity["p_value"]),
        },
        "n_above": sum(stratum["low"] > 0 for stratum in strata),
        "n_below": sum(stratum["high"] < 0 for stratum in strata),
        "n_strata": len(strata),
        "left_out": text.join_words([text.name_level(x) for x in found["strata_left_out"]]),
        "n_strata_left_out": len(found["strata_left_out"]),
        "rows": [stratum_row(stratum) for stratum in strata],
        "figure": forest(row, strata, marginal, adjusted),
    }


def name_side(row: Row, side: str) -> str:
    """Return one side of the exposure in words."""
    label, column = row["details"]["exposed"][side], text.name_column(row["value"])
    level = {True: "yes", False: "no"}[label] if isinstance(label, bool) else label
    return f"{column} = {text.name_level(level)}"


def interval_words(difference: Row) -> str:
    """Return a difference of rates with its interval."""
    interval = fmt.interval(difference["low"], difference["high"], points)
    return f"{points(difference['difference'])} points ({interval})"


def points(x: float) -> str:
    """Format a difference of shares in percentage points."""
    return str(fmt.decimal(100 * x, 1))


def tell_fate(found: Row) -> str:
    """Return what holding the strata fixed does to the difference, by both intervals.

    "reversed" and "kept" are the library's own words; "unclear" is told apart by which
    of the two intervals holds 0.
    """
    if found["simpson"] != "unclear":
        return {"reversed": "reversed", "same_sign": "kept"}[found["simpson"]]
    before, after = (
        found[which]["low"] > 0 or found[which]["high"] < 0 for which in ("marginal", "adjusted")
    )
    return "gone" if before else "appears" if after else "none"


def relative_change(marginal: Row, adjusted: Row) -> float | None:
    """Return by which share the strata change the difference; None where it was 0."""
    if marginal["difference"] == 0:
        return None
    return adjusted["difference"] / marginal["difference"] - 1


def stratum_row(stratum: Row) -> list[Any]:
    """Return one stratum: sizes, rates, difference and odds ratio."""
    return [
        text.name_level(stratum["label"]),
        fmt.integer(stratum["n_exposed"]),
        fmt.integer(stratum["n"] - stratum["n_exposed"]),
        fmt.percent(stratum["rate_exposed"]),
        fmt.percent(stratum["rate_other"]),
        points(stratum["difference"]),
        fmt.interval(stratum["low"], stratum["high"], points),
        fmt.decimal(stratum["odds_ratio"], 2),
    ]


def forest(row: Row, strata: list[Row], marginal: Row, adjusted: Row) -> Figure:
    """Draw the difference in every stratum, then without strata and with them held fixed."""
    fig, ax = figures.new(720, 100 + 25 * (len(strata) + 2))
    ax.axvline(0, color=theme.color("muted"), linewidth=1.2)
    lines = [(stratum, 0, "o") for stratum in strata]
    lines += [(marginal, 1, "s"), (adjusted, 2, "D")]
    for i, (difference, number, marker) in enumerate(lines):
        y, color = i + 0.5 * (number > 0), theme.series(number)
        ax.hlines(y, difference["low"], difference["high"], color=color, linewidth=2)
        ax.plot(difference["difference"], y, marker, color=color, markersize=6.5)
    k = len(strata)
    labels = [f"{text.name_level(s['label'])} ({fmt.integer(s['n'])})" for s in strata]
    ax.set_yticks([*range(k), k + 0.5, k + 1.5], [*labels, "without strata", "strata held fixed"])
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set_ylim(k + 2.1, -0.6)
    ax.grid(visible=False, axis="y")
    ax.xaxis.set_major_formatter(
        ticks(lambda x: f"{round(100 * x, 1) + 0:g}".replace("-", fmt.MINUS))
    )
    first, second = (name_side(row, side) for side in ("label", "other"))
    rate = f"{text.name_column(row['group'])} rate"
    ax.set_xlabel(f"{rate}, percentage points: {first} less {second}")
    return figures.svg(
        fig,
        alt=f"Difference of the {rate} between {first} and {second} in {k} strata; without "
        f"strata {interval_words(marginal)}, with strata held fixed {interval_words(adjusted)}.",
    )
