"""Keywords about any value, numbers and texts: ``type bsonType enum maximum minLength pattern`` and their kin."""

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from rollbook.documents.ordering import RANK_ARRAY, RANK_OBJECT, SortKey, sort_key
from rollbook.documents.values import Document, Value, type_name
from rollbook.language.filters.comparison import NUMBERS
from rollbook.language.filters.element import TYPE_NAMES, types_named
from rollbook.language.filters.json_schema.checks import (
    a_boolean,
    a_length,
    a_number,
    a_pattern,
    a_positive_number,
    a_text,
    no_duplicates,
)
from rollbook.language.filters.json_schema.keywords import CompileSchema, Keyword, KeywordSite, Satisfies
from rollbook.language.regular_expressions import compile_pattern

JSON_TYPES = {
    "array": "array",
    "boolean": "bool",
    "null": "null",
    "number": "number",
    "object": "object",
    "string": "string",
}


def unordered_key(value: Value) -> SortKey:
    """A key that is equal for equal values, whatever the order of fields: unlike in filters, here it does not count."""
    if isinstance(value, dict):
        return (RANK_OBJECT, tuple(sorted((name, unordered_key(member)) for name, member in value.items())))
    if isinstance(value, list):
        return (RANK_ARRAY, tuple(unordered_key(element) for element in value))
    return sort_key(value)


def a_remark(value: Value, schema: Document, compile_schema: CompileSchema) -> None:
    """Says something to who reads the schema."""


def _is_type(kinds: Any, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Values of the type, by JSON's names (type) or MongoDB's (bsonType), or of one of several."""
    names = [JSON_TYPES.get(kind, kind) for kind in (kinds if isinstance(kinds, list) else [kinds])]
    types = types_named(list(names))
    return lambda value: type_name(value) in types


def _json_types(value: Value, place: KeywordSite) -> None:
    _types(value, place, frozenset(JSON_TYPES))


def _bson_types(value: Value, place: KeywordSite) -> None:
    _types(value, place, TYPE_NAMES)


def _types(value: Value, place: KeywordSite, known: frozenset[str]) -> None:
    if "type" in place.schema and "bsonType" in place.schema:
        raise place.malformed("can't stand beside the other of type and bsonType")
    if not isinstance(value, (str, list)):
        raise place.mistyped("takes the name of a type, or a list of names")
    if value == []:
        raise place.malformed("takes at least one type")
    kinds = value if isinstance(value, list) else [value]
    for kind in kinds:
        if not isinstance(kind, str):
            raise place.mistyped("takes names of types, which are texts")
        if kind == "integer":
            raise place.malformed("has no integer: use bsonType with int and long, or type number with multipleOf 1")
        if kind not in known:
            raise place.unknown(f"knows no type {kind!r}, only {', '.join(sorted(known))}")
    no_duplicates(kinds, place)


def _is_in_enum(values: list[Value], schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Values equal to one of the list."""
    keys = frozenset(unordered_key(value) for value in values)
    return lambda value: unordered_key(value) in keys


def _values(value: Value, place: KeywordSite) -> None:
    if not isinstance(value, list):
        raise place.mistyped("takes a list of values")
    if not value:
        raise place.malformed("takes at least one value")
    no_duplicates([unordered_key(element) for element in value], place)


def _maximum(bound: float, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Numbers up to this one; not this one itself with exclusiveMaximum."""
    return _numbers(bound, operator.lt if schema.get("exclusiveMaximum") else operator.le)


def _minimum(bound: float, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Numbers from this one; not this one itself with exclusiveMinimum."""
    return _numbers(bound, operator.gt if schema.get("exclusiveMinimum") else operator.ge)


def _numbers(bound: float, holds: Callable[[Any, Any], bool]) -> Satisfies:
    return lambda value: value.__class__ not in NUMBERS or holds(value, bound)


def _beside(bound: str) -> Callable[[Value, KeywordSite], None]:
    def check(value: Value, place: KeywordSite) -> None:
        a_boolean(value, place)
        if bound not in place.schema:
            raise place.malformed(f"needs {bound} beside it")

    return check


def _multiple(divisor: float, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Numbers that are a multiple of this one."""
    unit = _decimal(divisor)
    return lambda value: value.__class__ not in NUMBERS or _decimal(value) % unit == 0


def _decimal(number: Any) -> Fraction:
    """The number as it is written with 15 digits: 0.3 is a multiple of 0.1, though not in binary."""
    return Fraction(f"{number:.15g}" if isinstance(number, float) else number)


def _longest(length: float, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Strings of at most N characters."""
    return lambda value: value.__class__ is not str or len(value) <= length


def _shortest(length: float, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Strings of at least N characters."""
    return lambda value: value.__class__ is not str or len(value) >= length


def _pattern(pattern: str, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Texts in which the regular expression finds a match."""
    matches = compile_pattern(pattern).counted_within(compile_schema.work)
    return lambda value: value.__class__ is not str or matches(value)


KEYWORDS = (
    Keyword("title", a_text, a_remark),
    Keyword("description", a_text, a_remark),
    Keyword("type", _json_types, _is_type),
    Keyword("bsonType", _bson_types, _is_type),
    Keyword("enum", _values, _is_in_enum),
    Keyword("maximum", a_number, _maximum),
    Keyword("exclusiveMaximum", _beside("maximum"), a_remark),
    Keyword("minimum", a_number, _minimum),
    Keyword("exclusiveMinimum", _beside("minimum"), a_remark),
    Keyword("multipleOf", a_positive_number, _multiple),
    Keyword("maxLength", a_length, _longest),
    Keyword("minLength", a_length, _shortest),
    Keyword("pattern", a_pattern, _pattern),
)
