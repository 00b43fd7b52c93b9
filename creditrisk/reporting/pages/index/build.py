"""The first page: the headline, the way through the pages, the picture of the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt
from creditrisk.reporting import pipeline
from creditrisk.reporting.render import PAGES

SECTIONS = [
    ("pages", "The pages"),
    ("families", "Model families"),
    ("pipeline", "The pipeline"),
    ("reproduce", "Reproduce it"),
]

FIGURES = [
    # key of the out-of-fold figures, head of the column, how it reads
    ("roc_auc", "ROC AUC", "decimal:4"),
    ("pr_auc", "PR AUC", "decimal:4"),
    ("log_loss", "Log loss", "decimal:4"),
    ("brier", "Brier score", "decimal:4"),
    ("ece", "ECE", "decimal:4"),
    ("ks", "KS", "decimal:3"),
]


def build(results: dict[str, Any]) -> dict[str, Any]:
    """Return what the template shows.

    Parameters
    ----------
    results : dict
        ``headline``, ``families`` (headline of each trained family by name) and
        ``pipeline`` (``nodes`` and ``edges``).
    """
    headline = results["headline"]
    columns, rows = family_table(results["families"], headline["champion"]["family"])
    shown = {entry.stage: f"{name}.html" for name, entry in PAGES.items() if name != "index"}
    return {
        "sections": SECTIONS,
        "headline": headline,
        "m": marker(headline),
        "family_columns": columns,
        "family_rows": rows,
        "n_families": len(rows),
        "pipeline_figure": pipeline.draw(results["pipeline"], shown),
        "stage_rows": stage_table(results["pipeline"], shown),
        "n_stages": len(results["pipeline"]["nodes"]),
    }


def marker(headline: dict[str, Any]) -> Callable[..., Markup]:
    """Return a function that formats and marks a headline number by its dotted key."""

    def mark(key: str, form: str = "decimal") -> Markup:
        section, _, name = key.partition(".")
        return fmt.metric(headline[section][name], f"summary:{key}", form)

    return mark


def family_table(
    families: dict[str, dict[str, Any]], champion: str
) -> tuple[list[str], list[list[Any]]]:
    """Return head and rows of the table of families, from the lowest ROC AUC up.

    Columns are the out-of-fold figures that every family reports; each cell is
    marked with the file that it can be read back from.
    """
    chosen = [f for f in FIGURES if all(f[0] in entry["cv"] for entry in families.values())]
    columns = ["Family", "Features", *(title for _, title, _ in chosen)]
    rows: list[list[Any]] = []
    for name, entry in sorted(families.items(), key=lambda kv: (kv[1]["cv"]["roc_auc"], kv[0])):
        label = Markup("<code>{}</code>").format(name)
        if name == champion:
            label += Markup(" <strong>champion</strong>")
        key = f"train/{name}"
        cells = [
            fmt.metric(entry["cv"][figure], f"{key}:cv.{figure}", form)
            for figure, _, form in chosen
        ]
        rows.append(
            [label, fmt.metric(entry["n_features"], f"{key}:n_features", "integer"), *cells]
        )
    return columns, rows


def stage_table(graph: dict[str, Any], links: dict[str, str]) -> list[list[Any]]:
    """Return one row for each stage: its name, what it does, the page that shows it."""
    titles = {f"{name}.html": entry.label for name, entry in PAGES.items()}
    rows: list[list[Any]] = []
    for node in graph["nodes"]:
        link = links.get(node["name"])
        page = Markup('<a href="{}">{}</a>').format(link, titles[link]) if link else ""
        does = node["desc"][:1].upper() + node["desc"][1:].rstrip(".") + "."
        if node["items"]:
            # the text of dvc.yaml names a stage's item by a placeholder
            does = does.replace("stage <stage>", "a stage").replace("<page>", "…")
            does += f" One run for each of: {', '.join(node['items'])}."
        rows.append([Markup("<code>{}</code>").format(node["name"]), does, page])
    return rows
