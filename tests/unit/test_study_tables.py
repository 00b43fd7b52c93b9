"""Markdown tables of studies: numbers of the document, one line a row."""

from __future__ import annotations

from creditrisk.cli.documents import study_tables


def test_outlier_arms_have_their_verdicts_and_gaps() -> None:
    base = {"model": "m", "arm": "none", "treated_share": 0.0, "roc_auc": 0.78, "log_loss": 0.43}
    arm = base | {
        "arm": "amounts_iqr_remove",
        "columns": "amounts",
        "rule": "iqr",
        "treatment": "remove",
        "treated_share": 0.346,
        "difference": {"roc_auc": {"verdict": "worse"}, "log_loss": {"verdict": "within noise"}},
        "flagged": {"untreated": {"gap": 0.005}, "treated": {"gap": -0.02}},
    }
    document = {
        "design": {"models": {"m": {"label": "Trees"}}},
        "rows": [base | {"difference": None, "flagged": None}, arm],
    }
    lines = study_tables.outliers(document).splitlines()
    assert lines[2] == "| Trees | none | 0.0% | 0.7800 | 0.4300 | – |"
    assert lines[3] == (
        "| Trees | iqr on all amounts, AGE: dropped | 34.6% | 0.7800, worse "
        "| 0.4300, within noise | +0.5 → -2.0 |"
    )


def test_coverage_has_a_column_for_each_size() -> None:
    rows = [
        {"method": m, "n": n, "coverage": c} for m, n, c in (("t", 30, 0.945), ("t", 200, 0.95))
    ]
    table = study_tables.coverage({"design": {"sizes": [30, 200]}, "rows": rows})
    assert table.splitlines()[2] == "| t | 94.5% | 95.0% |"


def test_only_tests_that_reject_too_often_are_listed() -> None:
    common = {"value": "PAY_AMT1", "group": "default", "n": 200}
    rows = [
        common | {"test": "z_test", "share": 0.08, "verdict": "liberal"},
        common | {"test": "pooled_t", "share": 0.05, "verdict": "exact"},
    ]
    table = study_tables.errors({"false_alarms": {"sizes": [200], "rows": rows}})
    assert "| z_test | PAY_AMT1 | default | 8.0% |" in table
    assert "pooled_t" not in table
