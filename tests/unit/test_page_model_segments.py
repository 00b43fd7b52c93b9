"""The section on segments: numbers appear, and the words follow them."""

from __future__ import annotations

import re

from creditrisk.reporting import format as fmt
from creditrisk.reporting import render
from creditrisk.reporting.pages.model import segments


def row(label: str, n: int, observed: float, predicted: float, exposure: float) -> dict:
    low, high = observed - 0.02, observed + 0.02
    return {
        "label": label,
        "n": n,
        "observed": observed,
        "low": low,
        "high": high,
        "predicted": predicted,
        "inside": low <= predicted <= high,
        "exposure": exposure,
    }


def small() -> dict:
    test = {
        "applicable": True,
        "n": 2400,
        "statistic": 0.3,
        "df": 1,
        "p_value": 0.584,
        "delta_log_loss": -0.0000624,
    }
    return {
        "clusters": [row("behind", 500, 0.6, 0.605, 110e6), row("calm", 2500, 0.16, 0.159, 30e6)],
        "rfm": [row("lapsing", 1000, 0.3, 0.301, 40e6), row("steady", 2000, 0.14, 0.145, 100e6)],
        "cluster_test": test,
        "rfm_test": {**test, "n": 2390, "statistic": 1.25, "p_value": 0.264},
        "map": {
            "low": [0.0, 0.0],
            "side": 1.0,
            "shape": [3, 3],
            "cells": [0, 1, 2, 4, 8],
            "n": [12, 11, 4, 20, 31],
            "mean": [0.04, 0.045, 0.99, 0.33, 0.72],
        },
    }


def shown(document: dict) -> str:
    template = render.environment().get_template("model/segments.html.j2")
    text = str(template.render(segments=segments.build(document)))
    return re.sub(r"\s+", " ", text.replace("&nbsp;", " "))


def test_the_section_leads_with_how_many_hold_and_whether_a_label_adds() -> None:
    html = shown(small())
    assert '<section id="segments">' in html
    assert "in 2 of 2 clusters and in 2 of 2 RFM segments" in html
    assert "client's cluster adds <strong>nothing beyond chance</strong>" in html
    assert "p = 0.584" in html
    assert "client's RFM segment adds <strong>nothing beyond chance</strong>" in html
    assert "<strong>adds</strong>" not in html


def test_the_words_turn_with_the_numbers() -> None:
    document = small()
    document["clusters"][1] = row("calm", 2500, 0.16, 0.25, 30e6)
    document["cluster_test"] |= {"p_value": 0.0004, "statistic": 12.5, "delta_log_loss": -0.0026}
    html = shown(document)
    assert "in 1 of 2 clusters" in html
    assert "client's cluster <strong>adds</strong> to the probability: p = < 0.001" in unescaped(
        html
    )
    assert "falls by 0.002600" in html
    assert "RFM segment adds <strong>nothing beyond chance</strong>" in html


def unescaped(html: str) -> str:
    return re.sub(r"\s+", " ", html.replace("&lt;", "<").replace("\xa0", " "))


def test_tables_hold_rates_exposure_and_both_tests() -> None:
    built = segments.build(small())
    assert built["tables"]["clusters"][0][-1] == "110.0"
    assert built["tables"]["rfm"][1][0] == "steady"
    assert [r[2] for r in built["test_rows"]] == ["0.30", "1.25"]
    assert [r[1] for r in built["test_rows"]] == ["2,400", "2,390"]
    assert built["test_rows"][0][-1] == "−0.000062"


def test_exposure_is_told_with_its_limits() -> None:
    html = shown(small())
    assert "NT$ 140.0 million in all, 79" in html
    assert "“behind”" in html
    assert "no LGD" in html
    assert "no CCF" in html
    other = small()
    other["clusters"][1]["exposure"] = 500e6
    assert "“calm”" in shown(other)


def test_nothing_owed_is_no_division_by_zero() -> None:
    document = small()
    for item in document["clusters"]:
        item["exposure"] = 0.0
    assert "NT$ 0.0 million in all" in shown(document)


def test_a_test_without_an_answer_says_why() -> None:
    document = small()
    document["rfm_test"] = {"applicable": False, "reason": "all clients have one label"}
    html = shown(document)
    assert "all clients have one label" in html
    assert "Knowing a client's RFM segment" not in html


def test_the_map_is_told_by_its_cells_with_enough_clients() -> None:
    html = unescaped(shown(small())).replace("\u202f", " ")
    assert "mean prediction of the 78 clients" in html
    assert "it runs from 4.0 % to 72.0 %" in html, "the 99 % of four clients says nothing"
    assert "under 10 clients" in html


def test_a_map_of_small_cells_has_no_range() -> None:
    document = small()
    document["map"]["n"] = [3] * 5
    built = segments.build(document)["map"]
    assert "nowhere enough" in built["figure"].alt
    assert built["low"] == built["high"] == fmt.NONE
