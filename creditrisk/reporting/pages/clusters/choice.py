"""The section on the choice of k: the rule, and what other evidence says beside it."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt

Row = dict[str, Any]

MEASURES = {
    "silhouette": ("Silhouette", "decimal:2", "high is good"),
    "calinski_harabasz": ("Calinski-Harabasz", "integer", "high is good"),
    "davies_bouldin": ("Davies-Bouldin", "decimal:2", "low is good"),
    "min_jaccard": ("Least stable cluster, Jaccard", "decimal:2", "high is good"),
}
KINDS = {"permuted": "columns permuted", "gaussian": "Gaussian"}
STABLE = 0.75
"""Mean Jaccard similarity from which data without groups are called stable (Hennig 2007)."""


def build(results: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    results : dict
        ``data/results/cluster.json`` with ``studies.clusters``: ``document`` and ``stale``.
    """
    study = results["studies"]["clusters"]
    document, choice = study["document"], results["choice"]
    k, rule, gap = choice["k"], choice["rule"], study["document"]["gap"]
    here = [row for row in document["references"] if row["k"] == k]
    stability = {row["kind"]: row for row in here if row["measure"] == "min_jaccard"}
    least = next((t["min_jaccard"] for t in document["tried"] if t["k"] == k), None)
    return {
        "stale": study["stale"],
        "n": document["rows"],
        "k": k,
        "satisfied": choice["satisfied"],
        "candidates": choice["candidates"],
        "rule": rule,
        "study_k": document["choice"]["k"],
        "study_satisfied": document["choice"]["satisfied"],
        "n_resamples": document["design"]["n_resamples"],
        "least": least,
        "failing": least is not None and least < rule["min_jaccard"],
        "gap": gap,
        "k_last": gap["rows"][-1]["k"],
        "n_draws": document["design"]["references"]["n_draws"],
        "n_compared": len(here),
        "n_beyond": sum(row["beyond"] for row in here),
        "not_beyond": [
            f"{MEASURES[row['measure']][0]} ({KINDS[row['kind']]})"
            for row in here
            if not row["beyond"]
        ],
        "gaussian": stability.get("gaussian"),
        "stable_without": "gaussian" in stability and stability["gaussian"]["mean"] >= STABLE,
        "no_firmer": [
            row["k"]
            for row in document["references"]
            if (row["kind"], row["measure"]) == ("gaussian", "min_jaccard")
            and row["k"] in choice["candidates"]
            and not row["beyond"]
        ],
        "figure": _draw(document, k, rule),
        "rows": _rule_rows(choice, document),
        "reference_rows": [_reference_row(row) for row in document["references"]],
    }


def _rule_rows(choice: Row, document: Row) -> list[list[Any]]:
    """Return a row for each k that the rule weighed, the study's figures beside."""
    many = {t["k"]: t["min_jaccard"] for t in document["tried"]}
    gaps = {row["k"]: row["gap"] for row in document["gap"]["rows"]}
    rows = []
    for t in choice["tried"]:
        k = t["k"]
        name = Markup("<strong>{}</strong>").format(fmt.whole(f"{k} (chosen)"))
        rows.append(
            [
                name if k == choice["k"] else str(k),
                fmt.decimal(t["silhouette"]),
                fmt.integer(t["calinski_harabasz"]),
                fmt.decimal(t["davies_bouldin"]),
                fmt.decimal(t["min_jaccard"]),
                fmt.percent(t["min_share"]),
                "yes" if k in choice["candidates"] else "no",
                fmt.integer(choice["rank_sums"].get(str(k))),
                fmt.decimal(many.get(k)),
                fmt.decimal(gaps.get(k)),
                fmt.integer(t["inertia"]),
            ]
        )
    return rows


def _reference_row(row: Row) -> list[Any]:
    """Return a row of the table of references."""
    title, form, _ = MEASURES[row["measure"]]
    form = form.replace(":2", ":3")
    return [
        title,
        str(row["k"]),
        KINDS[row["kind"]],
        fmt.apply(row["value"], form),
        fmt.apply(row["mean"], form),
        fmt.interval(row["low"], row["high"], form),
        f"{row['n_as_good']} of {row['n_draws']}",
        fmt.decimal(row["p_value"], 2),
    ]


def _draw(document: Row, k: int, rule: Row) -> figures.Figure:
    """Draw each measure against k, clients beside the range of both references."""
    fig, axes = figures.new(720, 500, nrows=2, ncols=3)
    fig.set_layout_engine("constrained", h_pad=8 / 72, wspace=0.04, hspace=0.06)
    panels = list(axes.flat)
    for ax, measure in zip(panels, MEASURES, strict=False):
        _panel(ax, document, measure, k)
    panels[3].axhline(rule["min_jaccard"], color=theme.color("muted"), linewidth=1, linestyle="--")
    _gap_panel(panels[4], document["gap"]["rows"], k)
    panels[5].axis("off")
    handles, labels = panels[0].get_legend_handles_labels()
    panels[5].legend(handles, labels, loc="center")
    mine = next((t["silhouette"] for t in document["tried"] if t["k"] == k), None)
    return figures.svg(
        fig,
        alt=f"Four measures and the gap statistic over k, clients beside two references without "
        f"groups; at the chosen k = {k} the silhouette is {fmt.decimal(mine, 2)}.",
    )


def _panel(ax: Any, document: Row, measure: str, k: int) -> None:
    """Draw one measure: the clients' line, and the range and mean of each reference."""
    title, form, hint = MEASURES[measure]
    for i, (kind, name) in enumerate(KINDS.items()):
        rows = [r for r in document["references"] if (r["kind"], r["measure"]) == (kind, measure)]
        ks, color = [r["k"] for r in rows], theme.series(i + 1)
        ax.fill_between(
            ks, [r["low"] for r in rows], [r["high"] for r in rows], color=color, alpha=0.3, lw=0
        )
        style = ("--", ":")[i]
        ax.plot(ks, [r["mean"] for r in rows], color=color, linestyle=style, label=name)
    _line(ax, [t["k"] for t in document["tried"]], [t[measure] for t in document["tried"]], k)
    ax.set(title=title, xlabel=f"k ({hint})")
    _finish(ax, form)


def _gap_panel(ax: Any, rows: list[Row], k: int) -> None:
    """Draw the gap with one standard error on either side."""
    ks, gaps = [r["k"] for r in rows], [r["gap"] for r in rows]
    errors = [r["error"] for r in rows]
    ax.errorbar(ks, gaps, yerr=errors, color=theme.series(0), linestyle="none", capsize=2)
    _line(ax, ks, gaps, k)
    ax.set(title="Gap statistic", xlabel="k (± one standard error)")
    _finish(ax, "decimal:1")


def _line(ax: Any, ks: list[int], values: list[float], k: int) -> None:
    """Draw the clients' line, the chosen k marked."""
    ax.plot(ks, values, color=theme.series(0), marker="o", markersize=4, label="clients")
    if k in ks:
        ax.plot([k], [values[ks.index(k)]], color=theme.series(0), marker="o", markersize=9)
    ax.set_xticks(ks)


def _finish(ax: Any, form: str) -> None:
    """Set how the vertical axis reads."""
    ax.title.set_fontsize(12)
    ax.yaxis.set_major_formatter(lambda v, _: str(fmt.apply(v, form)))
    ax.yaxis.get_major_locator().set_params(nbins=5)
