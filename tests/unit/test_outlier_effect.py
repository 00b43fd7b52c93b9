"""Removal of outliers is judged on clients that were never filtered, and nothing leaks."""

from __future__ import annotations

import numpy as np
import pytest

from creditrisk.data.outliers import flag_rows
from creditrisk.features import registry
from creditrisk.features.record import from_frame
from creditrisk.metrics import calibration, discrimination
from creditrisk.models import families
from creditrisk.models.folds import deal_folds
from creditrisk.validation import outlier_arms, outlier_effect
from creditrisk.validation.outlier_arms import Arm, Model, Setting
from tests import generated

from .test_families import LINEAR, TREES

SETTING = Setting(z=2.0, iqr_factor=0.5, random_state=3)
FEATURES = ("LIMIT_BAL", "PAY_0", "credit_utilization", "n_late_any")
ASKED = Arm("asked", "iqr", "remove")
AMOUNTS = Arm("amounts", "iqr", "remove")
CLIPPED = Arm("amounts", "iqr", "winsorise")
THINNED = Arm("amounts", "iqr", "thin")
DESIGN = {"n_folds": 3, "n_repeats": 2, "random_state": 1, "alpha": 0.05, "n_jobs": 1}


def model(name: str, features: tuple[str, ...] = FEATURES) -> Model:
    family, recipe = ("logistic_l2", LINEAR) if name == "logistic" else ("xgboost", TREES)
    return Model(
        label=families.LABELS[family],
        pipeline=families.build(family, recipe, scaler="standard"),
        parameters=recipe,
        features=features,
    )


@pytest.fixture(scope="module")
def clients():
    people = generated.clients(700, 4)
    return people[people["split"] == "train"].reset_index(drop=True)


@pytest.fixture(scope="module")
def document(clients):
    models = {"logistic": model("logistic"), "trees": model("trees")}
    return outlier_effect.measure(clients, models, [ASKED, AMOUNTS, CLIPPED], SETTING, **DESIGN)


def features_of(clients) -> dict[str, np.ndarray]:
    return {"logistic": registry.compute(from_frame(clients), FEATURES)}


def fitted(clients, arm, tested):
    models, X = {"logistic": model("logistic")}, features_of(clients)
    return outlier_arms.fit_arm(clients, models, X, arm, SETTING, tested=tested)


@pytest.fixture(scope="module")
def tested(clients):
    y, groups = clients["default"].to_numpy(), clients["group_id"].to_numpy()
    return deal_folds(y, groups, n_folds=3, n_repeats=1, random_state=0)[0] == 0


@pytest.mark.parametrize("arm", [ASKED, AMOUNTS, CLIPPED, THINNED])
def test_test_rows_reach_neither_bounds_nor_fit(clients, tested, arm):
    """Labels and amounts of all test rows but the first are spoilt: its score must stay."""
    clean = fitted(clients, arm, tested)
    spoilt = tested.copy()
    spoilt[np.flatnonzero(tested)[0]] = False
    other = clients.copy()
    for column in ("LIMIT_BAL", "BILL_AMT1", "PAY_AMT1"):
        other[column] = np.where(spoilt, 9e6, other[column])
    other["default"] = np.where(spoilt, 1 - other["default"], other["default"])
    after = fitted(other, arm, tested)
    assert after["probability"]["logistic"][0] == clean["probability"]["logistic"][0]
    assert after["treated_share"] == clean["treated_share"]
    assert after["flagged"][1:].all()  # the bounds did not move to meet them


def test_removal_is_a_fit_on_the_rows_inside_the_bounds(clients, tested):
    X = features_of(clients)["logistic"]
    bounds = SETTING.bounds(clients[~tested], AMOUNTS)
    kept = ~tested & ~flag_rows(clients, bounds)
    pipeline = model("logistic").pipeline.fit(X[kept], clients["default"][kept])
    result = fitted(clients, AMOUNTS, tested)
    assert np.array_equal(
        result["probability"]["logistic"], pipeline.predict_proba(X[tested])[:, 1]
    )
    assert result["treated_share"] == pytest.approx(1 - kept.sum() / (~tested).sum())
    assert np.array_equal(result["flagged"], flag_rows(clients[tested], bounds))


def test_clipping_computes_features_from_clipped_values_and_leaves_test_rows(clients, tested):
    bounds = SETTING.bounds(clients[~tested], CLIPPED)
    clipped = clients[~tested].copy()
    for name, (low, high) in bounds.items():
        inside = (np.ceil(low), np.floor(high)) if name == "AGE" else (low, high)
        clipped[name] = clipped[name].clip(*inside)
    X = registry.compute(from_frame(clipped), FEATURES)
    assert not np.array_equal(X, features_of(clients)["logistic"][~tested])
    pipeline = model("logistic").pipeline.fit(X, clients["default"][~tested])
    expected = pipeline.predict_proba(features_of(clients)["logistic"][tested])[:, 1]
    assert np.array_equal(fitted(clients, CLIPPED, tested)["probability"]["logistic"], expected)


def test_the_control_drops_as_many_rows_whoever_they_are(clients, tested, monkeypatch):
    fits = []
    original = outlier_arms.predict
    monkeypatch.setattr(outlier_arms, "predict", lambda m, X: fits.append(m) or original(m, X))
    removed, thinned = (fitted(clients, arm, tested) for arm in (AMOUNTS, THINNED))
    assert thinned["treated_share"] == removed["treated_share"]
    assert np.array_equal(thinned["flagged"], removed["flagged"])
    seen = [m.named_steps["scale"].n_samples_seen_ for m in fits]
    assert seen[0] == seen[1] < (~tested).sum()
    limits = [m.named_steps["scale"].mean_[0] for m in fits]
    kept = clients.loc[~tested, "LIMIT_BAL"]
    assert limits[0] < 0.9 * kept.mean() < limits[1]  # the rule drops high limits, chance does not
    again = fitted(clients, THINNED, tested)
    assert np.array_equal(again["probability"]["logistic"], thinned["probability"]["logistic"])


def test_the_pipelines_own_removal_plays_no_part(clients, tested):
    without = clients.assign(fit_row=False)
    base = fitted(clients, None, tested)
    again = fitted(without, None, tested)
    assert np.array_equal(again["probability"]["logistic"], base["probability"]["logistic"])
    assert base["treated_share"] == 0
    assert not base["flagged"].any()


def rows_by(document) -> dict:
    return {(row["model"], row["arm"]): row for row in document["rows"]}


def test_every_model_meets_every_arm_and_the_base_has_nothing_to_differ_from(document):
    arms = ["none", "asked_iqr_remove", "amounts_iqr_remove", "amounts_iqr_winsorise"]
    assert [*rows_by(document)] == [(m, a) for m in ("logistic", "trees") for a in arms]
    for (_, arm), row in rows_by(document).items():
        assert (row["difference"] is None) == (row["flagged"] is None) == (arm == "none")
        assert 0 < row["treated_share"] < 1 or arm == "none"
    assert document["design"]["columns"]["asked"] == ["AGE", "LIMIT_BAL"]


def test_differences_are_those_of_the_fold_means(document):
    rows = rows_by(document)
    for (name, arm), row in rows.items():
        if arm != "none":
            for metric in outlier_effect.METRICS:
                change = row["difference"][metric]
                base = rows[name, "none"][metric]
                assert change["difference"] == pytest.approx(row[metric] - base, abs=1e-12)
                assert change["low"] <= change["difference"] <= change["high"]
                assert change["verdict"] in ("better", "worse", "within noise")


def test_removal_and_clipping_speak_of_the_same_flagged_clients(document):
    rows = rows_by(document)
    removed, clipped = (
        rows["trees", f"amounts_iqr_{t}"]["flagged"] for t in ("remove", "winsorise")
    )
    for key in ("n", "rate", "untreated"):
        assert removed[key] == clipped[key]
    assert removed["treated"] != clipped["treated"]


def outcome(p: np.ndarray, flagged: np.ndarray) -> outlier_arms.Outcome:
    return outlier_arms.Outcome(p, flagged, [0.25])


def test_the_gap_on_flagged_rows_is_worked_by_hand():
    """Four folds of two rows; one row of each fold is flagged and gets 0.1 less from the arm."""
    y = np.array([0, 1, 0, 1, 1, 0, 0, 1])
    folds = np.array([[0, 0, 1, 1, 2, 2, 3, 3]])
    base = np.array([[0.2, 0.6, 0.3, 0.5, 0.7, 0.4, 0.2, 0.9]])
    flagged = np.array([[True, False, True, False, True, False, True, False]])
    outcomes = {
        ("m", "none"): outcome(base, np.zeros((1, 8), dtype=bool)),
        ("m", "asked_iqr_remove"): outcome(base - 0.1 * flagged, flagged),
    }
    rows = outlier_effect.judge(y, np.arange(8), folds, [ASKED], outcomes, alpha=0.05)
    found = rows[1]["flagged"]
    assert (found["n"], found["rate"]) == (4, 0.25)  # labels 0, 0, 1, 0
    assert found["untreated"]["probability"] == pytest.approx(0.35)
    assert found["untreated"]["gap"] == pytest.approx(0.10)
    assert found["treated"]["gap"] == pytest.approx(0.0)
    assert found["treated"]["low"] < 0 < found["treated"]["high"]
    assert found["untreated"]["roc_auc"] == 1.0  # 0.7 is above the other three
    assert found["difference"]["gap"]["difference"] == pytest.approx(-0.1)
    lost = calibration.row_log_loss(y, base[0] - 0.1 * flagged[0])
    lost = (lost - calibration.row_log_loss(y, base[0]))[flagged[0]].mean()
    assert found["difference"]["log_loss"]["difference"] == pytest.approx(lost)
    aucs = [discrimination.roc_auc(y[f], base[0, f]) for f in np.arange(8).reshape(4, 2)]
    assert rows[0]["roc_auc"] == np.mean(aucs)


def test_a_rule_that_flags_nobody_has_no_gap_and_no_profile(clients):
    lenient = Setting(z=1e6, iqr_factor=1e6, random_state=3)
    models = {"logistic": model("logistic")}
    found = outlier_effect.measure(clients, models, [ASKED], lenient, **DESIGN)
    (rule,) = found["rules"]
    assert (rule["n"], rule["flagged"], rule["difference"]) == (0, None, None)
    row = found["rows"][1]
    assert row["flagged"] == {"n": 0.0, "difference": {"gap": None, "log_loss": None}}
    assert row["difference"]["roc_auc"]["difference"] == 0.0
    assert row["difference"]["roc_auc"]["verdict"] == "within noise"


def test_who_is_flagged_counts_each_rule_once_and_adjusts_its_intervals(clients):
    from statsmodels.stats.proportion import confint_proportions_2indep

    rules = outlier_arms.who(clients, [AMOUNTS, CLIPPED, ASKED], SETTING, alpha=0.05)
    assert [(r["columns"], r["rule"]) for r in rules] == [("amounts", "iqr"), ("asked", "iqr")]
    gone = flag_rows(clients, SETTING.bounds(clients, AMOUNTS))
    row, default = rules[0], clients["default"]
    assert row["n"] == row["flagged"]["n"] == gone.sum()
    assert row["flagged"]["n"] + row["kept"]["n"] == len(clients)
    assert row["difference"] == pytest.approx(default[gone].mean() - default[~gone].mean())
    expected = confint_proportions_2indep(
        default[gone].sum(), gone.sum(), default[~gone].sum(), (~gone).sum(),
        method="newcomb", compare="diff", alpha=0.025,
    )  # fmt: skip
    assert (row["low"], row["high"]) == pytest.approx(expected)
    assert row["flagged"]["limit_median"] == clients.loc[gone, "LIMIT_BAL"].median()


def test_the_number_of_threads_changes_nothing(clients, document):
    models = {"logistic": model("logistic"), "trees": model("trees")}
    lines: list[str] = []
    again = outlier_effect.measure(
        clients,
        models,
        [ASKED, AMOUNTS, CLIPPED],
        SETTING,
        **DESIGN | {"n_jobs": 2},
        progress=lines.append,
    )
    assert again == document
    assert lines[-1] == "6 of 6 folds, 4 arms each"
