"""summary gathers the headline from the stages' metrics and takes the graph along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stages import summary

CHAMPION = {
    "family": "two",
    "roc_auc": 0.78,
    "roc_auc_low": 0.77,
    "roc_auc_high": 0.79,
    "gini": 0.56,
    "ks": 0.43,
    "pr_auc": 0.55,
    "log_loss": 0.43,
    "brier": 0.135,
    "calibration_slope": 1.02,
    "calibration_intercept": 0.01,
    "ece": 0.008,
    "threshold": 0.3,
}
CV = {"roc_auc": 0.785, "log_loss": 0.42, "brier": 0.134, "ece": 0.006, "calibration_slope": 1.0}
PIPELINE = {
    "nodes": [
        {"name": "clean", "desc": "cleans", "items": []},
        {"name": "train", "desc": "trains", "items": ["one", "two"]},
        {"name": "evaluate", "desc": "judges", "items": []},
    ],
    "edges": [["clean", "train"], ["train", "evaluate"]],
}


def write_inputs(folder: Path, **evaluate: Any) -> dict[str, Path]:
    """Write what the stage reads into a folder and return the arguments of ``main``."""
    headline = {"champion": CHAMPION, "champion_cv": CV} | evaluate
    documents = {
        "clean": {"rows": 30000, "default_rate": 0.2212, "sha256": "ab" * 32, "n_twins": 3},
        "evaluate": {k: v for k, v in headline.items() if v is not None},
        "cluster": {"k": 4, "silhouette": 0.3},
        "manifest": {"files": {"champion.ubj": "cd" * 32, "clusters.json": "ef" * 32}},
        "train/one": {"n_features": 3, "cv": {"roc_auc": 0.71, "brier": 0.15}},
        "train/two": {"n_features": 9, "cv": {"roc_auc": 0.78, "brier": 0.13}},
        "train/stale": {"n_features": 1, "cv": {"roc_auc": 0.99}},
    }
    (folder / "train").mkdir(exist_ok=True)
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    (folder / "pipeline.json").write_text(json.dumps(PIPELINE))
    arguments = {name: folder / f"{name}.json" for name in ("clean", "evaluate", "cluster")}
    return arguments | {
        "manifest": folder / "manifest.json",
        "families": folder / "train",
        "pipeline": folder / "pipeline.json",
        "results": folder / "results.json",
        "metrics": folder / "summary.json",
    }


def test_the_headline_has_the_promised_keys_and_no_more(tmp_path: Path) -> None:
    summary.main(**write_inputs(tmp_path, public_split={"roc_auc": 0.7825, "rows": 6000}))
    headline = json.loads((tmp_path / "summary.json").read_text())
    assert list(headline) == ["champion", "champion_cv", "public_split", "clusters", "data"]
    assert headline["champion"] == {k: v for k, v in CHAMPION.items() if k != "threshold"}
    assert headline["champion_cv"] == CV
    assert headline["public_split"] == {"roc_auc": 0.7825}
    assert headline["clusters"] == {"k": 4}
    assert headline["data"] == {"rows": 30000, "default_rate": 0.2212, "sha256": "ab" * 32}


def test_what_no_stage_computed_is_absent_and_never_null(tmp_path: Path) -> None:
    summary.main(**write_inputs(tmp_path))
    text = (tmp_path / "summary.json").read_text()
    assert "null" not in text
    assert "benchmark" not in text
    assert "public_split" not in text


def test_a_promised_number_that_is_missing_is_named(tmp_path: Path) -> None:
    champion = {k: v for k, v in CHAMPION.items() if k != "brier"}
    with pytest.raises(KeyError, match=r"champion\.brier"):
        summary.main(**write_inputs(tmp_path, champion=champion))
    with pytest.raises(KeyError, match=r"champion_cv\.roc_auc"):
        summary.main(**write_inputs(tmp_path, champion_cv=None))


def test_the_first_page_gets_families_of_the_pipeline_only_and_the_graph(tmp_path: Path) -> None:
    arguments = write_inputs(tmp_path)
    summary.main(**arguments)
    results = json.loads((tmp_path / "results.json").read_text())
    assert list(results["families"]) == ["one", "two"], "not the file of a family that is gone"
    assert results["pipeline"] == PIPELINE
    assert results["provenance"] == {"model sha256": "cd" * 32}


def test_a_second_run_writes_the_same_bytes(tmp_path: Path) -> None:
    arguments = write_inputs(tmp_path)
    summary.main(**arguments)
    first = [(tmp_path / name).read_bytes() for name in ("summary.json", "results.json")]
    summary.main(**arguments)
    assert [(tmp_path / name).read_bytes() for name in ("summary.json", "results.json")] == first
