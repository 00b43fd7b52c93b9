"""The section on stability: other samples, another month, another spend threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.svg import Figure

Row = dict[str, Any]

KEPT = {
    "recency_score": "recency score",
    "frequency_score": "frequency score",
    "monetary_score": "monetary score",
    "segment": "segment",
}
REFERENCES = {
    "derived": "the same rule on the training rows",
    "fixed": "the fixed bands",
}


def build(stability: Row, chosen: float) -> Row:
    """Return what the section shows.

    Parameters
    ----------
    stability : dict
        ``stability`` of ``data/results/rfm.json``.
    chosen : float
        The spend threshold that is used, NT$.

    Returns
    -------
    dict
    """
    resampled, shifted = stability["resampled"], stability["shifted"]
    thresholds = stability["thresholds"]
    return {
        "n_replicates": resampled["n_replicates"],
        "resampled": resampled["kept"]["derived"]["segment"],
        "against_fixed": resampled["kept"]["fixed"]["segment"],
        "elsewhere": _elsewhere(resampled["edges"]),
        "loosest": _loosest(resampled["segments"], "mean"),
        "kept_rows": _kept_rows(resampled["kept"]),
        "edge_rows": _edge_rows(resampled["edges"]),
        "segment_rows": _segment_rows(resampled["segments"], shifted["segments"]),
        "shifted": shifted["kept_share"],
        "length": shifted["length_share"],
        "score_shares": [
            f"{KEPT[name]} {fmt.percent(share)}" for name, share in shifted["kept_scores"].items()
        ],
        "firmest": _firmest(shifted["segments"]),
        "least": _loosest(shifted["segments"], "kept_share"),
        "figure": draw_kept(shifted["segments"]),
        "transitions": draw_transitions(shifted["names"], shifted["counts"]),
        "tau": fmt.money(chosen),
        "changed": changed_shares(thresholds),
        "thresholds": [_threshold_row(row, chosen) for row in thresholds],
    }


def _elsewhere(edges: Row) -> list[str]:
    """Say where the training rows' own edges of recency and frequency are not the fixed ones."""
    return [
        f"{measure} at {', '.join(f'{e:g}' for e in edges[measure]['derived'])} rather than "
        f"{', '.join(f'{e:g}' for e in edges[measure]['fixed'])}"
        for measure in ("recency", "frequency")
        if edges[measure]["derived"] != edges[measure]["fixed"]
    ]


def _known(segments: Sequence[Row], key: str) -> list[Row]:
    return [s for s in segments if s[key] is not None]


def _loosest(segments: Sequence[Row], key: str) -> Row:
    """Return the segment that keeps the fewest of its members."""
    least = min(_known(segments, key), key=lambda s: s[key])
    return {"name": least["name"], "share": fmt.percent(least[key])}


def _firmest(segments: Sequence[Row]) -> Row:
    """Return the segment that keeps most of its members over a month."""
    most = max(_known(segments, "kept_share"), key=lambda s: s["kept_share"])
    return {"name": most["name"], "share": fmt.percent(most["kept_share"])}


def _kept_rows(kept: Row) -> list[list[Any]]:
    """Return a row for each score and reference."""
    return [
        [KEPT[name], REFERENCES[key], fmt.percent(share["mean"], 2), fmt.percent(share["p5"], 2)]
        for key in REFERENCES
        for name, share in kept[key].items()
    ]


def _edge_rows(edges: Row) -> list[list[Any]]:
    """Return a row for each measure and edge."""
    return [
        [
            measure,
            fmt.integer(i + 1),
            fmt.integer(edge["fixed"][i]),
            fmt.integer(edge["derived"][i]),
            fmt.interval(edge["low"][i], edge["high"][i], "integer"),
        ]
        for measure, edge in edges.items()
        for i in range(len(edge["fixed"]))
    ]


def _segment_rows(resampled: Sequence[Row], shifted: Sequence[Row]) -> list[list[Any]]:
    """Return a row for each segment: who keeps it on other samples, and over a month."""
    return [
        [
            Markup('<span style="white-space:nowrap">{}</span>').format(first["name"]),
            fmt.integer(first["n"]),
            fmt.percent(first["mean"]),
            fmt.percent(first["p5"]),
            fmt.integer(second["n"]),
            fmt.percent(second["kept_share"]),
        ]
        for first, second in zip(resampled, shifted, strict=True)
    ]


def draw_kept(segments: Sequence[Row]) -> Figure:
    """Draw the share of each segment's members in August that are in it in September."""
    known = sorted(_known(segments, "kept_share"), key=lambda s: -s["kept_share"])
    labels = [f"{s['name']} (n = {fmt.integer(s['n'])})" for s in known]
    return figures.bars(
        labels,
        [s["kept_share"] for s in known],
        xlabel="members in August who are still members in September",
        format="percent",
        alt="Share of each segment's members that keep it over one month, from "
        f"{fmt.percent(known[0]['kept_share'])} ({known[0]['name']}) to "
        f"{fmt.percent(known[-1]['kept_share'])} ({known[-1]['name']}).",
    )


def draw_transitions(names: Sequence[str], counts: Sequence[Sequence[int]]) -> Figure:
    """Draw where each segment's members of August are in September, as shares of the row."""
    shares = [[n / sum(row) if n else None for n in row] for row in counts]
    labels = [f"{name} ({fmt.integer(sum(row))})" for name, row in zip(names, counts, strict=True)]
    stayed = sum(row[i] for i, row in enumerate(counts)) / max(1, sum(map(sum, counts)))
    return figures.heatmap(
        shares,
        labels,
        list(names),
        format="percent:0",
        xlabel="segment, statements May to September",
        ylabel="segment, statements April to August",
        limits=(0.0, 1.0),
        alt="Segment in August by segment in September, as shares of the row; "
        f"{fmt.percent(stayed)} of all clients lie on the diagonal.",
    )


def changed_shares(rows: Sequence[Row]) -> str:
    """Say which shares of the clients change segment with another τ."""
    return " or ".join(
        f"{fmt.percent(row['changed_share'])} (τ = {fmt.money(row['threshold'])})"
        for row in rows
        if row["changed_share"] > 0
    )


def _threshold_row(row: Row, chosen: float) -> list[Any]:
    """Return a row of the table of spend thresholds."""
    amount = fmt.money(row["threshold"])
    used = Markup("<strong>{} (used)</strong>").format(amount)
    return [
        used if row["threshold"] == chosen else amount,
        fmt.integer(row["n_recent"]),
        fmt.integer(row["n_none"]),
        fmt.percent(row["default_rate_none"]),
        fmt.percent(row["changed_share"]),
    ]
