"""The rfm stage: what it writes, its parameters, and errors that a user sees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from creditrisk import io, params
from creditrisk.errors import UserError
from creditrisk.features.record import from_frame
from creditrisk.reporting.render import render
from creditrisk.segments import rfm as segments
from creditrisk.validation import fingerprint
from stages import rfm
from tests.generated import clients as cleaned_clients
from tests.unit.test_page_rfm import study
from tests.unit.test_rfm import BANDS

SEGMENTS = [{**rule, "action": f"do this with {rule['name']}"} for rule in BANDS["segments"]]


def parse(**changes: Any) -> rfm.Params:
    section = {
        **BANDS,
        "segments": SEGMENTS,
        "threshold_alternatives": [500.0],
        "min_cell": 5,
        "stability": {"replicates": 20, "seed": 0},
    }
    return params.parse(rfm.Params, section | changes, "rfm")


def run(folder: Path, clients: Path, **study: Path) -> dict[str, Path]:
    written = {name: folder / name for name in ("table", "bands", "results", "metrics")}
    study_file = study.get("study") or clients.parent / "segments.json"
    rfm.main(parse(), clients=clients, study=study_file, **written)
    return written


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rfm") / "clients.parquet"
    people = cleaned_clients(500, 4)
    io.write_table(file, people)
    mark = fingerprint.fingerprint(people, {}, [])
    io.write_json(file.parent / "segments.json", {"fingerprint": mark, **study()})
    return file


def test_it_writes_scores_and_bands_twice_the_same(tmp_path: Path, clients: Path) -> None:
    first, second = run(tmp_path / "a", clients), run(tmp_path / "b", clients)
    for name, path in first.items():
        assert path.read_bytes() == second[name].read_bytes()
    assert io.read_json(first["metrics"]) == io.read_json(first["results"])["headline"]


def test_the_saved_bands_score_a_client_as_the_stage_did(tmp_path: Path, clients: Path) -> None:
    written = run(tmp_path, clients)
    people, table = io.read_table(clients), io.read_table(written["table"])
    bands = io.read_json(written["bands"])
    assert table["ID"].tolist() == people["ID"].tolist()
    scored = segments.score(from_frame(people.iloc[[17]]), bands)
    for name, values in scored.items():
        assert values[0] == table[name].iloc[17]
    assert np.all(table["segment"].isin([s["name"] for s in bands["segments"]]))


def test_its_page_opens_with_rfm_as_specified(tmp_path: Path, clients: Path) -> None:
    results = io.read_json(run(tmp_path, clients)["results"])
    page = render("rfm", results)
    assert page.index('id="as_specified"') < page.index('id="spend"')
    for name in ("recency_last_bill", "frequency_timely", "monetary_total_paid"):
        assert name in page
    share = json.dumps(results["headline"]["recency_ties_share_as_specified"])
    assert f'data-metric="rfm:recency_ties_share_as_specified" value="{share}"' in page


def test_actions_reach_the_results_and_not_the_service(tmp_path: Path, clients: Path) -> None:
    written = run(tmp_path, clients)
    assert "action" not in written["bands"].read_text()
    assert io.read_json(written["results"])["actions"]["steady"] == "do this with steady"


def test_a_study_of_other_clients_is_marked_as_stale(tmp_path: Path, clients: Path) -> None:
    stored = io.read_json(clients.parent / "segments.json")
    file = tmp_path / "segments.json"
    io.write_json(file, stored | {"fingerprint": {"clients": "another"}})
    results = io.read_json(run(tmp_path, clients, study=file)["results"])
    assert results["studies"]["added_value"]["stale"] == ["other clients, labels or splits"]


def test_a_missing_study_is_named(tmp_path: Path, clients: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere.json is missing"):
        run(tmp_path, clients, study=tmp_path / "nowhere.json")
    assert not (tmp_path / "table").exists()


def test_a_missing_column_is_named(tmp_path: Path, clients: Path) -> None:
    file = tmp_path / "clients.parquet"
    io.write_table(file, io.read_table(clients).drop(columns="PAY_AMT4"))
    with pytest.raises(Exception, match="PAY_AMT4"):
        run(tmp_path, file)
    assert not (tmp_path / "table").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spend": BANDS["spend"] | {"monetary": [1, 3, 2, 4]}}, "rfm.spend.monetary.*ascend"),
        ({"spend": BANDS["spend"] | {"monetary": [1, 2, 3]}}, "rfm.spend.monetary"),
        ({"spend_threshold": 0}, "rfm.spend_threshold"),
        ({"segments": BANDS["segments"]}, "rfm.segments.0.action"),
        ({"stability": {"replicates": 5, "seed": 0}}, "rfm.stability.replicates"),
        (
            {"segments": [{"name": "a", "action": "b", "conditions": {"age": [1, 2]}}]},
            "no quantity age; there are: recency",
        ),
        (
            {"segments": [{"name": "a", "action": "b", "conditions": {"recency": [1, 2]}}]},
            "rfm.segments.*last segment must have no conditions",
        ),
    ],
)
def test_wrong_parameters_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(params.ParamsError, match=message):
        parse(**change)
