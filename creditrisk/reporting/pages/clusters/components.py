"""The section on principal components: their share of the variance and their loadings."""

from __future__ import annotations

from typing import Any

from creditrisk.reporting import figures, theme
from creditrisk.reporting import format as fmt

Row = dict[str, Any]

SHOWN = 3
"""Components whose loadings are shown."""
FIRM = 0.95
"""Mean absolute cosine from which a component is called the same in the resamples."""


def build(results: Row) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    results : dict
        ``data/results/cluster.json`` with ``studies.clusters``: ``document`` and ``stale``.
    """
    study = results["studies"]["clusters"]
    found = study["document"]["components"]
    components = found["components"]
    shown = components[:SHOWN]
    features = [f["name"] for f in results["features"]]
    loadings = [loading for c in shown for loading in c["loadings"]]
    return {
        "stale": study["stale"],
        "n": study["document"]["rows"],
        "n_features": len(features),
        "n_shown": len(shown),
        "n_resamples": found["n_resamples"],
        "level": found["level"],
        "held": sum(c["explained"] for c in shown),
        "n_loadings": len(loadings),
        "n_signed": sum(entry["low"] > 0 or entry["high"] < 0 for entry in loadings),
        "loose": [
            f"PC{fmt.NBSP}{i + 1} ({fmt.decimal(c['alignment'], 2)})"
            for i, c in enumerate(shown)
            if c["alignment"] < FIRM
        ],
        "firm": FIRM,
        "least": min(c["alignment"] for c in shown),
        "scree": _scree(components),
        "figure": _draw_loadings(shown, features),
        "columns": ["Feature", *(f"PC {i + 1}" for i in range(len(shown)))],
        "rows": [
            [name, *(_cell(c["loadings"][j]) for c in shown)] for j, name in enumerate(features)
        ],
    }


def _cell(loading: Row) -> str:
    """Return a loading with its interval."""
    ends = fmt.interval(loading["low"], loading["high"], "decimal:2")
    return f"{fmt.decimal(loading['value'], 2)} ({ends})"


def _scree(components: list[Row]) -> figures.Figure:
    """Draw the share of the variance by component."""
    shares = [c["explained"] for c in components]
    return figures.bars(
        [f"PC {i + 1}" for i in range(len(shares))],
        shares,
        low=[c["low"] for c in components],
        high=[c["high"] for c in components],
        xlabel="share of variance",
        format="percent",
        alt=f"Variance explained by component, from {fmt.percent(shares[0])} for the first to "
        f"{fmt.percent(shares[-1])} for the last.",
    )


def _draw_loadings(components: list[Row], features: list[str]) -> figures.Figure:
    """Draw each loading with its band, a panel a component."""
    n = len(features)
    fig, axes = figures.new(
        720, 96 + 25 * n, ncols=len(components), sharex=True, sharey=True, squeeze=False
    )
    for i, (ax, component) in enumerate(zip(axes[0], components, strict=True)):
        for j, loading in enumerate(component["loadings"]):
            ax.barh(j, loading["value"], height=0.6, color=theme.series(0), alpha=0.45)
            ax.hlines(j, loading["low"], loading["high"], color=theme.color("ink"), linewidth=2)
        ax.axvline(0, color=theme.color("muted"), linewidth=1)
        ax.set_title(f"PC {i + 1} ({fmt.percent(component['explained'], 0)})", fontsize=12)
        ax.set_ylim(n - 0.4, -0.6)
        ax.set_xlabel("loading")
        ax.grid(visible=False, axis="y")
    axes[0][0].set_yticks(range(n), features)
    axes[0][0].tick_params(axis="y", labelcolor=theme.color("ink"))
    return figures.svg(
        fig,
        alt=f"Loadings of {n} features on the first {len(components)} components, with bootstrap "
        "bands.",
    )
