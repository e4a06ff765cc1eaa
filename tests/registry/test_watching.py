"""Watching: from where it begins on, each change once and in order, and a word when that can't be."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from rollbook.errors import ExpressionRefused, RequestRefused, TooManyWatchers
from rollbook.language.filters import parse_filter
from rollbook.registry.feed.change_events import Message
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.registry import Registry
from rollbook.registry.watching import mailboxes
from rollbook.registry.watching.watching import Bookmark, Overflow, WatchEvent, Watching
from rollbook.security.callers import Caller
from tests.registry.writing import create, delete, update

BOOKMARK_SECONDS = 0.05
SECONDS_MAX = 10


async def told_by(
    watching: Watching, filter: Any, *, since: int | None = None, until: int, pause_seconds: float = 0
) -> list[WatchEvent]:
    """What a watch tells, up to the revision ``until`` or its end; the reader pauses after every batch."""
    told: list[WatchEvent] = []
    with watching.open(Caller.FULL, parse_filter(filter), form="document", since=since) as watch:
        async with asyncio.timeout(SECONDS_MAX), aclosing(watch.events(bookmark_seconds=BOOKMARK_SECONDS)) as batches:
            async for batch in batches:
                told += batch
                await asyncio.sleep(pause_seconds)
                if batch[-1].revision >= until:
                    break
    return told


def messages_in(told: Sequence[WatchEvent]) -> list[tuple[int, str]]:
    """The revisions and names of the messages."""
    return [(each.revision, each.name) for each in told if isinstance(each, Message)]


async def test_every_change_has_the_name_that_it_has_for_the_filter(registry: Registry) -> None:
    await create(registry, "west", status="live")
    for status in ("live", "draining", "offline", "live"):
        await update(registry, "west", {"status": status, "reputation": len(status)})
    await update(registry, "west", {"reputation": 1})
    last = await delete(registry, "west")

    told = await told_by(registry.watching, {"status": "live"}, since=0, until=last)

    names = ("created", "updated", "left", None, "entered", "updated", "deleted")
    assert messages_in(told) == [(revision, name) for revision, name in enumerate(names, 1) if name]


async def test_a_watch_without_a_beginning_tells_nothing_that_was_acknowledged_before(registry: Registry) -> None:
    await create(registry, "west")
    with registry.watching.open(Caller.FULL, parse_filter({}), form="document", since=None) as watch:
        later = await create(registry, "east")
        async with aclosing(watch.events(bookmark_seconds=BOOKMARK_SECONDS)) as batches:
            assert messages_in(await anext(batches)) == [(later, "created")]


async def test_a_watch_that_begins_at_the_newest_revision_is_not_told_it_again(registry: Registry) -> None:
    for number in range(20):
        newest = await create(registry, f"west-{number}")
        told = await told_by(registry.watching, {}, since=newest, until=newest)
        assert messages_in(told) == []


@pytest.mark.parametrize("bytes_max", [0, 20_000, 10_000_000])
async def test_the_past_is_the_same_from_memory_and_from_the_journal(registry: Registry, bytes_max: int) -> None:
    for number in range(10):
        await create(registry, f"west-{number}")
    recent = RecentChanges(0, bytes_max=bytes_max)
    recent.extend(list(registry.journal.follow(0)))
    async with Watching(registry.journal, recent) as watching:
        told = await told_by(watching, {}, since=3, until=10)

    assert messages_in(told) == [(revision, "created") for revision in range(4, 11)]


@pytest.mark.parametrize("poison", [b"{", b"[1]", b'{"a":' * 3000 + b"1" + b"}" * 3000, b'"\xff"'])
@pytest.mark.parametrize("filter", [{}, {"id": "west"}, {"$expr": {"$eq": ["$id", "west"]}}])
async def test_a_change_that_can_not_be_read_is_an_event_with_a_problem(
    registry: Registry, filter: Any, poison: bytes
) -> None:
    await create(registry, "west")
    (good,) = registry.journal.follow(0)
    recent = RecentChanges(1)
    watching = Watching(registry.journal, recent)
    opening = watching.open(Caller.FULL, parse_filter(filter), form="both", since=None)
    told: list[WatchEvent] = []
    async with watching:
        with opening as watch:
            recent.extend([good._replace(revision=2, after=poison), good._replace(revision=3)])
            async with (
                asyncio.timeout(SECONDS_MAX),
                aclosing(watch.events(bookmark_seconds=BOOKMARK_SECONDS)) as batches,
            ):
                async for batch in batches:
                    told += batch
                    if batch[-1].revision >= 3:
                        break
    messages = [each for each in told if isinstance(each, Message)]
    assert messages[-1].revision == 3
    assert b'"problem"' not in messages[-1].body
    if poison != b"[1]":  # which is a value, and can be compared
        assert [each.revision for each in messages] == [2, 3]
        assert b'"problem"' in messages[0].body


async def test_who_is_told_nothing_is_told_how_far_it_has_come(registry: Registry) -> None:
    newest = await create(registry, "west")
    assert await told_by(registry.watching, {"id": "east"}, since=0, until=newest) == [Bookmark(newest)]


async def test_a_slow_reader_is_told_so_and_misses_nothing_when_it_resumes(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "MAILBOX_MESSAGES_MAX", 5)
    reading = asyncio.create_task(told_by(registry.watching, {}, until=30, pause_seconds=0.2))
    await asyncio.sleep(0)
    for number in range(30):
        newest = await create(registry, f"west-{number}")
    told = await reading

    assert isinstance(told[-1], Overflow)
    resumed = await told_by(registry.watching, {}, since=told[-1].revision, until=newest)
    assert messages_in(told) + messages_in(resumed) == [(revision, "created") for revision in range(1, 31)]
    assert registry.watching.mailroom.bytes_held == 0


@pytest.mark.parametrize("past", [True, False])
async def test_a_filter_that_can_not_be_evaluated_ends_the_watch_with_the_reason(
    registry: Registry, past: bool
) -> None:
    divides = {"$expr": {"$gt": [{"$divide": [1, "$reputation"]}, 0]}}

    async def write() -> int:
        await create(registry, "west", reputation=1)
        return await update(registry, "west", {"reputation": 0})

    if past:
        newest = await write()
        told = await told_by(registry.watching, divides, since=0, until=newest)
    else:
        reading = asyncio.create_task(told_by(registry.watching, divides, until=2))
        await asyncio.sleep(0)
        await write()
        told = await reading

    assert messages_in(told) == [(1, "created")]
    assert isinstance(told[-1], Overflow)
    assert (told[-1].revision, type(told[-1].refusal)) == (1, ExpressionRefused)


async def test_a_stop_ends_watches_after_what_they_hold_and_never_leaves_a_gap(registry: Registry) -> None:
    async def rest_of(events: AsyncIterator[Sequence[WatchEvent]]) -> list[WatchEvent]:
        return [each async for batch in events for each in batch]

    await create(registry, "west")
    with (
        registry.watching.open(Caller.FULL, parse_filter({}), form="document", since=None) as present,
        registry.watching.open(Caller.FULL, parse_filter({}), form="document", since=0) as past,
    ):
        await create(registry, "east")
        await asyncio.sleep(0.05)
        registry.watching.stop()
        assert messages_in(await rest_of(present.events(bookmark_seconds=60))) == [(2, "created")]
        assert messages_in(await rest_of(past.events(bookmark_seconds=60))) == []


async def test_a_wait_is_answered_by_the_first_changes_and_says_where_to_go_on(registry: Registry) -> None:
    async def answered(since: int | None, wait_seconds: float) -> tuple[list[tuple[int, str]], int]:
        with registry.watching.open(Caller.FULL, parse_filter({"id": "west"}), form="document", since=since) as watch:
            messages, revision = await watch.answer(wait_seconds=wait_seconds)
            return messages_in(messages), revision

    waiting = asyncio.create_task(answered(None, SECONDS_MAX))
    await asyncio.sleep(0)
    await create(registry, "west")
    await create(registry, "east")

    assert await waiting in [([(1, "created")], 1), ([(1, "created")], 2)]
    assert await answered(0, 0.05) == ([(1, "created")], 2)
    assert await answered(1, 0.05) == ([], 2)


async def test_a_wait_during_which_too_much_happens_goes_on_from_where_it_was(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "MAILBOX_MESSAGES_MAX", 1)
    with registry.watching.open(Caller.FULL, parse_filter({}), form="document", since=None) as watch:
        await asyncio.gather(*(create(registry, f"west-{number}") for number in range(5)))
        await asyncio.sleep(0.05)
        assert await watch.answer(wait_seconds=SECONDS_MAX) == ([], 0)


async def test_there_are_no_more_watchers_than_allowed(registry: Registry) -> None:
    watching = Watching(registry.journal, RecentChanges(0), watchers_max=1)
    with watching.open(Caller.FULL, parse_filter({}), form="document", since=None):
        with pytest.raises(TooManyWatchers), watching.open(Caller.FULL, parse_filter({}), form="document", since=None):
            pass
        assert len(watching) == 1
    assert len(watching) == 0


async def test_what_is_not_there_yet_can_not_be_the_beginning(registry: Registry) -> None:
    newest = await create(registry, "west")
    await registry.watching.check_past(newest)
    with pytest.raises(RequestRefused):
        await registry.watching.check_past(newest + 1)
