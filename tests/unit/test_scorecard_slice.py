"""The model page's part on the scorecard: numbers that appear, words that follow them."""

from __future__ import annotations

import copy

import pytest

from creditrisk.reporting import format as fmt
from creditrisk.reporting import render
from creditrisk.reporting.pages.model import scorecard

DOCUMENT = {
    "n_fit_rows": 1000,
    "cv": {"roc_auc": 0.77712},
    "scorecard": {
        "scale": {
            "pdo": 20,
            "anchor_points": 600,
            "anchor_odds": 50,
            "factor": 28.8539,
            "offset": 487.123,
        },
        "cards": [
            {
                "segment": "PAY_0 0 or less",
                "n": 600,
                "default_rate": 0.14,
                "start_points": 540,
                "columns": [
                    {
                        "feature": "n_revolving",
                        "direction": "either",
                        "found": "falls",
                        "information_value": 0.25,
                        "weight": -0.3,
                        "bins": [
                            {
                                "bin": "4 or less",
                                "n": 300,
                                "default_rate": 0.3,
                                "woe": -0.4,
                                "points": -3,
                            },
                            {
                                "bin": "5 or more",
                                "n": 300,
                                "default_rate": 0.15,
                                "woe": 0.4,
                                "points": 4,
                            },
                            {
                                "bin": "anything else",
                                "n": 0,
                                "default_rate": None,
                                "woe": 0,
                                "points": 90,
                            },
                        ],
                    },
                ],
                "dropped": [{"feature": "PAY_2", "reason": "wrong sign beside the others"}],
            },
            {
                "segment": "PAY_0 1 or more",
                "n": 400,
                "default_rate": 0.45,
                "start_points": 521,
                "columns": [
                    {
                        "feature": "PAY_0",
                        "direction": "ascending",
                        "found": "rises",
                        "information_value": 0.85,
                        "weight": -0.7,
                        "bins": [
                            {"bin": "1", "n": 300, "default_rate": 0.34, "woe": 0.6, "points": 13},
                            {
                                "bin": "2 or more",
                                "n": 100,
                                "default_rate": 0.7,
                                "woe": -2,
                                "points": -40,
                            },
                        ],
                    },
                    {
                        "feature": "n_revolving",
                        "direction": "either",
                        "found": "falls",
                        "information_value": 0.2,
                        "weight": -0.2,
                        "bins": [
                            {
                                "bin": "3 or less",
                                "n": 250,
                                "default_rate": 0.5,
                                "woe": -0.4,
                                "points": -3,
                            },
                            {
                                "bin": "4 or more",
                                "n": 150,
                                "default_rate": 0.3,
                                "woe": 0.4,
                                "points": 2,
                            },
                        ],
                    },
                ],
                "dropped": [],
            },
        ],
        "examples": [
            {
                "name": "risky",
                "segment": "PAY_0 1 or more",
                "start_points": 521,
                "steps": [
                    {"feature": "PAY_0", "value": 3.0, "bin": "2 or more", "points": -40},
                    {"feature": "n_revolving", "value": 0.0, "bin": "3 or less", "points": -3},
                ],
                "points": 478,
                "odds": 0.7287,
                "probability": 0.57846,
            }
        ],
    },
}


def page(document: dict) -> str:
    template = render.environment().get_template("model/scorecard.html.j2")
    return template.render(scorecard=scorecard.build(document))


def test_numbers_and_tables_appear():
    html = page(DOCUMENT)
    assert '<section id="scorecard">' in html
    for text in ("0.7771", "2 cards on one scale", "2 columns and 7 bins", "20 points more double"):
        assert text in html
    for text in ("must rise", "must not turn", "wrong sign beside the others", "2 or more"):
        assert text in html
    assert "478 points are odds of 50" in html
    assert "0.729" in html
    assert "57.85" in html
    assert len(html.encode()) < 70_000


def test_cards_say_who_they_are_for_and_what_moves_them():
    rows = scorecard.build(DOCUMENT)["card_rows"]
    assert [[row[0], row[3].value, row[-1]] for row in rows] == [
        ["PAY_0 0 or less", 540, "n_revolving"],
        ["PAY_0 1 or more", 521, "PAY_0"],
    ]
    bare = copy.deepcopy(DOCUMENT)
    bare["scorecard"]["cards"][0]["columns"] = []
    assert scorecard.build(bare)["card_rows"][0][-1] == fmt.NONE
    one = copy.deepcopy(DOCUMENT)
    del one["scorecard"]["cards"][0]
    assert "One card, with 2 columns" in page(one)
    assert "segment alone" not in page(one)
    assert "segment alone" in page(DOCUMENT)


def test_points_at_stake_leave_out_bins_that_held_nobody():
    columns = [c for card in DOCUMENT["scorecard"]["cards"] for c in card["columns"]]
    assert [scorecard.points_range(c) for c in columns] == [7, 53, 5]  # not 93
    assert "anything else" not in str(scorecard.build(DOCUMENT)["point_tables"])


def test_the_figure_has_the_column_with_most_at_stake_on_top_and_no_cell_for_a_missing_one():
    svg = str(scorecard.build(DOCUMENT)["figure"])
    for text in (">53<", ">7<", ">5<"):
        assert svg.count(text) == 1
    assert svg.index(">53<") < svg.index(">7<")
    assert "PAY_0 1 or more: PAY_0." in svg


def test_the_sum_in_the_worked_table_is_the_sum_of_its_rows():
    rows = scorecard.build(DOCUMENT)["examples"][0]["rows"]
    assert [row[0] for row in rows] == ["start", "PAY_0", "n_revolving", "sum"]
    assert sum(row[-1].value for row in rows[:-1]) == rows[-1][-1].value == 478


def test_the_wording_follows_the_directions_found():
    assert "every column keeps to what" in page(DOCUMENT)
    turned = copy.deepcopy(DOCUMENT)
    turned["scorecard"]["cards"][1]["columns"][1]["found"] = "rises and falls"
    html = page(turned)
    assert "against what was asked run n_revolving on the card of PAY_0 1 or more" in html
    assert "every column keeps to what" not in html


def test_nothing_is_said_of_dropped_columns_where_there_are_none():
    document = copy.deepcopy(DOCUMENT)
    document["scorecard"]["cards"][0]["dropped"] = []
    assert "not on a card" not in page(document)
    assert "not on a card" in page(DOCUMENT)


@pytest.mark.parametrize(("x", "text"), [(3.0, "3"), (50000.0, "50,000"), (0.12345, "0.123")])
def test_values_of_a_client(x, text):
    assert scorecard.value(x) == text
