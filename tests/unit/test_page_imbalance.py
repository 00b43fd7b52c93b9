"""The section on imbalance: its words follow the verdicts and the gate, both ways."""

from __future__ import annotations

import re
from typing import Any

from creditrisk.reporting import render
from creditrisk.reporting.pages.model import imbalance

Row = dict[str, Any]
TREATMENTS = {"none": "None", "smote": "SMOTE"}
CORRECTIONS = {
    "raw": "raw",
    "prior_corrected": "prior corrected",
    "recalibrated": "recalibrated",
}
FAILED = "the interval of mean probability less base rate is not inside ±0.01"


def cell(
    treatment: str,
    correction: str,
    *,
    promotable: bool,
    auc: str = "",
    loss: str = "",
    **figures: Any,
) -> Row:
    gap = figures.pop("gap", 0.001)
    gate = {
        "level": 0.9,
        "mean_gap": gap,
        "mean_gap_low": gap - 0.004,
        "mean_gap_high": gap + 0.004,
        "slope": 0.98,
        "slope_low": 0.95,
        "slope_high": 1.01,
        "intercept": -0.02,
        "intercept_low": -0.06,
        "intercept_high": 0.02,
        "slope_bounds": [0.9, 1.1],
        "mean_margin": 0.01,
        "promotable": promotable,
        "reason": "both intervals lie inside their bounds" if promotable else FAILED,
    }
    base = {"roc_auc": 0.785, "pr_auc": 0.56, "log_loss": 0.4261, "brier": 0.1339}
    return {
        "model": "trees",
        "treatment": treatment,
        "correction": correction,
        **base,
        "mean_probability": 0.221 + gap,
        "gate": gate,
        "difference": {
            "roc_auc": {"difference": 0.0, "verdict": auc} if auc else None,
            "log_loss": {"difference": 0.0, "verdict": loss} if loss else None,
        },
        **figures,
    }


def document(rows: list[Row]) -> Row:
    model = {
        "label": "XGBoost",
        "parameters": {"n_estimators": 375, "learning_rate": 0.06},
        "n_features": 65,
        "categorical": ["PAY_0"],
    }
    design = {
        "n": 24_000,
        "base_rate": 0.2212,
        "n_inner": 3,
        "n_folds": 5,
        "n_repeats": 2,
        "alpha": 0.05,
        "treatments": TREATMENTS,
        "corrections": CORRECTIONS,
        "models": {"trees": model},
    }
    return {"design": design, "rows": rows}


def smote_hurts() -> Row:
    return document(
        [
            cell("none", "raw", promotable=True),
            cell("none", "recalibrated", promotable=True, loss="within noise"),
            cell(
                "smote", "raw", promotable=False, auc="worse", loss="worse",
                gap=0.1321, roc_auc=0.7743, log_loss=0.4857,
            ),
            cell(
                "smote", "prior_corrected", promotable=False, auc="worse", loss="worse",
                gap=-0.065, log_loss=0.4512,
            ),
            cell("smote", "recalibrated", promotable=True, auc="worse", loss="worse", log_loss=0.4333),
        ]
    )  # fmt: skip


def smote_helps() -> Row:
    return document(
        [
            cell("none", "raw", promotable=False),
            cell("none", "recalibrated", promotable=False, loss="within noise"),
            cell("smote", "raw", promotable=False, auc="better", loss="within noise"),
            cell("smote", "prior_corrected", promotable=True, auc="better", loss="better"),
            cell("smote", "recalibrated", promotable=False, auc="better", loss="within noise"),
        ]
    )


def rendered(stored: Row) -> str:
    template = render.environment().get_template("model/imbalance.html.j2")
    return template.render(imbalance=imbalance.build(stored))


def words(html: str) -> str:
    """Return the text of the section without its figure, on one line."""
    text = re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", text).replace("\N{NARROW NO-BREAK SPACE}", " ").split())


def test_words_when_smote_hurts() -> None:
    text = words(rendered(smote_hurts()))
    assert "3 of 5 combinations" in text
    assert (
        "XGBoost: uncorrected after no treatment; recalibrated after any treatment or none." in text
    )
    assert "alone: 1 of the 3 are worse than the untreated, uncorrected model" in text
    assert "mean probability of XGBoost from 22.2 % to 35.3 %, where 22.1 % default" in text
    assert "Log loss goes from 0.4261 to 0.4857 (worse)" in text
    assert "ROC AUC from 0.7850 to 0.7743 (worse)" in text
    prior = f"Undoing the prior does not make them promotable ({FAILED}): their mean is then 15.6 %"
    assert prior in text
    assert "and their log loss 0.4512, worse than the untreated model's." in text
    assert "Recalibration makes the probabilities promotable: their mean is then 22.2 %" in text
    assert "no treatment ranks clients better than none, and SMOTE ranks them worse" in text
    assert "no cell has a better log loss" in text


def test_words_when_smote_helps() -> None:
    text = words(rendered(smote_helps()))
    assert "1 of 5 combinations" in text
    assert "XGBoost: prior corrected after SMOTE." in text
    assert "Undoing the prior makes the probabilities promotable" in text
    assert "log loss 0.4261, better than the untreated model's." in text
    assert "Recalibration does not make them promotable" in text
    assert "within noise of the untreated model's." in text
    assert "SMOTE ranks clients better than no treatment;" in text
    assert "log loss is better only for: SMOTE, prior corrected." in text
    assert "worse" not in text
    assert "calibration alone" not in text


def test_treatments_are_listed_where_only_some_pass() -> None:
    stored = smote_hurts()
    stored["design"]["treatments"] = TREATMENTS | {"oversampling": "Random over-sampling"}
    stored["rows"] += [
        cell("oversampling", "prior_corrected", promotable=True, auc="worse", loss="worse"),
        cell("oversampling", "recalibrated", promotable=False, auc="worse", loss="worse"),
    ]
    text = words(rendered(stored))
    assert "prior corrected after random over-sampling; " in text
    assert "recalibrated after no treatment, SMOTE." in text


def test_nothing_promotable_is_said() -> None:
    rows = [row | {"gate": row["gate"] | {"promotable": False}} for row in smote_hurts()["rows"]]
    text = words(rendered(document(rows)))
    assert "0 of 5 combinations" in text
    assert "XGBoost: none of them." in text


def test_table_figure_and_bounds_stand_on_the_page() -> None:
    html = rendered(smote_hurts())
    assert html.count("<section") == html.count("</section>") == 1
    assert '<section id="imbalance">' in html
    assert html.count("<tr>") == 6
    assert 'role="img" aria-label="Mean probability less base rate' in html
    assert "XGBoost SMOTE +13.2" in html
    assert "12.81–13.61" in words(html)  # the interval under the gap
    assert "±1 percentage point and 0.9 to 1.1" in words(html)
    assert "375 trees at a learning rate of 0.06" in words(html)
    assert len(html) < 70_000


def test_a_study_without_smote_or_without_a_slope_still_renders() -> None:
    rows = smote_hurts()["rows"][:2]
    gone = ("slope", "slope_low", "slope_high", "intercept", "intercept_low", "intercept_high")
    rows[1]["gate"] = {k: v for k, v in rows[1]["gate"].items() if k not in gone}
    text = words(rendered(document(rows)))
    assert "SMOTE moves the mean probability" not in text
    assert "2 of 2 combinations" in text
