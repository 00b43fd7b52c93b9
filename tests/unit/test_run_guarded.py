"""The runner with its guards, on stages of one function in a repository of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
ENTRY = {
    "cmd": "python -m creditrisk.run probe",
    "deps": ["in.csv", "stages/probe.py", "creditrisk/environment.py", "creditrisk/io.py"],
    "outs": ["data/out.json"],
}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Return a repository with the runner and one stage, which :func:`stage` writes."""
    folder = tmp_path / "house"
    modules = ["__init__", "environment", "errors", "io", "params", "paths", "run"]
    (folder / "creditrisk").mkdir(parents=True)
    for name in modules:
        shutil.copy(ROOT / f"creditrisk/{name}.py", folder / "creditrisk")
    shutil.copytree(
        ROOT / "creditrisk/guards",
        folder / "creditrisk/guards",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (folder / "stages").mkdir()
    (folder / "stages/__init__.py").touch()
    (folder / "in.csv").write_text("a\n1\n")
    return folder


def stage(house: Path, body: str, **entry: object) -> None:
    """Write the stage and its entry; a stage ends by writing its output."""
    text = textwrap.dedent(body).strip()
    (house / "stages/probe.py").write_text(
        f"from pathlib import Path\nfrom creditrisk import io\n\n\ndef main(*given):\n"
        f"{textwrap.indent(text, '    ')}\n    io.write_json(Path('data/out.json'), {{'a': 1}})\n"
    )
    (house / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"probe": ENTRY | entry}}))


def command(name: str = "probe") -> list[str]:
    return [sys.executable, "-m", "creditrisk.run", name]


def run(house: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(),
        cwd=house,
        env=os.environ | extra,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def refusal(house: Path) -> str:
    """Return what a run that fails says; a traceback is no refusal."""
    result = run(house)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    return result.stderr


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_is_declared_runs_and_its_cost_is_noted(house: Path) -> None:
    stage(house, "Path('in.csv').read_text()")
    result = run(house)
    assert result.returncode == 0, result.stderr
    assert json.loads((house / "data/out.json").read_text()) == {"a": 1}
    noted = json.loads((house / ".bench/probe.json").read_text())
    assert noted["wall_seconds"] > 0
    assert noted["cpu_seconds"] > 0
    assert noted["peak_mb"] > 5 or sys.platform == "win32"
    assert noted["rows"] is None


def test_the_rows_of_the_first_table_are_noted(house: Path) -> None:
    body = """
    import pandas as pd
    io.write_table(Path('data/out.parquet'), pd.DataFrame({'a': range(7)}))
    """
    stage(house, body, outs=["data/out.parquet", "data/out.json"])
    assert run(house).returncode == 0
    assert json.loads((house / ".bench/probe.json").read_text())["rows"] == 7


def test_a_stage_that_no_entry_describes_does_not_run(house: Path) -> None:
    stage(house, "")
    (house / "dvc.yaml").write_text("stages: {other: {cmd: x}}")
    assert "dvc.yaml has no stage probe" in refusal(house)
    assert not (house / "data").exists()


@pytest.mark.parametrize("cached", [False, True], ids=["source", "compiled"])
def test_an_undeclared_module_is_named(house: Path, cached: bool) -> None:
    (house / "creditrisk/extra.py").write_text("")
    stage(house, "import creditrisk.extra")
    if cached:
        run(house, PYTHONDONTWRITEBYTECODE="")
        assert list((house / "creditrisk/__pycache__").glob("extra.*"))
    assert "    deps:\n      - creditrisk/extra.py\n" in refusal(house)


READERS = {
    "python": "open('secret.csv').close()",
    "descriptor": "import os; os.close(os.open(b'secret.csv', os.O_RDONLY))",
    "parquet": "import pyarrow.parquet as pq; pq.read_schema('secret.parquet')",
    "dataset": "import pyarrow.parquet as pq; pq.read_table('secret.parquet')",
    "pandas": "import pandas as pd; pd.read_parquet('secret.parquet')",
    "numpy": "import numpy as np; np.load('secret.npy')",
    "trees": "import xgboost; xgboost.Booster(model_file='secret.json')",
    "worker": "from joblib import Parallel, delayed; Parallel(n_jobs=2)([delayed(io.read_json)('secret.json')] * 2)",
}


@pytest.mark.parametrize("reader", READERS)
def test_an_undeclared_read_is_named(house: Path, reader: str) -> None:
    suffix = {"parquet": "parquet", "dataset": "parquet", "pandas": "parquet", "numpy": "npy"}.get(
        reader, "json" if reader in ("trees", "worker") else "csv"
    )
    secret = house / f"secret.{suffix}"
    write_secret(secret, is_model=reader == "trees")
    stage(house, READERS[reader])
    assert f"    deps:\n      - {secret.name}\n" in refusal(house)


def write_secret(file: Path, *, is_model: bool) -> None:
    if file.suffix == ".parquet":
        import pandas as pd

        pd.DataFrame({"a": [1]}).to_parquet(file)
    elif file.suffix == ".npy":
        import numpy as np

        np.save(file, np.ones(1))
    elif is_model:
        import numpy as np
        import xgboost as xgb

        matrix = xgb.DMatrix(np.arange(4.0).reshape(-1, 1), label=[0, 0, 1, 1])
        xgb.train({"nthread": 1}, matrix, 1).save_model(file)
    else:
        file.write_text("{}")


WRITERS = {
    "python": "open('stray.txt', 'w').close()",
    "atomic": "io.write_text(Path('stray.txt'), 'x')",
    "move": "open('/dev/null').close(); Path('data').mkdir(); io.write_text(Path('data/out.json'), ''); Path('data/out.json').rename('stray.txt')",
    "parquet": "import pyarrow as pa, pyarrow.parquet as pq; pq.write_table(pa.table({'a': [1]}), 'stray.txt')",
    "worker": "from joblib import Parallel, delayed; Parallel(n_jobs=2)(delayed(io.write_text)(Path(f), 'x') for f in ('stray.txt', 'data/out.json'))",
}


@pytest.mark.parametrize("writer", WRITERS)
def test_an_undeclared_write_is_named(house: Path, writer: str) -> None:
    stage(house, WRITERS[writer])
    assert "    outs:\n      - stray.txt\n" in refusal(house)


def test_a_table_of_ones_own_is_no_dependency(house: Path) -> None:
    (house / "mine.csv").write_text("")
    stage(house, "open('mine.csv').close()")
    assert "- mine.csv" in refusal(house)
    assert run(house, CREDIT_DATA="mine.csv").returncode == 0
    with_parameter(house, "open(given[0].source).close()")
    result = run(house)
    assert result.returncode == 0, result.stderr


def with_parameter(house: Path, body: str, **entry: object) -> None:
    """Write the stage with one parameter, `source`, which is mine.csv."""
    deps = [*ENTRY["deps"], "creditrisk/params.py", "creditrisk/errors.py"]
    stage(house, body, **{"deps": deps, "params": ["probe"], **entry})
    with (house / "stages/probe.py").open("a") as file:
        file.write("\n\nfrom creditrisk import params\n\n\nclass Params(params.Params):\n")
        file.write("    source: str\n")
    (house / "params.yaml").write_text("probe: {source: mine.csv}\n")


def test_a_stage_gets_the_parameters_that_were_taken_when_it_began(house: Path) -> None:
    with_parameter(house, "assert given[0].source == 'mine.csv'")
    edit = "import pathlib; pathlib.Path('params.yaml').write_text('probe: {source: other.csv}')"
    with (house / "stages/probe.py").open("a") as file:  # edited while the stage is imported
        file.write(f"\nimport subprocess, sys\nsubprocess.run([sys.executable, '-c', {edit!r}])\n")
    assert "probe in params.yaml changed while the stage ran" in refusal(house)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("probe: {source: [", "params.yaml: "),
        ("- probe", "params.yaml: expected sections named as stages, found list"),
        ("probe: {}", "probe.source: Field required"),
    ],
)
def test_parameters_that_cannot_be_read_are_said(house: Path, text: str, said: str) -> None:
    with_parameter(house, "pass")
    (house / "params.yaml").write_text(text)
    assert said in refusal(house)


def test_parameters_that_the_entry_does_not_name_are_said(house: Path) -> None:
    with_parameter(house, "pass", params=[])
    assert "it reads params.yaml, of which its entry in dvc.yaml names no key" in refusal(house)


def test_an_input_edited_meanwhile_fails_the_stage(house: Path) -> None:
    edit = "import pathlib; pathlib.Path('in.csv').write_text('a')"
    stage(house, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {edit!r}])")
    assert "in.csv changed while the stage ran" in refusal(house)


def test_a_metric_that_is_no_number_fails_the_stage(house: Path) -> None:
    stage(
        house,
        "Path('m.json').write_text('{\"auc\": NaN}')",
        metrics=[{"m.json": {"cache": False}}],
    )
    assert "m.json: auc is nan" in refusal(house)


def test_a_missing_output_is_named(house: Path) -> None:
    stage(house, "", outs=["data/out.json", "data/other.json"])
    assert "its outputs data/other.json are not there" in refusal(house)


def test_a_missing_input_is_named(house: Path) -> None:
    stage(house, "")
    (house / "in.csv").unlink()
    assert "an input is missing (in.csv): `dvc repro`" in refusal(house)


WAITING = """
import time
Path('data').mkdir(exist_ok=True)
with io.atomic(Path('data/out.json')):
    Path('data/.out-12345678.json').touch()
    time.sleep({seconds})
"""


def test_a_second_run_says_who_is_at_it_and_a_killed_run_leaves_no_trace(house: Path) -> None:
    stage(house, WAITING.format(seconds=60))
    first = subprocess.Popen(command(), cwd=house)
    try:
        wait_for((house / "data/.out-12345678.json").exists)
        assert f"another run of probe is going on, process {first.pid} since " in refusal(house)
    finally:
        first.kill()
        first.wait()
    assert len(list((house / "data").iterdir())) == 2
    stage(house, "")
    assert run(house).returncode == 0
    assert [p.name for p in (house / "data").iterdir()] == ["out.json"]


WORKERS = """
import os
from joblib import Parallel, delayed
from creditrisk import io
def work(number):
    Path(f'data/.out-1234567{number}.json').write_text(str(os.getpid()))
    import time; time.sleep(60)
Path('data').mkdir()
Parallel(n_jobs=2)(delayed(work)(i) for i in range(2))
"""


@ON_LINUX
@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_stage_and_workers_end_when_dvc_is_killed(house: Path, shell: str) -> None:
    """DVC starts a command through a shell; a parent that does so stands for it."""
    if not Path(shell).exists():
        pytest.skip(f"no {shell} here")
    stage(house, WORKERS)
    code = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    parent = subprocess.Popen(
        [sys.executable, "-c", code, shell, "-c", " ".join(command())],
        cwd=house,
        env=os.environ | {"DVC_STAGE": "probe"},
    )
    files = [house / f"data/.out-1234567{i}.json" for i in range(2)]
    try:
        wait_for(lambda: all(f.exists() and f.read_text() for f in files))
        pids = [int(f.read_text()) for f in files]
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_for(lambda: not any(is_running(pid) for pid in pids))
    assert run_is_free(house)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def run_is_free(house: Path) -> bool:
    stage(house, "")
    return run(house).returncode == 0
