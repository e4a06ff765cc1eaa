"""Which element of an array made a document match: what the positional ``$`` of updates and projections stands for.

One rule: the last condition that went through an array says so, as MongoDB records it: the index in the outermost array
that was gone through element by element. Negations, and alternatives that are not equalities on one path, record
nothing; an index named in a path does not either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from rollbook.documents.values import Document
from rollbook.language.filters.compiling import compile_filter, element_test, is_whole, make_test
from rollbook.language.filters.nodes import All, Any, ElemMatch, Field, Filter
from rollbook.language.filters.traversal import reached
from rollbook.limits import RequestBudget

Recorded: TypeAlias = tuple[bool, int | None]

Record: TypeAlias = Callable[[Document], Recorded]


def first_match(filter: Filter, document: Document, *, work: RequestBudget | None = None) -> int | None:
    """The index that ``$`` stands for after ``filter`` matched ``document``; None where none was recorded."""
    return compile_first_match(filter, work=work)(document)


def compile_first_match(filter: Filter, *, work: RequestBudget | None = None) -> Callable[[Document], int | None]:
    """``first_match`` of one filter, made once for many documents."""
    record = _recording(filter, work)

    def position(document: Document) -> int | None:
        matches, index = record(document)
        return index if matches else None

    return position


def _recording(filter: Filter, work: RequestBudget | None) -> Record:
    match filter:
        case Field():
            return _of_field([filter], work)
        case ElemMatch():
            return _of_elements(filter, work)
        case All(clauses):
            return _of_all([_recording(clause, work) for clause in clauses], work)
        case Any(clauses) if _is_one_of(clauses):
            return _of_field([clause for clause in clauses if isinstance(clause, Field)], work)
        case _:
            matches = compile_filter(filter, work=work)
            return lambda document: (matches(document), None)


def _is_one_of(clauses: tuple[Filter, ...]) -> bool:
    """Whether the alternatives are equalities on one path: MongoDB takes them for an ``$in``."""
    paths = {
        clause.path if isinstance(clause, Field) and clause.operator in ("$eq", "$in") else None for clause in clauses
    }
    return len(paths) == 1 and None not in paths


def _of_field(fields: list[Field], work: RequestBudget | None) -> Record:
    tests = [make_test(field) for field in fields]
    path, whole = fields[0].path, is_whole(fields[0])

    def record(document: Document) -> Recorded:
        for value, index in reached(document, path, whole=whole):
            if work is not None:
                work.spend(len(tests))
            if any(test(value) for test in tests):
                return True, index
        return False, None

    return record


def _of_elements(leaf: ElemMatch, work: RequestBudget | None) -> Record:
    holds = element_test(leaf, work)

    def record(document: Document) -> Recorded:
        for value, outer in reached(document, leaf.path, whole=True):
            elements = value if isinstance(value, list) else []
            if work is not None:
                work.spend(len(elements))
            inner = next((index for index, element in enumerate(elements) if holds(element)), None)
            if inner is not None:
                return True, inner if outer is None else outer
        return False, None

    return record


def _of_all(records: list[Record], work: RequestBudget | None) -> Record:
    def record(document: Document) -> Recorded:
        last = None
        if work is not None:
            work.spend(len(records))
        for clause in records:
            matches, index = clause(document)
            if not matches:
                return False, None
            last = last if index is None else index
        return True, last

    return record
