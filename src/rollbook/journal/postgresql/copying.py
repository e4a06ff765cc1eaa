"""A registry in PostgreSQL copied into a data directory, while processes write to it.

One rule: the journal is copied last, so that no store beside it knows of a revision that it does not hold.
"""

from contextlib import ExitStack
from pathlib import Path

from rollbook.journal.postgresql.leases import PostgresqlLeaseStore
from rollbook.journal.postgresql.storing import StoreSession
from rollbook.journal.postgresql.tokens import PostgresqlTokenStore
from rollbook.journal.postgresql.webhooks import PostgresqlWebhookStore
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.journal.sqlite.leases import SqliteLeaseStore
from rollbook.journal.sqlite.tokens import SqliteTokenStore
from rollbook.journal.sqlite.webhooks import SqliteWebhookStore
from rollbook.journal.store_transfers import copy_leases, copy_tokens, copy_webhooks
from rollbook.journal.transfers import CopyableJournal, copy_changes


def copy_registry(journal: CopyableJournal, target: str, into: Path) -> None:
    """Make a data directory of the empty directory ``into``: all but the audit log, which stays in the database.

    ``target`` is the connection string of the journal. Fails (JournalUnavailable) as engines and disks do; raises
    Compacted when history is given up meanwhile.
    """
    with ExitStack() as undo:
        copied = SqliteJournal.open(into)
        undo.callback((into / "lock").unlink, missing_ok=True)
        undo.callback(copied.close)
        leases, webhooks, tokens = (
            PostgresqlLeaseStore(StoreSession(target)),
            PostgresqlWebhookStore(StoreSession(target), StoreSession(target)),
            PostgresqlTokenStore(StoreSession(target)),
        )
        copies = SqliteLeaseStore.open(into), SqliteWebhookStore.open(into), SqliteTokenStore.open(into)
        for store in (leases, webhooks, tokens, *copies):
            undo.callback(store.close)
        copy_leases(leases, copies[0])
        copy_webhooks(webhooks, copies[1])
        copy_tokens(tokens, copies[2])
        copy_changes(journal, copied)
