"""What the value of a keyword must be, shared by the families: a number, a length, a list of schemas.

One rule: a wrong type is a type mismatch (14), a right type with an impossible value fails to parse (9).
"""

from collections.abc import Sequence
from typing import Any

from rollbook.documents.values import INT64_MAX, Value, is_number
from rollbook.language.filters.json_schema.keywords import KeywordSite


def a_text(value: Value, place: KeywordSite) -> None:
    """A text."""
    if not isinstance(value, str):
        raise place.mistyped("takes a text")


def a_boolean(value: Value, place: KeywordSite) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise place.mistyped("takes true or false")


def a_number(value: Value, place: KeywordSite) -> None:
    """A number."""
    if not is_number(value):
        raise place.mistyped("takes a number")


def a_positive_number(value: Value, place: KeywordSite) -> None:
    """A number greater than 0."""
    a_number(value, place)
    if is_number(value) and value <= 0:
        raise place.malformed("takes a number greater than 0")


def a_length(value: Value, place: KeywordSite) -> None:
    """An integer from 0."""
    if not is_number(value) or value != int(value) or not 0 <= value <= INT64_MAX:
        raise place.malformed("takes an integer that is not negative")


def a_pattern(value: Value, place: KeywordSite) -> None:
    """A regular expression."""
    if not isinstance(value, str):
        raise place.mistyped("takes a regular expression, which is a text")
    place.site.check_pattern(value)


def a_schema(value: Value, place: KeywordSite) -> None:
    """A schema."""
    place.subschema(value)


def a_boolean_or_schema(value: Value, place: KeywordSite) -> None:
    """True, false, or a schema."""
    if not isinstance(value, bool):
        place.subschema(value)


def schemas(value: Value, place: KeywordSite) -> None:
    """A list of at least one schema."""
    if not isinstance(value, list):
        raise place.mistyped("takes a list of schemas")
    if not value:
        raise place.unknown("takes at least one schema")
    for position, schema in enumerate(value):
        place.subschema(schema, position)


def a_schema_or_schemas(value: Value, place: KeywordSite) -> None:
    """A schema, or a list of schemas."""
    if isinstance(value, list):
        for position, schema in enumerate(value):
            place.subschema(schema, position)
    else:
        place.subschema(value)


def schemas_by_name(value: Value, place: KeywordSite) -> None:
    """An object of schemas."""
    if not isinstance(value, dict):
        raise place.mistyped("takes an object of schemas")
    for name, schema in value.items():
        place.subschema(schema, name)


def schemas_by_pattern(value: Value, place: KeywordSite) -> None:
    """An object of schemas, whose names are regular expressions."""
    schemas_by_name(value, place)
    for pattern in value if isinstance(value, dict) else ():
        place.site.check_pattern(pattern, "", pattern)


def names(value: Value, place: KeywordSite, *keys: str | int) -> None:
    """A list of different names, at least one."""
    if not isinstance(value, list):
        raise place.mistyped("takes a list of names", *keys)
    if not value:
        raise place.malformed("takes at least one name", *keys)
    for position, name in enumerate(value):
        if not isinstance(name, str):
            raise place.mistyped("takes names, which are texts", *keys, position)
    no_duplicates(value, place, *keys)


def no_duplicates(keys_of_values: Sequence[Any], place: KeywordSite, *keys: str | int) -> None:
    """Refuses a list in which something stands twice."""
    if len(set(keys_of_values)) < len(keys_of_values):
        raise place.malformed("takes nothing twice", *keys)
