"""Holdings: what identities are made of: what the settings say, what the security file says, and what a store keeps.

One rule: these are values. What puts them into force is ``identities``.
"""

from collections.abc import Mapping

from msgspec import Struct

from rollbook.documents.codec import decode_json
from rollbook.journal.token_store import TokenStore
from rollbook.security.roles import Role, parse_role
from rollbook.security.tokens import Token, token_from
from rollbook.setting_values import AnonymousRoles, TrustedNetworks
from rollbook.settings import Settings


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
    """What a store holds at one time: its tokens in order of creation, and the roles that are not built in."""

    tokens: tuple[Token, ...] = ()
    roles: Mapping[str, Role] = {}
    had_identities: bool = False


def read_holdings(store: TokenStore) -> Holdings:
    """What the store holds. Blocks."""
    tokens = tuple(token_from(row) for row in store.tokens())
    roles = {row.name: parse_role(row.name, decode_json(row.body.encode())) for row in store.roles()}
    return Holdings(tokens, roles, store.has_had_identities())


class TokenUses:
    """When tokens were used, until that is kept."""

    def __init__(self) -> None:
        self._uses: dict[str, int] = {}

    def note(self, id: str, at_ms: int) -> None:
        """Note that a token was used."""
        self._uses[id] = at_ms

    def take(self) -> list[tuple[str, int]]:
        """The ids of the tokens that were used since the last call, and when."""
        uses, self._uses = list(self._uses.items()), {}
        return uses
