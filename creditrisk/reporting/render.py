"""Results in, one self-contained HTML page out.

A page is a folder in ``pages/``: ``build.py`` with ``build(results) -> dict`` (numbers
become text and figures there), ``page.html.j2`` (words and order) and what else only
that page needs.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from creditrisk.reporting import format as fmt
from creditrisk.reporting import tables, theme

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
FOLDERS: Final = Path(__file__).resolve().parent / "pages"


@dataclass(frozen=True)
class Page:
    """One page: its name in the navigation, the stage it shows, what it answers.

    ``beside``: another stage, whose headline numbers the page has at hand; its own by default.
    """

    label: str
    stage: str
    question: str
    beside: str = ""


PAGES: Final[dict[str, Page]] = {
    "index": Page("Overview", "summary", "What was done, and what came out?"),
    "eda": Page(
        "Data", "eda", "What is in the table, what is wrong with it, and who defaults how often?"
    ),
    "statistics": Page(
        "Statistics",
        "stats_report",
        "Which differences between defaulters and the others are real, and how large?",
        beside="evaluate",
    ),
    "rfm": Page(
        "RFM",
        "rfm",
        "Who used the card recently, often and much, and how do they repay?",
        beside="evaluate",
    ),
    "model": Page(
        "Model", "evaluate", "How well is next-month default predicted, and by which model?"
    ),
    "clusters": Page(
        "Clusters",
        "cluster",
        "Which groups of clients do their habits form, without the target?",
        beside="evaluate",
    ),
}
"""Every page in the order of the navigation."""


@cache
def environment() -> jinja2.Environment:
    """Return the Jinja environment: escaping on, undefined names are errors."""
    jinja = jinja2.Environment(
        loader=jinja2.FileSystemLoader([TEMPLATES, FOLDERS]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.filters |= fmt.FORMATTERS | {"apply": fmt.apply}
    jinja.globals |= {
        **fmt.FORMATTERS,
        "interval": fmt.interval,
        "metric_markup": fmt.metric,
        "whole": fmt.whole,
        "csv_uri": tables.csv_uri,
        "column_alignments": tables.column_alignments,
        "pages": PAGES,
    }
    return jinja


def stylesheet() -> Markup:
    """Return the page's CSS: colours from the theme, rules from ``style.css``."""
    rules = (TEMPLATES / "style.css").read_text(encoding="utf-8")
    rules = re.sub(r"/\*.*?\*/", "", rules, flags=re.DOTALL)
    rules = re.sub(r"\s+", " ", rules)
    rules = re.sub(r" ?([{};,]) ?", r"\1", rules).replace(";}", "}").strip()
    return Markup(theme.css() + rules)  # noqa: S704  (our own file)


def render_template(template: str, context: dict[str, Any], *, page: str) -> str:
    """Render one template with the frame that every page has.

    Parameters
    ----------
    template : str
        File name in ``templates/``.
    context : dict
        What the template reads; ``sections`` (list of (id, title)) and
        ``provenance`` (dict) are optional.
    page : str
        Name of the page, marked as the current one in the navigation.

    Returns
    -------
    str
        Self-contained HTML that ends with one line feed.

    Raises
    ------
    ValueError
        When an id occurs twice or a section is listed that the page has not.
    """
    full = {"sections": [], "provenance": None} | context | {"page": page, "css": stylesheet()}
    html = environment().get_template(template).render(full)
    html = re.sub(r"[ \t]+\n", "\n", re.sub(r"\n\s*\n+", "\n", html)).strip() + "\n"
    # a number and its percent sign stay together, written or formatted; "%20" is an escape
    html = re.sub(r"(?<=\d) %(?!\d)", f"{fmt.THIN}%", html)
    ids = Counter(re.findall(r'\sid="([^"]+)"', html))
    twice = sorted(name for name, n in ids.items() if n > 1)
    if twice:
        raise ValueError(f"{page}: id used more than once: {', '.join(twice)}")
    missing = [name for name, _ in full["sections"] if name not in ids]
    if missing:
        raise ValueError(f"{page}: no element has the id of section {', '.join(missing)}")
    return html


def render(page: str, results: dict[str, Any]) -> str:
    """Render a page from what its stage computed.

    Parameters
    ----------
    page : str
        A key of :data:`PAGES`.
    results : dict
        ``data/results/<stage>.json``; its optional ``provenance`` feeds the footer.

    Returns
    -------
    str
        HTML; equal results give equal bytes.

    Raises
    ------
    KeyError
        When there is no such page.
    """
    if page not in PAGES:
        raise KeyError(f"no page {page!r}; there are: {', '.join(PAGES)}")
    module = importlib.import_module(f"creditrisk.reporting.pages.{page}.build")
    context = module.build(results)
    context.setdefault("provenance", results.get("provenance"))
    return render_template(f"{page}/page.html.j2", context, page=page)
