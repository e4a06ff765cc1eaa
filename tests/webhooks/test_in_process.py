"""Webhooks of a registry in this process: what needs a hand on its journal, its disk or its clock."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.assembly import open_registry
from rollbook.documents.values import Document
from rollbook.registry.registry import Registry
from rollbook.registry.webhooks.attempts import pause_seconds
from rollbook.registry.webhooks.sending import BEGINNERS_MAX, Room
from rollbook.registry.webhooks.targets import Retry
from rollbook.security.callers import Caller
from rollbook.settings import Settings, allowed_networks
from tests.registry.writing import create, update
from tests.webhooks.conftest import QUICK
from tests.webhooks.receiving import Answer, Target, target


@pytest.fixture
def receiver() -> Iterator[Target]:
    with target() as opened:
        yield opened


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Registry]:
    """An empty registry that delivers."""
    settings = Settings(data=tmp_path / "data", webhooks_private=allowed_networks("127.0.0.0/8"))
    async with open_registry(settings) as opened:
        opened.webhooks.start()
        yield opened


async def register(registry: Registry, url: str, **members: Any) -> str:
    """A webhook; its id."""
    registration = registry.webhooks.parser.registration({"url": url, "retry": QUICK, **members})
    await registry.webhooks.create(Caller.FULL, registration)
    return registration.id


async def patch(registry: Registry, id: str, body: Document) -> None:
    """Change a webhook."""
    await registry.webhooks.change(
        Caller.FULL, id, lambda target: registry.webhooks.parser.patched(target, body, id=id)
    )


async def until(condition: Callable[[], Any]) -> None:
    """Until something is so."""
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.02)


async def until_current(registry: Registry, id: str) -> dict[str, Any]:
    """How deliveries stand once nothing is left to deliver."""
    await until(lambda: registry.webhooks.standing(id).progress.revision == registry.view.revision)
    (described,) = await registry.webhooks.describe(Caller.FULL, id)
    status: dict[str, Any] = described["status"]  # type: ignore[assignment]
    return status


async def test_a_past_that_is_gone_is_told_and_the_rest_is_delivered(registry: Registry, receiver: Target) -> None:
    id = await register(registry, receiver.url)
    await patch(registry, id, {"enabled": False})
    revisions = [await create(registry, f"c{number}") for number in range(6)]
    assert registry.journal.compaction.step(revisions[3]) == revisions[3]
    registry.committer._recent._changes.clear()  # as if the registry had been restarted meanwhile

    await patch(registry, id, {"enabled": True})

    status = await until_current(registry, id)
    assert [each.revision for each in receiver.received] == revisions[4:]
    assert status["missedUpTo"] == revisions[3]
    (letter,) = await registry.webhooks.letters.list(Caller.FULL, id)
    assert (letter["kind"], letter["firstRevision"], letter["revision"]) == ("compacted", revisions[0], revisions[3])
    assert (
        letter["problem"]
        == f"the changes from {revisions[0]} to {revisions[3]} are no longer kept and were not delivered"
    )
    assert await registry.webhooks.letters.retry(Caller.FULL, id) == 0


async def test_changes_that_the_filter_cannot_judge_are_told_and_the_next_is_delivered(
    registry: Registry, receiver: Target
) -> None:
    id = await register(registry, receiver.url, filter={"$expr": {"$gt": [{"$add": ["$note", 1]}, 3]}})
    first = await create(registry, "c", note=5)
    await until_current(registry, id)
    odd = await update(registry, "c", {"note": "five"})
    even = await update(registry, "c", {"note": 6})
    last = await create(registry, "d", note=5)

    status = await until_current(registry, id)

    assert [each.revision for each in receiver.received] == [first, last]
    letters = await registry.webhooks.letters.list(Caller.FULL, id)
    assert [(letter["kind"], letter["revision"]) for letter in letters] == [("unjudged", odd), ("unjudged", even)]
    assert "can't judge" in str(letters[0]["problem"])
    assert status["deadLetters"] == 2


async def test_a_target_far_behind_catches_up_in_order(registry: Registry, receiver: Target) -> None:
    await asyncio.gather(*(create(registry, f"c{number}", note="x" * 3000) for number in range(400)))
    registry.committer._recent._changes.clear()
    id = await register(registry, receiver.url, since=0)
    late = [asyncio.create_task(create(registry, f"d{number}")) for number in range(100)]
    await asyncio.gather(*late)
    await until_current(registry, id)
    assert [each.revision for each in receiver.received] == list(range(1, 501))


async def test_a_mailbox_that_overflows_loses_no_delivery(registry: Registry, receiver: Target) -> None:
    id = await register(registry, receiver.url)
    registry.webhooks._around.watching.mailroom.bytes_max = 20_000
    await asyncio.gather(*(create(registry, f"c{number}") for number in range(200)))
    await until_current(registry, id)
    assert [each.revision for each in receiver.received] == list(range(1, 201))


async def test_progress_moves_with_changes_that_do_not_matter(registry: Registry, receiver: Target) -> None:
    id = await register(registry, receiver.url, filter={"id": "nobody"})
    await create(registry, "c")
    assert (await until_current(registry, id))["state"] == "current"
    assert receiver.received == []


async def test_whoever_is_slow_steps_aside_for_those_who_begin() -> None:
    room = Room()

    async def take(seconds: float) -> None:
        async with room.taken(1):
            await asyncio.sleep(seconds)

    slow = [asyncio.create_task(take(60)) for _ in range(100)]
    async with asyncio.timeout(5):
        for _ in range(50):
            await take(0)
    for task in slow:
        task.cancel()
    await asyncio.wait(slow)
    assert room._beginners._value == BEGINNERS_MAX


@given(
    st.integers(1, 100),
    st.floats(0.1, 3600),
    st.floats(0.1, 86_400),
    st.floats(0, 1),
    st.floats(0, 1_000_000),
)
def test_pauses_grow_to_the_longest_and_never_beyond(
    attempts: int, first: float, longest: float, chance: float, asked: float
) -> None:
    retry = Retry(100, first, longest)
    pause = pause_seconds(retry, attempts, 0, chance)
    assert min(first * 2 ** (attempts - 1), longest) / 2 <= pause <= longest
    assert pause <= pause_seconds(retry, attempts + 1, 0, 1)
    assert min(asked, longest) <= pause_seconds(retry, attempts, asked, chance) <= longest


async def test_room_is_given_to_so_many_and_so_much_and_to_one_in_any_case() -> None:
    room = Room(requests=2, bytes=10)
    order: list[str] = []

    async def take(name: str, size: int, seconds: float = 0.02) -> None:
        async with room.taken(size):
            order.append(name)
            await asyncio.sleep(seconds)
            order.append(f"{name} left")

    await asyncio.gather(take("large", 100), take("small", 1), take("other", 9), take("third", 1))
    assert order[:2] == ["large", "large left"]
    assert order[2:4] == ["small", "other"]
    assert "left" in order[4]
    assert order[-1] != "third"


async def test_a_dead_letter_is_logged(registry: Registry, receiver: Target, caplog: pytest.LogCaptureFixture) -> None:
    receiver.answer = lambda _: Answer(500)
    id = await register(registry, receiver.url, retry={**QUICK, "attempts": 1})
    revision = await create(registry, "c")
    await until_current(registry, id)
    assert any(f"webhook {id}: revision {revision} is a dead letter" in message for message in caplog.messages)


async def test_a_pause_that_began_while_the_clock_was_ahead_is_bounded_by_the_longest(
    tmp_path: Path, receiver: Target
) -> None:
    settings = Settings(data=tmp_path, webhooks_private=allowed_networks("127.0.0.0/8"))
    receiver.answer = lambda _: Answer(500)
    async with open_registry(settings) as registry:
        registry.webhooks.start()
        id = await register(registry, receiver.url, retry={**QUICK, "attempts": 20})
        revision = await create(registry, "c")
        await until(lambda: registry.webhooks.standing(id).progress.attempts)
    receiver.answer = lambda _: Answer()
    with sqlite3.connect(tmp_path / "webhooks.sqlite3") as other:
        other.execute("UPDATE progress SET attempts = 1, next_attempt_ms = next_attempt_ms + 400 * 86400000")
    other.close()
    async with open_registry(settings) as registry:
        registry.webhooks.start()
        await until(lambda: registry.webhooks.standing(id).progress.revision == revision)


async def test_what_cannot_be_written_down_is_not_gone_past(registry: Registry, receiver: Target) -> None:
    receiver.answer = lambda _: Answer(500)
    id = await register(registry, receiver.url, retry={**QUICK, "attempts": 1})
    connection = registry.webhooks._keep._store._file.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchall()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    revision = await create(registry, "c", note="x" * 100_000)
    await until(lambda: "stored" in registry.webhooks.standing(id).progress.error)
    assert registry.webhooks.standing(id).progress.revision == revision - 1

    connection.execute("PRAGMA max_page_count = 1000000")
    receiver.answer = lambda _: Answer()
    assert (await until_current(registry, id))["deadLetters"] == 0
    assert {each.revision for each in receiver.received} == {revision}
