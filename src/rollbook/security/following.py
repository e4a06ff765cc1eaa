"""Following what other processes change of tokens, roles and sessions, where they are kept in an engine for all.

One rule: what the store holds is read on the thread that has the store: what is read later is enforced later. A token
whose row is the very same as before stays the token that it was.
"""

from collections.abc import Sequence

from rollbook.journal.storing import StoreThread
from rollbook.journal.token_store import EndedSession, SharedTokenStore, TokenRow
from rollbook.security.holdings import Holdings, read_roles
from rollbook.security.identities import Identities
from rollbook.security.sessions import SealedSessions
from rollbook.security.tokens import Token, token_from


class SharedIdentities:
    """Enforces in this process what any process has changed."""

    def __init__(self, keep: StoreThread[SharedTokenStore], identities: Identities, sessions: SealedSessions) -> None:
        self._keep = keep
        self._identities = identities
        self._sessions = sessions
        self._version = -1
        self._known: dict[str, tuple[TokenRow, Token]] = {}

    async def follow(self, version: int) -> None:
        """Read what the store holds, unless it has the version that was read before."""
        if version != self._version:
            holdings, ended = await self._keep(self._read)
            self._sessions.enforce(ended)
            self._identities.enforce(holdings)
            self._version = version

    def _read(self, store: SharedTokenStore) -> tuple[Holdings, Sequence[EndedSession]]:
        known, rows = self._known, store.tokens()
        self._known = {
            row.id: known[row.id] if row.id in known and known[row.id][0] is row else (row, token_from(row))
            for row in rows
        }
        tokens = {id: token for id, (_, token) in self._known.items()}
        return Holdings(tokens, read_roles(store), store.has_had_identities()), store.sessions.ended()
