"""Requests for tokens: what a caller asks for when a token is made or rotated, and what it may ask for.

One rule: nobody gives what they do not have. A caller who may not do everything gives only roles whose verbs it has on
every cluster without hidden or unwritable paths, or the very roles and bindings of its own.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from ipaddress import ip_network

from msgspec import Struct

from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.errors import PermissionDenied, RequestRefused, below
from rollbook.language.filters.nodes import EVERYTHING
from rollbook.security.access import FULL_ACCESS
from rollbook.security.callers import Caller
from rollbook.security.identities import facts_from
from rollbook.security.limits import REQUESTS_MAX, WATCHES_MAX
from rollbook.security.masks import SHOWN
from rollbook.security.members import integer_in, number_in
from rollbook.security.roles import CLUSTERS, Role
from rollbook.security.tokens import Token

TOKEN_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
ROLES_MAX, CLUSTERS_MAX, NETWORKS_MAX = 32, 1_000, 64
CERTIFICATES_MAX = 64
TEXT_LENGTH_MAX = 500
GRACE_SECONDS_DEFAULT, GRACE_SECONDS_MAX = 24 * 3600, 30 * 24 * 3600
SECONDS_MAX = 100 * 365 * 24 * 3600

MEMBERS = frozenset(
    {
        "name",
        "roles",
        "clusters",
        "owner",
        "networks",
        "certificates",
        "requestsPerSecond",
        "watchesMax",
        "expiresAt",
        "ttlSeconds",
    }
)


class NewToken(Struct, frozen=True):
    """A token that is asked for. ``expires_at_ms``: Unix ms; None: never."""

    name: str
    roles: tuple[str, ...]
    clusters: tuple[str, ...] = ()
    owner: str | None = None
    networks: tuple[str, ...] = ()
    expires_at_ms: int | None = None
    certificates: tuple[str, ...] = ()
    requests_per_second: float | None = None
    watches_max: int | None = None


def parse_new_token(body: Value, *, roles: Iterable[str], now_ms: int) -> NewToken:
    """The token that a body asks for. Refuses (RequestRefused) with the place of the first problem.

    ``roles`` are the names of those that there are.
    """
    if not isinstance(body, dict):
        raise RequestRefused("a token is asked for by an object: {'name': ..., 'roles': [...]}")
    for member in body.keys() - MEMBERS:
        raise RequestRefused(f"{member!r} is not known here, only {', '.join(sorted(MEMBERS))}", at=below("", member))
    name = body.get("name")
    if not isinstance(name, str) or not TOKEN_NAME.fullmatch(name):
        raise RequestRefused("'name' must be 1 to 64 letters, digits, '.', '_' and '-', such as ci-east", at="/name")
    named = _texts(body, "roles", most=ROLES_MAX)
    if not named:
        raise RequestRefused("'roles' must be an array of at least one name of a role", at="/roles")
    _check_roles(named, sorted(roles))
    owner = body.get("owner")
    if owner is not None and (not isinstance(owner, str) or not 0 < len(owner) <= TEXT_LENGTH_MAX):
        raise RequestRefused(f"'owner' must be a string of 1 to {TEXT_LENGTH_MAX} characters", at="/owner")
    networks = _texts(body, "networks", most=NETWORKS_MAX)
    clusters = _texts(body, "clusters", most=CLUSTERS_MAX)
    certificates = _texts(body, "certificates", most=CERTIFICATES_MAX)
    return NewToken(
        name=name,
        roles=named,
        clusters=clusters,
        owner=owner,
        networks=_networks(networks),
        expires_at_ms=_expiry(body, now_ms),
        certificates=certificates,
        requests_per_second=number_in(body, "requestsPerSecond", least=0.01, most=REQUESTS_MAX),
        watches_max=integer_in(body, "watchesMax", most=WATCHES_MAX),
    )


def parse_grace_ms(body: Maybe) -> int:
    """How long (ms) a secret holds beside the one that takes its place, as the body of a rotation says."""
    asked = {} if body is MISSING else body
    seconds = asked.get("graceSeconds", GRACE_SECONDS_DEFAULT) if isinstance(asked, dict) else None
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not isinstance(asked, dict) or not is_number or asked.keys() - {"graceSeconds"}:
        raise RequestRefused("a rotation takes nothing, or {'graceSeconds': number}", at="/graceSeconds")
    assert isinstance(seconds, int | float)
    if not 0 <= seconds <= GRACE_SECONDS_MAX:
        raise RequestRefused(f"'graceSeconds' must be from 0 to {GRACE_SECONDS_MAX}", at="/graceSeconds")
    return round(seconds * 1000)


def check_may_give(caller: Caller, roles: Iterable[Role], clusters: tuple[str, ...], owner: str | None) -> None:
    """Refuses (PermissionDenied) to let a caller give more than it has."""
    permitted = caller.permitted
    if permitted is FULL_ACCESS:
        return
    whole = frozenset[str]().union(
        *(
            grant.verbs
            for grant in permitted.grants
            if grant.filter == EVERYTHING and grant.mask == SHOWN and grant.writes == SHOWN
        )
    )
    has_bindings = _are_within(facts_from(clusters, owner), caller.facts)
    for role in roles:
        missing = frozenset[str]().union(*(rule.verbs for rule in role.rules)) - whole
        if missing and not (role in caller.roles and has_bindings):
            raise PermissionDenied(
                f"{caller.name} can't give the role {role.name!r}: it may not itself, without limits, "
                f"{', '.join(sorted(missing))}"
            )


def as_json(token: Token) -> Document:
    """The token as the API answers it: all but its secret."""
    return {
        "id": token.id,
        "name": token.name,
        "roles": list(token.roles),
        "clusters": list(token.clusters),
        "owner": token.owner,
        "networks": list(token.networks),
        "certificates": list(token.certificates),
        "requestsPerSecond": token.requests_per_second,
        "watchesMax": token.watches_max,
        "createdAt": time_of(token.created_at_ms),
        "createdBy": token.created_by or None,
        "expiresAt": time_of(token.expires_at_ms),
        "lastUsedAt": time_of(token.last_used_at_ms),
        "formerUntil": time_of(token.former_until_ms),
    }


def time_of(at_ms: int | None) -> str | None:
    """A time in ISO 8601; None for none."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _are_within(facts: Mapping[str, Value], own: Mapping[str, Value]) -> bool:
    clusters, own_clusters = facts.get(CLUSTERS, []), own.get(CLUSTERS, [])
    assert isinstance(clusters, list)
    assert isinstance(own_clusters, list)
    return facts.get("owner") in (None, own.get("owner")) and all(id in own_clusters for id in clusters)


def _texts(body: Document, name: str, *, most: int) -> tuple[str, ...]:
    texts = body.get(name, [])
    if not isinstance(texts, list) or len(texts) > most:
        raise RequestRefused(f"'{name}' must be an array of at most {most} strings", at=below("", name))
    for place, text in enumerate(texts):
        if not isinstance(text, str) or not 0 < len(text) <= TEXT_LENGTH_MAX:
            problem = f"this must be a string of 1 to {TEXT_LENGTH_MAX} characters"
            raise RequestRefused(problem, at=below(below("", name), place))
    return tuple(map(str, texts))


def _check_roles(named: tuple[str, ...], roles: list[str]) -> None:
    for place, name in enumerate(named):
        if name not in roles:
            meant = get_close_matches(name, roles, n=1)
            hint = f"; did you mean {meant[0]!r}?" if meant else f", only {', '.join(roles)}"
            raise RequestRefused(f"there is no role {name[:64]!r}{hint}", at=below("/roles", place))


def _networks(texts: tuple[str, ...]) -> tuple[str, ...]:
    networks = []
    for place, text in enumerate(texts):
        try:
            networks.append(str(ip_network(text)))
        except ValueError:
            problem = f"{text[:64]!r} is no network such as 10.0.0.0/8"
            raise RequestRefused(problem, at=below("/networks", place)) from None
    return tuple(networks)


def _expiry(body: Document, now_ms: int) -> int | None:
    at, ttl = body.get("expiresAt"), body.get("ttlSeconds")
    if at is not None and ttl is not None:
        raise RequestRefused("'expiresAt' and 'ttlSeconds' exclude each other", at="/ttlSeconds")
    if ttl is not None:
        if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not 1 <= ttl <= SECONDS_MAX:
            raise RequestRefused(f"'ttlSeconds' must be a number from 1 to {SECONDS_MAX}", at="/ttlSeconds")
        return now_ms + round(ttl * 1000)
    if at is None:
        return None
    try:
        time = datetime.fromisoformat(at if isinstance(at, str) else "")
        at_ms = round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise RequestRefused("'expiresAt' must be a time such as 2031-01-31T12:00:00Z", at="/expiresAt") from None
    if not now_ms < at_ms <= now_ms + SECONDS_MAX * 1000:
        raise RequestRefused("'expiresAt' must be in the future, by at most 100 years", at="/expiresAt")
    return at_ms
