"""Where the pipeline's files lie, relative to the repository's root.

``dvc.yaml`` states the same values as deps and outs; a contract test holds the
two equal. The runner changes into the root, so stages can use these as they are.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARAMS = Path("params.yaml")
PIPELINE = Path("docs/pipeline.json")
REQUIREMENTS = Path("requirements.txt")

RAW = Path("data/raw/clients.csv")
CLIENTS = Path("data/interim/clients.parquet")
FEATURES = Path("data/interim/features.parquet")
MODEL_FEATURES = Path("data/interim/model_features.json")
RFM = Path("data/interim/rfm.parquet")
CLUSTERS = Path("data/interim/clusters.parquet")

REPORTS = Path("reports")
METRICS = Path("reports/metrics")
PLOTS = Path("reports/plots")
MODELS = Path("models")
BENCH = Path(".bench")
SPEEDS = Path("benchmarks/results/ladder.json")
STUDY_PARAMS = Path("studies/params.yaml")
FOLDS = Path("data/benchmark/tabarena_r0_folds.csv")
PUBLISHED = Path("data/benchmark/published.csv")


def results(stage: str) -> Path:
    """Return the file with everything that a stage's page shows."""
    return Path("data/results") / f"{stage}.json"


def study(name: str) -> Path:
    """Return the file with a study's results, versioned in git."""
    return Path("studies/results") / f"{name}.json"


def metrics(stage: str) -> Path:
    """Return the file with a stage's headline numbers, versioned in git."""
    return METRICS / f"{stage}.json"


def family_model(family: str) -> Path:
    """Return the file of one family's fitted pipeline (a research artefact)."""
    return MODELS / "families" / f"{family}.joblib"


def family_predictions(family: str) -> Path:
    """Return the file of one family's out-of-fold and hold-out probabilities."""
    return Path("data/interim/predictions") / f"{family}.npz"


def page(name: str) -> Path:
    """Return the file of a report page."""
    return REPORTS / f"{name}.html"
