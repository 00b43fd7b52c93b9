"""The sentences that open the rfm page, and how they mark their numbers."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt
from creditrisk.reporting.pages.rfm import added_value


def mark(results: dict[str, Any], key: str, form: Any = "decimal") -> Markup:
    """Return a headline number with the key that it can be read back from."""
    return fmt.metric(results["headline"][key], f"rfm:{key}", form)


def write_verdict(results: dict[str, Any]) -> list[Markup]:
    """Return the sentences that open the page."""
    headline = results["headline"]
    ratio = _ratio(headline["default_rate_no_spend"], headline["default_rate_recent"])
    return [
        Markup(
            "As specified, recency {}: {} of {} clients have a bill in the newest month and share "
            "one value."
        ).format(
            "says little" if headline["recency_ties_share_as_specified"] > 0.5 else "has ties",
            mark(results, "recency_ties_share_as_specified", "percent"),
            mark(results, "rows", "integer"),
        ),
        Markup(
            "Measured on spend above {} a month, the {} clients who spent in the newest month "
            "default at {}, the {} without any such spend in five months at {}{}."
        ).format(
            mark(results, "spend_threshold", "money"),
            mark(results, "n_recent", "integer"),
            mark(results, "default_rate_recent", "percent"),
            mark(results, "n_no_spend", "integer"),
            mark(results, "default_rate_no_spend", "percent"),
            ratio,
        ),
        Markup(
            "Ordered rules sort every client into one of {} segments, the largest of which holds "
            "{}; the lowest default rate, {}, is that of “{}”, the highest, {}, that of “{}”."
        ).format(
            mark(results, "n_segments", "integer"),
            mark(results, "largest_segment_share", "percent"),
            mark(results, "lowest_segment_default_rate", "percent"),
            mark(results, "lowest_segment"),
            mark(results, "highest_segment_default_rate", "percent"),
            mark(results, "highest_segment"),
        ),
        Markup(
            "Bands read off another sample leave {} of the clients in their segment, but one "
            "month's shift leaves {}: a segment describes a few months of use, not loyalty."
        ).format(
            mark(results, "kept_resampled", "percent"), mark(results, "kept_shifted", "percent")
        ),
        Markup.escape(_added(results["studies"]["added_value"]["document"])),
    ]


def _ratio(high: float, low: float) -> str:
    """Say how many times one rate is the other, where that can be said."""
    return f", {fmt.decimal(high / low, 1)} times as often" if low > 0 else ""


def _added(document: dict[str, Any]) -> str:
    """Say what the segment adds to the first model and to the last, which reads most."""
    models = document["models"]
    said = []
    for model in dict.fromkeys((0, len(models) - 1)):
        arm = next(a for a in models[model]["arms"] if a["id"] == "segment")
        label = models[model]["label"]
        said.append(f"{added_value.tell_rank(arm)} for {label[0].lower()}{label[1:]}")
    return f"Out of fold, adding the segment changes ROC AUC by {' and by '.join(said)}."
