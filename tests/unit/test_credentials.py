"""The parts of the study of clusters: its recipe, its resamples and the whole on known groups."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from creditrisk.errors import UserError
from creditrisk.segments import clusters, credentials
from creditrisk.segments.recipe import recipe

SECTION: dict[str, Any] = {
    "random_state": 3,
    "features": [
        {"name": "a", "clip": (0, 1), "transform": "identity", "high": "many", "low": None},
        {"name": "b", "clip": (0, 6), "transform": "sqrt", "high": None, "low": "few"},
    ],
    "k_min": 2,
    "k_max": 4,
    "n_init": 2,
    "silhouette_rows": 200,
    "choice": {"k_floor": 2, "min_jaccard": 0.85, "min_share": 0.03, "n_resamples": 5},
    "tsne": {"perplexity": 30},
}
DESIGN: dict[str, Any] = {
    "n_resamples": 3,
    "references": {"n_draws": 2, "n_init": 2, "n_resamples": 1, "silhouette_rows": 200},
    "gap": {"n_draws": 4, "n_init": 1},
    "loading_resamples": 20,
    "agreement": {"n_seeds": 1, "ward_rows": 100, "mixture": {"n_init": 1, "reg_covar": 0.01}},
}


def groups() -> np.ndarray:
    return make_blobs(240, centers=[[-5, 0], [0, 5], [5, 0]], random_state=0)[0]


def test_the_recipe_knows_what_changes_the_numbers_and_nothing_else():
    words = copy.deepcopy(SECTION) | {"tsne": {"perplexity": 5}, "n_jobs": 9}
    words["features"][0]["high"] = "plenty"
    assert recipe(words) == recipe(SECTION)
    for key, value in (("random_state", 4), ("k_max", 5), ("n_init", 5)):
        assert recipe(SECTION | {key: value}) != recipe(SECTION)
    clipped = copy.deepcopy(SECTION)
    clipped["features"][1]["clip"] = (0, 5)
    assert recipe(clipped) != recipe(SECTION)


def test_resamples_one_by_one_are_those_of_the_stage():
    points = groups()
    centres = clusters.fit_centres(points, 4, n_init=4, random_state=3)
    settings = {"n_resamples": 6, "n_init": 1, "random_state": 3}
    single = credentials.resample_jaccards(points, centres, **settings)
    assert single.shape == (6, 4)
    together = clusters.measure_stability(points, centres, **settings)
    np.testing.assert_allclose(single.mean(axis=0), together, rtol=1e-12)


def test_a_cluster_is_described_by_hand():
    jaccards = np.array([[1.0, 0.5], [1.0, 0.9], [1.0, 0.7], [1.0, 0.5]])
    found = credentials.describe_k({"k": 2, "centres": [], "jaccard": [], "inertia": 1.0}, jaccards)
    assert set(found) == {"k", "inertia", "min_jaccard", "clusters"}
    assert found["min_jaccard"] == pytest.approx(0.65)
    firm, loose = found["clusters"]
    assert firm == {
        "jaccard": 1.0,
        "low_jaccard": 1.0,
        "dissolved": 0.0,
        "stability": "highly stable",
    }
    assert (loose["stability"], loose["dissolved"]) == ("a pattern", 0.5)  # two of four at 0.5


def test_three_groups_are_found_by_all_and_any_number_of_processes():
    lines: list[str] = []
    found = credentials.examine(groups(), SECTION, DESIGN, n_jobs=1, progress=lines.append)
    assert found["choice"]["k"] == found["gap"]["k"] == found["agreement"]["k"] == 3
    assert [t["k"] for t in found["tried"]] == [2, 3, 4]
    assert found["tried"][1]["min_jaccard"] == 1.0
    at_three = [r for r in found["references"] if r["k"] == 3]
    assert len(at_three) == 8
    assert all(r["beyond"] for r in at_three)
    assert "gaussian: 2 of 2 draws" in lines
    again = credentials.examine(groups(), SECTION, DESIGN, n_jobs=2, progress=lines.append)
    np.testing.assert_equal(again, found)


def test_what_cannot_be_examined_is_refused_by_name():
    def examine(points: np.ndarray) -> Any:
        return credentials.examine(points, SECTION, DESIGN, n_jobs=1, progress=print)

    with pytest.raises(UserError, match=r"cluster.k_max: 4 clusters want at least 40"):
        examine(groups()[:30])
    flat = groups()
    flat[:, 1] = 0.0
    with pytest.raises(UserError, match=r"cluster.features: no. 2 is constant"):
        examine(flat)
    few = np.repeat([[0.0, 1.0], [1.0, 0.0]], 40, axis=0)
    with pytest.raises(UserError, match=r"cluster.k_max.*distinct"):
        examine(few)
