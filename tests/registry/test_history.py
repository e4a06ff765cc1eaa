"""The past, held against a replay of what was written: any moment, of one cluster and of all."""

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.documents.values import MISSING
from rollbook.errors import ClusterNotFound, Compacted, RequestRefused, WorkExceeded
from rollbook.journal.changes import Change, StoredVersion
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.history.history import History
from rollbook.registry.history.moments import AtRevision, AtTime, Moment, parse_revision, parse_time
from rollbook.registry.history.past_fleets import entry_of
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.requests import parse_aggregation, parse_query
from rollbook.registry.writing.commands import Create
from rollbook.registry.writing.committing import Committer
from rollbook.security.callers import Caller
from rollbook.view.views import View
from tests.journal.contract import body, compact, created, deleted, replay, sorted_by_creation, write_lives

EVERYTHING = parse_query(MISSING, limits=DEFAULT_LIMITS)
IDS = "abcd"


@asynccontextmanager
async def past_of(
    journal: SqliteJournal, *, now_ms: int = 10**12, limits: Limits = DEFAULT_LIMITS
) -> AsyncIterator[History]:
    """The history of everything in a journal."""
    view = View()
    view.load(journal.load(), journal.newest())
    async with History(journal, view, Facts(), limits=limits, now_ms=lambda: now_ms, settled=at_once) as history:
        yield history


async def at_once() -> None:
    """What is being written, when nothing is."""


def moments_of(told: Sequence[Change]) -> list[tuple[Moment, int]]:
    """Every revision, every time at which something happened, and the ms before and after; with the newest revision."""
    times = {change.at_ms + offset for change in told for offset in (-1, 0, 1)} | {0}
    by_time = [(AtTime(at_ms), sum(change.at_ms <= at_ms for change in told)) for at_ms in sorted(times)]
    return [*((AtRevision(revision), revision) for revision in range(len(told) + 1)), *by_time]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_moment_equals_a_replay_to_that_moment_or_is_said_to_be_gone(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as directory:
        journal = SqliteJournal.open(Path(directory))
        told = write_lives(journal, data)
        mark = compact(journal, data.draw(st.integers(0, len(told))))
        told += write_lives(journal, data, told)
        asyncio.run(check_every_moment(journal, told, mark))
        journal.close()


async def check_every_moment(journal: SqliteJournal, told: Sequence[Change], mark: int) -> None:
    async with past_of(journal) as history:
        for moment, revision in moments_of(told):
            then = replay(told[:revision])
            for id in IDS:
                await check_version(history, id, moment, then.get(id), told, revision, mark)
            if revision < mark:
                with pytest.raises(Compacted):
                    await history.fleet(Caller.FULL, moment)
                continue
            fleet = await history.fleet(Caller.FULL, moment)
            expected = sorted_by_creation(then)
            assert list(await fleet.find(EVERYTHING)) == [kept.body for kept in expected]
            assert await fleet.count(EVERYTHING) == len(expected)
            assert [fleet.facts.of(entry) for entry in fleet.entries] == [
                Facts().of(entry_of(kept)) for kept in expected
            ]


async def check_version(
    history: History,
    id: str,
    moment: Moment,
    then: StoredVersion | None,
    told: Sequence[Change],
    revision: int,
    mark: int,
) -> None:
    own = [change.revision for change in told if change.id == id]
    try:
        entry = await history.version(Caller.FULL, id, moment)
    except Compacted:
        assert revision < mark
        assert own, "what never was can't be gone"
    except ClusterNotFound:
        assert then is None
    else:
        assert then is not None
        assert (entry.revision, entry.body, entry.protected) == (then.revision, then.body, then.protected)
        assert (entry.created_at_ms, entry.updated_at_ms) == (then.created_at_ms, then.updated_at_ms)


@pytest.fixture
def journal(tmp_path: Path) -> SqliteJournal:
    return SqliteJournal.open(tmp_path / "data")


async def test_what_is_yet_to_come_is_refused(journal: SqliteJournal) -> None:
    journal.append([created(1, "west")], after=0)
    async with past_of(journal, now_ms=5_000) as history:
        for moment in (AtRevision(2), AtTime(5_001)):
            with pytest.raises(RequestRefused):
                await history.version(Caller.FULL, "west", moment)
            with pytest.raises(RequestRefused):
                await history.fleet(Caller.FULL, moment)
        assert (await history.version(Caller.FULL, "west", AtTime(5_000))).revision == 1
        assert (await history.version(Caller.FULL, "west", AtRevision(1))).revision == 1


async def test_a_clock_that_was_ahead_has_not_made_a_future(journal: SqliteJournal) -> None:
    journal.append([created(1, "west")], after=0)
    async with past_of(journal, now_ms=500) as history:
        assert (await history.version(Caller.FULL, "west", AtTime(1_001))).revision == 1
        with pytest.raises(RequestRefused):
            await history.version(Caller.FULL, "west", AtTime(1_002))


async def test_what_never_was_and_what_was_not_there_then_are_told_apart(journal: SqliteJournal) -> None:
    journal.append([created(1, "west"), created(2, "east")], after=0)
    async with past_of(journal) as history:
        with pytest.raises(ClusterNotFound, match="ever had"):
            await history.version(Caller.FULL, "north", AtRevision(1))
        with pytest.raises(ClusterNotFound, match="at revision 1"):
            await history.version(Caller.FULL, "east", AtRevision(1))


async def test_the_past_can_be_sorted_shaped_and_aggregated(journal: SqliteJournal) -> None:
    journal.append([created(n, id, body(id, rank=9 - n)) for n, id in enumerate("abc", 1)], after=0)
    journal.append([deleted(4, "a", body("a", rank=8))], after=3)
    query = {"query": {"rank": {"$gte": "7"}}, "sort": {"rank": 1}, "projection": {"rank": 1}}
    async with past_of(journal) as history:
        fleet = await history.fleet(Caller.FULL, AtRevision(3))
        found = [orjson.loads(each) for each in await fleet.find(parse_query(query, limits=DEFAULT_LIMITS))]
        counted = await fleet.aggregate(parse_aggregation([{"$count": "n"}], limits=DEFAULT_LIMITS))
    assert found == [{"id": "b", "rank": "7"}, {"id": "a", "rank": "8"}]
    assert counted == [b'{"n":3}']


async def test_a_past_that_costs_more_than_a_request_may_spend_is_refused(journal: SqliteJournal) -> None:
    journal.append([created(1, "west", body("west", pad="x" * 2_000)), created(2, "east")], after=0)
    journal.append([deleted(3, "west", body("west", pad="x" * 2_000))], after=2)
    async with past_of(journal, limits=Limits(result_bytes_max=1_000)) as history:
        with pytest.raises(WorkExceeded):
            await history.fleet(Caller.FULL, AtRevision(2))
        assert len((await history.fleet(Caller.FULL, AtRevision(3))).entries) == 1


async def test_a_walk_that_takes_longer_than_a_request_may_is_refused(journal: SqliteJournal) -> None:
    bodies = [body("west", n=n) for n in range(2_000)]
    changes = [Change(n + 1, "west", "updated", 2_000, bodies[n - 1], bodies[n]) for n in range(1, 2_000)]
    journal.append([created(1, "west", bodies[0]), *changes], after=0)
    async with past_of(journal, limits=Limits(max_time_ms=0)) as history:
        with pytest.raises(WorkExceeded):
            await history.version(Caller.FULL, "west", AtRevision(1))
        with pytest.raises(WorkExceeded):
            await history.of(Caller.FULL, "west", before=2, limit=1, form="patch")
        with pytest.raises(WorkExceeded):
            await history.fleet(Caller.FULL, AtRevision(1))
        assert (await history.version(Caller.FULL, "west", AtRevision(2_000))).body == bodies[-1]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
async def test_pages_put_together_are_the_whole(journal: SqliteJournal, limit: int) -> None:
    journal.append([created(n, "west") if n % 2 else deleted(n, "west", body("west")) for n in range(1, 5)], after=0)
    async with past_of(journal) as history:
        backward, before = [], None
        while True:
            page = await history.of(Caller.FULL, "west", before=before, limit=limit, form="patch")
            assert len(page.items) <= limit
            backward += [orjson.loads(item)["revision"] for item in page.items]
            if (before := page.last) is None:
                break
        forward, since = [], None
        while True:
            page = await history.changes(Caller.FULL, since=since, limit=limit, form="patch")
            forward += [orjson.loads(item)["revision"] for item in page.items]
            if (since := page.last) is None:
                break
    assert backward == [4, 3, 2, 1]
    assert forward == [1, 2, 3, 4]


async def test_a_page_ends_where_compaction_has_been(journal: SqliteJournal) -> None:
    journal.append([created(1, "west"), deleted(2, "west", body("west")), created(3, "west")], after=0)
    compact(journal, 2)
    async with past_of(journal) as history:

        async def revisions(before: int | None) -> list[int]:
            page = await history.of(Caller.FULL, "west", before=before, limit=10, form="patch")
            return [orjson.loads(item)["revision"] for item in page.items]

        assert await revisions(None) == [3]
        assert await revisions(4) == [3]
        assert await revisions(3) == []
        with pytest.raises(Compacted):
            await revisions(2)
        assert len((await history.changes(Caller.FULL, since=None, limit=10, form="patch")).items) == 1
        with pytest.raises(Compacted):
            await history.changes(Caller.FULL, since=1, limit=10, form="patch")


async def test_the_history_of_what_is_gone_is_empty_and_of_what_never_was_refused(journal: SqliteJournal) -> None:
    journal.append([created(1, "west"), deleted(2, "west", body("west")), created(3, "east")], after=0)
    compact(journal, 2)
    async with past_of(journal) as history:
        assert (await history.of(Caller.FULL, "west", before=None, limit=10, form="patch")).items == []
        with pytest.raises(ClusterNotFound):
            await history.of(Caller.FULL, "north", before=None, limit=10, form="patch")
        with pytest.raises(Compacted):
            await history.last_body(Caller.FULL, "west")


async def test_times_never_go_back_even_over_a_restart(tmp_path: Path) -> None:
    for id, now_ms in (("a", 5_000), ("b", 3_000), ("c", 5_001)):
        journal = SqliteJournal.open(tmp_path / "data")
        view = View()
        view.load(journal.load(), journal.newest())
        committer = Committer(journal, view, RecentChanges(view.revision), now_ms=lambda now_ms=now_ms: now_ms)
        async with committer:
            await committer.submit(Caller.FULL, Create(id, body(id)))
        journal.close()
    journal = SqliteJournal.open(tmp_path / "data")
    assert [change.at_ms for change in journal.follow(0)] == [5_000, 5_000, 5_001]
    assert journal.inspection.problems() == []


class SlowDisk(SqliteJournal):
    """A journal whose disk takes its time: until ``done``."""

    done: threading.Event

    def append(self, changes: Sequence[Change], **more: Any) -> None:
        self.done.wait()
        super().append(changes, **more)


async def test_a_time_at_which_something_is_still_being_written_is_waited_for(tmp_path: Path) -> None:
    journal = SlowDisk.open(tmp_path / "data")
    journal.done = threading.Event()
    view = View()
    committer = Committer(journal, view, RecentChanges(0), now_ms=lambda: 1_000)
    history = History(journal, view, Facts(), limits=DEFAULT_LIMITS, now_ms=lambda: 2_000, settled=committer.settled)
    async with history, committer:
        write = committer.submit(Caller.FULL, Create("west", body("west")))
        await asyncio.sleep(0.01)
        read = asyncio.create_task(history.version(Caller.FULL, "west", AtTime(1_500)))
        await asyncio.sleep(0.01)
        assert not read.done(), "it is dated 1,000 and not there yet"
        journal.done.set()
        assert (await read).revision == (await write).revision == 1


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("0", 0),
        ("1700000000", 1_700_000_000_000),
        ("1700000000.123", 1_700_000_000_123),
        ("1700000000.1239", 1_700_000_000_123),
        ("1700000000123", 1_700_000_000_123),
        ("99999999999", 99_999_999_999_000),
        ("100000000000", 100_000_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-14T22:13:20.123Z", 1_700_000_000_123),
        ("2023-11-14T22:13:20.1239Z", 1_700_000_000_123),
        ("2023-11-15T00:13:20+02:00", 1_700_000_000_000),
        ("2023-11-15T00:13:20 02:00", 1_700_000_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000_000),
        ("2023-11-14 22:13:20", 1_700_000_000_000),
        ("2023-11-14", 1_699_920_000_000),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_a_time_is_iso_8601_or_unix(text: str, at_ms: int) -> None:
    assert parse_time(text) == at_ms


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "1e3", "²", "9" * 19, "1" + "0" * 18, " 1", "0x1"])
def test_what_is_not_a_revision_is_refused(text: str) -> None:
    with pytest.raises(RequestRefused, match=f"since must be a revision, an integer from 0 to {10**18 - 1}"):
        parse_revision(text, name="since")


@pytest.mark.parametrize(("text", "revision"), [("0", 0), ("007", 7), ("0" * 5000, 0), ("9" * 18, 10**18 - 1)])
def test_a_revision_is_decimal_digits(text: str, revision: int) -> None:
    assert parse_revision(text, name="since") == revision


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "1e999", "nan", "9" * 16, "2023-13-01", "2023-11-14T25:00:00Z", "x" * 100_000]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(RequestRefused):
        parse_time(text)
