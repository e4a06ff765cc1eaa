"""Opening the journal and the stores beside it: the only place above ``sqlite`` that knows which engine they are of."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from msgspec import Struct

from rollbook.errors import SettingRefused
from rollbook.journal.audit_store import SharedAuditStore
from rollbook.journal.interface import DirectoryJournal
from rollbook.journal.lease_store import LeaseStore
from rollbook.journal.links import Link
from rollbook.journal.sqlite import leases, schema, token_schema, webhook_schema
from rollbook.journal.sqlite.copying import copy_file, turn_back_journal
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.journal.sqlite.leases import SqliteLeaseStore
from rollbook.journal.sqlite.tokens import SqliteTokenStore
from rollbook.journal.sqlite.webhooks import SqliteWebhookStore
from rollbook.journal.token_store import SharedTokenStore, TokenStore
from rollbook.journal.transfers import CopyableJournal
from rollbook.journal.webhook_store import WebhookStore

LOG_HEADER_BYTES = 32
"""The length of a write-ahead log in which nothing was written."""


def open_journal(directory: Path) -> DirectoryJournal:
    """The journal in ``directory``, both made when absent. Where nothing can be written, what is there is read.

    Refuses a directory that another process uses (DataDirectoryLocked), that holds something else or another format
    (DataDirectoryUnsound), or where nothing can be read nor made (JournalUnavailable).
    """
    return SqliteJournal.open(directory)


def open_copyable_journal(directory: Path) -> CopyableJournal:
    """As ``open_journal``, to be copied, or to be the copy."""
    return SqliteJournal.open(directory)


def open_lease_store(directory: Path) -> LeaseStore:
    """The leases in ``directory``, which this process has locked; made when absent, and anew when unreadable."""
    return SqliteLeaseStore.open(directory)


def open_webhook_store(directory: Path) -> WebhookStore:
    """The webhooks in ``directory``, which this process has locked; made when absent.

    Refuses (DataDirectoryUnsound) a file that can't be read: webhooks must not be forgotten in silence.
    """
    return SqliteWebhookStore.open(directory)


def open_token_store(directory: Path) -> TokenStore:
    """The tokens and roles in ``directory``, which this process has locked; made when absent.

    Refuses (DataDirectoryUnsound) a file that can't be read: who may must not be forgotten in silence.
    """
    return SqliteTokenStore.open(directory)


class SharedStores(Struct, frozen=True):
    """What is open of a journal that other processes use too, and the link with them."""

    journal: DirectoryJournal
    leases: LeaseStore
    webhooks: WebhookStore
    link: Link
    cursor_key: bytes


def open_shared_journal(target: str) -> CopyableJournal:
    """The journal that a connection string leads to. Refuses and fails as ``open_shared_stores`` does."""
    journal: CopyableJournal = _engine().PostgresqlJournal.open(target)
    return journal


def open_shared_stores(target: str, cache: Path, *, seconds: float) -> SharedStores:
    """The journal that a connection string leads to, and the stores beside it; their tables are made when absent.

    ``cache`` is this process's own directory; ``seconds``: how long a write is tried. Refuses (SettingRefused) a target
    that can't be used, (DataDirectoryLocked) a cache that another process uses; fails (JournalUnavailable) while the
    engine can't be reached.
    """
    shared = _engine().open_shared(target, cache, seconds=seconds)
    return SharedStores(*shared)


def open_shared_beside(target: str) -> tuple[LeaseStore, WebhookStore, TokenStore]:
    """The stores beside the journal that a connection string leads to, for when no server runs."""
    leases, webhooks, tokens = _engine().open_beside(target)
    return leases, webhooks, tokens


def open_shared_token_store(target: str) -> SharedTokenStore:
    """The tokens and roles of the registry that a connection string leads to."""
    engine = _engine()
    store: SharedTokenStore = engine.PostgresqlTokenStore(engine.StoreSession(target))
    return store


def open_shared_audit(target: str, *, beginning: str) -> SharedAuditStore:
    """The audit log of the registry that a connection string leads to; see ``SharedAuditStore``."""
    store: SharedAuditStore = _engine().open_audit(target, beginning=beginning)
    return store


def _engine() -> ModuleType:
    """The modules that need psycopg, imported where they are asked for."""
    try:
        return import_module("rollbook.journal.postgresql.opening")
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] != "psycopg":
            raise
        raise SettingRefused("a journal on PostgreSQL needs psycopg: pip install 'rollbook[postgresql]'") from None


def journal_path(directory: Path) -> Path:
    """The file that holds the journal of ``directory``."""
    return directory / schema.FILE_NAME


def unmerged_log(directory: Path) -> Path | None:
    """The log of changes that may not be in the journal's file yet; None when there is none, or an empty one."""
    log = directory / f"{schema.FILE_NAME}-wal"
    try:
        return log if log.stat().st_size > LOG_HEADER_BYTES else None
    except OSError:
        return None


def problems_beside(directory: Path) -> list[str]:
    """What is wrong with the stores beside the journal, a sentence each; empty when they are intact."""
    return [
        *leases.problems_in_leases(directory),
        *webhook_schema.problems_in_webhooks(directory),
        *token_schema.problems_in_tokens(directory),
    ]


def revisions_beside(directory: Path) -> Iterator[tuple[Path, int]]:
    """The stores beside the journal, each with the newest revision that it knows; 0 when it knows none."""
    yield directory / leases.FILE_NAME, leases.newest_in_leases(directory)
    yield directory / webhook_schema.FILE_NAME, webhook_schema.newest_in_webhooks(directory)


def copy_beside(directory: Path, into: Path) -> None:
    """Copy the stores beside the journal of ``directory``, each as of a moment. Fails as ``copy`` does."""
    for name in (leases.FILE_NAME, webhook_schema.FILE_NAME, token_schema.FILE_NAME):
        if (directory / name).exists():
            copy_file(directory / name, into)


def turn_back(directory: Path, *, revision: int | None, at_ms: int | None) -> int:
    """Make what was at a revision, or at a time (Unix ms), the present of a journal that no process uses.

    The revision that it is at then. Refuses (Compacted) what its history does not reach, and (DataDirectoryUnsound)
    what it has not come to.
    """
    return turn_back_journal(directory, revision=revision, at_ms=at_ms)


def turn_back_beside(directory: Path, newest: int) -> None:
    """Make the stores beside the journal forget every revision later than ``newest``."""
    leases.forget_later_leases(directory, newest)
    webhook_schema.turn_back_webhooks(directory, newest)
