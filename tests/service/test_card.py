"""The machine-readable card: what is stored, completed from the files beside it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from creditrisk import schema
from creditrisk.scoring import FLAGS
from creditrisk.serving import artefacts
from tests.service import model_folder


def test_it_tells_what_is_served(models: Path) -> None:
    scorer = artefacts.load_scorer(models)
    card = scorer.card
    assert card["version"] == scorer.version
    assert {k: card[k] for k in ("name", "limitations", "grades")} == {
        k: model_folder.CARD[k] for k in ("name", "limitations", "grades")
    }
    assert [f["name"] for f in card["features"]] == list(scorer.features)
    assert all(f["meaning"] and f["unit"] and f["sources"] for f in card["features"])
    assert card["flags"] == FLAGS
    assert card["policy"]["threshold"]["value"] == scorer.threshold
    assert set(card["ranges"]) == {schema.LIMIT, *schema.BILL_COLUMNS, *schema.PAID_COLUMNS}
    json.dumps(card, allow_nan=False)


def test_every_feature_has_one_reason(models: Path) -> None:
    card = artefacts.load_scorer(models).card
    named = [name for reason in card["reasons"] for name in reason["features"]]
    assert sorted(named) == sorted(f["name"] for f in card["features"])


def test_personal_attributes_are_told_apart(models: Path, audit_models: Path) -> None:
    card = artefacts.load_scorer(models).card
    assert card["personal_attributes"] == {
        "used": [],
        "recorded_not_used": ["SEX", "EDUCATION", "MARRIAGE", "AGE"],
    }
    used = artefacts.load_scorer(audit_models).card
    assert used["personal_attributes"]["recorded_not_used"] == []
    named = [name for reason in used["reasons"] for name in reason["features"]]
    assert not set(named) & {"SEX", "EDUCATION", "MARRIAGE", "AGE", "limit_over_age"}


def test_profiles_are_centres_in_the_units_of_the_features(models: Path) -> None:
    """0.4 − 1.0 · 0.3 is 0.1 of the limit; (0.5 − 0.8 · 0.6)² of a late month."""
    clusters = artefacts.load_scorer(models).card["clusters"]
    assert [c["name"] for c in clusters] == model_folder.CLUSTERS["names"]
    assert [c["id"] for c in clusters] == [0, 1, 2]
    values = [[p["value"] for p in c["profile"]] for c in clusters]
    np.testing.assert_allclose(values[0], [0.1, 0.02**2], atol=1e-4)
    np.testing.assert_allclose(values[2], [0.58, 1.7**2], atol=1e-4)
    assert "default_rate" not in clusters[0], "nothing is told of it"
    assert clusters[1]["default_rate"] == 0.21
    assert clusters[0]["profile"][0]["unit"] == "ratio"


def test_without_a_band_no_interval_is_told(tmp_path: Path) -> None:
    folder = model_folder.write(tmp_path / "models", interval=None)
    assert "interval" not in artefacts.load_scorer(folder).card


@pytest.mark.parametrize("key", ["version", "model", "reasons"])
def test_the_stored_card_cannot_override_what_is_served(models: Path, key: str) -> None:
    from creditrisk.serving.card import describe

    read = {
        n: json.loads((models / f"{n}.json").read_text("utf-8")) for n in ("champion", "clusters")
    }
    card = describe({key: "stored"}, read["champion"], read["clusters"], version="v")
    assert card[key] != "stored"
