"""The calibration document, and the section that shows it, in both directions of each word."""

from __future__ import annotations

import copy
import re
from html import unescape

import numpy as np
import pytest

from creditrisk import io
from creditrisk.metrics.calibration import logit
from creditrisk.metrics.calibration_inference import affine
from creditrisk.reporting import render
from creditrisk.reporting.pages.model import calibration as page
from creditrisk.validation.calibration_report import Side, calibration_document

BOUNDS = [0.06, 0.1, 0.15, 0.25, 0.4, 0.55, 0.7]
SETTINGS = {
    "bounds": BOUNDS,
    "n_folds": 5,
    "n_replicates": 100,
    "random_state": 0,
    "alpha": 0.05,
    "margins": {"slope_bounds": (0.9, 1.1), "mean_margin": 0.01, "level": 0.9},
}


def side(seed: int, n: int, *, slope: float = 1.0) -> Side:
    """Labels drawn from p; what is shown has its log-odds divided by the slope."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.9, 2.5, n)
    y = (rng.random(n) < p).astype(int)
    return Side(y, 1 / (1 + np.exp(-logit(p) / slope)), rng.integers(0, 5 * n, n))


def make(slope: float) -> tuple[dict, Side, Side]:
    train, holdout = side(0, 16_000, slope=slope), side(1, 3000, slope=slope)
    fit_row = np.arange(len(train.y)) % 50 > 0
    return calibration_document(train, fit_row, holdout, **SETTINGS), train, holdout


@pytest.fixture(scope="module")
def calm():
    return make(1.0)


@pytest.fixture(scope="module")
def stretched():
    return make(0.7)


def test_calibrated_probabilities_are_judged_and_served_as_they_are(calm):
    document, train, holdout = calm
    assert document["served"] is None
    assert document["gate"]["promotable"]
    assert document["train"]["predicted"] == pytest.approx(train.p.mean())
    assert document["holdout"]["predicted"] == pytest.approx(holdout.p.mean())
    assert sum(row["n"] for row in document["holdout"]["grades"]) == 3000


def test_stretched_probabilities_are_judged_as_they_are_served(stretched):
    document, train, holdout = stretched
    served = document["served"]
    assert served["slope"] == pytest.approx(0.7, abs=0.03)
    assert not document["arms"]["none"]["gate"]["promotable"]
    assert document["gate"] == document["arms"]["sigmoid"]["gate"]
    assert document["gate"]["promotable"]
    expected = affine(holdout.p, **served)
    assert document["holdout"]["predicted"] == pytest.approx(expected.mean())
    assert document["train"]["intervals"]["slope"] == pytest.approx(1, abs=0.01)
    assert document["train"]["predicted"] != pytest.approx(train.p.mean(), abs=1e-4)


def test_the_holdout_decides_nothing(stretched):
    document, train, _ = stretched
    other = side(5, 3000, slope=1.6)
    fit_row = np.arange(len(train.y)) % 50 > 0
    again = calibration_document(train, fit_row, other, **SETTINGS)
    for part in ("served", "gate", "arms", "train"):
        assert again[part] == document[part]
    assert again["holdout"] != document["holdout"]


def test_each_score_carries_its_parts_and_what_chance_leaves(calm):
    for part in ("train", "holdout"):
        for parts in calm[0][part]["scores"].values():
            total = parts["miscalibration"] - parts["discrimination"] + parts["uncertainty"]
            assert total == pytest.approx(parts["score"])
            assert 0 < parts["expected"] < 3 * parts["miscalibration"]
            assert 0 < parts["p"] <= 1


def test_the_stored_document_is_small_and_shows_the_same(calm, tmp_path):
    path = tmp_path / "calibration.json"
    io.write_json(path, calm[0])
    assert path.stat().st_size < 60_000
    assert words(io.read_json(path)) == words(calm[0])


def show(document: dict) -> str:
    """Return the section's HTML."""
    template = render.environment().get_template("model/calibration.html.j2")
    return template.render(calibration=page.build(document))


def words(document: dict) -> str:
    """Return the section's text on one line, pictures left out."""
    html = re.sub(r"<svg.*?</svg>", " ", show(document), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", html)))


def test_the_section_is_small_and_has_its_anchors_figures_and_downloads(calm):
    html = show(calm[0])
    assert len(html.encode()) < 70_000
    assert '<section id="calibration">' in html
    assert '<section id="grades">' in html
    assert html.count("<svg") == html.count("<figcaption>") == 3
    names = re.findall(r'download="([^"]+)"', html)
    assert len(names) == len(set(names)) == 7


def test_numbers_appear(calm):
    document = calm[0]
    text = words(document)
    gate = document["gate"]
    assert f"{gate['slope']:.3f} (90 % interval" in text.replace("\u202f", " ")
    assert f"{document['train']['curve']['outside']:.1%}"[:-1] in text
    for row in document["train"]["grades"]:
        assert f"{row['n']:,}" in text
    for arm in document["arms"].values():
        assert f"{arm['log_loss']:.4f}" in text


def test_words_for_what_is_served(calm, stretched):
    plain, mapped = words(calm[0]), words(stretched[0])
    assert "They pass the gate to service: both intervals lie inside" in plain
    assert "served as the model gives them" in plain
    assert "None is better than no map" in plain
    served = stretched[0]["served"]
    assert f"Served are log-odds × {served['slope']:.3f}" in mapped
    assert "because that is better in log loss beyond noise" in mapped
    assert "None is better than no map" not in mapped
    assert "served as the model gives them" not in mapped


def test_words_for_a_gate_that_needs_the_line(stretched):
    document = copy.deepcopy(stretched[0])
    for loss in ("log_loss", "brier"):
        document["arms"]["sigmoid"]["differences"][loss]["verdict"] = "within noise"
    assert "because the gate fails without that line" in words(document)
    document["served"] = None
    assert "nor does it make them pass" in words(document)


def test_words_for_a_failed_gate(calm):
    document = copy.deepcopy(calm[0])
    document["gate"] |= {
        "promotable": False,
        "slope_low": 0.812,
        "reason": "the interval of the slope, 0.812 to 0.950, is not inside 0.9 to 1.1",
    }
    text = words(document)
    assert "They do not pass the gate to service: the interval of the slope, 0.812" in text
    rows = page.gate_rows(document["gate"], document["holdout"]["intervals"])
    assert [row[4] for row in rows] == ["no", "yes"]


def test_gate_rows_agree_with_the_gate(calm, stretched):
    for document, _, _ in (calm, stretched):
        for arm in document["arms"].values():
            rows = page.gate_rows(arm["gate"], document["holdout"]["intervals"])
            assert all(row[4] == "yes" for row in rows) == arm["gate"]["promotable"]


def test_words_for_the_tests(calm):
    document = copy.deepcopy(calm[0])
    document["train"]["spiegelhalter"]["p"] = document["train"]["cox"]["p"] = 0.4
    assert "Neither Spiegelhalter's test nor Cox's" in words(document)
    document["train"]["cox"]["p"] = 0.01
    assert "Cox's test can tell them from perfect ones" in words(document)
    document["train"]["spiegelhalter"]["p"] = 0.01
    assert "Spiegelhalter's and Cox's tests can tell them" in words(document)


def test_words_for_the_grades(calm):
    document = copy.deepcopy(calm[0])
    for part in ("train", "holdout"):
        for i, row in enumerate(document[part]["grades"]):
            row |= {"observed": 0.1 * i, "jeffreys_p_adjusted": 0.5}
    text = words(document)
    assert "rises from grade to grade, out of fold and on the hold-out" in text
    assert "no grade's probability is found too low out of fold, nor on the hold-out" in text
    document["holdout"]["grades"][3]["observed"] = 0.9
    document["train"]["grades"][2]["jeffreys_p_adjusted"] = 0.001
    text = words(document)
    assert "on the hold-out, with fewer clients, it does not everywhere" in text
    assert "too low in grade C out of fold; on the hold-out in none" in text
    document["train"]["grades"][3]["observed"] = 0.9
    document["holdout"]["grades"][7]["jeffreys_p_adjusted"] = 0.001
    text = words(document)
    assert "does not rise from grade to grade everywhere" in text
    assert "out of fold; on the hold-out it is in H" in text


def test_an_empty_grade_is_a_row_of_dashes(calm):
    document = copy.deepcopy(calm[0])
    last = document["holdout"]["grades"][-1]
    last |= dict.fromkeys(set(last) - {"grade", "from", "to"}) | {"n": 0, "defaults": 0}
    assert page.grade_row(last)[4:] == ["–"] * 7
    assert "H70–100" in words(document).replace("\u202f", "").replace(" ", "")


def test_probabilities_without_a_slope_can_be_shown(calm):
    document = copy.deepcopy(calm[0])
    for name in ("slope", "slope_low", "slope_high"):
        del document["gate"][name]
    document["train"]["cox"] = None
    text = words(document)
    assert "calibration slope is" not in text
    assert "Neither" not in text
    assert page.gate_rows(document["gate"], {})[0][1:5] == ["–", "–", "0.90–1.10", "no"]
