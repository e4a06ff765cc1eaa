"""Whether, and after how long, a call is sent again: pure rules, apart from sending and from waiting.

Theory: what is certain not to have been done (no connection, no place in the pool, 429, 503) can be tried again,
whatever it is. Where the answer was lost, only a call that may be repeated is. Pauses grow, each drawn at random
between nothing and its bound ("full jitter"), so that clients which failed together do not come back together.
"""

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from random import random
from typing import Literal, TypeAlias

from msgspec import Struct

from rollbook.client.calls import Answer

Failure: TypeAlias = Literal["not sent", "no answer"]

AGAIN_LATER = frozenset({429, 503})
OUTCOME_UNKNOWN = b'"outcome-unknown"'


class Retries(Struct, frozen=True):
    """At most ``attempts`` in all; pauses of up to ``first_seconds``, doubled each time up to ``longest_seconds``.

    A ``Retry-After`` longer than ``patience_seconds`` is not waited for.
    """

    attempts: int = 4
    first_seconds: float = 0.1
    longest_seconds: float = 5.0
    patience_seconds: float = 30.0
    draw: Callable[[], float] = random

    def pause_after_failure(self, attempt: int, failure: Failure, *, repeatable: bool) -> float | None:
        """Seconds until the next attempt after the ``attempt``-th (from 1) failed; None: there is none."""
        if failure == "no answer" and not repeatable:
            return None
        return self._pause(attempt)

    def pause_after_answer(self, attempt: int, answer: Answer, now: float, *, repeatable: bool) -> float | None:
        """Seconds until the next attempt after an answer at Unix time ``now``; None: the answer stands."""
        if answer.status not in AGAIN_LATER or (OUTCOME_UNKNOWN in answer.body and not repeatable):
            return None
        pause = self._pause(attempt)
        asked = retry_after_seconds(answer.header("retry-after"), now)
        if pause is None or asked is None:
            return pause
        return None if asked > self.patience_seconds else max(pause, asked)

    def _pause(self, attempt: int) -> float | None:
        if attempt >= self.attempts:
            return None
        return self.draw() * min(self.longest_seconds, self.first_seconds * 2.0 ** (attempt - 1))


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """The seconds that ``Retry-After`` names, as a number or as a date; None when it names none."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now)
    except (TypeError, ValueError):
        return None


NEVER = Retries(attempts=1)
DEFAULT_RETRIES = Retries()
