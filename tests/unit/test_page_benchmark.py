"""The section "The benchmark" and its short forms: numbers appear, words follow them."""

from __future__ import annotations

import re

import pytest

from creditrisk.reporting import render
from creditrisk.reporting.pages.model import benchmark
from creditrisk.validation import benchmark_report


def result(mean: float, *, loss: float = 0.43, se: float = 0.0035) -> dict:
    """Three folds around a mean, fold 0 the best by 0.003; errors as on 10,000 clients."""
    shared = {"pr_auc": 0.56, "log_loss": loss, "brier": 0.133}
    folds = [
        {"fold": i, "roc_auc": mean + shift, "roc_auc_se": 0.0061, **shared}
        for i, shift in enumerate((0.003, -0.001, -0.002))
    ]
    return {"folds": folds, "mean": {"roc_auc": mean, "roc_auc_se": se, **shared}}


def pair(label: str, auc: float, loss: float, verdict: str) -> dict:
    half = 0.002 if verdict == "within noise" else 0.0003

    def row(difference: float) -> dict:
        ends = {"low": difference - half, "high": difference + half}
        return {"difference": difference, "se": half / 3, "verdict": verdict, **ends}

    return {"label": label, "roc_auc": row(auc), "log_loss": row(loss)}


def small() -> dict:
    trees = {"features": "wide_set", "max_depth": 3, "subsample": 0.8}
    networks = {"features": "states", "hidden": [64, 32], "alpha": 0.3}
    chosen = [
        {
            "fold": i,
            "trees": [trees, trees | {"max_depth": 4}],
            "networks": [networks],
            "weight": 0.5 + i / 10,
        }
        for i in range(3)
    ]
    partitions = [
        {
            "seed": seed,
            "grouped": grouped,
            "xgboost": {"roc_auc": 0.789 + seed / 1e3 - 0.001 * grouped, "log_loss": 0.4241},
            "blend": {"roc_auc": 0.792 + seed / 1e3 - 0.001 * grouped, "log_loss": 0.4221},
        }
        for seed in range(3)
        for grouped in (False, True)
    ]

    def summary(mean: float) -> dict:
        spread = {"roc_auc_sd": 0.00071, "log_loss_mean": 0.42}
        return {
            "ungrouped": {"roc_auc_mean": mean, **spread},
            "grouped": {"roc_auc_mean": mean - 0.001, **spread},
        }

    return {
        "design": {
            "n": 30000, "folds": 3, "n_test": 10000, "inner_folds": 5,
            "candidates": {"trees": 24, "networks": 16}, "seed": 0,
        },
        "published": [
            {"method": "Low", "split": "r0 mean of 3", "roc_auc": 0.7599, "log_loss": 0.4577, "source": "a paper"},
            {"method": "High", "split": "r0 mean of 3", "roc_auc": 0.7910, "log_loss": 0.4233, "source": "a paper"},
            {"method": "Top", "split": "r0f0", "roc_auc": 0.7950, "log_loss": None, "source": "a table"},
        ],
        "nested": {
            "all": {"blend": result(0.7931, loss=0.4211), "trees": result(0.7908, loss=0.4232), "chosen": chosen},
            "served": {"blend": result(0.7922, loss=0.4219), "trees": result(0.7899), "chosen": chosen},
        },
        "fixed": {
            c: {"xgboost": result(0.7902), "blend": result(0.7937), "scorecard": result(0.7781)}
            for c in ("all", "served")
        },
        "pairs": {
            "blend_over_trees": pair("Blend less trees", 0.0023, -0.0021, "better"),
            "all_over_served_blend": pair("Blend with less without", 0.0009, -0.0008, "better"),
            "all_over_served_trees": pair("Trees with less without", 0.0009, -0.0007, "within noise"),
        },
        "partitions": partitions,
        "partition_summary": {"xgboost": summary(0.790), "blend": summary(0.793)},
        "public_split": {"xgboost": 0.7834, "blend": 0.7866},
    }  # fmt: skip


def shown(document: dict) -> str:
    template = render.environment().get_template("model/benchmark.html.j2")
    return re.sub(r"\s+", " ", str(template.render(benchmark=benchmark.build(document))))


def test_headlines_stand_first_with_their_numbers():
    html = shown(small())
    assert '<section id="benchmark">' in html
    assert "<h2>The benchmark</h2>" in html
    assert (
        "a ROC AUC of <strong>0.7931</strong> (SE 0.0035) and a log loss of 0.4211 on average: "
        "level with High at 0.7910; above Low by 0.0332 (SE 0.0035)." in html
    )
    assert "it has 0.7961 (SE 0.0061): level with Top at 0.7950." in html
    assert len(html) < 70_000


def test_no_word_of_victory():
    assert not re.search(r"\b(beats?|beaten|outperforms?|wins?|state of the art)\b", shown(small()))


@pytest.mark.parametrize(
    ("theirs", "words"),
    [
        # two standard errors of 0.0035 are 0.0070, and the edge itself is no longer level
        (0.7931, "level"),
        (0.7862, "level"),
        (0.8000, "level"),
        (0.7860, "above by 0.0071 (SE 0.0035)"),
        (0.8002, "below by 0.0071 (SE 0.0035)"),
    ],
)
def test_level_is_within_two_standard_errors_of_our_figure(theirs, words):
    assert benchmark.relation(0.7931, 0.0035, theirs) == words


def test_the_edge_is_not_level():
    assert benchmark.relation(0.5, 0.125, 0.25) == "above by 0.2500 (SE 0.1250)"


def test_a_higher_published_figure_is_named_as_such():
    document = small()
    document["published"][1]["roc_auc"] = 0.8100
    html = shown(document)
    assert "on average: above Low by 0.0332 (SE 0.0035); below High by 0.0169 (SE 0.0035)." in html


def test_many_level_methods_are_counted():
    document = small()
    document["published"] += [
        {
            "method": f"M{i}",
            "split": "r0f0",
            "roc_auc": 0.79 + i / 1e4,
            "log_loss": None,
            "source": "",
        }
        for i in range(6)
    ]
    assert "level with 7 of 7 published methods, from Top at 0.7950 to M0 at 0.7900." in shown(
        document
    )


@pytest.mark.parametrize(
    ("verdict", "price", "gain"),
    [
        ("better", "has a price", "buys something"),
        ("worse", "does good", "loses something"),
        (
            "within noise",
            "has no price that can be told from noise",
            "buys nothing that can be told from noise",
        ),
    ],
)
def test_price_and_gain_follow_the_verdicts(verdict, price, gain):
    document = small()
    for name in ("blend_over_trees", "all_over_served_blend"):
        document["pairs"][name] = pair("p", -0.0001, 0.0002, verdict)
    html = shown(document)
    assert f"Leaving SEX, EDUCATION, MARRIAGE and AGE out {price}. With them" in html
    assert f"Over the champion's trees, the blend {gain}: against" in html
    assert "the blend's ROC AUC is lower by 0.0001 (adjusted interval −0.0" in html
    assert f"{verdict}) and log loss higher by 0.0002" in html


def test_a_difference_stands_with_its_interval():
    html = shown(small())
    words = "is higher by 0.0009 (adjusted interval 0.0006–0.0012, better) and log loss lower by"
    assert f"{words} 0.0008 (−0.0011 to −0.0005, better)." in html
    assert "is higher by 0.0023 (adjusted interval 0.0020–0.0026, better) and log loss" in html


def test_ours_stand_among_the_published_by_rank():
    mean, first = benchmark.build(small())["splits"]
    names = [re.sub("<.*?>", "", row[0]) for row in mean["rows"]]
    assert names == [
        "Blend, fixed",
        "Blend, nested",
        "Blend, nested, without the four",
        "High",
        "Boosted trees, nested",
        "Scorecard, fixed",
        "Low",
    ]
    assert mean["figure"].alt.startswith("ROC AUC, mean of the three folds, highest first:")
    assert "Blend, nested 0.7931; " in mean["figure"].alt
    assert "Blend, nested 0.7961; " in first["figure"].alt
    top = next(row for row in first["rows"] if row[0] == "Top")
    assert top[3].value is None  # not published: a dash, never a zero


def test_recipes_folds_and_partitions_are_tables():
    shown_parts = benchmark.build(small())
    assert len(shown_parts["fold_rows"]) == 4 * (2 * 2 + 2 * 3)
    assert shown_parts["chosen_rows"][2][1:] == [
        "2",
        "features wide set, max depth 3, subsample 0.8<br>"
        "features wide set, max depth 4, subsample 0.8",
        "features states, hidden 64 × 32, alpha 0.3",
        "0.70",
    ]
    assert len(shown_parts["partitions"]["rows"]) == 6
    assert shown_parts["partitions"]["n"] == 3


@pytest.mark.parametrize(
    ("here", "words"),
    [
        # mean 0.7930, standard deviation 0.00071 over partitions
        (0.7937, "within two standard deviations of that, so those folds are no lucky draw"),
        (
            0.7945,
            "more than two standard deviations above that, so those folds look easier than most",
        ),
        (
            0.7915,
            "more than two standard deviations below that, so those folds look harder than most",
        ),
    ],
)
def test_published_folds_are_held_against_other_partitions(here, words):
    document = small()
    document["fixed"]["all"]["blend"] = result(here)
    html = shown(document)
    assert f"The blend averages 0.7930 there (standard deviation 0.0007); {here:.4f}" in html
    assert f"{here:.4f} on the published folds is {words}" in html
    assert "the mean is 0.7920 (standard deviation 0.0007), a change of −0.0010" in html  # grouped


@pytest.mark.parametrize(("fixed", "words"), [(0.7937, "0.0006 above"), (0.7929, "0.0002 below")])
def test_the_fixed_figure_stands_beside_the_claim_with_its_remark(fixed, words):
    document = small()
    document["fixed"]["all"]["blend"] = result(fixed)
    html = shown(document)
    assert f"has a mean ROC AUC of {fixed:.4f}, {words} the nested figure." in html
    assert "suggested by earlier tries on these very folds, so it is a little optimistic" in html


def test_headline_takes_the_nested_figures():
    assert benchmark_report.headline(small()) == {
        "mode": "nested",
        "r0f0_roc_auc": pytest.approx(0.7961),
        "r0_mean_roc_auc": 0.7931,
        "r0_mean_log_loss": 0.4211,
        "champion_r0_mean_roc_auc": 0.7908,
        "champion_r0_mean_log_loss": 0.4232,
        "served_r0_mean_roc_auc": 0.7922,
        "served_r0_mean_log_loss": 0.4219,
        "blend_over_champion_roc_auc": 0.0023,
    }


def test_fold_zero_is_found_by_its_number():
    document = small()
    document["nested"]["all"]["blend"]["folds"].reverse()
    assert benchmark_report.headline(document)["r0f0_roc_auc"] == pytest.approx(0.7961)
    document["nested"]["all"]["blend"]["folds"].pop()
    with pytest.raises(ValueError, match="not enough values"):
        benchmark_report.headline(document)


def test_markdown_holds_both_splits_in_order():
    assert benchmark_report.markdown(small()) == (
        "| Mean of three folds | ROC AUC | log loss |\n"
        "| --- | --- | --- |\n"
        "| **Blend, nested** | **0.7931 ± 0.0035** | **0.4211** |\n"
        "| **Blend, nested, without the four attributes** | **0.7922 ± 0.0035** | **0.4219** |\n"
        "| High | 0.7910 | 0.4233 |\n"
        "| **Boosted trees, nested** | **0.7908 ± 0.0035** | **0.4232** |\n"
        "| Low | 0.7599 | 0.4577 |\n"
        "\n"
        "| Fold 0 | ROC AUC | log loss |\n"
        "| --- | --- | --- |\n"
        "| **Blend, nested** | **0.7961 ± 0.0061** | **0.4211** |\n"
        "| **Blend, nested, without the four attributes** | **0.7952 ± 0.0061** | **0.4219** |\n"
        "| Top | 0.7950 | – |\n"
        "| **Boosted trees, nested** | **0.7938 ± 0.0061** | **0.4232** |\n"
    )
