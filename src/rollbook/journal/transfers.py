"""One journal copied into another one, of whatever engine: the documents, their history, and what is known beside it.

Theory: what is kept of a journal begins at the mark of its compaction. An empty journal is made to begin there too,
with the documents as they were then, in one step; then the kept changes are appended in their order, with their
revisions and times. So a copy that was cut off holds a beginning of the other one, and goes on from where it ends.

One rule: a copy is one when both give the same documents and the same changes, byte for byte (``verify_copy``).
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, takewhile
from typing import Protocol

from msgspec import Struct

from rollbook.errors import Compacted, DataDirectoryUnsound, RegistryError
from rollbook.journal.changes import Change, StoredVersion
from rollbook.journal.interface import Journal
from rollbook.journal.kept_results import KeptResult
from rollbook.journal.statuses import StatusChange

BATCH_CHANGES = 500
BATCH_BYTES = 8 * 1024 * 1024


class Beginning(Struct, frozen=True):
    """Where the kept changes of a journal begin: the mark of its compaction, and its time (Unix ms).

    ``tombstones``: ids, each with the revision of a deletion that is gone; ``results``: those of idempotency keys.
    """

    revision: int
    at_ms: int
    tombstones: list[tuple[str, int]]
    results: list[KeptResult]


class Transfer(Protocol):
    """What a journal gives and takes to be copied beside its changes."""

    def beginning(self) -> Beginning:
        """Where the kept changes begin."""
        ...

    def begin(self, beginning: Beginning, documents: Iterable[tuple[StoredVersion, StatusChange | None]]) -> None:
        """Make an empty journal begin there, with these documents, each with the change that gave it its status.

        All or nothing. Refuses (DataDirectoryUnsound) a journal that is not empty.
        """
        ...


class CopyableJournal(Journal, Protocol):
    """A journal that can be copied."""

    transfer: Transfer


class Copied(Struct, frozen=True):
    """What a copy holds: its newest revision, how many documents, and a SHA-256 over them and the kept changes."""

    revision: int
    documents: int
    digest: str


def copy_journal(
    source: CopyableJournal, into: CopyableJournal, *, progress: Callable[[int], object] = lambda count: None
) -> Copied:
    """Make ``into`` hold what ``source`` does; it is empty, or holds a beginning of it. What both hold then.

    ``progress`` is called with the number of changes and documents of each step. Refuses (DataDirectoryUnsound) a
    journal that holds something else; raises RegistryError when the result is no copy, because one was written to.
    """
    copy_changes(source, into, progress=progress)
    return verify_copy(source, into)


def copy_changes(
    source: CopyableJournal, into: CopyableJournal, *, progress: Callable[[int], object] = lambda count: None
) -> None:
    """As ``copy_journal``, while ``source`` is written: as of its newest revision now. Nothing is compared.

    Raises Compacted when what is being copied is given up meanwhile.
    """
    beginning, newest = source.transfer.beginning(), source.newest()
    if into.newest() == 0:
        if beginning.revision:
            into.transfer.begin(beginning, _counted(documents_at(source, beginning.revision), progress))
    else:
        _check_is_beginning(source, into)
    kept = takewhile(lambda change: change.revision <= newest, source.follow(into.newest()))
    for batch in _batches(kept):
        into.append(batch, after=into.newest())
        progress(len(batch))
    if beginning.results:
        into.append([], after=into.newest(), results=beginning.results)


def verify_copy(source: CopyableJournal, into: CopyableJournal) -> Copied:
    """What both hold. Raises RegistryError when it is not the same."""
    mark = max(source.transfer.beginning().revision, into.transfer.beginning().revision)
    ours, theirs = (Copied(each.newest(), each.inspection.count(), digest_of(each, mark)) for each in (source, into))
    if ours != theirs:
        raise RegistryError(
            f"what was copied is not what is there: {theirs.documents} documents at revision {theirs.revision} of "
            f"{ours.documents} at {ours.revision}, SHA-256 {theirs.digest} of {ours.digest}; "
            "stop what writes to either, and run this again"
        )
    return ours


def digest_of(journal: CopyableJournal, mark: int) -> str:
    """A SHA-256, in hexadecimal, over the documents of a journal and its changes later than ``mark``."""
    whole = hashlib.sha256()
    for row in chain(journal.load(), journal.follow(mark)):
        for each in row:
            piece = each if isinstance(each, bytes) else repr(each).encode()
            whole.update(len(piece).to_bytes(8, "big") + piece)
    return whole.hexdigest()


def documents_at(journal: CopyableJournal, revision: int) -> Iterator[tuple[StoredVersion, StatusChange | None]]:
    """The documents at a revision, each with the change that gave it its status. Refuses (Compacted) what is gone."""
    untouched = (version for version in journal.load() if version.revision <= revision)
    touched = (version for _, version in journal.past.earlier(revision) if version is not None)
    found: set[str] = set()  # one that is changed in between is in both
    for version in chain(untouched, touched):
        if version.id not in found:
            found.add(version.id)
            yield version, journal.past.status(version.id, revision)


def _check_is_beginning(source: CopyableJournal, into: CopyableJournal) -> None:
    """Refuses (DataDirectoryUnsound) a journal whose newest change is not the other one's of that revision."""
    newest = into.newest()
    mark = into.transfer.beginning().revision
    try:
        theirs = list(into.follow(newest - 1)) if newest > mark else []
        ours = list(islice(source.follow(newest - 1), 1)) if theirs else []
    except Compacted:
        ours = []
    if ours != theirs or newest > source.newest():
        raise DataDirectoryUnsound(
            f"there is another registry already, at revision {newest}: it is no beginning of the one to copy"
        )


def _batches(changes: Iterable[Change]) -> Iterator[list[Change]]:
    batch: list[Change] = []
    size_bytes = 0
    for change in changes:
        batch.append(change)
        size_bytes += len(change.before or b"") + len(change.after or b"")
        if len(batch) == BATCH_CHANGES or size_bytes >= BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _counted(
    documents: Iterator[tuple[StoredVersion, StatusChange | None]], progress: Callable[[int], object]
) -> Iterator[tuple[StoredVersion, StatusChange | None]]:
    for document in documents:
        yield document
        progress(1)
