"""Keywords that hold schemas of the same value: ``allOf anyOf oneOf not``."""

from rollbook.documents.values import Document
from rollbook.language.filters.json_schema.checks import a_schema, schemas
from rollbook.language.filters.json_schema.keywords import CompileSchema, Keyword, Satisfies


def _all_of(parts: list[Document], schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Values that satisfy every schema of the list."""
    each = [compile_schema(part) for part in parts]
    return lambda value: all(satisfies(value) for satisfies in each)


def _any_of(parts: list[Document], schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Values that satisfy at least one schema of the list."""
    each = [compile_schema(part) for part in parts]
    return lambda value: any(satisfies(value) for satisfies in each)


def _one_of(parts: list[Document], schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Values that satisfy exactly one schema of the list."""
    each = [compile_schema(part) for part in parts]
    return lambda value: sum(satisfies(value) for satisfies in each) == 1


def _not(part: Document, schema: Document, compile_schema: CompileSchema) -> Satisfies:
    """Values that do not satisfy the schema."""
    satisfies = compile_schema(part)
    return lambda value: not satisfies(value)


KEYWORDS = (
    Keyword("allOf", schemas, _all_of),
    Keyword("anyOf", schemas, _any_of),
    Keyword("oneOf", schemas, _one_of),
    Keyword("not", a_schema, _not),
)
