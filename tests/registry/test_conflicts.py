"""When another process appends to the journal first, its changes are read and the same commands are decided anew.

The journal in memory loses races on request: with the branch that meets a conflict taken out, every test here fails.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import orjson
import pytest

from rollbook.errors import ClusterExists, Compacted, JournalConflict, JournalUnavailable
from rollbook.journal.changes import Change
from rollbook.journal.memory.journal import MemoryJournal
from rollbook.registry.writing.committing import OutOfStep
from rollbook.registry.writing.conflict_retries import CONFLICTS_MAX
from tests.examples import node
from tests.registry.committers import Process, change, creation, process_on

SCHEDULES = 1_000


def rival(journal: MemoryJournal, id: str, edit: Callable[[bytes | None], bytes]) -> Callable[[], None]:
    """Another process, which creates or changes a document."""

    def append() -> None:
        before = journal.live[id].body if id in journal.live else None
        kind = "created" if before is None else "updated"
        newest = journal.newest()
        journal.append([Change(newest + 1, id, kind, 1_000, before, edit(before))], after=newest)

    return append


async def test_a_batch_that_lost_a_race_is_decided_anew_after_the_winner() -> None:
    journal = MemoryJournal()
    journal.lose_race_to(rival(journal, "east", lambda _: b'{"id":"east"}'))
    async with process_on(journal) as process:
        result = await process.write(creation("west"))
        assert result.revision == 2
        assert (process.view.revision, process.recent.revision) == (2, 2)
        assert process.view.entry("east") is not None
        assert (process.committer.counts.conflicts, process.committer.counts.commits) == (1, 1)
        assert process.committer.problem is None


async def test_an_update_that_lost_a_race_edits_what_the_winner_wrote() -> None:
    journal = MemoryJournal()
    async with process_on(journal) as process:
        await process.write(creation("west"))
        journal.lose_race_to(
            rival(journal, "west", lambda body: (body or b"").replace(b'["gpu"]', b'["gpu","theirs"]'))
        )
        result = await process.write(change("west", {"$push": {"tags": "ours"}}))
    assert orjson.loads(result.body or b"")["tags"] == ["gpu", "theirs", "ours"]
    assert [each.revision for each in journal.follow(0)] == [1, 2, 3]


async def test_a_creation_that_lost_the_race_for_its_id_is_refused() -> None:
    journal = MemoryJournal()
    journal.lose_race_to(rival(journal, "west", lambda _: b'{"id":"west"}'))
    async with process_on(journal) as process:
        with pytest.raises(ClusterExists):
            await process.write(creation("west"))


async def test_whoever_loses_all_races_is_refused_and_may_try_again() -> None:
    journal = MemoryJournal()
    winner = rival(journal, "east", lambda body: b'{"id":"east","n":"%d"}' % len(body or b""))
    journal.lose_race_to(*[winner] * CONFLICTS_MAX)
    async with process_on(journal) as process:
        with pytest.raises(JournalConflict, match=f"{CONFLICTS_MAX} times in a row"):
            await process.write(creation("west"))
        counts = process.committer.counts
        assert (counts.conflicts, counts.failures, counts.commands["failed"]) == (CONFLICTS_MAX, 1, 1)
        assert process.committer.problem is not None
        assert (await process.write(creation("west"))).revision == CONFLICTS_MAX + 1
        assert process.committer.problem is None


class TroubledJournal(MemoryJournal):
    """A journal that can't be followed while there is a ``problem``."""

    problem: Exception | None = None

    def follow(self, after: int) -> Iterator[Change]:
        if self.problem is not None:
            raise self.problem
        return super().follow(after)


@pytest.mark.parametrize("problem", [JournalUnavailable("no disk"), OSError("no disk"), RuntimeError("a fault")])
async def test_an_error_while_following_fails_the_batch_and_not_the_next_ones(problem: Exception) -> None:
    journal = TroubledJournal()
    journal.problem = problem
    journal.lose_race_to(rival(journal, "east", lambda _: b'{"id":"east"}'))
    async with process_on(journal) as process:
        with pytest.raises(type(problem)):
            await asyncio.wait_for(process.write(creation("west")), 10)
        journal.problem = None
        result = await asyncio.wait_for(process.write(creation("west")), 10)
        assert (result.revision, process.view.revision) == (2, 2)


async def test_a_process_that_cannot_catch_up_any_more_stops_writing_and_says_so() -> None:
    journal = TroubledJournal()
    journal.problem = Compacted("the changes after revision 0 are no longer kept")
    journal.lose_race_to(rival(journal, "east", lambda _: b'{"id":"east"}'))
    async with process_on(journal) as process:
        first, second = process.write(creation("west")), process.write(creation("north"))
        outcomes = await asyncio.wait_for(asyncio.gather(first, second, return_exceptions=True), 10)
        assert {type(outcome) for outcome in outcomes} <= {OutOfStep, JournalUnavailable}
        with pytest.raises(OutOfStep):
            await process.committer.ended()
        assert "can be written any more" in (process.committer.problem or "")
        with pytest.raises(JournalUnavailable, match="start again"):
            await asyncio.wait_for(process.write(creation("west")), 10)


async def test_a_thousand_schedules_of_two_committers_on_one_journal_lose_nothing() -> None:
    conflicts = 0
    for seed in range(SCHEDULES):
        conflicts += await schedule(random.Random(seed))
    assert conflicts > SCHEDULES


async def schedule(chance: random.Random) -> int:
    """Two processes write to two clusters at times drawn from ``chance``; how many conflicts there were."""
    journal = MemoryJournal()
    async with process_on(journal) as first:
        for id in ("west", "east"):
            await first.write(creation(id))
    joined: dict[str, set[str]] = {"west": set(), "east": set()}

    async def write(number: int) -> None:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        id, tag = chance.choice(["west", "east"]), f"tag-{number}"
        result = await writers[chance.randrange(2)].write(change(id, {"$push": {"tags": tag}}))
        assert tag in orjson.loads(result.body or b"")["tags"]
        joined[id].add(tag)

    async with AsyncExitStack() as running:
        writers = [await running.enter_async_context(process_on(journal, chance=chance.random())) for _ in range(2)]
        await asyncio.gather(*map(write, range(6)))
    for id, tags in joined.items():
        assert sorted(orjson.loads(journal.live[id].body)["tags"]) == sorted(["gpu", *tags])
    check_all_published(journal, writers)
    return sum(writer.committer.counts.conflicts for writer in writers)


def check_all_published(journal: MemoryJournal, writers: list[Process]) -> None:
    """Every change is in the journal once, and each view is the journal as of its own revision."""
    changes = list(journal.follow(0))
    assert [each.revision for each in changes] == list(range(1, len(changes) + 1)) == list(range(1, 9))
    for writer in writers:
        for id in ("west", "east"):
            entry, version = writer.view.entry(id), journal.past.version(id, writer.view.revision)
            assert (entry and entry.body) == (version and version.body)


async def test_many_nodes_that_join_by_two_processes_are_all_there() -> None:
    journal = MemoryJournal()
    async with process_on(journal) as one:
        await one.write(creation("west", nodes={"nodeData": [node("first")]}))
    async with process_on(journal) as one, process_on(journal) as other:
        joins = [
            (one, other)[number % 2].write(change("west", {"$push": {"nodes.nodeData": node(f"node-{number}")}}))
            for number in range(32)
        ]
        await asyncio.gather(*joins)
    document = orjson.loads(journal.live["west"].body)
    assert {each["id"] for each in document["nodes"]["nodeData"]} == {"first", *(f"node-{n}" for n in range(32))}
    assert document["nodes"]["count"] == 33


async def test_news_of_what_never_came_hides_no_later_news() -> None:
    journal = MemoryJournal()
    async with process_on(journal) as one, process_on(journal) as other:
        one.committer.follow_up_to(1_000_000)  # a failover took it back
        await other.write(creation("west"))
        one.committer.follow_up_to(1)
        await asyncio.wait_for(one.recent.reached(1), 5)
        assert one.view.entry("west") is not None
