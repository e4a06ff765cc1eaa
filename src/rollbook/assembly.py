"""The only place that builds the parts of a registry and joins them.

One rule: a part is constructed without effect and runs for the length of its block (``async with part:``). ``parts_of``
lists them in the order in which they start; they end in the opposite order.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from rollbook.clusters.acceptance import SchemaRules
from rollbook.clusters.liveness import ClockReading
from rollbook.errors import ChangesLost, SettingRefused
from rollbook.journal.interface import DirectoryJournal
from rollbook.journal.lease_store import LeaseStore
from rollbook.journal.opening import open_lease_store, open_token_store, open_webhook_store
from rollbook.journal.privacy import close_to_others
from rollbook.journal.storing import StoreThread
from rollbook.journal.webhook_store import WebhookStore
from rollbook.registry.backups import Backups, Schedule
from rollbook.registry.computing import ComputingThreads
from rollbook.registry.feed.clocks import TrustedClock, known_time_in
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.feed.times import read_clocks
from rollbook.registry.history.compacting import Compactor, Retention
from rollbook.registry.history.history import History
from rollbook.registry.listing.cursors import CursorKey, open_cursor_key
from rollbook.registry.listing.pages import Pages
from rollbook.registry.liveness.lease_facts import LeaseFacts
from rollbook.registry.liveness.lease_keeping import LeaseKeeper
from rollbook.registry.liveness.lease_saving import LeaseSaver, load_leases
from rollbook.registry.liveness.leases import Leases
from rollbook.registry.liveness.marking import Marking, StatusRules
from rollbook.registry.liveness.status_overrides import Book, StatusOverrides, StatusWords
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.queries import Reader
from rollbook.registry.registry import Registry
from rollbook.registry.supervising import Recurring, Supervisor
from rollbook.registry.watching.watching import Watching
from rollbook.registry.webhooks.webhooks import Webhooks
from rollbook.registry.writing.committing import Committer
from rollbook.security.accounts import Accounts
from rollbook.security.auditing import Auditor
from rollbook.security.identities import Identities, Policy, read_holdings
from rollbook.security.issuing import time_of
from rollbook.security.security import Security
from rollbook.security.seeing import Seeing
from rollbook.security.sessions import Sessions
from rollbook.settings import Settings
from rollbook.view.keeping import SnapshotKeeper
from rollbook.view.opening import open_view, save_snapshot
from rollbook.view.upkeep import open_checked_journal
from rollbook.view.views import View

SNAPSHOT_LOOK_SECONDS = 5.0
BACKUP_LOOK_SECONDS = 1.0
JOURNAL_LOOK_SECONDS = 1.0
CLOCK_SAVE_SECONDS = 60.0
TOKEN_USES_SECONDS = 60.0


@asynccontextmanager
async def open_registry(
    settings: Settings, *, read_clocks: Callable[[], ClockReading] = read_clocks, indexed: bool = True
) -> AsyncIterator[Registry]:
    """The registry in ``settings.data``, ready to read and write; closed at the end of the block.

    It hears no heartbeats until its ``liveness`` is started. Who asks no questions does without the index
    (``indexed``), which takes most of the time of opening and of writing. Refuses (DataDirectoryLocked) when another
    process has it open.
    """
    async with open_data(settings, indexed=indexed) as data, AsyncExitStack() as running:
        leases = await asyncio.to_thread(load_leases, data.leases, data.view, read_clocks())
        registry = assembled(settings, data, leases, read_clocks)
        for part in parts_of(registry, data):
            await running.enter_async_context(part)
        yield registry


class Data(Struct, frozen=True):
    """What is open in a data directory: the journal, the view of it, and the stores beside it."""

    directory: Path
    journal: DirectoryJournal
    view: View
    leases: LeaseStore
    webhooks: WebhookStore
    cursor_key: CursorKey


@asynccontextmanager
async def open_data(settings: Settings, *, indexed: bool) -> AsyncIterator[Data]:
    """What is in ``settings.data``, for the length of the block."""
    directory, packed = Path(settings.data), settings.bodies == "packed"
    async with AsyncExitStack() as undo:
        journal = await asyncio.to_thread(_open_in_private, directory)
        undo.push_async_callback(asyncio.to_thread, _close_in_place, journal)
        loading = partial(open_view, journal, directory, limits=settings.limits, packed=packed, indexed=indexed)
        view = await asyncio.to_thread(loading)
        leases = await asyncio.to_thread(open_lease_store, directory)
        undo.push_async_callback(asyncio.to_thread, leases.close)
        webhooks = await asyncio.to_thread(open_webhook_store, directory)
        undo.push_async_callback(asyncio.to_thread, webhooks.close)
        yield Data(directory, journal, view, leases, webhooks, await asyncio.to_thread(open_cursor_key, directory))


def assembled(settings: Settings, data: Data, leases: Leases, read_clocks: Callable[[], ClockReading]) -> Registry:
    """The parts, joined. Nothing runs yet."""
    journal, view, limits, rules = data.journal, data.view, settings.limits, SchemaRules(mode=settings.schema)
    supervisor, computing = Supervisor(), ComputingThreads(answer_bytes_max=limits.answer_bytes_max)
    recent = RecentChanges(view.revision)
    clock = _clock(settings, data, read_clocks)
    facts = Facts(LeaseFacts(leases, read_clocks=read_clocks))
    reader = Reader(Seeing(view), facts, limits=limits, computing=computing)
    committer = Committer(
        journal, view, recent, now_ms=clock.now_ms, limits=limits, supervisor=supervisor, computing=computing
    )
    unix_ms = partial(_unix_ms, read_clocks)
    history = History(
        journal, view, Facts(), limits=limits, now_ms=unix_ms, settled=committer.settled, computing=computing
    )
    retention = Retention(settings.history_days, settings.history_changes, settings.history_bytes)
    return Registry(
        journal=journal,
        view=view,
        committer=committer,
        reader=reader,
        pages=Pages(view, journal, reader.threads, history, facts=facts, key=data.cursor_key, limits=limits),
        watching=Watching(journal, recent, watchers_max=limits.watchers_max, supervisor=supervisor),
        webhooks=_webhooks(settings, data, recent, supervisor),
        history=history,
        compactor=Compactor(journal, retention, now_ms=clock.now_ms, supervisor=supervisor),
        facts=facts,
        liveness=_liveness(settings, data, leases, recent, committer, supervisor, read_clocks),
        clock=clock,
        rules=rules,
        limits=limits,
        supervisor=supervisor,
        computing=computing,
        backups=Backups(
            journal,
            data.directory,
            Schedule(settings.backup_dir.path, settings.backup_every, settings.backup_keep),
            now_ms=clock.now_ms,
        ),
    )


def parts_of(registry: Registry, data: Data) -> Sequence[AbstractAsyncContextManager[object]]:
    """What runs, in the order of starting. It ends in the opposite order, each when nothing asks it any more."""
    supervisor, limits = registry.supervisor, registry.limits
    look, save = partial(asyncio.to_thread, data.journal.look), partial(asyncio.to_thread, registry.clock.save)
    keeper = SnapshotKeeper(registry.view, data.journal, data.directory, limits=limits)

    async def keep_snapshot() -> None:
        if supervisor.failure is None:  # a view that is out of step must not outlive the process
            await keeper.look()

    return (
        Recurring(supervisor, "rollbook-journal", look, seconds=JOURNAL_LOOK_SECONDS),
        Recurring(supervisor, "rollbook-clock", save, seconds=CLOCK_SAVE_SECONDS),
        _last_snapshot(registry, data),
        keeper,
        Recurring(supervisor, "rollbook-backups", registry.backups.look, seconds=BACKUP_LOOK_SECONDS),
        Recurring(supervisor, "rollbook-snapshots", keep_snapshot, seconds=SNAPSHOT_LOOK_SECONDS),
        registry.reader,
        registry.history,
        registry.compactor,
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


def _webhooks(settings: Settings, data: Data, recent: RecentChanges, supervisor: Supervisor) -> Webhooks:
    return Webhooks(
        data.webhooks,
        data.journal,
        recent,
        limits=settings.limits,
        allowed=settings.webhooks_private,
        authorities=settings.webhooks_ca.file,
        now_ms=now_ms,
        supervisor=supervisor,
    )


def _liveness(
    settings: Settings,
    data: Data,
    leases: Leases,
    recent: RecentChanges,
    committer: Committer,
    supervisor: Supervisor,
    read_clocks: Callable[[], ClockReading],
) -> LeaseKeeper:
    words = StatusWords(settings.unreachable_status, settings.live_status)
    marks = StatusOverrides(leases, Book(data.journal, data.view, recent), words)
    rules = StatusRules(words.unreachable, words.live, SchemaRules(mode=settings.schema), settings.limits)
    marking = Marking(leases, marks, committer, rules, read_clocks=read_clocks)
    saver = LeaseSaver(leases, data.leases, read_clocks=read_clocks)
    return LeaseKeeper(leases, marks, marking, saver, read_clocks=read_clocks, supervisor=supervisor)


@asynccontextmanager
async def _last_snapshot(registry: Registry, data: Data) -> AsyncIterator[None]:
    """Saves a snapshot at the end, for the next start, unless the view may be out of step with the journal."""
    yield
    if registry.supervisor.failure is None:
        await asyncio.to_thread(save_snapshot, data.view, data.journal, data.directory, limits=registry.limits)


@asynccontextmanager
async def open_security(settings: Settings, supervisor: Supervisor) -> AsyncIterator[Security]:
    """The security of the registry in ``settings.data``, which this process has open; closed at the end of the block.

    Refuses (SettingRefused) anonymous callers with a role that there is not.
    """
    async with AsyncExitStack() as undo:
        keep = StoreThread(await asyncio.to_thread(open_token_store, settings.data), name="rollbook-tokens")
        undo.push_async_callback(asyncio.to_thread, keep.close)
        policy = Policy(
            settings.admin_token_file.read(),
            settings.anonymous,
            settings.security == "observe",
            settings.is_loopback,
            settings.caller_requests_per_second,
            settings.caller_watches_max,
        )
        identities = Identities(await keep(read_holdings), policy, now_ms=now_ms)
        accounts = Accounts(keep, identities, now_ms=now_ms)
        undo.push_async_callback(accounts.keep_uses)
        keeping = Recurring(supervisor, "rollbook-tokens", accounts.keep_uses, seconds=TOKEN_USES_SECONDS)
        await undo.enter_async_context(keeping)
        for role, _ in settings.anonymous.roles:
            if role not in identities.roles:
                raise SettingRefused(f"ROLLBOOK_ANONYMOUS names the role {role!r}, and there is no such role")
        auditor = Auditor(settings.data, now=lambda: str(time_of(now_ms())))
        undo.push_async_callback(auditor.close)
        yield Security(identities, accounts, auditor, Sessions(now_ms=now_ms))


def _open_in_private(directory: Path) -> DirectoryJournal:
    """The journal in a directory, which from now on its owner alone may read."""
    journal = open_checked_journal(directory)
    close_to_others(directory)
    return journal


def _close_in_place(journal: DirectoryJournal) -> None:
    """Close the journal. Refuses (ChangesLost) to call that a success when its files are no longer where they were."""
    journal.close()
    loss = journal.tenure.loss()
    if loss is not None:
        raise ChangesLost(f"{loss}; changes that were written before may be lost")


def _unix_ms(read_clocks: Callable[[], ClockReading]) -> int:
    return read_clocks().unix_ms


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000
