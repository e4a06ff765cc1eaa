"""Evidence that a journal has lost changes: other files of its directory are newer than it is.

One rule: whatever knows a revision (a snapshot of the index, a lease, the progress of a webhook) had it from the
journal, where it was durable. A journal that ends before it is not the one that it was, and nothing is written to it.
A file that is missing where nothing knows of any revision is a registry that has not begun.
"""

from collections.abc import Iterator
from pathlib import Path

from rollbook.errors import ChangesLost
from rollbook.journal.sqlite import leases, webhook_schema
from rollbook.journal.sqlite.schema import FILE_NAME
from rollbook.view import snapshots

LOG_HEADER_BYTES = 32


def check_before_opening(directory: Path) -> None:
    """Refuses (ChangesLost) to make a journal where there has been one."""
    path = directory / FILE_NAME
    size_bytes = _size(path)
    if size_bytes:
        return
    state = "is missing" if size_bytes is None else "is empty"
    check_newest(directory, 0, state)
    log = path.with_name(f"{FILE_NAME}-wal")
    if (_size(log) or 0) > LOG_HEADER_BYTES:
        raise ChangesLost(_message(directory, state, f"its log {log} is not empty"))


def check_newest(directory: Path, newest: int, state: str | None = None) -> None:
    """Refuses (ChangesLost) a journal whose newest revision is older than what other files know of."""
    for path, revision in _known_revisions(directory):
        if revision > newest:
            raise ChangesLost(
                _message(directory, state or f"ends at revision {newest}", f"{path} knows of revision {revision}")
            )


def accept_loss(directory: Path, newest: int) -> None:
    """Make the other files fit a journal that ends at ``newest``."""
    snapshots.remove_snapshot(directory)
    leases.forget_later_leases(directory, newest)
    webhook_schema.turn_back_webhooks(directory, newest)


def _known_revisions(directory: Path) -> Iterator[tuple[Path, int]]:
    yield directory / snapshots.FILE_NAME, snapshots.newest_in_snapshot(directory)
    yield directory / leases.FILE_NAME, leases.newest_in_leases(directory)
    yield directory / webhook_schema.FILE_NAME, webhook_schema.newest_in_webhooks(directory)


def _message(directory: Path, state: str, evidence: str) -> str:
    return (
        f"changes are lost: the journal {directory / FILE_NAME} {state}, but {evidence}. Restore the whole directory "
        f"from a backup ({FILE_NAME} with its -wal), or, to go on without what is lost: "
        f"rollbook repair --data {directory} --accept-loss"
    )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
