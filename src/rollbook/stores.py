"""What a registry keeps, opened: in a data directory, or in an engine that other processes use too.

One rule: what is opened here is closed at the end of the block, in the opposite order.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from rollbook.clusters.liveness import ClockReading
from rollbook.errors import ChangesLost
from rollbook.journal.interface import DirectoryJournal
from rollbook.journal.lease_store import LeaseStore
from rollbook.journal.links import Link
from rollbook.journal.opening import open_lease_store, open_shared_stores, open_webhook_store
from rollbook.journal.privacy import close_to_others
from rollbook.journal.webhook_store import WebhookStore
from rollbook.registry.listing.cursors import CursorKey, open_cursor_key
from rollbook.settings import Settings
from rollbook.view.losses import forget_other_snapshot
from rollbook.view.opening import open_view
from rollbook.view.upkeep import open_checked_journal
from rollbook.view.views import View


class Data(Struct, frozen=True):
    """What is open in a data directory, or in an engine: the journal, the view of it, and the stores beside it.

    ``link`` leads to the other processes of a journal that is shared; ``load`` makes the view anew.
    """

    directory: Path
    journal: DirectoryJournal
    view: View
    leases: LeaseStore
    webhooks: WebhookStore
    cursor_key: CursorKey
    load: Callable[[], View]
    link: Link | None = None


@asynccontextmanager
async def open_data(settings: Settings, *, indexed: bool) -> AsyncIterator[Data]:
    """What is in ``settings.data``, or in the engine of a shared journal, for the length of the block."""
    if settings.journal.is_shared:
        async with _open_shared(settings, indexed=indexed) as data:
            yield data
        return
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
        key = await asyncio.to_thread(open_cursor_key, directory)
        yield Data(directory, journal, view, leases, webhooks, key, loading)


@asynccontextmanager
async def _open_shared(settings: Settings, *, indexed: bool) -> AsyncIterator[Data]:
    """What a journal elsewhere holds. ``settings.data`` is this process's cache of it."""
    directory, packed = Path(settings.data), settings.bodies == "packed"
    opening = partial(open_shared_stores, settings.journal.url, directory, seconds=settings.journal_seconds)
    async with AsyncExitStack() as undo:
        stores = await asyncio.to_thread(opening)
        for each in (stores.journal, stores.link, stores.leases, stores.webhooks):
            undo.push_async_callback(asyncio.to_thread, each.close)
        await asyncio.to_thread(close_to_others, directory)
        await asyncio.to_thread(forget_other_snapshot, directory, stores.journal.newest())
        loading = partial(open_view, stores.journal, directory, limits=settings.limits, packed=packed, indexed=indexed)
        view, key = await asyncio.to_thread(loading), CursorKey(stores.cursor_key)
        yield Data(directory, stores.journal, view, stores.leases, stores.webhooks, key, loading, stores.link)


def engine_clocks(link: Link | None, read_clocks: Callable[[], ClockReading]) -> Callable[[], ClockReading]:
    """The clocks by which a process lives: where it shares a journal, the time of day is the engine's for all."""
    if link is None:
        return read_clocks

    def read() -> ClockReading:
        at = read_clocks()
        return ClockReading(at.seconds, at.unix_ms + link.offset_ms)

    return read


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
