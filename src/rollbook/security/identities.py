"""Identities: the tokens that are in force, and which caller each of them is.

Theory: a table maps the SHA-256 of secrets to tokens. What a server remembers of callers it has recognised holds for
one ``generation``, which goes up with every change of tokens and whenever one of them expires.

One rule: when there has ever been an identity, a caller without one may do nothing.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network

from rollbook.documents.codec import decode_json
from rollbook.documents.values import Value
from rollbook.journal.token_store import TokenStore
from rollbook.security.access import FULL_ACCESS, Access, access_of
from rollbook.security.callers import Caller
from rollbook.security.roles import BUILT_IN, CLUSTERS, Role, parse_role
from rollbook.security.tokens import Token, digest_of, token_from

NOBODY = Access(())
ADMIN_NAME = "admin-token-file"


class Identities:
    """Who may. ``admin_token`` is a secret from outside the store, whose caller may do everything."""

    def __init__(self, store: TokenStore, *, now_ms: Callable[[], int], admin_token: str | None = None) -> None:
        self.generation = 0
        self.is_closed = False
        self._store = store
        self._now_ms = now_ms
        self._admin_digest = digest_of(admin_token) if admin_token else None
        self._tokens: dict[bytes, Token] = {}
        self._roles: Mapping[str, Role] = BUILT_IN
        self._next_end_ms: int | None = None
        self.load()

    def load(self) -> None:
        """Put into force what the store holds. Blocks."""
        rows = [token_from(row) for row in self._store.tokens()]
        own = {row.name: parse_role(row.name, decode_json(row.body.encode())) for row in self._store.roles()}
        self._tokens = {token.digest: token for token in rows}
        self._tokens |= {token.former_digest: token for token in rows if token.former_digest is not None}
        self._roles = {**own, **BUILT_IN}
        self.is_closed = self._admin_digest is not None or self._store.has_had_identities()
        self._advance()

    def look(self) -> None:
        """Take note of the time: what has expired ends. To be called once a second."""
        if self._next_end_ms is not None and self._now_ms() >= self._next_end_ms:
            self._advance()

    def recognised(self, secret: str, address: str) -> Caller | None:
        """The caller who has this secret, at an address; None when there is none."""
        digest = digest_of(secret)
        if digest == self._admin_digest:
            return Caller(f"token:{ADMIN_NAME}@{address}", "token", FULL_ACCESS)
        token = self._tokens.get(digest)
        if token is None or not self._is_in_force(token, digest) or not _is_within(token.networks, address):
            return None
        roles = [self._roles[name] for name in token.roles if name in self._roles]
        access = access_of(roles, facts_of(token))
        return Caller(f"token:{token.name}@{address}", "token", access, token.expires_at_ms)

    def anonymous(self, address: str) -> Caller:
        """The caller who shows no identity."""
        return Caller(f"anonymous@{address}", "anonymous", NOBODY if self.is_closed else FULL_ACCESS)

    def _is_in_force(self, token: Token, digest: bytes) -> bool:
        ends = [token.expires_at_ms] if digest == token.digest else [token.expires_at_ms, token.former_until_ms]
        return all(end is None or self._now_ms() < end for end in ends)

    def _advance(self) -> None:
        self.generation += 1
        now_ms = self._now_ms()
        ends = {end for token in self._tokens.values() for end in (token.expires_at_ms, token.former_until_ms)}
        self._next_end_ms = min((end for end in ends if end is not None and end > now_ms), default=None)


def facts_of(token: Token) -> dict[str, Value]:
    """What the rules of roles may ask about the caller with this token."""
    facts: dict[str, Value] = {}
    if token.clusters:
        facts[CLUSTERS] = list(token.clusters)
    if token.owner is not None:
        facts["owner"] = token.owner
    return facts


def _is_within(networks: tuple[str, ...], address: str) -> bool:
    if not networks:
        return True
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    return any(peer in ip_network(network) for network in networks)
