"""The only place that builds the parts of a registry and joins them.

One rule: a part is constructed without effect and runs for the length of its block (``async with part:``). ``parts_of``
lists them in the order in which they start; they end in the opposite order.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

from rollbook.clusters.acceptance import SchemaRules
from rollbook.clusters.liveness import ClockReading
from rollbook.limits import Limits
from rollbook.registry.backups import Backups, Schedule
from rollbook.registry.computing import ComputingThreads
from rollbook.registry.feed.clocks import TrustedClock, known_time_in
from rollbook.registry.feed.duties import Duty
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.feed.times import read_clocks
from rollbook.registry.following import Follower
from rollbook.registry.forgetting import FORGET_SECONDS, forget_unused
from rollbook.registry.history.compacting import Compactor, Retention
from rollbook.registry.history.history import History
from rollbook.registry.listing.pages import Pages
from rollbook.registry.liveness.lease_facts import LeaseFacts
from rollbook.registry.liveness.lease_keeping import LeaseKeeper
from rollbook.registry.liveness.lease_saving import LeaseSaver, load_leases
from rollbook.registry.liveness.leases import Leases
from rollbook.registry.liveness.marking import Marking, StatusRules
from rollbook.registry.liveness.sharing import Unshared
from rollbook.registry.liveness.status_overrides import Book, StatusOverrides, StatusWords
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.queries import Reader
from rollbook.registry.reading.registry_columns import RegistryColumns
from rollbook.registry.registry import Registry
from rollbook.registry.supervising import Recurring, Supervisor
from rollbook.registry.watching.watching import Watching
from rollbook.registry.webhooks.webhooks import Webhooks
from rollbook.registry.writing.committing import Committer
from rollbook.security.seeing import Seeing
from rollbook.settings import Settings
from rollbook.stores import Data, engine_clocks, open_data
from rollbook.view.keeping import SnapshotKeeper
from rollbook.view.opening import save_snapshot

SNAPSHOT_LOOK_SECONDS = 5.0
BACKUP_LOOK_SECONDS = JOURNAL_LOOK_SECONDS = 1.0
CLOCK_SAVE_SECONDS = 60.0


@asynccontextmanager
async def open_registry(
    settings: Settings,
    *,
    read_clocks: Callable[[], ClockReading] = read_clocks,
    indexed: bool = True,
    serves: bool = True,
) -> AsyncIterator[Registry]:
    """The registry in ``settings.data``, ready to read and write; closed at the end of the block.

    It hears no heartbeats until its ``liveness`` is started. Not ``indexed``, it answers no questions, and opens and
    writes in a fraction of the time. Unless it ``serves``, which commands do not, no history is compacted and no backup
    made. Refuses (DataDirectoryLocked) when another process has it open.
    """
    async with open_data(settings, indexed=indexed) as data, AsyncExitStack() as running:
        read_clocks = engine_clocks(data.link, read_clocks)
        leases = await asyncio.to_thread(load_leases, data.leases, data.view, read_clocks())
        registry = assembled(settings, data, leases, read_clocks)
        for part in parts_of(registry, data, serves=serves):
            await running.enter_async_context(part)
        yield registry


def assembled(settings: Settings, data: Data, leases: Leases, read_clocks: Callable[[], ClockReading]) -> Registry:
    """The parts, joined. Nothing runs yet."""
    journal, view, limits, rules = data.journal, data.view, settings.limits, SchemaRules(mode=settings.schema)
    duty = Duty(is_alone=data.link is None)
    supervisor, computing = Supervisor(), ComputingThreads(answer_bytes_max=limits.answer_bytes_max)
    recent = RecentChanges(view.revision)
    clock = _clock(settings, data, read_clocks)
    unix_ms = partial(_unix_ms, read_clocks)
    facts = Facts(LeaseFacts(leases, read_clocks=read_clocks), columns=RegistryColumns(view, leases))
    reader = Reader(Seeing(view), facts, limits=limits, computing=computing)
    committer = _committer(data, recent, clock, limits, supervisor, computing)
    liveness = _liveness(settings, data, leases, recent, committer, supervisor, read_clocks, duty)
    webhooks = _webhooks(settings, data, recent, supervisor, unix_ms, duty)
    follower = Follower(
        data.link, duty, view, committer, liveness, webhooks, read_clocks=read_clocks, supervisor=supervisor
    )
    history = _history(data, limits, unix_ms, committer, computing)
    return Registry(
        journal=journal,
        view=view,
        committer=committer,
        reader=reader,
        pages=Pages(view, reader.threads, history, facts=facts, key=data.cursor_key, limits=limits),
        watching=Watching(journal, recent, watchers_max=limits.watchers_max, supervisor=supervisor),
        webhooks=webhooks,
        history=history,
        compactor=_compactor(settings, data, clock, supervisor, duty),
        facts=facts,
        liveness=liveness,
        follower=follower,
        clock=clock,
        rules=rules,
        limits=limits,
        supervisor=supervisor,
        computing=computing,
        backups=_backups(settings, data, clock, duty),
        recent=recent,
        unix_ms=unix_ms,
    )


def _history(
    data: Data, limits: Limits, now_ms: Callable[[], int], committer: Committer, computing: ComputingThreads
) -> History:
    settled = committer.settled
    return History(data.journal, data.view, Facts(), limits=limits, now_ms=now_ms, settled=settled, computing=computing)


def _committer(
    data: Data,
    recent: RecentChanges,
    clock: TrustedClock,
    limits: Limits,
    supervisor: Supervisor,
    computing: ComputingThreads,
) -> Committer:
    return Committer(
        data.journal,
        data.view,
        recent,
        now_ms=clock.now_ms,
        limits=limits,
        supervisor=supervisor,
        computing=computing,
        loading=None if data.link is None else data.load,
    )


def _compactor(settings: Settings, data: Data, clock: TrustedClock, supervisor: Supervisor, duty: Duty) -> Compactor:
    retention = Retention(settings.history_days, settings.history_changes, settings.history_bytes)
    return Compactor(data.journal, retention, now_ms=clock.now_ms, supervisor=supervisor, duty=duty)


def _backups(settings: Settings, data: Data, clock: TrustedClock, duty: Duty) -> Backups:
    schedule = Schedule(settings.backup_dir.path, settings.backup_every, settings.backup_keep)
    return Backups(data.journal, data.directory, schedule, now_ms=clock.now_ms, duty=duty)


def parts_of(registry: Registry, data: Data, *, serves: bool = True) -> Sequence[AbstractAsyncContextManager[object]]:
    """What runs, in the order of starting. It ends in the opposite order, each when nothing asks it any more."""
    supervisor = registry.supervisor
    look, save = partial(asyncio.to_thread, data.journal.look), partial(asyncio.to_thread, registry.clock.save)
    forget = partial(forget_unused, registry.watching.forget_aged, registry.history.earlier.forget_unused)
    keeper = SnapshotKeeper(registry.view, data.journal, data.directory, limits=registry.limits)

    async def keep_snapshot() -> None:
        if supervisor.failure is None:  # a view that is out of step must not outlive the process
            await keeper.look()

    backups = Recurring(supervisor, "rollbook-backups", registry.backups.look, seconds=BACKUP_LOOK_SECONDS)
    return (
        Recurring(supervisor, "rollbook-journal", look, seconds=JOURNAL_LOOK_SECONDS),
        Recurring(supervisor, "rollbook-forgetting", forget, seconds=FORGET_SECONDS),
        Recurring(supervisor, "rollbook-clock", save, seconds=CLOCK_SAVE_SECONDS),
        registry.follower,  # the last to end but for these: the next keeper finds everything saved
        _last_snapshot(registry, data),
        keeper,
        Recurring(supervisor, "rollbook-snapshots", keep_snapshot, seconds=SNAPSHOT_LOOK_SECONDS),
        registry.reader,
        registry.history,
        *((registry.compactor, backups) if serves else ()),
        registry.webhooks,
        registry.watching,
        registry.liveness.saver,  # heartbeats are counted until nothing is written any more
        registry.clock,
        registry.committer,
        registry.liveness,  # what it has begun to do to documents is written before the committer ends
        supervisor,
    )


def _clock(settings: Settings, data: Data, read_clocks: Callable[[], ClockReading]) -> TrustedClock:
    known_ms = known_time_in(data.directory) or data.journal.newest_ms()
    return TrustedClock(read_clocks, known_ms=known_ms, is_trusted=settings.clock == "trust", directory=data.directory)


def _webhooks(
    settings: Settings,
    data: Data,
    recent: RecentChanges,
    supervisor: Supervisor,
    now_ms: Callable[[], int],
    duty: Duty,
) -> Webhooks:
    return Webhooks(
        data.webhooks,
        data.journal,
        recent,
        limits=settings.limits,
        allowed=settings.webhooks_private,
        authorities=settings.webhooks_ca.file,
        now_ms=now_ms,
        supervisor=supervisor,
        duty=duty,
    )


def _liveness(
    settings: Settings,
    data: Data,
    leases: Leases,
    recent: RecentChanges,
    committer: Committer,
    supervisor: Supervisor,
    read_clocks: Callable[[], ClockReading],
    duty: Duty,
) -> LeaseKeeper:
    words = StatusWords(settings.unreachable_status, settings.live_status)
    marks = StatusOverrides(leases, Book(data.journal, data.view, recent), words)
    rules = StatusRules(words.unreachable, words.live, SchemaRules(mode=settings.schema), settings.limits)
    marking = Marking(leases, marks, committer, rules, read_clocks=read_clocks)
    saver = LeaseSaver(leases, data.leases, read_clocks=read_clocks, duty=duty)
    unshared = None if data.link is None else Unshared()
    return LeaseKeeper(
        leases, marks, marking, saver, read_clocks=read_clocks, supervisor=supervisor, duty=duty, unshared=unshared
    )


@asynccontextmanager
async def _last_snapshot(registry: Registry, data: Data) -> AsyncIterator[None]:
    """Saves a snapshot at the end, for the next start, unless the view may be out of step with the journal."""
    yield
    if registry.supervisor.failure is None:
        await asyncio.to_thread(save_snapshot, data.view, data.journal, data.directory, limits=registry.limits)


def _unix_ms(read_clocks: Callable[[], ClockReading]) -> int:
    return read_clocks().unix_ms


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000
