"""The machine-readable model card: what the champion is for, what it was made from, how good it is.

Everything that is measured comes from the results that the evaluation has just computed;
what is fixed here is purpose and limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from creditrisk import schema

NAME = "Next-month default of existing cardholders"
INTENDED_USE = (
    "Behavioural early warning: rank and flag existing cardholders by the probability that "
    "they miss the payment due next month, so that a person looks at the account."
)
OUT_OF_SCOPE = (
    "Decisions on applications: every client behind the model already had a card and six "
    "months of statements.",
    "Decisions without a person: a flag asks for a look at the account, it closes nothing.",
    "Regulatory capital: the horizon is one month and the definition of default is the data's.",
    "Other banks, countries or years without a new validation: all clients are of one "
    "Taiwanese bank in 2005.",
)
TARGET = "The payment due in October 2005 was missed (1) or made (0)."
LIMITATIONS = (
    "Status codes −2 and 0 and September's code 1 are not documented; their meaning is inferred "
    "from payments.",
    "Trees do not extrapolate: amounts beyond those of the training clients are flagged as "
    "out_of_range and scored as the nearest ones.",
    "The interval tells how far other training clients would have moved the model, not how "
    "surely this client defaults.",
    "Reasons say what moved the score away from the mean of training clients, not what caused "
    "a default.",
    "The places of 800 training clients (scaled features) are served with the map of clusters.",
)


def build_card(
    judged: Mapping[str, Any], *, parameters: Mapping[str, Any], data_sha256: str
) -> dict[str, Any]:
    """Return ``card.json`` from the evaluation's results.

    Parameters
    ----------
    judged : mapping
        Of :mod:`creditrisk.validation.evaluation`: ``headline``, ``design``, ``decision``,
        ``calibration``, ``segments`` and ``studies``.
    parameters : mapping
        Hyper-parameters of the champion.
    data_sha256 : str
        Of the raw table.

    Returns
    -------
    dict
        ``name``, ``intended_use``, ``out_of_scope``, ``target``, ``data``, ``parameters``,
        ``performance``, ``decision``, ``grades`` (on out-of-fold predictions of training
        clients), ``clusters`` and ``rfm_segments`` (share and observed default rate over all
        clients), ``limitations`` and, where the study speaks of this champion, ``refits``.
    """
    headline, design, refits = judged["headline"], judged["design"], judged["studies"]["refits"]
    served = judged["decision"]["served"]
    card = {
        "name": NAME,
        "intended_use": INTENDED_USE,
        "out_of_scope": list(OUT_OF_SCOPE),
        "target": TARGET,
        "data": {
            **schema.SOURCE,
            "sha256": data_sha256,
            **{part: _counts(design[part]) for part in ("train", "holdout")},
            "split": "20 % of groups of equal clients, stratified; nothing is fitted, chosen "
            "or stopped on them",
        },
        "parameters": {k: v for k, v in parameters.items() if k not in ("features", "name")},
        "performance": {
            "holdout": {k: v for k, v in headline["champion"].items() if k != "family"},
            "out_of_fold": dict(headline["champion_cv"]),
        },
        "decision": {
            "flag": "look at this account",
            **{k: judged["decision"][k] for k in ("cost_false_alarm", "cost_missed_detection")},
            "on_holdout": dict(served),
        },
        "grades": [_grade(row) for row in judged["calibration"]["train"]["grades"]],
        "clusters": _segments(judged["segments"]["clusters"]),
        "rfm_segments": _segments(judged["segments"]["rfm"]),
        "limitations": list(LIMITATIONS),
    }
    if not refits["stale"]:
        study = refits["document"]
        card["refits"] = {"coverage": study["coverage"], **study["stability"]}
    return card


def _counts(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many clients a part of the data has, and how many of them default."""
    return {"clients": part["n"], "default_rate": part["default_rate"]}


def _grade(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is told of a grade."""
    kept = ("grade", "from", "to", "n", "mean_probability", "observed", "low", "high")
    return {key: row[key] for key in kept}


def _segments(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return name, share and observed default rate of each segment."""
    total = sum(row["n"] for row in rows)
    return [
        {"name": row["label"], "share": row["n"] / total, "default_rate": row["observed"]}
        for row in rows
    ]
