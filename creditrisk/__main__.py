"""Commands for people: ``python -m creditrisk <command>``.

Pipeline stages have their own runner, :mod:`creditrisk.run`.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from creditrisk import environment
from creditrisk.errors import UserError
from creditrisk.paths import ROOT

OTHERS = {  # command: what --help says
    "verify": "check files, cache, models and numbers against their records, without DVC",
    "explain": "say why `dvc repro` would rerun each stage, old → new",
    "compare": "hold the metrics against another revision's, and gates over them",
    "experiments": "write a page of all DVC experiments and what they changed",
    "params": "say which parameters differ from HEAD; give params.yaml its comments back",
    "audit": "ask for known vulnerabilities of every pinned package",
    "doctor": "look for what on this machine would make a run fail",
}
"""Commands that are modules of :mod:`creditrisk.cli` with ``add_arguments`` and ``run``."""
MODULES = {"params": "params_file"}


def run_docs(options: argparse.Namespace) -> None:
    """Say which generated documents are stale, or write them."""
    from creditrisk import io
    from creditrisk.cli.documents.graph import read_graph
    from creditrisk.features.dictionary import dictionary_csv

    documents = {
        "docs/data-dictionary.csv": dictionary_csv(),
        "docs/pipeline.json": io.json_text(read_graph(io.read_yaml(ROOT / "dvc.yaml"))),
    }
    stale = [
        name
        for name, text in documents.items()
        if not (ROOT / name).exists() or (ROOT / name).read_text(encoding="utf-8") != text
    ]
    for name in stale:
        if options.write:
            io.write_text(ROOT / name, documents[name])
        print(f"{'written' if options.write else 'stale'}: {name}")
    if stale and not options.write:
        raise UserError("generated documents differ from the code: run `make docs`")


def run_readme(options: argparse.Namespace) -> None:
    """Say which Markdown files hold stale numbers, or bring them up to date."""
    from creditrisk.cli.documents import numbers

    stale = numbers.run(options.write)
    for path in stale:
        print(f"{'brought up to date' if options.write else 'stale'}: {path.as_posix()}")
    if stale and not options.write:
        raise UserError("numbers differ from reports/metrics: run `make readme`")


def run_benchmark(options: argparse.Namespace) -> None:
    """Score our models on the folds of a file."""
    environment.apply()
    from creditrisk.cli import benchmark

    benchmark.run(options.folds, served=options.served, is_nested=options.nested)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with one sub-command each."""
    parser = argparse.ArgumentParser(prog="python -m creditrisk")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    docs = commands.add_parser(
        "docs", help="compare the data dictionary and the pipeline's graph with the code"
    )
    docs.add_argument("--write", action="store_true", help="write them")
    docs.set_defaults(run=run_docs)
    benchmark = commands.add_parser(
        "benchmark", help="fit on each fold of a file and score there, print one JSON object"
    )
    benchmark.add_argument(
        "--folds",
        type=Path,
        required=True,
        help="CSV with the columns ID and fold, e.g. data/benchmark/tabarena_r0_folds.csv",
    )
    benchmark.add_argument(
        "--served",
        action="store_true",
        help="without SEX, EDUCATION, MARRIAGE and AGE, instead of all 23 columns",
    )
    benchmark.add_argument(
        "--nested",
        action="store_true",
        help="choose features and hyper-parameters of the blend inside each fold's training "
        "rows (minutes a fold), instead of the champion's recipe as it stands in params.yaml",
    )
    benchmark.set_defaults(run=run_benchmark)
    readme = commands.add_parser(
        "readme", help="compare the numbers in Markdown files with reports/metrics"
    )
    readme.add_argument("--write", action="store_true", help="bring them up to date")
    readme.set_defaults(run=run_readme)
    for name, words in OTHERS.items():
        module = importlib.import_module(f"creditrisk.cli.{MODULES.get(name, name)}")
        command = commands.add_parser(name, help=words)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run the command; a user's mistake is one line."""
    options = build_parser().parse_args(arguments)
    try:
        code = options.run(options)
    except UserError as error:
        raise SystemExit(f"{options.command}: {error}") from None
    if code:
        raise SystemExit(code)


if __name__ == "__main__":
    main()
