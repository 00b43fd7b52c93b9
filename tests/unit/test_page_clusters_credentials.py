"""Slices on the choice of k, agreement, credentials and components: words follow numbers."""

from __future__ import annotations

import copy
import html
import re
from typing import Any

import pytest

from creditrisk.reporting import render
from creditrisk.reporting.pages.clusters import agreement, choice, components, credentials

Row = dict[str, Any]
FEATURES = [
    {"name": "utilization_mean", "meaning": "bill over the limit", "median": 0.28},
    {"name": "n_paid_off", "meaning": "months paid off", "median": 1.5},
]
SLICES = {
    "choice": choice,
    "agreement": agreement,
    "credentials": credentials,
    "components": components,
}


def words(page: str) -> str:
    plain = re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)
    plain = re.sub(r"<[^>]+>", " ", plain).replace("\u202f", " ").replace("\u00a0", " ")
    return re.sub(r" ([,.;:)])", r"\1", " ".join(html.unescape(plain).split()))


def page(name: str, results: Row) -> str:
    built = SLICES[name].build(results)
    template = render.environment().get_template(f"clusters/{name}.html.j2")
    return template.render({name: built})


def text(name: str, results: Row) -> str:
    return words(page(name, results))


def cluster(group: int, name: str, rate: float, **changes: Any) -> Row:
    return {
        "group": group, "name": name, "n": 500, "share": 0.5, "default_rate": rate,
        "low": rate - 0.02, "high": rate + 0.02, "jaccard": 0.97, "stability": "highly stable",
        "silhouette": 0.4, "centre": [0.4, -1.5],
        "medians": {"utilization_mean": 0.5, "n_paid_off": 4.0},
    } | changes  # fmt: skip


def tried(k: int, jaccards: list[float]) -> Row:
    return {
        "k": k, "inertia": 900.0, "silhouette": 0.44, "calinski_harabasz": 800.0,
        "davies_bouldin": 0.9, "min_jaccard": min(jaccards), "min_share": 0.4,
        "clusters": [
            {"jaccard": j, "low_jaccard": j - 0.1, "dissolved": 0.02, "stability": verdict(j)}
            for j in jaccards
        ],
    }  # fmt: skip


def verdict(jaccard: float) -> str:
    return "highly stable" if jaccard >= 0.85 else "unstable"


def reference(kind: str, measure: str, k: int, *, mean: float, as_good: int = 0) -> Row:
    return {
        "kind": kind, "measure": measure, "k": k, "value": 0.98, "mean": mean, "low": mean - 0.02,
        "high": mean + 0.02, "n_draws": 19, "n_as_good": as_good, "beyond": as_good == 0,
        "p_value": (1 + as_good) / 20,
    }  # fmt: skip


def component(share: float, value: float, alignment: float = 0.99) -> Row:
    loading = {"value": value, "low": value - 0.05, "high": value + 0.05}
    return {
        "explained": share, "low": share - 0.01, "high": share + 0.01, "alignment": alignment,
        "loadings": [loading, {"value": 0.01, "low": -0.02, "high": 0.04}],
    }  # fmt: skip


def document() -> Row:
    names = ["KMeans", "KMeans, seed 43", "Ward", "Gaussian mixture"]
    matrix = [[1.0, 0.99, 0.8, 0.41], [0.99, 1.0, 0.8, 0.41], [0.8, 0.8, 1.0, 0.4],
              [0.41, 0.41, 0.4, 1.0]]  # fmt: skip
    return {
        "rows": 800,
        "design": {
            "n_resamples": 100,
            "references": {"n_draws": 19},
            "agreement": {"mixture": {"reg_covar": 0.01}},
        },
        "tried": [tried(2, [0.99, 0.98]), tried(3, [0.9, 0.95, 0.7])],
        "choice": {"k": 2, "satisfied": True},
        "gap": {
            "k": None,
            "n_draws": 20,
            "rows": [{"k": k, "gap": 0.5 * k, "error": 0.01} for k in (1, 2, 3)],
        },
        "references": [
            reference(kind, measure, k, mean=0.95 if measure == "min_jaccard" else 0.5)
            for kind in choice.KINDS
            for measure in choice.MEASURES
            for k in (2, 3)
        ],
        "agreement": {
            "k": 2, "names": names, "ari": matrix, "ami": matrix,
            "ward": {"n_rows": 600, "kept": 0.93},
            "mixtures": [
                {"k": 2, "bic": 5000.0, "converged": True, "n_flat": 2},
                {"k": 3, "bic": 4000.0, "converged": True, "n_flat": 0},
            ],
        },
        "components": {
            "n_resamples": 200,
            "level": 0.95,
            "components": [component(0.7, 0.9), component(0.3, -0.8)],
        },
    }  # fmt: skip


def results(**changes: Any) -> Row:
    rule = {"k_floor": 2, "min_jaccard": 0.85, "min_share": 0.03, "n_resamples": 20}
    return {
        "rows": 1000,
        "features": FEATURES,
        "choice": {
            "k": 2, "satisfied": True, "candidates": [2], "rank_sums": {"2": 3}, "rule": rule,
            "tried": [t | {"jaccard": []} for t in document()["tried"]],
        },
        "clusters": [cluster(0, "pays in full", 0.12), cluster(1, "repeatedly late", 0.6)],
        "studies": {"clusters": {"document": document(), "stale": []}},
    } | changes  # fmt: skip


@pytest.fixture
def given() -> Row:
    return copy.deepcopy(results())


@pytest.mark.parametrize("name", SLICES)
def test_a_slice_renders_small_and_warns_when_its_study_is_of_other_data(
    name: str, given: Row
) -> None:
    full = page(name, given)
    assert len(full) < 60_000
    assert "other clients" not in full
    assert "nan" not in words(full).lower().split()
    given["studies"]["clusters"]["stale"] = ["other clients, labels or splits"]
    stale = text(name, given)
    assert "other clients, labels or splits" in stale
    assert "make studies" in stale


def test_the_choice_says_where_the_evidence_agrees_and_where_not(given: Row) -> None:
    said = text("choice", given)
    assert "The rule chooses k = 2; 2 passed its gate." in said
    assert "In all 8 comparisons the clients do better than each of 19 draws" in said
    assert "The gap statistic disagrees: it still rises at k = 3" in said
    assert "Cells of data without groups can be stable too" in said
    assert "clients’ 0.98 is above all of them" in said
    assert "Two clusters say little" in said  # k = 2
    assert "would choose" not in said
    assert "falls below" not in said

    found = given["studies"]["clusters"]["document"]
    found["gap"]["k"] = 1
    assert "it prefers k = 1, that is no clusters at all" in text("choice", given)
    found["gap"]["k"] = 2
    assert "The gap statistic prefers the same k." in text("choice", given)
    here = [r for r in found["references"] if r["k"] == 2]
    here[0] |= {"beyond": False, "n_as_good": 3}
    gaussian = next(r for r in here if (r["kind"], r["measure"]) == ("gaussian", "min_jaccard"))
    gaussian["mean"] = 0.5
    said = text("choice", given)
    assert "In 7 of 8 comparisons" in said
    assert "not in Silhouette (columns permuted)" in said
    assert "cells of a Gaussian cloud without groups are not stable" in said
    assert "no more stable than some" not in said
    gaussian["beyond"] = False
    assert "k = 2 is no more stable than some Gaussian draws" in text("choice", given)


def test_the_choice_warns_when_the_rule_fails(given: Row) -> None:
    given["choice"] |= {"k": 3, "candidates": [2, 3]}
    said = text("choice", given)  # its least stable cluster is at 0.7 over 100 resamples
    assert "the least stable cluster falls below the 0.85" in said
    assert "Over 100 resamples the same rule would choose k = 2." in said
    assert "Two clusters say little" not in said
    given["choice"] |= {"satisfied": False, "candidates": []}
    assert "No k passes the gate" in text("choice", given)


def test_agreement_sorts_the_ways_by_their_index(given: Row) -> None:
    said = text("agreement", given)
    assert "Nearly the same partition" in said
    assert "KMeans, seed 43 (0.99)" in said
    assert "Related: Ward (0.80)" in said
    assert re.search(r"Different \(below 0\.6\): Gaussian mixture \(0\.41\)", said)
    assert "BIC is still falling at k = 3" in said
    assert "2 of 2 components have hardly any width" in said

    found = given["studies"]["clusters"]["document"]["agreement"]
    found["ari"][0][3] = 0.95
    found["mixtures"][0] |= {"bic": 3000.0, "n_flat": 0}
    said = text("agreement", given)
    assert "No way that was tried gives a different partition" in said
    assert "BIC is lowest at k = 2" in said
    assert "No component at k = 2 is flat" in said
    given["choice"]["k"] = 3
    assert "computed for k = 2, while the clusters of this page are 3" in text("agreement", given)


def test_credentials_come_from_the_study_and_warn_of_what_is_not_stable(given: Row) -> None:
    said = text("credentials", given)
    assert "All 2 clusters are stable over 100 resamples" in said
    assert "“repeatedly late” with a mean Jaccard similarity of 0.980" in said
    assert (
        "60.0 % of “repeatedly late” default next month, against 12.0 % of “pays in full”" in said
    )
    assert "months paid off: 4 (all clients 1.5)" in said  # |centre| −1.5 comes before 0.4
    assert "likelihood ratio" not in said

    found = given["studies"]["clusters"]["document"]
    found["tried"][0] = tried(2, [0.99, 0.5])
    given["clusters"][0]["silhouette"] = -0.1
    said = text("credentials", given)
    assert "1 of 2 clusters is not stable" in said
    assert "Do not act on “repeatedly late”" in said
    assert "Clients of “pays in full” lie nearer to another cluster" in said


def test_a_stale_study_gives_way_to_the_pipelines_own_resamples(given: Row) -> None:
    given["studies"]["clusters"]["stale"] = ["other clients, labels or splits"]
    said = text("credentials", given)
    assert "over 20 resamples" in said
    assert "0.970" in said
    assert "0.990" not in said
    assert "Dissolved" not in said


def test_whether_the_cluster_adds_to_the_model_follows_the_test(given: Row) -> None:
    test = {"statistic": 25.3, "df": 3, "p_value": 0.00001, "delta_log_loss": -0.0004}
    given["beside"] = {"segments": {"cluster_test": test}}
    said = text("credentials", given)
    assert "the cluster still tells something of default" in said
    assert "likelihood ratio 25.3 on 3 degrees of freedom, p < 0.001" in said
    test |= {"p_value": 0.4}
    said = text("credentials", given)
    assert "nothing can be shown that the cluster adds" in said
    assert "p = 0.400" in said


def test_components_say_whether_they_keep_their_direction(given: Row) -> None:
    said = text("components", given)
    assert "The first 2 principal components of the 2 features hold 100.0 %" in said
    assert "all of them keep their direction" in said
    assert "2 of 4 loadings have a sign that the rows settle" in said
    assert "−0.80 (−0.85 to −0.75)" in said
    found = given["studies"]["clusters"]["document"]["components"]["components"]
    found[1]["alignment"] = 0.6
    assert "not all of them keep their direction: PC 2 (0.60)" in text("components", given)
