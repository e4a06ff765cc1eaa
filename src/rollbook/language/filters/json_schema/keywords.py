"""How a keyword joins ``$jsonSchema``: as a row in the ``KEYWORDS`` of its family's module.

One rule: a keyword speaks only of values of its own type; every other value satisfies it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from msgspec import Struct

from rollbook.documents.values import Document, Value
from rollbook.errors import FilterRefused
from rollbook.language.filters.sites import BAD_VALUE, FAILED_TO_PARSE, TYPE_MISMATCH, Site
from rollbook.limits import RequestBudget

Satisfies: TypeAlias = Callable[[Any], bool]


class CompileSchema(Protocol):
    """Compiles the schemas that a schema holds. ``work`` is the request's budget."""

    @property
    def work(self) -> RequestBudget | None: ...

    def __call__(self, schema: Document, /) -> Satisfies: ...


class KeywordSite(Struct, frozen=True):
    """A keyword's value in a schema, and the way down into the schemas it holds."""

    keyword: str
    schema: Document
    site: Site
    check: Callable[[Document, Site], None]

    def subschema(self, json: Value, *keys: str | int) -> None:
        """Checks the schema at ``keys`` below the keyword's value."""
        if not isinstance(json, dict):
            raise self.mistyped("takes schemas, which are objects", *keys)
        self.check(json, self.site.deeper(*keys))

    def mistyped(self, problem: str, *keys: str | int) -> FilterRefused:
        """The refusal of a value of the wrong type."""
        return self._refused(problem, keys, TYPE_MISMATCH)

    def malformed(self, problem: str, *keys: str | int) -> FilterRefused:
        """The refusal of a value of the right type that can't be."""
        return self._refused(problem, keys, FAILED_TO_PARSE)

    def unknown(self, problem: str, *keys: str | int) -> FilterRefused:
        """The refusal of a name that means nothing, or of a list that holds nothing."""
        return self._refused(problem, keys, BAD_VALUE)

    def _refused(self, problem: str, keys: tuple[str | int, ...], mongo_code: int) -> FilterRefused:
        return self.site.refused(f"the keyword {self.keyword} {problem}", *keys, mongo_code=mongo_code)


class Keyword(Struct, frozen=True):
    """``check(value, place)`` refuses a value; ``compile(value, schema, compile_schema)`` makes its test, if any.

    ``schema`` is the object that holds the keyword, for keywords that look at their neighbours.
    """

    name: str
    check: Callable[[Value, KeywordSite], None]
    compile: Callable[[Any, Document, CompileSchema], Satisfies | None]
