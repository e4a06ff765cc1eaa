"""What watchers were told, held against what the journal says they should have been told.

Watchers with random filters and forms come and go, read fast or slowly, and resume where they were, while clusters are
enrolled, changed and deleted, and the journal gives up its past. Each records what it is told, and keeps its own copy
of the documents that match. Who is told that the past is gone begins afresh.
"""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, get_args

import jsonpatch
import orjson
import pytest

from rollbook.assembly import open_registry
from rollbook.errors import Compacted, RegistryError
from rollbook.journal.changes import Change
from rollbook.language.filters import Predicate, compile_filter, parse_filter
from rollbook.registry.feed.change_events import Detail, Message
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.registry import Registry
from rollbook.registry.watching import mailboxes
from rollbook.registry.watching.watching import Overflow, WatchEvent
from rollbook.security.callers import Caller
from rollbook.settings import Settings
from tests.registry.writing import create, delete, update

WATCHERS = 50
WRITERS = 8
WRITES = 100
IDS = tuple(f"c{number}" for number in range(24))
REGIONS = ("eu", "us", "ap")
STATUSES = ("live", "draining", "offline")
RECENT_BYTES_MAX = 100_000
KEPT_CHANGES = 50
SECONDS_MAX = 60


def random_filter(random: Random, depth: int = 2) -> dict[str, Any]:
    """A filter on what the writers change."""
    if depth and random.random() < 0.3:
        return {random.choice(("$and", "$or", "$nor")): [random_filter(random, depth - 1) for _ in range(2)]}
    return random.choice(
        (
            {},
            {"id": random.choice(IDS)},
            {"id": {"$in": random.sample(IDS, 5)}},
            {"regionId": random.choice(REGIONS)},
            {"status": {"$ne": random.choice(STATUSES)}},
            {"reputation": {random.choice(("$gt", "$lte")): random.randint(0, 9)}},
            {"tags": {"$all": [random.choice(REGIONS)]}},
            {"nodes.nodeData": {"$elemMatch": {"swap": {"$gte": random.randint(0, 9)}}}},
            {"regionId": {"$regex": f"^{random.choice('eua')}"}},
            {"$expr": {"$lt": ["$reputation", random.randint(0, 9)]}},
        )
    )


async def write(registry: Registry, random: Random) -> None:
    """One change of one cluster, of a kind that is possible or is refused."""
    id = random.choice(IDS)
    change = {
        "regionId": random.choice(REGIONS),
        "status": random.choice(STATUSES),
        "reputation": random.randint(0, 9),
        "tags": random.sample(REGIONS, random.randint(0, 2)),
    }
    try:
        match random.randint(0, 9):
            case 0 | 1:
                await create(registry, id, **change)
            case 2:
                await delete(registry, id)
            case _:
                some = dict(random.sample(list(change.items()), 2))
                await update(registry, id, {**some, "nodes.nodeData.0.swap": random.randint(0, 9)})
    except RegistryError:
        pass


@dataclass
class Stretch:
    """What a watcher was told without a break of the changes after ``began`` and up to ``position``."""

    began: int
    position: int
    told: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass
class Watcher:
    """One watcher, what it was told, and the documents that match as it knows them."""

    number: int
    filter: dict[str, Any]
    form: Detail
    random: Random
    stretches: list[Stretch] = field(default_factory=list)
    documents: dict[str, Any] = field(default_factory=dict)
    resumes: bool = False
    overflows: int = 0

    @property
    def position(self) -> int:
        """Up to where it has been told everything."""
        return self.stretches[-1].position if self.stretches else -1

    async def watch(self, registry: Registry, *, until: int | None = None) -> None:
        """Read for a while, or up to a revision; the next time it resumes, or begins afresh when it can't."""
        try:
            await self._read(registry, until)
            self.resumes = True
        except Compacted:
            assert self.position < registry.journal.compaction.mark()
            self.resumes = False
            self.documents.clear()

    async def _read(self, registry: Registry, until: int | None) -> None:
        left = self.random.randint(1, 40)
        since = self.position if self.resumes else None
        if since is not None:
            await registry.watching.check_past(since)
        with registry.watching.open(Caller.FULL, parse_filter(self.filter), form=self.form, since=since) as watch:
            if since is None:
                self.stretches.append(Stretch(watch.start, watch.start))
            async with aclosing(watch.events(bookmark_seconds=0.02)) as batches:
                async for batch in batches:
                    for each in batch:
                        self._take(each)
                    left -= len(batch)
                    if self.position >= until if until is not None else left <= 0:
                        return
                    if self.random.random() < 0.1:
                        await asyncio.sleep(self.random.choice((0.001, 0.1)))

    def _take(self, told: WatchEvent) -> None:
        stretch = self.stretches[-1]
        assert told.revision >= stretch.position
        match told:
            case Message(revision, name, body):
                assert revision > stretch.position
                event = orjson.loads(body)
                assert (event["event"], event["revision"]) == (name, revision)
                stretch.told.append((revision, name, event["id"]))
                self._keep(event)
            case Overflow(refusal=None):
                self.overflows += 1
            case Overflow(refusal=refusal):
                raise AssertionError(refusal)
        stretch.position = told.revision

    def _keep(self, event: dict[str, Any]) -> None:
        """Follow the event, by its patch where it has one; a patch of what was never seen whole can't be followed."""
        id = event["id"]
        if event["event"] in ("left", "deleted"):
            self.documents.pop(id, None)
        elif "patch" in event and (event["event"] != "updated" or id in self.documents):
            self.documents[id] = jsonpatch.apply_patch(self.documents.get(id), event["patch"])
            assert self.documents[id] == event.get("document", self.documents[id])
        elif "document" in event:
            self.documents[id] = event["document"]


def expected(history: list[Change], matches: Predicate, stretch: Stretch) -> Iterator[tuple[int, str, str]]:
    """What should be told in a stretch, by the history."""
    for change in history[stretch.began : stretch.position]:
        before, after = (body and orjson.loads(body) for body in (change.before, change.after))
        was, now = bool(before and matches(before)), bool(after and matches(after))
        name = {
            (False, False): "",
            (True, True): "updated",
            (False, True): "entered" if before else "created",
            (True, False): "left" if after else "deleted",
        }[was, now]
        if name:
            yield change.revision, name, change.id


@pytest.mark.parametrize("seed", [1, 2])
async def test_watchers_are_told_what_the_history_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(mailboxes, "MAILBOX_MESSAGES_MAX", 20)
    monkeypatch.setattr("rollbook.assembly.RecentChanges", partial(RecentChanges, bytes_max=RECENT_BYTES_MAX))
    random = Random(seed)
    watchers = [
        Watcher(number, random_filter(random), random.choice(get_args(Detail)), Random(seed * 1000 + number))
        for number in range(WATCHERS)
    ]
    history: list[Change] = []
    async with open_registry(Settings(data=tmp_path / "data")) as registry, asyncio.timeout(SECONDS_MAX):
        async with asyncio.TaskGroup() as tasks:
            writing = [tasks.create_task(write_all(registry, Random(seed * 2000 + n))) for n in range(WRITERS)]
            tasks.create_task(compact(registry, history, writing))
            for watcher in watchers:
                tasks.create_task(come_and_go(watcher, registry, writing))
        for watcher in watchers:
            check(watcher, registry, history)
    assert sum(len(stretch.told) for watcher in watchers for stretch in watcher.stretches) > len(history)
    assert any(watcher.overflows for watcher in watchers)
    assert any(len(watcher.stretches) > 1 for watcher in watchers)


async def write_all(registry: Registry, random: Random) -> None:
    """One writer's writes."""
    for _ in range(WRITES):
        await write(registry, random)


async def compact(registry: Registry, history: list[Change], writing: "list[asyncio.Task[None]]") -> None:
    """Give up the past but for the newest changes, again and again, and remember it all."""
    finished = False
    while not finished:
        finished = all(task.done() for task in writing)
        history += registry.journal.follow(len(history))
        await asyncio.to_thread(registry.journal.compaction.step, len(history) - KEPT_CHANGES)
        await asyncio.sleep(0.05)


async def come_and_go(watcher: Watcher, registry: Registry, writing: "list[asyncio.Task[None]]") -> None:
    """Watch now and then while there is writing, and then to the end."""
    while not all(task.done() for task in writing):
        await asyncio.sleep(watcher.random.choice((0.001, 0.02, 0.3)))
        await watcher.watch(registry)
    while watcher.position != registry.view.revision:
        await watcher.watch(registry, until=registry.view.revision)


def check(watcher: Watcher, registry: Registry, history: list[Change]) -> None:
    """It was told what it should have been told, and knows every document that it has seen as it is."""
    matches = compile_filter(parse_filter(watcher.filter))
    for stretch in watcher.stretches:
        assert stretch.told == list(expected(history, matches, stretch)), (watcher.number, watcher.filter)
    for id, document in watcher.documents.items():
        entry = registry.view.entry(id)
        assert entry is not None
        assert document == orjson.loads(entry.body)
        assert matches(document)
