"""The section on several groups: tests side by side, pairs, two factors at once."""

from __future__ import annotations

from typing import Any

from creditrisk import schema
from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.statistics import anova_figures as draw
from creditrisk.reporting.pages.statistics import text

Row = dict[str, Any]

ONE_WAY = ("anova", "welch_anova", "kruskal")
METHODS = {"tukey": "Tukey", "games_howell": "Games–Howell", "dunn": "Dunn"}
MANY_PAIRS = 6
SAME = 1e-4
"""Stored numbers have six digits: two that differ by less than this share are the same."""


def build(rows: list[Row], *, alpha: float = 0.05, confidence: float = 0.95) -> Row:
    """Return what the template shows.

    Parameters
    ----------
    rows : list of dict
        Questions that were answered; those of other kinds are passed over.
    alpha, confidence : float
        Level of the tests and of the intervals.

    Returns
    -------
    dict
    """
    pairs: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["kind"] in ONE_WAY:
            pairs.setdefault((row["value"], row["group"]), []).append(row)
    panels = [describe(asked, alpha, confidence) for asked in pairs.values()]
    return {
        "panels": panels,
        "factorials": [cross(row, confidence) for row in rows if row["kind"] == "two_way"],
        "n_agree": sum(panel["agree"] for panel in panels),
        "ranked": sorted(panels, key=lambda panel: -panel["share"]),
        "level": fmt.percent(alpha, 0),
        "confidence": fmt.percent(confidence, 0),
    }


def describe(asked: list[Row], alpha: float, confidence: float) -> Row:
    """Return the tests, groups and pairs of one column by one grouping."""
    row, details = asked[0], asked[0]["details"]
    binary, spread = details.get("binary"), details["spread"]
    means = sorted(details["groups"], key=lambda group: -group["mean"])
    tests = [details["kruskal"], details["welch"], details["f"]]
    p_values = [test["p_value"] for test in tests if test]
    return {
        "questions": [{"id": one["id"], "question": one["question"]} for one in asked],
        "subject": text.name_subject(row),
        "id": f"{row['value']}_by_{row['group']}".lower(),
        "value": text.name_column(row["value"]),
        "n": row["n"],
        "share": details["omega2"],
        "top": group_words(row["value"], means[0]),
        "bottom": group_words(row["value"], means[-1]),
        "agree": len({p < alpha for p in p_values}) == 1,
        "rejects": max(p_values) < alpha,
        "binary": identity(binary) if binary else None,
        "rely": rely_on(details, alpha),
        "spread_p": fmt.p_value(spread["p_value"]),
        "variance_ratio": spread["variance_ratio"],
        "tests": binary_rows(binary) if binary else test_rows(asked),
        "groups": [group_row(row["value"], group) for group in means],
        "figure": draw.group_means(row, means, confidence),
        **compare_pairs(row["value"], details["posthoc"], alpha),
    }


def rely_on(details: Row, alpha: float) -> str:
    """Return which test the spread of the groups speaks for."""
    if details["spread"]["p_value"] >= alpha:
        return "classic"
    return "welch" if details["welch"] else "ranks"


def group_words(column: str, group: Row) -> str:
    """Return a group with its mean in words."""
    return f"{text.in_unit(column, group['mean'])} ({text.name_level(group['label'])})"


def group_row(column: str, group: Row) -> list[Any]:
    """Return one group's size, mean, median and spread; a rate needs no more than itself."""
    cells = [
        text.name_level(group["label"]),
        fmt.integer(group["n"]),
        text.in_unit(column, group["mean"]),
    ]
    if column == schema.TARGET:
        return cells
    return cells + [text.in_unit(column, group[key]) for key in ("median", "sd")]


def test_rows(asked: list[Row]) -> list[list[Any]]:
    """Return F, Welch and Kruskal-Wallis, with effects and the intervals that are known."""
    details = asked[0]["details"]
    known = {one["effect_name"]: (one["effect_low"], one["effect_high"]) for one in asked}
    kruskal, welch = details["kruskal"], details["welch"]
    share = effect("ω²", details["omega2"], known.get("omega2"))
    share += f", η² = {text.signed(details['eta2'], 3)}"
    rows = [
        test_row("ANOVA (F, one variance)", details["f"] | {"df_error": details["df_error"]}, share)
    ]
    if welch:
        rows.append(test_row("Welch ANOVA (a variance each)", welch, fmt.NONE))
    shown = effect("ε²", kruskal["epsilon2"], known.get("epsilon2"))
    return [*rows, test_row("Kruskal-Wallis (H, ranks)", kruskal, shown)]


def binary_rows(binary: Row) -> list[list[Any]]:
    """Return F beside its twins for an outcome of 0 and 1."""
    anova, chi2 = binary["anova"], binary["chi_square"]
    share = effect("ω²", anova["omega2"], (anova["low"], anova["high"]))
    return [
        test_row("ANOVA (F), as asked", anova, share),
        test_row("Pearson's χ²", chi2, effect("V", chi2["cramers_v"], (chi2["low"], chi2["high"]))),
        test_row("Likelihood ratio, logistic regression", binary["likelihood_ratio"], fmt.NONE),
    ]


def test_row(name: str, test: Row, shown: str) -> list[Any]:
    """Return one test: statistic, degrees of freedom, p and effect."""
    df = str(fmt.integer(test["df"]))
    if test.get("df_error") is not None:
        df += f"; {fmt.integer(test['df_error'])}"
    return [name, text.large(test["statistic"]), df, fmt.p_value(test["p_value"]), shown]


def effect(symbol: str, value: float, ends: tuple[float, float] | None) -> str:
    """Return an effect with its interval where that is known."""
    interval = f" ({text.signed(ends[0], 3)} to {text.signed(ends[1], 3)})" if ends else ""
    return f"{symbol} = {text.signed(value, 3)}{interval}"


def identity(binary: Row) -> Row:
    """Return both sides of χ² = n · η², and whether they agree to the stored digits."""
    chi2, other = binary["chi_square"]["statistic"], binary["n_eta2"]
    return {
        "n": fmt.integer(binary["n"]),
        "eta2": fmt.decimal(binary["anova"]["eta2"], 6),
        "n_eta2": fmt.decimal(other, 2),
        "chi2": fmt.decimal(chi2, 2),
        "holds": abs(other - chi2) <= SAME * chi2,
    }


def compare_pairs(column: str, found: Row, alpha: float) -> Row:
    """Return every pair by three methods, largest difference first, and how many differ."""
    methods = {key: tests for key, tests in found.items() if tests is not None}
    pairs = [
        dict(zip(methods, tests, strict=True)) for tests in zip(*methods.values(), strict=True)
    ]
    pairs.sort(key=lambda pair: -abs(pair["tukey"]["difference"]))
    counts = dict.fromkeys(("all", "some", "none"), 0)
    table, disputed = [], []
    for pair in pairs:
        n_differ = sum(test["p_value"] < alpha for test in pair.values())
        verdict = "all" if n_differ == len(pair) else "some" if n_differ else "none"
        counts[verdict] += 1
        cells = pair_cells(column, pair)
        disputed += [cells[0]] if verdict == "some" else []
        table.append([*cells, verdict])
    return {
        "pair_rows": table,
        "n_pairs": len(table),
        "many_pairs": len(table) > MANY_PAIRS,
        "pair_counts": counts,
        "disputed": text.join_words(disputed),
        "methods": text.join_words([METHODS[key] for key in methods]),
        "no_games_howell": "games_howell" not in methods,
    }


def pair_cells(column: str, pair: Row) -> list[Any]:
    """Return one pair by each method, the group with the larger mean first."""
    tukey = pair["tukey"]
    sign = -1 if tukey["difference"] < 0 else 1
    names = [text.name_level(tukey[end]) for end in ("first", "second")][::sign]
    cells: list[Any] = [" − ".join(names), text.in_unit(column, sign * tukey["difference"])]
    for method in ("tukey", "games_howell"):
        if method not in pair:
            cells += [fmt.NONE, fmt.NONE]
            continue
        ends = [sign * pair[method][end] for end in ("low", "high")][::sign]
        low, high = (text.in_unit(column, end) for end in ends)
        cells += [f"{low} to {high}", fmt.p_value(pair[method]["p_value"])]
    dunn = pair["dunn"]
    return [*cells, fmt.decimal(sign * dunn["statistic"], 2), fmt.p_value(dunn["p_value"])]


def cross(row: Row, confidence: float) -> Row:
    """Return the terms of a two-way analysis, its cells and whether the lines are parallel."""
    found, column = row["details"]["two_way"], row["value"]
    names = {"first": text.name_column(row["group"]), "second": text.name_column(row["and"])}
    names["interaction"] = f"{names['first']} × {names['second']}"
    terms = {term["term"]: term for term in found["terms"]}
    apart = terms["interaction"]
    return {
        "id": row["id"],
        "question": row["question"],
        "value": text.name_column(column),
        "names": names,
        "n": found["n"],
        "term_rows": [
            test_row(
                names[key],
                term | {"df_error": found["df_error"]},
                effect("partial ω²", term["effect"], (term["low"], term["high"])),
            )
            for key, term in terms.items()
        ],
        "cell_rows": [
            [
                *(text.name_level(cell[key]) for key in ("first", "second")),
                fmt.integer(cell["n"]),
                *(text.in_unit(column, cell[key]) for key in ("mean", "sd")),
            ]
            for cell in found["cells"]
        ],
        "interaction": apart,
        "smallest": row["smallest_effect"],
        "parallel": how_parallel(apart, row["smallest_effect"]),
        "significant": row["p_holm"] < 1 - confidence,
        "p_holm": fmt.p_value(row["p_holm"]),
        "gaps": gap_words(column, found["cells"]),
        "figure": draw.interaction(row, names, confidence),
    }


def how_parallel(term: Row, smallest: float) -> str:
    """Return "enough", "not" or "open" by the interval of the interaction's partial ω²."""
    if term["high"] < smallest:
        return "enough"
    return "not" if term["low"] >= smallest else "open"


def gap_words(column: str, cells: list[Row]) -> Row | None:
    """Return the gap between two lines where it is lowest and where it is highest."""
    levels = sorted({cell["second"] for cell in cells}, key=str)
    if len(levels) != 2:
        return None
    means = {(cell["first"], cell["second"]): cell["mean"] for cell in cells}
    gaps = {first: means[first, levels[1]] - means[first, levels[0]] for first, _ in means}
    ends = [min(gaps, key=gaps.__getitem__), max(gaps, key=gaps.__getitem__)]
    return {
        "of": f"{text.name_level(levels[1])} − {text.name_level(levels[0])}",
        "low": f"{text.in_unit(column, gaps[ends[0]])} ({text.name_level(ends[0])})",
        "high": f"{text.in_unit(column, gaps[ends[1]])} ({text.name_level(ends[1])})",
        "crosses": gaps[ends[0]] < 0 < gaps[ends[1]],
    }
