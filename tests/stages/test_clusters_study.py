"""The script of the study ``clusters``: what it reads and writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from creditrisk import io, params, paths
from creditrisk.errors import UserError
from creditrisk.segments.recipe import recipe
from creditrisk.validation import fingerprint
from stages import cluster
from studies import clusters
from tests import generated

from .study_runs import SECTIONS
from .test_cluster import SECTION

SMALL = SECTION | {"k_max": 3, "n_init": 10}


def parsed(section: dict[str, Any] = SMALL, **changes: Any) -> clusters.Params:
    settings = SECTIONS["clusters"] | {"cluster": section} | changes
    return params.parse(clusters.Params, settings, "clusters")


def run(folder: Path, name: str, section: dict[str, Any] = SMALL) -> Path:
    clusters.main(parsed(section), clients=folder / "clients.parquet", results=folder / name)
    return folder / name


def test_what_speaks_for_the_clusters_is_written_and_repeats_byte_by_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    people = generated.clients(400, 5)
    io.write_table(tmp_path / "clients.parquet", people)
    written = run(tmp_path, "first.json")
    shuffled = people.sample(frac=1, random_state=1)
    io.write_table(tmp_path / "clients.parquet", shuffled)
    monkeypatch.setattr(clusters, "N_JOBS", 1)
    document = io.read_json(written)
    again = io.read_json(run(tmp_path, "second.json"))
    assert again.pop("fingerprint") != document["fingerprint"]  # it knows the order of rows
    assert again == {key: value for key, value in document.items() if key != "fingerprint"}
    assert set(document) == {
        "fingerprint", "design", "rows", "tried", "choice", "gap", "references", "agreement",
        "components",
    }  # fmt: skip
    fitted = (people["split"] == "train") & people["fit_row"]
    assert document["rows"] == fitted.sum()
    assert [t["k"] for t in document["tried"]] == [2, 3]
    assert [len(t["clusters"]) for t in document["tried"]] == [2, 3]
    assert len(document["references"]) == 2 * 4 * 2  # kinds, measures, k
    assert [row["k"] for row in document["gap"]["rows"]] == [1, 2, 3]
    assert len(document["components"]["components"]) == len(SMALL["features"])
    assert "clusters: gaussian: 2 of 2 draws" in capsys.readouterr().out


def test_the_stage_and_the_study_fit_the_same_clusters_and_share_a_recipe(tmp_path: Path) -> None:
    people = generated.clients(400, 5)
    io.write_table(tmp_path / "clients.parquet", people)
    document = io.read_json(run(tmp_path, "study.json"))
    stage = params.parse(cluster.Params, SMALL, "cluster")
    cluster.main(
        stage,
        clients=tmp_path / "clients.parquet",
        **{name: tmp_path / name for name in ("table", "numbers", "results", "metrics")},
    )
    results = io.read_json(tmp_path / "results")
    for mine, theirs in zip(document["tried"], results["choice"]["tried"], strict=True):
        assert mine["inertia"] == theirs["inertia"]
        # both over three resamples with the same seeds here
        assert mine["min_jaccard"] == pytest.approx(theirs["min_jaccard"], abs=1e-6)
    today = fingerprint.fingerprint(people, recipe(stage.model_dump()), [])
    assert document["fingerprint"] == today


def test_too_few_clients_are_refused_by_name(tmp_path: Path) -> None:
    io.write_table(tmp_path / "clients.parquet", generated.clients(30, 5))
    with pytest.raises(UserError, match=r"cluster.k_max: 3 clusters want at least 30"):
        run(tmp_path, "none.json")


def test_parameters_are_those_of_the_file_and_out_of_range_is_refused() -> None:
    section = params.read_section(paths.STUDY_PARAMS, "clusters")
    if section:  # every key is known and in range
        params.parse(clusters.Params, section | {"cluster": SMALL}, "clusters")
    with pytest.raises(params.ParamsError, match=r"clusters.agreement.ward_rows"):
        agreement = SECTIONS["clusters"]["agreement"] | {"ward_rows": 9000}
        parsed(agreement=agreement)
    with pytest.raises(params.ParamsError, match=r"clusters.gap.n_draws"):
        parsed(gap={"n_draws": 1, "n_init": 1})
