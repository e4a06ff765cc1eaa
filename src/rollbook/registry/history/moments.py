"""Moments of the past, as callers name them: a revision, or a time.

One rule: a moment is in the past. What has not happened yet is refused, so that an answer about a moment stays true.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from rollbook.errors import RequestRefused

REVISION_MAX = 10**18 - 1
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


def parse_revision(text: str, *, name: str) -> int:
    """A revision, given as the parameter ``name``."""
    revision = parse_number(text)
    if revision is None:
        raise RequestRefused(f"{name} must be a revision, an integer from 0 to {REVISION_MAX}, not {text[:50]!r}")
    return revision


def parse_number(text: str) -> int | None:
    """An integer from 0 to REVISION_MAX, in decimal digits; None for any other text."""
    digits = text.lstrip("0")
    if not text or not text.isascii() or not text.isdigit() or len(digits) > len(str(REVISION_MAX)):
        return None
    return int(digits or "0")


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
