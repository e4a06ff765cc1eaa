"""Writes on all clusters that match a filter: selected first, then done together, each while it still matches.

Theory: the filter selects among what the caller sees. Every command is decided on the newest document, in one batch,
which is done as a whole or not at all. A cluster that matches no longer is passed over; one that is gone begins it all
again. A deletion that was rehearsed is confirmed by a sealed text, which names the filter and the clusters that were
shown.
"""

import asyncio
from collections.abc import Callable, Sequence
from hashlib import blake2b

import msgspec
from msgspec import Struct

from rollbook.errors import (
    BatchRefused,
    ClusterNotFound,
    JournalConflict,
    LanguageRefused,
    PreconditionFailed,
    RegistryError,
    RequestRefused,
)
from rollbook.journal.interface import Journal
from rollbook.registry.listing.cursors import CursorKey, digest_of
from rollbook.registry.listing.page_requests import PageRequest
from rollbook.registry.listing.pages import Pages
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.filtered_write_requests import FilteredWrite
from rollbook.registry.writing.committing import Committer
from rollbook.registry.writing.idempotency import IdempotencyKey, remembered
from rollbook.registry.writing.matching_commands import PASSED_OVER, WhileMatching
from rollbook.registry.writing.submissions import Outcomes, Write, WriteResult, replayed_results
from rollbook.security.callers import Caller

CONFIRMATION_MS = 10 * 60 * 1000
"""How long what was shown can be confirmed."""

ATTEMPTS_MAX = 5


class Confirmation(Struct, frozen=True, array_like=True):
    """That a caller has seen which clusters a deletion takes. Both digests are of what must stay the same."""

    asked: bytes
    ids: bytes
    until_ms: int


class FilteredWrites:
    """Carries out what callers ask of all clusters that match a filter."""

    def __init__(
        self,
        pages: Pages,
        committer: Committer,
        journal: Journal,
        *,
        facts: Callable[[Caller], Facts],
        key: CursorKey,
        now_ms: Callable[[], int],
    ) -> None:
        self._pages = pages
        self._committer = committer
        self._journal = journal
        self._facts = facts
        self._key = key.for_purpose(b"confirmations")
        self._now_ms = now_ms

    async def write(
        self,
        caller: Caller,
        asked: FilteredWrite,
        *,
        reason: str | None = None,
        dry_run: bool = False,
        key: IdempotencyKey | None = None,
    ) -> Outcomes:
        """What became of each cluster that matches. Refuses what any of them is refused with, and does nothing then.

        Refuses (LanguageRefused) when more match than there may be, (PreconditionFailed) when others match than were
        confirmed.
        """
        for _ in range(ATTEMPTS_MAX):
            try:
                ids = await self._selected(caller, asked, dry_run=dry_run)
            except RegistryError:  # of what the write has left, if it was done before
                done = None if key is None else await self._done(key)
                if done is None:
                    raise
                return done
            facts = self._facts(caller) if asked.query.reads_registry else None
            commands = [WhileMatching(asked.command_for(id), asked.query.filter, facts) for id in ids]
            writes = [Write(command, caller, reason, dry_run) for command in commands]
            outcomes = await self._committer.submit_together(writes, dry_run=dry_run, key=key)
            if not any(isinstance(each, ClusterNotFound) for each in outcomes.each):
                return _done_to(ids, outcomes)
        raise JournalConflict("clusters that match were deleted each time; nothing was done: try again")

    def confirmation(self, caller: Caller, asked: FilteredWrite, ids: Sequence[str]) -> str:
        """What the caller brings to confirm that these clusters are meant."""
        until_ms = self._now_ms() + CONFIRMATION_MS
        return self._key.seal(msgspec.msgpack.encode(Confirmation(_digest(caller, asked), _ids(ids), until_ms)))

    async def _selected(self, caller: Caller, asked: FilteredWrite, *, dry_run: bool) -> list[str]:
        """The ids of the clusters that match, which are those that were confirmed, where they have to be."""
        page = await self._pages.page(caller, PageRequest(asked.query, asked.at_most, None, b""))
        if page.total > asked.at_most:
            problem = f"{page.total} clusters match, which is more than atMost ({asked.at_most}); nothing was done"
            raise LanguageRefused(f"{problem}: narrow the filter, or raise atMost", at="/filter", mongo_code=2)
        ids = [entry.id for entry in page.entries]
        if asked.confirm is not None and not dry_run:
            self._check(caller, asked, ids)
        return ids

    async def _done(self, key: IdempotencyKey) -> Outcomes | None:
        """What the write with this key came to, if it was done."""
        kept = await asyncio.to_thread(self._journal.past.result, key.key)
        found = remembered(key, kept, self._now_ms())
        return None if found is None else Outcomes(replayed_results(found), replayed=True)

    def _check(self, caller: Caller, asked: FilteredWrite, ids: Sequence[str]) -> None:
        """Refuses a confirmation that is of something else, or too old."""
        content = self._key.unseal(asked.confirm or "")
        seen = None if content is None else msgspec.msgpack.decode(content, type=Confirmation)
        if seen is None or seen.asked != _digest(caller, asked):
            raise RequestRefused("this confirms no such deletion; ask for a dry run, which answers one", at="/confirm")
        if seen.until_ms < self._now_ms():
            raise PreconditionFailed("the confirmation has expired; ask for another dry run", at="/confirm")
        if seen.ids != _ids(ids):
            problem = f"other clusters match now ({len(ids)}) than when the dry run showed them; nothing was deleted"
            raise PreconditionFailed(f"{problem}: ask for another dry run", at="/confirm")


def _done_to(ids: Sequence[str], outcomes: Outcomes) -> Outcomes:
    """The results of those that still matched. Raises what one was refused with, and names its cluster."""
    for id, outcome in zip(ids, outcomes.each, strict=False):
        if isinstance(outcome, RegistryError) and not isinstance(outcome, BatchRefused):
            outcome.message = f"cluster {id!r}: {outcome.message}; nothing was done"
            raise outcome
        if isinstance(outcome, Exception) and not isinstance(outcome, RegistryError):
            raise outcome
    results = [each for each in outcomes.each if isinstance(each, WriteResult) and each.outcome != PASSED_OVER]
    return Outcomes(results, replayed=outcomes.replayed)


def _digest(caller: Caller, asked: FilteredWrite) -> bytes:
    return digest_of(b"%d %b %b" % (len(caller.name), caller.name.encode(), asked.asked))


def _ids(ids: Sequence[str]) -> bytes:
    return blake2b("\n".join(sorted(ids)).encode(), digest_size=16).digest()
