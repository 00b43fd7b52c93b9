"""The façade: the pipeline's numbers, alone and in a batch."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xgboost

from creditrisk.errors import UserError
from creditrisk.features import registry
from creditrisk.features.record import ClientRecord, from_frame
from creditrisk.models import reasons
from creditrisk.segments import rfm as rfm_segments
from creditrisk.segments.assignment import ClusterAssigner
from creditrisk.serving import artefacts
from tests.generated import raw_clients
from tests.service import model_folder


@pytest.fixture(scope="module")
def record() -> ClientRecord:
    return from_frame(raw_clients(1200, seed=21))


def test_probability_is_the_pipelines(models: Path, record: ClientRecord) -> None:
    scorer = artefacts.load_scorer(models)
    expected = model_folder.pipeline_probability(models, record)
    np.testing.assert_allclose(scorer.score(record).probability, expected, rtol=0, atol=1e-6)
    assert np.ptp(expected) > 0.5, "a constant model would prove nothing"


def test_one_client_gets_the_bits_that_the_batch_gives(models: Path, record: ClientRecord) -> None:
    scorer = artefacts.load_scorer(models)
    batch = scorer.score(record)
    for i in range(0, len(record), 7):
        single = scorer.score(record.take(np.array([i])))
        assert single.probability[0] == batch.probability[i]
        assert single.cluster_id[0] == batch.cluster_id[i]
        assert single.cluster_confidence[0] == batch.cluster_confidence[i]
        assert single.typical[0] == batch.typical[i]
        assert single.grade[0] == batch.grade[i]
        assert (single.contributions[0] == batch.contributions[i]).all()
        assert [end[0] for end in single.interval] == [end[i] for end in batch.interval]
        assert {k: v[0] for k, v in single.rfm.items()} == {k: v[i] for k, v in batch.rfm.items()}
        assert {k: v[0] for k, v in single.flags.items()} == {
            k: v[i] for k, v in batch.flags.items()
        }
    assert all(batch.flags[code].any() for code in ("out_of_distribution", "inactive"))
    assert not batch.flags["out_of_distribution"].all()


def test_segments_are_those_of_the_stages(models: Path, record: ClientRecord) -> None:
    scores = artefacts.load_scorer(models).score(record)
    expected = rfm_segments.score(record, model_folder.BANDS)
    assert set(scores.rfm) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(scores.rfm[name], values)
    assert set(np.unique(scores.cluster_id)) <= {0, 1, 2}
    assert np.all((scores.cluster_confidence >= 0) & (scores.cluster_confidence <= 1))


def test_unusual_is_beyond_the_limit_of_the_own_cluster(models: Path, record: ClientRecord) -> None:
    """Distances by numpy's own norm; limits are the 99 % column of the numbers."""
    scores = artefacts.load_scorer(models).score(record)
    numbers = model_folder.CLUSTERS
    points = ClusterAssigner(numbers).scaled(record)
    norms = np.linalg.norm(points[:, None] - np.array(numbers["centres"]), axis=2)
    limit = np.array(numbers["distance_quantiles"]["values"])[scores.cluster_id, 1]
    np.testing.assert_array_equal(scores.flags["out_of_distribution"], norms.min(axis=1) > limit)


def test_inactive_is_no_amount_at_all(models: Path, record: ClientRecord) -> None:
    scores = artefacts.load_scorer(models).score(record)
    amounts = np.hstack([record.bill, record.paid])
    np.testing.assert_array_equal(scores.flags["inactive"], (amounts == 0).all(axis=1))


def test_a_place_on_the_map_is_the_same_alone_and_in_a_batch(
    map_models: Path, record: ClientRecord
) -> None:
    scorer = artefacts.load_scorer(map_models)
    batch = scorer.score(record).position
    assert batch.shape == (len(record), 2)
    assert np.isfinite(batch).all()
    for i in range(0, len(record), 13):
        alone = scorer.score(record.take(np.array([i]))).position
        np.testing.assert_array_equal(alone[0], batch[i])


def test_landmarks_carry_the_cluster_whose_centre_they_are_nearest_to(map_models: Path) -> None:
    places, clusters = artefacts.load_scorer(map_models).landmarks
    assert places.tolist() == model_folder.LANDMARKS["coordinates"]
    assert clusters.tolist() == [0, 0, 1, 1, 2, 2]


def test_without_a_map_there_is_no_position(models: Path, record: ClientRecord) -> None:
    scorer = artefacts.load_scorer(models)
    assert scorer.landmarks is None
    assert scorer.score(record).position is None


def test_what_is_no_number_has_no_place(map_models: Path, record: ClientRecord) -> None:
    """A bill that overflowed upstream; the neighbour in the batch keeps its place."""
    scorer = artefacts.load_scorer(map_models)
    two = record.take(np.array([0, 1]))
    bill = two.bill.copy()
    bill[0] = np.nan
    broken = scorer.score(replace(two, bill=bill))
    assert np.isnan(broken.position[0]).all()
    np.testing.assert_array_equal(broken.position[1], scorer.score(two).position[1])
    assert broken.flags["out_of_distribution"][0]


def test_calibration_is_affine_in_log_odds(tmp_path: Path, record: ClientRecord) -> None:
    plain = artefacts.load_scorer(model_folder.write(tmp_path / "plain"))
    calibrated = artefacts.load_scorer(
        model_folder.write(tmp_path / "calibrated", calibration={"slope": 0.8, "intercept": -0.25})
    )
    np.testing.assert_allclose(
        calibrated.score(record).log_odds,
        0.8 * plain.score(record).log_odds - 0.25,
        rtol=0,
        atol=1e-12,
    )
    odds = plain.score(record).probability / (1 - plain.score(record).probability)
    np.testing.assert_allclose(np.log(odds), plain.score(record).log_odds, atol=1e-9)


def test_audit_columns_follow_the_features(models: Path, audit_models: Path) -> None:
    assert artefacts.load_scorer(models).audit_columns == ()
    used = artefacts.load_scorer(audit_models).audit_columns
    assert used == ("SEX", "EDUCATION", "MARRIAGE", "AGE")


def test_absurd_amounts_still_give_finite_numbers(models: Path, record: ClientRecord) -> None:
    one = record.take(np.array([0]))
    absurd = ClientRecord(
        np.array([5e-324]),
        one.status,
        np.array([[1e308, -1e308, 1e308, -1e308, 0.0, 1.0]]),
        np.full((1, 6), 1.7e308),
        one.sex,
        one.education,
        one.marriage,
        one.age,
    )
    scores = artefacts.load_scorer(models).score(absurd)
    assert 0 <= scores.probability[0] <= 1
    assert 0 <= scores.cluster_confidence[0] <= 1
    assert scores.flags["out_of_distribution"][0] == ~scores.typical[0]
    assert np.isfinite(scores.rfm["monetary"][0])


def test_features_that_are_not_the_models_are_refused(models: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(models, tmp_path / "models"))
    champion = json.loads((folder / "champion.json").read_text(encoding="utf-8"))
    short = champion["features"][:-1]
    for name, document in {
        "champion": {**champion, "features": short},
        "feature_names": short,
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    model_folder.seal(folder)
    with pytest.raises(UserError, match=r"names \d+ features, but the model has \d+"):
        artefacts.load_scorer(folder)


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model whose trees have no tables."""
    return model_folder.write(tmp_path_factory.mktemp("deep") / "models", depth=5)


def test_deeper_trees_are_asked_of_xgboost(deep: Path, record: ClientRecord) -> None:
    scores = artefacts.load_scorer(deep).score(record)
    expected = model_folder.pipeline_probability(deep, record)
    np.testing.assert_allclose(scores.probability, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("calibration", [None, {"slope": 0.8, "intercept": -0.25}])
@pytest.mark.parametrize("depth", [3, 5])
def test_base_and_contributions_make_the_log_odds(
    tmp_path: Path, record: ClientRecord, calibration: dict[str, float] | None, depth: int
) -> None:
    folder = model_folder.write(tmp_path / "models", calibration=calibration, depth=depth)
    scorer = artefacts.load_scorer(folder)
    scores = scorer.score(record)
    assert scores.contributions is not None
    total = scorer.base + scores.contributions.sum(axis=1)
    np.testing.assert_allclose(total, scores.log_odds, rtol=0, atol=1e-5)  # float32 sums of trees
    logit = np.log(scores.probability / (1 - scores.probability))
    np.testing.assert_allclose(logit, scores.log_odds, rtol=0, atol=1e-9)


def test_contributions_are_xgboosts_summed_by_group(models: Path, record: ClientRecord) -> None:
    scorer = artefacts.load_scorer(models)
    booster = xgboost.Booster(model_file=models / "champion.ubj")
    X = registry.compute(record, scorer.features)
    shap = booster.predict(xgboost.DMatrix(X), pred_contribs=True)[:, :-1]
    groups = reasons.groups_of(scorer.features)
    expected = np.stack([shap[:, groups == g].sum(axis=1) for g in range(groups.max() + 1)], axis=1)
    found = scorer.score(record).contributions
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.abs(found).max() > 0.3


def test_without_explanation_the_numbers_are_the_same(
    map_models: Path, record: ClientRecord
) -> None:
    scorer = artefacts.load_scorer(map_models)
    full, short = scorer.score(record), scorer.score(record, explain=False)
    assert short.contributions is None
    assert short.position is None
    for name in ("log_odds", "probability", "grade", "cluster_id", "cluster_confidence"):
        np.testing.assert_array_equal(getattr(short, name), getattr(full, name))
    for low, high in zip(short.interval, full.interval, strict=True):
        np.testing.assert_array_equal(low, high)


def test_the_interval_is_the_band_around_the_log_odds(models: Path, record: ClientRecord) -> None:
    scores = artefacts.load_scorer(models).score(record)
    band = model_folder.BAND
    for end, sign in (("low", -1), ("high", 1)):
        offset = np.interp(scores.log_odds, band["log_odds"], band[end])
        value = scores.interval[0 if end == "low" else 1]
        np.testing.assert_allclose(np.log(value / (1 - value)), scores.log_odds + offset, atol=1e-9)
        assert (sign * (value - scores.probability) > 0).all()


def test_a_model_without_a_band_has_no_interval(tmp_path: Path, record: ClientRecord) -> None:
    scorer = artefacts.load_scorer(model_folder.write(tmp_path / "models", interval=None))
    assert scorer.interval_words is None
    assert scorer.score(record).interval is None


def test_grades_follow_their_bounds(models: Path, record: ClientRecord) -> None:
    scorer = artefacts.load_scorer(models)
    scores = scorer.score(record)
    edges = [0.0, *scorer.grade_bounds, 1.0]
    for grade, p in zip(scores.grade, scores.probability, strict=True):
        assert edges[grade] <= p < edges[grade + 1]
    assert len(np.unique(scores.grade)) > 4


def test_flags_of_amounts(models: Path, record: ClientRecord) -> None:
    """Bills that fall by more than was paid, below 0, and amounts that no client had."""
    scorer = artefacts.load_scorer(models)
    one = record.take(np.array([0]))

    def flags(**change: np.ndarray) -> set[str]:
        raised = scorer.score(replace(one, **change)).flags
        return {code for code, up in raised.items() if up[0]}

    bill = np.array([[5000.0, 8000.0, 8000.0, 8000.0, 8000.0, 8000.0]])
    paid = np.full((1, 6), 2000.0)
    assert not flags(bill=bill, paid=paid) & {"identity_break", "credit_balance", "out_of_range"}
    paid[0, 0] = 1999.0  # 8000 − 1999 = 6001 owed, 5000 billed
    assert "identity_break" in flags(bill=bill, paid=paid)
    bill[0, 5] = -1.0
    assert "credit_balance" in flags(bill=bill)
    highest = json.loads((models / "champion.json").read_text(encoding="utf-8"))["ranges"]
    assert "out_of_range" not in flags(limit=np.array([highest["LIMIT_BAL"][1]]))
    assert "out_of_range" in flags(limit=np.array([highest["LIMIT_BAL"][1] + 1]))
    paid[0, 3] = highest["PAY_AMT4"][1] + 1
    assert "out_of_range" in flags(paid=paid)
