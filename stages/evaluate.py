"""All families' predictions → the champion, how good it is, and what is served.

Reads ``clients.parquet``, ``features.parquet``, each family's results, predictions and
(the champion's) pipeline, the RFM and cluster tables with ``clusters.json`` and
``rfm.json``; writes results, metrics, plot tables, ``champion.ubj``, ``champion.json``,
``feature_names.json``, the research artefacts and ``manifest.json``. Params: section
``evaluate``. The work is done by :func:`creditrisk.validation.evaluation.evaluate`,
:mod:`creditrisk.models.selection` and :mod:`creditrisk.models.artefacts`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from creditrisk import io, params, paths, schema
from creditrisk.features import registry
from creditrisk.models import artefacts, rows, selection, training
from creditrisk.params import Params as Section
from creditrisk.validation import evaluation, tables

WRITTEN = (
    "champion.ubj",
    "champion.json",
    "feature_names.json",
    "research_model.joblib",
    "scaler.joblib",
)
SEGMENT_FILES = ("clusters.json", "rfm.json")


class Champion(Section):
    """The rule that chooses what is served."""

    rule: Literal["lowest_cv_log_loss", "lowest_cv_brier", "highest_cv_roc_auc"]
    among: Annotated[list[str], Field(min_length=1)]


class Threshold(Section):
    """When a client is flagged."""

    basis: Literal["cost_ratio", "flag_share"]
    cost_false_alarm: Annotated[float, Field(gt=0)]
    cost_missed_detection: Annotated[float, Field(gt=0)]
    flag_share: Annotated[float, Field(gt=0, lt=1)]


class Bootstrap(Section):
    """Resampling of groups of the hold-out."""

    replicates: Annotated[int, Field(ge=100)]
    seed: Annotated[int, Field(ge=0)]


class Params(params.Params):
    """Section ``evaluate``."""

    ladder: Annotated[list[str], Field(min_length=2)]
    baseline: str
    champion: Champion
    threshold: Threshold
    bootstrap: Bootstrap
    alpha: Annotated[float, Field(gt=0, lt=1)]

    @model_validator(mode="after")
    def _names_stand_in_the_ladder(self) -> Params:
        wanted = {"champion.among": self.champion.among, "baseline": [self.baseline]}
        for key, names in wanted.items():
            if unknown := sorted(set(names) - set(self.ladder)):
                raise ValueError(f"{key}: {', '.join(unknown)} is not in ladder {self.ladder}")
        return self


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    features: Path = paths.FEATURES,
    trained: Callable[[str], Path] = paths.results,
    predictions: Callable[[str], Path] = paths.family_predictions,
    family_model: Callable[[str], Path] = paths.family_model,
    rfm: Path = paths.RFM,
    clusters: Path = paths.CLUSTERS,
    models: Path = paths.MODELS,
    plots: Path = paths.PLOTS,
    results: Path = paths.results("evaluate"),
    metrics: Path = paths.metrics("evaluate"),
) -> None:
    """Choose the champion, judge every family, write what is served."""
    labels, table = io.read_table(clients, list(rows.LABEL_COLUMNS)), io.read_table(features)
    families = {f: io.read_json(trained(f"train/{f}")) for f in params.ladder}
    scored = rows.gather(labels, {f: io.read_arrays(predictions(f)) for f in params.ladder})
    champion, metric = selection.choose_champion(
        {f: stored["cv"] for f, stored in families.items()}, **params.champion.model_dump()
    )
    print(f"champion: {champion} ({params.champion.rule})", flush=True)
    document = judge(params, scored, families, champion) | {
        "segments": segment_tables(scored, champion, rfm, clusters, models),
        "champion": {**params.champion.model_dump(), "family": champion, "metric": metric},
        "baseline": params.baseline,
        "design": evaluation.design(labels, families[champion], alpha=params.alpha),
    }
    pipeline, stored = io.read_model(family_model(champion)), families[champion]
    headline = document["headline"]
    write_models(
        models, pipeline, stored, labels=labels, table=table, decision=document["decision"]
    )
    headline["public_split"] = {"roc_auc": public_split(pipeline, stored, labels, table)}
    io.write_json(results, document | provenance(models))
    io.write_json(metrics, headline)
    for name, curve in tables.plot_tables(document, champion, params.baseline).items():
        io.write_csv(plots / f"{name}.csv", curve)


def judge(
    params: Params, scored: rows.Scored, families: dict[str, Any], champion: str
) -> dict[str, Any]:
    """Judge every family; see :func:`creditrisk.validation.evaluation.evaluate`."""
    return evaluation.evaluate(
        scored,
        families,
        champion,
        params.baseline,
        threshold=params.threshold.model_dump(),
        n_replicates=params.bootstrap.replicates,
        random_state=params.bootstrap.seed,
        alpha=params.alpha,
    )


def segment_tables(
    scored: rows.Scored, champion: str, rfm: Path, clusters: Path, models: Path
) -> dict[str, Any]:
    """Return default rates by cluster and by RFM segment."""
    names = io.read_json(models / "clusters.json")["names"]
    by_cluster = io.read_table(clusters, columns=[schema.KEY, "cluster_id"])
    by_rfm = io.read_table(rfm, columns=[schema.KEY, "segment"])
    return {
        "clusters": tables.segment_rates(scored, champion, by_cluster, "cluster_id", names),
        "rfm": tables.segment_rates(scored, champion, by_rfm, "segment"),
    }


def public_split(pipeline: Any, stored: dict[str, Any], labels: Any, table: Any) -> float:
    """Return the ROC AUC of the champion's recipe, all 23 columns, on the public split."""
    families = [*dict.fromkeys([*stored["feature_families"], "audit"])]
    names = registry.select(families, audit_attributes="include")
    print("fitting the champion's recipe on the split of public work", flush=True)
    return artefacts.public_split_auc(
        pipeline, rows.matrix(table, names), labels, n_jobs=training.available_cores()
    )


def write_models(
    models: Path,
    pipeline: Any,
    stored: dict[str, Any],
    *,
    labels: Any,
    table: Any,
    decision: dict[str, Any],
) -> None:
    """Write what is served, the research artefacts and the manifest over both."""
    names, family = stored["features"], stored["family"]
    with io.atomic(models / "champion.ubj") as temporary:
        temporary.write_bytes(artefacts.booster_bytes(pipeline, family))
    champion = artefacts.champion_document(family, names, decision)
    io.write_json(models / "champion.json", champion, digits=None)
    io.write_json(models / "feature_names.json", names)
    io.write_model(models / "research_model.joblib", pipeline)
    scaler = artefacts.research_scaler(
        pipeline, rows.matrix(table, names), labels, stored["scaler"]
    )
    io.write_model(models / "scaler.joblib", scaler)
    listed = (*WRITTEN, *(name for name in SEGMENT_FILES if (models / name).exists()))
    manifest = {"files": {name: io.sha256(models / name) for name in listed}}
    io.write_json(models / "manifest.json", manifest)


def provenance(models: Path) -> dict[str, Any]:
    """Return what the page's footer says of the served model."""
    files = io.read_json(models / "manifest.json")["files"]
    return {"provenance": {"model sha256": files["champion.ubj"]}}


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "evaluate", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
