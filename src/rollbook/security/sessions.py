"""Sessions of browsers: a secret in a cookie that stands for the token which opened it.

One rule: a session is never more than its token: it ends with the token, after 12 hours, or with the process.
"""

import secrets
from collections.abc import Callable

from msgspec import Struct

from rollbook.security.tokens import digest_of

SECONDS = 12 * 3600
KEPT_MAX = 10_000


class Session(Struct, frozen=True):
    """One session: the token that it stands for, which is held in memory alone, and when it ends (Unix ms)."""

    token: str
    ends_at_ms: int


class Sessions:
    """The sessions of one process, by the digests of their secrets."""

    def __init__(self, *, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._sessions: dict[bytes, Session] = {}

    def open(self, token: str) -> str:
        """Begin a session that stands for a token, and return its secret. The oldest ones give way to new ones."""
        now_ms = self._now_ms()
        if len(self._sessions) >= KEPT_MAX:
            self._sessions = {key: each for key, each in self._sessions.items() if now_ms < each.ends_at_ms}
            while len(self._sessions) >= KEPT_MAX:
                del self._sessions[next(iter(self._sessions))]
        secret = secrets.token_urlsafe(32)
        self._sessions[digest_of(secret)] = Session(token, now_ms + SECONDS * 1000)
        return secret

    def find(self, secret: str) -> Session | None:
        """The session with this secret; None when there is none, or it has ended."""
        session = self._sessions.get(digest_of(secret))
        return session if session is not None and self._now_ms() < session.ends_at_ms else None

    def close(self, secret: str) -> None:
        """End a session. Ending one that is not there is harmless."""
        self._sessions.pop(digest_of(secret), None)
