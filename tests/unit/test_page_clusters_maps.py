"""The slices with the t-SNE map and the turntable: words and drawings follow the numbers."""

from __future__ import annotations

import copy
import re
from typing import Any

import numpy as np
import pytest

from creditrisk.reporting import density_map, render
from creditrisk.reporting.pages.clusters import maps, turntable
from creditrisk.segments import embedding

Row = dict[str, Any]
RNG = np.random.default_rng(0)
PLACES = RNG.normal(size=(900, 2)) * 20
PCA = (RNG.normal(size=(900, 3)) * [300, 150, 100]).astype(int)
KMEANS = (PLACES[:, 0] > 0).astype(int)


def results() -> Row:
    """A small document; numbers as they are stored."""
    value = {"value": 0.9987, "low": 0.998, "high": 0.9992}
    clusters = [
        {"group": g, "n_rows": 50, "trustworthiness": 0.99 + g / 1000, "continuity": 0.98,
         "kept": 0.7} for g in (0, 1)
    ]  # fmt: skip
    seeds = {"n_rows": 200, "k": 15, "kept": 0.71}
    return {
        "rows": 900,
        "default_rate": 0.22,
        "clusters": [{"group": 0, "name": "calm <b>"}, {"group": 1, "name": "busy"}],
        "pca": {"explained": [0.5, 0.2, 0.1, 0.1, 0.1]},
        "dbscan": {"n_clusters": 2, "noise_share": 0.028},
        "map_quality": {
            "map": {"n": 900, "n_rows": 100, "k": 15, "trustworthiness": value,
                    "continuity": value | {"value": 0.9967}, "kept": value | {"value": 0.714},
                    "clusters": clusters},
            "seeds": seeds | {
                "seed": {"overlap": 0.94, "chance": 0.075, "procrustes": 0.003},
                "start": {"overlap": 0.89, "chance": 0.075, "procrustes": 0.218},
            },
            "placing": {"n": 200, "median_error": 0.91, "p90_error": 2.8, "width": 182.0,
                        "region_share": 0.978, "region_ceiling": 0.99, "empty_share": 0.012,
                        "empty_ceiling": 0.001, "n_landmarks": 80, "n_nearest": 3,
                        "radius": 6.37},
        },
        "maps": {
            "tsne_grids": embedding.draw_grids(
                PLACES, kmeans=KMEANS, dbscan=KMEANS - (PLACES[:, 1] > 30),
                pay_0=KMEANS * 3 - 2, outcome=KMEANS,
            ),
            "pca": {"unit": 0.01, "axes": PCA.T.tolist()},
            "pca_labels": {"kmeans": KMEANS.tolist(), "dbscan": KMEANS.tolist()},
        },
    }  # fmt: skip


def rendered(document: Row, name: str) -> str:
    """Render one slice."""
    build = {"maps": maps.build, "turntable": turntable.build}[name]
    context = {name: build(document)}
    return render.environment().get_template(f"clusters/{name}.html.j2").render(context)


def words(html: str) -> str:
    """Return the text without tags, spaces made one."""
    text = re.sub(r"<(script|style|svg).*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text)


def changed(**parts: Row) -> Row:
    """Return the document with parts of its map quality updated."""
    document = copy.deepcopy(results())
    for name, part in parts.items():
        for key, value in part.items():
            old = document["map_quality"][name].get(key)
            document["map_quality"][name][key] = old | value if isinstance(value, dict) else value
    return document


def test_the_map_leads_with_its_quality_and_shows_its_numbers():
    html = rendered(results(), "maps")
    text = words(html)
    assert "can be believed : trustworthiness at 15 neighbours is 0.9987" in text
    for number in ("0.9967", "0.9980", "94.0", "0.218", "0.91", "97.8", "99.0", "6.4", "0.5"):
        assert number in text, number
    assert "This is a picture" in text
    assert 'id="tsne"' in html
    assert html.count("<svg") == html.count('aria-label="t-SNE map') + 3 == 4
    assert "<b>" not in html


def test_the_verdict_turns_with_trustworthiness():
    document = changed(map={"trustworthiness": {"value": 0.955, "low": 0.94, "high": 0.97}})
    assert "fall short of the goal" in words(rendered(document, "maps"))


@pytest.mark.parametrize(
    ("seed", "start", "says"),
    [
        (0.003, 0.2, "Another seed draws the same layout"),
        (0.003, 0.01, "Neither another seed nor a random start"),
        (0.3, 0.4, "Already another seed draws another layout"),
    ],
)
def test_the_words_on_seeds_turn_with_the_distances(seed, start, says):
    document = changed(seeds={"seed": {"procrustes": seed}, "start": {"procrustes": start}})
    assert says in words(rendered(document, "maps"))


def test_the_words_on_chance_turn_with_the_overlap():
    assert "chance adds little" in words(rendered(results(), "maps"))
    document = changed(seeds={"start": {"overlap": 0.5}})
    assert "chance matters here" in words(rendered(document, "maps"))


def test_many_dbscan_clusters_share_a_colour():
    document = results()
    document["dbscan"]["n_clusters"] = 30
    grid = document["maps"]["tsne_grids"]["dbscan"]
    grid["label"] = [i % 30 for i in range(len(grid["label"]))]
    assert "smaller clusters" in rendered(document, "maps")


def test_cells_have_the_colour_of_their_class_and_empty_ones_none():
    grid = {"low": [0, 0], "side": 1, "shape": [1, 4], "cells": [0, 1, 3], "n": [20, 20, 2],
            "mean": [0.1, 0.05, 0.9]}  # fmt: skip
    shown = density_map.means(grid, (0.1, 0.5), least=10, format="percent:0", alt="A map.")
    text = re.sub(r"<[^>]+>", "|", shown.markup).replace("\N{NARROW NO-BREAK SPACE}", " ")
    for entry in ("below 10 %", "10 % to 50 %", "50 % up", "under 10 clients"):
        assert entry in text
    enough = density_map.means(grid | {"n": [20, 20, 20]}, (0.1, 0.5), least=10, format="percent:0",
                               alt="A map.")  # fmt: skip
    assert "under 10" not in enough.markup


def test_a_picture_of_all_clients_is_small():
    html = rendered(results(), "maps")
    assert len(html.encode()) < 80_000


def test_points_are_decoded_as_they_were_encoded():
    points, half = turntable.whole_points(PCA.T.tolist())
    text = turntable.encode(points, KMEANS.tolist())
    assert len(text) == 7 * 900
    digit = turntable.DIGITS.index
    back = [
        tuple(64 * digit(text[i + j]) + digit(text[i + j + 1]) - 2048 for j in (0, 2, 4))
        for i in range(0, len(text), 7)
    ]
    assert back == points
    assert [digit(c) for c in text[6::7]] == KMEANS.tolist()
    assert max(half) == turntable.HALF


def test_proportions_of_the_axes_are_kept():
    points, _ = turntable.whole_points(PCA.T.tolist())
    whole = np.array(points, dtype=float)
    factor = np.ptp(whole, axis=0) / np.ptp(PCA, axis=0)
    np.testing.assert_allclose(factor, factor[0], rtol=0.01)


def test_planes_are_seen_from_the_front():
    # right, up: the buttons' angles show PC 1 and 2, PC 1 and 3, PC 2 and 3
    for angles, right, up in [((-90, 90), 0, 1), ((-90, 0), 0, 2), ((0, 0), 1, 2)]:
        view = np.array(turntable.rotation(*angles))
        np.testing.assert_allclose(view[0], np.eye(3)[right], atol=1e-12)
        np.testing.assert_allclose(view[1], np.eye(3)[up], atol=1e-12)


@pytest.mark.parametrize("angles", [(60, 20), (-130, 70), (12, -90)])
def test_a_view_is_a_rotation_and_the_box_stays_inside(angles):
    view = np.array(turntable.rotation(*angles))
    np.testing.assert_allclose(view @ view.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(view) == pytest.approx(1)
    half = [2047, 900, 700]
    scale = turntable.REACH / float(np.linalg.norm(half))
    for signs in np.ndindex(2, 2, 2):
        corner = tuple(h * (2 * s - 1) for h, s in zip(half, signs, strict=True))
        x, y, _ = turntable.project(corner, tuple(map(tuple, view)), scale)
        assert 0 < x < 1200
        assert 0 < y < 900


def test_the_turntable_stands_without_script_and_holds_every_point_once():
    html = rendered(results(), "turntable")
    still = html[: html.index("<script>")]
    assert (
        sum(layer.count("h0") for layer in re.findall(r'data-slab[^>]* d="([^"]*)"', still)) == 900
    )
    assert 'class="turn" hidden' in still, "buttons show only when the script can turn"
    assert re.search(r'<svg[^>]*role="img" aria-label="900 clients in the space', still)
    assert "calm &lt;b&gt; (" in still
    assert "80.0" in words(html)
    assert "PC 1 (50" in still
    assert len(html.encode()) < 60_000


def test_more_points_than_shown_are_thinned_evenly():
    document = results()
    pca = document["maps"]["pca"]
    pca["axes"] = [axis * 5 for axis in pca["axes"]]
    document["maps"]["pca_labels"]["kmeans"] *= 5
    built = turntable.build(document)
    assert built["n"] == 1500 <= turntable.MAX_POINTS
    assert sum(n for _, _, n in built["legend"]) == 1500


def test_a_flat_picture_has_no_thickness():
    points, half = turntable.whole_points([[0, 10], [5, 5], [1, 3]])
    assert half[1] == 0
    assert [p[1] for p in points] == [0, 0]
