"""What the champion says of segments that were formed without it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from statsmodels.stats.proportion import proportion_confint

from creditrisk.errors import UserError
from creditrisk.models.rows import Scored
from creditrisk.segments import embedding
from creditrisk.stats.samples import NotApplicableError
from creditrisk.validation import segments

PROPORTIONS = {"a": (10, 40), "b": (30, 60)}
"""Defaults and clients by label."""


def spread(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return probabilities, outcomes drawn from them, and labels that mean nothing."""
    draw = np.random.default_rng(seed)
    p = special.expit(draw.normal(-1.2, 1.0, n))
    return p, (draw.random(n) < p).astype(int), draw.integers(0, 4, n)


def counted() -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat(list(PROPORTIONS), [n for _, n in PROPORTIONS.values()])
    y = np.concatenate([np.arange(n) < d for d, n in PROPORTIONS.values()]).astype(int)
    return labels, y


def test_rates_and_exposure_by_hand():
    """Two clients of b owe 1,000 and 3,000; the credit balance of a owes nothing."""
    rows = segments.rates_by_label(
        ["a", "b", "b"],
        np.array([0, 1, 0]),
        np.array([0.1, 0.2, 0.4]),
        np.array([-500.0, 1000.0, 3000.0]),
    )
    assert [row["label"] for row in rows] == ["b", "a"]
    assert [row["exposure"] for row in rows] == [0.2 * 1000 + 0.4 * 3000, 0.0]
    assert rows[0]["observed"] == 0.5
    assert rows[0]["predicted"] == pytest.approx(0.3)
    low, high = proportion_confint(1, 2, method="wilson")
    assert (rows[0]["low"], rows[0]["high"]) == pytest.approx((low, high), abs=1e-12)


def test_inside_tells_whether_the_interval_holds_the_mean_prediction():
    labels, y = counted()
    bill = np.zeros(len(y))
    right = segments.rates_by_label(labels, y, np.where(labels == "a", 0.25, 0.5), bill)
    wrong = segments.rates_by_label(labels, y, np.where(labels == "a", 0.25, 0.8), bill)
    assert [row["inside"] for row in right] == [True, True]
    assert [row["inside"] for row in wrong] == [False, True]


def test_likelihood_ratio_by_hand():
    """Score and label cross in a 2 × 2 table in which each score has one default rate.

    A logistic regression on a score of two values fits both rates; with the score
    unrelated to the label (same share of each in both), the model with the label fits
    the margins of both, which here are the rates of the four cells.
    """
    # (score, label): defaults of clients. Log-odds: ±log 3 by score, nothing by label.
    cells = {(0.2, "a"): (10, 40), (0.2, "b"): (10, 40), (0.6, "a"): (30, 40), (0.6, "b"): (30, 40)}
    p, labels, y = table(cells)
    out = segments.added_value(labels, y, p)
    assert out["statistic"] == pytest.approx(0, abs=1e-9)
    assert out["p_value"] == pytest.approx(1, abs=1e-6)

    # The label shifts the log-odds by log 9: rates 1/4 and 3/4, then 1/2 and 9/10.
    cells = {
        (0.2, "a"): (10, 40),
        (0.2, "b"): (30, 40),
        (0.6, "a"): (20, 40),
        (0.6, "b"): (36, 40),
    }
    p, labels, y = table(cells)
    saturated = sum(bernoulli(d, n) for d, n in cells.values())  # additive by construction
    by_score = bernoulli(40, 80) + bernoulli(56, 80)
    out = segments.added_value(labels, y, p)
    expected = 2 * (saturated - by_score)
    assert out["statistic"] == pytest.approx(expected, abs=1e-8)
    assert out["df"] == 1
    assert out["p_value"] == pytest.approx(stats.chi2.sf(expected, 1), rel=1e-6)
    assert out["delta_log_loss"] == pytest.approx(-expected / (2 * 160), abs=1e-10)


def table(cells: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    sizes = [n for _, n in cells.values()]
    p = np.repeat([score for score, _ in cells], sizes)
    labels = np.repeat([label for _, label in cells], sizes)
    y = np.concatenate([np.arange(n) < d for d, n in cells.values()]).astype(int)
    return p, labels, y


def bernoulli(defaults: int, n: int) -> float:
    rate = defaults / n
    return defaults * np.log(rate) + (n - defaults) * np.log(1 - rate)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_difference_of_two_log_losses_of_another_library(seed):
    p, y, labels = spread(2000, seed)
    p = special.expit(special.logit(p) + 0.3 * (labels == 2))
    out = segments.added_value(labels, y, p)
    score = special.logit(p)[:, None]
    both = np.hstack([score, labels[:, None] == np.arange(1, 4)])
    losses = [
        log_loss(
            y, LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(X, y).predict_proba(X)
        )
        for X in (score, both)
    ]
    assert out["delta_log_loss"] == pytest.approx(losses[1] - losses[0], abs=1e-9)
    assert out["statistic"] == pytest.approx(2 * 2000 * (losses[0] - losses[1]), abs=1e-5)
    assert out["df"] == 3


def test_p_values_are_uniform_where_the_label_means_nothing():
    """200 seeds; Kolmogorov-Smirnov at a level that one honest run in 1,000 fails."""
    p_values = [
        segments.added_value(labels, y, p)["p_value"]
        for p, y, labels in (spread(600, seed) for seed in range(200))
    ]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_a_label_that_matters_is_found():
    p, y, _ = spread(3000, 7)
    blind = np.full_like(p, 0.25) + 0.001 * (np.arange(len(p)) % 7)
    out = segments.added_value(np.where(p > 0.3, "risky", "calm"), y, blind)
    assert out["p_value"] < 1e-20
    assert out["delta_log_loss"] < -0.01


@pytest.mark.parametrize(
    ("labels", "p", "message"),
    [
        (["a"] * 4, [0.1, 0.2, 0.3, 0.4], "one label"),
        (["a", "a", "b", "b"], [0.2] * 4, "probabilities are equal"),
        (["a", "a", "a", "b"], [0.1, 0.2, 0.3, 0.4], "b: all clients have the same outcome"),
    ],
)
def test_what_has_no_answer_is_not_applicable(labels, p, message):
    with pytest.raises(NotApplicableError, match=message):
        segments.added_value(labels, np.array([0, 1, 1, 0]), np.array(p))


@pytest.mark.parametrize("bad", [np.nan, 0.0, 1.0, np.inf])
def test_a_probability_that_is_none_is_refused(bad):
    with pytest.raises(UserError, match="probability"):
        segments.added_value(
            ["a", "a", "b", "b"], np.array([0, 1, 0, 1]), np.array([0.1, bad, 0.3, 0.4])
        )


def population(n: int = 400) -> tuple[Scored, dict]:
    p, y, labels = spread(n, 5)
    ids, train = np.arange(1, n + 1), 300
    scored = Scored(
        train_id=ids[:train],
        holdout_id=ids[train:],
        train_y=y[:train],
        holdout_y=y[train:],
        train_groups=ids[:train],
        holdout_groups=ids[train:],
        fit_row=np.ones(train, dtype=bool),
        train={"tree": p[:train]},
        holdout={"tree": p[train:]},
    )
    draw = np.random.default_rng(1)
    order = draw.permutation(n)  # tables come in an order of their own
    x, z = draw.normal(size=(2, n))
    tables = {
        "bills": pd.DataFrame({"ID": ids, segments.BILL: 1000.0 * labels}).iloc[order],
        "clusters": pd.DataFrame({"ID": ids, "cluster_id": labels, "tsne_1": x, "tsne_2": z}).iloc[
            order
        ],
        "rfm": pd.DataFrame({"ID": ids, "segment": np.array(list("wxyz"))[labels]}),
        "names": ["none", "one", "two", "three"],
    }
    return scored, tables


def test_all_clients_are_described_and_training_rows_tested():
    scored, tables = population()
    found = segments.describe(scored, "tree", **tables)
    for name in ("clusters", "rfm"):
        assert sum(row["n"] for row in found[name]) == 400
    assert {row["label"] for row in found["clusters"]} == set(tables["names"])
    same = [{k: v for k, v in row.items() if k != "label"} for row in found["rfm"]]
    assert same == [{k: v for k, v in row.items() if k != "label"} for row in found["clusters"]]
    train = tables["clusters"].set_index("ID")["cluster_id"].reindex(scored.train_id)
    expected = segments.added_value(train.tolist(), scored.train_y, scored.train["tree"])
    assert found["cluster_test"] == pytest.approx({"applicable": True, **expected})
    assert found["cluster_test"]["n"] == 300
    everyone = np.concatenate([scored.train["tree"], scored.holdout["tree"]])
    bills = tables["bills"].sort_values("ID")[segments.BILL].to_numpy()
    assert sum(row["exposure"] for row in found["rfm"]) == pytest.approx(everyone @ bills)


def test_the_map_holds_everyone_and_their_mean_probability():
    scored, tables = population()
    found = segments.describe(scored, "tree", **tables)["map"]
    assert sum(found["n"]) == 400
    total = scored.train["tree"].sum() + scored.holdout["tree"].sum()
    assert np.dot(found["n"], found["mean"]) == pytest.approx(total)
    assert max(found["shape"]) == embedding.COARSE


def test_clients_without_a_label_are_left_out():
    scored, tables = population()
    tables["rfm"] = tables["rfm"].iloc[:250]
    found = segments.describe(scored, "tree", **tables)
    assert sum(row["n"] for row in found["rfm"]) == 250
    assert found["rfm_test"]["n"] == 250


def test_one_segment_only_is_described_without_a_test():
    scored, tables = population()
    tables["rfm"] = tables["rfm"].assign(segment="all")
    found = segments.describe(scored, "tree", **tables)
    assert found["rfm_test"] == {"applicable": False, "reason": "all clients have one label"}
    assert segments.headline(found)["rfm_test"] == found["rfm_test"]


def test_headline_has_what_other_pages_read():
    scored, tables = population()
    found = segments.describe(scored, "tree", **tables)
    short = segments.headline(found)
    assert set(short) == {"clusters", "rfm", "cluster_test", "rfm_test"}
    row, full = short["clusters"][0], found["clusters"][0]
    assert list(row) == ["name", "n", "rate", "low", "high", "predicted", "exposure"]
    assert (row["name"], row["rate"]) == (full["label"], full["observed"])
