"""The resampling ledger: nothing leaks, differences add up, the gate asks for equivalence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from creditrisk.features import table
from creditrisk.metrics import discrimination
from creditrisk.models import families, resampling, treatments
from creditrisk.models.folds import deal_folds
from creditrisk.models.rows import TrainingRows, split_sides
from creditrisk.validation import imbalance
from tests import generated

from .test_families import LINEAR, TREES

RECIPE = treatments.Recipe(scaler="standard", k_neighbors=3, n_inner=2, random_state=0)
GATE = {"slope_bounds": (0.9, 1.1), "mean_margin": 0.01, "level": 0.9}
EVERY = {
    "logistic": tuple(t for t in resampling.TREATMENTS if t != "scale_pos_weight"),
    "trees": tuple(resampling.TREATMENTS),
}
CELLS = [(model, treatment) for model, names in EVERY.items() for treatment in names]


def arm(model: str, rows: TrainingRows, features: tuple[str, ...], **changes) -> treatments.Arm:
    family, base = ("logistic_l2", LINEAR) if model == "logistic" else ("xgboost", TREES)
    parameters = base | changes
    return treatments.Arm(
        label=families.LABELS[family],
        pipeline=families.build(family, parameters, scaler="standard"),
        parameters=parameters,
        features=features,
        rows=rows,
        treatments=EVERY[model],
    )


@pytest.fixture(scope="module")
def clients() -> tuple[TrainingRows, tuple[str, ...]]:
    people = generated.clients(700, 3)
    names = ("LIMIT_BAL", "PAY_0", "PAY_2", "credit_utilization", "n_late_any")
    return split_sides(people, table.feature_table(people), names).train, names


def simple(n: int, seed: int = 0, signal: float = 1.2) -> TrainingRows:
    """Three columns, a logistic truth, every fourth row of one client with the row before."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    y = (rng.random(n) < 1 / (1 + np.exp(1.6 - signal * X[:, 0]))).astype(int)
    groups = np.arange(n) - (np.arange(n) % 4 == 3)
    return TrainingRows(X=X, y=y, groups=groups, fit_row=np.ones(n, dtype=bool))


def quick(rows: TrainingRows, names: tuple[str, ...], **changes) -> treatments.Arm:
    kept = ("none", "oversampling", "smote")
    return replace(arm("logistic", rows, ("a", "b", "c"), **changes), treatments=names or kept)


def judged(arms: dict[str, treatments.Arm], **changes) -> dict:
    settings = {"n_folds": 3, "n_repeats": 2, "folds_seed": 1, "gate": GATE, "alpha": 0.05}
    return imbalance.ledger(arms, RECIPE, **settings | {"n_jobs": 1} | changes)


@pytest.mark.parametrize(("model", "treatment"), CELLS)
def test_poisoned_test_rows_leave_every_correction_elsewhere_unchanged(model, treatment, clients):
    rows, names = clients
    (fold,) = deal_folds(rows.y, rows.groups, n_folds=3, n_repeats=1, random_state=0)
    tested = fold == 0

    def elsewhere(poisoned: np.ndarray) -> dict[str, np.ndarray]:
        X = np.where(poisoned[:, None], 9.0 - rows.X, rows.X)
        bad = replace(rows, X=X, y=np.where(poisoned, 1 - rows.y, rows.y))
        fit = treatments.fit_treatment(arm(model, bad, names), treatment, ~tested, RECIPE)
        return fit.probabilities(rows.X[~tested])

    clean = elsewhere(np.zeros(len(tested), dtype=bool))
    assert list(clean) == resampling.corrections(treatment)
    after, fitted_poison = elsewhere(tested), elsewhere(~tested & (rows.groups % 2 == 0))
    for correction, p in clean.items():
        assert np.array_equal(p, after[correction])
        assert not np.array_equal(p, fitted_poison[correction])  # the test can fail


def test_oversampling_before_splitting_finds_skill_in_noise_and_the_ledger_does_not():
    """The leak of public work: copies of a client on both sides of the split."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 5)), (rng.random(600) < 0.2).astype(int)
    rows = TrainingRows(X=X, y=y, groups=np.arange(600), fit_row=np.ones(600, dtype=bool))
    deep = {"max_depth": 8, "n_estimators": 60, "min_child_weight": 0, "reg_lambda": 0}
    step = resampling.sampler("oversampling", categorical=[], k_neighbors=3, random_state=0)
    X_more, y_more = step.fit_resample(X, y)
    blind = np.random.default_rng(1).random(len(y_more)) < 0.3
    noise = arm("trees", rows, tuple("abcde"), **deep)
    leaky = noise.pipeline.fit(X_more[~blind], y_more[~blind])
    leaked = discrimination.roc_auc(y_more[blind], leaky.predict_proba(X_more[blind])[:, 1])
    folds = deal_folds(y, rows.groups, n_folds=3, n_repeats=1, random_state=0)
    kept = replace(noise, treatments=("oversampling", "smote"))
    honest = treatments.out_of_fold({"trees": kept}, folds, RECIPE, n_jobs=1)
    assert leaked > 0.9
    for treatment in kept.treatments:
        area = discrimination.roc_auc(y, honest["trees", treatment, "raw"][0])
        assert abs(area - 0.5) < 0.12  # four standard errors


def test_every_cell_has_its_row_and_is_the_same_from_any_number_of_threads(clients):
    rows, names = clients
    arms = {model: arm(model, rows, names) for model in EVERY}
    document = judged(arms, n_repeats=1)
    assert document == judged(arms, n_repeats=1, n_jobs=2)
    expected = [(m, t, c) for m, t in CELLS for c in resampling.corrections(t)]
    assert [(r["model"], r["treatment"], r["correction"]) for r in document["rows"]] == expected
    described = document["design"]["models"]["trees"]
    assert described["categorical"] == ["PAY_0", "PAY_2"]
    assert described["n_features"] == len(names)
    assert document["design"]["base_rate"] == pytest.approx(rows.y.mean())


def test_differences_add_up_and_corrections_keep_the_ranking():
    document = judged({"logistic": quick(simple(900), ())})
    plain, *others = document["rows"]
    assert plain["difference"] == {"roc_auc": None, "log_loss": None}
    for row in others:
        loss = row["difference"]["log_loss"]
        assert loss["difference"] == pytest.approx(row["log_loss"] - plain["log_loss"])
        if row["treatment"] == "none":
            assert row["difference"]["roc_auc"] is None  # the same order by construction
            assert row["roc_auc"] == pytest.approx(plain["roc_auc"])
        else:
            area = row["difference"]["roc_auc"]
            assert area["difference"] == pytest.approx(row["roc_auc"] - plain["roc_auc"])


def test_rows_outside_of_the_fit_are_scored_and_never_fitted():
    rows = simple(600)
    left_out = np.arange(600) % 10 == 0
    rows = replace(rows, fit_row=~left_out)
    blown = replace(rows, X=np.where(left_out[:, None], 50.0, rows.X))
    folds = deal_folds(rows.y, rows.groups, n_folds=3, n_repeats=1, random_state=0)
    clean, after = (
        treatments.out_of_fold({"m": quick(r, ())}, folds, RECIPE, n_jobs=1) for r in (rows, blown)
    )
    for cell, p in clean.items():
        assert np.array_equal(p[:, ~left_out], after[cell][:, ~left_out])
        assert not np.array_equal(p[:, left_out], after[cell][:, left_out])


def test_the_gate_turns_away_oversampling_until_its_prior_is_undone():
    """A right form and many rows: only what moved the prior fails, and correction repairs it."""
    rows = simple(12_000)
    document = judged({"logistic": quick(rows, ("none", "oversampling"), C=10.0)}, n_repeats=1)
    passed = {(r["treatment"], r["correction"]): r["gate"]["promotable"] for r in document["rows"]}
    assert passed == {
        ("none", "raw"): True,
        ("none", "recalibrated"): True,
        ("oversampling", "raw"): False,
        ("oversampling", "prior_corrected"): True,
        ("oversampling", "recalibrated"): True,
    }
    raw = document["rows"][2]
    assert raw["gate"]["mean_gap"] > 0.15
    assert raw["difference"]["log_loss"]["verdict"] == "worse"
    assert raw["difference"]["roc_auc"]["verdict"] == "within noise"


def test_a_small_sample_is_too_vague_to_promote():
    """The same model on few rows: its interval holds the ideal, and more."""
    document = judged({"logistic": quick(simple(400), ("none",), C=10.0)}, n_repeats=1)
    gate = document["rows"][0]["gate"]
    assert gate["mean_gap_low"] < 0 < gate["mean_gap_high"]
    assert not gate["promotable"]


def test_repeats_of_a_client_are_one_cluster():
    """Scoring each client again tells little more of its outcome: intervals hardly narrow."""
    width = {}
    for n_repeats in (1, 4):
        gate = judged({"m": quick(simple(1500), ("none",))}, n_repeats=n_repeats)["rows"][0]["gate"]
        width[n_repeats] = gate["mean_gap_high"] - gate["mean_gap_low"]
    assert width[4] == pytest.approx(width[1], rel=0.05)  # rows as independent: half as wide


def test_paired_differences_share_one_area_and_adjust_over_each_table():
    base = {"roc_auc": np.array([0.7, 0.7, 0.7]), "log_loss": np.array([0.5, 0.5, 0.5])}
    lower = {"roc_auc": base["roc_auc"] - [0.010, 0.011, 0.009], "log_loss": base["log_loss"]}
    by_fold = {
        ("m", "none", "raw"): base,
        ("m", "smote", "raw"): lower | {"log_loss": base["log_loss"] + [0.10, 0.11, 0.09]},
        ("m", "smote", "prior_corrected"): lower,
        ("m", "smote", "recalibrated"): lower | {"log_loss": base["log_loss"] - [0.03, 0, 0]},
    }
    table = imbalance.paired_differences(by_fold, 0.5, alpha=0.05)
    areas = [table["m", "smote", correction]["roc_auc"] for correction in resampling.CORRECTIONS]
    assert areas[0] == areas[1] == areas[2]
    assert areas[0]["p_adjusted"] == areas[0]["p"]  # the one comparison of its table
    assert areas[0]["difference"] == pytest.approx(-0.01)
    # by hand: s = 0.001, se = s * sqrt(1/3 + 1/2), two degrees of freedom
    assert areas[0]["se"] == pytest.approx(0.001 * np.sqrt(5 / 6))
    losses = {c: table["m", "smote", c]["log_loss"] for c in resampling.CORRECTIONS}
    assert [row["verdict"] for row in losses.values()] == ["worse", "within noise", "within noise"]
    assert losses["raw"]["p_adjusted"] == pytest.approx(3 * losses["raw"]["p"])


def test_the_markdown_table_has_a_line_for_each_cell():
    document = judged({"logistic": quick(simple(600), ())}, n_repeats=1)
    head, rule, *lines = imbalance.markdown(document).splitlines()
    assert len(lines) == len(document["rows"]) == 8
    assert {line.count("|") for line in (head, rule, *lines)} == {9}
    first, raw = document["rows"][0], document["rows"][2]
    assert lines[0].startswith(f"| Logistic, L2 | None | raw | {first['roc_auc']:.4f} |")
    assert f"{raw['log_loss']:.4f}, {raw['difference']['log_loss']['verdict']}" in lines[2]
    vague = replace_gate(document, 0)
    assert imbalance.markdown(vague).splitlines()[2].endswith("| – | no |")


def replace_gate(document: dict, i: int) -> dict:
    """Return the document with no slope to fit in one row."""
    gone = ("slope", "slope_low", "slope_high")
    gate = {k: v for k, v in document["rows"][i]["gate"].items() if k not in gone}
    rows = list(document["rows"])
    rows[i] = rows[i] | {"gate": gate | {"promotable": False}}
    return document | {"rows": rows}
