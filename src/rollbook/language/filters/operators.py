"""How an operator joins the language of filters: as a row in a table of its family's module.

One rule: a row says everything that parsing and compiling need to know; no operator is known to them by name. There are
three kinds:

- ``Operator``: holds a value, and tests a value (``$gte``, ``$type``): one ``Field`` of the tree;
- ``Form``: makes nodes of what it holds, often other filters (``$not``, ``$elemMatch``, ``$expr``);
- ``Refused``: an operator of MongoDB's that this registry does not have, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeGuard

from rollbook.documents.codec import encode_json
from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value
from rollbook.errors import FilterRefused, LanguageRefused, below
from rollbook.language.filters.nodes import Filter
from rollbook.language.regular_expressions import compile_pattern
from rollbook.limits import Limits

BAD_VALUE, FAILED_TO_PARSE, TYPE_MISMATCH = 2, 9, 14

Test: TypeAlias = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an operand: words that follow the operator's name, MongoDB's code, and where inside it."""

    problem: str
    mongo_code: int = BAD_VALUE
    key: str | int | None = None


def anything(_: Value) -> Fault | None:
    """Takes every operand."""
    return None


@dataclass(frozen=True, slots=True)
class Operator:
    """``test(operand)`` makes the test of one value, given an operand in which ``problem_with`` found no fault.

    An array at the end of the path is tested element by element and then itself, but only itself with ``whole``.
    """

    name: str
    test: Callable[..., Test]
    problem_with: Callable[[Value], Fault | None] = anything
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """``parse(operand, site)`` makes the filter; None where the operator adds no condition (``$comment``)."""

    name: str
    parse: Callable[[Value, Site], Filter | None]


@dataclass(frozen=True, slots=True)
class Refused:
    """An operator that is known, and why it is refused."""

    name: str
    reason: str


@dataclass(slots=True)
class Reading:
    """One filter being parsed: the ways down into what it holds, its limits, and what it has used of them."""

    limits: Limits
    parse_filter: Callable[[Document, Site], Filter]
    parse_conditions: Callable[[Document, Site], Filter]
    clauses: int = 0
    patterns: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """Where parsing stands: ``at`` in the request, on which ``path``, how deep, and within whose elements.

    ``beside`` is the object that holds the operator, for operators that look at their neighbours (``$regex``).
    """

    reading: Reading
    at: str
    path: Path = ()
    depth: int = 0
    in_elements: bool = False
    beside: Mapping[str, Value] = field(default_factory=dict)

    def below(self, *keys: str | int) -> Site:
        """The site of a member or an element of what stands here."""
        at = self.at
        for key in keys:
            at = below(at, key)
        return replace(self, at=at)

    def deeper(self, *keys: str | int) -> Site:
        """The site of something nested in what stands here; refuses when that is too deep, or one clause too many."""
        inner = replace(self.below(*keys), depth=self.depth + 1)
        inner.count_clause()
        return inner

    def count_clause(self) -> None:
        """Refuses what is nested too deeply, and one clause too many."""
        reading, limits = self.reading, self.reading.limits
        reading.clauses += 1
        if reading.clauses > limits.filter_clauses_max:
            raise self.refused(f"a filter has at most {limits.filter_clauses_max} conditions")
        if self.depth > limits.filter_depth_max:
            raise self.refused(f"a filter is at most {limits.filter_depth_max} levels deep")

    def neighbour(self, name: str) -> Site:
        """The site of a member beside what stands here."""
        return replace(self, at=below(self.at.rpartition("/")[0], name))

    def filter(self, json: Document, *keys: str | int, in_elements: bool = False) -> Filter:
        """The filter ``json`` (of whole documents) at ``keys`` below this site."""
        inner = replace(self.deeper(*keys), path=(), in_elements=in_elements or self.in_elements)
        return self.reading.parse_filter(json, inner)

    def conditions(self, json: Document, *keys: str | int, path: Path) -> Filter:
        """The object of operators ``json`` at ``keys`` below this site, on ``path``."""
        return self.reading.parse_conditions(json, replace(self.deeper(*keys), path=path))

    def check_length(self, operand: Value, name: str) -> None:
        """Refuses a list that is longer than the limits allow."""
        if isinstance(operand, list) and len(operand) > self.reading.limits.in_values_max:
            raise self.refused(f"{name} takes at most {self.reading.limits.in_values_max} values")

    def check_pattern(self, pattern: str, options: str = "", *keys: str | int) -> None:
        """Refuses a regular expression that can't be compiled, and one too many."""
        reading = self.reading
        reading.patterns += 1
        if reading.patterns > reading.limits.patterns_max:
            raise self.refused(f"a filter has at most {reading.limits.patterns_max} regular expressions", *keys)
        try:
            compile_pattern(pattern, options, reading.limits.pattern_length_max)
        except LanguageRefused as refusal:
            raise self.refused(refusal.message, *keys, mongo_code=refusal.mongo_code) from None

    def refused(self, problem: str, *keys: str | int, mongo_code: int | None = BAD_VALUE) -> FilterRefused:
        """The refusal of what stands at ``keys`` below this site."""
        return FilterRefused(problem, at=self.below(*keys).at, mongo_code=mongo_code)

    def faulty(self, fault: Fault, name: str) -> FilterRefused:
        """The refusal of the operand of operator ``name``, which stands here."""
        keys = () if fault.key is None else (fault.key,)
        return self.refused(f"{name} {fault.problem}", *keys, mongo_code=fault.mongo_code)


def described(value: Value) -> str:
    """The value, short enough for an error message."""
    text = encode_json(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."


def is_operator_object(json: Value) -> TypeGuard[Document]:
    """Whether ``json`` is an object of operators (``{"$gt": 3}``) and not a value. A DBRef is a value."""
    if not isinstance(json, dict) or not json:
        return False
    return next(iter(json)).startswith("$") and not ("$ref" in json and "$id" in json)
