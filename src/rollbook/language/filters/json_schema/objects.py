"""Keywords about objects: ``properties patternProperties additionalProperties required dependencies`` and counts."""

from typing import Any

from rollbook.documents.values import Document, Value
from rollbook.language.filters.json_schema.checks import (
    a_boolean_or_schema,
    a_length,
    names,
    schemas_by_name,
    schemas_by_pattern,
)
from rollbook.language.filters.json_schema.keywords import CompileSchema, Keyword, KeywordSite, Satisfies
from rollbook.language.regular_expressions import compile_pattern


def _properties(properties: Document, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Objects whose fields satisfy the schemas of their names; a field may be absent."""
    each = {name: compile_schema(property) for name, property in properties.items()}  # type: ignore[arg-type]
    return lambda value: (
        value.__class__ is not dict or all(satisfies(value[name]) for name, satisfies in each.items() if name in value)
    )


def _pattern_properties(properties: Document, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Objects whose fields satisfy the schema of every regular expression that matches their name."""
    each = [
        (compile_pattern(pattern).counted_within(compile_schema.work), compile_schema(property))  # type: ignore[arg-type]
        for pattern, property in properties.items()
    ]
    return lambda value: (
        value.__class__ is not dict
        or all(satisfies(member) for matches, satisfies in each for name, member in value.items() if matches(name))
    )


def _additional(additional: Any, schema: Document, compile_schema: CompileSchema) -> Satisfies | None:
    """Objects whose other fields satisfy the schema; with false, objects that have no others."""
    if additional is True:
        return None
    named: Any = schema.get("properties", {})
    patterns: Any = schema.get("patternProperties", {})
    matchers = [compile_pattern(pattern).counted_within(compile_schema.work) for pattern in patterns]
    satisfies = compile_schema(additional) if additional is not False else None

    def test(value: Any) -> bool:
        if value.__class__ is not dict:
            return True
        others = (
            member
            for name, member in value.items()
            if name not in named and not any(matches(name) for matches in matchers)
        )
        return all(satisfies is not None and satisfies(member) for member in others)

    return test


def _required(required: list[str], schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Objects that have all these fields."""
    return lambda value: value.__class__ is not dict or all(name in value for name in required)


def _dependencies(dependencies: Document, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Objects that, where they have a field, have the fields that it needs, or satisfy the schema that it needs."""
    each = {
        name: _required(needs, schema, compile_schema) if isinstance(needs, list) else compile_schema(needs)  # type: ignore[arg-type]
        for name, needs in dependencies.items()
    }
    return lambda value: (
        value.__class__ is not dict or all(satisfies(value) for name, satisfies in each.items() if name in value)
    )


def _needs(value: Value, place: KeywordSite) -> None:
    if not isinstance(value, dict):
        raise place.mistyped("takes an object of schemas and lists of names")
    for name, needs in value.items():
        if isinstance(needs, list):
            names(needs, place, name)
        else:
            place.subschema(needs, name)


def _most(count: float, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Objects of at most N fields."""
    return lambda value: value.__class__ is not dict or len(value) <= count


def _least(count: float, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Objects of at least N fields."""
    return lambda value: value.__class__ is not dict or len(value) >= count


KEYWORDS = (
    Keyword("properties", schemas_by_name, _properties),
    Keyword("patternProperties", schemas_by_pattern, _pattern_properties),
    Keyword("additionalProperties", a_boolean_or_schema, _additional),
    Keyword("required", names, _required),
    Keyword("dependencies", _needs, _dependencies),
    Keyword("maxProperties", a_length, _most),
    Keyword("minProperties", a_length, _least),
)
