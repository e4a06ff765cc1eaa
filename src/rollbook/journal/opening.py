"""Opening the stores beside the journal: the only place above ``sqlite`` that knows which engine they are of."""

from pathlib import Path

from rollbook.journal.lease_store import LeaseStore
from rollbook.journal.sqlite.leases import SqliteLeaseStore
from rollbook.journal.sqlite.webhooks import SqliteWebhookStore
from rollbook.journal.webhook_store import WebhookStore


def open_lease_store(directory: Path) -> LeaseStore:
    """The leases in ``directory``, which this process has locked; made when absent, and anew when unreadable."""
    return SqliteLeaseStore.open(directory)


def open_webhook_store(directory: Path) -> WebhookStore:
    """The webhooks in ``directory``, which this process has locked; made when absent.

    Refuses (DataDirectoryUnsound) a file that can't be read: webhooks must not be forgotten in silence.
    """
    return SqliteWebhookStore.open(directory)
