"""Costly watches are served after the others, off the event loop, and give way when they fall behind."""

import asyncio
from contextlib import ExitStack, aclosing
from typing import Any

import pytest

from rollbook.language.filters import parse_filter
from rollbook.registry.feed.change_events import Message
from rollbook.registry.registry import Registry
from rollbook.registry.watching import lanes
from rollbook.registry.watching.watching import Bookmark, Overflow, Watch, WatchEvent
from rollbook.security.callers import Caller
from tests.registry.writing import create

SECONDS_MAX = 20


def costly(number: int) -> Any:
    """A filter that matches everything and takes some milliseconds."""
    each = {"$map": {"input": {"$range": [0, 20_000 + number]}, "in": "$$this"}}
    return {"$expr": {"$gte": [{"$sum": each}, 0]}}


async def first(watch: Watch) -> WatchEvent:
    async with asyncio.timeout(SECONDS_MAX), aclosing(watch.events(bookmark_seconds=SECONDS_MAX)) as batches:
        async for batch in batches:
            return batch[0]
    raise AssertionError("the watch ended")


async def test_a_plain_watch_waits_for_no_costly_one(registry: Registry) -> None:
    watching = registry.watching
    with ExitStack() as opened:
        slow = [
            opened.enter_context(watching.open(Caller.FULL, parse_filter(costly(number)), form="document", since=None))
            for number in range(40)
        ]
        plain = opened.enter_context(watching.open(Caller.FULL, parse_filter({}), form="document", since=None))
        newest = await create(registry, "west")

        assert isinstance(await first(plain), Message)
        assert slow[0].lane.revision < newest
        assert {told.revision for told in await asyncio.gather(*map(first, slow))} == {newest}


async def test_the_loop_goes_on_while_costly_filters_are_evaluated(registry: Registry) -> None:
    with registry.watching.open(Caller.FULL, parse_filter(costly(10_000)), form="document", since=None) as watch:
        await create(registry, "west")
        reading, turns = asyncio.create_task(first(watch)), 0
        while not reading.done():
            await asyncio.sleep(0)
            turns += 1
        assert isinstance(await reading, Message)
        assert turns > 10


async def test_a_costly_watch_that_falls_behind_overflows_and_a_cheaper_one_does_not(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "BEHIND_CHANGES_MAX", 2)
    costlier, cheaper = parse_filter(costly(25_000)), parse_filter({"id": {"$regex": "^w.st"}})
    with (
        registry.watching.open(Caller.FULL, costlier, form="document", since=None) as slow,
        registry.watching.open(Caller.FULL, cheaper, form="document", since=None) as quick,
    ):
        newest = max(await asyncio.gather(*(create(registry, f"west-{number}") for number in range(40))))
        while quick.lane.revision < newest:
            await asyncio.sleep(0.01)

        told: list[WatchEvent] = []
        async with asyncio.timeout(SECONDS_MAX), aclosing(slow.events(bookmark_seconds=SECONDS_MAX)) as batches:
            async for batch in batches:
                told += batch
        assert isinstance(told[-1], Overflow)
        assert [message.revision for message in quick.mailbox.take()] == list(range(1, 41))


async def test_the_bookmark_of_a_costly_watch_is_as_far_as_it_was_evaluated(registry: Registry) -> None:
    never = {"$and": [costly(0), {"id": "nobody"}]}
    with registry.watching.open(
        Caller.FULL, parse_filter({"$or": [never, never]}), form="document", since=None
    ) as watch:
        newest = await create(registry, "west")
        async with asyncio.timeout(SECONDS_MAX), aclosing(watch.events(bookmark_seconds=0.01)) as batches:
            async for (told,) in batches:
                assert isinstance(told, Bookmark)
                assert told.revision <= watch.lane.revision
                if told.revision == newest:
                    break
