"""Keywords about arrays: ``items additionalItems minItems maxItems uniqueItems``."""

from typing import Any

from rollbook.documents.values import Document
from rollbook.language.filters.json_schema.checks import a_boolean, a_boolean_or_schema, a_length, a_schema_or_schemas
from rollbook.language.filters.json_schema.keywords import CompileSchema, Keyword, Satisfies
from rollbook.language.filters.json_schema.scalars import unordered_key


def _items(items: Any, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Arrays whose elements all satisfy the schema, or each the schema at its place in the list."""
    if isinstance(items, list):
        each = [compile_schema(item) for item in items]
        return lambda value: (
            value.__class__ is not list
            or all(satisfies(element) for satisfies, element in zip(each, value, strict=False))
        )
    satisfies = compile_schema(items)
    return lambda value: value.__class__ is not list or all(map(satisfies, value))


def _additional(additional: Any, schema: Document, compile_schema: CompileSchema) -> Satisfies | None:
    """Arrays whose elements beyond the list of items satisfy the schema; with false, arrays that have none."""
    items = schema.get("items")
    if additional is True or not isinstance(items, list):
        return None
    listed = len(items)
    if additional is False:
        return lambda value: value.__class__ is not list or len(value) <= listed
    satisfies = compile_schema(additional)
    return lambda value: value.__class__ is not list or all(map(satisfies, value[listed:]))


def _most(length: float, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Arrays of at most N elements."""
    return lambda value: value.__class__ is not list or len(value) <= length


def _least(length: float, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Arrays of at least N elements."""
    return lambda value: value.__class__ is not list or len(value) >= length


def _unique(unique: bool, schema: Document, compile_schema: CompileSchema) -> Satisfies | None:
    """Arrays in which no two elements are equal."""
    if not unique:
        return None
    return lambda value: value.__class__ is not list or len(set(map(unordered_key, value))) == len(value)


KEYWORDS = (
    Keyword("items", a_schema_or_schemas, _items),
    Keyword("additionalItems", a_boolean_or_schema, _additional),
    Keyword("maxItems", a_length, _most),
    Keyword("minItems", a_length, _least),
    Keyword("uniqueItems", a_boolean, _unique),
)
