"""Key sets: the public keys of issuers (JWKS, RFC 7517), as they are parsed and chosen.

One rule: a key that could be secret, or is too weak to be believed, is passed over. A set without any key is refused.
"""

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from rollbook.documents.codec import decode_json
from rollbook.documents.values import Value
from rollbook.errors import RegistryError, RequestRefused, SettingRefused

if TYPE_CHECKING:
    from joserfc.jwk import Key

PUBLIC_TYPES = frozenset({"RSA", "EC", "OKP"})
RSA_BITS_MIN = 2048
KEYS_MAX = 256
BYTES_MAX = 1024 * 1024


class PublicKey(Struct, frozen=True):
    """One key. ``algorithm`` is the only one that it is for; empty: any of its type."""

    id: str
    algorithm: str
    key: "Key"


class KeySet(Struct, frozen=True):
    """The keys of one issuer. ``source`` is what they were parsed from: sets that are equal in it are equal."""

    keys: tuple[PublicKey, ...]
    source: Value

    def find(self, header: Mapping[str, Value]) -> PublicKey | None:
        """The key that a token's header asks for by its id; without one, the only key that there is."""
        if "kid" not in header:
            return self.keys[0] if len(self.keys) == 1 else None
        return next((key for key in self.keys if key.id == header["kid"]), None)


def parse_key_set(text: bytes) -> KeySet:
    """The keys of a JWKS. Refuses (RequestRefused) what is none, or holds no key that can be believed."""
    try:
        value = decode_json(text)
    except RegistryError as refusal:
        raise RequestRefused(f"the key set is not JSON: {refusal.message}") from None
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list):
        raise RequestRefused("a key set is an object with an array of 'keys'")
    source = keys[:KEYS_MAX]
    found = tuple(key for key in map(_public_key, source) if key is not None)
    if not found:
        raise RequestRefused(
            f"the key set has no public key for signatures (RSA of at least {RSA_BITS_MIN} bits, EC or Ed25519)"
        )
    return KeySet(found, source)


def check_extra() -> None:
    """Refuses (SettingRefused) issuers where the extra that verifies tokens is not installed."""
    try:
        import joserfc  # noqa: F401
    except ImportError:
        raise SettingRefused("issuers of tokens need an extra: pip install 'rollbook[oidc]'") from None


def _public_key(value: Any) -> PublicKey | None:
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    if not isinstance(value, dict) or value.get("kty") not in PUBLIC_TYPES or value.get("use", "sig") != "sig":
        return None
    id, algorithm = value.get("kid", ""), value.get("alg", "")
    if not isinstance(id, str) or not isinstance(algorithm, str):
        return None
    public = {name: member for name, member in value.items() if name in ("kty", "n", "e", "crv", "x", "y")}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            key = import_key(public)
            bits = getattr(key.raw_value, "key_size", RSA_BITS_MIN)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None if value["kty"] == "RSA" and bits < RSA_BITS_MIN else PublicKey(id, algorithm, key)
