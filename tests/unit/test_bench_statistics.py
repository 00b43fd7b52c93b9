"""The benchmark of resampling measures every contestant; times are never asserted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks import statistics as bench
from creditrisk import io, paths, schema
from creditrisk.stats import bootstrap, testing
from tests import generated

TINY = bench.Settings(n_replicates=40, scipy_part=4, batch=10, rounds=2)


def test_results_state_the_design_and_every_task(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("creditrisk.models.training.available_cores", lambda: 2)
    clients = generated.clients(300, 1)
    io.write_table(tmp_path / "clients.parquet", clients)
    bench.run(
        bench.Settings(40, 4, 10, rounds=1),
        target=tmp_path / "statistics.json",
        clients=tmp_path / "clients.parquet",
    )
    document = io.read_json(tmp_path / "statistics.json")
    assert document["design"] == {
        "n_replicates": 40, "scipy_part": 4, "batch": 10, "rounds": 1, "n_cores": 2,
    }  # fmt: skip
    assert [row["task"] for row in document["rows"]] == [task.id for task in bench.TASKS]
    for row in document["rows"]:
        assert row["n"] == 300
        assert row["n_distinct"] == clients[row["column"]].nunique()
        assert set(row["s"]) == set(row["mb"]) == set(bench.CONTESTANTS)
        assert min(row["s"].values()) > 0
        assert row["ratio"] == pytest.approx(row["s"]["scipy"] / row["s"]["ours"], rel=0.02)
    assert "permutation, round 1 of 1: ours " in capsys.readouterr().out


def test_memory_is_that_of_a_batch_and_time_that_of_all_replicates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """scipy holds (batch, n) rows and indices of 8 bytes at least; its seconds are scaled."""
    monkeypatch.setattr(bench, "timeit", lambda draw, number: 3.0)
    for batch in (5, 10):
        settings = bench.Settings(40, 4, batch, 1)
        found = bench.measure_once([np.arange(5000.0)], settings, "scipy", 1)
        assert found["s"] == 4 * 3.0
        assert 2 * 8 * 5000 * batch / 1e6 <= found["mb"] < 5 * 8 * 5000 * batch / 1e6
    assert bench.measure_once([np.arange(50.0)], settings, "ours", 1)["s"] == 3.0


def test_contestants_take_turns_and_medians_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def once(samples, settings, who, n_cores):
        calls.append((len(samples), who, n_cores))
        return {"s": {"scipy": 8.0}.get(who, 2.0) + len(calls) % 2, "mb": 1.0}

    monkeypatch.setattr(bench, "measure_once", once)
    columns = {name: np.arange(6.0) for name in {task.column for task in bench.TASKS}}
    columns[schema.TARGET] = np.array([0, 0, 0, 1, 1, 1.0])
    lines: list[str] = []
    rows = bench.measure(columns, TINY, n_cores=3, progress=lines.append)
    assert [call[1] for call in calls[:6]] == list(bench.CONTESTANTS) * 2
    assert {n_samples for n_samples, _, _ in calls[:12]} == {1}
    assert {n_samples for n_samples, _, _ in calls[12:]} == {2}
    assert {n_cores for _, _, n_cores in calls} == {3}
    assert [row["task"] for row in rows] == [task.id for task in bench.TASKS]
    # contestants alternate between odd and even calls: medians of 2 and 3, of 8 and 9
    assert rows[0]["s"] == {"ours": 2.5, "ours_all_cores": 2.5, "scipy": 8.5}
    assert rows[0]["ratio"] == pytest.approx(8.5 / 2.5)
    assert len(lines) == 3 * 2
    assert bench.table(rows).splitlines()[1].split()[-6:] == ["2.5", "2.5", "8.5", "3.4", "1", "1"]


def test_everyone_draws_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replicates, batch and threads reach the functions that are compared."""
    seen = []

    def note(who: str):
        return lambda *samples, **given: seen.append((who, given))

    monkeypatch.setattr(bootstrap, "bootstrap_replicates", note("bootstrap"))
    monkeypatch.setattr(testing, "permute_difference", note("shuffles"))
    monkeypatch.setattr(stats, "bootstrap", note("scipy bootstrap"))
    monkeypatch.setattr(stats, "permutation_test", note("scipy shuffles"))
    one, two = [np.arange(5.0)], [np.arange(5.0), np.arange(3.0)]
    for samples in (one, two):
        for who in bench.CONTESTANTS:
            bench.measure_once(samples, TINY, who, 3)
    timed = seen[1::3]  # between a first call of two replicates and one for memory
    assert [who for who, _ in timed] == [
        "bootstrap", "bootstrap", "scipy bootstrap", "shuffles", "shuffles", "scipy shuffles",
    ]  # fmt: skip
    assert timed[0][1] == {"n_replicates": 40, "random_state": 0, "n_jobs": 1}
    assert timed[1][1]["n_jobs"] == 3
    assert timed[2][1]["n_resamples"] == 10  # a quarter of 40
    assert timed[2][1]["batch"] == 10
    assert timed[3][1] == {"n_permutations": 40, "random_state": 0, "n_jobs": 1}
    assert timed[5][1]["n_resamples"] == 10


def test_committed_results_name_no_machine_and_cover_every_task() -> None:
    text = (paths.ROOT / bench.RESULTS).read_text(encoding="utf-8")
    document = json.loads(text)
    assert set(document) == {"design", "rows"}
    assert set(document["design"]) == {*vars(bench.Settings()), "n_cores"}
    assert [row["task"] for row in document["rows"]] == [task.id for task in bench.TASKS]
    for row in document["rows"]:
        assert row["n"] == 30_000
        # on a par where most values differ; far faster elsewhere
        assert row["ratio"] > (0.5 if row["task"] == "bootstrap_many" else 2)
