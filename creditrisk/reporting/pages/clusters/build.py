"""The clusters page: results of ``cluster`` as text, tables and figures."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import figures
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.clusters import figures as draw
from creditrisk.reporting.pages.clusters.verdict import write_verdict

SECTIONS = [
    ("features", "Features and scaling"),
    ("pca", "Principal components"),
    ("choice_of_k", "Choice of k"),
    ("kmeans", "KMeans clusters"),
    ("dbscan", "DBSCAN"),
    ("tsne", "t-SNE"),
    ("profiles", "Profiles"),
    ("assignment", "Assigning a client"),
    ("limits", "Limits"),
]

COMPONENTS = ("PC 1", "PC 2", "PC 3")
NOISE = -1


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
        **_choice(results),
        **_clusters(results),
        **_dbscan(results),
        **_tsne(results),
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
    """Return the figures and the table of the principal components."""
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
        "scree": figures.bars(
            [f"PC {i + 1}" for i in range(len(explained))],
            explained,
            xlabel="share of variance",
            format="percent",
            width=430,
            alt=f"Variance explained by component, from {fmt.percent(explained[0])} for the first "
            f"to {fmt.percent(explained[-1])} for the last.",
        ),
        "loadings": figures.heatmap(
            list(zip(*loadings, strict=True)),
            features,
            COMPONENTS,
            format="decimal:2",
            diverging=True,
            alt=f"Loadings of {len(features)} features on the first three components.",
        ),
        "pca_2d": draw.cloud(
            axes, unit, labels, names, axis_names=axis_names,
            alt=f"{len(labels)} clients on the first two principal components, coloured by "
            f"KMeans cluster ({len(names)} clusters).",
            width=560,
        ),
        "pca_3d": draw.cloud_3d(
            axes, unit, labels, names, axis_names=axis_names,
            alt=f"{len(labels)} clients on the first three principal components, coloured by "
            f"KMeans cluster ({len(names)} clusters).",
        ),
        "pca_reading": f"PC{fmt.NBSP}1 follows most “{strongest[0]}”, PC{fmt.NBSP}2 “{strongest[1]}”.",
        "n_shown": fmt.integer(len(labels)),
    }  # fmt: skip


def _choice(results: dict[str, Any]) -> dict[str, Any]:
    """Return the figure and the table of the choice of k."""
    choice = results["choice"]
    rule, k = choice["rule"], choice["k"]
    rows = []
    for t in choice["tried"]:
        rank = choice["rank_sums"].get(str(t["k"]))
        rows.append(
            [
                Markup("<strong>{}</strong>").format(_whole(f"{k} (chosen)"))
                if t["k"] == k
                else str(t["k"]),
                fmt.integer(t["inertia"]),
                fmt.decimal(t["silhouette"]),
                fmt.integer(t["calinski_harabasz"]),
                fmt.decimal(t["davies_bouldin"]),
                fmt.decimal(t["min_jaccard"]),
                fmt.percent(t["min_share"]),
                "yes" if t["k"] in choice["candidates"] else "no",
                fmt.integer(rank),
            ]
        )
    return {
        "k_rows": rows,
        "rule": {
            "floor": rule["k_floor"],
            "jaccard": fmt.decimal(rule["min_jaccard"], 2),
            "share": fmt.percent(rule["min_share"], 0),
            "resamples": rule["n_resamples"],
        },
        "k_figure": draw.choice_of_k(
            choice["tried"],
            k,
            {key: rule[key] for key in ("min_jaccard", "min_share")},
            alt=f"Six measures over k from {choice['tried'][0]['k']} to "
            f"{choice['tried'][-1]['k']}; k = {k} is chosen.",
        ),
    }


def _clusters(results: dict[str, Any]) -> dict[str, Any]:
    """Return credentials, profiles and default rates of the clusters."""
    groups = results["clusters"]
    features = [f["name"] for f in results["features"]]
    meanings = {f["name"]: _describe(f) for f in results["features"]} | {"limit": "credit limit"}
    credentials = [
        [
            str(c["group"]),
            c["name"],
            fmt.integer(c["n"]),
            fmt.percent(c["share"]),
            fmt.decimal(c["jaccard"]),
            c["stability"],
            fmt.decimal(c["silhouette"]),
            fmt.percent(c["default_rate"]),
            fmt.interval(c["low"], c["high"], "percent"),
        ]
        for c in groups
    ]
    medians = [
        [
            meanings[name],
            *(_value(name, c["medians"][name]) for c in groups),
        ]
        for name in [*features, "limit"]
    ]
    known = sorted((c for c in groups if c["n"]), key=lambda c: -c["default_rate"])
    return {
        "credentials": credentials,
        "median_rows": medians,
        "centres": figures.heatmap(
            [list(column) for column in zip(*(c["centre"] for c in groups), strict=True)],
            [meanings[name] for name in features],
            [c["name"] for c in groups],
            format="decimal:1",
            diverging=True,
            alt="Cluster centres in standard deviations from the mean of each feature.",
        ),
        "rates": figures.bars(
            [f"{c['name']} (n = {fmt.integer(c['n'])})" for c in known],
            [c["default_rate"] for c in known],
            low=[c["low"] for c in known],
            high=[c["high"] for c in known],
            xlabel="default rate with 95 % interval",
            format="percent",
            alt=f"Default rate by cluster, from {fmt.percent(known[0]['default_rate'])} "
            f"({known[0]['name']}) to {fmt.percent(known[-1]['default_rate'])} "
            f"({known[-1]['name']}).",
        ),
    }


def _dbscan(results: dict[str, Any]) -> dict[str, Any]:
    """Return the k-distance plot and the tables of DBSCAN."""
    found, names = results["dbscan"], [c["name"] for c in results["clusters"]]
    usable = [row for row in found["sensitivity"] if not row["degenerate"]]
    return {
        "k_distance": _k_distance(found),
        "eps_rows": [_eps_row(row, found["eps"]) for row in found["sensitivity"]],
        "n_usable": len(usable),
        "dbscan_rows": [
            [
                _whole("noise" if g["group"] == NOISE else f"cluster {g['group']}"),
                fmt.integer(g["n"]),
                fmt.percent(g["share"]),
                fmt.percent(g["default_rate"]),
                fmt.interval(g["low"], g["high"], "percent"),
                *(fmt.integer(n) for n in g["kmeans"]),
            ]
            for g in found["groups"]
        ],
        "dbscan_columns": ["Group", "Clients", "Share", "Default rate", "95 % interval", *names],
    }


def _k_distance(found: dict[str, Any]) -> figures.Figure:
    """Draw the sorted distances to the k-th neighbour, the knee marked."""
    curve, eps = found["k_distance"], found["eps"]
    share = next(
        (x for x, d in zip(curve["share"], curve["distance"], strict=True) if d >= eps), 1.0
    )
    label = f"knee: eps = {fmt.decimal(eps, 2)}"
    return figures.lines(
        [100 * x for x in curve["share"]],
        {"distance": curve["distance"]},
        xlabel="clients of the sample, % (sorted by distance)",
        ylabel=f"distance to neighbour no. {found['min_samples']}",
        alt=f"k-distance curve of {found['n_fitted']} clients; {label}.",
        marks={label: 100 * share},
        height=340,
    )


def _eps_row(row: dict[str, Any], knee: float) -> list[Any]:
    """Return a row of the table of eps."""
    eps = fmt.decimal(row["eps"])
    return [
        Markup("<strong>{} (knee)</strong>").format(eps) if row["eps"] == knee else eps,
        fmt.integer(row["n_clusters"]),
        fmt.percent(row["noise_share"]),
        fmt.percent(row["largest_share"]),
        "; ".join(row["reasons"]) if row["degenerate"] else "not degenerate",
    ]


def _tsne(results: dict[str, Any]) -> dict[str, Any]:
    """Return the t-SNE map, coloured by the labels of both algorithms."""
    maps, found = results["maps"], results["dbscan"]
    unit, axes = maps["tsne"]["unit"], maps["tsne"]["axes"]
    kmeans = {c["group"]: c["name"] for c in results["clusters"]}
    dbscan = {NOISE: "noise"} | {i: f"cluster {i}" for i in range(found["n_clusters"])}
    n = fmt.integer(results["rows"])
    names = ("t-SNE 1", "t-SNE 2")
    return {
        "tsne_kmeans": draw.cloud(
            axes, unit, maps["tsne_labels"]["kmeans"], kmeans, axis_names=names,
            alt=f"t-SNE map of {n} clients, coloured by {len(kmeans)} KMeans clusters.",
        ),
        "tsne_dbscan": draw.cloud(
            axes, unit, maps["tsne_labels"]["dbscan"], dbscan, axis_names=names,
            alt=f"t-SNE map of {n} clients, coloured by DBSCAN's {found['n_clusters']} clusters "
            f"and noise ({fmt.percent(found['noise_share'])}).",
        ),
    }  # fmt: skip


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
