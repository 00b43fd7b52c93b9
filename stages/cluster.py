"""Clean clients → behavioural clusters, pictures of them, and what a new client needs.

In: ``data/interim/clients.parquet``. Out: ``data/interim/clusters.parquet`` (labels and
coordinates, one row a client), ``models/clusters.json`` (numbers alone: what the service
assigns with), the results behind ``clusters.html`` and the headline metrics. Params:
section ``cluster``. The work is done by ``creditrisk.segments``: ``clusters`` (KMeans and
the choice of k), ``density`` (DBSCAN), ``embedding`` (PCA, t-SNE) and ``segmentation``,
which prepares the clients and puts the parts together. No model is read here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from creditrisk import io, params, paths, schema
from creditrisk.errors import UserError
from creditrisk.features import registry
from creditrisk.segments import cluster_tables, clusters, density, embedding, segmentation


class Feature(params.Params):
    """One input of the clustering and the words that name a cluster by it."""

    name: str
    clip: tuple[float, float]
    transform: Literal["identity", "sqrt"]
    high: str | None
    low: str | None

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse names that are not registered and ranges that make no sense."""
        if self.name not in {f.name for f in registry.all_features()}:
            raise ValueError(f"no feature {self.name!r} is registered")
        low, high = self.clip
        if low >= high or (self.transform == "sqrt" and low < 0):
            raise ValueError(
                f"{self.name}: clip must be [low, high], low < high, low ≥ 0 with sqrt"
            )
        return self


class Choice(params.Params):
    """The rule that chooses k."""

    k_floor: int = Field(ge=2)
    min_jaccard: float = Field(ge=0, le=1)
    min_share: float = Field(ge=0, lt=0.5)
    n_resamples: PositiveInt


class Dbscan(params.Params):
    """DBSCAN and the limits beyond which its result is called degenerate."""

    max_rows: PositiveInt
    min_samples: int = Field(ge=2)
    eps_factors: list[PositiveFloat] = Field(min_length=1)
    max_noise_share: float = Field(ge=0, le=1)
    max_largest_share: float = Field(ge=0, le=1)
    max_clusters: PositiveInt


class Tsne(params.Params):
    """Settings of the t-SNE picture."""

    perplexity: float = Field(ge=5)
    early_iterations: PositiveInt
    iterations: PositiveInt
    exaggeration: float = Field(ge=1)


class Params(params.Params):
    """Section ``cluster`` of params.yaml."""

    random_state: NonNegativeInt
    features: list[Feature] = Field(min_length=3)
    k_min: int = Field(ge=2)
    k_max: int = Field(le=20)
    n_init: int = Field(ge=10)
    silhouette_rows: int = Field(ge=100)
    choice: Choice
    dbscan: Dbscan
    tsne: Tsne
    page_rows: PositiveInt
    n_jobs: PositiveInt

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse a range of k that holds nothing to choose from, and repeated features."""
        if not self.k_min <= self.choice.k_floor <= self.k_max:
            raise ValueError("k_min ≤ choice.k_floor ≤ k_max must hold")
        names = [f.name for f in self.features]
        if len(set(names)) != len(names):
            raise ValueError("features must differ from one another")
        return self


def fit(params: Params, data: segmentation.Prepared) -> tuple[list[dict[str, Any]], Any]:
    """Cluster with every k of the range and embed all clients, reporting progress."""
    ks = range(params.k_min, params.k_max + 1)
    print(
        f"cluster: trying k = {ks[0]} to {ks[-1]} and drawing the t-SNE map of "
        f"{len(data.points):,} clients (30,000 take about a minute)",
        flush=True,
    )
    kmeans = {
        "n_init": params.n_init,
        "n_resamples": params.choice.n_resamples,
        "silhouette_rows": params.silhouette_rows,
    }
    tried, tsne = segmentation.fit_models(
        data,
        ks,
        kmeans=kmeans,
        tsne=params.tsne.model_dump(),
        random_state=params.random_state,
        n_jobs=params.n_jobs,
    )
    for t in tried:
        print(
            f"cluster: k = {t['k']}: silhouette {t['silhouette']:.3f}, "
            f"least stable cluster {t['min_jaccard']:.2f}"
        )
    return tried, tsne


def choose(params: Params, tried: list[dict[str, Any]]) -> dict[str, Any]:
    """Apply the rule of ``cluster.choice`` and keep what it was and what it saw."""
    rule = params.choice
    chosen = clusters.choose_k(
        tried, k_floor=rule.k_floor, min_jaccard=rule.min_jaccard, min_share=rule.min_share
    )
    return chosen | {"rule": rule.model_dump(), "tried": tried}


def run_dbscan(params: Params, train: Any, points: Any) -> tuple[Any, dict[str, Any]]:
    """Run DBSCAN, naming the parameter when the table is too small for it."""
    settings = params.dbscan
    n_fitted = min(len(train), settings.max_rows)
    if n_fitted < settings.min_samples:
        raise UserError(
            f"cluster.dbscan.min_samples: {settings.min_samples} is more than the {n_fitted} "
            f"training rows that are fitted (there are {len(train)}, cluster.dbscan.max_rows is "
            f"{settings.max_rows}); lower it"
        )
    limits = settings.model_dump(include={"max_noise_share", "max_largest_share", "max_clusters"})
    labels, found = density.cluster(
        train,
        points,
        max_rows=settings.max_rows,
        min_samples=settings.min_samples,
        eps_factors=settings.eps_factors,
        limits=limits,
        random_state=params.random_state,
    )
    return labels, found | {"limits": limits}


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    table: Path = paths.CLUSTERS,
    numbers: Path = paths.MODELS / "clusters.json",
    results: Path = paths.results("cluster"),
    metrics: Path = paths.metrics("cluster"),
) -> None:
    """Cluster the clients and write labels, numbers, results and metrics."""
    people = schema.clients_contract().validate(io.read_table(clients), lazy=True)
    features = [f.model_dump() for f in params.features]
    data = segmentation.prepare(people, features, k_max=params.k_max)
    pca = embedding.fit_pca(data.train)
    tried, tsne = fit(params, data)
    choice = choose(params, tried)
    saved = segmentation.save_numbers(data, choice, components=pca["components"][:3])
    dbscan, found = run_dbscan(params, data.train, data.points)
    labels = segmentation.label_clients(data, saved, dbscan=dbscan, tsne=tsne)
    computed = segmentation.analyse(
        data,
        labels,
        numbers=saved,
        choice=choice,
        explained=pca["explained"],
        found=found,
        samples=params.model_dump(include={"silhouette_rows", "page_rows", "random_state"}),
    )
    io.write_table(table, cluster_tables.label_table(data.clients, labels))
    io.write_json(numbers, saved, digits=None)  # rounded where they were fitted
    io.write_json(results, computed)
    io.write_json(metrics, computed["headline"])
    print(f"cluster: {', '.join(saved['names'])}")


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "cluster", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
