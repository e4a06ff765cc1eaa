"""What is written in one batch: no more than the journal takes at once, and no command that holds up the others."""

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from msgspec import Struct, field

from rollbook.errors import JournalConflict, Overloaded, WorkExceeded
from rollbook.journal.changes import Change
from rollbook.journal.memory.journal import MemoryJournal
from rollbook.limits import Limits, RequestBudget
from rollbook.registry.writing.commands import Create, Current, Decision
from tests.registry.committers import change, creation, process_on

MEGABYTE = 1024 * 1024


class RecordingJournal(MemoryJournal):
    """A journal that knows how many changes it was given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[int] = []

    def append(self, changes: Sequence[Change], **more: Any) -> None:
        super().append(changes, **more)
        self.batches.append(len(changes))


def large(id: str, megabytes: int) -> Create:
    return Create(id, b'{"id":"%s","pad":"%s"}' % (id.encode(), b"x" * (megabytes * MEGABYTE)))


async def test_a_batch_holds_at_most_12_megabytes_or_one_change() -> None:
    journal = RecordingJournal()
    sizes = [5, 5, 5, 13, 1, 1]
    async with process_on(journal) as process:
        writes = [process.write(large(f"c{place}", size)) for place, size in enumerate(sizes)]
        results = await asyncio.gather(*writes)
    assert [result.revision for result in results] == [1, 2, 3, 4, 5, 6]
    assert journal.batches == [2, 1, 1, 2]


async def test_hundreds_of_small_writes_share_a_batch() -> None:
    journal = RecordingJournal()
    async with process_on(journal) as process:
        await asyncio.gather(*(process.write(Create(f"c{n}", b'{"id":"c%d"}' % n)) for n in range(300)))
    assert sum(journal.batches) == 300
    assert len(journal.batches) < 30


class Slow(Struct, frozen=True):
    """A command that spends its budget until it may end, and then adds a letter to the document."""

    id: str
    may_end: threading.Event = field(default_factory=threading.Event)
    verb: ClassVar[str] = "update"

    def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
        while not self.may_end.is_set():
            budget.spend()
        assert current is not None
        return Decision("updated", current.body.replace(b'"}', b'x"}'))


def document(id: str, text: str = "") -> Create:
    return Create(id, b'{"id":"%s","text":"%s"}' % (id.encode(), text.encode()))


async def test_a_costly_command_holds_up_no_other_writer() -> None:
    async with process_on(MemoryJournal()) as process:
        await process.write(document("west"))
        slow = Slow("west")
        costly = asyncio.create_task(process.write(slow))
        for number in range(20):
            await asyncio.wait_for(process.write(document(f"c{number}")), 10)
        assert not costly.done()
        assert (process.committer.counts.beside, process.committer.waiting) == (1, 1)
        slow.may_end.set()
        result = await asyncio.wait_for(costly, 10)
        assert (result.revision, result.body) == (22, b'{"id":"west","text":"x"}')


async def test_a_costly_command_whose_cluster_changed_meanwhile_is_decided_on_the_newest_document() -> None:
    async with process_on(MemoryJournal()) as process:
        await process.write(document("west"))
        slow = Slow("west")
        costly = asyncio.create_task(process.write(slow))
        while process.committer.counts.beside == 0:
            await asyncio.sleep(0.001)
        await process.write(Create("west", b'{"id":"west","text":"y"}', replace=True))
        slow.may_end.set()
        result = await asyncio.wait_for(costly, 10)
        assert result.body == b'{"id":"west","text":"yx"}'


async def test_costly_commands_on_one_cluster_take_turns_and_all_count() -> None:
    async with process_on(MemoryJournal()) as process:
        await process.write(document("west"))
        slow = [Slow("west") for _ in range(4)]
        costly = [asyncio.create_task(process.write(each)) for each in slow]
        while process.committer.counts.beside < 4:
            await asyncio.sleep(0.001)
        for each in slow:
            each.may_end.set()
        results = await asyncio.wait_for(asyncio.gather(*costly), 10)
        assert max(result.body or b"" for result in results) == b'{"id":"west","text":"xxxx"}'


async def test_what_cannot_be_decided_within_its_time_is_refused_and_changes_nothing() -> None:
    async with process_on(MemoryJournal(), limits=Limits(max_time_ms=50)) as process:
        await process.write(document("west"))
        with pytest.raises(WorkExceeded):
            await asyncio.wait_for(process.write(Slow("west")), 10)
        assert process.view.revision == 1
        assert process.committer.counts.commands["refused"] == 1


async def test_a_costly_command_whose_cluster_always_changes_is_refused_when_its_time_is_over() -> None:
    async with process_on(MemoryJournal(), limits=Limits(max_time_ms=400)) as process:
        loop = asyncio.get_running_loop()

        class Overtaken(Struct, frozen=True):
            """A costly command that always comes too late: while it is decided, another one changes the cluster."""

            id: str
            verb: ClassVar[str] = "update"

            def decide(self, current: Current | None, budget: RequestBudget) -> Decision:
                until = time.monotonic() + 0.03
                while time.monotonic() < until:
                    budget.check()
                assert current is not None
                other = Create("west", current.body.replace(b'"}', b'y"}'), replace=True)
                asyncio.run_coroutine_threadsafe(process.write(other), loop).result(10)
                return Decision("updated", current.body.replace(b'"}', b'x"}'))

        await process.write(document("west"))
        with pytest.raises(JournalConflict, match=r"changed \d+ times"):
            await asyncio.wait_for(process.write(Overtaken("west")), 20)
        entry = process.view.entry("west")
        assert entry is not None
        assert entry.body.startswith(b'{"id":"west","text":"yy')
        assert b'x"' not in entry.body


async def test_closing_ends_what_is_decided_beside_the_queue() -> None:
    async with process_on(MemoryJournal()) as process:
        await process.write(document("west"))
        costly = asyncio.create_task(process.write(Slow("west")))
        while process.committer.counts.beside == 0:
            await asyncio.sleep(0.001)
        await asyncio.wait_for(process.committer.close(), 10)
        with pytest.raises(Overloaded, match="stopping"):
            await costly


async def test_a_costly_pipeline_gives_what_it_would_give_in_the_queue() -> None:
    total = {"$sum": {"$map": {"input": {"$range": [0, 100_000]}, "in": {"$add": ["$$this", 1]}}}}
    async with process_on(MemoryJournal()) as process:
        await process.write(creation("west"))
        result = await process.write(change("west", [{"$set": {"reputation": total}}]))
        assert process.committer.counts.beside == 1
        assert b'"reputation":5000050000' in (result.body or b"")


async def test_an_update_with_very_many_values_is_decided_beside_the_queue() -> None:
    async with process_on(MemoryJournal()) as process:
        await process.write(creation("west"))
        await process.write(change("west", {"$set": {"few": list(range(1000))}}))
        assert process.committer.counts.beside == 0
        result = await process.write(change("west", {"$set": {"many": list(range(30_000))}}))
        assert (result.revision, process.committer.counts.beside) == (3, 1)
        await process.write(change("west", {"update": {"$set": {"x": 1}}, "filter": {"y": {"$nin": ["z"] * 30_000}}}))
        assert process.committer.counts.beside == 2
