"""``rollbook move``: a whole registry from one place to another, of whatever engine, with its history."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from rollbook.addresses import is_address
from rollbook.cli.terminal import counted, progress, say
from rollbook.errors import SettingRefused
from rollbook.journal.audit_copies import AuditLines, copy_audit
from rollbook.journal.lease_store import LeaseStore
from rollbook.journal.opening import (
    open_copyable_journal,
    open_lease_store,
    open_shared_audit,
    open_shared_beside,
    open_shared_journal,
    open_token_store,
    open_webhook_store,
)
from rollbook.journal.privacy import close_to_others
from rollbook.journal.store_transfers import copy_leases, copy_tokens, copy_webhooks
from rollbook.journal.token_store import TokenStore
from rollbook.journal.transfers import Copied, CopyableJournal, copy_journal
from rollbook.journal.webhook_store import WebhookStore
from rollbook.security.audit import BEGINNING, AuditDirectory
from rollbook.view.upkeep import holds_registry, open_checked_journal

CONNECTION_STRINGS = ("postgresql://", "postgres://")


class Stores(Struct, frozen=True):
    """All that a registry keeps, open."""

    journal: CopyableJournal
    leases: LeaseStore
    webhooks: WebhookStore
    tokens: TokenStore
    audit: AuditLines


def move(
    source: Annotated[
        str, typer.Option("--from", metavar="PLACE", help="A data directory, or postgresql://...", show_default=False)
    ],
    target: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="PLACE",
            help="A directory or a database, empty or left by this command.",
            show_default=False,
        ),
    ],
) -> None:
    """Copy a whole registry to another place.

    Documents, history with its revisions and times, idempotency keys, leases with uptime, webhooks with their secrets
    and dead letters, tokens as digests, roles, and the audit log. Stop every server first. What was copied is read
    again and compared; the source stays as it is. Run again, it goes on where it was stopped, and takes over what is
    new.
    """
    if source == target or Path(source).resolve() == Path(target).resolve():
        raise SettingRefused("--from and --to name the same place")
    with _opened(source, is_source=True) as ours, _opened(target, is_source=False) as theirs:
        beginning = ours.journal.transfer.beginning().revision
        copied = _copied(ours.journal, theirs.journal, beginning)
        leases = copy_leases(ours.leases, theirs.leases)
        webhooks = copy_webhooks(ours.webhooks, theirs.webhooks)
        tokens = copy_tokens(ours.tokens, theirs.tokens)
        audit = copy_audit(ours.audit, theirs.audit)
    changes = copied.revision - beginning
    beside = (
        counted(changes, "change"),
        counted(leases, "lease"),
        counted(webhooks, "webhook"),
        counted(tokens, "token"),
        f"{audit:,} audit {'entry' if audit == 1 else 'entries'}",
    )
    say(f"moved {counted(copied.documents, 'document')} at revision {copied.revision}; {', '.join(beside)}")
    say(f"verified: both places hold the same documents and changes, SHA-256 {copied.digest}")


def _copied(ours: CopyableJournal, theirs: CopyableJournal, beginning: int) -> Copied:
    total = ours.newest() - max(beginning, theirs.newest())
    with progress("moving", total=total, unit="changes") as advance:
        return copy_journal(ours, theirs, progress=lambda count: advance(count, count))


@contextmanager
def _opened(place: str, *, is_source: bool) -> Iterator[Stores]:
    """What is at a place. Refuses (SettingRefused) to read where there is no registry."""
    if place.startswith(CONNECTION_STRINGS):
        with _opened_database(place, is_source=is_source) as stores:
            yield stores
        return
    if is_address(place):
        scheme = place.partition(":")[0]
        raise SettingRefused(
            f"{scheme}: is no place of a registry: name a directory, or postgresql://...; documents come from MongoDB "
            "with rollbook import --from, and go there with rollbook export --to"
        )
    directory = Path(place)
    if is_source and not holds_registry(directory):
        raise SettingRefused(f"there is no registry in {directory}: name its directory with --from")
    with ExitStack() as undo:
        open_checked_journal(directory).close()  # which refuses one that has lost changes
        journal = open_copyable_journal(directory)
        undo.callback(journal.close)
        close_to_others(directory)
        leases = open_lease_store(directory)
        undo.callback(leases.close)
        webhooks = open_webhook_store(directory)
        undo.callback(webhooks.close)
        tokens = open_token_store(directory)
        undo.callback(tokens.close)
        yield Stores(journal, leases, webhooks, tokens, AuditDirectory(directory))


@contextmanager
def _opened_database(target: str, *, is_source: bool) -> Iterator[Stores]:
    """What is in a database; its tables are made when absent."""
    with closing(open_shared_journal(target)) as journal, ExitStack() as undo:
        if is_source and not journal.newest():
            raise SettingRefused("there is no registry in the database that --from names")
        stores = open_shared_beside(target)
        for store in stores:
            undo.callback(store.close)
        audit = open_shared_audit(target, beginning=BEGINNING)
        undo.callback(audit.close)
        yield Stores(journal, *stores, audit)
