"""Numbers as text, and tables as CSV."""

from __future__ import annotations

import csv
import io
import math
from urllib.parse import unquote

import pytest
from markupsafe import Markup

from creditrisk.reporting import format as fmt
from creditrisk.reporting import tables


def test_each_kind_of_number_reads_in_one_way() -> None:
    assert fmt.integer(30000) == "30,000"
    assert fmt.percent(0.22123) == f"22.1{fmt.THIN}%"
    assert fmt.percent(0.22123, 2) == f"22.12{fmt.THIN}%"
    assert fmt.decimal(0.78249) == "0.782"
    assert fmt.decimal(1234.5, 1) == "1,234.5"
    assert fmt.money(167484.32) == f"NT${fmt.NBSP}167,484"
    assert fmt.money(-500) == f"{fmt.MINUS}NT${fmt.NBSP}500"


def test_a_small_p_value_is_a_bound_and_never_zero() -> None:
    assert fmt.p_value(1e-300) == f"<{fmt.NBSP}0.001"
    assert fmt.p_value(0.0004) == f"<{fmt.NBSP}0.001"
    assert fmt.p_value(0.0006) == "0.001"
    assert fmt.p_value(0.25) == "0.250"


def test_negative_numbers_have_a_minus_sign_and_zero_has_none() -> None:
    assert fmt.decimal(-0.5, 1) == f"{fmt.MINUS}0.5"
    assert fmt.decimal(-0.0004, 3) == "0.000"
    assert fmt.percent(-0.00001) == f"0.0{fmt.THIN}%"


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_what_is_no_number_is_a_dash(missing: float | None) -> None:
    for formatter in fmt.FORMATTERS.values():
        assert formatter(missing) == fmt.NONE


def test_an_interval_names_its_unit_once_and_avoids_a_dash_beside_a_minus() -> None:
    assert fmt.interval(0.7713, 0.795) == f"0.771{fmt.DASH}0.795"
    assert fmt.interval(0.2, 0.25, "percent") == f"20.0{fmt.DASH}25.0{fmt.THIN}%"
    assert fmt.interval(-0.1, 0.2, "decimal:1") == f"{fmt.MINUS}0.1 to 0.2"
    assert fmt.interval(None, 0.2) == fmt.NONE


def test_a_metric_carries_the_key_and_the_exact_value() -> None:
    text = fmt.metric(0.221234, "clean:default_rate", "percent")
    assert text == (
        '<data data-metric="clean:default_rate" value="0.221234">22.1\N{NARROW NO-BREAK SPACE}%</data>'
    )
    assert fmt.metric("<xgb>", "summary:champion.family") == (
        '<data data-metric="summary:champion.family" value="&lt;xgb&gt;">&lt;xgb&gt;</data>'
    )
    assert "30 thousand" in fmt.metric(30000, "clean:rows", "30 thousand")
    with pytest.raises(ValueError, match="stage:dotted"):
        fmt.metric(1, "default_rate")


def test_csv_holds_plain_values_and_quotes_what_needs_it() -> None:
    rows = [
        ["a, b", fmt.integer(30000), fmt.percent(0.2212), fmt.money(None)],
        [Markup("<b>bold</b> &amp; more"), fmt.integer(-2), fmt.metric(0.5, "x:y"), fmt.NONE],
        ['say "x"', 1, 0.25, None],
    ]
    uri = tables.csv_uri(["Name", "n", "Share", "Limit"], rows)
    head, body = uri.split(",", 1)
    assert head == "data:text/csv;charset=utf-8"
    assert '"' not in body
    assert "<" not in body
    assert list(csv.reader(io.StringIO(unquote(body)))) == [
        ["Name", "n", "Share", "Limit"],
        ["a, b", "30000", "0.2212", ""],
        ["bold & more", "-2", "0.5", ""],
        ['say "x"', "1", "0.25", ""],
    ]


def test_columns_of_numbers_are_aligned_right_unless_said_otherwise() -> None:
    rows = [
        ["male", fmt.integer(3), fmt.interval(0.1, 0.2), "2005-09", "1 month"],
        ["female", fmt.integer(None), fmt.interval(None, None), "2005-08", "2 months"],
    ]
    head = ["Sex", "n", "Interval", "Month", "Text"]
    assert tables.column_alignments(head, rows, []) == ["", "num", "num", "num", ""]
    assert tables.column_alignments(head, rows, ["l", "l", "r", "left"]) == ["", "", "num", "", ""]
    assert tables.column_alignments(["Empty"], [], []) == [""]
    assert tables.column_alignments(["Prose", "n"], [["word " * 20, 1]], []) == ["long", "num"]


def test_a_ragged_table_is_refused() -> None:
    with pytest.raises(ValueError, match=r"row 1 has 1 cells for 2 columns"):
        tables.column_alignments(["a", "b"], [[1, 2], [1]], [])
