"""Following what other processes change of tokens and roles, where they are kept in an engine for all.

One rule: all of them are read again, on the thread that has the store: what is read later is enforced later.
"""

from rollbook.journal.storing import StoreThread
from rollbook.journal.token_store import TokenStore
from rollbook.security.holdings import read_holdings
from rollbook.security.identities import Identities


class SharedIdentities:
    """Enforces in this process what any process has changed."""

    def __init__(self, keep: StoreThread[TokenStore], identities: Identities) -> None:
        self._keep = keep
        self._identities = identities
        self._version = -1

    async def follow(self, version: int) -> None:
        """Read what the store holds, unless it has the version that was read before."""
        if version != self._version:
            self._identities.enforce(await self._keep(read_holdings))
            self._version = version
