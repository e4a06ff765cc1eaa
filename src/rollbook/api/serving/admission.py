"""Admission: who sends a request, by its credentials.

Theory: a connection remembers the credentials that it saw last and the caller they mean, for one generation of the
identities. So a request with a token costs a comparison, and a token that is revoked ends with the next request.

One rule: only requests with wrong credentials are counted and refused by address; a valid token is never refused for
what others send from its address.
"""

import binascii
import logging
import re
from time import monotonic

from msgspec import Struct

from rollbook.api.asking import CHALLENGE
from rollbook.api.serving.requests import IncomingRequest
from rollbook.errors import TooManyWrongTokens, Unauthenticated
from rollbook.security.access import allow_alike
from rollbook.security.callers import Caller
from rollbook.security.limits import Buckets, Rate
from rollbook.security.security import Security

WRONG_TOKENS = Rate(per_second=20 / 60, burst=20)
CREDENTIALS = re.compile(rb"(bearer|basic) +([^ ]+) *", re.IGNORECASE)

logger = logging.getLogger(__name__)


class Recognised(Struct, frozen=True):
    """Whom a connection has recognised, by which credentials, and in which generation of the identities."""

    generation: int = -1
    credentials: bytes | None = None
    address: str = ""
    caller: Caller = Caller.FULL


class Admission:
    """Recognises callers, for all connections of a server."""

    def __init__(self, security: Security) -> None:
        self.identities = security.identities
        self._auditor = security.auditor
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
            return self._turned_away(credentials, address)
        return Recognised(generation, credentials, address, caller)

    def is_current(self, recognised: Recognised) -> bool:
        """Whether a caller who was recognised before is still who it was, and may what it might."""
        identities = self.identities
        if recognised.generation == identities.generation:
            return True
        if recognised.credentials is None:
            return allow_alike(identities.anonymous(recognised.address).permitted, recognised.caller.permitted)
        secret = secret_in(recognised.credentials)
        caller = None if secret is None else identities.recognised(secret, recognised.address)
        return caller is not None and allow_alike(caller.permitted, recognised.caller.permitted)

    def _turned_away(self, credentials: bytes, address: str) -> Recognised:
        """Refuses wrong credentials. While the registry only observes, who sends them is anonymous."""
        identities = self.identities
        if identities.policy.observes:
            logger.warning("would be refused: wrong credentials from %s", address)
            return Recognised(identities.generation, credentials, address, identities.anonymous(address))
        if not self._wrong.take(address, WRONG_TOKENS, monotonic()).allowed:
            raise TooManyWrongTokens("too many wrong tokens from this address: send a valid one, or wait")
        problem = "the credentials are not those of a token in force here"
        self._auditor.note(f"anonymous@{address}", "unauthenticated", address=address, problem=problem)
        raise Unauthenticated(f"{problem}; {CHALLENGE}")


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
