"""Requests of one moment are answered in one call, and none spoils another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from creditrisk.serving.together import Together


class Doubling:
    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.calls.append(list(items))
        if 13 in items:
            raise ValueError("unlucky")
        return [2 * item for item in items]


def ask(items: list[int]) -> tuple[list[object], list[list[int]]]:
    answer = Doubling()

    async def run() -> list[object]:
        together = Together(answer)
        return await asyncio.gather(*map(together, items), return_exceptions=True)

    return asyncio.run(run()), answer.calls


def test_one_call_for_all_that_wait() -> None:
    answers, calls = ask([1, 2, 3])
    assert answers == [2, 4, 6]
    assert calls == [[1, 2, 3]]


def test_a_failure_is_its_own() -> None:
    answers, calls = ask([1, 13, 3])
    assert answers[0] == 2
    assert answers[2] == 6
    assert isinstance(answers[1], ValueError)
    assert calls == [[1, 13, 3], [1], [13], [3]]


def test_nobody_waits_for_the_next() -> None:
    answer = Doubling()

    async def run() -> None:
        together = Together(answer)
        assert await together(1) == 2
        assert await together(2) == 4

    asyncio.run(run())
    assert answer.calls == [[1], [2]]


def test_a_request_that_was_given_up_is_passed_over() -> None:
    answer = Doubling()

    async def run() -> int:
        together = Together(answer)
        given_up = asyncio.ensure_future(together(1))
        kept = asyncio.ensure_future(together(2))
        await asyncio.sleep(0)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        return await kept

    assert asyncio.run(run()) == 4
