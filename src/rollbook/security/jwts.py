"""JSON Web Tokens: how one is taken apart, and when it is believed.

Theory: the header and the claims are read before the signature is verified, to choose the issuer and the key and to
turn away at little cost what could not be believed anyway. joserfc then verifies the very bytes that were read.

One rule: nothing in a token says how it is verified. The algorithm has to be one that the security file allows for the
issuer, the key comes from the issuer's key set, and addresses and keys in the header (``jku``, ``x5u``, ``jwk``,
``x5c``) are never looked at.
"""

import binascii
from base64 import urlsafe_b64decode

from msgspec import Struct

from rollbook.documents.codec import decode_json
from rollbook.documents.values import Document, Value
from rollbook.errors import RegistryError
from rollbook.security.issuers import Issuer
from rollbook.security.key_sets import KeySet, PublicKey

LENGTH_MAX = 16 * 1024
SUBJECT_LENGTH_MAX = 256
LIFETIME_SECONDS_MAX = 100 * 366 * 24 * 3600


class Unverified(Struct, frozen=True):
    """A token as it was read. Nothing in it is to be believed yet."""

    text: str
    header: Document
    claims: Document


def read_token(text: str) -> Unverified | None:
    """A token taken apart; None for what is no signed token of three parts."""
    parts = text.split(".")
    if len(parts) != 3 or len(text) > LENGTH_MAX or not all(parts):
        return None
    header, claims = _object_in(parts[0]), _object_in(parts[1])
    return None if header is None or claims is None else Unverified(text, header, claims)


def problem_with(token: Unverified, issuer: Issuer, *, now: float) -> str | None:
    """Why the token could not be believed even if its signature were right; None if it could. ``now``: Unix seconds."""
    header, claims = token.header, token.claims
    if header.get("alg") not in issuer.algorithms:
        return f"its algorithm is not one of {', '.join(issuer.algorithms)}"
    if "crit" in header:
        return "its header has extensions that have to be understood"
    if claims.get("iss") != issuer.url:
        return "it is not of the issuer"
    audience = claims.get("aud")
    if not any(each in issuer.audiences for each in (audience if isinstance(audience, list) else [audience])):
        return f"its audience is not {' or '.join(issuer.audiences)}"
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LENGTH_MAX or not subject.isprintable():
        return f"its subject is not 1 to {SUBJECT_LENGTH_MAX} printable characters"
    return _problem_with_times(claims, issuer.leeway_seconds, now)


def is_signed(token: Unverified, key: PublicKey) -> bool:
    """Whether the signature is that of the key, by the algorithm of the header, which has to be an allowed one."""
    from joserfc import jws
    from joserfc.errors import JoseError

    algorithm = str(token.header["alg"])
    if key.algorithm not in ("", algorithm):
        return False
    try:
        jws.deserialize_compact(token.text, key.key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError):
        return False
    return True


def verified_claims(token: Unverified, issuer: Issuer, keys: KeySet, *, now: float) -> Document | None:
    """The claims of a token that is to be believed; None when it is not."""
    key = keys.find(token.header)
    if key is None or problem_with(token, issuer, now=now) is not None or not is_signed(token, key):
        return None
    return token.claims


def _problem_with_times(claims: Document, leeway: float, now: float) -> str | None:
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if not all(_is_time(time, now) for time in times.values()):
        return "its times are not numbers of seconds"
    expiry, begins, issued = (times.get(name) for name in ("exp", "nbf", "iat"))
    if expiry is None:
        return "it never expires"
    assert isinstance(expiry, int | float)
    if now >= expiry + leeway:
        return "it has expired"
    if any(isinstance(time, int | float) and time > now + leeway for time in (begins, issued)):
        return "it is not yet valid"
    return None


def _is_time(value: Value, now: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < now + LIFETIME_SECONDS_MAX


def _object_in(part: str) -> Document | None:
    try:
        value = decode_json(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RegistryError):
        return None
    return value if isinstance(value, dict) else None
