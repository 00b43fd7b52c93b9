"""The rungs between the plain logistic regression and the boosted trees."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from creditrisk.errors import UserError
from creditrisk.features import registry
from creditrisk.metrics import discrimination
from creditrisk.models import description, families, steps, training

from .test_families import AVAILABLE, NAMES, PARAMETERS, training_rows


def fitted(name: str, X: np.ndarray, y: np.ndarray, **changes):
    parameters = PARAMETERS[name] | changes
    return families.build(name, parameters, scaler="standard", features=NAMES).fit(X, y)


def bent(n: int = 1500, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return a column whose middle is safe, and a code of which one level is risky."""
    rng = np.random.default_rng(seed)
    x, code = rng.uniform(-1, 1, n), rng.integers(0, 5, n).astype(float)
    logit = -2.5 + 4 * x**2 + 1.5 * (code == 2)
    return np.column_stack([x, code]), (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)


@pytest.mark.parametrize("seed", range(3))
def test_additive_bends_where_a_logistic_regression_cannot(seed):
    X, y = bent(seed=seed)
    X_test, y_test = bent(seed=seed + 100)
    auc = {
        name: discrimination.roc_auc(y_test, training.predict(fitted(name, X, y), X_test))
        for name in ("logistic_raw", "additive")
    }
    assert auc["additive"] > auc["logistic_raw"] + 0.1


def test_additive_is_a_sum_of_one_curve_a_column():
    """Moving one column changes the log-odds by the same amount whatever the other is."""
    X, y = bent()
    model = fitted("additive", X, y)
    low, high = np.array([[-0.5, 1.0], [0.2, 1.0]]), np.array([[-0.5, 2.0], [0.2, 2.0]])
    logit = [np.log(p / (1 - p)) for p in (training.predict(model, z) for z in (low, high))]
    assert logit[1][0] - logit[0][0] == pytest.approx(logit[1][1] - logit[0][1])


def test_additive_stays_constant_beyond_what_it_saw_and_scores_an_unseen_level():
    X, y = bent()
    model = fitted("additive", X, y)
    far = np.array([[X[:, 0].max(), 0.0], [1e9, 0.0], [0.0, 9.0]])
    p = training.predict(model, far)
    assert p[0] == pytest.approx(p[1])
    assert 0 < p[2] < 1


def test_columns_of_few_values_are_levels():
    X, _ = bent()
    assert steps.few_valued(X) == [1]
    assert steps.many_valued(X) == [0]
    codes = np.arange(-2.0, 10.0)[:, None]  # every status code there is
    assert steps.few_valued(codes) == [0]
    assert steps.few_valued(np.arange(13.0)[:, None]) == []


def test_a_forest_keeps_no_trace_of_its_threads():
    rows = training_rows()
    dumps, scores = set(), []
    for n_jobs in (1, 2):
        model = families.build(
            "random_forest", PARAMETERS["random_forest"], scaler="standard", n_jobs=n_jobs
        )
        model = training.portable(model.fit(rows.X, rows.y))
        assert model.named_steps["model"].n_jobs is None
        dumps.add(pickle.dumps(model))
        scores.append(training.predict(model, rows.X).tobytes())
    assert len(dumps) == len(set(scores)) == 1


def test_raw_and_states_differ_in_the_status_columns_alone():
    raw = families.model_features(
        "logistic_raw", {"features": ["amounts", "status_codes"]}, AVAILABLE
    )
    states = families.model_features(
        "logistic_states", {"features": ["amounts", "status_states"]}, AVAILABLE
    )
    assert set(raw) - set(states) == set(AVAILABLE["status_codes"])
    assert {"no_consumption_1", "paid_off_1", "revolving_1"} < set(states)


def test_a_scorecard_reads_the_columns_with_a_direction_in_the_registrys_order():
    parameters = {
        "features": ["status_codes", "delay", "audit"],
        "directions": {"ascending": ["n_late_any", "PAY_0"], "free": ["SEX"]},
    }
    assert families.model_features("scorecard", parameters, AVAILABLE) == ["PAY_0", "n_late_any"]
    included = AVAILABLE | {"audit": registry.select(["audit"], audit_attributes="include")}
    names = families.model_features("scorecard", parameters, included)
    assert names == ["PAY_0", "n_late_any", "SEX"]
    unknown = parameters | {"directions": {"ascending": ["LIMIT_BAL"]}}
    with pytest.raises(UserError, match=r"scorecard.directions: LIMIT_BAL not among"):
        families.model_features("scorecard", unknown, AVAILABLE)


def test_a_family_is_explained_exactly_or_there_is_a_reason_why_not():
    missing = set(families.LABELS) - set(families.EXPLAINED_EXACTLY)
    assert missing == {"random_forest", "blend", *families.RESAMPLED}
    assert all(families.EXPLAINED_EXACTLY.values())


def test_parameters_are_counted_by_kind():
    rows = training_rows()
    count = {
        name: description.n_parameters(fitted(name, rows.X, rows.y))
        for name in ("majority", "logistic_raw", "xgboost", "random_forest", "scorecard")
    }
    assert count["majority"] == 1
    assert count["logistic_raw"] == 4  # three columns and the intercept
    stumps = fitted("xgboost", rows.X, rows.y, max_depth=1, n_estimators=7, min_child_weight=0)
    assert description.n_parameters(stumps) == 14  # two leaves a tree
    one_leaf = fitted("random_forest", rows.X, rows.y, min_samples_leaf=200)
    assert description.n_parameters(one_leaf) == PARAMETERS["random_forest"]["n_estimators"]
    (card,) = fitted("scorecard", rows.X, rows.y).named_steps["model"].cards_
    assert count["scorecard"] == sum(len(b.n) for b in card.bins) + 1
    codes = np.clip(np.round(rows.X[:, :1]), -2, 9)
    lookup = families.build("lookup", {"alpha": 1.0}, scaler="standard").fit(codes, rows.y)
    assert description.n_parameters(lookup) == 12  # codes −2 to 9
    splines = fitted("additive", rows.X, rows.y)
    n_columns = splines.named_steps["expand"].transform(rows.X).shape[1]
    assert description.n_parameters(splines) == n_columns + 1


def test_weights_of_a_forest_are_shares_and_of_curves_there_are_none():
    rows = training_rows()
    shown = description.weights(fitted("random_forest", rows.X, rows.y), NAMES)
    assert shown[0]["feature"] == NAMES[0]
    assert sum(row["gain_share"] for row in shown) == pytest.approx(1)
    for name in ("additive", "scorecard"):
        assert description.weights(fitted(name, rows.X, rows.y), NAMES) == []
