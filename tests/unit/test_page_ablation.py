"""The section "Which features pay": numbers appear, and words follow the verdicts."""

from __future__ import annotations

import copy
import re

import pytest

from creditrisk.reporting import render
from creditrisk.reporting.pages.model import ablation


def cell(difference: float, verdict: str = "within noise") -> dict:
    half = abs(difference) / 2 if verdict != "within noise" else abs(difference) + 0.001
    return {
        "difference": difference,
        "se": half / 3,
        "p": 0.01,
        "p_adjusted": 0.011 if verdict != "within noise" else 0.6,
        "low": difference - half,
        "high": difference + half,
        "verdict": verdict,
    }


def row(name: str, change: str, auc: dict, loss: dict, outcome: str, **more: object) -> dict:
    return {
        "id": name,
        "change": change,
        "n_features": 10,
        "roc_auc": auc,
        "log_loss": loss,
        "outcome": outcome,
        **more,
    }


def small() -> dict:
    noise = (cell(0.00004), cell(-0.00011))
    families = [
        row("amounts", "removed", cell(-0.00321, "worse"), cell(0.00222, "worse"), "worse", label="amounts"),
        row("delay", "removed", *noise, "within noise", label="delay"),
        row("spend", "added", *noise, "within noise", label="spend"),
        row("audit", "added", cell(0.00077), cell(-0.00066), "within noise", label="audit attributes"),
    ]  # fmt: skip
    ideas = [
        row("over_limit", "added", *noise, "within noise", question="Over?", kind="columns"),
        row("depth_1", "variant", cell(-0.0044, "worse"), cell(0.0033, "worse"), "worse", question="Shallow?", kind="recipe"),
        row("another_seed", "variant", cell(0.00019), cell(-0.00023), "within noise", question="Luck?", kind="recipe"),
    ]  # fmt: skip
    base = {
        "families": ["amounts", "delay"],
        "n_features": 24,
        "roc_auc": 0.78471,
        "log_loss": 0.42679,
    }
    kinds = ("trees", "logistic")
    return {
        "design": {
            "n_folds": 5, "n_repeats": 2, "n_rows": 24005, "n_fit_rows": 23649, "alpha": 0.05,
            "speed_up": 6, "recipes": {"logistic": {"C": 0.001}, "trees": {}},
        },
        "base": {kind: dict(base) for kind in kinds},
        "families": {kind: copy.deepcopy(families) for kind in kinds},
        "ideas": {"trees": ideas, "logistic": copy.deepcopy(ideas[:2])},
    }  # fmt: skip


def shown(document: dict) -> str:
    template = render.environment().get_template("model/ablation.html.j2")
    return re.sub(r"\s+", " ", str(template.render(ablation=ablation.build(document))))


def promoted(document: dict) -> dict:
    """The same document where the first idea is better for the trees."""
    for metric, difference in (("roc_auc", 0.00271), ("log_loss", -0.00182)):
        document["ideas"]["trees"][0][metric] = cell(difference, "better")
    document["ideas"]["trees"][0]["outcome"] = "keep"
    return document


def test_section_holds_the_numbers_and_says_what_pays():
    html = shown(small())
    assert '<section id="ablation">' in html
    assert "<h2>Which features pay</h2>" in html
    assert (
        "For boosted trees, the families that pay are amounts; not missed when taken away alone: delay."
        in html
    )
    assert "Of 2 ideas beyond them none is better beyond noise, 1 is worse" in html
    for number in ("0.7847", "0.4268", "24,005", "−0.00321", "0.00222", "−0.00011"):
        assert number in html
    assert (
        "With sex, education, marriage and age, ROC AUC changes by 0.00077 (within noise)" in html
    )


def test_an_idea_that_is_kept_is_named_first_and_its_absence_is_said():
    html = shown(promoted(small()))
    assert (
        "1 survives the correction as better: over limit (ROC AUC 0.00271, log loss −0.00182)"
        in html
    )
    assert "that of over limit: −0.00182, better (adjusted p 0.011)" in html
    assert "survive" not in shown(small()).partition("<details")[0]


def test_a_family_that_is_not_missed_is_never_said_to_pay():
    document = small()
    for kind in document["families"]:
        document["families"][kind][0].update(
            roc_auc=cell(0.0), log_loss=cell(0.0), outcome="within noise"
        )
    html = shown(document)
    assert (
        "no family pays beyond noise on its own; not missed when taken away alone: amounts, delay"
        in html
    )


@pytest.mark.parametrize(
    ("change", "outcome", "word"),
    [
        ("removed", "worse", "pays"),
        ("removed", "keep", "harms"),
        ("removed", "within noise", "not missed"),
        ("added", "keep", "pays"),
        ("added", "worse", "harms"),
        ("added", "within noise", "within noise"),
    ],
)
def test_what_a_change_says_of_its_family(change, outcome, word):
    document = small()
    document["families"]["trees"][0].update(change=change, outcome=outcome)
    trees = ablation.build(document)["kinds"][0]
    assert trees["family_rows"][0][-1] == word
    assert ("amounts" in trees["paying"]) == (word == "pays")


def test_luck_is_a_control_and_no_idea():
    trees, line = ablation.build(small())["kinds"]
    assert trees["n_ideas"] == 2
    assert trees["closest"]["name"] == "over limit"  # the seed gained more, by luck
    assert trees["control"]["log_loss"] == "−0.00023"
    assert line["control"] is None
    assert "Another seed alone moves ROC AUC by 0.00019" in shown(small())


def test_a_long_list_is_drawn_in_part_but_never_without_its_verdicts():
    document = small()
    first, worse, _ = document["ideas"]["trees"]
    many = [{**first, "id": f"idea_{i}"} for i in range(40)]
    document["ideas"]["trees"] = [*many, worse]
    trees = ablation.build(document)["kinds"][0]
    assert (trees["n_drawn"], len(trees["idea_rows"])) == (16, 41)
    assert "depth 1</text>" in str(trees["idea_figure"].markup)
    assert "of 41 the 16 of greatest gain or with a verdict" in shown(document)
    assert trees["half_width"] == "0.0011"  # all but one interval reach 0.00111 each way


def test_ideas_stand_by_their_gain_and_figures_have_words():
    document = small()
    trees = ablation.build(document)["kinds"][0]
    assert [r[0] for r in trees["idea_rows"]] == ["another seed", "over limit", "depth 1"]
    alt = "Change of log loss by idea, boosted trees: another seed -0.00023; over limit"
    assert alt in shown(document)
    assert document == small()  # building leaves the document as it was
