"""What is done to a data directory that no server uses: it is checked, and repaired."""

from pathlib import Path

from rollbook.errors import ChangesLost, DataDirectoryUnsound, JournalUnavailable, SettingRefused
from rollbook.journal.interface import DirectoryJournal
from rollbook.journal.opening import journal_path, open_journal, open_shared_journal, problems_beside
from rollbook.view.losses import accept_loss, check_before_opening, check_newest
from rollbook.view.snapshots import remove_snapshot


def holds_registry(directory: Path) -> bool:
    """Whether there is a registry, or traces of one. Opening it would make one where there is none."""
    try:
        check_before_opening(directory)
    except ChangesLost:
        return True
    return journal_path(directory).is_file()


def open_checked_journal(directory: Path) -> DirectoryJournal:
    """The journal in ``directory``; made when absent. Refuses (ChangesLost) one that ends before it once did."""
    check_before_opening(directory)
    journal = open_journal(directory)
    try:
        check_newest(directory, journal.newest())
    except BaseException:
        journal.close()
        raise
    return journal


def problems_in(directory: Path) -> list[str]:
    """What is wrong with the data, a sentence each; empty when it is intact. Changes nothing that it can help."""
    try:
        journal = open_checked_journal(directory)
    except (DataDirectoryUnsound, JournalUnavailable) as problem:
        return [problem.message]
    try:
        return [*journal.inspection.problems(), *problems_beside(directory)]
    finally:
        journal.close()


def problems_in_shared(target: str) -> list[str]:
    """What is wrong with the journal that a connection string leads to, as of one moment."""
    journal = open_shared_journal(target)
    try:
        return journal.inspection.problems()
    finally:
        journal.close()


def repair_cluster(directory: Path, id: str, *, drop: bool) -> str:
    """Repair one damaged cluster; what was done, in words. With ``drop``, contents that are damaged may be given up."""
    journal = open_checked_journal(directory)
    try:
        newest = journal.newest()
        done = journal.repair(id, drop=drop)
        if journal.newest() != newest:
            remove_snapshot(directory)
        return done
    finally:
        journal.close()


def go_on_without_what_is_lost(directory: Path) -> str:
    """Make the other files fit the journal, whatever it holds; what was done, in words."""
    if not holds_registry(directory):
        raise SettingRefused(f"there is no registry in {directory}: name its directory with --data")
    journal = open_journal(directory)
    try:
        accept_loss(directory, journal.newest())
        return f"{directory} goes on from revision {journal.newest()}, with {journal.inspection.count()} clusters"
    finally:
        journal.close()
