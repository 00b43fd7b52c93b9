"""The train stage: what it writes and prints, that the hold-out is nothing to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from creditrisk import io, params, schema
from creditrisk.errors import UserError
from creditrisk.models import training
from stages import train
from tests import generated
from tests.stages.model_stages import (
    CARD,
    FOREST,
    LINEAR,
    TRAIN,
    TREES,
    inputs,
    run_train,
    written,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return inputs(tmp_path_factory.mktemp("train"))


@pytest.mark.parametrize("item", TRAIN["families"])
def test_a_family_is_written_and_a_second_run_gives_the_same_bytes(folder, item, capsys):
    run_train(folder, item)
    first = written(folder)
    line = next(
        line for line in capsys.readouterr().out.splitlines() if line.startswith("Features used")
    )
    results = io.read_json(folder / f"results/train/{item}.json")
    assert line == f"Features used for training/prediction: {results['features']}"
    metrics = io.read_json(folder / f"metrics/train/{item}.json")
    assert metrics == {"n_features": len(results["features"]), "cv": results["cv"]}
    run_train(folder, item)
    assert written(folder) == first


def test_every_client_is_scored_on_its_side_by_the_stored_pipeline(folder):
    run_train(folder, "xgboost")
    clients = io.read_table(folder / "clients.parquet")
    stored = io.read_arrays(folder / "predictions/xgboost.npz")
    for side in (schema.TRAIN, schema.HOLDOUT):
        ids = clients.loc[clients[schema.SPLIT] == side, schema.KEY]
        assert stored[f"{side}_id"].tolist() == ids.tolist()
        assert ((stored[f"{side}_probability"] > 0) & (stored[f"{side}_probability"] < 1)).all()
    pipeline = io.read_model(folder / "families/xgboost.joblib")
    features = io.read_table(folder / "features.parquet")
    names = io.read_json(folder / "results/train/xgboost.json")["features"]
    held = features[features[schema.KEY].isin(stored["holdout_id"])]
    p = training.predict(pipeline, held[names].to_numpy())
    assert np.array_equal(p, stored["holdout_probability"])


def test_sensitive_attributes_are_left_out_as_the_features_stage_said(folder):
    run_train(folder, "xgboost")
    results = io.read_json(folder / "results/train/xgboost.json")
    assert not {"SEX", "EDUCATION", "MARRIAGE", "AGE", "limit_over_age"} & set(results["features"])
    assert results["feature_families"] == ["amounts", "status_codes", "delay"]


def test_a_poisoned_hold_out_leaves_every_fit_unchanged(tmp_path):
    clients = generated.clients(600, 4)
    held = (clients[schema.SPLIT] == schema.HOLDOUT).to_numpy()
    poisoned = clients.copy()
    poisoned[schema.TARGET] = np.where(held, 1 - clients[schema.TARGET], clients[schema.TARGET])
    for column in (*schema.BILL_COLUMNS, *schema.PAID_COLUMNS):
        poisoned[column] = np.where(held, 1e6, clients[column])
    for column in schema.STATUS_COLUMNS:
        poisoned[column] = np.where(held, 8, clients[column])
    clean, other = inputs(tmp_path / "a", clients), inputs(tmp_path / "b", poisoned)
    for item in ("logistic_l2", "scorecard", "additive", "random_forest", "xgboost_smote"):
        for place in (clean, other):
            run_train(place, item)
        name = f"families/{item}.joblib"
        assert (clean / name).read_bytes() == (other / name).read_bytes()
        stored = [io.read_arrays(place / f"predictions/{item}.npz") for place in (clean, other)]
        assert np.array_equal(stored[0]["train_probability"], stored[1]["train_probability"])
        assert not np.array_equal(
            stored[0]["holdout_probability"], stored[1]["holdout_probability"]
        )


def test_a_missing_column_is_named(tmp_path, folder):
    other = inputs(tmp_path)
    io.write_table(
        other / "clients.parquet",
        io.read_table(other / "clients.parquet").drop(columns="group_id"),
    )
    with pytest.raises(KeyError, match="group_id"):
        run_train(other, "lookup")


def test_select_narrows_the_section_to_one_family():
    section = train.select(TRAIN, "lookup")
    assert set(section) == {"cv", "scaler", "family"}
    assert section["family"] == {"name": "lookup", **TRAIN["families"]["lookup"]}
    with pytest.raises(UserError, match=r"no family 'forest'; there are: \['majority'"):
        train.select(TRAIN, "forest")
    with pytest.raises(UserError, match="no family None"):
        train.select(TRAIN, None)


@pytest.mark.parametrize(
    ("family", "changes", "message"),
    [
        ("xgboost", TREES | {"max_depth": 0}, "max_depth"),
        ("xgboost", TREES | {"max_dpeth": 3}, "max_dpeth"),
        ("xgboost", TREES | {"subsample": 1.5}, "subsample"),
        ("logistic_l2", LINEAR | {"C": [0.1, 0.1], "rule": "lowest"}, "must rise"),
        ("logistic_l2", LINEAR | {"C": [0.1, 1.0], "rule": "best"}, "one_standard_error"),
        ("logistic_states", LINEAR | {"C": [0.1, 1.0]}, "C"),
        ("scorecard", CARD | {"min_bin_share": 0.5}, "min_bin_share"),
        (
            "scorecard",
            CARD | {"directions": CARD["directions"] | {"free": ["PAY_0"]}},
            "more than one direction for PAY_0",
        ),
        ("scorecard", CARD | {"directions": {"ascending": ["PAY_0"]}}, "descending"),
        ("scorecard", CARD | {"segments": {"column": "PAY_0", "edges": [2, 1]}}, "must rise"),
        (
            "additive",
            LINEAR | {"C": 0.1, "n_knots": 1, "degree": 2, "min_level_rows": 5},
            "n_knots",
        ),
        ("random_forest", FOREST | {"max_features": "all"}, "max_features"),
        ("lookup", {"features": ["audit"], "column": "AGE", "alpha": 1.0}, "PAY_0"),
    ],
)
def test_wrong_parameters_are_named(family, changes, message):
    section = train.select(TRAIN | {"families": {family: changes}}, family)
    with pytest.raises(UserError, match=message):
        params.parse(train.Params, section, "train")


def test_a_scorecards_table_is_stored_and_scores_the_hold_out(folder):
    """Points of the stored table, added up for a hold-out client, give its probability."""
    run_train(folder, "scorecard")
    results = io.read_json(folder / "results/train/scorecard.json")
    cards = results["scorecard"]["cards"]
    assert results["features"] == ["LIMIT_BAL", "PAY_AMT1", "PAY_0", "n_late_any"]  # no AGE
    columns = [column for card in cards for column in card["columns"]]
    assert results["n_parameters"] == sum(len(c["bins"]) for c in columns) + len(cards)
    assert sum(card["n"] for card in cards) == results["n_fit_rows"]
    for card in cards:
        for column in card["columns"]:
            assert sum(b["n"] for b in column["bins"]) == card["n"]
    model = io.read_model(folder / "families/scorecard.joblib").named_steps["model"]
    features = io.read_table(folder / "features.parquet")
    stored = io.read_arrays(folder / "predictions/scorecard.npz")
    held = features[features[schema.KEY].isin(stored["holdout_id"])][results["features"]]
    for x, p in zip(held.to_numpy(float)[:50], stored["holdout_probability"][:50], strict=True):
        i = int(x[results["features"].index("PAY_0")] >= 1)
        card, fitted = cards[i], model.cards_[i]
        total = card["start_points"]
        for column, j, bins in zip(card["columns"], fitted.columns, fitted.bins, strict=True):
            total += column["bins"][int(bins.index(x[j : j + 1])[0])]["points"]
        assert 1 / (1 + 50 * 2 ** ((total - 600) / 20)) == pytest.approx(p, abs=1e-9)


def test_an_unknown_feature_family_is_named(folder):
    families = {"xgboost": TREES | {"features": ["wealth"]}}
    with pytest.raises(UserError, match="no feature family wealth"):
        run_train(folder, "xgboost", families=families)
