"""The slice on regularisation: figures come through, and words follow the verdicts."""

from __future__ import annotations

import copy
import re
from itertools import pairwise
from typing import Any

import pytest

from creditrisk.reporting import render
from creditrisk.reporting.pages.model import learning, learning_figures


def found(difference: float, verdict: str) -> dict[str, Any]:
    half = abs(difference) / 2 if verdict != "within noise" else 0.01
    return {
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "verdict": verdict,
        "p_adjusted": 0.04,
        "se": 0.001,
    }


def point(C: float, train: float, valid: float, weights: float) -> dict[str, float]:
    return {
        "C": C,
        "train_log_loss": train,
        "validation_log_loss": valid,
        "validation_se": 0.002,
        "validation_roc_auc": 0.77,
        "n_weights": weights,
    }


def estimate(C: float, chosen: list[float], verdict: str = "within noise") -> dict[str, Any]:
    losses = {"plain": 0.4321, "nested": 0.4343, "optimism": found(0.0022, verdict)}
    ranks = {"plain": 0.7761, "nested": 0.7755, "optimism": found(-0.0006, "within noise")}
    return {"C": C, "chosen": chosen, "log_loss": losses, "roc_auc": ranks}


def curve(loss: float, verdict: str) -> dict[str, Any]:
    points = [
        {
            "share": share,
            "n_rows": 1000 * share,
            "train_log_loss": loss - gap,
            "log_loss": loss + gap,
            "roc_auc": 0.77 - gap,
            "log_loss_se": 0.002,
        }
        for share, gap in ((0.1, 0.05), (0.5, 0.02), (1.0, 0.01))
    ]
    last = {"log_loss": found(-0.0101, verdict), "roc_auc": found(0.005, verdict)}
    return {"points": points, "last_step": last}


def refitted(name: str, central: float, variance: float) -> dict[str, Any]:
    part = {"central": central, "variance": variance, "expected": central + variance}
    part |= {"excess": central - 0.12, "excess_se": 0.001, "ensemble": central, "variance_se": 0.0}
    return {"name": name, "brier": part, "log_loss": part}


def followed(values: dict[str, list[float]], n_nonzero: list[int]) -> dict[str, Any]:
    rows = [{"feature": name, "values": v, "kept_in": 2} for name, v in values.items()]
    return {
        "chosen": 0.01,
        "C": [0.001, 0.01, 0.1],
        "n_nonzero": n_nonzero,
        "n_features": 9,
        "features": rows,
    }


DOCUMENT: dict[str, Any] = {
    "design": {
        "labels": {"logistic_l1": "Lasso", "logistic_l2": "Ridge", "xgboost": "Trees"},
        "folds": 2,
        "inner_folds": 3,
        "subsamples": 4,
        "refits": 20,
        "n_judged": 4801,
        "n_half_groups": 9034,
        "alpha": 0.05,
    },
    "paths": {
        family: {
            "rule": "one_standard_error",
            "points": [
                point(0.001, 0.45, 0.45, 2),
                point(0.01, 0.433, 0.434, 5),
                point(0.1, 0.43, 0.4315, 7),
            ],
        }
        for family in ("logistic_l1", "logistic_l2")
    },
    "nested": {
        "logistic_l1": {
            "one_standard_error": estimate(0.01, [0.01, 0.1]),
            "lowest": estimate(0.1, [0.1, 0.1]),
        },
        "logistic_l2": {"one_standard_error": estimate(0.01, [0.01, 0.01])},
    },
    "coefficients": {
        "logistic_l1": followed({"late": [0.0, 0.2, 0.3], "limit": [0.0, -0.1, 0.05]}, [0, 5, 7]),
        "logistic_l2": followed({"late": [0.1, 0.2, 0.3], "limit": [-0.1, -0.1, -0.2]}, [9, 9, 9]),
    },
    "curves": {
        "logistic_l2": curve(0.43, "within noise"),
        "xgboost": curve(0.42, "within noise"),
    },
    "decomposition": [
        refitted("stiff", 0.16, 0.0001),
        refitted("middle", 0.12, 0.0012),
        refitted("one tree", 0.13, 0.13),
    ],
}


def html(document: dict[str, Any]) -> str:
    template = render.environment().get_template("model/learning.html.j2")
    return template.render(learning=learning.build(document))


def words(page: str) -> str:
    text = re.sub(r"<svg.*?</svg>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def changed(**paths: Any) -> dict[str, Any]:
    """Return the document with the values at some dotted__paths replaced."""
    document = copy.deepcopy(DOCUMENT)
    for path, value in paths.items():
        *parents, last = path.split("__")
        place = document
        for key in parents:
            place = place[key]
        place[last] = value
    return document


def test_one_section_with_every_figure_and_table():
    page = html(DOCUMENT)
    assert re.findall(r'<section id="([^"]+)"', page) == ["regularisation"]
    alts = re.findall(r'<svg[^>]*aria-label="([^"]+)"', page)
    assert len(alts) == page.count("<figure") == 5
    assert any("chosen C = 0.01" in alt and "late 0.20; limit" in alt for alt in alts)
    assert page.count("<table") == 5
    assert len(re.findall("<h2", page)) == 1


def test_numbers_come_through():
    text = words(html(DOCUMENT))
    for number in ("0.4321", "0.4343", "+0.00220", "−0.01010", "0.0012", "4,801", "18,068"):
        assert number in text, number
    assert "0.01, 0.1" in text  # what each outer fold chose
    assert "5 of 9 weights are not zero there, 7 at the loose end" in text
    assert "2 of these 2 keep a weight in all 2 outer folds" in text
    assert "1.0 % of the expected Brier score of middle" in text
    assert "50.0 % for one tree, whose refits differ most" in text


@pytest.mark.parametrize(
    ("verdict", "says", "silent"),
    [
        ("within noise", "flatters by no more than noise", "the nested one counts"),
        ("worse", "the nested one counts", "flatters by no more than noise"),
    ],
)
def test_words_on_choosing_follow_the_verdict(verdict, says, silent):
    document = changed(
        nested__logistic_l2={"one_standard_error": estimate(0.01, [0.1, 0.1], verdict)}
    )
    text = words(html(document))
    assert says in text
    assert silent not in text
    assert f"Ridge, {verdict}" in text


def test_words_on_more_clients_follow_the_verdict():
    assert "no gain from more clients of this kind can be told from noise" in words(html(DOCUMENT))
    text = words(html(changed(curves__xgboost=curve(0.42, "better"))))
    assert "more clients of this kind would still help Trees." in text
    assert "told from noise" not in text


def test_words_on_the_gap_follow_its_size():
    assert "variance is small" in words(html(DOCUMENT))
    points = [point(0.01, 0.43, 0.44, 5), point(0.1, 0.40, 0.46, 7)]
    path = {"rule": "lowest", "points": points}
    text = words(html(changed(paths__logistic_l1=path, paths__logistic_l2=path)))
    assert "the penalty earns its keep" in text
    assert "variance is small" not in text


def test_words_on_coefficients_follow_their_signs():
    text = words(html(DOCUMENT))
    assert "1 of them changes sign on the way" in text  # limit under the first penalty
    assert "None of them changes sign" in text  # under the second
    assert "No weight becomes zero" in text


def test_labels_are_moved_apart_in_order():
    values = [0.3, 0.01, 0.0, 0.02, -1.0]
    placed = learning_figures.spread(values, 0.1)
    assert sorted(range(5), key=placed.__getitem__) == sorted(range(5), key=values.__getitem__)
    ordered = sorted(placed)
    assert min(b - a for a, b in pairwise(ordered)) >= 0.1 - 1e-12
    assert sum(placed) == pytest.approx(sum(values))
    assert learning_figures.spread([0.0, 1.0], 0.1) == [0.0, 1.0]
