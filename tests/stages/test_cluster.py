"""The cluster stage: what it writes, that row order is nothing to it, and its errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from creditrisk import io, params, schema
from creditrisk.errors import UserError
from creditrisk.features.record import from_frame, from_mappings
from creditrisk.reporting.render import render
from creditrisk.segments.assignment import ClusterAssigner
from stages import cluster
from tests.generated import clients as cleaned_clients
from tests.stages.model_stages import inputs
from tests.stages.study_runs import run_study


def feature(name: str, high: float, **changes: Any) -> dict[str, Any]:
    words = {"high": f"high {name}", "low": f"low {name}"}
    return {"name": name, "clip": [0, high], "transform": "identity"} | words | changes


SECTION: dict[str, Any] = {
    "random_state": 7,
    "features": [
        feature("utilization_mean", 1.2),
        feature("pay_ratio_mean", 1),
        feature("n_late_2plus", 6),
        feature("n_paid_off", 6),
        feature("spend_mean_over_limit", 0.4, transform="sqrt"),
    ],
    "k_min": 2,
    "k_max": 5,
    "n_init": 10,
    "silhouette_rows": 300,
    "choice": {"k_floor": 3, "min_jaccard": 0.6, "min_share": 0.02, "n_resamples": 3},
    "dbscan": {
        "max_rows": 400,
        "min_samples": 8,
        "grid": {"min_samples": [4, 8], "eps_factors": [0.5, 1.0], "silhouette_rows": 200},
        "max_noise_share": 0.25,
        "max_largest_share": 0.9,
        "max_clusters": 20,
    },
    "hdbscan": {"min_cluster_size": [20, 60], "n_orders": 1},
    "tsne": {"perplexity": 20, "early_iterations": 40, "iterations": 40, "exaggeration": 12},
    "map": {"n_landmarks": 60, "n_neighbours": 5, "quality_rows": 100, "seed_rows": 100},
    "page_rows": 200,
    "n_jobs": 1,
}


def parse(**changes: Any) -> cluster.Params:
    return params.parse(cluster.Params, SECTION | changes, "cluster")


def run(folder: Path, clients: Path, **changes: Any) -> dict[str, Path]:
    written = {name: folder / name for name in ("table", "numbers", "results", "metrics")}
    cluster.main(parse(**changes), clients=clients, study=STUDY.file, **written)
    return written


class STUDY:
    """The study's document, of other clients: made once by the fixture below."""

    file: Path


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cluster")
    STUDY.file = folder / "study.json"
    run_study(inputs(folder / "others"), "clusters", STUDY.file, cluster=SECTION)
    file = folder / "clients.parquet"
    io.write_table(file, cleaned_clients(600, 5))
    return file


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, clients: Path) -> dict[str, Path]:
    return run(tmp_path_factory.mktemp("first"), clients)


def test_row_order_threads_and_processes_change_no_byte(
    tmp_path: Path, clients: Path, written: dict[str, Path]
) -> None:
    """The same clients in another order, on four threads and in two processes."""
    shuffled = tmp_path / "shuffled.parquet"
    io.write_table(shuffled, io.read_table(clients).sample(frac=1, random_state=3))
    with threadpool_limits(limits=4):
        again = run(tmp_path, shuffled, n_jobs=2)
    for name, path in written.items():
        assert path.read_bytes() == again[name].read_bytes(), name


def test_every_client_has_a_label_and_coordinates(clients: Path, written: dict[str, Path]) -> None:
    table = io.read_table(written["table"])
    assert sorted(table["ID"]) == sorted(io.read_table(clients)["ID"])
    k = io.read_json(written["metrics"])["k"]
    assert table["cluster_id"].between(0, k - 1).all()
    assert table["cluster_confidence"].between(0, 1).all()
    for name in ("pca_1", "pca_2", "pca_3", "tsne_1", "tsne_2"):
        assert np.isfinite(table[name]).all()
    assert io.read_json(written["metrics"]) == io.read_json(written["results"])["headline"]


def test_the_saved_numbers_label_as_the_stage_did(clients: Path, written: dict[str, Path]) -> None:
    """In a batch, and one by one from mappings as the service gets them."""
    people = io.read_table(clients).sort_values("ID")
    table = io.read_table(written["table"])
    assigner = ClusterAssigner(io.read_json(written["numbers"]))
    batch, _ = assigner.assign(from_frame(people))
    assert batch.tolist() == table["cluster_id"].tolist()
    for i in range(0, len(people), 37):
        client = people.iloc[i][list(schema.FEATURE_COLUMNS)].to_dict()
        alone, confidence = assigner.assign(from_mappings([client]))
        assert alone[0] == table["cluster_id"].iloc[i]
        assert confidence[0] == pytest.approx(table["cluster_confidence"].iloc[i], abs=1e-6)


def test_holdout_rows_never_change_a_fit(
    tmp_path: Path, clients: Path, written: dict[str, Path]
) -> None:
    people = io.read_table(clients)
    holdout = people[schema.SPLIT] == schema.HOLDOUT
    people.loc[holdout, "BILL_AMT1"] += 50_000.0
    changed = tmp_path / "changed.parquet"
    io.write_table(changed, people)
    again = run(tmp_path, changed)
    before, after = (io.read_json(files["numbers"]) for files in (written, again))
    # the t-SNE map is a picture of everyone; the clients that mark it are training rows
    assert before["map"].pop("coordinates") != after["map"].pop("coordinates")
    assert len(before["map"].pop("points")) == len(after["map"].pop("points"))
    assert before.pop("map").keys() == after.pop("map").keys()
    assert after == before
    assert again["table"].read_bytes() != written["table"].read_bytes()


def test_the_outcome_is_described_and_never_fitted(
    tmp_path: Path, clients: Path, written: dict[str, Path]
) -> None:
    people = io.read_table(clients)
    people[schema.TARGET] = 0  # a single class is no error: nothing is predicted here
    changed = tmp_path / "changed.parquet"
    io.write_table(changed, people)
    again = run(tmp_path, changed)
    assert again["table"].read_bytes() == written["table"].read_bytes()
    assert io.read_json(again["metrics"])["highest_default_rate"] == 0


def test_its_page_says_what_the_numbers_say(written: dict[str, Path]) -> None:
    results = io.read_json(written["results"])
    page = render("clusters", results | {"beside": {}})
    assert results["studies"]["clusters"]["stale"]
    assert f'data-metric="cluster:k" value="{results["headline"]["k"]}"' in page
    assert all(name in page for name in io.read_json(written["numbers"])["names"])
    assert "This is a picture" in page
    assert len(page.encode()) < 800_000


def test_too_few_rows_name_the_parameter(tmp_path: Path) -> None:
    file = tmp_path / "clients.parquet"
    io.write_table(file, cleaned_clients(60))
    with pytest.raises(UserError, match=r"cluster\.k_max: 8 clusters want at least 80"):
        run(tmp_path, file, k_max=8)


def test_a_constant_feature_names_itself(tmp_path: Path, clients: Path) -> None:
    flat = [*SECTION["features"], feature("n_no_consumption", 6, clip=[-2, -1])]
    with pytest.raises(UserError, match=r"cluster\.features: n_no_consumption is constant"):
        run(tmp_path, clients, features=flat)


def test_more_neighbours_than_rows_name_the_parameter(tmp_path: Path, clients: Path) -> None:
    dbscan = SECTION["dbscan"]
    many = dbscan | {"min_samples": 5000, "grid": dbscan["grid"] | {"min_samples": [5000]}}
    with pytest.raises(UserError, match=r"cluster\.dbscan\.min_samples: 5000"):
        run(tmp_path, clients, dbscan=many)
    few = dbscan | {"max_rows": 6}
    with pytest.raises(UserError, match=r"8 .* the 6 rows .*cluster\.dbscan\.max_rows"):
        run(tmp_path, clients, dbscan=few)
    large = SECTION["hdbscan"] | {"min_cluster_size": [5000]}
    with pytest.raises(UserError, match=r"cluster\.hdbscan\.min_cluster_size: 5000"):
        run(tmp_path, clients, hdbscan=large)


def test_a_grid_without_the_setting_that_is_kept_is_refused() -> None:
    grid = SECTION["dbscan"]["grid"]
    for lacking in ({"min_samples": [4]}, {"eps_factors": [0.5]}):
        with pytest.raises(params.ParamsError, match=r"grid must hold min_samples, and 1"):
            parse(dbscan=SECTION["dbscan"] | {"grid": grid | lacking})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": [feature("nonsense", 1)] * 3}, "no feature 'nonsense'"),
        ({"features": [feature("n_paid_off", 6)] * 3}, "features must differ"),
        ({"features": [feature("n_paid_off", 0)] * 3}, "low < high"),
        ({"k_max": 2}, "k_min ≤ choice.k_floor ≤ k_max"),
        ({"n_init": 1}, "cluster.n_init"),
    ],
)
def test_wrong_parameters_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(params.ParamsError, match=message):
        parse(**changes)
