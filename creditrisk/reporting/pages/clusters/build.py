"""The clusters page: results of ``cluster`` as text, tables and figures."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.clusters import (
    agreement,
    choice,
    components,
    credentials,
    density,
    maps,
    turntable,
)
from creditrisk.reporting.pages.clusters import figures as draw
from creditrisk.reporting.pages.clusters.verdict import write_verdict

SECTIONS = [
    ("features", "Features and scaling"),
    ("pca", "Principal components"),
    ("pca_3d", "The space, to turn"),
    ("choice_of_k", "Choice of k"),
    ("kmeans", "KMeans clusters"),
    ("profiles", "Profiles"),
    ("agreement", "Other algorithms"),
    ("dbscan", "Density"),
    ("tsne", "t-SNE"),
    ("assignment", "Assigning a client"),
    ("limits", "Limits"),
]

COMPONENTS = ("PC 1", "PC 2", "PC 3")


def build(results: dict[str, Any]) -> dict[str, Any]:
    """Return what the template of the page reads.

    Parameters
    ----------
    results : dict
        ``data/results/cluster.json``.

    Returns
    -------
    dict
    """
    return {
        "sections": SECTIONS,
        "results": results,
        "verdict": write_verdict(results),
        "names": [c["name"] for c in results["clusters"]],
        "feature_rows": [_feature_row(f) for f in results["features"]],
        **_pca(results),
        **_clusters(results),
        "components": components.build(results),
        "turntable": turntable.build(results),
        "choice": choice.build(results),
        "credentials": credentials.build(results),
        "agreement": agreement.build(results),
        "density": density.build(results),
        "maps": maps.build(results),
        **_assignment(results),
    }


def _value(name: str, x: float | None) -> str:
    """Format a raw feature value: counts, amounts and ratios."""
    if name.startswith("n_"):
        return fmt.decimal(x, 0 if x is None or x == round(x) else 1)
    return fmt.money(x) if name == "limit" else fmt.percent(x)


def _whole(text: str) -> Markup:
    """Keep a cell's words on one line."""
    return Markup('<span style="white-space:nowrap">{}</span>').format(text)


def _describe(feature: dict[str, Any]) -> str:
    """Return what a feature measures, in words."""
    return f"{feature['family'].replace('_', ' ')}: {feature['meaning']}"


def _feature_row(feature: dict[str, Any]) -> list[Any]:
    """Return a feature's row: meaning, clip, transformation, scaling."""
    low, high = feature["clip"]
    return [
        Markup("<code>{}</code>").format(feature["name"]),
        _describe(feature),
        f"{low:g} to {high:g}",
        fmt.percent(feature["clipped_share"]),
        {"identity": "none", "sqrt": "square root"}[feature["transform"]],
        fmt.decimal(feature["mean"]),
        fmt.decimal(feature["scale"]),
    ]


def _pca(results: dict[str, Any]) -> dict[str, Any]:
    """Return the map of the first two principal components."""
    explained, loadings = results["pca"]["explained"], results["pca"]["loadings"]
    features = [f["name"] for f in results["features"]]
    meanings = {f["name"]: _describe(f) for f in results["features"]}
    strongest = [
        meanings[max(zip(row, features, strict=True), key=lambda pair: abs(pair[0]))[1]]
        for row in loadings[:2]
    ]
    names = {c["group"]: c["name"] for c in results["clusters"]}
    maps = results["maps"]
    unit, axes = maps["pca"]["unit"], maps["pca"]["axes"]
    labels = maps["pca_labels"]["kmeans"]
    axis_names = [
        f"{name} ({fmt.percent(share, 0)})"
        for name, share in zip(COMPONENTS, explained, strict=False)
    ]
    return {
        "pca_2d": draw.cloud(
            axes, unit, labels, names, axis_names=axis_names,
            alt=f"{len(labels)} clients on the first two principal components, coloured by "
            f"KMeans cluster ({len(names)} clusters).",
            width=560,
        ),
        "pca_reading": f"PC{fmt.NBSP}1 follows most “{strongest[0]}”, PC{fmt.NBSP}2 “{strongest[1]}”.",
        "n_shown": fmt.integer(len(labels)),
    }  # fmt: skip


def _clusters(results: dict[str, Any]) -> dict[str, Any]:
    """Return the profiles of the clusters."""
    groups = results["clusters"]
    features = [f["name"] for f in results["features"]]
    meanings = {f["name"]: _describe(f) for f in results["features"]} | {"limit": "credit limit"}
    medians = [
        [
            meanings[name],
            *(_value(name, c["medians"][name]) for c in groups),
        ]
        for name in [*features, "limit"]
    ]
    return {
        "median_rows": medians,
        "centres": figures.heatmap(
            [list(column) for column in zip(*(c["centre"] for c in groups), strict=True)],
            [meanings[name] for name in features],
            [c["name"] for c in groups],
            format="decimal:1",
            diverging=True,
            alt="Cluster centres in standard deviations from the mean of each feature.",
        ),
    }


def _assignment(results: dict[str, Any]) -> dict[str, Any]:
    """Return how surely clients are assigned, and shares on training and hold-out rows."""
    counts = results["confidence"]["histogram"]
    total = sum(counts)
    shares = [count / total for count in counts]
    return {
        "confidence": figures.bars(
            [f"{i / 10:.1f} to {(i + 1) / 10:.1f}" for i in range(len(counts))],
            shares,
            xlabel="share of clients",
            ylabel="confidence",
            format="percent",
            alt="Clients by confidence of their assignment in ten bins; the fullest holds "
            f"{fmt.percent(max(shares))}.",
        ),
        "share_rows": [
            [
                c["name"],
                fmt.percent(c["train_share"]),
                fmt.percent(c["holdout_share"]),
                fmt.decimal(c["median_confidence"], 2),
                fmt.decimal(c["distance_p99"], 2),
            ]
            for c in results["clusters"]
        ],
    }
