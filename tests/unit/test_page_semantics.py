"""The sections on status codes and payments: their words follow the numbers, both ways."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pandas as pd
import pytest

from creditrisk import schema
from creditrisk.data import accounts, codes, transitions
from creditrisk.reporting import render
from creditrisk.reporting.pages.eda import semantics
from tests.generated import clients

EDGES = [1000.0, 10_000.0, 100_000.0]
SECTIONS = ("pay_codes", "roll_rates", "alignment", "identity")


def document(table: pd.DataFrame, min_clients: int = 30) -> dict[str, Any]:
    rates: dict[str, Any] = {"level": 0.95, "min_clients": min_clients}
    stored = {
        "params": {"confidence_level": 0.95, "min_bin_clients": min_clients},
        "pay_codes": codes.status_by_month(table, **rates),
        "pay_evidence": codes.status_evidence(table),
        "transitions": transitions.describe_transitions(table, **rates),
        "alignment": accounts.describe_alignment(table, level=0.95),
        "identity": accounts.describe_identity(table, edges=EDGES, level=0.95),
    }
    return json.loads(json.dumps(stored, allow_nan=False))


def rendered(stored: dict[str, Any]) -> str:
    template = render.environment().get_template("eda/semantics.html.j2")
    return template.render(semantics=semantics.build(stored))


def words(page: str) -> str:
    text = re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", text).split()))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Return clients of whom the generator recodes half of September's code 2 as 1."""
    return clients(2500, seed=6)


@pytest.fixture(scope="module")
def stored(table) -> dict[str, Any]:
    return document(table)


@pytest.fixture(scope="module")
def page(stored) -> str:
    return rendered(stored)


@pytest.fixture(scope="module")
def plain(table) -> str:
    """Return the words on clients without the recoding, whose payments equal their own bill."""
    pairs = zip(schema.PAID_COLUMNS, schema.BILL_COLUMNS, strict=True)
    paid = {payment: table[bill].clip(lower=0) for payment, bill in pairs}
    other = table.assign(PAY_0=table["PAY_0"].replace(1, 2), **paid)
    return words(rendered(document(other[~other["is_inactive"]])))


def test_it_has_its_sections_and_every_figure_an_alternative(page: str) -> None:
    for section in SECTIONS:
        assert page.count(f'<section id="{section}">') == 1
    assert page.count("<svg") == page.count('role="img"') == 7
    assert len(page.encode()) < 120_000


def test_september_is_said_to_differ_only_where_it_does(page: str, plain: str) -> None:
    text = words(page)
    assert "September's codes move by other rules" in text
    assert "September moves like the months before." not in text
    assert "The step into September stands far off at status" in text
    assert "September moves like the months before." in plain
    assert "The step into September does not stand out." in plain
    assert "other rules" not in plain


def test_the_verdict_carries_the_tests_of_all_and_of_training_rows(page: str, stored) -> None:
    text = words(page)
    for sample in stored["transitions"]["samples"].values():
        rows = [row for row in sample["tests"]["to_september"]["rows"] if row["applicable"]]
        largest = max(rows, key=lambda row: row["cramers_v"])
        assert f"to {largest['cramers_v']:.2f}" in text
        assert f"then {round(largest['statistic']):,}" in text
    assert "Not tested: 1: a month has fewer than 30 clients" in text


def test_tables_hold_the_stored_counts(page: str, stored) -> None:
    text = words(page)
    august = stored["transitions"]["months"][-1]["state_counts"][4]
    late = f"August → September {sum(august):,} {august[0] + august[1]:,} {august[2]:,}"
    assert f"{late} {august[3]:,} {august[4] + august[5]:,}" in text
    codes_of = stored["pay_codes"]["counts"][3]
    assert f"Code 1 occurs {codes_of[0]:,} times in PAY_0" in text
    assert "0 revolving credit *" in text
    unseen = re.search(r"Never seen in any month: ([^.]*)\.", text)
    assert unseen is not None
    assert unseen[1].endswith("9 or more months past due")


def test_the_bill_that_is_settled_follows_the_matches(page: str, plain: str, stored) -> None:
    text = words(page)
    assert "PAY_AMT1 settles BILL_AMT2" in text
    every = [row for row in stored["alignment"] if row["scope"] == "all"]
    matched = sum(row["unequal"]["previous"] for row in every)
    assert f"{matched:,} of {sum(row['unequal']['n'] for row in every):,} client-months" in text
    assert "Payments do not equal the bill of the month before more often" in plain
    assert "PAY_AMT1 settles BILL_AMT2" not in plain


def test_the_identity_is_judged_against_its_rivals(page: str, plain: str, stored) -> None:
    text = words(page)
    taken = stored["identity"]["readings"][0]
    assert f"is negative in {100 * taken['negative'] / taken['n']:.2f}" in text
    assert "No other reading comes near" in text
    assert "Another reading breaks the identity no more often" in plain
    assert "No other reading" not in plain


def test_inactive_clients_have_a_paragraph_only_where_there_are_some(
    page: str, plain: str, stored
) -> None:
    inactive = stored["identity"]["inactive"]["all"]
    assert f"{inactive['n']} clients have no bill and no payment" in words(page)
    assert "Clients who do nothing and default" not in plain


def test_too_few_clients_leave_a_page_without_tests(table) -> None:
    text = words(rendered(document(table.head(100), min_clients=101)))
    assert "No status has enough clients in every month for a test." in text
    assert "Homogeneity of the roll rates" not in text
