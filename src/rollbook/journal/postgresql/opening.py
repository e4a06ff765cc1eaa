"""Opening a registry in PostgreSQL: its journal, the stores beside it, and the link with the other processes."""

from pathlib import Path

from rollbook.journal.interface import DirectoryJournal
from rollbook.journal.lease_store import LeaseStore
from rollbook.journal.links import Link
from rollbook.journal.postgresql.audit import PostgresqlAudit
from rollbook.journal.postgresql.caching import CachedJournal
from rollbook.journal.postgresql.connecting import Session
from rollbook.journal.postgresql.journal import PostgresqlJournal
from rollbook.journal.postgresql.leases import PostgresqlLeaseStore
from rollbook.journal.postgresql.link import EngineLink
from rollbook.journal.postgresql.storing import StoreSession
from rollbook.journal.postgresql.tokens import PostgresqlTokenStore
from rollbook.journal.postgresql.webhooks import PostgresqlWebhookStore
from rollbook.journal.token_store import TokenStore
from rollbook.journal.webhook_store import WebhookStore

__all__ = ["PostgresqlJournal", "PostgresqlTokenStore", "StoreSession", "open_audit", "open_beside", "open_shared"]


def open_audit(target: str, *, beginning: str) -> PostgresqlAudit:
    """The audit log of the registry that a connection string leads to."""

    def open_session(deadline: float | None) -> Session:
        return Session.open(target, deadline=deadline)

    return PostgresqlAudit(StoreSession(target), open_session, beginning=beginning)


def open_beside(target: str) -> tuple[LeaseStore, WebhookStore, TokenStore]:
    """See ``journal.opening.open_shared_beside``."""
    webhooks = PostgresqlWebhookStore(StoreSession(target), StoreSession(target))
    return PostgresqlLeaseStore(StoreSession(target)), webhooks, PostgresqlTokenStore(StoreSession(target))


def open_shared(
    target: str, cache: Path, *, seconds: float
) -> tuple[DirectoryJournal, LeaseStore, WebhookStore, Link, bytes]:
    """See ``journal.opening.open_shared_stores``."""
    journal = CachedJournal.open_with(target, cache, seconds=seconds)
    link = EngineLink(target, journal.identity)
    try:
        link.exchange((), bids=False)  # which also measures the engine's clock
    except BaseException:
        journal.close()
        raise

    def keeping() -> StoreSession:
        return StoreSession(target, term=lambda: link.term)

    webhooks = PostgresqlWebhookStore(StoreSession(target), keeping())
    return journal, PostgresqlLeaseStore(keeping()), webhooks, link, journal.identity.cursor_key
