"""Identities: the tokens that are in force, and which caller each of them is.

Theory: a table maps the SHA-256 of secrets to tokens. What a server remembers of callers it has recognised holds for
one ``generation``, which goes up with every change of tokens or roles and whenever a token expires. What a token may is
put together when it is first used in a generation.

One rule: when there has ever been an identity, a caller without one may do nothing but what the settings allow to
addresses.
"""

from asyncio import Task
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address, ip_network

from msgspec.structs import replace

from rollbook.documents.values import Value
from rollbook.language.filters.nodes import EVERYTHING
from rollbook.security.access import FULL_ACCESS, Access, access_of
from rollbook.security.callers import Caller, Kind
from rollbook.security.configuration import Configuration
from rollbook.security.holdings import Holdings, Policy, TokenUses
from rollbook.security.issued_tokens import IssuedTokens
from rollbook.security.issuers import TokenSubject, parse_subject_key
from rollbook.security.limits import CallerLimits, Rate, widest
from rollbook.security.masks import HIDDEN
from rollbook.security.roles import BUILT_IN, CLUSTERS, Role
from rollbook.security.sights import Grant
from rollbook.security.tokens import Token, digest_of
from rollbook.setting_values import AnonymousRoles, TrustedNetworks

ADMIN_NAME = "admin-token-file"
NOBODY = Access(())
ACCESSES_MAX = 10_000
ADMIN = (BUILT_IN["admin"],)
NO_FILE, NO_LIMITS = Configuration(), CallerLimits()
NO_FACTS: Mapping[str, Value] = {}
LOOPBACK_GRANT = Grant(frozenset({"metrics"}), EVERYTHING, None, HIDDEN, HIDDEN)
"""What everybody may on a loopback interface: programs of this machine may know how the registry does."""


class Identities:
    """Who may. ``roles`` are all, by name."""

    def __init__(
        self,
        holdings: Holdings,
        policy: Policy,
        configuration: Configuration = NO_FILE,
        *,
        now_ms: Callable[[], int],
    ) -> None:
        self.generation = 0
        self.policy = policy
        self.configuration = configuration
        self.issued = IssuedTokens(())
        self.proxies = policy.proxies
        self.is_closed = False
        self.roles: Mapping[str, Role] = {}
        self._now_ms = now_ms
        self._admin_digest = digest_of(policy.admin_token) if policy.admin_token else None
        self._by_digest: dict[bytes, Token] = {}
        self._by_certificate: dict[str, Token] = {}
        self._accesses: dict[tuple[tuple[str, ...], str], Access] = {}
        self.uses = TokenUses(now_ms)
        self._next_end_ms: int | None = None
        self.holdings = holdings
        self.configure(configuration)

    def configure(self, configuration: Configuration) -> None:
        """Put into force what a security file says."""
        self.configuration = configuration
        self.issued = IssuedTokens(configuration.issuers, self.issued)
        self.proxies = TrustedNetworks((*self.policy.proxies.networks, *configuration.proxies.networks))
        self.enforce(self.holdings)

    def enforce(self, holdings: Holdings) -> None:
        """Put into force what a store holds."""
        self.holdings = holdings
        tokens = holdings.tokens.values()
        self.roles = {**holdings.roles, **self.configuration.roles, **BUILT_IN}
        former = {token.former_digest: token for token in tokens if token.former_digest is not None}
        self._by_digest = {**former, **{token.digest: token for token in tokens}}
        self._by_certificate = {name: token for token in tokens for name in token.certificates}
        policy = self.policy
        self.is_closed = self.is_closed or bool(
            self._admin_digest
            or holdings.had_identities
            or policy.anonymous.roles
            or policy.observes
            or self.configuration.issuers
        )
        self._advance()

    def look(self) -> None:
        """Take note of the time: what has expired ends. To be called once a second."""
        if self._next_end_ms is not None and self._now_ms() >= self._next_end_ms:
            self._advance()

    def recognised(self, secret: str, address: str) -> Caller | None:
        """The caller who has this secret, at an address; None when there is none."""
        digest = digest_of(secret)
        if digest == self._admin_digest:
            return Caller(f"token:{ADMIN_NAME}@{address}", "token", FULL_ACCESS, roles=ADMIN, key=ADMIN_NAME)
        token = self._by_digest.get(digest)
        if token is None and self.issued.issuers:
            subject = self.issued.subject(secret, digest, self._now_ms() / 1000)
            return None if subject is None else self._caller_for(subject, address)
        if token is None or not self._is_in_force(token, digest) or not _is_within(token.networks, address):
            return None
        self.uses.note(token.id)
        return self.caller_with(token, address)

    def awaited_keys(self, secret: str) -> "Task[None] | None":
        """The fetch of an issuer's keys after which this secret may be recognised; None when nothing would change."""
        return self.issued.awaited(secret, self._now_ms() / 1000) if self.issued.issuers else None

    def certified(self, names: Iterable[str], address: str) -> Caller | None:
        """The caller who has shown a certificate with these names; None when it is nobody's."""
        for name in names:
            token = self._by_certificate.get(name)
            if token and self._is_in_force(token, token.digest) and _is_within(token.networks, address):
                self.uses.note(token.id)
                return replace(
                    self.caller_with(token, address), name=f"certificate:{name}@{address}", kind="certificate"
                )
        return None

    def caller_with(self, token: Token, address: str) -> Caller:
        """The caller that a token makes of who sends it from an address."""
        name, facts = f"token:{token.name}@{address}", facts_of(token)
        limits, ends_ms = CallerLimits(token.requests_per_second, token.watches_max), token.expires_at_ms
        return self._caller(name, "token", token.roles, facts=facts, ends_ms=ends_ms, key=token.id, limits=limits)

    def anonymous(self, address: str) -> Caller:
        """The caller who shows no identity."""
        name = f"anonymous@{address}"
        if not self.is_closed:
            return Caller(name, "anonymous", FULL_ACCESS, roles=ADMIN, key=name)
        return self._caller(name, "anonymous", _roles_at(address, self.policy.anonymous), key=name)

    def access_of(self, key: str) -> Access:
        """What the caller with this key (see ``Caller.key``) may now; nothing, when its token is gone or has expired.

        The empty key is nobody's: it stands for the registry itself.
        """
        token, kind = self.holdings.tokens.get(key), key.partition("@")[0]
        if key.startswith("jwt:"):
            return self._access_of_subject(key)
        if token is not None:
            ends = token.expires_at_ms is not None and self._now_ms() >= token.expires_at_ms
            return NOBODY if ends else self.caller_with(token, "").access
        if kind == "anonymous":
            return self.anonymous(key.partition("@")[2]).access
        return FULL_ACCESS if key in ("", ADMIN_NAME) or key.startswith("local:") else NOBODY

    def roles_named(self, names: Iterable[str]) -> tuple[Role, ...]:
        """The roles of these names. One that is gone allows nothing."""
        return tuple(self.roles[name] for name in names if name in self.roles)

    def _caller_for(self, subject: TokenSubject, address: str) -> Caller:
        name = f"jwt:{subject.issuer}/{subject.name}@{address}"
        return self._caller(name, "jwt", subject.roles, facts=subject.facts, ends_ms=subject.ends_ms, key=subject.key)

    def _access_of_subject(self, key: str) -> Access:
        """What a subject may whose issuer is still believed; nothing, when it is not."""
        issuer, roles, facts = parse_subject_key(key)
        is_known = any(each.name == issuer for each in self.configuration.issuers)
        return self._caller(key, "jwt", roles, facts=facts, key=key).access if is_known else NOBODY

    def _caller(
        self,
        name: str,
        kind: Kind,
        role_names: tuple[str, ...],
        *,
        key: str,
        facts: Mapping[str, Value] = NO_FACTS,
        ends_ms: int | None = None,
        limits: CallerLimits = NO_LIMITS,
    ) -> Caller:
        roles = self.roles_named(role_names)
        permitted = self._access(role_names, roles, facts)
        observes, limits = self.policy.observes, limits.or_else(self._limits(roles))
        return Caller(
            name=name,
            kind=kind,
            access=FULL_ACCESS if observes else permitted,
            expires_at_ms=ends_ms,
            roles=roles,
            facts=facts,
            observed=permitted if observes else None,
            key=key,
            rate=Rate.of(limits.requests_per_second) if limits.requests_per_second else None,
            watches_max=limits.watches_max,
            is_noted=observes or bool(permitted.logged),
        )

    def _limits(self, roles: Iterable[Role]) -> CallerLimits:
        """The limits of a caller with these roles, where nothing is said of the caller itself."""
        file, policy = self.configuration, self.policy
        of_roles = widest(file.limits_of_roles.get(role.name, role.limits) for role in roles)
        settings = CallerLimits(policy.requests_per_second or None, policy.watches_max or None)
        return of_roles.or_else(file.limits).or_else(settings)

    def _access(self, names: tuple[str, ...], roles: tuple[Role, ...], facts: Mapping[str, Value]) -> Access:
        """What roles allow with these facts: the same object for all callers who have both alike."""
        alike = (names, repr(facts))
        access = self._accesses.get(alike)
        if access is None:
            access = access_of(roles, facts, secrets=self.configuration.secrets)
            if self.policy.is_loopback and access is not FULL_ACCESS:
                access = Access((*access.grants, LOOPBACK_GRANT))
            if len(self._accesses) >= ACCESSES_MAX:
                self._accesses = {}
            self._accesses[alike] = access
        return access

    def _is_in_force(self, token: Token, digest: bytes) -> bool:
        ends = [token.expires_at_ms] if digest == token.digest else [token.expires_at_ms, token.former_until_ms]
        return all(end is None or self._now_ms() < end for end in ends)

    def _advance(self) -> None:
        self.generation += 1
        self._accesses = {}
        now_ms = self._now_ms()
        ends = {end for token in self._by_digest.values() for end in (token.expires_at_ms, token.former_until_ms)}
        self._next_end_ms = min((end for end in ends if end is not None and end > now_ms), default=None)


def local_caller(uid: int) -> Caller:
    """The caller who has opened the admin socket."""
    return Caller(f"local:{uid}", "local", FULL_ACCESS, roles=ADMIN, key=f"local:{uid}")


def facts_of(token: Token) -> dict[str, Value]:
    """What the rules of roles may ask about the caller with this token."""
    return facts_from(token.clusters, token.owner)


def facts_from(clusters: tuple[str, ...], owner: str | None) -> dict[str, Value]:
    """What the rules of roles may ask about a caller who is bound to these clusters and this owner."""
    facts: dict[str, Value] = {}
    if clusters:
        facts[CLUSTERS] = list(clusters)
    if owner is not None:
        facts["owner"] = owner
    return facts


def _roles_at(address: str, anonymous: AnonymousRoles) -> tuple[str, ...]:
    return tuple(role for role, network in anonymous.roles if _is_within((str(network),), address))


def _is_within(networks: tuple[str, ...], address: str) -> bool:
    if not networks:
        return True
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    return any(peer in ip_network(network) for network in networks)
