"""Reasons: every feature in one group, words of the client, the largest first."""

from __future__ import annotations

import numpy as np
import pytest

from creditrisk.features import registry
from creditrisk.features.record import from_frame
from creditrisk.models import reasons
from creditrisk.models.reasons import REASONS, Behaviour
from tests.generated import raw_clients

CALM = {
    "limit": 100_000.0,
    "status": [-1.0, -1, 0, 0, -1, -1],
    "bill": [20_000.0, 20_000, 20_000, 20_000, 20_000, 20_000],
    "paid": [10_000.0, 10_000, 10_000, 10_000, 10_000, 10_000],
}


def describe(code: str, **change: object) -> str:
    reason = next(r for r in REASONS if r.code == code)
    return reason.describe(Behaviour(**{**CALM, **change}))  # type: ignore[arg-type]


@pytest.mark.parametrize("feature", registry.all_features(), ids=lambda f: f.name)
def test_every_feature_has_one_group_and_personal_ones_none(feature: registry.Feature) -> None:
    covering = [i for i, reason in enumerate(REASONS) if reason.covers(feature.name)]
    expected = [] if feature.is_audit else [1]
    assert [1] * len(covering) == expected
    assert reasons.groups_of([feature.name])[0] == (covering or [reasons.UNNAMED])[0]


@pytest.mark.parametrize(
    ("code", "change", "text"),
    [
        ("recent_delinquency", {}, "never behind in six months"),
        ("recent_delinquency", {"status": [2, 0, 0, 0, 0, 0]}, "2 months behind in September"),
        (
            "recent_delinquency",
            {"status": [0, 0, 1, 2, 0, 0]},
            "last late 1 month behind in July, late in 2 of six months",
        ),
        (
            "recent_delinquency",
            {"status": [9, 0, 0, 0, 0, 0]},
            "9 or more months behind in September",
        ),
        ("utilization", {}, "limit used to 20 % in September"),
        (
            "utilization",
            {"bill": [97_000, 40_000, 40_000, 40_000, 40_000, 43_000]},
            "limit used to 97 % in September, 50 % on average",
        ),
        (
            "utilization",
            {"bill": [-500, 0, 0, 0, 0, 0]},
            "credit balance of NT$ 500 in September",
        ),
        ("utilization", {"limit": 1.0}, "limit used to more than 1,000 % in September"),
        ("credit_limit", {}, "credit limit of NT$ 100,000"),
        ("balance_trend", {}, "use of the limit in September as in April"),
        (
            "balance_trend",
            {"bill": [50_000, 0, 0, 0, 0, 20_000]},
            "use of the limit up 30 points since April",
        ),
        (
            "balance_trend",
            {"bill": [0, 0, 0, 0, 0, 20_000]},
            "use of the limit down 20 points since April",
        ),
        ("payments", {}, "NT$ 10,000 paid a month, 10 % of the limit"),
        ("payments", {"paid": [0] * 6}, "no payment in six months"),
        ("repayment", {}, "50 % of five months' bills repaid"),
        (
            "repayment",
            {"paid": [10_000, 0, 0, 0, 0, 5_000]},
            "10 % of five months' bills repaid, no payment in 4 months",
        ),
        ("repayment", {"bill": [5_000, 0, -10, 0, 0, 0]}, "nothing to repay in five months"),
        ("spending", {}, "new spend of about NT$ 10,000 a month"),
        ("spending", {"paid": [0] * 6}, "no new spend in five months"),
        ("card_use", {}, "paid in full in 4 months, revolving in 2 months"),
        ("card_use", {"status": [2] * 6}, "behind in all six months"),
    ],
)
def test_words_say_what_the_client_did(code: str, change: dict[str, object], text: str) -> None:
    assert describe(code, **change) == text


@pytest.mark.parametrize("reason", REASONS, ids=lambda r: r.code)
def test_words_exist_for_everyone_and_stay_short(reason: reasons.Reason) -> None:
    record = from_frame(raw_clients(600, seed=4))
    texts = [reason.describe(client) for client in reasons.behaviours(record)]
    assert len(set(texts)) > 1
    assert all(3 < len(text) < 90 for text in texts)
    absurd = Behaviour(5e-324, [9.0] * 6, [1e308, -1e308, 1e308, 0, 0, 1], [1.7e308] * 6)
    assert len(reason.describe(absurd)) < 90


def test_the_largest_come_first_whichever_way_they_point() -> None:
    contributions = np.zeros((2, len(REASONS) + 1))
    contributions[0, [0, 1, 2, 3, 4]] = [0.1, -0.9, 0.5, 0.005, 0.3]
    contributions[0, reasons.UNNAMED] = 7.0  # a personal attribute, never named
    contributions[1] = 0.2  # ties keep the order of the groups
    chosen = reasons.choose(contributions)
    assert chosen[0] == [(1, -0.9), (2, 0.5), (4, 0.3), (0, 0.1)]
    assert chosen[1] == [(0, 0.2), (1, 0.2), (2, 0.2), (3, 0.2)]
    small = np.full((1, len(REASONS)), reasons.LEAST / 2)
    assert reasons.choose(small) == [[]]
