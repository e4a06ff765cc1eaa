"""Evidence that a journal has lost changes: other files of its directory are newer than it is.

One rule: whatever knows a revision (a snapshot of the index, a lease, the progress of a webhook) had it from the
journal, where it was durable. A journal that ends before it is not the one that it was, and nothing is written to it.
A file that is missing where nothing knows of any revision is a registry that has not begun.
"""

from collections.abc import Iterator
from pathlib import Path

from rollbook.errors import ChangesLost
from rollbook.journal.opening import journal_path, revisions_beside, turn_back_beside, unmerged_log
from rollbook.view import snapshots


def check_before_opening(directory: Path) -> None:
    """Refuses (ChangesLost) to make a journal where there has been one."""
    size_bytes = _size(journal_path(directory))
    if size_bytes:
        return
    state = "is missing" if size_bytes is None else "is empty"
    check_newest(directory, 0, state)
    log = unmerged_log(directory)
    if log is not None:
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
    turn_back_beside(directory, newest)


def forget_other_snapshot(directory: Path, newest: int) -> None:
    """Remove a snapshot that is newer than the journal: a cache that outlived what it was made from."""
    if snapshots.newest_in_snapshot(directory) > newest:
        snapshots.remove_snapshot(directory)


def _known_revisions(directory: Path) -> Iterator[tuple[Path, int]]:
    yield directory / snapshots.FILE_NAME, snapshots.newest_in_snapshot(directory)
    yield from revisions_beside(directory)


def _message(directory: Path, state: str, evidence: str) -> str:
    path = journal_path(directory)
    return (
        f"changes are lost: the journal {path} {state}, but {evidence}. Restore the whole directory "
        f"from a backup ({path.name} with its -wal), or, to go on without what is lost: "
        f"rollbook repair --data {directory} --accept-loss"
    )


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
