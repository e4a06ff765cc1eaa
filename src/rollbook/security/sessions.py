"""Sessions of browsers: a secret in a cookie that stands for the token which opened it.

Theory: a registry that is one process holds the tokens in memory, and the secret is random. Where several processes are
one registry, a browser may reach any of them at any time, so the secret is the token itself, encrypted and
authenticated (AES-256-GCM) with a key that all processes have: nobody else can read it out of the cookie or make one.
Sessions that were signed out are listed in the engine until they would have ended by themselves.

One rule: a session is never more than its token: it ends with the token, after 12 hours, or with the only process.
"""

import base64
import secrets
from collections.abc import Callable, Iterable
from hashlib import blake2b, sha256
from typing import Protocol

import msgspec
from msgspec import Struct

from rollbook.errors import SessionRefused, SettingRefused
from rollbook.journal.storing import StoreThread
from rollbook.journal.token_store import EndedSession, SharedTokenStore
from rollbook.security.tokens import digest_of

SECONDS = 12 * 3600
KEPT_MAX = 10_000
COOKIE_BYTES_MAX = 3_800
"""Browsers keep cookies of 4,096 bytes, with name and attributes."""

NONCE_BYTES = 12
PURPOSE = b"rollbook session"


class Session(Struct, frozen=True):
    """One session: the token that it stands for, and when it ends (Unix ms)."""

    token: str
    ends_at_ms: int


class Sessions(Protocol):
    """The sessions of a registry."""

    def open(self, token: str) -> str:
        """Begin a session that stands for a token, and return its secret. Refuses (SessionRefused) too long a token."""
        ...

    def find(self, secret: str) -> Session | None:
        """The session with this secret; None when there is none, or it has ended."""
        ...

    async def close(self, secret: str) -> None:
        """End a session. Ending one that is not there is harmless. Fails (JournalUnavailable) where that is kept."""
        ...


class SessionsInMemory:
    """The sessions of one process, by the digests of their secrets."""

    def __init__(self, *, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._sessions: dict[bytes, Session] = {}

    def open(self, token: str) -> str:
        """See ``Sessions.open``. The oldest ones give way to new ones."""
        now_ms = self._now_ms()
        if len(self._sessions) >= KEPT_MAX:
            self._sessions = {key: each for key, each in self._sessions.items() if now_ms < each.ends_at_ms}
            while len(self._sessions) >= KEPT_MAX:
                del self._sessions[next(iter(self._sessions))]
        secret = secrets.token_urlsafe(32)
        self._sessions[digest_of(secret)] = Session(token, now_ms + SECONDS * 1000)
        return secret

    def find(self, secret: str) -> Session | None:
        """See ``Sessions.find``."""
        session = self._sessions.get(digest_of(secret))
        return session if session is not None and self._now_ms() < session.ends_at_ms else None

    async def close(self, secret: str) -> None:
        """See ``Sessions.close``."""
        self._sessions.pop(digest_of(secret), None)


class SealedSessions:
    """The sessions of a registry that is several processes: each knows any of them from its secret alone."""

    def __init__(self, key: bytes, keep: StoreThread[SharedTokenStore], *, now_ms: Callable[[], int]) -> None:
        """``key``: 32 bytes that all processes have. Refuses (SettingRefused) to be without ``cryptography``."""
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ModuleNotFoundError:
            problem = "sessions of several processes need cryptography: pip install 'rollbook[postgresql]'"
            raise SettingRefused(problem) from None
        self._cipher = AESGCM(blake2b(PURPOSE, key=key, digest_size=32).digest())
        self._keep = keep
        self._now_ms = now_ms
        self._ended: frozenset[bytes] = frozenset()
        self._all_ended_ms = 0

    def open(self, token: str) -> str:
        """See ``Sessions.open``."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        content = msgspec.msgpack.encode(Session(token, self._now_ms() + SECONDS * 1000))
        secret = base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, content, PURPOSE)).rstrip(b"=").decode()
        if len(secret) > COOKIE_BYTES_MAX:
            raise SessionRefused(
                f"the token is too long for a cookie: it has {len(token):,} bytes, and a session of several processes "
                f"takes {COOKIE_BYTES_MAX * 3 // 4 - 80:,}. Send it in the header Authorization"
            )
        return secret

    def find(self, secret: str) -> Session | None:
        """See ``Sessions.find``."""
        found = self._found(secret)
        return None if found is None else found[0]

    async def close(self, secret: str) -> None:
        """See ``Sessions.close``. It has ended here at once, and elsewhere when the others read it: within a second."""
        found = self._found(secret)
        if found is not None:
            ended = EndedSession(found[1], found[0].ends_at_ms)
            await self._keep(lambda store: store.sessions.end(ended, now_ms=self._now_ms(), kept_max=KEPT_MAX))
            self._ended |= {ended.digest}

    def enforce(self, ended: Iterable[EndedSession]) -> None:
        """Take note of all sessions that were ended, in whichever process. A row without a digest ends all up to it."""
        rows = list(ended)
        self._ended = frozenset(row.digest for row in rows)
        self._all_ended_ms = max((row.ends_at_ms for row in rows if not row.digest), default=0)

    def _found(self, secret: str) -> tuple[Session, bytes] | None:
        """The session, and the digest by which its end is known: of what is sealed, as one can be written many ways."""
        from cryptography.exceptions import InvalidTag

        try:
            sealed = base64.b64decode(secret.encode() + b"=" * (-len(secret) % 4), altchars=b"-_", validate=True)
            content = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], PURPOSE)
        except (ValueError, InvalidTag):
            return None
        session, digest = msgspec.msgpack.decode(content, type=Session), sha256(sealed).digest()
        is_over = self._now_ms() >= session.ends_at_ms or session.ends_at_ms <= self._all_ended_ms
        return None if is_over or digest in self._ended else (session, digest)
