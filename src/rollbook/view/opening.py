"""From a journal to a view: with the index of a snapshot and what came after it, or by walking every document."""

import gc
import logging
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from rollbook.errors import RegistryError
from rollbook.journal.changes import Change, StoredVersion
from rollbook.journal.interface import Journal
from rollbook.limits import DEFAULT_LIMITS, Limits
from rollbook.view.packing import Packer
from rollbook.view.snapshots import Snapshot, mark_of, read_snapshot, remove_unfinished, write_snapshot
from rollbook.view.views import View

logger = logging.getLogger(__name__)

TELL_SECONDS = 2.0
DOCUMENTS_BETWEEN_LOOKS = 256

SAVED_AT_ONCE_MIN = 1_000
"""An index of this many documents is saved as soon as it is built, which takes a fortieth of the time of building it.
Who is killed then need not make it again; and a child that wrote it beside the first requests would hold what they
change in memory a second time."""

TAIL_SHARE_MAX = 1.0
"""With more changes after the snapshot than this share of its documents, walking every document is as quick."""


def open_view(
    journal: Journal,
    directory: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    packed: bool = False,
    indexed: bool = True,
) -> View:
    """The view of everything in ``journal``; the log shows the progress.

    ``directory`` may hold a snapshot of the index. ``packed``: documents are held compressed. Without ``indexed``,
    there is no index, and no time is spent on making one.
    """

    def new_view() -> View:
        return View(limits=limits, packer=Packer() if packed else None, indexed=indexed)

    remove_unfinished(directory)
    with _kept_from_the_collector():
        read = read_snapshot(directory, limits=limits) if indexed else None
        view = (_restored(new_view(), read, journal) if read else None) or _loaded(new_view(), journal)
    if not view.snapshot_revision and len(view) >= SAVED_AT_ONCE_MIN:
        save_snapshot(view, journal, directory, limits=limits)
    return view


def save_snapshot(view: View, journal: Journal, directory: Path, *, limits: Limits = DEFAULT_LIMITS) -> bool:
    """See to it that there is a snapshot of the view's index as of its revision. Never raises: see ``note_failure``."""
    if view.snapshot_revision == view.revision:
        return view.revision > 0
    if journal.problem is not None:  # no file is put beside a journal that is not there any more
        note_failure(view, journal.problem)
        return False
    try:
        found = snapshot_of(view, journal)
        if found is None:
            return False
        write_snapshot(directory, *found, limits=limits)
    except Exception as error:  # a start can do without a snapshot, and a stop must not fail for it
        note_failure(view, error)
        return False
    note_success(view, view.revision)
    return True


def note_success(view: View, revision: int) -> None:
    """Record that there is a snapshot as of ``revision``."""
    view.snapshot_revision, view.snapshot_problem = revision, None


def note_failure(view: View, error: Exception | str) -> None:
    """Record that a snapshot could not be written, for the log, ``/metrics`` and ``/readyz``."""
    view.snapshot_failures += 1
    view.snapshot_problem = str(error) if isinstance(error, (str, OSError)) else repr(error)
    logger.warning(
        "the snapshot of the index could not be written, the next start will take longer: %s", view.snapshot_problem
    )


def snapshot_of(view: View, journal: Journal) -> tuple[Snapshot, Change] | None:
    """The view's index as it is now, and the last change in it; None when there is none or it is not known."""
    if not view.index.values:
        return None
    entries = list(view.entries())
    ids, numbers = [entry.id for entry in entries], [entry.number for entry in entries]
    try:
        last = next(journal.follow(view.revision - 1)) if view.revision else None
    except (RegistryError, StopIteration):
        return None
    return None if last is None else (Snapshot(view.revision, view.index, ids, numbers), last)


@contextmanager
def _kept_from_the_collector() -> Iterator[None]:
    """Nothing of what is made here is garbage, nor soon will be: looking for it now, or among it later, takes time."""
    was_enabled = gc.isenabled()
    gc.collect()  # what is garbage before would be kept for ever with the rest
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()


def _restored(view: View, read: tuple[Snapshot, bytes], journal: Journal) -> View | None:
    snapshot, mark = read
    with closing_of(journal.load()) as kept:  # from here on the journal stands still, for who loads it
        return _restored_with(view, snapshot, mark, journal, kept)


@contextmanager
def closing_of(kept: Iterator[StoredVersion]) -> Iterator[Iterator[StoredVersion]]:
    """Let go of a journal that is read, though not to its end."""
    try:
        yield kept
    finally:
        if isinstance(kept, Generator):
            kept.close()


def _restored_with(
    view: View, snapshot: Snapshot, mark: bytes, journal: Journal, kept: Iterator[StoredVersion]
) -> View | None:
    newest = journal.newest()
    if not 0 < snapshot.revision <= newest <= snapshot.revision + TAIL_SHARE_MAX * len(snapshot.ids):
        logger.info("the index is made anew: its snapshot is of revision %d, this is %d", snapshot.revision, newest)
        return None
    changes = journal.follow(snapshot.revision - 1)
    try:
        if mark_of(next(changes)) != mark:
            logger.warning("the index is made anew: its snapshot belongs to another journal")
            return None
        later = takewhile(lambda change: change.revision <= newest, changes)
        view.restore(snapshot, _told(kept, len(snapshot.ids), "read, and their index"), later, newest)
    except (RegistryError, StopIteration, ValueError, LookupError) as error:
        logger.warning("the snapshot of the index does not fit the journal, and is made anew: %r", error)
        return None
    return view


def _loaded(view: View, journal: Journal) -> View:
    done = "read and indexed" if view.index.values else "read"
    view.load(_told(journal.load(), journal.inspection.count(), done), journal.newest())
    return view


def _told(kept: Iterable[StoredVersion], count: int, done: str) -> Iterator[StoredVersion]:
    """Log every few seconds how many of about ``count`` documents are ``done``."""
    told_at = time.monotonic()
    for place, one in enumerate(kept, 1):
        yield one
        if place % DOCUMENTS_BETWEEN_LOOKS == 0 and time.monotonic() - told_at >= TELL_SECONDS:
            told_at = time.monotonic()
            logger.info("%s of %s clusters %s", f"{place:,}", f"{count:,}", done)
