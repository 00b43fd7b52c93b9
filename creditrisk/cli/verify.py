"""``python -m creditrisk verify``: the repository against its own records, without DVC.

DVC answers from a database of what it has seen; these checks read every byte again, with
code of their own.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

from creditrisk import io, paths, schema
from creditrisk.cli.checks import cache, locks
from creditrisk.cli.checks.findings import Finding, Section
from creditrisk.cli.checks.page_numbers import MarkedNumbers, wrong_numbers
from creditrisk.cli.records import changes, hashing, lockfile
from creditrisk.errors import UserError
from creditrisk.fetching import DEFAULT_SOURCE

MANIFEST = paths.MODELS / "manifest.json"
DESCRIPTION = """\
Check the repository against its own records, without DVC's code or state:
  locks      every dependency and output of dvc.lock and studies/dvc.lock is hashed again;
             parameters, commands and stages are those of dvc.yaml and params.yaml; no entry
             is left over, none is lacking, and no two entries contradict each other
  cache      every object of DVC's cache is hashed against its name, every remembered run too
  raw        SHA-256 of the raw table, or of the file that fetch.source names
  models     SHA-256 of every file in models/manifest.json
  reports    the numbers that pages mark, against reports/metrics
  documents  the numbers in README.md and docs/, against metrics and studies
Outputs that are not here (not pulled) are listed as absent and are no failure without --all.
The exit code is 1 when something is wrong, else 0."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its two options."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--all", action="store_true", help="what is absent is a failure too")
    parser.add_argument(
        "--tolerance",
        type=_tolerance,
        metavar="X",
        help="for another processor: outputs are not held to the bytes in the lock; instead every "
        "number in reports/metrics and studies/results may differ from HEAD's by X of its size, "
        "and clients must be clustered alike where HEAD's table is in the cache",
    )


def _tolerance(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError("a number above 0 and below 1, such as 1e-6")
    return value


def run(options: argparse.Namespace) -> int:
    """Print each check as it ends; return 1 when something is wrong, else 0."""
    n_wrong = n_absent = 0
    for section in sections(paths.ROOT, options.tolerance):
        print("\n".join(section.lines()), flush=True)
        n_absent += sum(f.is_absent for f in section.findings)
        n_wrong += sum(not f.is_absent for f in section.findings)
    absent = f", {n_absent} absent" if n_absent else ""
    print(f"{f'{n_wrong} wrong' if n_wrong else 'Nothing is wrong'}{absent}.")
    return int(n_wrong > 0 or (options.all and n_absent > 0))


def sections(root: Path, tolerance: float | None = None) -> Iterator[Section]:
    """Do each check in turn.

    Parameters
    ----------
    root : Path
        The repository.
    tolerance : float, optional
        See ``--tolerance``.

    Yields
    ------
    Section

    Raises
    ------
    UserError
        When a file that says what to check cannot be read.
    """
    stages = lockfile.read_stages(root)
    today = hashing.entries(root, changes.paths_of(stages))
    yield locks.check(root, stages, today, is_exact=tolerance is None)
    yield cache.check(root, stages)
    yield check_raw(root)
    yield check_models(root)
    if tolerance is not None:
        from creditrisk.cli.checks import tolerance as within

        yield within.check(root, tolerance)
    yield check_reports(root)
    yield check_documents(root)


def check_raw(root: Path) -> Section:
    """Hold the raw table to ``fetch.sha256``; a table of one's own by the file it came from."""
    section = lockfile.read_yaml(root / paths.PARAMS)["fetch"]
    is_default = section["source"] == DEFAULT_SOURCE
    file = root / (paths.RAW if is_default else Path(section["source"]).expanduser())
    expected = schema.CANONICAL_SHA256 if is_default else section["sha256"]
    name = paths.RAW.as_posix() if is_default else section["source"]
    if expected is None:
        return Section("raw", f"{name} is held to no SHA-256 (fetch.sha256 is null)")
    if not file.exists():
        absent = Finding(name, "`dvc pull` or `dvc repro fetch`", is_absent=True)
        return Section("raw", f"SHA-256 of {name}", [absent])
    found = io.sha256(file)
    wrong = Finding(f"{name} has sha256 {found}, not {expected}", "`dvc repro --force fetch`")
    return Section("raw", f"SHA-256 of {name}", [] if found == expected else [wrong])


def check_models(root: Path) -> Section:
    """Hold every file that the manifest of the models lists to its SHA-256."""
    file = root / MANIFEST
    if not file.exists():
        absent = Finding(MANIFEST.as_posix(), "`dvc pull` or `dvc repro`", is_absent=True)
        return Section("models", "SHA-256 of each file", [absent])
    try:
        listed = dict(io.read_json(file)["files"])
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(f"{MANIFEST.as_posix()}: {error}: `dvc checkout --force`") from None
    findings = []
    for name, expected in listed.items():
        path = file.with_name(name)
        text = f"{MANIFEST.parent.as_posix()}/{name}"
        if not path.exists():
            findings.append(Finding(text, "`dvc checkout` or `dvc pull`", is_absent=True))
        elif io.sha256(path) != expected:
            text += f" is not the file that {MANIFEST.as_posix()} lists"
            findings.append(Finding(text, "`dvc checkout --force`, or `dvc repro`"))
    return Section("models", f"SHA-256 of {len(listed)} files", findings)


def check_reports(root: Path) -> Section:
    """Hold the numbers that pages mark to the metric files."""
    findings, n_numbers = [], 0
    files = sorted((root / paths.REPORTS).glob("*.html"))
    for file in files:
        page = MarkedNumbers(file.read_text(encoding="utf-8"))
        n_numbers += len(page.metrics)
        wrong = wrong_numbers(page, root / paths.METRICS)
        remedy = f"`dvc repro report@{file.stem}`"
        findings += [Finding(f"{paths.REPORTS}/{file.name}: {text}", remedy) for text in wrong]
    return Section("reports", f"{n_numbers} marked numbers on {len(files)} pages", findings)


def check_documents(root: Path) -> Section:
    """Hold the numbers in Markdown files to metrics and studies."""
    from creditrisk.cli.documents import numbers

    looked_at = f"numbers in {', '.join(path.as_posix() for path in numbers.FILES)}"
    try:
        with contextlib.chdir(root):
            stale = numbers.run(write=False)
    except (LookupError, TypeError, ValueError, OSError) as error:
        text = f"a marked number cannot be found ({type(error).__name__}: {error})"
        return Section("documents", looked_at, [Finding(text, "mend its mark")])
    findings = [
        Finding(f"{path.as_posix()} holds stale numbers", "`make readme`") for path in stale
    ]
    return Section("documents", looked_at, findings)
