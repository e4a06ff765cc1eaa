"""Tokens and roles in memory.

One rule: it passes the contract as the other stores do, and is the simplest that does. Nothing survives the process.
"""

from collections.abc import Sequence

from rollbook.journal.token_store import RoleRow, TokenRow


class MemoryTokenStore:
    """A store (see ``token_store.TokenStore``) that ends with its process."""

    def __init__(self) -> None:
        self._tokens: dict[str, TokenRow] = {}
        self._roles: dict[str, RoleRow] = {}
        self._had_identities = False

    def tokens(self) -> list[TokenRow]:
        """Every token, in order of creation."""
        return sorted(self._tokens.values(), key=lambda row: (row.created_at_ms, row.id))

    def save_token(self, row: TokenRow) -> None:
        """Keep a token, in place of the one with its id."""
        self._tokens[row.id] = row
        self._had_identities = True

    def forget_token(self, id: str) -> bool:
        """Forget a token; whether there was one."""
        return self._tokens.pop(id, None) is not None

    def keep_uses(self, uses: Sequence[tuple[str, int]]) -> None:
        """Keep when some tokens were last used."""
        for id, at_ms in uses:
            if id in self._tokens:
                self._tokens[id] = self._tokens[id]._replace(last_used_at_ms=at_ms)

    def roles(self) -> list[RoleRow]:
        """Every role, by name."""
        return sorted(self._roles.values())

    def save_role(self, row: RoleRow) -> None:
        """Keep a role, in place of the one with its name."""
        self._roles[row.name] = row

    def forget_role(self, name: str) -> bool:
        """Forget a role; whether there was one."""
        return self._roles.pop(name, None) is not None

    def has_had_identities(self) -> bool:
        """Whether a token was ever kept."""
        return self._had_identities

    def close(self) -> None:
        """Nothing is held."""
