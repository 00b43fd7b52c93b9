"""Parts of the benchmark's document: paired arms, partitions of our own, published figures."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from creditrisk import io, paths, schema
from creditrisk.features import record, registry
from creditrisk.models import artefacts, families
from creditrisk.models.folds import deal_folds
from creditrisk.models.training import predict
from creditrisk.reporting import render
from creditrisk.reporting.pages.model import benchmark as page
from creditrisk.validation import benchmark_report, benchmark_study
from tests.generated import CLEANING, clients
from tests.stages.model_stages import BLEND, CARD, TREES
from tests.unit.test_nested import SPACE

RECIPES = {
    "scorecard": CARD,
    "xgboost": TREES,
    "blend": BLEND,
}
SHARED = {"scaler": "standard", "n_jobs": 1}


def silent(line: str) -> None:
    pass


# ----------------------------------------------------------------- our own arms in pairs


def arms(n: int = 3000, seed: int = 0, **gains: float):
    """Return labels, folds and arms whose probabilities are true but for some noise.

    A gain is how much less noise the blend's log-odds have than the trees'.
    """
    rng = np.random.default_rng(seed)
    truth = rng.normal(-1.2, 1.2, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-truth))).astype(int)
    noise = rng.normal(size=n)

    def p(spread: float) -> np.ndarray:
        return 1 / (1 + np.exp(-(truth + spread * noise)))

    found = {
        c: {"probability": {"blend": p(1 - gains.get(c, 0)), "trees": p(1.0)}}
        for c in ("all", "served")
    }
    return y, np.arange(n) % 3, found


def test_an_arm_against_itself_is_within_noise():
    y, fold, found = arms()
    table = benchmark_study.compare_pairs(y, fold, found, alpha=0.05)
    assert list(table) == list(benchmark_study.PAIRS)
    for row in table.values():
        for metric in ("roc_auc", "log_loss"):
            assert row[metric]["difference"] == row[metric]["se"] == 0
            assert row[metric]["p_adjusted"] == 1
            assert row[metric]["verdict"] == "within noise"


def test_a_clearly_better_arm_is_called_better_and_its_mirror_worse():
    y, fold, found = arms(all=0.9)
    table = benchmark_study.compare_pairs(y, fold, found, alpha=0.05)
    for name in ("blend_over_trees", "all_over_served_blend"):
        assert table[name]["roc_auc"]["difference"] > 0.02
        assert table[name]["log_loss"]["difference"] < -0.02
        assert {table[name][m]["verdict"] for m in ("roc_auc", "log_loss")} == {"better"}
    trees = table["all_over_served_trees"]
    assert {trees[m]["verdict"] for m in ("roc_auc", "log_loss")} == {"within noise"}
    y, fold, found = arms(all=-0.9)
    worse = benchmark_study.compare_pairs(y, fold, found, alpha=0.05)["blend_over_trees"]
    assert {worse[m]["verdict"] for m in ("roc_auc", "log_loss")} == {"worse"}


def test_differences_and_standard_errors_against_scikit_learn_and_a_bootstrap():
    y, fold, found = arms(n=900, all=0.4)
    own = benchmark_study.compare_pairs(y, fold, found, alpha=0.05)["blend_over_trees"]
    p, q = (found["all"]["probability"][arm] for arm in ("blend", "trees"))
    rng = np.random.default_rng(0)

    def differences(rows_of) -> list[float]:
        folds = [rows_of(np.flatnonzero(fold == number)) for number in range(3)]
        return [
            float(np.mean([f(y[r], p[r]) - f(y[r], q[r]) for r in folds]))
            for f in (roc_auc_score, log_loss)
        ]

    plain = differences(lambda rows: rows)
    drawn = np.array([differences(lambda rows: rng.choice(rows, len(rows))) for _ in range(200)])
    for i, metric in enumerate(("roc_auc", "log_loss")):
        assert own[metric]["difference"] == pytest.approx(plain[i], abs=1e-9)
        assert own[metric]["se"] == pytest.approx(drawn[:, i].std(ddof=1), rel=0.15)


def test_pairs_are_adjusted_for_their_number():
    y, fold, found = arms(all=0.05)
    row = benchmark_study.compare_pairs(y, fold, found, alpha=0.05)["blend_over_trees"]["log_loss"]
    assert row["p"] < row["p_adjusted"] <= 3 * row["p"] + 1e-12


def test_who_has_no_fold_is_in_no_difference():
    y, fold, found = arms(all=0.5)
    clean = benchmark_study.compare_pairs(y, np.where(fold == 2, -1, fold), found, alpha=0.05)
    found["all"]["probability"]["blend"][fold == 2] = np.nan
    left_out = benchmark_study.compare_pairs(y, np.where(fold == 2, -1, fold), found, alpha=0.05)
    assert clean == left_out


# ----------------------------------------------------------------- partitions of our own


@pytest.fixture(scope="module")
def people():
    table = clients(600, 4)
    return table, table[schema.TARGET].to_numpy(), table[schema.GROUP].to_numpy()


def test_cross_check_scores_the_recipe_on_grouped_and_ungrouped_folds(people):
    table, y, groups = people
    lines: list[str] = []
    rows = benchmark_study.cross_check(
        table,
        y,
        groups,
        {"xgboost": TREES},
        seeds=[7, 8],
        n_folds=3,
        progress=lines.append,
        **SHARED,
    )
    assert [(row["seed"], row["grouped"]) for row in rows] == [
        (7, False),
        (7, True),
        (8, False),
        (8, True),
    ]
    assert lines[1] == "partition 7, grouped"
    names = registry.select(TREES["features"], audit_attributes="include")
    X = registry.compute(record.from_frame(table), names)
    fold = deal_folds(y, groups, n_folds=3, n_repeats=1, random_state=7)[0]
    areas = []
    for number in range(3):
        own = fold == number
        model = families.build("xgboost", TREES, scaler="standard").fit(X[~own], y[~own])
        areas.append(roc_auc_score(y[own], predict(model, X[own])))
    assert rows[1]["xgboost"]["roc_auc"] == pytest.approx(np.mean(areas), abs=1e-12)


def test_twins_on_both_sides_flatter_and_groups_do_not(people):
    """Every client twice: trees that remember only gain where twins are torn apart."""
    table, _, _ = people
    twice = pd.concat([table.iloc[:200]] * 2, ignore_index=True)
    y = np.tile(np.random.default_rng(0).integers(0, 2, 200), 2)
    deep = TREES | {"max_depth": 8, "n_estimators": 60, "min_child_weight": 0}
    rows = benchmark_study.cross_check(
        twice,
        y,
        np.tile(np.arange(200), 2),
        {"xgboost": deep},
        seeds=[0, 1],
        n_folds=3,
        progress=silent,
        **SHARED,
    )
    summary = benchmark_study.summarize_partitions(rows, ["xgboost"])["xgboost"]
    assert summary["ungrouped"]["roc_auc_mean"] > 0.75
    assert abs(summary["grouped"]["roc_auc_mean"] - 0.5) < 0.12


def test_partitions_are_summarised_by_hand():
    def row(seed, grouped, area, loss):
        return {"seed": seed, "grouped": grouped, "a": {"roc_auc": area, "log_loss": loss}}

    rows = [row(1, False, 0.8, 0.4), row(1, True, 0.7, 0.5), row(2, False, 0.82, 0.44), row(2, True, 0.7, 0.5)]  # fmt: skip
    summary = benchmark_study.summarize_partitions(rows, ["a"])["a"]
    assert summary["ungrouped"] == pytest.approx(
        {"roc_auc_mean": 0.81, "roc_auc_sd": 0.02 / np.sqrt(2), "log_loss_mean": 0.42}
    )
    assert summary["grouped"] == pytest.approx(
        {"roc_auc_mean": 0.7, "roc_auc_sd": 0.0, "log_loss_mean": 0.5}
    )


def test_the_public_split_is_scikit_learns(people):
    from sklearn.model_selection import train_test_split

    table, y, _ = people
    found = benchmark_study.public_split(table, y, {"xgboost": TREES}, **SHARED)
    names = registry.select(TREES["features"], audit_attributes="include")
    X = registry.compute(record.from_frame(table), names)
    a, b, y_a, y_b = train_test_split(X, y, test_size=0.2, random_state=42, stratify=y)
    model = families.build("xgboost", TREES, scaler="standard").fit(a, y_a)
    assert found == {"xgboost": pytest.approx(roc_auc_score(y_b, predict(model, b)))}
    # the pipeline's own figure of the champion is the same number
    own = artefacts.public_split_auc(model, X, table, n_jobs=1)
    assert own == pytest.approx(found["xgboost"], abs=1e-12)


# ------------------------------------------------------------------- published figures


def test_a_log_loss_that_was_not_published_is_none():
    table = pd.DataFrame(
        {
            "method": ["one", "two"],
            "split": "r0f0",
            "roc_auc": [0.79, 0.78],
            "log_loss": [np.nan, 0.42],
            "source": "a paper",
        }
    )
    rows = benchmark_study.published_rows(table)
    assert [row["log_loss"] for row in rows] == [None, 0.42]
    json.dumps(rows, allow_nan=False)


def test_the_stored_published_figures_have_what_the_page_needs():
    rows = benchmark_study.published_rows(io.read_csv(paths.ROOT / paths.PUBLISHED))
    assert {"method", "split", "roc_auc", "log_loss", "source"} <= set(rows[0])
    assert {row["split"] for row in rows} <= {"r0f0", "r0 mean of 3"}
    assert all(0.5 < row["roc_auc"] < 1 for row in rows)


# ------------------------------------------------------------------------ all together


@pytest.fixture(scope="module")
def document(people):
    return run(people)


def run(people):
    table, y, groups = people
    found = benchmark_study.study(
        table,
        y,
        np.arange(len(y)) % 3,
        groups,
        RECIPES,
        space=SPACE,
        twins=CLEANING["twins"],
        seeds=[1, 2],
        alpha=0.05,
        random_state=0,
        **SHARED,
    )
    return json.loads(json.dumps(found, allow_nan=False))


def test_the_document_has_its_shape_and_repeats(people, document):
    assert set(document) == {
        "design",
        "nested",
        "fixed",
        "pairs",
        "partitions",
        "partition_summary",
        "public_split",
    }
    assert document["design"] == {
        "n": 600,
        "folds": 3,
        "n_test": 200,
        "inner_folds": 3,
        "candidates": {"trees": 3, "networks": 2},
        "seed": 0,
    }
    for configuration in ("all", "served"):
        nested = document["nested"][configuration]
        assert set(nested) == {"blend", "trees", "chosen"}, "no row-wise probabilities"
        assert [row["fold"] for row in nested["chosen"]] == [0, 1, 2]
        assert set(document["fixed"][configuration]) == set(benchmark_study.FIXED)
    assert len(document["partitions"]) == 4
    assert set(document["public_split"]) == set(benchmark_study.CROSS_CHECKED)
    assert run(people) == document


def test_the_served_configuration_differs_by_the_four_attributes_alone(people, document):
    names = {
        c: benchmark_study.fixed_model(
            "xgboost", TREES, scaler="standard", configuration=c, n_jobs=1
        )[0]
        for c in ("all", "served")
    }
    extra = registry.select(["audit"], audit_attributes="include")
    assert [n for n in names["all"] if n not in extra] == names["served"]
    assert document["fixed"]["all"]["xgboost"] != document["fixed"]["served"]["xgboost"]


def test_page_headline_and_markdown_take_the_document_as_it_is(document):
    published = [
        {"method": m, "split": s, "roc_auc": 0.7, "log_loss": None, "source": "a paper"}
        for m in ("Low", "High")
        for s in ("r0f0", "r0 mean of 3")
    ]
    whole = {**document, "published": published}
    template = render.environment().get_template("model/benchmark.html.j2")
    html = re.sub(r"\s+", " ", str(template.render(benchmark=page.build(whole))))
    mean = document["nested"]["all"]["blend"]["mean"]["roc_auc"]
    assert f"{mean:.4f}" in html
    headline = benchmark_report.headline(whole)
    assert headline["r0_mean_roc_auc"] == mean
    assert headline["r0f0_roc_auc"] == document["nested"]["all"]["blend"]["folds"][0]["roc_auc"]
    assert f"{mean:.4f}" in benchmark_report.markdown(whole)
