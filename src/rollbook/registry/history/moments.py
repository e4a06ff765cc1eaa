"""Moments of the past, as callers name them: a revision, or a time.

One rule: a moment is in the past. What has not happened yet is refused, so that an answer about a moment stays true.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from rollbook.errors import RequestRefused

REVISION_DIGITS_MAX = 18
UNIX_TIME = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)
FIRST_IN_MILLISECONDS = 100_000_000_000
"""A Unix time of this size or more is meant in milliseconds: in seconds it would be in the year 5138."""
EPOCH = datetime.fromtimestamp(0, UTC)


class AtRevision(Struct, frozen=True):
    """As of a revision, its own change included."""

    revision: int


class AtTime(Struct, frozen=True):
    """As of a time (Unix ms), with all that is dated so."""

    at_ms: int


Moment: TypeAlias = AtRevision | AtTime


def parse_moment(*, revision: str | None, at: str | None) -> Moment | None:
    """The moment that ``?revision=`` or ``?at=`` names; None when neither is given. Refuses (RequestRefused) both."""
    if revision is not None and at is not None:
        raise RequestRefused("revision and at exclude each other: a moment is one or the other")
    if revision is not None:
        return AtRevision(parse_revision(revision, name="revision"))
    return None if at is None else AtTime(parse_time(at))


def parse_revision(text: str, *, name: str) -> int:
    """A revision, given as the parameter ``name``."""
    if text.isascii() and text.isdigit() and len(text) <= REVISION_DIGITS_MAX:
        return int(text)
    raise RequestRefused(f"{name} must be a revision, a whole number, not {text[:50]!r}")


def parse_time(text: str) -> int:
    """Unix ms of a time: Unix seconds or milliseconds, or ISO 8601, which is UTC where it names no zone."""
    if UNIX_TIME.fullmatch(text):
        number = Decimal(text)
        return int(number if number >= FIRST_IN_MILLISECONDS else number * 1000)
    try:
        time = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)  # "+" is a space in an address
        zoned = time if time.tzinfo else time.replace(tzinfo=UTC)
        return (zoned - EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise RequestRefused(
            f"at must be a time such as 2026-01-31T12:00:00Z, or Unix seconds or milliseconds, not {text[:50]!r}"
        ) from None
