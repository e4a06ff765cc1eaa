"""Times as text and in parts: ``$dateToString $dateFromString $toDate $year`` and their like.

One rule: null or missing gives null, unless the operator says otherwise (``onNull``).
"""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

from rollbook.documents.values import MISSING, Maybe, Value, type_name
from rollbook.errors import ExpressionRefused
from rollbook.language.expressions.instants import OUT_OF_RANGE, in_range, instant, iso_text, parsed, zone_of, zoned
from rollbook.language.expressions.nodes import Expression
from rollbook.language.expressions.numbers import is_null
from rollbook.language.expressions.operators import (
    Argument,
    Compiling,
    Function,
    NamedFunction,
    Operator,
    Parsing,
    Signature,
    SpecialForm,
    refused,
)
from rollbook.language.expressions.scopes import Evaluate

BAD_FORMAT, BAD_TEXT = 18536, 241
UNREADABLE = (BAD_TEXT, OUT_OF_RANGE)
UTC_FORMAT, LOCAL_FORMAT = "%Y-%m-%dT%H:%M:%S.%LZ", "%Y-%m-%dT%H:%M:%S.%L"

MONTH_NAMES: tuple[str, ...] = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

PARTS: dict[str, tuple[str, Callable[[datetime], int]]] = {
    "$year": ("The year of a time.", lambda time: time.year),
    "$month": ("The month of a time, from 1 to 12.", lambda time: time.month),
    "$dayOfMonth": ("The day of the month of a time, from 1 to 31.", lambda time: time.day),
    "$dayOfWeek": ("The day of the week of a time, from 1 (Sunday) to 7.", lambda time: time.isoweekday() % 7 + 1),
    "$dayOfYear": ("The day of the year of a time, from 1 to 366.", lambda time: time.timetuple().tm_yday),
    "$hour": ("The hour of a time, from 0 to 23.", lambda time: time.hour),
    "$minute": ("The minute of a time, from 0 to 59.", lambda time: time.minute),
    "$second": ("The second of a time, from 0 to 59.", lambda time: time.second),
    "$millisecond": ("The millisecond of a time, from 0 to 999.", lambda time: time.microsecond // 1000),
    "$week": ("The week of the year of a time, from 0 to 53; weeks begin on Sunday.", lambda time: _week(time)),
    "$isoWeek": ("The week of ISO 8601 of a time, from 1 to 53.", lambda time: time.isocalendar().week),
    "$isoWeekYear": ("The year of ISO 8601 to which the week of a time belongs.", lambda time: time.isocalendar().year),
    "$isoDayOfWeek": ("The day of the week of a time, from 1 (Monday) to 7.", lambda time: time.isoweekday()),
}

SPECIFIERS: dict[str, Callable[[datetime], str]] = {
    "Y": lambda time: f"{time.year:04}",
    "m": lambda time: f"{time.month:02}",
    "d": lambda time: f"{time.day:02}",
    "H": lambda time: f"{time.hour:02}",
    "M": lambda time: f"{time.minute:02}",
    "S": lambda time: f"{time.second:02}",
    "L": lambda time: f"{time.microsecond // 1000:03}",
    "j": lambda time: f"{time.timetuple().tm_yday:03}",
    "w": lambda time: str(time.isoweekday() % 7 + 1),
    "u": lambda time: str(time.isoweekday()),
    "U": lambda time: f"{_week(time):02}",
    "V": lambda time: f"{time.isocalendar().week:02}",
    "G": lambda time: f"{time.isocalendar().year:04}",
    "b": lambda time: MONTH_NAMES[time.month - 1][:3],
    "B": lambda time: MONTH_NAMES[time.month - 1],
    "z": lambda time: _offset(time),
    "Z": lambda time: str((time.utcoffset() or timedelta()) // timedelta(minutes=1)),
    "%": lambda time: "%",
}
READABLE = frozenset("YmdHMSLzbBj%")
"""The specifiers that a time can be read by; Python reads the milliseconds as %f."""


def as_text(time: Maybe, format: Maybe, timezone: Maybe, on_null: Maybe) -> Maybe:
    """A time as text, by a format of MongoDB's specifiers; ISO 8601 unless one is given."""
    moment, zone = instant(time, "date"), zone_of(timezone)
    if moment is None:
        return on_null
    if zone is None:
        return None
    local = in_range(lambda: moment.astimezone(zone))
    if format is MISSING:
        format = UTC_FORMAT if local.utcoffset() == timedelta() else LOCAL_FORMAT
    if format is None:
        return None
    if not isinstance(format, str):
        raise refused(18533, f"needs a string as format, not {type_name(format)}")
    return "".join(_formatted(format, local))


def from_text(text: Maybe, format: Maybe, timezone: Maybe, on_error: Maybe, on_null: Maybe) -> Maybe:
    """The time that text names, as ISO 8601 in UTC. ``onError`` stands for what can't be read."""
    if is_null(text):
        return on_null
    zone = zone_of(timezone)
    if zone is None:
        return None
    try:
        if not isinstance(text, str):
            raise refused(BAD_TEXT, f"needs a string as dateString, not {type_name(text)}")
        return iso_text(parsed(text, zone) if is_null(format) else _read(text, format, zone))
    except ExpressionRefused as refusal:
        if on_error is MISSING or refusal.mongo_code not in UNREADABLE:
            raise
        return on_error


def as_time(value: Maybe) -> Maybe:
    """A time as ISO 8601 in UTC with milliseconds, of text of ISO 8601 or of milliseconds since 1970."""
    time = instant(value, "its argument")
    return None if time is None else iso_text(time)


def parse_part(json: Value, parsing: Parsing) -> tuple[Expression, Expression | None]:
    """The time and its zone: an expression, an array of one, or ``{date, timezone}``."""
    if isinstance(json, dict) and "date" in json:
        members = _PART.members_of(json, parsing)
        zone = parsing.child(members["timezone"], "timezone") if "timezone" in members else None
        return parsing.child(members["date"], "date"), zone
    if isinstance(json, list):
        if len(json) != 1:
            raise parsing.refused(40536, f"takes one argument, not {len(json)}")
        return parsing.child(json[0], 0), None
    return parsing.child(json), None


def part(read: Callable[[datetime], int], meaning: str) -> Callable[..., Evaluate]:
    """Compiles an operator that gives one part of a time, in a time zone."""

    def compile(parts: tuple[Expression, Expression | None], compiling: Compiling) -> Evaluate:
        time_of = compiling.child(parts[0])
        zone_value = None if parts[1] is None else compiling.child(parts[1])

        def evaluate(scope: dict[str, Maybe]) -> Maybe:
            time = instant(time_of(scope), "date")
            zone = zone_of("UTC" if zone_value is None else zone_value(scope))
            if time is None or zone is None:
                return None
            return read(in_range(lambda: time.astimezone(zone)))

        return evaluate

    compile.__doc__ = meaning
    return compile


def _formatted(format: str, time: datetime) -> list[str]:
    pieces = format.split("%")
    out, place = [pieces[0]], 1
    while place < len(pieces):
        piece = pieces[place]
        if not piece and place + 1 < len(pieces):  # "%%" splits into an empty piece
            out.append("%" + pieces[place + 1])
            place += 2
            continue
        if not piece or piece[0] not in SPECIFIERS:
            raise refused(BAD_FORMAT, f"has no format specifier '%{piece[:1]}'")
        out.append(SPECIFIERS[piece[0]](time) + piece[1:])
        place += 1
    return out


def _read(text: str, format: Maybe, zone: tzinfo) -> datetime:
    if not isinstance(format, str):
        raise refused(40684, f"needs a string as format, not {type_name(format)}")
    specifiers = format.replace("%%", "").split("%")[1:]
    for each in specifiers:
        if each[:1] not in READABLE:
            raise refused(BAD_FORMAT, f"can't read times by the format specifier '%{each[:1]}'")
    try:
        time = datetime.strptime(text, format.replace("%L", "%f"))
    except ValueError:
        raise refused(BAD_TEXT, f"{text[:50]!r} does not follow the format {format[:50]!r}") from None
    return zoned(time, text, zone)


def _week(time: datetime) -> int:
    return (time.timetuple().tm_yday + 6 - time.isoweekday() % 7) // 7


def _offset(time: datetime) -> str:
    minutes = (time.utcoffset() or timedelta()) // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


_PART = Signature((Argument("date", absent=40539), Argument("timezone", default="UTC")), unknown=40535)
_TO_STRING = Signature(
    (
        Argument("date", absent=18628),
        Argument("format"),
        Argument("timezone", default="UTC"),
        Argument("onNull", default=None),
    ),
    not_an_object=18629,
    unknown=18534,
)
_FROM_STRING = Signature(
    (
        Argument("dateString", absent=40542),
        Argument("format"),
        Argument("timezone", default="UTC"),
        Argument("onError"),
        Argument("onNull", default=None),
    ),
    not_an_object=40540,
    unknown=40541,
)

OPERATORS: tuple[Operator, ...] = (
    NamedFunction("$dateToString", as_text, _TO_STRING),
    NamedFunction("$dateFromString", from_text, _FROM_STRING),
    Function("$toDate", as_time),
    *[SpecialForm(name, parse_part, part(read, meaning)) for name, (meaning, read) in PARTS.items()],
)
