"""The only place that builds the parts and joins them."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from rollbook.api.app import make_app
from rollbook.api.server import serve as serve_http
from rollbook.clusters.acceptance import SchemaRules
from rollbook.clusters.liveness import Reading
from rollbook.journal.leases import problems_in_leases
from rollbook.journal.sqlite import SqliteJournal
from rollbook.registry.committing import Committer
from rollbook.registry.compacting import Compactor, Retention
from rollbook.registry.facts import Facts
from rollbook.registry.history import History
from rollbook.registry.lease_facts import LeaseFacts
from rollbook.registry.lease_keeping import LeaseKeeper
from rollbook.registry.lease_saving import open_leases
from rollbook.registry.leases import Leases
from rollbook.registry.marking import Book, Marks, StatusRules
from rollbook.registry.queries import Reader
from rollbook.registry.recent import RecentChanges
from rollbook.registry.registry import Registry
from rollbook.registry.times import read_clocks
from rollbook.registry.watching import Watching
from rollbook.registry.webhooks import Webhooks
from rollbook.settings import Settings
from rollbook.view.keeping import SnapshotKeeper
from rollbook.view.opening import open_view, save_snapshot

SNAPSHOT_LOOK_SECONDS = 5.0


@asynccontextmanager
async def open_registry(
    settings: Settings, *, read_clocks: Callable[[], Reading] = read_clocks
) -> AsyncIterator[Registry]:
    """The registry in ``settings.data``, ready to read and write; closed at the end of the block.

    It hears no heartbeats until its ``liveness`` is started. Refuses (DataDirectoryLocked) when another process has it
    open.
    """
    journal = await asyncio.to_thread(SqliteJournal.open, Path(settings.data))
    try:
        view = await asyncio.to_thread(open_view, journal, Path(settings.data), limits=settings.limits)
        leases, saver = await asyncio.to_thread(open_leases, Path(settings.data), view, read_clocks())
        facts = Facts(LeaseFacts(leases, read_clocks=read_clocks))
        recent = RecentChanges(view.revision)
        webhooks = await Webhooks.open(
            Path(settings.data),
            journal,
            recent,
            limits=settings.limits,
            allowed=settings.webhooks_private,
            now_ms=now_ms,
        )
        committer = Committer(journal, view, recent, now_ms=now_ms)
        reader = Reader(view, facts, limits=settings.limits)
        watching = Watching(journal, recent, watchers_max=settings.limits.watchers_max)
        history = History(journal, view, Facts(), limits=settings.limits, now_ms=now_ms, settled=committer.settled)
        retention = Retention(settings.history_days, settings.history_changes, settings.history_bytes)
        compactor = Compactor(journal, retention, now_ms=now_ms)
        keeper = SnapshotKeeper(view, journal, Path(settings.data), limits=settings.limits)
        keeping = asyncio.create_task(_keep_snapshots(keeper), name="rollbook-snapshots")
        book = Book(journal, view, recent, committer)
        marks = marks_of(leases, book, settings, read_clocks)
        liveness = LeaseKeeper(leases, marks, saver, view, read_clocks=read_clocks)
        try:
            rules = SchemaRules(mode=settings.schema)
            yield Registry(
                journal,
                view,
                committer,
                reader,
                watching,
                webhooks,
                history,
                compactor,
                facts,
                liveness,
                rules,
                settings.limits,
            )
        finally:
            await liveness.stop()
            await committer.close()
            await liveness.close()
            await watching.close()
            await webhooks.close()
            await compactor.close()
            history.close()
            reader.close()
            keeping.cancel()
            keeper.close()
            await asyncio.to_thread(save_snapshot, view, journal, Path(settings.data), limits=settings.limits)
    finally:
        await asyncio.to_thread(journal.close)


async def _keep_snapshots(keeper: SnapshotKeeper) -> None:
    while True:
        keeper.keep()
        await asyncio.sleep(SNAPSHOT_LOOK_SECONDS)


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def marks_of(leases: Leases, book: Book, settings: Settings, read_clocks: Callable[[], Reading]) -> Marks:
    """What writes the silences of ``leases`` into ``book``."""
    rules = StatusRules(settings.unreachable_status, SchemaRules(mode=settings.schema), settings.limits)
    return Marks(leases, book, rules, read_clocks=read_clocks)


def serve(settings: Settings) -> None:
    """Serve the registry over HTTP until SIGTERM or SIGINT. Blocks."""
    uvloop.run(_serve(settings))


def problems_in(settings: Settings) -> list[str]:
    """What is wrong with the data in ``settings.data``, a sentence each; empty when it is sound."""
    journal = SqliteJournal.open(Path(settings.data))
    try:
        return [*journal.problems(), *problems_in_leases(Path(settings.data))]
    finally:
        journal.close()


async def _serve(settings: Settings) -> None:
    async with open_registry(settings) as registry:
        settle_garbage_collection()
        registry.liveness.start()
        await serve_http(
            make_app(registry),
            registry,
            host=settings.host,
            port=settings.port,
            stop_seconds=settings.stop_seconds,
            before_stop=registry.watching.stop,
        )


def settle_garbage_collection() -> None:
    """Keep the collector of cycles away from the documents: they have none, and a look at them all takes seconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


GARBAGE_THRESHOLDS = (50_000, 20, 100)
