"""Accounts: the tokens and roles of a registry, as they are made, changed and ended.

Theory: a change is written by the thread that has the store, and then made to what is enforced, so that its cost does
not grow with the tokens that are stored. Changes follow one another.

One rule: a change is on the disk and in force before its caller is answered.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from rollbook.documents.codec import encode_json
from rollbook.errors import RequestRefused, RoleInUse, RoleNotFound, TokenExists, TokenNotFound
from rollbook.journal.storing import StoreThread
from rollbook.journal.token_store import RoleRow, TokenStore
from rollbook.security.callers import Caller
from rollbook.security.holdings import Holdings
from rollbook.security.identities import Identities
from rollbook.security.issuing import NewToken, check_may_give
from rollbook.security.roles import BUILT_IN, Role
from rollbook.security.tokens import Token, digest_of, new_token, new_token_id, row_of


class Issued(Struct, frozen=True):
    """A token, and its new secret, which is shown this once."""

    token: Token
    secret: str


class Accounts:
    """The tokens and roles that a store keeps, and ``identities`` enforces."""

    def __init__(self, keep: StoreThread[TokenStore], identities: Identities, *, now_ms: Callable[[], int]) -> None:
        self.identities = identities
        self.now_ms = now_ms
        self._keep = keep
        self._in_turn = asyncio.Lock()

    @property
    def tokens(self) -> Sequence[Token]:
        """All tokens, in order of creation."""
        return list(map(self.identities.uses.latest, self.identities.holdings.tokens.values()))

    @property
    def roles(self) -> Mapping[str, Role]:
        """All roles, those that are built in among them, by name."""
        return self.identities.roles

    def token(self, id: str) -> Token:
        """The token with an id. Refuses (TokenNotFound) one that is not there."""
        token = self.identities.holdings.tokens.get(id)
        if token is None:
            raise TokenNotFound(f"no token has the id {id[:64]!r}")
        return self.identities.uses.latest(token)

    def role(self, name: str) -> Role:
        """The role of a name. Refuses (RoleNotFound) one that is not there."""
        role = self.roles.get(name)
        if role is None:
            raise RoleNotFound(f"there is no role {name[:64]!r}")
        return role

    async def create(self, caller: Caller, asked: NewToken) -> Issued:
        """Make a token. Refuses a name that is taken (TokenExists), and more than the caller has (PermissionDenied)."""
        async with self._in_turn:
            check_may_give(caller, map(self.role, asked.roles), asked.clusters, asked.owner)
            existing = self.identities.holdings.tokens.values()
            if any(token.name == asked.name for token in existing):
                raise TokenExists(f"a token is named {asked.name!r} already: rotate or revoke it, or choose another")
            taken = {name for token in existing for name in token.certificates}
            if not taken.isdisjoint(asked.certificates):
                raise TokenExists(f"{min(taken & set(asked.certificates))!r} is the certificate of another token")
            id = new_token_id()
            secret = new_token(id)
            token = Token(
                id=id,
                name=asked.name,
                roles=asked.roles,
                digest=digest_of(secret),
                created_at_ms=self.now_ms(),
                clusters=asked.clusters,
                owner=asked.owner,
                networks=asked.networks,
                expires_at_ms=asked.expires_at_ms,
                created_by=caller.name,
                certificates=asked.certificates,
                requests_per_second=asked.requests_per_second,
                watches_max=asked.watches_max,
            )
            await self._save(token)
            return Issued(token, secret)

    async def rotate(self, caller: Caller, id: str, *, grace_ms: int) -> Issued:
        """Give a token a new secret; the present one holds ``grace_ms`` longer, and one before it ends now.

        Refuses (PermissionDenied) it to a caller who has less than the token.
        """
        async with self._in_turn:
            token = self.token(id)
            check_may_give(caller, self.identities.roles_named(token.roles), token.clusters, token.owner)
            secret = new_token(id)
            former = (token.digest, self.now_ms() + grace_ms) if grace_ms else (None, None)
            rotated = replace(token, digest=digest_of(secret), former_digest=former[0], former_until_ms=former[1])
            await self._save(rotated)
            return Issued(rotated, secret)

    async def revoke(self, id: str) -> Token:
        """End a token, and return what it was."""
        async with self._in_turn:
            token = self.token(id)
            await self._change(lambda store: store.forget_token(id), lambda holdings: holdings.without_token(id))
            return token

    async def put_role(self, caller: Caller, role: Role) -> bool:
        """Make a role, or put it in the place of the one with its name; whether there was none.

        Refuses (PermissionDenied) one that allows more than the caller may, and (RequestRefused) the name of one that
        stands in the security file.
        """
        async with self._in_turn:
            self._check_not_in_file(role.name)
            check_may_give(caller, (role,), (), None)
            is_new = role.name not in self.roles
            row = RoleRow(role.name, encode_json(role.as_json()).decode())
            await self._change(lambda store: store.save_role(row), lambda holdings: holdings.with_role(role))
            return is_new

    async def delete_role(self, name: str) -> None:
        """Delete a role. Refuses one that is built in or in the security file (RequestRefused), or that tokens have
        (RoleInUse).
        """
        async with self._in_turn:
            self.role(name)
            self._check_not_in_file(name)
            if name in BUILT_IN:
                raise RequestRefused(f"the role {name!r} is built in and can't be deleted")
            having = [token.name for token in self.identities.holdings.tokens.values() if name in token.roles]
            if having:
                more = f" and {len(having) - 3} more" if len(having) > 3 else ""
                raise RoleInUse(
                    f"the role {name!r} is that of {', '.join(having[:3])}{more}: revoke these tokens first"
                )
            await self._change(lambda store: store.forget_role(name), lambda holdings: holdings.without_role(name))

    async def keep_uses(self) -> None:
        """Keep when tokens were last used."""
        uses = self.identities.uses.take()
        if uses:
            self.identities.holdings = self.identities.holdings.used(uses)
            await self._keep(lambda store: store.keep_uses(list(uses.items())))

    def _check_not_in_file(self, name: str) -> None:
        if name in self.identities.configuration.roles:
            raise RequestRefused(f"the role {name!r} stands in the security file: change it there")

    async def _save(self, token: Token) -> None:
        await self._change(lambda store: store.save_token(row_of(token)), lambda holdings: holdings.with_token(token))

    async def _change(self, write: Callable[[TokenStore], object], after: Callable[[Holdings], Holdings]) -> None:
        """Keep a change and enforce it: both, even when nobody waits for it any more."""

        async def change() -> None:
            await self._keep(write)
            self.identities.enforce(after(self.identities.holdings))

        changing = asyncio.create_task(change(), name="rollbook-accounts")
        try:
            await asyncio.shield(changing)
        finally:
            await asyncio.wait([changing])
