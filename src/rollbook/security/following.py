"""Following what other processes change of tokens and roles, where they are kept in an engine for all.

One rule: what the store holds is read on the thread that has the store: what is read later is enforced later. A token
whose row is the very same as before stays the token that it was.
"""

from rollbook.journal.storing import StoreThread
from rollbook.journal.token_store import TokenRow, TokenStore
from rollbook.security.holdings import Holdings, read_roles
from rollbook.security.identities import Identities
from rollbook.security.tokens import Token, token_from


class SharedIdentities:
    """Enforces in this process what any process has changed."""

    def __init__(self, keep: StoreThread[TokenStore], identities: Identities) -> None:
        self._keep = keep
        self._identities = identities
        self._version = -1
        self._known: dict[str, tuple[TokenRow, Token]] = {}

    async def follow(self, version: int) -> None:
        """Read what the store holds, unless it has the version that was read before."""
        if version != self._version:
            self._identities.enforce(await self._keep(self._read))
            self._version = version

    def _read(self, store: TokenStore) -> Holdings:
        known, rows = self._known, store.tokens()
        self._known = {
            row.id: known[row.id] if row.id in known and known[row.id][0] is row else (row, token_from(row))
            for row in rows
        }
        tokens = {id: token for id, (_, token) in self._known.items()}
        return Holdings(tokens, read_roles(store), store.has_had_identities())
