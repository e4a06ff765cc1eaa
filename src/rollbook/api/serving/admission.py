"""Admission: who sends a request, by its credentials.

Theory: a connection remembers the credentials that it saw last and the caller they mean, for one generation of the
identities. So a request with a token costs a comparison, and a token that is revoked ends with the next request.

One rule: only requests with wrong credentials are counted and refused by address; a valid token is never refused for
what others send from its address.
"""

import binascii
import re
from time import monotonic

from msgspec import Struct

from rollbook.api.asking import CHALLENGE
from rollbook.api.serving.requests import IncomingRequest
from rollbook.errors import TooManyWrongTokens, Unauthenticated
from rollbook.security.access import allow_alike
from rollbook.security.callers import Caller
from rollbook.security.identities import Identities
from rollbook.security.limits import Buckets, Rate

WRONG_TOKENS = Rate(per_second=20 / 60, burst=20)
CREDENTIALS = re.compile(rb"(bearer|basic) +([^ ]+) *", re.IGNORECASE)


class Recognised(Struct, frozen=True):
    """Whom a connection has recognised, by which credentials, and in which generation of the identities."""

    generation: int = -1
    credentials: bytes | None = None
    address: str = ""
    caller: Caller = Caller.FULL


class Admission:
    """Recognises callers, for all connections of a server."""

    def __init__(self, identities: Identities) -> None:
        self.identities = identities
        self._wrong = Buckets()

    def recognise(self, request: IncomingRequest) -> Recognised:
        """Who sends the request. Refuses (Unauthenticated, TooManyWrongTokens) wrong credentials.

        A registry that has no identities looks at no credentials.
        """
        identities, credentials = self.identities, request.known.get(b"authorization")
        generation, address = identities.generation, request.client
        if credentials is None or not identities.is_closed:
            return Recognised(generation, credentials, address, identities.anonymous(address))
        secret = secret_in(credentials)
        caller = None if secret is None else identities.recognised(secret, address)
        if caller is None:
            self._count_wrong(address)
            raise Unauthenticated(f"the credentials are not those of a token in force here; {CHALLENGE}")
        return Recognised(generation, credentials, address, caller)

    def is_current(self, recognised: Recognised) -> bool:
        """Whether a caller who was recognised before is still who it was, and may what it might."""
        identities = self.identities
        if recognised.generation == identities.generation:
            return True
        if recognised.credentials is None:
            return recognised.caller.is_full != identities.is_closed
        secret = secret_in(recognised.credentials)
        caller = None if secret is None else identities.recognised(secret, recognised.address)
        return caller is not None and allow_alike(caller.access, recognised.caller.access)

    def _count_wrong(self, address: str) -> None:
        if not self._wrong.take(address, WRONG_TOKENS, monotonic()).allowed:
            raise TooManyWrongTokens("too many wrong tokens from this address: send a valid one, or wait")


def secret_in(credentials: bytes) -> str | None:
    """The secret in a header ``Authorization``: the token of Bearer, or the password of Basic; None: there is none."""
    found = CREDENTIALS.fullmatch(credentials)
    if found is None:
        return None
    if found[1].lower() == b"bearer":
        return found[2].decode("latin-1")
    try:
        _, colon, password = binascii.a2b_base64(found[2], strict_mode=True).partition(b":")
        return password.decode() if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None
