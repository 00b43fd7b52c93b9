"""The section on agreement: whether other algorithms, seeds and scalings cut alike."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt

Row = dict[str, Any]

ALIKE = 0.9
"""Adjusted Rand index from which two partitions are called nearly the same."""
APART = 0.6
"""Below this they are called different."""


def build(results: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    results : dict
        ``data/results/cluster.json`` with ``studies.clusters``: ``document`` and ``stale``.
    """
    study = results["studies"]["clusters"]
    found, names = study["document"]["agreement"], study["document"]["agreement"]["names"]
    others = [
        {"name": name, "ari": ari, "ami": ami, "word": _word(ari)}
        for name, ari, ami in zip(names[1:], found["ari"][0][1:], found["ami"][0][1:], strict=True)
    ]
    mixtures = found["mixtures"]
    best = min(mixtures, key=lambda m: m["bic"])
    return {
        "stale": study["stale"],
        "n": study["document"]["rows"],
        "k": found["k"],
        "stage_k": results["choice"]["k"],
        "alike": [o for o in others if o["word"] == "nearly the same"],
        "related": [o for o in others if o["word"] == "related"],
        "apart": [o for o in others if o["word"] == "different"],
        "limits": {"alike": ALIKE, "apart": APART},
        "ward": found["ward"],
        "best_k": best["k"],
        "best_is_last": best is mixtures[-1] and len(mixtures) > 1,
        "n_flat": next(m["n_flat"] for m in mixtures if m["k"] == found["k"]),
        "reg_covar": study["document"]["design"]["agreement"]["mixture"]["reg_covar"],
        "ari": _matrix(names, found["ari"], "adjusted Rand index"),
        "rows": [
            [o["name"], fmt.decimal(o["ari"]), fmt.decimal(o["ami"]), o["word"]] for o in others
        ],
        "pair_rows": _pairs(names, found["ari"], found["ami"]),
        "mixture_rows": [
            [
                str(m["k"]),
                fmt.integer(m["bic"]),
                f"{m['n_flat']} of {m['k']}",
                "yes" if m["converged"] else "no",
            ]
            for m in mixtures
        ],
    }


def _word(ari: float) -> str:
    """Return what an adjusted Rand index is called here."""
    if ari >= ALIKE:
        return "nearly the same"
    return "related" if ari >= APART else "different"


def _matrix(names: list[str], values: list[list[float]], what: str) -> figures.Figure:
    """Draw the agreement of every pair; columns are numbered as the rows."""
    ends = [v for i, row in enumerate(values) for v in row[:i]]
    return figures.heatmap(
        values,
        [f"{i + 1}  {name}" for i, name in enumerate(names)],
        [str(i + 1) for i in range(len(names))],
        format="decimal:2",
        limits=(0.0, 1.0),
        width=720,
        alt=f"{what} of {len(names)} partitions, from {min(ends):.2f} to {max(ends):.2f}.",
    )


def _pairs(names: list[str], ari: list[list[float]], ami: list[list[float]]) -> list[list[Any]]:
    """Return a row for every pair of partitions."""
    return [
        [names[j], names[i], fmt.decimal(ari[i][j]), fmt.decimal(ami[i][j])]
        for i in range(len(names))
        for j in range(i)
    ]
