"""Issued tokens: JSON Web Tokens of the issuers that the security file names, and the issuers' keys while they change.

Theory: keys are fetched on a thread: at the start, every few minutes, and when a token names a key that is not known,
for then its issuer has probably changed its keys. Who sends such a token waits for the fetch; but one fetch serves all
who wait, and the next one begins only after a pause, so tokens with made-up keys cost an issuer next to nothing. A
verified token is remembered by its digest for some minutes, as long as its issuer has the same keys.

One rule: while keys can't be fetched, those that were fetched last are believed.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable

from msgspec import Struct

from rollbook.errors import RegistryError
from rollbook.security.fetching import fetch_keys
from rollbook.security.issuers import Issuer, TokenSubject, subject_of
from rollbook.security.jwts import Unverified, problem_with, read_token, verified_claims
from rollbook.security.key_sets import KeySet

REFRESH_SECONDS = 300.0
PAUSE_SECONDS = 10.0
"""How long after the end of one fetch the next one may begin."""
REMEMBERED_SECONDS = 300.0
REMEMBERED_MAX = 10_000

logger = logging.getLogger(__name__)


class Remembered(Struct, frozen=True):
    """A token that was verified with certain keys, and until when that is remembered (Unix seconds)."""

    subject: TokenSubject
    keys: KeySet
    until: float


class IssuerKeys:
    """The keys of one issuer, as they were fetched last."""

    def __init__(self, issuer: Issuer, *, fetch: Callable[[Issuer], KeySet] = fetch_keys) -> None:
        self.issuer = issuer
        self.keys: KeySet | None = issuer.source.inline
        self.problem: str | None = None
        """Why the last fetch failed; None when it did not."""
        self.fetched_at: float | None = None
        """When a fetch last succeeded, by the monotonic clock."""
        self._fetch = fetch
        self._ended_at: float | None = None
        self._running: asyncio.Task[None] | None = None

    def refetched(self) -> "asyncio.Task[None] | None":
        """A fetch that is under way, or begins now; None when it is too soon for another."""
        if self._running is None and not self._has_rested(PAUSE_SECONDS):
            return None
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="rollbook-issuer")
        return self._running

    def is_due(self) -> bool:
        """Whether it is time to fetch the keys again."""
        return self._running is None and self._has_rested(PAUSE_SECONDS if self.problem else REFRESH_SECONDS)

    def _has_rested(self, seconds: float) -> bool:
        is_fixed = self.issuer.source.inline is not None
        return not is_fixed and (self._ended_at is None or time.monotonic() >= self._ended_at + seconds)

    async def _run(self) -> None:
        try:
            keys = await asyncio.to_thread(self._fetch, self.issuer)
        except (RegistryError, OSError, ValueError) as error:
            self.problem = str(error)
            logger.warning("the keys of the issuer %s can't be fetched: %s", self.issuer.name, self.problem)
        else:
            if self.keys is None or self.keys.source != keys.source:
                self.keys = keys
                logger.info("the issuer %s has %d keys", self.issuer.name, len(keys.keys))
            self.problem, self.fetched_at = None, time.monotonic()
        finally:
            self._ended_at, self._running = time.monotonic(), None


class IssuedTokens:
    """Who has a token of one of these issuers. Times are Unix seconds."""

    def __init__(self, issuers: Iterable[Issuer], former: "IssuedTokens | None" = None) -> None:
        """``former``: what is replaced. The keys that it has fetched stay where their source is the same."""
        self.issuers = {issuer.url: IssuerKeys(issuer) for issuer in issuers}
        for url, of in self.issuers.items():
            before = former.issuers.get(url) if former is not None else None
            if before is not None and before.issuer.source == of.issuer.source:
                of.keys, of.fetched_at = before.keys, before.fetched_at
        self._remembered: dict[bytes, Remembered] = {}

    def subject(self, text: str, digest: bytes, now: float) -> TokenSubject | None:
        """Who has this token, whose digest is given; None when it is not to be believed."""
        known = self._remembered.get(digest)
        if known is not None and now < known.until and self._keys_of(known.subject.url) is known.keys:
            return known.subject
        token = read_token(text)
        of = None if token is None else self._issuer_of(token)
        if token is None or of is None or of.keys is None:
            return None
        claims = verified_claims(token, of.issuer, of.keys, now=now)
        if claims is None:
            return None
        subject = subject_of(of.issuer, claims)
        self._remember(digest, Remembered(subject, of.keys, min(now + REMEMBERED_SECONDS, subject.ends_ms / 1000)), now)
        return subject

    def awaited(self, text: str, now: float) -> "asyncio.Task[None] | None":
        """The fetch that may bring the key of a token that was not believed; None when no fetch would help."""
        token = read_token(text)
        of = None if token is None else self._issuer_of(token)
        if token is None or of is None or problem_with(token, of.issuer, now=now) is not None:
            return None
        is_known = of.keys is not None and of.keys.find(token.header) is not None
        return None if is_known else of.refetched()

    def look(self) -> None:
        """Begin the fetches that are due."""
        for of in self.issuers.values():
            if of.is_due():
                of.refetched()

    def _issuer_of(self, token: Unverified) -> IssuerKeys | None:
        url = token.claims.get("iss")
        return self.issuers.get(url) if isinstance(url, str) else None

    def _keys_of(self, url: str) -> KeySet | None:
        of = self.issuers.get(url)
        return None if of is None else of.keys

    def _remember(self, digest: bytes, remembered: Remembered, now: float) -> None:
        if len(self._remembered) >= REMEMBERED_MAX:
            self._remembered = {key: each for key, each in self._remembered.items() if now < each.until}
            while len(self._remembered) >= REMEMBERED_MAX:
                del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = remembered
