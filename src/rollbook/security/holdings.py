"""Holdings: what identities are made of: what the settings say, what the security file says, and what a store keeps.

One rule: these are values. What puts them into force is ``identities``.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from rollbook.documents.codec import decode_json
from rollbook.journal.token_store import TokenStore
from rollbook.security.roles import Role, parse_role
from rollbook.security.tokens import Token, token_from
from rollbook.setting_values import AnonymousRoles, TrustedNetworks
from rollbook.settings import Settings

Member = TypeVar("Member")


class Policy(Struct, frozen=True):
    """What the settings say about callers.

    ``admin_token`` is a secret from outside the store, whose caller may do everything. ``anonymous``: the roles of
    addresses. ``observes``: everybody passes, and what would be refused is noted. ``is_loopback``: only programs of
    this machine can connect. ``requests_per_second`` and ``watches_max`` are those of a caller whose token says nothing
    of them; 0: as many as there may be. ``proxies`` are believed beside those of the security file.
    """

    admin_token: str | None = None
    anonymous: AnonymousRoles = AnonymousRoles()
    observes: bool = False
    is_loopback: bool = False
    requests_per_second: float = 0
    watches_max: int = 0
    proxies: TrustedNetworks = TrustedNetworks()


def policy_from(settings: Settings) -> Policy:
    """What the settings say about callers. Blocks: the token of the administrator is in a file."""
    return Policy(
        settings.admin_token_file.read(),
        settings.anonymous,
        settings.security == "observe",
        settings.is_loopback,
        settings.caller_requests_per_second,
        settings.caller_watches_max,
        settings.trusted_proxies,
    )


class Holdings(Struct, frozen=True):
    """What a store holds at one time: its tokens by id, in order of creation, and the roles that are not built in.

    The methods give what it holds after a change.
    """

    tokens: Mapping[str, Token] = {}
    roles: Mapping[str, Role] = {}
    had_identities: bool = False

    def with_token(self, token: Token) -> "Holdings":
        """With a token, in the place of the one with its id."""
        return Holdings({**self.tokens, token.id: token}, self.roles, True)

    def without_token(self, id: str) -> "Holdings":
        """Without a token."""
        return replace(self, tokens=_without(self.tokens, id))

    def with_role(self, role: Role) -> "Holdings":
        """With a role, in the place of the one with its name."""
        return replace(self, roles={**self.roles, role.name: role})

    def without_role(self, name: str) -> "Holdings":
        """Without a role."""
        return replace(self, roles=_without(self.roles, name))

    def used(self, uses: Mapping[str, int]) -> "Holdings":
        """With the times (Unix ms) at which some tokens were last used, by their ids."""
        known = {id: self.tokens[id] for id in uses if id in self.tokens}
        used = {id: replace(token, last_used_at_ms=uses[id]) for id, token in known.items()}
        return replace(self, tokens={**self.tokens, **used})


def read_holdings(store: TokenStore) -> Holdings:
    """What the store holds. Blocks."""
    tokens = {row.id: token_from(row) for row in store.tokens()}
    return Holdings(tokens, read_roles(store), store.has_had_identities())


def read_roles(store: TokenStore) -> dict[str, Role]:
    """The roles that the store holds, by name. Blocks."""
    return {row.name: parse_role(row.name, decode_json(row.body.encode())) for row in store.roles()}


class TokenUses:
    """When tokens were used, until that is kept."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._uses: dict[str, int] = {}
        self._now_ms = now_ms

    def note(self, id: str) -> None:
        """Note that a token is used now."""
        self._uses[id] = self._now_ms()

    def latest(self, token: Token) -> Token:
        """A token with its latest use."""
        at_ms = self._uses.get(token.id)
        return token if at_ms is None else replace(token, last_used_at_ms=at_ms)

    def take(self) -> dict[str, int]:
        """The ids of the tokens that were used since the last call, and when (Unix ms)."""
        uses, self._uses = self._uses, {}
        return uses


def _without(members: Mapping[str, Member], name: str) -> Mapping[str, Member]:
    return {each: member for each, member in members.items() if each != name}
