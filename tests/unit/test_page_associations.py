"""The sections on associations and leaks: words follow the numbers, both ways."""

from __future__ import annotations

import re
from typing import Any

import pytest

from creditrisk import schema
from creditrisk.reporting import render
from creditrisk.reporting.pages.eda import associations, leakage
from creditrisk.stats import dependence

Row = dict[str, Any]
AMOUNTS = [schema.LIMIT, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS]


def words(html: str) -> str:
    """Return the text of a section without its figures, on one line."""
    plain = re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", plain).replace("\u202f", " ").split())


def spearman() -> Row:
    k = len(AMOUNTS)
    values = [[1.0 if i == j else 0.01 * abs(i - j) for j in range(k)] for i in range(k)]
    return {"columns": AMOUNTS, "spearman": values}


def square(names: list[str], value: float, **pairs: float) -> list[list[float | None]]:
    k = len(names)
    table: list[list[float | None]] = [
        [1.0 if i == j else value for j in range(k)] for i in range(k)
    ]
    for pair, v in pairs.items():
        i, j = (names.index(name) for name in pair.split("__"))
        table[i][j] = table[j][i] = v
    return table


def dependent(vif: dict[str, float | None], values: list[list[float | None]] | None = None) -> Row:
    names = list(dependence.CODE_COLUMNS)
    values = values or square(names, 0.1, PAY_0__default=0.423, PAY_2__PAY_3=0.63, SEX__default=0.2)
    rows = [
        {"column": c, "vif": v, "r2": 1 - 1 / v}
        if v
        else {"column": c, "vif": None, "r2": None, "reason": "constant"}
        for c, v in vif.items()
    ]
    found = {"columns": names, "values": values, "lows": values, "highs": values}
    return {"n": 30_000, "n_train": 24_000, "level": 0.95, "cramers_v": found, "vif": rows}


def association_words(stored: Row) -> str:
    template = render.environment().get_template("eda/associations.html.j2")
    return words(template.render(associations=associations.build(spearman(), stored)))


def test_inflated_bills_are_named_with_the_factor_of_their_standard_error():
    text = association_words(dependent({"LIMIT_BAL": 1.2, "BILL_AMT1": 16.0, "BILL_AMT2": 25.0}))
    assert "2 of 3 columns repeat the others so closely" in text
    assert "all of them bills" in text
    assert "most: BILL_AMT2, 25.0, so the standard error of its linear coefficient is 5.0" in text
    assert "Above 10: BILL_AMT1, BILL_AMT2." in text
    assert "24,000 training rows" in text


def test_a_column_that_is_no_bill_takes_the_advice_away():
    text = association_words(dependent({"PAY_AMT1": 12.0, "BILL_AMT2": 25.0}))
    assert "2 of 2 columns repeat" in text
    assert "all of them bills" not in text
    assert "linear models get ratios" not in text


def test_without_inflation_the_page_says_so():
    text = association_words(dependent({"LIMIT_BAL": 1.2, "BILL_AMT1": 9.9}))
    assert "No column's variance inflation passes 10 (most: BILL_AMT1, 9.9)" in text
    assert "No column is above 10." in text


def test_the_strongest_codes_are_read_from_the_table():
    text = association_words(dependent({"AGE": 1.0}))
    assert "PAY_2 and PAY_3 go together most (Cramér's V 0.63)" in text
    assert "With default goes PAY_0 most (0.42)" in text
    assert "the strongest is SEX (0.20)" in text
    names = list(dependence.CODE_COLUMNS)
    other = square(names, 0.1, PAY_0__PAY_6=0.9, EDUCATION__default=0.5)
    text = association_words(dependent({"AGE": 1.0}, other))
    assert "PAY_0 and PAY_6 go together most (Cramér's V 0.90)" in text
    assert "With default goes EDUCATION most (0.50)." in text


def test_what_is_not_defined_is_named_and_left_blank():
    names = list(dependence.CODE_COLUMNS)
    values = square(names, 0.1)
    for i in range(len(names)):
        values[0][i] = values[i][0] = None
    text = association_words(dependent({"AGE": None, "LIMIT_BAL": None}, values))
    assert "Not defined for the constant column SEX." in text
    assert "constant" in text
    assert "nan" not in text.lower()


def test_a_symmetric_table_is_drawn_once():
    figure = associations.build(spearman(), dependent({"AGE": 1.0}))["figure"]
    assert figure.markup.count("0.01</text>") == len(AMOUNTS) - 1


def interval(auc: float, half: float = 0.01) -> Row:
    return {"auc": auc, "se": half / 2, "low": auc - half, "high": auc + half}


def leaks(
    *,
    order: float = 0.5,
    learned: float = 0.5,
    p: float = 0.4,
    column: float = 0.69,
    sex: float = 0.6,
) -> Row:
    block = {"n": 3000, "low": 0.19, "high": 0.25}
    row = {"applicable": True, "question": "woman", "n": 24_000, "share": 0.6}
    counts = {"n": 1177, "ours": 0, "mean": 369.7, "min": 345, "max": 395, "expected": 376.4}
    return {
        "level": 0.95,
        "n": 30_000,
        "n_train": 24_000,
        "identifier": {
            "n": 30_000,
            **interval(order),
            "p_value": p,
            "learned": interval(learned),
            "blocks": [
                {**block, "first": 3000 * i + 1, "last": 3000 * i + 3000, "rate": 0.22 + 0.01 * (i == 5)}
                for i in range(10)
            ],
        },
        "columns": {
            "n": 24_000,
            "n_columns": 23,
            "top": [{"column": "PAY_0", "worse": "higher", **interval(column)}],
        },
        "proxies": {
            "n_folds": 3,
            "n_features": 99,
            "rows": [
                {**row, "attribute": "SEX", "features": f, "learner": how, **interval(auc)}
                for f, how, auc in (
                    ("served", "trees", sex), ("served", "logistic", sex - 0.02),
                    ("with_others", "trees", sex + 0.05), ("with_others", "logistic", sex),
                )
            ] + [{
                "attribute": "MARRIAGE", "question": "married", "n": 30, "applicable": False,
                "reason": "fewer than 50 training clients of one kind",
            }],
        },
        "twins": {"n_splits": 20, "n": 30_000, "n_test": 6000, "twins": counts, "groups": counts},
    }  # fmt: skip


def leak_words(**found: float) -> str:
    template = render.environment().get_template("eda/leakage.html.j2")
    return words(template.render(leakage=leakage.build(leaks(**found))))


def test_a_clean_table_is_said_to_be_clean():
    text = leak_words()
    assert "No single column tells too much : of 23 the strongest, PAY_0" in text
    assert "The row number says nothing visible" in text
    assert "resemble each other" not in text
    assert "differ by no more than chance gives" in text
    assert (
        "370 of 1,177 twin clients on both sides , on average over 20 splits; ours puts 0" in text
    )


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"order": 0.48}, "which excludes one half"),
        ({"p": 0.001}, "more than chance gives (p 0.001)"),
        ({"learned": 0.53}, "clients who stand together in the table resemble each other"),
    ],
)
def test_each_kind_of_order_is_told(found, told):
    text = leak_words(**found)
    assert "The row number is not free of signal." in text
    assert told in text
    assert "says nothing visible" not in text
    for other in ("which excludes one half", "clients who stand together in the table resemble"):
        assert (other in text) == told.startswith(other)


def test_a_column_that_gives_the_outcome_away_is_a_warning():
    text = leak_words(column=0.97)
    assert "PAY_0 alone separates the classes almost wholly" in text
    assert "No single column tells too much" not in text


def test_stand_ins_are_named_or_denied():
    text = leak_words(sex=0.62)
    assert "Features that models may use still tell something of SEX" in text
    assert "most of SEX (ROC AUC 0.62)" in text
    assert "MARRIAGE was not predicted: fewer than 50 training clients of one kind." in text
    text = leak_words(sex=0.505)
    assert "No attribute can be told from the features that models may use" in text


def test_the_figure_shows_the_better_learner():
    shown = leakage.best_learners(leaks(sex=0.6)["proxies"]["rows"][:4])
    assert [(r["features"], r["learner"], r["auc"]) for r in shown] == [
        ("served", "trees", 0.6),
        ("with_others", "trees", pytest.approx(0.65)),
    ]
