"""The whole pipeline on a small generated table, in a folder of its own, with real DVC.

One clone serves every test here: it is reproduced once, and the tests look at what
it left behind or change one thing and look at what reruns.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest

from creditrisk import io, schema
from tests.generated import raw_clients, service_client
from tests.service.running import serving
from tests.small_pipeline import (
    commit,
    copy_checkout,
    dvc,
    environment,
    git,
    make_small,
    rerun_stages,
)

pytestmark = pytest.mark.e2e

KEPT_BY_DVC = ("data/raw/", "data/interim/", "data/results/", "models/")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a reproduced copy of this repository whose data are generated.

    The studies' results are those of the real table, so they speak of other clients.
    """
    folder = tmp_path_factory.mktemp("clone") / "repo"
    copy_checkout(folder)
    make_small(folder)
    dvc(folder, "repro")
    commit(folder, "reproduced")
    return folder


def test_pages_models_and_metrics_are_there(clone: Path) -> None:
    for page in ("index", "eda", "statistics", "rfm", "model", "clusters"):
        assert (clone / f"reports/{page}.html").stat().st_size > 5000, page
    summary = json.loads((clone / "reports/metrics/summary.json").read_text())
    assert summary["data"]["rows"] == 1000
    assert 0.6 < summary["champion"]["roc_auc"] < 1
    models = {p.name for p in (clone / "models").iterdir()}
    assert models >= {
        "champion.ubj",
        "research_model.joblib",
        "scaler.joblib",
        "feature_names.json",
        "manifest.json",
    }


def test_the_service_repeats_what_the_pipeline_computed(clone: Path, tmp_path: Path) -> None:
    raw = raw_clients(1000, seed=7)
    with serving("service:CreditDefault", clone, tmp_path) as (url, _, _):
        clients = [service_client(raw, row) for row in range(len(raw))]
        reply = httpx.post(f"{url}/predict_batch", json={"clients": clients}, timeout=60).json()
    served = reply["results"]
    champion = json.loads((clone / "models/champion.json").read_text())["family"]
    stored = io.read_arrays(clone / f"data/interim/predictions/{champion}.npz")
    of_client = {int(client): row for client, row in zip(raw[schema.KEY], served, strict=True)}
    holdout = [of_client[int(client)]["probability"] for client in stored["holdout_id"]]
    np.testing.assert_allclose(holdout, stored["holdout_probability"], rtol=0, atol=1e-6)
    clusters = io.read_table(clone / "data/interim/clusters.parquet")
    labels = [of_client[int(client)]["cluster"]["id"] for client in clusters[schema.KEY]]
    assert labels == clusters["cluster_id"].tolist()
    rfm = io.read_table(clone / "data/interim/rfm.parquet")
    segments = [of_client[int(client)]["rfm"]["segment"] for client in rfm[schema.KEY]]
    assert segments == rfm["segment"].tolist()


def test_git_holds_no_big_file(clone: Path) -> None:
    tracked = git(clone, "ls-files").split()
    assert not [t for t in tracked if t.startswith(KEPT_BY_DVC)]


def test_a_second_forced_run_leaves_git_clean_whatever_the_parent_environment(clone: Path) -> None:
    dvc(
        clone,
        "repro",
        "--force",
        OPENBLAS_CORETYPE="SkylakeX",
        NPY_DISABLE_CPU_FEATURES="",
        OMP_NUM_THREADS="4",
        PYTHONHASHSEED="123",
        TZ="Pacific/Apia",
        LC_ALL="C",
    )
    assert git(clone, "status", "--porcelain") == ""


def test_studies_of_other_clients_are_said_so_and_give_the_service_no_interval(clone: Path) -> None:
    page = (clone / "reports/model.html").read_text(encoding="utf-8")
    assert page.count("<code>make studies</code> brings it up to date") == 5
    assert "interval" not in json.loads((clone / "models/champion.json").read_text())
    assert "benchmark" not in json.loads((clone / "reports/metrics/evaluate.json").read_text())


def test_nothing_reruns_when_nothing_changed(clone: Path) -> None:
    assert rerun_stages(dvc(clone, "repro")) == set()


def test_one_familys_parameter_reruns_that_family_and_what_reads_it(clone: Path) -> None:
    try:
        output = dvc(clone, "exp", "run", "--set-param", "train.families.xgboost.n_estimators=20")
        ran = rerun_stages(output)
        assert {"train@xgboost", "evaluate"} <= ran
        assert {s for s in ran if not s.startswith("report@")} <= {
            "train@xgboost",
            "evaluate",
            "summary",
        }
        # these pages show what the model says of tests, segments and clusters; no stage reruns for it
        assert {"report@statistics", "report@rfm", "report@clusters"} <= ran
        assert "report@eda" not in ran
        diff = json.loads(dvc(clone, "metrics", "diff", "--json"))
        assert "champion.roc_auc" in diff["reports/metrics/summary.json"]
        assert "n_estimators" in dvc(clone, "params", "diff")
    finally:
        git(clone, "checkout", "--quiet", "--force", "HEAD")
        dvc(clone, "checkout", "--force", "--quiet")


def test_a_study_is_rerun_in_its_own_repository_and_the_pipeline_then_serves_its_band(
    clone: Path,
) -> None:
    try:
        assert "refits" in rerun_stages(dvc(clone / "studies", "repro", "refits"))
        assert rerun_stages(dvc(clone / "studies", "repro", "refits")) == set()
        ran = rerun_stages(dvc(clone, "repro"))
        assert {s for s in ran if not s.startswith("report@")} == {"evaluate", "summary"}
        champion = json.loads((clone / "models/champion.json").read_text())
        study = json.loads((clone / "studies/results/refits.json").read_text())
        assert champion["interval"] == study["band"]
        page = (clone / "reports/model.html").read_text(encoding="utf-8")
        assert page.count("<code>make studies</code> brings it up to date") == 4
    finally:
        git(clone, "checkout", "--quiet", "--force", "HEAD")
        git(clone, "clean", "--quiet", "--force", "studies")
        dvc(clone, "checkout", "--force", "--quiet")


def test_a_change_of_theme_reruns_pages_only(clone: Path) -> None:
    theme = clone / "creditrisk/reporting/theme.py"
    before = theme.read_text()
    try:
        theme.write_text(before + "\n# another shade\n")
        ran = rerun_stages(dvc(clone, "repro"))
        assert ran
        assert all(stage.startswith("report@") for stage in ran)
    finally:
        theme.write_text(before)
        git(clone, "checkout", "--quiet", "--force", "HEAD")


def test_metrics_and_plots_show_without_a_network(clone: Path) -> None:
    assert "champion" in dvc(clone, "metrics", "show")
    dvc(clone, "plots", "show")
    page = (clone / "dvc_plots/index.html").read_text(encoding="utf-8")
    assert "vegaEmbed(" in page
    assert "cdn.jsdelivr" not in page


def run_alone(clone: Path, stage: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "creditrisk.run", stage],
        cwd=clone,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_stage_whose_input_is_not_there_says_what_to_run(clone: Path) -> None:
    table, aside = clone / "data/interim/clients.parquet", clone / "data/interim/aside.parquet"
    table.rename(aside)
    try:
        result = run_alone(clone, "rfm")
    finally:
        aside.rename(table)
    assert result.returncode != 0
    assert "an input is missing (data/interim/clients.parquet): `dvc repro`" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_parameter_names_its_key(clone: Path) -> None:
    file = clone / "params.yaml"
    before = file.read_text()
    try:
        file.write_text(before.replace("audit_attributes: exclude", "audit_attributes: perhaps"))
        result = run_alone(clone, "features")
        assert result.returncode != 0
        assert "features.audit_attributes" in result.stderr
        assert "Traceback" not in result.stderr
    finally:
        file.write_text(before)
