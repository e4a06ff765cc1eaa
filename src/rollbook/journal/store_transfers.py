"""The stores beside one journal copied into those beside another one: leases with uptime, webhooks, tokens and roles.

One rule: what is copied takes the place of what is there, so a copy that was cut off is made again.
"""

from collections.abc import Mapping, Sequence

from rollbook.clusters.uptime import SLOTS_IN_DAY, Spent
from rollbook.errors import RegistryError
from rollbook.journal.lease_store import Counted, LeaseBatch, LeaseStore
from rollbook.journal.token_store import TokenRow, TokenStore
from rollbook.journal.webhook_store import WebhookStore

BATCH_LEASES = 500
NO_SLOT = 2**53
NEGLIGIBLE_SECONDS = 1e-6
PLACEHOLDER = TokenRow("copying", 0, "{}", b"")
"""Kept and forgotten again where there were tokens and are none: the registry stays closed."""


def copy_leases(source: LeaseStore, into: LeaseStore) -> int:
    """Copy every lease with its uptime; how many."""
    rows, oldest = source.load(), NO_SLOT
    gone = {row.id for row in into.load()} - {row.id for row in rows}
    into.save(LeaseBatch(gone, [], {}))
    for start in range(0, len(rows), BATCH_LEASES):
        batch = rows[start : start + BATCH_LEASES]
        uptimes = {row.id: source.uptime(row.id, slot=0, day=0) for row in batch}
        oldest = min([oldest, *(slots[0][0] for slots, _ in uptimes.values() if slots)])
        finished = {id: _slots_of(slots, days) for id, (slots, days) in uptimes.items()}
        into.save(LeaseBatch(list(uptimes), batch, finished))
    into.forget_before(slot=oldest, day=0)
    if sorted(into.load()) != sorted(rows):
        raise RegistryError("the leases that were copied are not those that are there; run this again")
    return len(rows)


def copy_webhooks(source: WebhookStore, into: WebhookStore) -> int:
    """Copy every webhook with its progress and its dead letters; how many. Letters get new numbers."""
    rows = source.load()
    for row, _ in into.load():
        into.forget(row.id)
    for row, progress in rows:
        into.save(row, progress)
        for listed in source.letters.all(row.id):
            letter = source.letters.get(row.id, listed.number)
            if letter is not None:
                into.letters.bury(row.id, letter._replace(retry=False), progress)
                if letter.retry:
                    into.letters.retry(row.id, into.letters.all(row.id)[-1].number)
    if into.load() != rows:
        raise RegistryError("the webhooks that were copied are not those that are there; run this again")
    return len(rows)


def copy_tokens(source: TokenStore, into: TokenStore) -> int:
    """Copy every token, as its digest, and every role; how many tokens."""
    for token in into.tokens():
        into.forget_token(token.id)
    for role in into.roles():
        into.forget_role(role.name)
    for role in source.roles():
        into.save_role(role)
    for token in source.tokens():
        into.save_token(token)
    if source.has_had_identities() and not into.has_had_identities():
        into.save_token(PLACEHOLDER)
        into.forget_token(PLACEHOLDER.id)
    if (into.tokens(), into.roles()) != (source.tokens(), source.roles()):
        raise RegistryError("the tokens that were copied are not those that are there; run this again")
    return len(source.tokens())


def _slots_of(slots: Sequence[Counted], days: Sequence[Counted]) -> Mapping[int, Spent]:
    """Slots that give these days, when they are added up: what is left of a day stands in its first slot.

    That one is older than all slots which are kept, and is forgotten afterwards.
    """
    found = dict(slots)
    for day, whole in days:
        kept = [spent for slot, spent in slots if slot // SLOTS_IN_DAY == day]
        left = Spent(*(total - sum(parts) for total, *parts in zip(whole, *kept, strict=True)))
        first = day * SLOTS_IN_DAY
        if first not in found and max(left) > NEGLIGIBLE_SECONDS:
            found[first] = Spent(*(max(0.0, each) for each in left))
    return found
