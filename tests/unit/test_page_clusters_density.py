"""The section on density: its words follow the stored verdicts, its marks the settings."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from creditrisk.reporting import render
from creditrisk.reporting.pages.clusters import density

Row = dict[str, Any]
ONE = "one cluster holds nearly all clients"
NOISY = "too many clients are noise"


def judged(n_clusters: int, noise: float, largest: float, *reasons: str) -> Row:
    return {
        "n_clusters": n_clusters,
        "n_noise": round(1000 * noise),
        "noise_share": noise,
        "largest_share": largest,
        "degenerate": bool(reasons),
        "reasons": list(reasons),
    }


def cell(m: int, factor: float, verdict: Row, silhouette: float | None = 0.2) -> Row:
    rest = {"silhouette": silhouette, "adjusted_rand": 0.05}
    return {"min_samples": m, "factor": factor, "eps": m * factor / 20} | verdict | rest


def group(number: int, n: int, rate: float) -> Row:
    ends = {"low": rate - 0.05, "high": rate + 0.05}
    return {
        "group": number,
        "n": n,
        "share": n / 1000,
        "default_rate": rate,
        "kmeans": [n, 0],
    } | ends


def size(least: int, verdict: Row, validity: tuple[float, ...] | None, **changes: Any) -> Row:
    low, high = (min(validity), max(validity)) if validity else (None, None)
    return {
        "min_cluster_size": least,
        **verdict,
        "validity": validity[0] if validity else None,
        "validity_low": low,
        "validity_high": high,
        "clusters": [{"n": 400, "persistence": 0.31}, {"n": 90, "persistence": 0.07}],
        "adjusted_rand": 0.38,
        "order_adjusted_rand": 0.9996,
        "shuffled": {"n_clusters": 0, "noise_share": 1.0},
    } | changes


def results() -> Row:
    """Degenerate at the knee and with HDBSCAN; one cell of the grid is not."""
    knee = judged(2, 0.03, 0.95, ONE)
    cells = [
        cell(8, 0.5, judged(40, 0.3, 0.4, NOISY, "a multitude of fragments"), 0.61),
        cell(8, 1.0, judged(3, 0.04, 0.93, ONE)),
        cell(16, 0.5, judged(12, 0.11, 0.67), -0.17),
        cell(16, 1.0, knee),
    ]
    return {
        "rows": 1000,
        "headline": {"kmeans_dbscan_adjusted_rand": 0.025},
        "clusters": [{"name": "pays in full"}, {"name": "revolving"}],
        "dbscan": knee
        | {
            "eps": 0.8,
            "min_samples": 16,
            "n_fitted": 500,
            "limits": {"max_noise_share": 0.25, "max_largest_share": 0.9, "max_clusters": 20},
            "k_distance": {"share": [0.0, 0.5, 0.9, 1.0], "distance": [0.0, 0.3, 0.8, 3.0]},
            "groups": [group(-1, 30, 0.3), group(0, 950, 0.2), group(1, 20, 0.8)],
            "grid": {"n_fitted": 500, "silhouette_rows": 200, "rows": cells},
        },
        "hdbscan": {
            "n_fitted": 500,
            "min_samples": 16,
            "n_orders": 3,
            "rows": [
                size(100, judged(7, 0.3, 0.35, NOISY), (0.35, 0.03)),
                size(300, judged(3, 0.26, 0.35, NOISY), (0.15, 0.14)),
            ],
        },
    }


def render_slice(document: Row) -> str:
    template = render.environment().get_template("clusters/density.html.j2")
    return str(template.render(density=density.build(document)))


def words(html: str) -> str:
    plain = re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", plain).replace("\u202f", " ").split())


def test_the_verdict_comes_first_with_its_numbers():
    html = render_slice(results())
    said = words(html)
    assert html.strip().startswith('<section id="dbscan">')
    assert (
        "DBSCAN finds 2 clusters, the largest with 95.0 % of the clients, and calls 3.0 %" in said
    )
    assert f"That is degenerate: {ONE}." in said
    assert "Of the 4 settings of the grid 1 escapes that verdict, none of them at the knee" in said
    assert f"HDBSCAN is degenerate at every least cluster size that was tried ({NOISY})." in said
    assert "fade into one another" in said
    assert "stands one of 20 clients, of whom 80.0 % default (75.0–85.0 %)" in said
    assert 'data-metric="cluster:kmeans_dbscan_adjusted_rand"' in html
    assert len(html.encode()) < 60_000


def test_the_words_turn_with_the_numbers():
    document = results()
    good = judged(3, 0.1, 0.5)
    document["dbscan"] |= good
    for row in document["dbscan"]["grid"]["rows"]:
        row.update(good)
    document["hdbscan"]["rows"][1] |= good | {"order_adjusted_rand": 0.8}
    document["hdbscan"]["rows"][0] |= {"validity_low": 0.34}
    document["hdbscan"]["rows"][0]["shuffled"]["n_clusters"] = 9
    said = words(render_slice(document))
    assert "That is not degenerate." in said
    assert "4 escape that verdict. HDBSCAN escapes it with a least cluster size of 300." in said
    assert "at the knee that the rule reads" not in said
    assert "fade into one another" not in said
    assert "silhouettes cannot choose" not in said
    assert "hangs on the order" not in said
    assert "depend too on that order (least adjusted Rand index over 3 orders 0.8000)" in said
    assert "no fewer clusters are found at some size (9, 0)" in said


def test_no_setting_escapes_and_no_cluster_is_found():
    document = results()
    nothing = judged(0, 1.0, 0.0, "fewer than two clusters", NOISY)
    document["dbscan"] |= nothing | {"groups": [group(-1, 1000, 0.2)]}
    for row in document["dbscan"]["grid"]["rows"]:
        row.update(nothing, silhouette=None)
    document["hdbscan"]["rows"] = [size(100, nothing, None, clusters=[], order_adjusted_rand=1.0)]
    said = words(render_slice(document))
    assert "DBSCAN finds 0 clusters and calls 100.0 % noise" in said
    assert "None of the 4 settings of the grid escapes that verdict." in said
    assert "Beside the largest" not in said
    assert "It finds no two clusters at any size, so there is no validity to tell." in said
    assert "are the same in all 3 orders" in said


def test_the_grid_marks_what_is_kept_and_what_is_not_degenerate():
    html = render_slice(results())
    figures = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert len(figures) == 3
    clusters = re.findall(r">([^<>]+)</text>", figures[1])
    assert {"[2]", "12*", "40", "3"} <= set(clusters)
    noise = [text.replace("\u202f", " ") for text in re.findall(r">([^<>]+)</text>", figures[2])]
    assert {"[3.0 %]", "11.0 %*", "30.0 %"} <= set(noise)
    assert all('aria-label="' in figure for figure in figures)
    said = words(html)
    assert "Not degenerate is 16 neighbours with eps 0.400 (12 clusters, silhouette −0.17)." in said
    assert (
        "The highest silhouette of the grid, 0.61, belongs to a degenerate setting (30.0 %" in said
    )
    assert said.count("(kept)") == 1


def test_validity_that_hangs_on_the_order_is_said_to():
    said = words(render_slice(results()))
    assert "is 0.03–0.14 over the sizes" in said
    assert "hangs on the order of the rows: 0.03–0.35 with a least size of 100." in said
    assert "hardly depend on that order (least adjusted Rand index over 3 orders 0.9996)" in said
    assert "fewer clusters remain (0, 0)" in said


@pytest.mark.parametrize(("untold", "cells"), [(False, "0.31, 0.07"), (True, "–")])
def test_persistence_is_shown_or_said_to_be_untold(untold, cells):
    document = copy.deepcopy(results())
    if untold:
        for c in document["hdbscan"]["rows"][0]["clusters"]:
            c["persistence"] = None
    built = density.build(document)
    assert built["persistence_rows"][0][1:3] == ["400, 90", cells]
    assert ("With a least size of 100 it cannot be told" in words(render_slice(document))) is untold


def test_many_clusters_are_counted_not_listed():
    row = size(100, judged(12, 0.1, 0.3), (0.1,))
    row["clusters"] = [{"n": 100 - i, "persistence": 0.1} for i in range(12)]
    assert density.persistence_row(row)[3] == "4"
    assert density.persistence_row(row)[1].count(",") == density.SHOWN_PERSISTENCE - 1
