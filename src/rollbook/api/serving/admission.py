"""Admission: who sends a request, by its credentials.

Theory: a connection remembers the credentials that it saw last and the caller they mean, for one generation of the
identities. So a request with a token costs a comparison, and a token that is revoked ends with the next request. What
is still being answered then is asked about once a second (``Connection.tick``), and ended.

A flood of wrong credentials must cost no more than what it asks for: its refusals are two values, made once, which are
returned, not raised; and credentials that a connection has just been refused are not looked up again.

One rule: only requests with wrong credentials are counted and refused by address; a valid token is never refused for
what others send from its address.
"""

import logging
from asyncio import Task
from time import monotonic

from msgspec import Struct, field
from msgspec.structs import replace

from rollbook.api.asking import CHALLENGE, secret_in, session_in
from rollbook.api.metrics.caller_counts import CallerTally
from rollbook.api.metrics.request_counts import RequestCounts
from rollbook.api.serving.origins import check_same_origin
from rollbook.api.serving.peers import Peer
from rollbook.api.serving.requests import IncomingRequest
from rollbook.errors import RateExceeded, RegistryError, TooManyWrongTokens, Unauthenticated
from rollbook.security.access import allow_alike
from rollbook.security.callers import Caller
from rollbook.security.identities import local_caller
from rollbook.security.limits import Buckets, Rate, Verdict, host_of
from rollbook.security.security import Security

WRONG_TOKENS = Rate(per_second=20 / 60, burst=20)
FULL_AGAIN_SECONDS = WRONG_TOKENS.burst * WRONG_TOKENS.interval
WRONG_TOKENS_HEADERS = Verdict(False, 0, FULL_AGAIN_SECONDS, WRONG_TOKENS.interval).headers(
    WRONG_TOKENS, policy="wrong-tokens"
)
"""What goes with a refusal of too many, whenever it is made."""


logger = logging.getLogger(__name__)
NO_PEER = Peer()

PROBLEM = "the credentials are not those of a token in force here"
WRONG_CREDENTIALS = Unauthenticated(f"{PROBLEM}; {CHALLENGE}")
TOO_MANY_WRONG = TooManyWrongTokens("too many wrong tokens from this address: send a valid one, or wait")


class Recognised(Struct, frozen=True):
    """Whom a connection has recognised, by which credentials, and in which generation of the identities.

    ``tally`` is where the requests of the caller are counted.
    """

    generation: int = -1
    credentials: bytes | None = None
    address: str = ""
    caller: Caller = Caller.FULL
    session: str | None = None
    peer: Peer = NO_PEER
    tally: CallerTally = field(default_factory=CallerTally)


NOBODY_YET = Recognised()


class TurnedAway(Struct):
    """The wrong credentials that a connection sent last, and in which generation of the identities they were wrong."""

    generation: int = -1
    credentials: bytes | None = None
    address: str = ""


def credentials_of(request: IncomingRequest) -> bytes | None:
    """What a request is recognised by."""
    return request.known.get(b"authorization") or request.known.get(b"cookie")


class Admission:
    """Recognises callers, for all connections of a server.

    Callers with a token of an issuer, or a session, are recognised with every request: those end by themselves.
    """

    def __init__(self, security: Security, traffic: RequestCounts) -> None:
        self.identities = security.identities
        self._auditor = security.auditor
        self._refusals = traffic.refusals
        self._callers = traffic.callers
        self._sessions = security.sessions
        self._wrong = Buckets()
        self._requests = Buckets()

    def recognise(
        self, request: IncomingRequest, peer: Peer, last: TurnedAway
    ) -> "Recognised | RegistryError | Task[None]":
        """Who sends the request; a refusal of it; or where it may be known later, the fetch of an issuer's keys.

        ``peer``: who may need no credentials, at the admin socket or with a certificate. While there are no identities,
        none are looked at. ``last``: what was wrong on this connection before, and is wrong without another look.
        """
        generation, credentials = self.identities.generation, request.known.get(b"authorization")
        if credentials == last.credentials and generation == last.generation and request.client == last.address:
            return self._refusal(request.client)
        try:
            found = self._recognise(request, peer)
        except RegistryError as refusal:
            return refusal
        if isinstance(found, Recognised):
            return replace(found, tally=self._callers.of(found.caller))
        if not self.identities.issued.issuers:  # else they may become valid with time, or with other keys
            last.generation, last.credentials, last.address = generation, credentials, request.client
        return found

    def _recognise(self, request: IncomingRequest, peer: Peer) -> "Recognised | RegistryError | Task[None]":
        identities, credentials = self.identities, request.known.get(b"authorization")
        generation, address = identities.generation, request.client
        if credentials is None and (peer.uid is not None or peer.certificate):
            caller = self._known_by_peer(peer, address)
            if caller is not None:
                return Recognised(generation, credentials_of(request), address, caller, peer=peer)
        if credentials is None or not identities.is_closed:
            return self._by_cookie(request) or Recognised(
                generation, credentials_of(request), address, identities.anonymous(address)
            )
        secret = secret_in(credentials)
        caller = None if secret is None else identities.recognised(secret, address)
        if caller is None:
            return self._turned_away(credentials, secret, address)
        return Recognised(-1 if caller.kind == "jwt" else generation, credentials, address, caller)

    def take(self, request: IncomingRequest, rate: Rate) -> RegistryError | None:
        """Count a request of a caller with a rate; the refusal of one too many."""
        verdict = self._requests.take(request.caller.key, rate, monotonic())
        request.limits = verdict.headers(rate)
        if verdict.allowed:
            return None
        return RateExceeded(
            f"{request.caller.name} may send {rate.per_second:g} requests a second: "
            f"try again after {verdict.retry_seconds:.3g} s"
        )

    def note_use(self, caller: Caller) -> None:
        """Note that a caller who was recognised earlier still asks, or is still being answered."""
        if caller.key in self.identities.holdings.tokens:
            self.identities.uses.note(caller.key)

    def is_current(self, recognised: Recognised) -> bool:
        """Whether a caller who was recognised before is still who it was, and may what it might."""
        identities = self.identities
        if recognised.generation == identities.generation:
            return True
        if recognised.caller.kind in ("local", "certificate"):
            caller = self._known_by_peer(recognised.peer, recognised.address)
            return caller is not None and allow_alike(caller.permitted, recognised.caller.permitted)
        if recognised.session is not None:
            caller = self._with_session(recognised.session, recognised.address)
            return caller is not None and allow_alike(caller.permitted, recognised.caller.permitted)
        if recognised.caller.kind == "anonymous" or recognised.credentials is None:
            return allow_alike(identities.anonymous(recognised.address).permitted, recognised.caller.permitted)
        secret = secret_in(recognised.credentials)
        caller = None if secret is None else identities.recognised(secret, recognised.address)
        return caller is not None and allow_alike(caller.permitted, recognised.caller.permitted)

    def _known_by_peer(self, peer: Peer, address: str) -> Caller | None:
        if peer.uid is not None:
            return local_caller(peer.uid)
        return self.identities.certified(peer.certificate, address)

    def _by_cookie(self, request: IncomingRequest) -> Recognised | None:
        """Who has the session of a cookie, which is looked up with every request; None when nobody has it."""
        cookie = request.known.get(b"cookie")
        secret = None if cookie is None else session_in(cookie, request.scheme)
        caller = None if secret is None else self._with_session(secret, request.client)
        if caller is None:
            return None
        check_same_origin(request.method, request.known)
        return Recognised(-1, cookie, request.client, caller, secret)

    def _with_session(self, secret: str, address: str) -> Caller | None:
        session = self._sessions.find(secret)
        return None if session is None else self.identities.recognised(session.token, address)

    def _turned_away(
        self, credentials: bytes, secret: str | None, address: str
    ) -> "Recognised | RegistryError | Task[None]":
        """What becomes of wrong credentials. While the registry only observes, who sends them is anonymous."""
        identities = self.identities
        keys = None if secret is None else identities.awaited_keys(secret)
        if keys is not None:
            return keys
        if identities.policy.observes:
            self._refusals["credentials", "observed"] += 1
            logger.warning("would be refused: wrong credentials from %s", address)
            return Recognised(identities.generation, credentials, address, identities.anonymous(address))
        return self._refusal(address)

    def _refusal(self, address: str) -> RegistryError:
        """The refusal of wrong credentials, which are counted against the address."""
        self._refusals["credentials", "enforced"] += 1
        host, now = host_of(address), monotonic()
        if self._wrong.refuses(host, WRONG_TOKENS, now):
            return TOO_MANY_WRONG
        self._wrong.take(host, WRONG_TOKENS, now)
        self._auditor.note(f"anonymous@{address}", "unauthenticated", address=address, problem=PROBLEM)
        return WRONG_CREDENTIALS
