"""How an example stands in the reference of the language: as a row that shows itself and can be checked.

One rule: what a row shows is what it checks.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.language import (
    aggregate,
    compile_expression,
    compile_update,
    find,
    matches,
    parse_expression,
    parse_filter,
    parse_update,
    scope_of,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Example(Protocol):
    """One example of one operator."""

    @property
    def operator(self) -> str:
        """The operator that it is an example of."""

    def shown(self) -> str:
        """The example in Markdown."""

    def given(self) -> Any:
        """What the language gives."""

    def expected(self) -> Any:
        """What the example shows that it gives."""


@dataclass(frozen=True, slots=True)
class Matching:
    """A filter, a document that it matches, and one that it does not."""

    operator: str
    filter: Document
    document: Document
    other: Document | None = None

    def shown(self) -> str:
        but_not = "" if self.other is None else f", not {code(self.other)}"
        return f"{code(self.filter)} matches {code(self.document)}{but_not}"

    def given(self) -> Any:
        return matches(self.document, self.filter), self.other is not None and matches(self.other, self.filter)

    def expected(self) -> Any:
        return True, False


@dataclass(frozen=True, slots=True)
class Mismatching:
    """A filter and a document that it does not match."""

    operator: str
    filter: Document
    document: Document

    def shown(self) -> str:
        return f"{code(self.filter)} does not match {code(self.document)}"

    def given(self) -> Any:
        return matches(self.document, self.filter)

    def expected(self) -> Any:
        return False


@dataclass(frozen=True, slots=True)
class Changing:
    """An update, a document before it and after it. It is applied at noon of the last day of January 2026."""

    operator: str
    update: Document
    before: Document
    after: Document
    filter: Document | None = None
    array_filters: list[Value] = field(default_factory=list)

    def shown(self) -> str:
        filters = f" with the array filters {code(self.array_filters)}" if self.array_filters else ""
        return f"{code(self.update)}{filters} makes {code(self.after)} of {code(self.before)}{found_by(self.filter)}"

    def given(self) -> Any:
        filter = None if self.filter is None else parse_filter(self.filter)
        update = parse_update(self.update, array_filters=self.array_filters)
        return compile_update(update, filter=filter, clock=lambda: NOW)(self.before)

    def expected(self) -> Any:
        return self.after


@dataclass(frozen=True, slots=True)
class Giving:
    """An expression and what it gives of a document."""

    operator: str
    expression: Value
    value: Maybe
    document: Document = field(default_factory=dict)

    def shown(self) -> str:
        of = f" of {code(self.document)}" if self.document else ""
        return f"{code(self.expression)}{of} is {'missing' if self.value is MISSING else code(self.value)}"

    def given(self) -> Any:
        return compile_expression(parse_expression(self.expression))(scope_of(self.document))

    def expected(self) -> Any:
        return self.value


@dataclass(frozen=True, slots=True)
class Passing:
    """A stage, the documents that go in and those that come out."""

    operator: str
    stage: Document
    before: list[Document]
    after: list[Document]

    def shown(self) -> str:
        return f"{code(self.stage)} makes {documents(self.after)} of {documents(self.before)}"

    def given(self) -> Any:
        return aggregate(self.before, [self.stage])

    def expected(self) -> Any:
        return self.after


@dataclass(frozen=True, slots=True)
class Accumulating:
    """An accumulator, and what it gives of a group of documents."""

    operator: str
    accumulator: Document
    documents: list[Document]
    value: Value

    def shown(self) -> str:
        return f"{code(self.accumulator)} of {documents(self.documents)} is {code(self.value)}"

    def given(self) -> Any:
        return aggregate(self.documents, [{"$group": {"_id": None, "result": self.accumulator}}])

    def expected(self) -> Any:
        return [{"_id": None, "result": self.value}]


@dataclass(frozen=True, slots=True)
class Showing:
    """A projection and what it shows of a document that the filter matches."""

    operator: str
    projection: Document
    document: Document
    shows: Document
    filter: Document = field(default_factory=dict)

    def shown(self) -> str:
        return f"{code(self.projection)} shows {code(self.shows)} of {code(self.document)}{found_by(self.filter)}"

    def given(self) -> Any:
        return find([self.document], self.filter, projection=self.projection)

    def expected(self) -> Any:
        return [self.shows]


def code(value: Any) -> str:
    """A value as code of Markdown."""
    text = json.dumps(value, ensure_ascii=False)
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def documents(some: list[Document]) -> str:
    """Documents one after the other."""
    return ", ".join(map(code, some)) or "nothing"


def found_by(filter: Document | None) -> str:
    """How a document was found, where that matters."""
    return f", found by {code(filter)}" if filter else ""
