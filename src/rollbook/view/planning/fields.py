"""One operator on one path: what the postings of its node know.

Theory: the keys of a node are the values that an operator meets there, so an operator that holds for strings, numbers,
booleans or null is exact: the union of the postings of the keys it holds for. Three things are not: objects and arrays,
of which the index only knows that they are there; strings too long to be keys; and a missing value in a document whose
path crosses an array, where one element may have it and another not.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from msgspec import Struct, field
from pyroaring import BitMap

from rollbook.documents.values import Value
from rollbook.language.filters.compiling import make_test
from rollbook.language.filters.element import types_named
from rollbook.language.filters.nodes import Field
from rollbook.view.index.columns import SPARSE_SHARE
from rollbook.view.index.keys import (
    ARRAY,
    EMPTY_ARRAY,
    FALSE,
    LONG,
    NESTED,
    NULL,
    OBJECT,
    PRESENT,
    TRUE,
    Key,
    TypeTag,
    scalar_key,
    size_mark,
)
from rollbook.view.index.postings import EMPTY, Posting, bitmap_of, union_of
from rollbook.view.index.ranges import COLUMN_KEYS_MIN, make_column
from rollbook.view.index.resolved_paths import ResolvedPath
from rollbook.view.index.trees import PathIndex
from rollbook.view.planning.answers import NONE, Answer, at_most, exactly
from rollbook.view.planning.patterns import keys_matching
from rollbook.view.planning.planning_budgets import UNBOUNDED, PlanningBudget

KEYS_TESTED_MAX = 20_000
"""At most this number of keys is tested one by one while a plan is awaited."""

KEYS_UNITED_MAX = 50_000
"""The postings of at most this many keys are united."""

APART_MAX = 8
"""At most this number of postings is intersected with the few documents that are left before they are united."""

ELEMENTS_NARROWING_MAX = 256
"""At most this number of elements of an array narrows the documents that may have an equal one."""

OPERANDS_BETWEEN_LOOKS = 1024

NULLABLE = frozenset({"$eq", "$gte", "$lte"})
"""With null as operand these match missing values too."""


class Domain(Struct, frozen=True):
    """The documents, or elements, that an index is about: those alive, and a bound on their numbers.

    ``effort`` is what planning on them may cost.
    """

    live: BitMap
    size: int
    effort: PlanningBudget = field(default_factory=lambda: UNBOUNDED)


def answer_of_field(field: Field, place: ResolvedPath, domain: Domain, within: BitMap) -> Answer:
    """The answer to one operator at one place, among the documents ``within``."""
    return _answer_of_keys(field, place, domain, within).unsure_of(place.unknown())


def _answer_of_keys(field: Field, place: ResolvedPath, domain: Domain, within: BitMap) -> Answer:
    node, operand = place.node, field.operand
    match field.operator:
        case "$eq":
            return _equal(operand, place, domain)
        case "$in" if isinstance(operand, list):
            return _one_of(operand, place, domain, within)
        case "$gt" | "$gte" | "$lt" | "$lte":
            return _range(field.operator, operand, place, domain, within)
        case "$exists":
            return exactly(node.get(PRESENT))
        case "$type":
            return _of_type(operand, node)
        case "$size" if isinstance(operand, (int, float)):
            return exactly(node.get(size_mark(int(operand))))
        case "$regex" if isinstance(operand, str):
            return _matching(operand, field.options, node, domain.effort)
        case "$mod" | "$bitsAllSet" | "$bitsAllClear" | "$bitsAnySet" | "$bitsAnyClear":
            return _holding_for_numbers(field, node)
    return at_most(within)


def matches_missing(field: Field) -> bool:
    """Whether the operator may hold where there is no value."""
    operand = field.operand
    if field.operator in NULLABLE:
        return operand is None
    return field.operator == "$in" and isinstance(operand, list) and None in operand


def _equal(operand: Value, place: ResolvedPath, domain: Domain) -> Answer:
    node = place.node
    if operand is None:
        return _nothing(place, domain)
    if isinstance(operand, dict):
        return at_most(_equal_object(operand, node))
    if isinstance(operand, list):
        return _equal_array(operand, node)
    key = scalar_key(operand, node.text_length_max)
    return at_most(node.get(key)) if isinstance(key, bytes) else exactly(node.get(key))


def _nothing(place: ResolvedPath, domain: Domain) -> Answer:
    """Null, or no value. Where the path crosses an array there may be both a value and none."""
    node, crossing = place.node, place.crossing()
    absent = domain.live - node.get(PRESENT)
    nulls = node.get(NULL)
    if not crossing:
        return exactly(absent | nulls)
    return Answer(absent - crossing | nulls, absent | crossing | nulls)


def _equal_object(operand: dict[str, Value], node: PathIndex) -> BitMap:
    """At least those that match: documents with an object here whose indexed members have the operand's scalars."""
    possible = node.get(OBJECT)
    for name, member in islice(operand.items(), ELEMENTS_NARROWING_MAX):
        child = node.children.get(name)
        if child is not None and child.indexed and not isinstance(member, (dict, list)):
            possible = possible & child.get(scalar_key(member, child.text_length_max))
    return possible


def _equal_array(operand: list[Value], node: PathIndex) -> Answer:
    """Empty arrays have a mark. Others contribute each of their scalars, unless they stand in an array themselves."""
    if not operand:
        return exactly(node.get(EMPTY_ARRAY))
    possible = node.get(ARRAY)
    for element in operand[:ELEMENTS_NARROWING_MAX]:
        if not isinstance(element, (dict, list)):
            possible = possible & node.get(scalar_key(element, node.text_length_max))
    return at_most(possible | node.get(NESTED))


def _one_of(operands: list[Value], place: ResolvedPath, domain: Domain, within: BitMap) -> Answer:
    node, text_length_max = place.node, place.node.text_length_max
    plain: list[Posting] = []
    answer = NONE
    for looks, operand in enumerate(operands, 1):
        if looks % OPERANDS_BETWEEN_LOOKS == 0 and domain.effort.spent():
            return at_most(within)
        if operand.__class__ is str and len(operand) <= text_length_max:
            key: Key | None = operand
        else:
            key = None if operand is None or isinstance(operand, (dict, list)) else scalar_key(operand, text_length_max)
        if key is None or isinstance(key, bytes):
            answer = answer.either(_equal(operand, place, domain))
        elif (posting := node.postings.get(key)) is not None:
            plain.append(posting)
    found = bitmap_of(plain[0]) if len(plain) == 1 else union_of(plain)
    return answer.either(exactly(found)) if answer is not NONE else exactly(found)


def _range(operator: str, operand: Value, place: ResolvedPath, domain: Domain, within: BitMap) -> Answer:
    node = place.node
    match operand:
        case None:
            return _nothing(place, domain) if operator in NULLABLE else NONE
        case bool():
            keys = [mark for mark, truth in ((FALSE, False), (TRUE, True)) if COMPARISONS[operator](truth, operand)]
            return exactly(union_of(_postings(node, keys)))
        case str():
            return _texts_beyond(operator, operand, node)
        case int() | float():
            return exactly(_numbers_beyond(operator, operand, node, domain, within))
        case dict():
            return at_most(node.get(OBJECT))
    return at_most(node.get(ARRAY))


def _texts_beyond(operator: str, bound: str, node: PathIndex) -> Answer:
    texts = list(islice(_beyond(operator, bound, node.ordered_texts()), KEYS_UNITED_MAX + 1))
    if len(texts) > KEYS_UNITED_MAX:
        return at_most(node.get(PRESENT))
    return exactly(union_of(_postings(node, texts))).either(at_most(node.get(LONG)))


def _numbers_beyond(operator: str, bound: float, node: PathIndex, domain: Domain, within: BitMap) -> BitMap:
    column = node.column
    if column is None and not node.without_column and len(node.ordered_numbers()) >= COLUMN_KEYS_MIN:
        column = make_column(node, domain.size)
    if column is not None:
        return column.holding(operator, bound, within)
    postings = _postings(node, _beyond(operator, bound, node.ordered_numbers()))
    if len(postings) == 1:
        return bitmap_of(postings[0])
    if len(postings) <= APART_MAX and len(within) * SPARSE_SHARE < domain.size:
        return BitMap.union(EMPTY, *(bitmap_of(posting) & within for posting in postings))
    return union_of(postings)


def _beyond(operator: str, bound: Any, keys: Any) -> Iterable[Key]:
    walk = keys.after if operator in ("$gt", "$gte") else keys.before
    found: Iterable[Key] = walk(bound, included=operator in NULLABLE)
    return found


def _of_type(operand: Value, node: PathIndex) -> Answer:
    """Types of which a mark knows are exact. Keys do not tell an int from a double, and long strings have none."""
    names = types_named(operand)
    answer = exactly(union_of(_postings(node, [mark for name, marks in TYPE_MARKS if name in names for mark in marks])))
    if names & {"string", "int", "long", "double"}:
        answer = answer.either(at_most(node.get(PRESENT)))
    return answer


def _matching(pattern: str, options: str, node: PathIndex, effort: PlanningBudget) -> Answer:
    texts = keys_matching(pattern, options, node, effort=effort)
    if texts is None:
        return at_most(node.get(PRESENT))
    answer = exactly(union_of(_postings(node, texts)))
    long = node.get(LONG)
    return answer.either(at_most(long)) if long else answer


def _holding_for_numbers(field: Field, node: PathIndex) -> Answer:
    numbers = node.ordered_numbers()
    if len(numbers) > KEYS_TESTED_MAX:
        return at_most(node.get(PRESENT))
    return exactly(union_of(_postings(node, filter(make_test(field), numbers))))


def _postings(node: PathIndex, keys: Iterable[Key]) -> list[Posting]:
    postings = node.postings
    return [posting for key in keys if (posting := postings.get(key)) is not None]


COMPARISONS: dict[str, Callable[[bool, bool], bool]] = {
    "$gt": lambda left, right: left > right,
    "$gte": lambda left, right: left >= right,
    "$lt": lambda left, right: left < right,
    "$lte": lambda left, right: left <= right,
}

TYPE_MARKS: tuple[tuple[str, tuple[TypeTag, ...]], ...] = (
    ("null", (NULL,)),
    ("object", (OBJECT,)),
    ("array", (ARRAY,)),
    ("bool", (TRUE, FALSE)),
)
