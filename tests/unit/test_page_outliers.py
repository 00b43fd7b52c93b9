"""The section on outlier rules and models: verdict words come from the stored verdicts."""

from __future__ import annotations

import re
from typing import Any

from creditrisk.reporting import render
from creditrisk.reporting.pages.eda import outlier_effect

Row = dict[str, Any]


def words(html: str) -> str:
    plain = re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", plain).replace("\u202f", " ").split())


def difference(value: float, half: float, verdict: str = "") -> Row:
    row = {"difference": value, "low": value - half, "high": value + half, "p_adjusted": 0.5}
    return row | ({"verdict": verdict} if verdict else {})


def side(gap: float) -> Row:
    return {"probability": 0.15, "gap": gap, "low": gap - 0.01, "high": gap + 0.01, "roc_auc": 0.75}


def row(model: str, arm: str = "none", *, auc: str = "", loss: str = "", **changes: Any) -> Row:
    columns, rule, treatment = (None,) * 3 if arm == "none" else arm.split("_")
    gap = changes.pop("gap", 0.0)
    calibration = {"level": 0.99, "mean_gap": 0.0, "mean_gap_low": -0.01, "mean_gap_high": 0.01}
    flagged = {
        "n": 8300.0,
        "rate": 0.15,
        "untreated": side(0.002),
        "treated": side(0.002 + gap),
        "difference": {"gap": difference(gap, 0.004), "log_loss": difference(0.01, 0.02, "worse")},
    }
    return {
        "model": model,
        "arm": arm,
        "columns": columns,
        "rule": rule,
        "treatment": treatment,
        "treated_share": 0.347,
        "roc_auc": 0.78,
        "log_loss": 0.43,
        "calibration": calibration,
        "difference": None
        if arm == "none"
        else {
            "roc_auc": difference(-0.0053, 0.001, auc),
            "log_loss": difference(0.0039, 0.001, loss),
        },
        "flagged": None if arm == "none" else flagged | changes.pop("flagged", {}),
        **changes,
    }


def side_of(rate: float, n: int) -> Row:
    return {
        "n": n,
        "defaults": round(rate * n),
        "default_rate": rate,
        "limit_median": 210_000.0,
        "age_median": 35.0,
        "women_share": 0.6,
        "university_share": 0.84,
        "late_share": 0.19,
    }


def rule(columns: str, name: str, share: float, gap: float, half: float = 0.01) -> Row:
    n = round(24_000 * share)
    return {
        "columns": columns,
        "rule": name,
        "n": n,
        "share": share,
        "flagged": side_of(0.22 + gap, n),
        "kept": side_of(0.22, 24_000 - n),
        "difference": gap,
        "low": gap - half,
        "high": gap + half,
    }


def study(rows: list[Row], rules: list[Row], stale: list[str] | None = None) -> Row:
    model = {"label": "XGBoost", "parameters": {"n_estimators": 375, "learning_rate": 0.06}}
    design = {
        "n": 24_000,
        "base_rate": 0.2212,
        "n_folds": 5,
        "n_repeats": 2,
        "alpha": 0.05,
        "z": 3.0,
        "iqr_factor": 1.5,
        "columns": {"asked": ["AGE", "LIMIT_BAL"], "amounts": ["AGE", "LIMIT_BAL", "BILL_AMT1"]},
        "models": {"trees": model | {"n_features": 65}},
    }
    return {"document": {"design": design, "rules": rules, "rows": rows}, "stale": stale or []}


def shown(*arguments: Any) -> str:
    template = render.environment().get_template("eda/outlier_effect.html.j2")
    return template.render(outlier_effect=outlier_effect.build(study(*arguments)))


def test_harm_is_told_with_its_numbers():
    rows = [
        row("trees"),
        row("trees", "amounts_iqr_remove", auc="worse", loss="worse", gap=-0.022),
        row("trees", "asked_both_remove", auc="within noise", loss="within noise"),
    ]
    text = words(shown(rows, [rule("amounts", "iqr", 0.347, -0.07)]))
    assert "IQR on all amounts and AGE, flags 34.7 % of the training rows" in text
    assert "these default less: 15.0 % against 22.0 % of those kept" in text
    told = "IQR on all amounts and AGE: dropped (ROC AUC −0.0053, log loss +0.0039)"
    assert (
        f"1 of 2 arms are within noise of no treatment in both ROC AUC and log loss. Worse: {told}."
        in text
    )
    assert "Better:" not in text
    assert "from +0.2 to −2.0 points, at a default rate of 15.0 %" in text
    assert "moves beyond noise" in text


def test_a_rule_is_shown_beside_its_control():
    rows = [
        row("trees"),
        row("trees", "amounts_iqr_remove", auc="worse", loss="worse"),
        row("trees", "amounts_iqr_thin", auc="within noise", loss="within noise"),
    ]
    rules = [rule("amounts", "iqr", 0.347, -0.07)]
    told = (
        "Dropping what IQR on all amounts and AGE flags changes log loss by +0.0039 (worse), "
        "dropping as many rows at random by +0.0039 (within noise)."
    )
    assert told in words(shown(rows, rules))
    assert "at random by" not in words(shown(rows[:2], rules))


def test_noise_is_called_noise_and_gain_gain():
    rows = [
        row("trees"),
        row("trees", "amounts_iqr_winsorise", auc="better", loss="within noise", gap=0.003),
    ]
    text = words(shown(rows, [rule("amounts", "iqr", 0.347, 0.005)]))
    assert "Worse:" not in text
    assert "Better: IQR on all amounts and AGE: clipped (ROC AUC −0.0053)." in text
    assert "no arm moves the mean probability beyond noise" in text
    assert "they default no more and no less than the rest" in text
    assert "0 of 1 arms are within noise" in text


def test_a_rule_that_flags_defaulters_is_told_as_such():
    rows = [row("trees"), row("trees", "asked_both_remove", auc="worse", loss="worse")]
    assert "these default more" in words(shown(rows, [rule("asked", "both", 0.01, 0.05)]))


def test_two_rules_that_flag_the_same_rows_are_said_to_be_the_same():
    rows = [row("trees"), row("trees", "asked_both_remove", auc="worse", loss="worse")]
    rules = [rule("asked", name, share, -0.05) for name, share in (("iqr", 0.02), ("both", 0.02))]
    same = "on AGE and LIMIT_BAL either rule flags whom IQR flags"
    assert same in words(shown(rows, rules))
    rules[1] = rule("asked", "both", 0.03, -0.05)
    assert same not in words(shown(rows, rules))


def test_a_rule_that_flags_nobody_leaves_dashes():
    nobody = rule("asked", "zscore", 0.0, 0.0) | dict.fromkeys(
        ("flagged", "difference", "low", "high")
    )
    empty = {"n": 0.0, "difference": {"gap": None, "log_loss": None}}
    bare = row("trees", "asked_zscore_remove", auc="within noise", loss="within noise")
    html = shown([row("trees"), bare | {"flagged": empty}], [nobody])
    text = words(html)
    assert "The widest rule" not in text
    assert "no arm moves the mean probability beyond noise" in text
    assert "nan" not in text.lower()
    assert html.count("<svg") == 2


def test_a_stale_study_is_marked_and_a_fresh_one_is_not():
    rows = [row("trees"), row("trees", "asked_both_remove", auc="worse", loss="worse")]
    rules = [rule("asked", "both", 0.01, 0.05)]
    assert "of other clients than this page is about" in words(
        shown(rows, rules, ["other clients"])
    )
    assert "Caution" not in words(shown(rows, rules))
