"""Issuers: whose JSON Web Tokens are believed, and what their claims make of a caller.

Theory: an issuer says who somebody is; what that one may is said here, by bindings. Each is a filter of our language on
the claims, with the roles of callers whose claims it matches, and the paths of claims that become facts for the rules
of roles. Bindings add up. A dot in the name of a claim is a dot of a path, so there it is written as an underscore:
``kubernetes.io`` is ``kubernetes_io``.

One rule: what is believed of a token (its algorithms, keys and audience) stands in the security file, not in the token.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path as File
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from rollbook.documents.codec import encode_json
from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.errors import RegistryError
from rollbook.language.filters import Predicate
from rollbook.security.key_sets import KeySet
from rollbook.security.roles import CLUSTERS

Algorithm: TypeAlias = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"
]
"""The algorithms with a key that need not be secret. One whose key both sides know is none: its key could be public."""

USUAL_ALGORITHMS: tuple[Algorithm, ...] = ("RS256", "ES256")
CLUSTERS_MAX = 1_000


class KeySource(Struct, frozen=True):
    """Where the keys of an issuer are: at an address, in a file, in the security file itself, or (none of these) where
    the issuer's own description says.

    ``authorities`` is a PEM file of those that verify the address; None: those of the system. ``token`` is a file with
    the bearer token that is sent along.
    """

    address: str | None = None
    file: File | None = None
    inline: KeySet | None = None
    authorities: File | None = None
    token: File | None = None


class Binding(Struct, frozen=True):
    """The roles of callers whose claims ``holds`` of, and where their facts are among the claims."""

    holds: Predicate
    roles: tuple[str, ...]
    owner: Path | None = None
    clusters: Path | None = None


class Issuer(Struct, frozen=True):
    """One issuer. ``name`` is what the history calls it; ``url`` is the claim ``iss`` of its tokens."""

    name: str
    url: str
    audiences: tuple[str, ...]
    bindings: tuple[Binding, ...]
    source: KeySource
    algorithms: tuple[Algorithm, ...] = USUAL_ALGORITHMS
    leeway_seconds: float = 30.0


class TokenSubject(Struct, frozen=True):
    """Who a token is of, as its issuer says and the bindings read it. ``ends_ms`` (Unix ms) is when it ends;
    ``issuer`` is the issuer's name, and ``url`` its claim.
    """

    issuer: str
    url: str
    name: str
    roles: tuple[str, ...]
    facts: Mapping[str, Value]
    ends_ms: int

    @property
    def key(self) -> str:
        """Who this is, and with which roles and facts, as text; ``parse_subject_key`` reads it."""
        return f"jwt:{encode_json([self.issuer, self.name, list(self.roles), dict(self.facts)]).decode()}"


def parse_subject_key(key: str) -> tuple[str, tuple[str, ...], Mapping[str, Value]]:
    """The issuer's name, the roles and the facts of a subject's key."""
    issuer, _, roles, facts = msgspec.json.decode(
        key.removeprefix("jwt:"), type=tuple[str, str, tuple[str, ...], dict[str, Any]]
    )
    return issuer, roles, facts


def subject_of(issuer: Issuer, claims: Document) -> TokenSubject:
    """Who verified claims are about."""
    readable = _with_paths(claims)
    assert isinstance(readable, dict)
    bindings = [binding for binding in issuer.bindings if _holds(binding, readable)]
    owners = [owner for each in bindings if isinstance(owner := _at(readable, each.owner), str) and owner]
    clusters = dict.fromkeys(id for each in bindings for id in _ids(_at(readable, each.clusters)))
    facts: dict[str, Value] = {"owner": owners[0]} if owners else {}
    if clusters:
        facts[CLUSTERS] = list[Value](clusters)[:CLUSTERS_MAX]
    roles = tuple(dict.fromkeys(role for binding in bindings for role in binding.roles))
    expiry = claims["exp"]
    assert isinstance(expiry, int | float)
    ends_ms = round((expiry + issuer.leeway_seconds) * 1000)
    return TokenSubject(issuer.name, issuer.url, str(claims["sub"]), roles, facts, ends_ms)


def _holds(binding: Binding, claims: Document) -> bool:
    """Whether a binding is about these claims. A filter that can't be evaluated on them is not."""
    try:
        return binding.holds(claims)
    except RegistryError:
        return False


def _with_paths(value: Value) -> Value:
    """The claims with underscores for the dots in names. A name that is written so already goes before."""
    match value:
        case dict():
            renamed = {name.replace(".", "_"): _with_paths(member) for name, member in value.items() if "." in name}
            return renamed | {name: _with_paths(member) for name, member in value.items() if "." not in name}
        case list():
            return [_with_paths(element) for element in value]
    return value


def _at(claims: Document, path: Path | None) -> Maybe:
    found: Maybe = MISSING if path is None else claims
    for name in path or ():
        found = found.get(name, MISSING) if isinstance(found, dict) else MISSING
    return found


def _ids(value: Maybe) -> Iterator[str]:
    values: Iterable[Value] = value if isinstance(value, list) else () if value is MISSING else (value,)
    return (each for each in values if isinstance(each, str) and each)
