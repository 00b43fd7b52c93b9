"""The ablation: what each arm changes, what a difference is, and what is said of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import Pipeline

from creditrisk import schema
from creditrisk.features import registry
from creditrisk.features.record import from_frame
from creditrisk.models.folds import deal_folds
from creditrisk.models.rows import TrainingRows, split_sides
from creditrisk.validation import ablation, ablation_arms, ideas
from creditrisk.validation.ablation_arms import Arm, Bench
from tests import generated
from tests.stages.model_stages import LINEAR, TREES

RECIPES = {"trees": TREES | {"n_estimators": 8}, "logistic": LINEAR | {"C": 0.01}}
FEW = tuple(i for i in ideas.ALL if i.id in ("exact_payments", "status_path", "depth_2", "splines"))
SETTINGS = {"scaler": "standard", "n_folds": 3, "n_repeats": 1, "random_state": 0, "alpha": 0.05}


@pytest.fixture(scope="module")
def people():
    return generated.clients(700, 3)


@pytest.fixture(scope="module")
def side(people):
    record = from_frame(people[people[schema.SPLIT] == schema.TRAIN])
    return record, split_sides(people, people, []).train


@pytest.fixture(scope="module")
def document(side):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ideas, "ALL", FEW)
        return ablation.ablate(*side, RECIPES, **SETTINGS, n_jobs=2)


def test_every_used_family_is_removed_every_other_added_and_audit_last(side):
    arms = list(Bench("trees", RECIPES["trees"], "standard", *side).family_arms())
    changes = [(arm.facts["id"], arm.facts["change"]) for arm in arms]
    assert changes == [
        ("amounts", "removed"),
        ("status_codes", "removed"),
        ("delay", "removed"),
        *(
            (f, "added")
            for f in registry.families()
            if f not in ("amounts", "status_codes", "delay", "audit")
        ),
        ("audit", "added"),
    ]
    width = {f: len(registry.select([f], audit_attributes="exclude")) for f in registry.families()}
    base = width["amounts"] + width["status_codes"] + width["delay"]
    assert width["audit"] == 0  # the recipe names it; without audit attributes it is empty
    for arm in arms:
        sign = -1 if arm.facts["change"] == "removed" else 1
        own = 5 if arm.facts["id"] == "audit" else width[arm.facts["id"]]
        assert arm.facts["n_features"] == arm.rows.X.shape[1] == base + sign * own


def test_only_the_audit_arm_reads_audit_attributes(side):
    record, rows = side
    b = Bench("trees", RECIPES["trees"], "standard", record, rows)
    other = from_frame(people_without_audit(record))
    c = Bench("trees", RECIPES["trees"], "standard", other, rows)
    for seen, blind in zip(b.family_arms(), c.family_arms(), strict=True):
        same = np.array_equal(seen.rows.X, blind.rows.X)
        assert same == (seen.facts["id"] != "audit")
    assert np.array_equal(b.base().rows.X, c.base().rows.X)


def people_without_audit(record):
    import pandas as pd

    columns = {schema.LIMIT: record.limit}
    for names, values in (
        (schema.STATUS_COLUMNS, record.status),
        (schema.BILL_COLUMNS, record.bill),
        (schema.PAID_COLUMNS, record.paid),
    ):
        columns |= dict(zip(names, values.T, strict=True))
    return pd.DataFrame(columns)


def arm(name: str, X: np.ndarray, y: np.ndarray) -> Arm:
    rows = TrainingRows(X, y, np.arange(len(y)), np.ones(len(y), dtype=bool))
    pipeline = Pipeline([("model", LogisticRegression())])
    return Arm({"id": name, "change": "added"}, rows, pipeline)


@pytest.fixture(scope="module")
def worked():
    """A base of pure noise, against itself, against the signal, and against wild noise."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 1500)
    noise = rng.normal(size=(1500, 1))
    X = {
        "base": noise,
        "same": noise,
        "signal": np.column_stack([noise, y + rng.normal(size=1500)]),
    }
    folds = deal_folds(y, np.arange(1500), n_folds=5, n_repeats=2, random_state=0)
    arms = {name: arm(name, values, y) for name, values in X.items()}
    base = ablation.fold_figures(arms.pop("base"), folds, 1)
    table = ablation.compare(arms.values(), base, folds, alpha=0.05, n_jobs=1)
    return X, y, folds, base, {row["id"]: row for row in table}


def test_signal_is_kept_and_no_change_is_within_noise(worked):
    rows = worked[-1]
    assert rows["signal"]["outcome"] == "keep"
    assert rows["signal"]["roc_auc"]["difference"] > 0 > rows["signal"]["log_loss"]["difference"]
    assert rows["same"]["outcome"] == "within noise"
    for metric in ablation.METRICS:
        assert rows["same"][metric]["difference"] == 0
        assert rows["same"][metric]["p"] == rows["same"][metric]["p_adjusted"] == 1


def test_a_difference_is_the_corrected_mean_over_folds_fitted_by_hand(worked):
    X, y, folds, _, rows = worked
    differences = {"roc_auc": [], "log_loss": []}
    for repeat in folds:
        for fold in range(5):
            test = repeat == fold
            p = {
                name: LogisticRegression()
                .fit(X[name][~test], y[~test])
                .predict_proba(X[name][test])
                for name in ("base", "signal")
            }
            areas = {name: roc_auc_score(y[test], q[:, 1]) for name, q in p.items()}
            losses = {name: log_loss(y[test], q) for name, q in p.items()}
            differences["roc_auc"].append(areas["signal"] - areas["base"])
            differences["log_loss"].append(losses["signal"] - losses["base"])
    for metric, values in differences.items():
        cell = rows["signal"][metric]
        assert cell["difference"] == pytest.approx(np.mean(values))
        assert cell["se"] == pytest.approx(np.sqrt((1 / 10 + 1 / 4) * np.var(values, ddof=1)))
        assert cell["p_adjusted"] == pytest.approx(2 * cell["p"])  # Holm: the smaller of two


def test_a_base_that_loses_its_signal_is_worse(worked):
    X, y, folds, base, _ = worked
    signal = ablation.fold_figures(arm("signal", X["signal"], y), folds, 1)
    (row,) = ablation.compare([arm("noise", X["base"], y)], signal, folds, alpha=0.05, n_jobs=1)
    assert row["outcome"] == "worse"
    assert signal["roc_auc"].mean() > base["roc_auc"].mean()


@pytest.mark.parametrize(
    ("auc", "loss", "expected"),
    [
        ("better", "better", "keep"),
        ("within noise", "better", "keep"),
        ("within noise", "within noise", "within noise"),
        ("better", "worse", "worse"),  # a ranking that costs calibration is no gain
        ("worse", "within noise", "worse"),
    ],
)
def test_outcome_follows_from_both_verdicts(auc, loss, expected):
    assert (
        ablation.outcome({"roc_auc": {"verdict": auc}, "log_loss": {"verdict": loss}}) == expected
    )


def test_fewer_rounds_at_a_higher_rate_keep_their_product():
    quick = ablation.faster({"learning_rate": 0.015, "n_estimators": 1500, "max_depth": 3}, 6)
    assert quick == {"learning_rate": pytest.approx(0.09), "n_estimators": 250, "max_depth": 3}


def test_document_holds_both_tables_of_both_kinds(document):
    assert list(document) == ["design", "base", "families", "ideas"]
    asked = {kind: [r["id"] for r in document["ideas"][kind]] for kind in ablation_arms.FAMILY_OF}
    assert asked == {
        "trees": ["exact_payments", "status_path", "depth_2"],
        "logistic": ["exact_payments", "status_path", "splines"],
    }
    rows = {row["id"]: row for row in document["ideas"]["trees"]}
    n = document["base"]["trees"]["n_features"]
    assert [rows[i]["n_features"] - n for i in rows] == [5, 2, 0]
    assert [rows[i]["change"] for i in rows] == ["added", "added", "variant"]
    assert [rows[i]["kind"] for i in rows] == ["columns", "fitted", "recipe"]
    for part in ("families", "ideas"):
        for table in document[part].values():
            for row in table:
                for metric in ablation.METRICS:
                    cell = row[metric]
                    assert cell["low"] <= cell["difference"] <= cell["high"]
                    assert cell["verdict"] in ("better", "worse", "within noise")


def test_document_is_the_same_from_one_thread_and_from_two(document, side, monkeypatch):
    monkeypatch.setattr(ideas, "ALL", FEW)
    lines: list[str] = []
    again = ablation.ablate(*side, RECIPES, **SETTINGS, n_jobs=1, progress=lines.append)
    assert json.dumps(again) == json.dumps(document)
    assert sum("base" in line for line in lines) == 2
    assert any(line.startswith("trees: removed delay: roc_auc") for line in lines)


def test_markdown_has_one_line_for_each_change_and_its_numbers(document):
    text = ablation.markdown(document)
    lines = text.splitlines()
    assert text.endswith("\n")
    assert [line for line in lines if line.startswith("#")] == ["### Feature families", "### Ideas"]
    tables = [line for line in lines if line.startswith("|")]
    assert len({line.count("|") for line in tables}) == 1  # every line has as many cells
    (row,) = [line for line in tables if line.startswith("| exact payments |")]
    cell = document["ideas"]["trees"][0]["log_loss"]["difference"]
    assert f"{cell:+.5f}" in row
    (depth,) = [line for line in tables if line.startswith("| depth 2 |")]
    assert depth.endswith("| – | – | – |")  # no such idea for the logistic
    families = {kind: document["families"][kind] for kind in document["families"]}
    keys = {(r["id"], r["change"]) for rows in families.values() for r in rows}
    assert len(tables) == 4 + len(keys) + len(FEW)
