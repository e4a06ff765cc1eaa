"""What a store of tokens and roles keeps, and how it is asked: the protocol that every engine gives a body.

One rule: it is given digests, never tokens; and once it has kept a token it remembers that there was an identity,
whatever is forgotten afterwards.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class TokenRow(NamedTuple):
    """A token as it is stored. ``facts`` is JSON: its name, roles, bindings and networks. Times are Unix ms.

    ``digest`` is the SHA-256 of its secret; ``former_digest`` holds until ``former_until_ms``.
    """

    id: str
    created_at_ms: int
    facts: str
    digest: bytes
    former_digest: bytes | None = None
    former_until_ms: int | None = None
    expires_at_ms: int | None = None
    last_used_at_ms: int | None = None


class RoleRow(NamedTuple):
    """A role as it is stored; ``body`` is JSON."""

    name: str
    body: str


class EndedSession(NamedTuple):
    """A session that was ended: the digest of its secret, and when it would have ended by itself (Unix ms).

    An empty digest stands for all sessions that end by then.
    """

    digest: bytes
    ends_at_ms: int


class TokenStore(Protocol):
    """Tokens and roles, stored. Methods block, and one thread calls them; writes fail (JournalUnavailable) as a disk
    does, and then have changed nothing.
    """

    def tokens(self) -> list[TokenRow]:
        """Every token, in order of creation."""
        ...

    def save_token(self, row: TokenRow) -> None:
        """Keep a token, in place of the one with its id."""
        ...

    def forget_token(self, id: str) -> bool:
        """Forget a token; whether there was one."""
        ...

    def keep_uses(self, uses: Sequence[tuple[str, int]]) -> None:
        """Keep when some tokens were last used. A token that is gone stays gone."""
        ...

    def roles(self) -> list[RoleRow]:
        """Every role, by name."""
        ...

    def save_role(self, row: RoleRow) -> None:
        """Keep a role, in place of the one with its name."""
        ...

    def forget_role(self, name: str) -> bool:
        """Forget a role; whether there was one."""
        ...

    def has_had_identities(self) -> bool:
        """Whether a token was ever kept: then the registry stays closed."""
        ...

    def close(self) -> None:
        """Release what it holds. Closing twice is harmless."""
        ...


class SessionStore(Protocol):
    """What the sessions of browsers have in common in several processes. Called as a ``TokenStore`` is."""

    def key(self) -> bytes:
        """The key (32 bytes) of this registry."""
        ...

    def end(self, session: EndedSession, *, now_ms: int, kept_max: int) -> None:
        """End a session for every process. Where ``kept_max`` are kept, it is all up to the latest of them instead."""
        ...

    def ended(self) -> list[EndedSession]:
        """Those that were ended, of which some would have ended by themselves meanwhile."""
        ...


class SharedTokenStore(TokenStore, Protocol):
    """A store that several processes use."""

    @property
    def sessions(self) -> SessionStore:
        """What is kept of sessions."""
        ...
