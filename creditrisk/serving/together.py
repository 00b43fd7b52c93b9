"""Scores the requests that arrive at the same moment in one call.

A numpy call costs nearly the same for one client and for ten. Requests that two turns of
the event loop have read are put into one batch at their end. Nobody waits for a clock: a
client alone is scored at once, and many that come together cost a third each. That one
gets the same numbers alone and in a batch is what allows it. BentoML's own adaptive
batching waits, and wants lists from callers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Together(Generic[Item, Answer]):
    """Collects what arrives at the same moment; one instance an event loop.

    Parameters
    ----------
    answer : callable
        Answers a list of items, one answer each, in their order. Where it fails for
        several it is asked for each alone, so that one item cannot spoil another's.
    """

    def __init__(self, answer: Callable[[Sequence[Item]], Sequence[Answer]]) -> None:
        self._answer = answer
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []

    async def __call__(self, item: Item) -> Answer:
        """Return the answer to one item; raise what answering it raised."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._collect)
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, future))
        return await future

    def _collect(self) -> None:
        """Let one more turn read what has arrived while this one worked."""
        asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """Answer everyone who waits."""
        waiting, self._waiting = self._waiting, []
        try:
            answers = self._answer([item for item, _ in waiting])
        except Exception:
            for item, future in waiting:
                self._alone(item, future)
            return
        for (_, future), answer in zip(waiting, answers, strict=True):
            if not future.done():  # its request was given up
                future.set_result(answer)

    def _alone(self, item: Item, future: asyncio.Future[Answer]) -> None:
        """Answer one item, or tell its request what went wrong."""
        if future.done():
            return
        try:
            future.set_result(self._answer([item])[0])
        except Exception as error:
            future.set_exception(error)
