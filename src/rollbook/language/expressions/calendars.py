"""Calendar arithmetic: ``$dateAdd $dateSubtract $dateDiff $dateTrunc``, on times as documents hold them.

Theory: years, quarters, months, weeks and days are those of a calendar, which a time zone decides; what is added keeps
the time of day there. Hours and less are lengths of time, the same everywhere.

One rule: null or missing in a required argument gives null.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo

from rollbook.documents.values import INT64_MAX, INT64_MIN, Maybe, is_number, type_name
from rollbook.language.expressions.instants import (
    in_range,
    instant,
    iso_text,
    milliseconds_of,
    plus_milliseconds,
    zone_of,
)
from rollbook.language.expressions.numbers import is_null
from rollbook.language.expressions.operators import Argument, NamedFunction, Signature, refused

LENGTHS_MS = {"hour": 3_600_000, "minute": 60_000, "second": 1_000, "millisecond": 1}
MONTHS = {"year": 12, "quarter": 3, "month": 1}
DAYS = {"week": 7, "day": 1}
UNITS = (*MONTHS, *DAYS, *LENGTHS_MS)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
REFERENCE = datetime(2000, 1, 1)
BAD_UNIT, BAD_AMOUNT, BAD_BIN, BAD_DAY = 9, 5166405, 5439017, 9
MISSING_ARGUMENT, UNKNOWN_ARGUMENT = 5166402, 5166401


def added(start: Maybe, unit: Maybe, amount: Maybe, timezone: Maybe) -> Maybe:
    """The time N units later; it keeps the time of day where units are days or longer."""
    return _moved(start, unit, amount, timezone, sign=1)


def subtracted(start: Maybe, unit: Maybe, amount: Maybe, timezone: Maybe) -> Maybe:
    """The time N units earlier; it keeps the time of day where units are days or longer."""
    return _moved(start, unit, amount, timezone, sign=-1)


def difference(start: Maybe, end: Maybe, unit: Maybe, timezone: Maybe, start_of_week: Maybe) -> Maybe:
    """How many boundaries of units lie between two times: negative where the second is earlier."""
    first, last, zone, name = instant(start, "startDate"), instant(end, "endDate"), zone_of(timezone), unit_of(unit)
    first_day = _weekday(start_of_week, name)
    if first is None or last is None or zone is None or name is None or first_day is None:
        return None
    return _place(last, name, zone, first_day) - _place(first, name, zone, first_day)


def truncated(time: Maybe, unit: Maybe, bin_size: Maybe, timezone: Maybe, start_of_week: Maybe) -> Maybe:
    """The beginning of the unit, or of the bin of several units, in which a time lies. Bins count from 2000-01-01."""
    moment, zone, name = instant(time, "date"), zone_of(timezone), unit_of(unit)
    first_day = _weekday(start_of_week, name)
    if moment is None or zone is None or name is None or first_day is None or is_null(bin_size):
        return None
    size = _whole(bin_size, "binSize", BAD_BIN)
    if size <= 0:
        raise refused(BAD_BIN + 1, f"needs a binSize above 0, not {size}")
    origin = _place(REFERENCE.replace(tzinfo=zone), name, zone, first_day)
    if name == "week" and _first_day_of(REFERENCE.date(), first_day) < REFERENCE.date():
        origin += 1
    place = origin + (_place(moment, name, zone, first_day) - origin) // size * size
    return iso_text(in_range(lambda: _beginning(place, name, zone, first_day, moment)))


def unit_of(value: Maybe) -> str | None:
    """The name of a unit; None for null and missing."""
    if is_null(value):
        return None
    if isinstance(value, str) and value in UNITS:
        return value
    raise refused(BAD_UNIT, f"needs a unit: {', '.join(UNITS)}")


def _moved(start: Maybe, unit: Maybe, amount: Maybe, timezone: Maybe, *, sign: int) -> Maybe:
    time, name, zone = instant(start, "startDate"), unit_of(unit), zone_of(timezone)
    if time is None or name is None or zone is None or is_null(amount):
        return None
    count = sign * _whole(amount, "amount", BAD_AMOUNT)
    if name in LENGTHS_MS:
        return iso_text(plus_milliseconds(time, count * LENGTHS_MS[name]))
    local = time.astimezone(zone)
    if name in DAYS:
        moved: Callable[[], datetime] = lambda: local + timedelta(days=count * DAYS[name])  # noqa: E731
    else:
        moved = lambda: _plus_months(local, count * MONTHS[name])  # noqa: E731
    return iso_text(in_range(lambda: moved().astimezone(UTC)))


def _plus_months(time: datetime, months: int) -> datetime:
    """The date N months later, on the same day of the month or on its last."""
    year, month = divmod(time.year * 12 + time.month - 1 + months, 12)
    first = time.replace(year=year, month=month + 1, day=1)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1) if (year, month) != (9999, 11) else None
    last_day = 31 if following is None else (following - timedelta(days=1)).day
    return first.replace(day=min(time.day, last_day))


def _place(time: datetime, unit: str, zone: tzinfo, first_day: int) -> int:
    """The number of the unit in which a time lies, counted from some beginning."""
    if unit in LENGTHS_MS:
        offset = time.astimezone(zone).utcoffset() or timedelta()
        shift_ms = offset // timedelta(milliseconds=1) % LENGTHS_MS["hour"]
        return (milliseconds_of(time) + shift_ms) // LENGTHS_MS[unit]
    local = time.astimezone(zone)
    if unit in MONTHS:
        return (local.year * 12 + local.month - 1) // MONTHS[unit]
    days = local.date().toordinal()
    return days if unit == "day" else (days - 1 - first_day) // 7


def _beginning(place: int, unit: str, zone: tzinfo, first_day: int, near: datetime) -> datetime:
    """Where the unit of this number begins."""
    if unit in LENGTHS_MS:
        offset = near.astimezone(zone).utcoffset() or timedelta()
        shift_ms = offset // timedelta(milliseconds=1) % LENGTHS_MS["hour"]
        return plus_milliseconds(datetime.fromtimestamp(0, UTC), place * LENGTHS_MS[unit] - shift_ms)
    if unit in MONTHS:
        year, month = divmod(place * MONTHS[unit], 12)
        return datetime(year, month + 1, 1, tzinfo=zone)
    day = date.fromordinal(place if unit == "day" else place * 7 + 1 + first_day)
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _first_day_of(day: date, first_day: int) -> date:
    return date.fromordinal((day.toordinal() - 1 - first_day) // 7 * 7 + 1 + first_day)


def _weekday(value: Maybe, unit: str | None) -> int | None:
    """The first day of weeks, 0 for Monday; it matters for weeks alone. None for null and missing."""
    if unit != "week":
        return 0
    if is_null(value):
        return None
    if isinstance(value, str):
        for number, name in enumerate(WEEKDAYS):
            if value.lower() in (name, name[:3]):
                return number
    raise refused(BAD_DAY, f"needs a day as startOfWeek: {', '.join(WEEKDAYS)}")


def _whole(value: Maybe, what: str, code: int) -> int:
    if not is_number(value) or value != int(value) or not INT64_MIN <= value <= INT64_MAX:
        shown = value if is_number(value) else type_name(value)
        raise refused(code, f"needs an integer as {what}, not {shown}")
    return int(value)


def _signature(*names: str, **defaults: Maybe) -> Signature:
    required = tuple(Argument(name, absent=MISSING_ARGUMENT) for name in names)
    optional = tuple(Argument(name, default=value) for name, value in defaults.items())
    return Signature((*required, *optional), not_an_object=5166400, unknown=UNKNOWN_ARGUMENT)


OPERATORS = (
    NamedFunction("$dateAdd", added, _signature("startDate", "unit", "amount", timezone="UTC")),
    NamedFunction("$dateSubtract", subtracted, _signature("startDate", "unit", "amount", timezone="UTC")),
    NamedFunction(
        "$dateDiff", difference, _signature("startDate", "endDate", "unit", timezone="UTC", startOfWeek="sunday")
    ),
    NamedFunction("$dateTrunc", truncated, _signature("date", "unit", binSize=1, timezone="UTC", startOfWeek="sunday")),
)
