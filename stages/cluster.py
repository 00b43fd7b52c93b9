"""Clean clients → behavioural clusters, pictures of them, and what a new client needs.

In: ``data/interim/clients.parquet`` and the study ``clusters``. Out: ``data/interim/clusters.parquet`` (labels and
coordinates, one row a client), ``models/clusters.json`` (numbers alone: what the service
assigns with), the results behind ``clusters.html`` and the headline metrics. Params:
section ``cluster``. The work is done by ``creditrisk.segments``: ``clusters`` (KMeans and
the choice of k), ``density``, ``density_grid`` (DBSCAN) and ``hierarchy`` (HDBSCAN),
``embedding`` (PCA, t-SNE), ``map_report`` (how far to believe the map, new clients on it) and
``segmentation``, which prepares the clients and puts the parts together. No model is read here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from creditrisk import io, params, paths, schema
from creditrisk.features import registry
from creditrisk.segments import (
    assignment,
    cluster_tables,
    clusters,
    density,
    density_grid,
    embedding,
    hierarchy,
    map_report,
    placing,
    segmentation,
)
from creditrisk.segments.recipe import recipe
from creditrisk.studies import read_study
from creditrisk.validation import fingerprint


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


class Grid(params.Params):
    """DBSCAN over values of min_samples and multiples of the knee's eps."""

    min_samples: list[Annotated[int, Field(ge=2)]] = Field(min_length=1)
    eps_factors: list[PositiveFloat] = Field(min_length=1)
    silhouette_rows: int = Field(ge=100)


class Dbscan(params.Params):
    """DBSCAN and the limits beyond which its result is called degenerate."""

    max_rows: PositiveInt
    min_samples: int = Field(ge=2)
    grid: Grid
    max_noise_share: float = Field(ge=0, le=1)
    max_largest_share: float = Field(ge=0, le=1)
    max_clusters: PositiveInt

    @model_validator(mode="after")
    def check(self) -> Self:
        """Refuse a grid that lacks the setting whose labels are kept."""
        if self.min_samples not in self.grid.min_samples or 1 not in self.grid.eps_factors:
            raise ValueError("grid must hold min_samples, and 1 among its eps_factors")
        return self


class Hdbscan(params.Params):
    """HDBSCAN, on the rows that DBSCAN is fitted on and with its min_samples and limits."""

    min_cluster_size: list[Annotated[int, Field(ge=2)]] = Field(min_length=1)
    n_orders: PositiveInt


class Tsne(params.Params):
    """Settings of the t-SNE picture."""

    perplexity: float = Field(ge=5)
    early_iterations: PositiveInt
    iterations: PositiveInt
    exaggeration: float = Field(ge=1)


class Map(params.Params):
    """How far the t-SNE map is believed, and new clients on it."""

    n_landmarks: int = Field(ge=2)
    n_neighbours: PositiveInt
    quality_rows: int = Field(ge=2)
    seed_rows: int = Field(ge=2)


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
    hdbscan: Hdbscan
    tsne: Tsne
    map: Map
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


def find_density(
    params: Params, data: segmentation.Prepared, kmeans: Any
) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Run DBSCAN, its grid and HDBSCAN; return DBSCAN's labels and what each found."""
    settings = params.dbscan
    limits = settings.model_dump(include={"max_noise_share", "max_largest_share", "max_clusters"})
    common: dict[str, Any] = {
        "max_rows": settings.max_rows,
        "limits": limits,
        "random_state": params.random_state,
    }
    labels, found = density.cluster(
        data.train, data.points, min_samples=settings.min_samples, **common
    )
    grid = density_grid.grid(
        data.train, data.points, kmeans, **settings.grid.model_dump(), **common
    )
    tree = hierarchy.cluster(
        data.train,
        kmeans[data.fit],
        min_samples=settings.min_samples,
        **params.hdbscan.model_dump(),
        **common,
    )
    return labels, found | {"limits": limits, "grid": grid}, tree


def main(
    params: Params,
    *,
    clients: Path = paths.CLIENTS,
    study: Path = paths.study("clusters"),
    table: Path = paths.CLUSTERS,
    numbers: Path = paths.MODELS / "clusters.json",
    results: Path = paths.results("cluster"),
    metrics: Path = paths.metrics("cluster"),
) -> None:
    """Cluster the clients and write labels, numbers, results and metrics."""
    people = schema.clients_contract().validate(io.read_table(clients), lazy=True)
    data = segmentation.prepare(people, params.model_dump()["features"], k_max=params.k_max)
    pca = embedding.fit_pca(data.train)
    tried, tsne = fit(params, data)
    choice = choose(params, tried)
    saved = segmentation.save_numbers(data, choice, components=pca["components"][:3])
    kmeans, _ = assignment.ClusterAssigner(saved).assign(data.record)
    dbscan, found, tree = find_density(params, data, kmeans)
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
    saved["map"], quality, computed["maps"]["tsne_grids"] = examine_map(params, data, labels)
    computed |= {
        "hdbscan": tree,
        "map_quality": quality,
        "studies": read_studies(params, data.clients, study),
    }
    io.write_table(table, cluster_tables.label_table(data.clients, labels))
    io.write_json(numbers, saved, digits=None)  # rounded where they were fitted
    io.write_json(results, computed)
    io.write_json(metrics, computed["headline"])
    print(f"cluster: {', '.join(saved['names'])}")


def examine_map(
    params: Params, data: segmentation.Prepared, labels: cluster_tables.Labels
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the landmarks that place a new client, how good the map is, and its panels."""
    print("cluster: how far the map is to be believed", flush=True)
    settings = params.map.model_dump()
    landmarks = placing.fit_landmarks(
        data.train, labels.tsne[data.fit], settings.pop("n_landmarks"), params.random_state
    )
    found = map_report.describe_map(
        data,
        labels,
        landmarks,
        tsne=params.tsne.model_dump(),
        random_state=params.random_state,
        n_jobs=params.n_jobs,
        **settings,
    )
    return landmarks, found["quality"], found["grids"]


def read_studies(params: Params, clients: Any, study: Path) -> dict[str, Any]:
    """Return the study of the clusters, and in words what it speaks of that is not today's."""
    today = fingerprint.fingerprint(clients, recipe(params.model_dump()), [])
    return {"clusters": read_study(study, today, recipe="other parameters of the clusters")}


if __name__ == "__main__":  # by way of the runner, which sets the numeric environment first
    command = [sys.executable, "-m", "creditrisk.run", "cluster", *sys.argv[1:]]
    raise SystemExit(subprocess.call(command))
