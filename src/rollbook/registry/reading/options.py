"""Options beside a filter, a pipeline or an update, as values. Each is read here, whatever the request.

One rule: an option that is not known is refused, for what it asks would silently be left undone.
"""

from collections.abc import Collection, Mapping

from rollbook.documents.values import INT64_MAX, Value, is_number
from rollbook.errors import LanguageRefused, below
from rollbook.language.foreign import misplaced
from rollbook.limits import Limits


def parse_include(include: Value, *, at: str) -> bool:
    """Whether ``_registry`` is asked for: ``"registry"``, or an array that holds it."""
    asked = include if isinstance(include, list) else [include]
    if any(word not in (None, "registry") for word in asked):
        raise LanguageRefused("'include' can only be \"registry\"", at=at, mongo_code=2)
    return "registry" in asked


def refuse_unknown(body: Mapping[str, Value], keys: Collection[str], *, beside: str) -> None:
    """Refuses (LanguageRefused) a member that is no option: what it asks would silently be left undone."""
    for key in body:
        if key not in keys:
            raise LanguageRefused(misplaced(key, keys, beside=beside), at=below("", key), mongo_code=40415)


def flag_in(body: Mapping[str, Value], key: str) -> bool:
    """Whether an option is true; false when it is not given."""
    value = body.get(key, False)
    if not isinstance(value, bool):
        raise LanguageRefused(f"{key!r} must be true or false", at=below("", key), mongo_code=14)
    return value


def count_in(body: Mapping[str, Value], key: str) -> int:
    """The integer that an option gives, 0 when it is not given or null."""
    value = body.get(key)
    if value is None:
        return 0
    if not is_number(value) or value != int(value):
        raise LanguageRefused(f"{key!r} must be an integer", at=below("", key), mongo_code=14)
    if not 0 <= value <= INT64_MAX:
        problem = "must not be negative" if value < 0 else f"must be {INT64_MAX} at most"
        raise LanguageRefused(f"{key!r} {problem}", at=below("", key), mongo_code=2)
    return int(value)


def max_time_ms_in(body: Mapping[str, Value], limits: Limits) -> int:
    """How long the request may take, in milliseconds: what it asks for, and at most what the registry allows."""
    asked = count_in(body, "maxTimeMS")
    return min(asked, limits.max_time_ms) if asked else limits.max_time_ms
