"""What the service says of its model: the stored card, completed from the files beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from creditrisk import schema
from creditrisk.features import registry
from creditrisk.models.reasons import REASONS
from creditrisk.scoring import FLAGS, audit_columns


def describe(
    card: Mapping[str, Any],
    champion: Mapping[str, Any],
    clusters: Mapping[str, Any],
    *,
    version: str,
) -> dict[str, Any]:
    """Return the machine-readable model card.

    Parameters
    ----------
    card : mapping
        ``card.json``; see :func:`creditrisk.models.card.build_card`.
    champion, clusters : mapping
        ``champion.json`` and ``clusters.json``.
    version : str
        Of the served files.

    Returns
    -------
    dict
        The card with ``version``, ``model``, ``personal_attributes``, ``features``,
        ``reasons``, ``flags``, ``policy``, where known ``interval`` and ``ranges``, and
        each cluster's ``id`` and ``profile`` at its centre.
    """
    used = audit_columns(tuple(champion["features"]))
    return {
        **card,
        "version": version,
        "model": {"family": champion["family"], "calibration": champion["calibration"]},
        "personal_attributes": {
            "used": list(used),
            "recorded_not_used": [c for c in schema.AUDIT_COLUMNS if c not in used],
        },
        "policy": champion["policy"],
        **{key: champion[key] for key in ("interval", "ranges") if key in champion},
        "features": [_feature(name) for name in champion["features"]],
        "reasons": [
            {
                "code": reason.code,
                "title": reason.title,
                "features": [name for name in champion["features"] if reason.covers(name)],
            }
            for reason in REASONS
        ],
        "flags": FLAGS,
        "clusters": _clusters(card.get("clusters", []), clusters),
    }


def _feature(name: str) -> dict[str, Any]:
    """Return what the data dictionary says of a feature."""
    feature = next(f for f in registry.all_features() if f.name == name)
    return {
        "name": name,
        "unit": feature.unit,
        "sources": list(feature.sources),
        "meaning": feature.meaning,
    }


def _clusters(known: list[dict[str, Any]], numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return each cluster's number, name, profile at its centre, and what the card tells of it."""
    told = {row["name"]: row for row in known}
    centres = np.array(numbers["centres"]) * numbers["scale"] + numbers["mean"]
    return [
        {"id": i, **told.get(name, {"name": name}), "profile": _profile(centre, numbers)}
        for i, (name, centre) in enumerate(zip(numbers["names"], centres, strict=True))
    ]


def _profile(centre: np.ndarray, numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a centre in the units of the features; those that were rooted are squared."""
    rows = []
    for value, stated in zip(centre.tolist(), numbers["features"], strict=True):
        feature = _feature(stated["name"])
        rooted = stated["transform"] == "sqrt"
        kept = {key: feature[key] for key in ("name", "unit", "meaning")}
        rows.append({**kept, "value": round(value**2 if rooted else value, 4)})
    return rows
