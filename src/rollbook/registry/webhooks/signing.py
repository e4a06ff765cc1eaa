"""Signatures of deliveries, as https://www.standardwebhooks.com has them: a receiver may use any library for them.

One rule: what is signed is the id of the message, the time of the attempt and the body, just as they are sent.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable

SECRET_PREFIX = "whsec_"  # noqa: S105
SECRET_BYTES = 32
SECRET_BYTES_MIN = 24
SECRET_BYTES_MAX = 64


def new_secret() -> str:
    """A secret that nobody can guess."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_in(secret: str) -> bytes:
    """The key that a secret stands for. Refuses (ValueError) what is no secret."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise ValueError(f"{SECRET_PREFIX} and {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes in base64")
    return key


def signature_headers(keys: Iterable[bytes], *, id: str, at_seconds: int, body: bytes) -> dict[str, str]:
    """The headers that name and sign a message, with one signature for each key."""
    signed = f"{id}.{at_seconds}.".encode() + body
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    signatures = " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)
    return {"webhook-id": id, "webhook-timestamp": str(at_seconds), "webhook-signature": signatures}
