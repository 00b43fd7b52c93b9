"""Two pipelines of a few files, reproduced with real DVC, for checks of what DVC records."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import yaml

MAKE = """
import sys, json, pathlib, yaml
from kit.words import SIGN
name, *item = sys.argv[1:]
params = yaml.safe_load(open("params.yaml"))
def write(path, text):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
if name == "numbers":
    write("data/numbers.txt", f"{SIGN} {params['numbers']['n']}")
elif name == "power":
    n = int(open("data/numbers.txt").read().split()[1])
    found = n ** int(item[0]) + params["powers"][item[0]]["shift"]
    write(f"data/power_{item[0]}.txt", str(found))
    write(f"reports/metrics/power_{item[0]}.json", json.dumps({"value": found}))
elif name == "total":
    found = sum(int(open(f"data/power_{k}.txt").read()) for k in "23")
    write("models/total.txt", str(found // 100))
elif name == "study":
    write("studies/results/study.json", json.dumps({"n": params["numbers"]["n"]}))
"""
PIPELINE = {
    "stages": {
        "numbers": {
            "cmd": "python make.py numbers",
            "params": ["numbers"],
            "deps": ["make.py", "kit"],
            "outs": ["data/numbers.txt"],
        },
        "power": {
            "foreach": ["2", "3"],
            "do": {
                "cmd": "python make.py power ${item}",
                "params": ["powers.${item}"],
                "deps": ["make.py", "data/numbers.txt"],
                "outs": ["data/power_${item}.txt"],
                "metrics": [{"reports/metrics/power_${item}.json": {"cache": False}}],
            },
        },
        "total": {
            "cmd": "python make.py total",
            "deps": ["data/power_2.txt", "data/power_3.txt"],
            "outs": ["models/total.txt"],
        },
    }
}
STUDIES = {
    "stages": {
        "study": {
            "cmd": "python make.py study",
            "wdir": "..",
            "params": [{"params.yaml": ["numbers"]}],
            "deps": ["make.py", "data/numbers.txt"],
            "outs": [{"studies/results/study.json": {"cache": False}}],
        }
    }
}
PARAMS = {
    "fetch": {"source": "own.csv", "sha256": hashlib.sha256(b"a,b\n").hexdigest(), "columns": {}},
    "numbers": {"n": 7, "small": 0.000001, "list": [1, 2]},
    "powers": {"2": {"shift": 0, "unused": "x"}, "3": {"shift": 0, "unused": "x"}},
}


def call(folder: Path, *command: str) -> str:
    """Run a command in a folder, with this Python first on the path."""
    path = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    environment = os.environ | {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def dvc(folder: Path, *arguments: str) -> str:
    """Run DVC in a folder."""
    return call(folder, sys.executable, "-m", "dvc", *arguments)


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, as somebody."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    return call(folder, "git", *identity, *arguments)


def write(folder: Path, name: str, content: object) -> None:
    """Write text as it is, anything else as YAML."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
    path.write_bytes(text.encode())


def make(folder: Path) -> Path:
    """Make the repository, reproduce both pipelines, commit; return its folder."""
    files = {
        "make.py": MAKE,
        "kit/__init__.py": "",
        "kit/words.py": 'SIGN = "n"\n',
        "own.csv": "a,b\n",
        "dvc.yaml": PIPELINE,
        "params.yaml": PARAMS,
        "studies/dvc.yaml": STUDIES,
        "requirements.txt": "",
        ".dvcignore": "__pycache__/\n",
        ".gitignore": "/data/\n/models/\n",
    }
    for name, content in files.items():
        write(folder, name, content)
    config = "[core]\n    analytics = false\n    check_update = false\n"
    for pipeline in (".", "studies"):
        write(folder, f"{pipeline}/.dvc/config", config)
        write(folder, f"{pipeline}/.dvc/.gitignore", "/tmp\n/cache\n/config.local\n")
    git(folder, "init", "--quiet")
    dvc(folder, "repro")
    dvc(folder / "studies", "repro")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "reproduced")
    return folder


def status(folder: Path) -> set[str]:
    """Return the stages that DVC calls changed, studies with their folder."""
    from dvc.repo import Repo  # in this process: a command of its own takes half a second

    found = set()
    for pipeline, prefix in ((".", ""), ("studies", "studies/")):
        with Repo(str(folder / pipeline)) as repo:
            found |= {prefix + name.rpartition(":")[2] for name in repo.status()}
    return found
