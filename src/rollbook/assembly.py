"""The only place that builds the parts and joins them."""

import asyncio
import gc
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path

import uvloop

from rollbook.api.app import make_app
from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.serving.edge import Edge
from rollbook.api.serving.listening import bind
from rollbook.api.serving.server import serve as serve_http
from rollbook.clusters.acceptance import SchemaRules
from rollbook.clusters.liveness import ClockReading
from rollbook.errors import ChangesLost, SettingRefused
from rollbook.journal.interface import DirectoryJournal
from rollbook.journal.opening import open_lease_store, open_token_store, open_webhook_store
from rollbook.journal.storing import StoreThread
from rollbook.registry.computing import ComputingThreads
from rollbook.registry.feed.clocks import TrustedClock, known_time_in
from rollbook.registry.feed.recent_changes import RecentChanges
from rollbook.registry.feed.times import read_clocks
from rollbook.registry.history.compacting import Compactor, Retention
from rollbook.registry.history.history import History
from rollbook.registry.listing.pages import Pages
from rollbook.registry.liveness.lease_facts import LeaseFacts
from rollbook.registry.liveness.lease_keeping import LeaseKeeper
from rollbook.registry.liveness.lease_saving import open_leases
from rollbook.registry.liveness.marking import Marking, StatusRules
from rollbook.registry.liveness.status_overrides import Book, StatusOverrides, StatusWords
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.queries import Reader
from rollbook.registry.registry import Registry
from rollbook.registry.supervising import Supervisor
from rollbook.registry.watching.watching import Watching
from rollbook.registry.webhooks.webhooks import Webhooks
from rollbook.registry.writing.committing import Committer
from rollbook.security.accounts import Accounts
from rollbook.security.auditing import Auditor
from rollbook.security.identities import Identities, Policy, read_holdings
from rollbook.security.issuing import time_of
from rollbook.security.security import Security
from rollbook.settings import Settings
from rollbook.view.keeping import SnapshotKeeper
from rollbook.view.opening import open_view, save_snapshot
from rollbook.view.upkeep import open_checked_journal

SNAPSHOT_LOOK_SECONDS = 5.0
JOURNAL_LOOK_SECONDS = 1.0
CLOCK_SAVE_SECONDS = 60.0
TOKEN_USES_SECONDS = 60.0
COMPUTING_SECONDS_AT_STOP = 2.0
"""How long requests may still compute when the server is told to stop."""


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
    supervisor, computing = Supervisor(), ComputingThreads()
    async with AsyncExitStack() as undo:
        journal = await asyncio.to_thread(open_checked_journal, directory)
        undo.push_async_callback(asyncio.to_thread, _close_in_place, journal)
        _keep_up(undo, supervisor, "rollbook-journal", partial(asyncio.to_thread, journal.look), JOURNAL_LOOK_SECONDS)
        known_ms, trusted = known_time_in(directory) or journal.newest_ms(), settings.clock == "trust"
        clock = TrustedClock(read_clocks, known_ms=known_ms, is_trusted=trusted, directory=directory)
        _keep_up(undo, supervisor, "rollbook-clock", partial(asyncio.to_thread, clock.save), CLOCK_SAVE_SECONDS)
        view = await asyncio.to_thread(
            open_view, journal, directory, limits=limits, packed=settings.bodies == "packed", indexed=indexed
        )
        keeper = SnapshotKeeper(view, journal, directory, limits=limits)

        async def keep_snapshot() -> None:
            if supervisor.failure is None:  # a view that is out of step must not outlive the process
                await keeper.look()

        async def save_last_snapshot() -> None:
            if supervisor.failure is None:
                await asyncio.to_thread(save_snapshot, view, journal, directory, limits=limits)

        undo.push_async_callback(save_last_snapshot)
        undo.callback(keeper.close)
        _keep_up(undo, supervisor, "rollbook-snapshots", keep_snapshot, SNAPSHOT_LOOK_SECONDS)
        lease_store = await asyncio.to_thread(open_lease_store, directory)
        leases, saver = await asyncio.to_thread(open_leases, lease_store, view, read_clocks())
        facts = Facts(LeaseFacts(leases, read_clocks=read_clocks))
        recent = RecentChanges(view.revision)
        reader = Reader(view, facts, limits=limits, computing=computing)
        undo.callback(reader.close)
        committer = Committer(
            journal, view, recent, now_ms=clock.now_ms, limits=limits, supervisor=supervisor, computing=computing
        )
        unix_ms = partial(_unix_ms, read_clocks)
        history = History(
            journal, view, Facts(), limits=limits, now_ms=unix_ms, settled=committer.settled, computing=computing
        )
        undo.callback(history.close)
        pages = Pages(view, journal, reader.threads, history, facts=facts, directory=directory, limits=limits)
        retention = Retention(settings.history_days, settings.history_changes, settings.history_bytes)
        compactor = Compactor(journal, retention, now_ms=clock.now_ms, supervisor=supervisor)
        undo.push_async_callback(compactor.close)
        webhooks = await Webhooks.open(
            await asyncio.to_thread(open_webhook_store, directory),
            journal,
            recent,
            limits=limits,
            allowed=settings.webhooks_private,
            authorities=settings.webhooks_ca.file,
            now_ms=now_ms,
            supervisor=supervisor,
        )
        undo.push_async_callback(webhooks.close)
        watching = Watching(journal, recent, watchers_max=limits.watchers_max, supervisor=supervisor)
        undo.push_async_callback(watching.close)
        words = StatusWords(settings.unreachable_status, settings.live_status)
        marks = StatusOverrides(leases, Book(journal, view, recent), words)
        status_rules = StatusRules(words.unreachable, words.live, rules, limits)
        marking = Marking(leases, marks, committer, status_rules, read_clocks=read_clocks)
        liveness = LeaseKeeper(leases, marks, marking, saver, read_clocks=read_clocks, supervisor=supervisor)
        undo.push_async_callback(liveness.close)
        undo.push_async_callback(asyncio.to_thread, clock.save)
        undo.push_async_callback(committer.close)
        undo.push_async_callback(liveness.stop)
        undo.callback(supervisor.close)
        yield Registry(
            journal,
            view,
            committer,
            reader,
            pages,
            watching,
            webhooks,
            history,
            compactor,
            facts,
            liveness,
            clock,
            rules,
            limits,
            supervisor,
            computing,
        )


@asynccontextmanager
async def open_security(settings: Settings, supervisor: Supervisor) -> AsyncIterator[Security]:
    """The security of the registry in ``settings.data``, which this process has open; closed at the end of the block.

    Refuses (SettingRefused) anonymous callers with a role that there is not.
    """
    async with AsyncExitStack() as undo:
        keep = StoreThread(await asyncio.to_thread(open_token_store, settings.data), name="rollbook-tokens")
        undo.push_async_callback(asyncio.to_thread, keep.close)
        policy = Policy(
            settings.admin_token_file.read(), settings.anonymous, settings.security == "observe", settings.is_loopback
        )
        identities = Identities(await keep(read_holdings), policy, now_ms=now_ms)
        accounts = Accounts(keep, identities, now_ms=now_ms)
        undo.push_async_callback(accounts.keep_uses)
        undo.callback(supervisor.run("rollbook-tokens", lambda: _repeat(accounts.keep_uses, TOKEN_USES_SECONDS)).cancel)
        for role, _ in settings.anonymous.roles:
            if role not in identities.roles:
                raise SettingRefused(f"ROLLBOOK_ANONYMOUS names the role {role!r}, and there is no such role")
        auditor = Auditor(settings.data, now=lambda: str(time_of(now_ms())))
        undo.push_async_callback(auditor.close)
        yield Security(identities, accounts, auditor)


def check_reach(settings: Settings, security: Security) -> None:
    """Refuses (SettingRefused) to listen where others can connect, while it is not known who may ask."""
    if not settings.is_loopback and not security.identities.is_closed:
        raise SettingRefused(NOBODY_IS_KNOWN.format(host=settings.host))


NOBODY_IS_KNOWN = """\
whoever reaches {host} could change and delete every cluster. Say who may ask, in one of three ways:
  ROLLBOOK_ADMIN_TOKEN_FILE=FILE          names a file with the token of an administrator
  ROLLBOOK_ANONYMOUS=legacy@10.0.0.0/8    gives the callers of a network a role
  ROLLBOOK_SECURITY=observe               lets everybody pass, and logs what would be refused"""


def _close_in_place(journal: DirectoryJournal) -> None:
    """Close the journal. Refuses (ChangesLost) to call that a success when its files are no longer where they were."""
    journal.close()
    loss = journal.tenure.loss()
    if loss is not None:
        raise ChangesLost(f"{loss}; changes that were written before may be lost")


def _unix_ms(read_clocks: Callable[[], ClockReading]) -> int:
    return read_clocks().unix_ms


def _keep_up(
    undo: AsyncExitStack, supervisor: Supervisor, name: str, job: Callable[[], Awaitable[None]], seconds: float
) -> None:
    """Do a job every few seconds, under a name, until the registry is closed."""
    undo.callback(supervisor.run(name, lambda: _repeat(job, seconds)).cancel)


async def _repeat(job: Callable[[], Awaitable[None]], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        await job()


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def serve(settings: Settings) -> None:
    """Serve the registry over HTTP until SIGTERM or SIGINT. Blocks. Exits (1) when the registry can't go on."""
    failure = uvloop.run(_serve(settings))
    if failure is not None:
        sys.exit(f"stopped, for {failure}")


async def _serve(settings: Settings) -> str | None:
    with closing(bind(settings.host, settings.port)) as bound:
        return await _serve_on(bound, settings)


async def _serve_on(bound: socket.socket, settings: Settings) -> str | None:
    """Serve on a bound socket until a signal; the reason when it was the registry that could not go on."""
    async with open_registry(settings) as registry, AsyncExitStack() as undo:
        security = await undo.enter_async_context(open_security(settings, registry.supervisor))
        check_reach(settings, security)
        settle_garbage_collection()
        sys.setswitchinterval(SWITCH_SECONDS)
        registry.liveness.start()
        registry.webhooks.start()
        traffic = RequestCounts()
        ending = asyncio.create_task(_stop_after(registry.supervisor))
        await serve_http(
            Edge(make_app(registry, security, traffic), registry, security, traffic, settings),
            bound=bound,
            stop_seconds=settings.stop_seconds,
            before_stop=partial(_end_what_is_long, registry),
        )
        ending.cancel()
    return registry.supervisor.failure


def _end_what_is_long(registry: Registry) -> None:
    """End what would not end by itself, and by and by what may take long."""
    registry.watching.stop()
    registry.computing.end_by(time.monotonic() + COMPUTING_SECONDS_AT_STOP)


async def _stop_after(supervisor: Supervisor) -> None:
    """Stop the server as a signal would, once the registry can't go on."""
    await supervisor.failed()
    signal.raise_signal(signal.SIGTERM)


def settle_garbage_collection() -> None:
    """Keep the collector of cycles away from the documents: they have none, and a look at them all takes seconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


SWITCH_SECONDS = 0.0005
"""How long a thread computes while another waits for its turn. Python's own 5 ms would be waited for by the event loop
at each of its turns, and once for every thread that computes."""

GARBAGE_THRESHOLDS = (50_000, 20, 100)
