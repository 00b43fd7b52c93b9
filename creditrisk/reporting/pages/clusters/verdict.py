"""The sentences that open the clusters page, and how they mark their numbers."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt


def mark(results: dict[str, Any], key: str, form: Any = "decimal") -> Markup:
    """Return a headline number with the key that it can be read back from."""
    return fmt.metric(results["headline"][key], f"cluster:{key}", form)


def write_verdict(results: dict[str, Any]) -> list[Markup]:
    """Return the sentences that open the page."""
    groups = [c for c in results["clusters"] if c["n"]]
    by_rate = sorted(groups, key=lambda c: c["default_rate"])
    found, rule = results["dbscan"], results["choice"]["rule"]
    chosen = (
        "chosen by the stated rule"
        if results["choice"]["satisfied"]
        else "the most stable choice, since no k passes the stated rule"
    )
    return [
        Markup(
            "KMeans on {} behavioural features finds {} clusters, {}: {}. Every client is in one."
        ).format(
            fmt.integer(len(results["features"])),
            mark(results, "k", "integer"),
            chosen,
            "; ".join(c["name"] for c in groups),
        ),
        Markup(
            "They come back when the clients are drawn anew: the least stable cluster has a mean "
            "bootstrap Jaccard similarity of {} over {} resamples ({} is asked for); the mean "
            "silhouette is {}."
        ).format(
            mark(results, "min_jaccard"),
            fmt.integer(rule["n_resamples"]),
            fmt.decimal(rule["min_jaccard"], 2),
            mark(results, "silhouette"),
        )
        if results["choice"]["satisfied"]
        else Markup(
            "They are not as stable as asked: the least stable cluster has a mean bootstrap Jaccard "
            "similarity of {}, below {}; the mean silhouette is {}."
        ).format(
            mark(results, "min_jaccard"),
            fmt.decimal(rule["min_jaccard"], 2),
            mark(results, "silhouette"),
        ),
        Markup(
            "Without having seen the target, they differ in it: {} of “{}” default next month, "
            "against {} of “{}”."
        ).format(
            mark(results, "highest_default_rate", "percent"),
            by_rate[-1]["name"],
            mark(results, "lowest_default_rate", "percent"),
            by_rate[0]["name"],
        ),
        _dbscan_sentence(results, found),
        Markup(
            "The first two principal components hold {} of the variance, the first three {}; "
            "half of the clients are assigned with a confidence of at least {}."
        ).format(
            mark(results, "pca_explained_2", "percent"),
            mark(results, "pca_explained_3", "percent"),
            mark(results, "median_confidence", "decimal:2"),
        ),
    ]


def _dbscan_sentence(results: dict[str, Any], found: dict[str, Any]) -> Markup:
    """Say what DBSCAN found."""
    ending = (
        f"degenerate: {' and '.join(found['reasons'])}" if found["degenerate"] else "not degenerate"
    )
    return Markup(
        "DBSCAN at the knee of its k-distance curve gives {} {} and leaves {} of the clients as "
        "noise; the verdict is {}."
    ).format(
        mark(results, "dbscan_n_clusters", "integer"),
        "cluster" if found["n_clusters"] == 1 else "clusters",
        mark(results, "dbscan_noise_share", "percent"),
        ending,
    )
