"""From the tree of a filter to a function of a document. The only place that gives a filter its meaning.

One rule: whatever depends on the filter alone is worked out here, once; what is left for each document is closures that
call closures.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any as Anything
from typing import TypeAlias, assert_never

from rollbook.documents.values import Document, Maybe
from rollbook.language.collation import Collation
from rollbook.language.expressions import compile_expression, scope_of
from rollbook.language.expressions.truth import is_true
from rollbook.language.filters.json_schema import compile_schema
from rollbook.language.filters.nodes import All, Any, Computed, Constant, ElemMatch, Field, Filter, JsonSchema, Not
from rollbook.language.filters.operators import Test
from rollbook.language.filters.tables import OPERATORS
from rollbook.language.filters.traversal import compile_path, into_array
from rollbook.limits import RequestBudget

Predicate: TypeAlias = Callable[[Document], bool]

Holds: TypeAlias = Callable[[Anything], bool]


def compile_filter(filter: Filter, *, work: RequestBudget | None = None, now: datetime | None = None) -> Predicate:
    """The function that decides whether a document matches. It spends ``work`` where a document could cost much.

    ``now`` is the time that ``$$NOW`` gives in ``$expr``.
    """

    def on_document(leaf: Field | ElemMatch) -> Holds:
        return compile_path(leaf.path, make_test(leaf, work), whole=is_whole(leaf), work=work)

    return _compiled(filter, on_document, work, now)


def compile_condition(
    filter: Filter, *, work: RequestBudget | None = None, into_arrays: bool = True
) -> Callable[[Maybe], bool]:
    """The function that decides whether a single value meets a condition (of ``parse_condition``).

    A value that is an array meets it by one of its elements too, as ``$pull`` has it; not with ``into_arrays=False``,
    as ``$elemMatch`` has it.
    """

    def on_value(leaf: Field | ElemMatch) -> Holds:
        test = make_test(leaf, work)
        return into_array(test, work) if into_arrays and not is_whole(leaf) else test

    return _compiled(filter, on_value, work)


def make_test(leaf: Field | ElemMatch, work: RequestBudget | None = None) -> Test:
    """The test of one value that a leaf of the tree makes of what its path finds."""
    if isinstance(leaf, ElemMatch):
        return _some_element(leaf, work)
    if leaf.collation is not None:
        return _collated_test(leaf, leaf.collation)
    operator = OPERATORS[leaf.operator]
    make = partial(operator.test, work=work) if operator.spends else operator.test
    return make(leaf.operand, leaf.options) if leaf.options else make(leaf.operand)


def _collated_test(leaf: Field, collation: Collation) -> Test:
    test = OPERATORS[leaf.operator].test(collation.fold(leaf.operand))
    fold, key = collation.fold, collation.key
    if isinstance(leaf.operand, str):  # only texts compare with a text
        return lambda value: value.__class__ is str and test(key(value))
    return lambda value: test(fold(value))


def is_whole(leaf: Field | ElemMatch) -> bool:
    """Whether an array at the end of the leaf's path is one value, not one of each of its elements too."""
    return isinstance(leaf, ElemMatch) or OPERATORS[leaf.operator].whole


def element_test(leaf: ElemMatch, work: RequestBudget | None = None) -> Holds:
    """The function that decides whether one element meets the conditions of ``$elemMatch``."""
    if leaf.on == "values":
        return compile_condition(leaf.clause, work=work, into_arrays=False)
    matches = compile_filter(leaf.clause, work=work)

    def holds(element: Anything) -> bool:
        if element.__class__ is list:
            # To a filter of fields, an array is an object whose fields are its indexes.
            return matches({str(index): value for index, value in enumerate(element)})
        return element.__class__ is dict and matches(element)

    return holds


def _some_element(leaf: ElemMatch, work: RequestBudget | None) -> Test:
    holds = element_test(leaf, work)

    def test(value: Anything) -> bool:
        if value.__class__ is not list:
            return False
        if work is not None:
            work.spend(len(value))
        return any(map(holds, value))

    return test


def _compiled(
    filter: Filter,
    on_leaf: Callable[[Field | ElemMatch], Holds],
    work: RequestBudget | None,
    now: datetime | None = None,
) -> Holds:
    match filter:
        case Field() | ElemMatch():
            return on_leaf(filter)
        case All(clauses):
            return _every([_compiled(clause, on_leaf, work, now) for clause in clauses], work)
        case Any(clauses):
            return _some([_compiled(clause, on_leaf, work, now) for clause in clauses], work)
        case Not(clause):
            return _inverse(_compiled(clause, on_leaf, work, now))
        case Constant(matches):
            return lambda _: matches
        case Computed(expression):
            evaluate = compile_expression(expression, work=work, now=now)
            return lambda document: is_true(evaluate(scope_of(document)))
        case JsonSchema(schema):
            return compile_schema(schema, work=work)
        case _:
            assert_never(filter)


def _inverse(holds: Holds) -> Holds:
    return lambda value: not holds(value)


def _every(clauses: list[Holds], work: RequestBudget | None) -> Holds:
    if len(clauses) == 2:
        first, second = clauses
        return lambda value: first(value) and second(value)

    def holds(value: Anything) -> bool:
        for clause in clauses:  # noqa: SIM110 - a loop costs less than a generator, and this is where time goes
            if not clause(value):
                return False
        return True

    return clauses[0] if len(clauses) == 1 else _spending(holds, len(clauses), work)


def _some(clauses: list[Holds], work: RequestBudget | None) -> Holds:
    if len(clauses) == 2:
        first, second = clauses
        return lambda value: first(value) or second(value)

    def holds(value: Anything) -> bool:
        for clause in clauses:  # noqa: SIM110 - as above
            if clause(value):
                return True
        return False

    return clauses[0] if len(clauses) == 1 else _spending(holds, len(clauses), work)


def _spending(holds: Holds, clauses: int, work: RequestBudget | None) -> Holds:
    """Counts the clauses as work where they are many enough that a single document could take long."""
    if work is None or clauses < MANY_CLAUSES:
        return holds

    def counted(value: Anything) -> bool:
        work.spend(clauses)
        return holds(value)

    return counted


MANY_CLAUSES = 64
