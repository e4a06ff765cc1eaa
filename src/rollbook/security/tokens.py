"""Tokens: secrets that callers send, as they are written, checked and kept.

A token is ``rbk_<id>_<secret><checksum>`` in base62, 64 characters: its id may be logged, its secret is random in 256
bits, and its checksum shows a typing error without a look into the store.

One rule: the registry keeps the digest of a token, never the token.
"""

import hashlib
import re
import secrets
import string
import zlib

import msgspec
from msgspec import Struct

from rollbook.journal.token_store import TokenRow

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 10, 43, 6
TOKEN = re.compile(rf"rbk_([0-9A-Za-z]{{{ID_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}})")
TOKEN_LENGTH = len("rbk_") + ID_LENGTH + len("_") + SECRET_LENGTH + CHECKSUM_LENGTH
ANY_TOKEN = re.compile(r"rbk_[0-9A-Za-z]{10}_[0-9A-Za-z]{20,}")
"""What looks like a token, whole or cut short."""


class Token(Struct, frozen=True, gc=False):
    """What the registry keeps of a token. Times are Unix ms; None: never.

    ``digests`` are the SHA-256 digests of its secrets: the present one, and during a rotation the former one, which
    holds until ``former_until_ms``. ``roles`` are names; ``clusters`` and ``owner`` are facts for the rules of roles;
    ``networks`` are the only addresses that may use it, all when there is none. ``certificates`` are the names (SAN) of
    clients' certificates that stand for it, beside its secret.
    """

    id: str
    name: str
    roles: tuple[str, ...]
    digest: bytes
    created_at_ms: int
    clusters: tuple[str, ...] = ()
    owner: str | None = None
    networks: tuple[str, ...] = ()
    expires_at_ms: int | None = None
    former_digest: bytes | None = None
    former_until_ms: int | None = None
    last_used_at_ms: int | None = None
    created_by: str = ""
    certificates: tuple[str, ...] = ()
    requests_per_second: float | None = None
    watches_max: int | None = None


class _Facts(Struct, frozen=True, gc=False):
    """What a store keeps of a token in JSON."""

    name: str
    roles: tuple[str, ...]
    clusters: tuple[str, ...] = ()
    owner: str | None = None
    networks: tuple[str, ...] = ()
    created_by: str = ""
    certificates: tuple[str, ...] = ()
    requests_per_second: float | None = None
    watches_max: int | None = None


FACTS = msgspec.json.Decoder(_Facts)


def row_of(token: Token) -> TokenRow:
    """The token as a store keeps it."""
    facts = _Facts(
        token.name,
        token.roles,
        token.clusters,
        token.owner,
        token.networks,
        token.created_by,
        token.certificates,
        token.requests_per_second,
        token.watches_max,
    )
    return TokenRow(
        token.id,
        token.created_at_ms,
        msgspec.json.encode(facts).decode(),
        token.digest,
        token.former_digest,
        token.former_until_ms,
        token.expires_at_ms,
        token.last_used_at_ms,
    )


def token_from(row: TokenRow) -> Token:
    """The token that a store has kept."""
    facts = FACTS.decode(row.facts)
    return Token(
        id=row.id,
        name=facts.name,
        roles=facts.roles,
        digest=row.digest,
        created_at_ms=row.created_at_ms,
        clusters=facts.clusters,
        owner=facts.owner,
        networks=facts.networks,
        expires_at_ms=row.expires_at_ms,
        former_digest=row.former_digest,
        former_until_ms=row.former_until_ms,
        last_used_at_ms=row.last_used_at_ms,
        created_by=facts.created_by,
        certificates=facts.certificates,
        requests_per_second=facts.requests_per_second,
        watches_max=facts.watches_max,
    )


def new_token_id() -> str:
    """A random id of a token."""
    return _random(ID_LENGTH)


def new_token(id: str) -> str:
    """A new token for ``id``: the only time that it is whole."""
    body = f"rbk_{id}_{_random(SECRET_LENGTH)}"
    return body + checksum_of(body)


def token_id_of(token: str) -> str | None:
    """The id in a well-formed token; None when it is none, or was mistyped."""
    match = TOKEN.fullmatch(token)
    if match is None or checksum_of(token[:-CHECKSUM_LENGTH]) != token[-CHECKSUM_LENGTH:]:
        return None
    return match[1]


def digest_of(token: str) -> bytes:
    """The SHA-256 digest of a token (32 bytes). Its 256 random bits need no slower hash."""
    return hashlib.sha256(token.encode()).digest()


def checksum_of(text: str) -> str:
    """The CRC-32 of ``text`` in six digits of base62."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def without_tokens(text: str) -> str:
    """The text with the secret part of whatever looks like a token struck out: for logs and errors."""
    return ANY_TOKEN.sub(lambda match: f"{match[0][:14]}_***", text)


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
