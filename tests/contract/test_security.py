"""Nothing that somebody else wrote is unpickled; no secret is kept by git; hashes are complete."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml

from stages import evaluate
from tests.contract import graph
from tests.service import model_folder

ROOT = graph.ROOT
UNPICKLERS = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
SERVED_CODE = sorted(graph.closure(ROOT / "service.py"))
OWN_CODE = sorted(
    p.relative_to(ROOT).as_posix()
    for top in ("creditrisk", "stages", "studies")
    for p in (ROOT / top).rglob("*.py")
)
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
CONFIGS = (".dvc/config", "studies/.dvc/config")
IS_SECRET = re.compile(
    r"key|secret|token|password|passphrase|credential|connection_string|auth|cookie"
)
HAS_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]*@")


def calls(file: str) -> list[ast.Call]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def unpickles(call: ast.Call) -> bool:
    """Tell whether a call may unpickle; numpy has to say that it may not."""
    name = ast.unparse(call.func)
    given = {k.arg: ast.unparse(k.value) for k in call.keywords}
    if name in ("np.load", "numpy.load"):
        return given.get("allow_pickle") != "False"
    return (
        given.get("allow_pickle", "False") != "False"
        or name.endswith(("read_pickle", "read_model"))
        or name in ("joblib.load", "eval", "exec")
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("np.load(f)", True),
        ("np.load(f, allow_pickle=True)", True),
        ("np.load(f, allow_pickle=False)", False),
        ("pd.read_pickle(f)", True),
        ("io.read_model(f)", True),
        ("json.load(f)", False),
    ],
)
def test_the_search_finds_what_unpickles(code: str, expected: bool) -> None:
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    assert unpickles(call) == expected


@pytest.mark.parametrize("file", SERVED_CODE)
def test_what_the_service_reaches_unpickles_nothing(file: str) -> None:
    imported = {name.split(".")[0] for name in graph.imported_names(ROOT / file)}
    assert not imported & UNPICKLERS
    assert [ast.unparse(call) for call in calls(file) if unpickles(call)] == []


WATCHED = """
import collections, pickle, sys
from pathlib import Path
seen = []
sys.addaudithook(lambda event, args: seen.append(args) if event == "pickle.find_class" else None)
from creditrisk.features.record import from_mappings
from creditrisk.serving import artefacts
from creditrisk.serving.messages import EXAMPLE
scorer = artefacts.load_scorer(Path(sys.argv[1]))
scorer.score(from_mappings([EXAMPLE]))
print(len(seen))
pickle.loads(pickle.dumps(collections.OrderedDict))
print(len(seen))
"""


@pytest.mark.parametrize("depth", [3, 12], ids=["tables", "xgboost"])
def test_loading_and_scoring_unpickle_nothing_in_libraries_either(
    depth: int, tmp_path: Path
) -> None:
    models = model_folder.write(tmp_path / "models", depth=depth)
    command = [sys.executable, "-c", WATCHED, str(models)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["0", "1"], "the second shows that the watch works"


def test_one_stage_unpickles_and_only_what_the_pipeline_wrote() -> None:
    found = {
        file: [ast.unparse(call) for call in calls(file) if unpickles(call)] for file in OWN_CODE
    }
    found = {file: found[file] for file in found if found[file] and file != "creditrisk/io.py"}
    assert found == {"stages/evaluate.py": ["io.read_model(family_model(champion))"]}
    written = PIPELINE["train"]["do"]["outs"]
    assert "models/families/${item}.joblib" in written, "dvc.lock holds a hash of what is read"
    read = {dep for dep in PIPELINE["evaluate"]["deps"] if dep.endswith(".joblib")}
    assert read == {f"models/families/{family}.joblib" for family in PIPELINE["train"]["foreach"]}


@pytest.mark.parametrize("file", OWN_CODE)
def test_yaml_makes_plain_values_only(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert not re.search(r"\b(unsafe_load|full_load)\b|yaml\.C?(Unsafe|Full)?Loader\b", text)


def test_the_manifest_covers_every_file_beside_it() -> None:
    outs = [out for stage in PIPELINE.values() for out in stage.get("do", stage).get("outs", [])]
    files = {out for out in outs if isinstance(out, str) and re.match(r"models/[^/]+$", out)}
    listed = {f"models/{name}" for name in (*evaluate.WRITTEN, *evaluate.SEGMENT_FILES)}
    assert files == listed | {"models/manifest.json"}


def test_the_raw_table_is_held_to_a_sha256() -> None:
    fetch = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["fetch"]
    assert re.fullmatch(r"[0-9a-f]{64}", fetch["sha256"])


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-serve.txt"])
def test_every_requirement_has_hashes(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(lines) > 30
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


def secrets(text: str) -> list[str]:
    """Return the settings of a DVC configuration that are, or hold, a secret."""
    config = ConfigParser(interpolation=None)
    config.read_string(re.sub(r"^\s+", "", text, flags=re.MULTILINE))
    settings = [(key, value) for section in config.values() for key, value in section.items()]
    return [key for key, value in settings if IS_SECRET.search(key) or HAS_PASSWORD.search(value)]


def test_secrets_are_recognised() -> None:
    section = "['remote \"store\"']\n"
    for key in ("secret_access_key", "access_key_id", "password", "sas_token", "keyfile"):
        assert secrets(f"{section}    {key} = x\n") == [key]
    assert secrets(f"{section}    url = ssh://me:pass@host/path\n") == ["url"]
    assert secrets(f"{section}    url = ssh://me@host/path\n    verify = true\n") == []


@pytest.mark.parametrize("name", CONFIGS)
def test_git_keeps_no_secret_of_a_remote(name: str) -> None:
    assert secrets((ROOT / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", CONFIGS)
def test_git_ignores_the_file_for_secrets(name: str, tmp_path: Path) -> None:
    """In a repository of its own, so that it holds in a zip without git too."""
    for rules in (".gitignore", "studies/.dvc/.gitignore"):
        (tmp_path / rules).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / rules, tmp_path / rules)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for path, expected in ((f"{name}.local", 0), (name, 1)):
        result = subprocess.run(["git", "check-ignore", "--quiet", path], cwd=tmp_path, check=False)
        assert result.returncode == expected, path
