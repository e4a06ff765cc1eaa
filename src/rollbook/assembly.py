"""The only place that builds the parts and joins them."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvloop

from rollbook.api.app import make_app
from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.serving.server import serve as serve_http
from rollbook.clusters.acceptance import SchemaRules
from rollbook.clusters.liveness import ClockReading
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.journal.sqlite.leases import problems_in_leases
from rollbook.journal.sqlite.schema import FILE_NAME
from rollbook.journal.sqlite.webhook_schema import problems_in_webhooks
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.feed.times import read_clocks
from rollbook.registry.history.compacting import Compactor, Retention
from rollbook.registry.history.history import History
from rollbook.registry.liveness.lease_facts import LeaseFacts
from rollbook.registry.liveness.lease_keeping import LeaseKeeper
from rollbook.registry.liveness.lease_saving import open_leases
from rollbook.registry.liveness.marking import Marking, StatusRules
from rollbook.registry.liveness.status_overrides import Book, StatusOverrides
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.queries import Reader
from rollbook.registry.registry import Registry
from rollbook.registry.watching.watching import Watching
from rollbook.registry.webhooks.webhooks import Webhooks
from rollbook.registry.writing.committing import Committer
from rollbook.settings import Settings
from rollbook.view.keeping import SnapshotKeeper
from rollbook.view.opening import open_view, save_snapshot

SNAPSHOT_LOOK_SECONDS = 5.0


@asynccontextmanager
async def open_registry(
    settings: Settings, *, read_clocks: Callable[[], ClockReading] = read_clocks, indexed: bool = True
) -> AsyncIterator[Registry]:
    """The registry in ``settings.data``, ready to read and write; closed at the end of the block.

    It hears no heartbeats until its ``liveness`` is started. Who asks no questions does without the index
    (``indexed``), which takes most of the time of opening and of writing. Refuses (DataDirectoryLocked) when another
    process has it open.
    """
    directory, limits = Path(settings.data), settings.limits
    rules = SchemaRules(mode=settings.schema)
    async with AsyncExitStack() as closing:
        journal = await asyncio.to_thread(SqliteJournal.open, directory)
        closing.push_async_callback(asyncio.to_thread, journal.close)
        view = await asyncio.to_thread(
            open_view, journal, directory, limits=limits, packed=settings.bodies == "packed", indexed=indexed
        )
        closing.push_async_callback(asyncio.to_thread, save_snapshot, view, journal, directory, limits=limits)
        closing.callback(_keep_snapshots(SnapshotKeeper(view, journal, directory, limits=limits)))
        leases, saver = await asyncio.to_thread(open_leases, directory, view, read_clocks())
        facts = Facts(LeaseFacts(leases, read_clocks=read_clocks))
        recent = RecentChanges(view.revision)
        reader = Reader(view, facts, limits=limits)
        closing.callback(reader.close)
        committer = Committer(journal, view, recent, now_ms=now_ms, limits=limits)
        history = History(journal, view, Facts(), limits=limits, now_ms=now_ms, settled=committer.settled)
        closing.callback(history.close)
        retention = Retention(settings.history_days, settings.history_changes, settings.history_bytes)
        compactor = Compactor(journal, retention, now_ms=now_ms)
        closing.push_async_callback(compactor.close)
        webhooks = await Webhooks.open(
            directory, journal, recent, limits=limits, allowed=settings.webhooks_private, now_ms=now_ms
        )
        closing.push_async_callback(webhooks.close)
        watching = Watching(journal, recent, watchers_max=limits.watchers_max)
        closing.push_async_callback(watching.close)
        marks = StatusOverrides(leases, Book(journal, view, recent), unreachable=settings.unreachable_status)
        status_rules = StatusRules(settings.unreachable_status, rules, limits)
        marking = Marking(leases, marks, committer, status_rules, read_clocks=read_clocks)
        liveness = LeaseKeeper(leases, marks, marking, saver, read_clocks=read_clocks)
        closing.push_async_callback(liveness.close)
        closing.push_async_callback(committer.close)
        closing.push_async_callback(liveness.stop)
        yield Registry(
            journal, view, committer, reader, watching, webhooks, history, compactor, facts, liveness, rules, limits
        )


def _keep_snapshots(keeper: SnapshotKeeper) -> Callable[[], None]:
    """Keep the snapshot young from now on; what is returned ends that."""

    async def keep() -> None:
        while True:
            keeper.keep()
            await asyncio.sleep(SNAPSHOT_LOOK_SECONDS)

    keeping = asyncio.create_task(keep(), name="rollbook-snapshots")

    def end() -> None:
        keeping.cancel()
        keeper.close()

    return end


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def serve(settings: Settings) -> None:
    """Serve the registry over HTTP until SIGTERM or SIGINT. Blocks."""
    uvloop.run(_serve(settings))


def holds_registry(settings: Settings) -> bool:
    """Whether there is a registry in ``settings.data``, sound or not. Opening it would make one where there is none."""
    return (Path(settings.data) / FILE_NAME).is_file()


def problems_in(settings: Settings) -> list[str]:
    """What is wrong with the data in ``settings.data``, a sentence each; empty when it is sound."""
    journal = SqliteJournal.open(Path(settings.data))
    try:
        directory = Path(settings.data)
        return [*journal.problems(), *problems_in_leases(directory), *problems_in_webhooks(directory)]
    finally:
        journal.close()


async def _serve(settings: Settings) -> None:
    async with open_registry(settings) as registry:
        settle_garbage_collection()
        registry.liveness.start()
        registry.webhooks.start()
        traffic = RequestCounts()
        await serve_http(
            make_app(registry, traffic),
            registry,
            traffic,
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
