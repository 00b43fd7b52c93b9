"""The sentences that open the rfm page, and how they mark their numbers."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from creditrisk.reporting import format as fmt


def mark(results: dict[str, Any], key: str, form: Any = "decimal") -> Markup:
    """Return a headline number with the key that it can be read back from."""
    return fmt.metric(results["headline"][key], f"rfm:{key}", form)


def write_verdict(results: dict[str, Any]) -> list[Markup]:
    """Return the sentences that open the page."""
    ratio = _ratio(
        results["headline"]["default_rate_no_spend"], results["headline"]["default_rate_recent"]
    )
    return [
        Markup(
            "As specified, recency says little: {} of {} clients have a bill in the newest month "
            "and share one value."
        ).format(
            mark(results, "recency_ties_share_as_specified", "percent"),
            mark(results, "rows", "integer"),
        ),
        Markup(
            "Measured on spend above {} a month it tells clients apart: the {} who spent in the "
            "newest month default at {}, the {} without any such spend in five months at {}{}."
        ).format(
            mark(results, "spend_threshold", "money"),
            mark(results, "n_recent", "integer"),
            mark(results, "default_rate_recent", "percent"),
            mark(results, "n_no_spend", "integer"),
            mark(results, "default_rate_no_spend", "percent"),
            ratio,
        ),
        Markup(
            "Ordered rules sort every client into one of {} segments; the lowest default rate, "
            "{}, is that of “{}”, the highest, {}, that of “{}”."
        ).format(
            mark(results, "n_segments", "integer"),
            mark(results, "lowest_segment_default_rate", "percent"),
            mark(results, "lowest_segment"),
            mark(results, "highest_segment_default_rate", "percent"),
            mark(results, "highest_segment"),
        ),
        Markup(
            "The largest segment holds {} of the clients. All of this describes how a card is "
            "used, not loyalty, and the default rates are counts, not predictions."
        ).format(mark(results, "largest_segment_share", "percent")),
    ]


def _ratio(high: float, low: float) -> str:
    """Say how many times one rate is the other, where that can be said."""
    return f", {fmt.decimal(high / low, 1)} times as often" if low > 0 else ""
