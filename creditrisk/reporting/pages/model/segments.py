"""The section on segments: are the probabilities right in each, what is at stake, where."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import density_map, figures, theme
from creditrisk.reporting import format as fmt
from creditrisk.reporting.canvas import ticks
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

LEVEL = 0.05
"""p-value below which a label is said to add to the probability."""
KINDS = {"clusters": "cluster", "rfm": "RFM segment"}
TESTS = {"cluster_test": "cluster", "rfm_test": "RFM segment"}


def build(segments: Row) -> Row:
    """Return what the template shows of the champion by segment.

    Parameters
    ----------
    segments : dict
        ``clusters``, ``rfm``, ``cluster_test``, ``rfm_test`` and ``map``, as
        :mod:`creditrisk.validation.segments` describes them.

    Returns
    -------
    dict
        ``inside``, ``tables``, ``rates`` (a figure), ``tests`` and ``test_rows``,
        ``stake``, and ``map`` (figure and words).
    """
    tests = [{"of": name, **segments[key]} for key, name in TESTS.items()]
    return {
        "inside": {
            key: {"holds": sum(row["inside"] for row in segments[key]), "of": len(segments[key])}
            for key in KINDS
        },
        "tables": {key: [table_row(row) for row in segments[key]] for key in KINDS},
        "rates": rates({name: segments[key] for key, name in KINDS.items()}),
        "tests": [tell(test) for test in tests if test["applicable"]],
        "test_rows": [result_row(test) for test in tests],
        "stake": stake(segments["clusters"]),
        "map": predicted_map(segments["map"]),
    }


def table_row(row: Row) -> list[Any]:
    """Return observed and predicted default rate of one segment, and what is at stake."""
    return [
        row["label"],
        fmt.integer(row["n"]),
        fmt.percent(row["observed"]),
        fmt.interval(row["low"], row["high"], "percent"),
        fmt.percent(row["predicted"]),
        "yes" if row["inside"] else "no",
        millions(row["exposure"]),
    ]


def millions(amount: float) -> fmt.Number:
    """Format an amount in millions: ``4980000`` → ``5.0``."""
    return fmt.decimal(amount / 1e6, 1)


def tell(test: Row) -> Row:
    """Return a test's words: whether the label adds to the probability, and how much."""
    return {
        "of": test["of"],
        "adds": test["p_value"] < LEVEL,
        "p": fmt.p_value(test["p_value"]),
        "gain": small(-test["delta_log_loss"]),
    }


def small(x: float) -> fmt.Number:
    """Format a change of the log loss: six digits."""
    return fmt.decimal(x, 6)


def result_row(test: Row) -> list[Any]:
    """Return one row of the table of tests; dashes and the reason where there is no test."""
    if not test["applicable"]:
        return [test["of"], *[fmt.NONE] * 4, test["reason"]]
    return [
        test["of"],
        fmt.integer(test["n"]),
        fmt.decimal(test["statistic"], 2),
        fmt.integer(test["df"]),
        fmt.p_value(test["p_value"]),
        small(test["delta_log_loss"]),
    ]


def stake(rows: list[Row]) -> Row:
    """Return the exposure at next-month default, and the cluster with most of it."""
    total = sum(row["exposure"] for row in rows)
    most = max(rows, key=lambda row: row["exposure"])
    return {
        "total": millions(total),
        "most": most["label"],
        "share": fmt.percent(most["exposure"] / total if total else 0.0, 0),
        "clients": fmt.percent(most["n"] / sum(row["n"] for row in rows), 0),
    }


def rates(groups: dict[str, list[Row]]) -> Figure:
    """Draw observed default rates with their intervals, and the mean predictions."""
    rows = [row for group in groups.values() for row in group]
    fig, ax = figures.new(720, 95 + 27 * len(rows))
    strong, other = theme.series(0), theme.series(1)
    for i, row in enumerate(rows):
        ax.plot([row["low"], row["high"]], [i, i], color=strong, linewidth=2.2)
    places = range(len(rows))
    ax.plot([r["observed"] for r in rows], places, "o", color=strong, markersize=7)
    ax.plot([r["predicted"] for r in rows], places, "D", color=other, markersize=4.5)
    ax.plot([], [], "o-", color=strong, label="observed, 95 % interval")
    ax.plot([], [], "D", linestyle="none", color=other, label="mean prediction")
    ax.axhline(len(next(iter(groups.values()))) - 0.5, color=theme.color("muted"), linewidth=1)
    ax.set_yticks(places, [f"{row['label']} ({fmt.integer(row['n'])})" for row in rows])
    ax.tick_params(axis="y", labelcolor=theme.color("ink"))
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlabel="default rate")
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(ticks("percent:0"))
    ax.grid(visible=False, axis="y")
    fig.legend(loc="outside upper right", ncols=2)
    words = [f"{r['label']} {r['observed']:.1%}, predicted {r['predicted']:.1%}" for r in rows]
    return figures.svg(fig, alt=f"Default rate by segment, observed: {'; '.join(words)}.")


def predicted_map(grid: Row) -> Row:
    """Return the figure of the map with what its caption says."""
    shown = [m for m, n in zip(grid["mean"], grid["n"], strict=True) if n >= density_map.LEAST]
    ends = f"from {min(shown):.1%} to {max(shown):.1%}" if shown else "nowhere enough of them"
    return {
        "figure": density_map.means(
            grid,
            density_map.RISKS,
            least=density_map.LEAST,
            format="percent:0",
            series=3,
            width=480,
            alt="Map of clients by behaviour, each cell in the colour of its mean predicted "
            f"probability of default: {ends}.",
        ),
        "n": fmt.integer(sum(grid["n"])),
        "min_cell": density_map.LEAST,
        "low": fmt.percent(min(shown, default=None)),
        "high": fmt.percent(max(shown, default=None)),
    }
