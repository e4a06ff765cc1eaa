"""What a target's answer means: delivered, to be tried again and when, or never again."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from msgspec import Struct

SECONDS = re.compile(r"\d{1,6}", re.ASCII)
WAIT_SECONDS_MAX = 999_999


class Sent(Struct, frozen=True):
    """What came of an attempt. ``problem`` is None when the message was delivered; ``wait_seconds``: asked for.

    ``is_gone``: the target asks never to be sent anything again.
    """

    problem: str | None = None
    wait_seconds: int = 0
    is_gone: bool = False


def outcome_of(status: int, headers: Mapping[bytes, bytes]) -> Sent:
    """What an answer means. ``headers`` have lower-case names."""
    if 200 <= status < 300:
        return Sent()
    phrase = HTTPStatus(status).phrase if status in STATUSES else "unknown"
    followed = "; redirects are not followed" if 300 <= status < 400 else ""
    problem = f"answered {status} {phrase}{followed}"
    return Sent(problem, _wait_seconds(headers), is_gone=status == HTTPStatus.GONE)


def _wait_seconds(headers: Mapping[bytes, bytes]) -> int:
    """How long ``Retry-After`` asks to wait: seconds, or a date, which is compared with the answer's own date."""
    asked = headers.get(b"retry-after", b"").decode("latin-1").strip()
    if SECONDS.fullmatch(asked):
        return int(asked)
    until = _date(asked)
    if until is None:
        return 0
    now = _date(headers.get(b"date", b"").decode("latin-1")) or datetime.now(UTC)
    return min(max(0, round((until - now).total_seconds())), WAIT_SECONDS_MAX)


def _date(text: str) -> datetime | None:
    """The time of an HTTP date; None when the text is none."""
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


STATUSES = frozenset(HTTPStatus)
