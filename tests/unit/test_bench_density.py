"""The benchmark of DBSCAN measures every contestant; times are never asserted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from benchmarks import density as bench
from creditrisk import io, paths
from tests import generated

TINY = bench.Settings(
    sizes=(1100, 2200), max_rows=1200, scikit_learn_rows=1100, min_samples=5, noise=0.01
)


def at_once(points, who, settings, eps):
    """Measure in this process: what is found is the same."""
    return bench.measure_here(points, who, settings, eps)


def test_results_state_the_design_and_every_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "measure_apart", at_once)
    io.write_table(tmp_path / "clients.parquet", generated.clients(400, 1))
    bench.run(TINY, target=tmp_path / "density.json", clients=tmp_path / "clients.parquet")
    document = io.read_json(tmp_path / "density.json")
    assert document["design"] == json.loads(json.dumps(vars(TINY)))
    runs = [(row["n"], row["who"]) for row in document["rows"]]
    assert runs == [
        (1100, "sampled"), (1100, "all_rows"), (1100, "scikit_learn"),
        (2200, "sampled"), (2200, "all_rows"),
    ]  # fmt: skip
    first, second, oracle = document["rows"][:3]
    assert first["eps"] == second["eps"] == oracle["eps"]  # 1100 rows are below max_rows
    assert first["n_clusters"] == second["n_clusters"] == oracle["n_clusters"]
    assert all(row["s"] > 0 and row["mb"] >= 0 for row in document["rows"])
    said = capsys.readouterr().out
    assert "1,100 rows, scikit_learn: " in said
    assert "ours, all rows are fitted" in said


def test_scikit_learn_is_given_the_eps_of_all_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    def note(points, who, settings, eps):
        given.append((who, eps))
        found = {"sampled": 0.1, "all_rows": 0.2}.get(who, eps)
        return {"s": 1.0, "mb": 2.0, "eps": found, "n_clusters": 3}

    monkeypatch.setattr(bench, "measure_apart", note)
    lines: list[str] = []
    rows = bench.measure(np.zeros((9, 2)), TINY, progress=lines.append)
    assert given[2] == ("scikit_learn", 0.2)
    assert len(lines) == len(rows) == 5
    assert bench.table(rows).splitlines()[3].split() == [
        "scikit-learn",
        "1,100",
        "1",
        "2",
        "0.2",
        "3",
    ]


def test_rows_are_drawn_near_those_given() -> None:
    train = np.arange(20.0).reshape(10, 2)
    drawn = bench.draw_rows(train, 500, TINY)
    nearest = np.abs(drawn[:, None] - train).max(axis=2).min(axis=1)
    assert drawn.shape == (500, 2)
    assert 0 < nearest.max() < 0.06  # six standard deviations
    np.testing.assert_array_equal(drawn, bench.draw_rows(train, 500, TINY))


def test_both_find_the_same_clusters() -> None:
    train = np.random.default_rng(0).normal(size=(100, 2))
    points = bench.draw_rows(train, 1500, TINY)
    ours = bench.run_dbscan(points, "all_rows", TINY, 0.0)
    assert bench.run_dbscan(points, "scikit_learn", TINY, ours["eps"]) == ours
    labels = DBSCAN(eps=ours["eps"], min_samples=5).fit(points).labels_
    assert ours["n_clusters"] == labels.max() + 1


def test_the_peak_is_that_of_the_kernel() -> None:
    status = Path("/proc/self/status")
    if not status.exists():
        pytest.skip("the kernel's own account is Linux's")
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    kibibytes = int(lines["VmHWM"].split()[0])
    assert bench.peak_megabytes() == pytest.approx(kibibytes * 1024 / 1e6, rel=0.05)


def test_a_process_of_its_own_finds_the_same() -> None:
    points = bench.draw_rows(np.random.default_rng(0).normal(size=(100, 2)), 1100, TINY)
    apart = bench.measure_apart(points, "sampled", TINY, 0.0)
    here = at_once(points, "sampled", TINY, 0.0)
    assert set(apart) == {"s", "mb", "eps", "n_clusters"}
    assert [apart[key] for key in ("eps", "n_clusters")] == [here["eps"], here["n_clusters"]]
    assert apart["mb"] < 100


def test_committed_results_name_no_machine_and_show_linear_memory() -> None:
    text = (paths.ROOT / bench.RESULTS).read_text(encoding="utf-8")
    document = json.loads(text)
    assert set(document) == {"design", "rows"}
    assert document["design"] == json.loads(json.dumps(vars(bench.Settings())))
    found = {(row["n"], row["who"]): row for row in document["rows"]}
    large, middle = found[100_000, "all_rows"], found[30_000, "all_rows"]
    assert large["mb"] < 10 * middle["mb"]  # 3.3 times the rows; the square would be 11 times
    assert found[100_000, "sampled"]["mb"] < 100
    assert middle["mb"] < found[30_000, "scikit_learn"]["mb"]
    assert middle["n_clusters"] == found[30_000, "scikit_learn"]["n_clusters"]
