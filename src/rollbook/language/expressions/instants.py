"""Instants: times as documents hold them, as text of ISO 8601 or as milliseconds since 1970, and back.

One rule: what an operator gives back is text in UTC with milliseconds, ``2026-01-31T12:00:00.000Z``: such texts compare
in the order of time.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from rollbook.documents.values import Maybe, is_number, type_name
from rollbook.language.expressions.numbers import is_null
from rollbook.language.expressions.operators import refused

EPOCH = datetime.fromtimestamp(0, UTC)
MILLISECOND = timedelta(milliseconds=1)
NO_DATE, NO_ZONE, OUT_OF_RANGE, BAD_TEXT = 16006, 40485, 5166406, 241

OFFSET = re.compile(r"([+-])(\d\d)(?::?(\d\d))?")


def instant(value: Maybe, what: str) -> datetime | None:
    """The time that a value names, in UTC; None for null and missing. ``what`` names the argument in a refusal."""
    if is_null(value):
        return None
    if isinstance(value, str):
        return parsed(value)
    if is_number(value):
        return plus_milliseconds(EPOCH, value)
    raise refused(NO_DATE, f"needs a time as {what}: ISO 8601 or milliseconds since 1970, not {type_name(value)}")


def parsed(text: str, zone: tzinfo = UTC) -> datetime:
    """The time that text of ISO 8601 names, in ``zone``. Refuses text that names a zone beside one that is not UTC."""
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise refused(BAD_TEXT, f"{text[:50]!r} is no time of ISO 8601, such as 2026-01-31T12:00:00Z") from None
    return in_range(lambda: zoned(time, text, zone).astimezone(UTC))


def zoned(time: datetime, text: str, zone: tzinfo) -> datetime:
    """The time that ``text`` names, with its own zone or ``zone``; only UTC may stand beside a zone in the text."""
    if time.tzinfo is None:
        return time.replace(tzinfo=zone)
    if zone != UTC:
        why = f"{text[:50]!r} has an offset from UTC, so no timezone can be given beside it: leave one of them out"
        raise refused(BAD_TEXT, why)
    return time


def iso_text(time: datetime) -> str:
    """A time as documents hold it."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def zone_of(value: Maybe) -> tzinfo | None:
    """The time zone that a value names: an Olson name, or an offset from UTC; None for null and missing."""
    if is_null(value):
        return None
    if not isinstance(value, str):
        raise refused(40517, f"needs a string as timezone, not {type_name(value)}")
    return zone_named(value)


@lru_cache(maxsize=256)
def zone_named(name: str) -> tzinfo:
    """The time zone of this name or offset."""
    if name.upper() in ("UTC", "GMT", "Z"):
        return UTC
    if offset := OFFSET.fullmatch(name):
        sign, hours, minutes = offset[1], int(offset[2]), int(offset[3] or 0)
        if hours < 24 and minutes < 60:
            shift = timedelta(hours=hours, minutes=minutes)
            return timezone(-shift if sign == "-" else shift)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise refused(NO_ZONE, f"{name[:50]!r} is no time zone; it can be like Europe/Berlin or +05:30") from None


def plus_milliseconds(time: datetime, milliseconds: float) -> datetime:
    """The time so much later."""
    return in_range(lambda: time + timedelta(milliseconds=int(milliseconds)))


def milliseconds_of(time: datetime) -> int:
    """Milliseconds since 1970."""
    return (time - EPOCH) // MILLISECOND


def in_range(make: Callable[[], datetime]) -> datetime:
    """The time that ``make`` gives. Refuses one before the year 1 or after 9999."""
    try:
        return make()
    except (OverflowError, ValueError):
        raise refused(OUT_OF_RANGE, "gives a time outside of the years 1 to 9999") from None
