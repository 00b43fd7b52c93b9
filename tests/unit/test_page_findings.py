"""The sections on findings and twins: numbers appear, and words follow them both ways."""

from __future__ import annotations

import csv
import io
import re
from typing import Any
from urllib.parse import unquote

import pytest

from creditrisk.data.audit import describe_twins
from creditrisk.data.findings.description import describe_findings
from creditrisk.data.groups import find_twins
from creditrisk.reporting import render
from creditrisk.reporting.pages.eda import findings, twins
from tests.generated import CLEANING, clients

Row = dict[str, Any]


def finding(code: str = "CR001", **changes: Any) -> Row:
    return {
        "code": code,
        "title": "EDUCATION 0, 5 or 6",
        "rule": "EDUCATION is 0, 5 or 6",
        "kind": "inferred",
        "owner": "data owner",
        "treatment": "grouped",
        "applied_at": "creditrisk/schema.py#EDUCATION_CODES",
        "reads_target": False,
        "feeds": ["EDUCATION"],
        "n": 345,
        "share": 0.0115,
        "rate": 0.0754,
        "rate_rest": 0.2229,
        "difference": -0.1475,
        "low": -0.182,
        "high": -0.091,
        "verdict": "default less often",
        "n_train": 262,
        "rate_train": 0.0687,
        **changes,
    }


def more(code: str, **changes: Any) -> Row:
    up = {"rate": 0.9, "difference": 0.7, "low": 0.5, "high": 0.8, "verdict": "default more often"}
    return finding(code, title="Frozen account", **up | changes)


def unclear(code: str) -> Row:
    return finding(code, difference=0.004, low=-0.02, high=0.03, verdict="no clear difference")


def nothing(code: str, verdict: str = "none found", n: int = 0) -> Row:
    gone = dict.fromkeys(("rate", "difference", "low", "high", "rate_train", "n_train"))
    return finding(code, n=n, feeds=[], verdict=verdict, **gone)


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def page(*rows: Row, level: float = 0.95) -> str:
    context = {"findings": findings.build(list(rows), level=level)}
    return render.environment().get_template("eda/findings.html.j2").render(context)


def test_verdict_counts_both_directions() -> None:
    text = words(page(finding(), more("CR002"), more("CR003"), unclear("CR004")))
    assert "4 semantic checks" in text
    assert "Each finds at least one row" in text
    assert "Of the 4 that can be compared" in text
    assert "2 default more often and of 1 less often; of 1 there is no clear" in text
    assert "Furthest above: CR002 “Frozen account”, 345 rows, of which 90.0 % default" in text
    assert "Furthest below: CR001" in text
    assert "3 of 4 intervals exclude 0" in text


def test_only_unclear_findings_have_no_furthest() -> None:
    text = words(page(unclear("CR001"), unclear("CR002")))
    assert "0 default more often and of 0 less often; of 2 there is no clear" in text
    assert "Furthest" not in text


def test_what_finds_nothing_stays_as_a_guard() -> None:
    html = page(finding(), nothing("CR009"), nothing("CR025", "not compared", n=35))
    text = words(html)
    assert "CR009 finds nothing and stays as a guard" in text
    assert "whose rule reads the target (CR025) is not compared" in text
    assert "Of the 1 that can be compared" in text
    two = words(page(finding(), nothing("CR009"), nothing("CR010")))
    assert "CR009, CR010 find nothing and stay as a guard" in two


def test_nothing_at_all_has_no_figure() -> None:
    html = page(nothing("CR001"))
    assert "<svg" not in html
    assert "can be compared" not in html


def test_every_finding_has_an_anchor_that_its_links_meet() -> None:
    html = page(finding(), more("CR002"), nothing("CR009"))
    anchors = re.findall(r' id="(cr\d{3})"', html)
    assert anchors == ["cr001", "cr002", "cr009"]
    assert set(re.findall(r'href="#(cr\d{3})"', html)) == set(anchors)


def test_the_register_and_the_download_hold_the_numbers() -> None:
    html = page(finding(), more("CR002"))
    text = words(html)
    for shown in ("345", "22.3 %", "−14.8", "−18.2 to −9.1", "+70.0", "262"):
        assert shown in text, shown
    (address,) = re.findall(r'download="eda-findings.csv" href="data:[^,]+,([^"]+)"', html)
    rows = list(csv.DictReader(io.StringIO(unquote(address).replace("&#39;", "'"))))
    assert [row["code"] for row in rows] == ["CR001", "CR002"]
    assert float(rows[0]["low"]) == -0.182
    assert rows[1]["verdict"] == "default more often"


def test_figure_is_sorted_and_its_alt_text_tells_the_ends() -> None:
    context = findings.build([finding(), more("CR002"), unclear("CR003")], level=0.95)
    svg = str(context["figure"])
    at = [svg.index(f"{code} ") for code in ("CR002", "CR003", "CR001")]
    assert at == sorted(at) or at == sorted(at, reverse=True)
    assert "from Frozen account +70.0 50.0–80.0; EDUCATION 0, 5 or 6 −14.8" in svg


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["a_1", "a_2", "a_3", "b"], ["a_1..3", "b"]),
        (["a_1", "a_3"], ["a_1", "a_3"]),
        (["n_late_2plus"], ["n_late_2plus"]),
        ([], []),
    ],
)
def test_runs_of_features_are_joined(names: list[str], short: list[str]) -> None:
    assert findings.shorten(names) == short


# --- twins -----------------------------------------------------------------------------------


def agreement(column: str, rate: float, by_chance: float, earlier: str = "") -> Row:
    return {
        "earlier": earlier or column,
        "later": column,
        "n_agree": 1,
        "rate": rate,
        "low": rate - 0.02,
        "high": rate + 0.005,
        "by_chance": by_chance,
    }


def document(*, strict: float = 0.985, few: float = 0.6, meaning: Row | None = None) -> Row:
    def columns(rate: float) -> list[Row]:
        return [
            agreement("EDUCATION", rate, 0.37),
            agreement("MARRIAGE", rate, 0.49),
            agreement("PAY_2", 0.88, 0.32, earlier="PAY_0"),
            agreement("PAY_3", 0.97, 0.35, earlier="PAY_2"),
        ]

    return {
        "n_pairs": 1472,
        "n_strict_pairs": 1177,
        "n_strict_rows": 2354,
        "min_distinct": 3,
        "tiers": [
            {"name": "strict", "n_pairs": 1177, "columns": columns(strict)},
            {"name": "other_limit", "n_pairs": 1, "columns": columns(0.5)},
            {
                "name": "few_distinct",
                "n_pairs": 294,
                "columns": [agreement("LIMIT_BAL", few - 0.2, 0.04), *columns(few)],
            },
        ],
        "target_meaning": {
            "n_defaults": 230,
            "n_defaults_late_next": 229,
            "n_late_next": 354,
            "n_not_late_next": 823,
            "late_next_if_default": 0.9957,
            "late_next_if_default_low": 0.9758,
            "late_next_if_default_high": 0.9992,
            "default_rate_if_late_next": 0.6469,
            "default_rate_if_late_next_low": 0.5958,
            "default_rate_if_late_next_high": 0.6949,
            "default_rate_if_not_late_next": 0.0012,
            "default_rate_if_not_late_next_low": 0.0002,
            "default_rate_if_not_late_next_high": 0.0069,
            "by_next_status": [
                {"code": -1, "n": 98, "defaults": 0, "rate": 0.0, "low": 0.0, "high": 0.04},
                {"code": 3, "n": 11, "defaults": 5, "rate": 0.45, "low": 0.21, "high": 0.72},
            ],
            **(meaning or {}),
        },
    }


def twins_page(source: Row) -> str:
    context = {"twins": twins.build(source)}
    return render.environment().get_template("eda/twins.html.j2").render(context)


def test_sure_twins_are_told_with_numbers() -> None:
    text = words(twins_page(document()))
    assert "1,177 pairs of rows are the same client a month apart (2,354 rows)" in text
    assert "does not use confirm it: 98.5 %" in text
    assert "Of 1,472 pairs in all, 294 rest on fewer distinct amounts" in text
    assert "more than chance in every column, far less than the strict pairs. They are a" in text
    assert "1 pair with enough distinct amounts has two limits" in text
    assert "3 or more" in text


def test_words_on_agreement_follow_the_numbers() -> None:
    text = words(twins_page(document(strict=0.48, few=0.48)))
    assert "does not use do not confirm it" in text
    assert "not above chance in every column" in text
    assert "mixture" not in text


def test_words_on_the_target_follow_the_numbers() -> None:
    text = words(twins_page(document()))
    assert "229 have a status of 1 or more there (99.6 %, 95 % interval 97.6–99.9 %)" in text
    assert "The reverse does not hold: of 354" in text
    assert "default means a late status in the next month, and not every late status" in text
    other = {
        "late_next_if_default_low": 0.5,
        "default_rate_if_late_next_low": 0.6,
        "default_rate_if_late_next_high": 0.7,
    }
    text = words(twins_page(document(meaning=other)))
    assert "The reverse holds about as often" in text
    assert "So default means" not in text


@pytest.mark.parametrize("n_pairs", [0, 6])
def test_sections_render_what_the_rooms_return(n_pairs: int) -> None:
    table = clients(300)
    pairs = find_twins(table, **CLEANING["twins"]).iloc[:n_pairs]
    html = twins_page(describe_twins(table, pairs, 3))
    assert ("No pair of rows meets" in html) == (n_pairs == 0)
    assert ("<svg" in html) == (n_pairs > 0)
    html = page(*describe_findings(table, level=0.9))
    assert html.count(' id="cr') == 28
