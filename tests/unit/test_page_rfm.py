"""The RFM page: numbers appear, and words follow the numbers in both directions."""

from __future__ import annotations

import copy
import re
from functools import cache

import pytest

from creditrisk.reporting.pages.rfm import added_value, heatmaps, rates, segments, stability
from creditrisk.reporting.pages.rfm.build import find_predictions
from creditrisk.reporting.pages.rfm.verdict import write_verdict
from creditrisk.reporting.render import environment, render
from creditrisk.segments import rfm_tables
from tests import generated
from tests.unit.test_rfm import BANDS, RESAMPLING


def cell(difference: float, verdict: str = "within noise") -> dict:
    half = abs(difference) / 2 if verdict != "within noise" else abs(difference) + 0.001
    return {
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "p_adjusted": 0.6 if verdict == "within noise" else 0.01,
        "verdict": verdict,
    }


def arm(name: str, auc: dict, loss: dict) -> dict:
    return {"id": name, "label": name, "n_features": 6, "roc_auc": auc, "log_loss": loss}


def study() -> dict:
    """Return a small document of the study ``segments``, without its mark."""
    quiet = (cell(0.0001), cell(-0.0002))
    shared = {"n": 900, "df": 3, "gain": 0.0031}
    model = {"n_features": 38, "roc_auc": 0.745, "log_loss": 0.44}
    return {
        "design": {
            "n_folds": 5,
            "n_repeats": 2,
            "n_rows": 1000,
            "n_fit_rows": 900,
            "alpha": 0.05,
            "tested_on": "logistic",
        },
        "tests": [
            {"id": "segment", "label": "segment", "statistic": 88.8, "p_value": 1e-9, "p_adjusted": 2e-9, **shared},
            {"id": "cluster", "label": "cluster", "statistic": 1.2, "p_value": 0.7, "p_adjusted": 0.7, **shared},
        ],
        "models": [
            {
                "id": "logistic",
                "label": "Logistic regression on delinquency",
                **model,
                "arms": [
                    arm("segment", cell(0.0192, "better"), cell(-0.0058, "better")),
                    arm("cluster", *quiet),
                ],
            },
            {
                "id": "all",
                "label": "Boosted trees on all their features",
                **model,
                "arms": [arm("segment", *quiet), arm("cluster", *quiet)],
            },
        ],
        "clusters": {
            "rows": ["occasional", "steady"],
            "columns": [0, 1],
            "counts": [[10, 30], [90, 10]],
            "adjusted_rand": 0.082,
        },
    }  # fmt: skip


@cache
def computed() -> dict:
    results = rfm_tables.analyse(
        generated.clients(600),
        BANDS,
        threshold_alternatives=[500, 2000],
        min_cell=5,
        resampling=RESAMPLING,
    )[1]
    actions = {rule["name"]: f"do {rule['name']}" for rule in BANDS["segments"]}
    studied = {"added_value": {"document": study(), "stale": []}}
    return {**results, "actions": actions, "studies": studied}


def results() -> dict:
    return copy.deepcopy(computed())


def slice_of(name: str, shown: dict) -> str:
    html = environment().get_template(f"rfm/{name}.html.j2").render({name: shown})
    return re.sub(r"\s+", " ", html)


def predicted(found: dict, factor: float = 1.0) -> list[dict]:
    return [
        {
            "name": s["group"],
            "n": s["n"],
            "rate": s["default_rate"],
            "low": s["low"],
            "high": s["high"],
            "predicted": factor * s["default_rate"],
            "exposure": 1000.0 * s["n"],
        }
        for s in found["segments"]
        if s["n"]
    ]


def test_the_page_opens_with_rfm_as_specified_and_has_predictions_where_there_are_any():
    found = results()
    html = render("rfm", found | {"beside": {"segments": {"rfm": predicted(found)}}})
    order = [html.index(f'id="{name}"') for name in ("as_specified", "spend", "segments", "limits")]
    assert order == sorted(order)
    for words in ("Use is not loyalty", "Interest sits in spend", "Six months", "Family cards"):
        assert words in html
    assert "Exposure at default, NT$" in html


def test_without_predictions_the_section_says_nothing_of_them():
    """The key is missing until the evaluation has run once."""
    found = results()
    for beside in ({}, {"beside": {}}, {"beside": {"segments": {}}}):
        assert find_predictions(found | beside) is None
    shown = segments.build(found["segments"], BANDS["segments"], found["actions"], None)
    text = slice_of("segments", shown)
    assert "Exposure" not in text
    assert "Suggested action" in text


def test_words_on_predictions_follow_the_intervals():
    found = results()

    def text(factor: float) -> str:
        rows = predicted(found, factor)
        return slice_of(
            "segments",
            segments.build(found["segments"], BANDS["segments"], found["actions"], rows),
        )

    assert "In every segment the mean prediction lies inside" in text(1.0)
    assert "The mean prediction lies outside of the observed rate's interval for" in text(3.0)


def test_the_segment_with_the_greatest_exposure_is_named():
    rows = [
        {"name": "small", "n": 5, "rate": 0.1, "low": 0, "high": 0.2, "predicted": 0.1, "exposure": 100.0},
        {"name": "large", "n": 5, "rate": 0.1, "low": 0, "high": 0.2, "predicted": 0.1, "exposure": 300.0},
    ]  # fmt: skip
    found = segments._most_exposed(rows)
    assert (found["name"], str(found["share"])) == ("large", "75.0\u202f%")


def test_the_verdict_follows_the_study_and_the_ties():
    found = results()
    sentences = [str(s) for s in write_verdict(found)]
    assert 3 <= len(sentences) <= 6
    assert "+0.0192 (+0.0096 to +0.0288, better) for logistic regression" in sentences[-1]
    assert "within noise) for boosted trees on all their features" in sentences[-1]
    arms = found["studies"]["added_value"]["document"]["models"][0]["arms"]
    arms[0]["roc_auc"] = cell(-0.01, "worse")
    assert "−0.0100 (−0.0150 to −0.0050, worse)" in str(write_verdict(found)[-1])
    found["headline"]["recency_ties_share_as_specified"] = 0.9
    assert "recency says little" in write_verdict(found)[0]
    found["headline"]["recency_ties_share_as_specified"] = 0.1
    assert "recency has ties" in write_verdict(found)[0]


def test_stability_says_whether_the_rule_cuts_as_the_fixed_bands_do():
    kept = results()["stability"]
    for measure in ("recency", "frequency"):
        kept["resampled"]["edges"][measure]["derived"] = [1, 2, 3, 5]
        kept["resampled"]["edges"][measure]["fixed"] = [1, 2, 3, 5]
    same = slice_of("stability", stability.build(kept, 1000.0))
    assert "The rule cuts recency and frequency as the fixed bands do" in same
    kept["resampled"]["edges"]["frequency"]["derived"] = [1, 3, 4, 5]
    other = slice_of("stability", stability.build(kept, 1000.0))
    assert "the rule cuts frequency at 1, 3, 4, 5 rather than 1, 2, 3, 5" in other
    assert "recency at" not in other


def test_stability_names_the_firmest_and_the_loosest_segment():
    kept = results()["stability"]
    for row, share in zip(kept["shifted"]["segments"], (None, 0.2, 0.9, 0.5), strict=True):
        row["kept_share"] = share
    shown = stability.build(kept, 1000.0)
    names = [row["name"] for row in kept["shifted"]["segments"]]
    assert (shown["least"]["name"], shown["firmest"]["name"]) == (names[1], names[2])
    assert "keeps 90.0 % of its members" in slice_of("stability", shown)


def test_transitions_are_shares_of_the_row():
    figure = stability.draw_transitions(["a", "b"], [[3, 1], [0, 0]])
    assert "75.0\u202f% of all clients lie on the diagonal" in figure.alt


def test_added_value_lists_what_survives_and_what_does_not():
    text = slice_of("added_value", added_value.build(study(), []))
    assert "the likelihood ratio says: segment adds something" in text
    assert "; cluster does not, as far as this table can tell (Holm, level 0.05)" in text
    assert "ROC AUC is better with segment (+0.0192); within noise with cluster (+0.0001)." in text
    assert "They are different descriptions" in text
    nothing = study()
    nothing["tests"][0]["p_adjusted"] = 0.3
    nothing["clusters"]["adjusted_rand"] = 0.9
    text = slice_of("added_value", added_value.build(nothing, ["other clients"]))
    assert "nothing adds to a logistic regression" in text
    assert "They say nearly the same" in text
    assert "This study speaks of other clients." in text


def test_log_loss_is_mentioned_where_it_disagrees():
    model = study()["models"][0]
    assert added_value.tell_model(model).endswith("Log loss says the same.")
    model["arms"][1]["log_loss"] = cell(0.01, "worse")
    assert added_value.tell_model(model).endswith("Log loss differs for cluster (worse).")


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ([0.1, 0.2, 0.3], "It rises from 10.0 % to 30.0 %, at every step."),
        ([0.1, 0.4, 0.3], "It rises from 10.0 % to 30.0 %, though not at every step."),
        ([0.3, 0.2, 0.1], "It falls from 30.0 % to 10.0 %, at every step."),
        ([0.3, 0.4, 0.1], "It falls from 30.0 % to 10.0 %, though not at every step."),
        ([0.2, 0.4, 0.2], "It is 20.0 % at both ends."),
    ],
)
def test_the_course_of_a_rate_is_told(shares: list[float], words: str):
    groups = [{"n": 5, "default_rate": share} for share in shares]
    assert rates.tell_change(groups).replace("\u202f", " ") == words


def test_a_cell_with_a_rate_of_zero_is_drawn_and_an_empty_one_is_not():
    """Two cells: 30 clients of whom none defaulted, and nobody."""
    none = [[None, None]]
    tables = {
        "recency": [0],
        "frequency": [0, 1],
        "n": [[30, 0]],
        "default_rate": [[0.0, None]],
        "low": none,
        "high": none,
        "mean_spend": none,
        "mean_utilization": none,
    }
    shown = heatmaps.build(tables)
    assert len(shown["rows"]) == 1
    assert "Lowest: 0.0" in shown["ends"]["default_rate"]
    assert "0.0" in str(shown["default_rate"])
