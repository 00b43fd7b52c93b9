"""Commands for people: ``python -m creditrisk <command>``.

Pipeline stages have their own runner, :mod:`creditrisk.run`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from creditrisk.errors import UserError

DICTIONARY = Path(__file__).resolve().parent.parent / "docs" / "data-dictionary.csv"


def run_dictionary(options: argparse.Namespace) -> None:
    """Print the data dictionary, or write it to ``docs/data-dictionary.csv``."""
    from creditrisk import io
    from creditrisk.features.dictionary import dictionary_csv

    text = dictionary_csv()
    if options.write:
        io.write_text(DICTIONARY, text)
        print(f"wrote {DICTIONARY.relative_to(DICTIONARY.parent.parent).as_posix()}")
    else:
        sys.stdout.write(text)


def run_readme(options: argparse.Namespace) -> None:
    """Say which Markdown files hold stale numbers, or bring them up to date."""
    from creditrisk.cli import readme

    stale = readme.run(options.write)
    for path in stale:
        print(f"{'brought up to date' if options.write else 'stale'}: {path.as_posix()}")
    if stale and not options.write:
        raise UserError("numbers differ from reports/metrics: run `make readme`")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with one sub-command each."""
    parser = argparse.ArgumentParser(prog="python -m creditrisk")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    dictionary = commands.add_parser(
        "dictionary", help="print every raw column and feature with its meaning, as CSV"
    )
    dictionary.add_argument(
        "--write", action="store_true", help="write docs/data-dictionary.csv instead of printing"
    )
    dictionary.set_defaults(run=run_dictionary)
    readme = commands.add_parser(
        "readme", help="compare the numbers in Markdown files with reports/metrics"
    )
    readme.add_argument("--write", action="store_true", help="bring them up to date")
    readme.set_defaults(run=run_readme)
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run the command; a user's mistake is one line."""
    options = build_parser().parse_args(arguments)
    try:
        options.run(options)
    except UserError as error:
        raise SystemExit(f"{options.command}: {error}") from None


if __name__ == "__main__":
    main()
