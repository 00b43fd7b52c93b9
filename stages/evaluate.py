"""All families' predictions → the champion, how good it is, and what is served.

Reads ``clients.parquet``, ``features.parquet``, each family's results, predictions and
(the champion's) pipeline, the RFM and cluster tables with ``clusters.json`` and
``rfm.json``, the metrics of ``clean``, the results of the studies and the measured speeds; writes results, metrics,
plot tables, ``champion.ubj``, its tables ``champion.npz``, ``champion.json``,
``feature_names.json``, ``card.json``, the research artefacts and ``manifest.json``. Params: sections ``evaluate`` and ``policy``. The work is
done by :mod:`creditrisk.validation.evaluation` and :mod:`creditrisk.models.artefacts`.
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
from creditrisk.models import artefacts, rows, served, training
from creditrisk.models.card import build_card
from creditrisk.params import Params as Section
from creditrisk.studies import read_study
from creditrisk.validation import benchmark_report, evaluation, fingerprint, segments, tables
from creditrisk.validation.champion import choose_champion

READS = ("policy",)
STUDIES = ("ablation", "benchmark", "imbalance", "learning", "refits")

WRITTEN = (
    "champion.ubj",
    "champion.npz",
    "champion.json",
    "feature_names.json",
    "card.json",
    "research_model.joblib",
    "scaler.joblib",
)
SEGMENT_FILES = ("clusters.json", "rfm.json")


Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]


class Champion(Section):
    """The rule that chooses what is served."""

    metric: Literal["log_loss", "brier", "roc_auc"]
    among: Annotated[list[str], Field(min_length=1)]


class Calibration(Section):
    """How the champion's probabilities are judged, and the gate that they must pass."""

    n_folds: Annotated[int, Field(ge=2)]
    n_replicates: Annotated[int, Field(ge=20)]
    random_state: Annotated[int, Field(ge=0)]
    slope_bounds: tuple[float, float]
    mean_margin: Share
    level: Share


class Threshold(Section):
    """When a client is flagged."""

    name: Literal["cost_ratio", "flag_share"]
    cost_false_alarm: Positive
    cost_missed_detection: Positive
    flag_share: Share


class Policy(Section):
    """Section ``policy``: from probability to grade and decision."""

    grades: Annotated[list[Share], Field(min_length=7, max_length=7)]
    min_clients: Annotated[int, Field(ge=0)]
    min_defaults: Annotated[int, Field(ge=0)]
    threshold: Threshold


class Bootstrap(Section):
    """Resampling of groups of the hold-out."""

    replicates: Annotated[int, Field(ge=100)]
    seed: Annotated[int, Field(ge=0)]


class Params(params.Params):
    """Sections ``evaluate`` and ``policy``."""

    ladder: Annotated[list[str], Field(min_length=2)]
    baseline: str
    champion: Champion
    calibration: Calibration
    bootstrap: Bootstrap
    alpha: Share
    policy: Policy

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
    clean: Path = paths.metrics("clean"),
    rfm: Path = paths.RFM,
    clusters: Path = paths.CLUSTERS,
    studies: Callable[[str], Path] = paths.study,
    speeds: Path = paths.SPEEDS,
    models: Path = paths.MODELS,
    plots: Path = paths.PLOTS,
    results: Path = paths.results("evaluate"),
    metrics: Path = paths.metrics("evaluate"),
) -> None:
    """Choose the champion, judge every family, write what is served."""
    labels, table = io.read_table(clients, list(rows.LABEL_COLUMNS)), io.read_table(features)
    families = {f: io.read_json(trained(f"train/{f}")) for f in params.ladder}
    scored = rows.gather(labels, {f: io.read_arrays(predictions(f)) for f in params.ladder})
    document = judge(params, scored, families, labels)
    champion = document["champion"]["family"]
    document["segments"] = describe_segments(
        scored, champion, clients=clients, rfm=rfm, clusters=clusters, models=models
    )
    document["studies"] = read_studies(studies, labels, families[champion])
    document["speeds"] = io.read_json(speeds)
    pipeline, headline = io.read_model(family_model(champion)), document["headline"]
    write_card(models, document, families[champion], data=io.read_json(clean))
    write_models(models, pipeline, families[champion], labels, table=table, document=document)
    headline["public_split"] = public_split(pipeline, families[champion], labels, table)
    headline |= benchmark_headline(document["studies"]["benchmark"])
    headline["segments"] = segments.headline(document["segments"])
    io.write_json(results, document | provenance(models))
    io.write_json(metrics, headline)
    for name, curve in tables.plot_tables(document, champion, params.baseline).items():
        io.write_csv(plots / f"{name}.csv", curve)


def judge(
    params: Params, scored: rows.Scored, families: dict[str, Any], labels: Any
) -> dict[str, Any]:
    """Choose the champion and judge every family; see :mod:`creditrisk.validation.evaluation`."""
    champion = choose_champion(families, **params.champion.model_dump(), alpha=params.alpha)
    print(f"champion: {champion['family']}, the cheapest rung within noise", flush=True)
    calibration = params.calibration.model_dump()
    margins = {name: calibration.pop(name) for name in ("slope_bounds", "mean_margin", "level")}
    judged = evaluation.evaluate(
        scored,
        families,
        champion,
        params.baseline,
        policy_settings=params.policy.model_dump(),
        calibration_settings={**calibration, "margins": margins},
        n_replicates=params.bootstrap.replicates,
        random_state=params.bootstrap.seed,
        alpha=params.alpha,
    )
    return judged | {
        "champion": champion,
        "baseline": params.baseline,
        "design": evaluation.design(labels, families[champion["family"]], alpha=params.alpha),
        "scorecard": families.get("scorecard"),
    }


def read_studies(
    places: Callable[[str], Path], labels: Any, champion: dict[str, Any]
) -> dict[str, Any]:
    """Return each study's document, and in words what it was computed from that is not today's."""
    today = fingerprint.fingerprint(labels, champion["parameters"], champion["features"])
    return {name: read_study(places(name), today) for name in STUDIES}


def benchmark_headline(study: dict[str, Any]) -> dict[str, Any]:
    """Return the benchmark's headline; nothing where it speaks of another champion."""
    if study["stale"]:
        return {}
    return {"benchmark": benchmark_report.headline(study["document"])}


def describe_segments(
    scored: rows.Scored, champion: str, *, clients: Path, rfm: Path, clusters: Path, models: Path
) -> dict[str, Any]:
    """Return what the champion says of clusters and RFM segments, and what they add to it."""
    on_map = [schema.KEY, "cluster_id", "tsne_1", "tsne_2"]
    return segments.describe(
        scored,
        champion,
        bills=io.read_table(clients, columns=[schema.KEY, segments.BILL]),
        clusters=io.read_table(clusters, columns=on_map),
        rfm=io.read_table(rfm, columns=[schema.KEY, "segment"]),
        names=io.read_json(models / "clusters.json")["names"],
    )


def public_split(
    pipeline: Any, stored: dict[str, Any], labels: Any, table: Any
) -> dict[str, float]:
    """Return the ROC AUC of the champion's recipe, all 23 columns, on the public split."""
    families = [*dict.fromkeys([*stored["feature_families"], "audit"])]
    names = registry.select(families, audit_attributes="include")
    print("fitting the champion's recipe on the split of public work", flush=True)
    area = artefacts.public_split_auc(
        pipeline, rows.matrix(table, names), labels, n_jobs=training.available_cores()
    )
    return {"roc_auc": area}


def write_card(
    models: Path, document: dict[str, Any], stored: dict[str, Any], *, data: dict[str, Any]
) -> None:
    """Write the machine-readable model card."""
    card = build_card(document, parameters=stored["parameters"], data_sha256=data["sha256"])
    io.write_json(models / "card.json", card)


def write_models(
    models: Path,
    pipeline: Any,
    stored: dict[str, Any],
    labels: Any,
    *,
    table: Any,
    document: dict[str, Any],
) -> None:
    """Write what is served, the research artefacts and the manifest over both."""
    names, family = stored["features"], stored["family"]
    with io.atomic(models / "champion.ubj") as temporary:
        temporary.write_bytes(artefacts.booster_bytes(pipeline, family))
    refits = document["studies"]["refits"]
    champion = artefacts.champion_document(
        family,
        names,
        calibration=document["calibration"]["served"],
        policy=document["policy"],
        band=None if refits["stale"] else refits["document"]["band"],
    )
    X = rows.matrix(table, names)
    tables = served.tree_tables(pipeline, X, n_jobs=training.available_cores())
    io.write_arrays(models / "champion.npz", **tables)
    champion["ranges"] = served.amount_ranges(table, labels)
    io.write_json(models / "champion.json", champion, digits=None)
    io.write_json(models / "feature_names.json", names)
    io.write_model(models / "research_model.joblib", pipeline)
    scaler = artefacts.research_scaler(pipeline, X, labels, stored["scaler"])
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
