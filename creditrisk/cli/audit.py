"""Known vulnerabilities of the pinned packages: ``python -m creditrisk audit``.

pip-audit asks an advisory service about each pin. It passes where the service does not know
a package, and an empty service knows of no advisory at all, so this command counts what was
really audited, and asks about one old package whose advisories every service has. Pins are
asked about whatever their platform.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from creditrisk.errors import UserError
from creditrisk.paths import ROOT

REQUIREMENTS = ("requirements.txt", "requirements-serve.txt")
IGNORED = Path("docs/audit-ignore.yaml")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]+\])?==([^ ;\\]+)", re.MULTILINE)
CANARY, CANARY_VERSION = "pycrypto", "2.6.1"
"""Given up in 2013, advisories since: a service that has none for it has no data."""
ENDED_WITH_A_REPORT = (0, 1)  # 1: something was found


class Ignored(BaseModel):
    """An advisory that is let pass until its review date."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    package: str
    reason: str
    review: date


class Found(BaseModel):
    """An advisory of a pinned package."""

    id: str
    aliases: list[str] = []
    fix_versions: list[str] = []
    package: str
    version: str

    def is_met_by(self, entry: Ignored) -> bool:
        """Tell whether an entry of the ignore list speaks of this advisory."""
        return entry.package == self.package and entry.id in (self.id, *self.aliases)

    def __str__(self) -> str:
        names = ", ".join([self.id, *self.aliases])
        repaired = ", ".join(self.fix_versions) or "no release yet"
        return f"{self.package} {self.version}: {names}; repaired in {repaired}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--osv-url", help="ask this OSV service (its query address) instead of PyPI's advisories"
    )


def run(options: argparse.Namespace) -> int:
    """Audit every pin of both requirement files and say what was audited.

    Returns
    -------
    int
        0 when every pin was audited and nothing is open, else 1.

    Raises
    ------
    UserError
        When the service cannot be asked or has no data, or the ignore list is not in form.
    """
    pins = read_pins((ROOT / name).read_text(encoding="utf-8") for name in REQUIREMENTS)
    ignored = read_ignored(ROOT / IGNORED)
    audited, found = judge_report(ask(pins, options.osv_url))
    unknown = sorted(set(pins) - audited)
    problems = findings(found, ignored, datetime.now(UTC).date())
    problems += [f"{name} {pins[name]}: not known to the service, not audited" for name in unknown]
    for problem in problems:
        print(problem)
    met = [e for e in ignored if any(f.is_met_by(e) for f in found)]
    for entry in met:
        print(f"let pass until {entry.review}: {entry.id} of {entry.package}")
    print(f"{len(audited)} of {len(pins)} packages were audited; {len(problems)} open")
    return 1 if problems else 0


def read_pins(texts: Iterable[str]) -> dict[str, str]:
    """Return package → version of every pin in the texts of requirement files.

    Raises
    ------
    UserError
        When two files pin a package to different versions.
    """
    pins: dict[str, str] = {}
    for name, version in (pin for text in texts for pin in PIN.findall(text)):
        if pins.setdefault(name, version) != version:
            raise UserError(f"{name} is pinned to {pins[name]} and {version}: run `make lock`")
    return pins


def read_ignored(path: Path) -> list[Ignored]:
    """Return the ignore list.

    Raises
    ------
    UserError
        When an entry lacks its reason or review date, or has a key that nobody reads.
    """
    import yaml

    document = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    try:
        return TypeAdapter(list[Ignored]).validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path.name}: entry {where}: {first['msg']}") from None


def ask(pins: Mapping[str, str], osv_url: str | None = None) -> dict[str, Any]:
    """Return pip-audit's report on the pins and on the canary.

    Raises
    ------
    UserError
        When pip-audit is not installed or the service cannot be reached.
    """
    lines = [f"{name}=={version}\n" for name, version in pins.items()]
    service = ["--vulnerability-service", "osv", "--osv-url", osv_url] if osv_url else []
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "pins.txt"
        listed.write_text("".join([*lines, f"{CANARY}=={CANARY_VERSION}\n"]), encoding="utf-8")
        options = ["--no-deps", "--disable-pip", "--progress-spinner=off", "--format=json"]
        result = subprocess.run(
            [sys.executable, "-m", "pip_audit", *options, *service, "--requirement", str(listed)],
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode not in ENDED_WITH_A_REPORT or not result.stdout.startswith("{"):
        last = (result.stderr.strip() or "no message").splitlines()[-1]
        raise UserError(f"nothing was audited: pip-audit could not ask ({last[:300]})")
    return dict(json.loads(result.stdout))


def judge_report(report: Mapping[str, Any]) -> tuple[set[str], list[Found]]:
    """Return the packages that were audited and the advisories found, without the canary.

    Parameters
    ----------
    report : mapping
        pip-audit's JSON: ``dependencies``, each with ``name`` and either ``version`` and
        ``vulns`` or ``skip_reason``.

    Raises
    ------
    UserError
        When the service has no advisory for the canary: it then has no data.
    """
    audited = {d["name"]: d for d in report["dependencies"] if "vulns" in d}
    if not audited.get(CANARY, {}).get("vulns"):
        known = len(set(audited) - {CANARY})
        raise UserError(
            f"nothing was audited: the advisory service knows {known} of the packages and no "
            f"advisory for {CANARY} {CANARY_VERSION}, which has several, so it has no data. Ask "
            "from a network that reaches pypi.org, or name an OSV service with --osv-url"
        )
    del audited[CANARY]
    found = [
        Found.model_validate(v | {"package": d["name"], "version": d["version"]})
        for d in audited.values()
        for v in d["vulns"]
    ]
    return set(audited), found


def findings(found: Iterable[Found], ignored: Iterable[Ignored], today: date) -> list[str]:
    """Return what has to be done about: open advisories, ignores past their date or unmet."""
    found, ignored = list(found), list(ignored)
    problems = [str(f) for f in found if not any(f.is_met_by(entry) for entry in ignored)]
    for entry in ignored:
        name = f"{IGNORED.name}: {entry.id} of {entry.package}"
        if not any(f.is_met_by(entry) for f in found):
            problems.append(f"{name}: the audit does not meet it any more; remove the entry")
        elif entry.review < today:
            problems.append(f"{name}: its review was due on {entry.review}; look again")
    return problems
