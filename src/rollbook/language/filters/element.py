"""Element: ``$exists $type``, about whether there is a value and which.

One rule: the types are MongoDB's. Those that JSON does not have (dates, binary data) are known by name and number, and
no value is of them.
"""

from typing import TypeGuard

from rollbook.documents.values import MISSING, TYPE_NUMBERS, Maybe, Value, is_number, type_name
from rollbook.language.filters.nodes import Field, Filter, Not
from rollbook.language.filters.operators import Fault, FilterForm, Operator, Test, described
from rollbook.language.filters.sites import FAILED_TO_PARSE, TYPE_MISMATCH, Site

NUMBER_TYPES = frozenset({"int", "long", "double"})

TYPES_BEYOND_JSON = {
    "minKey": -1,
    "binData": 5,
    "undefined": 6,
    "objectId": 7,
    "date": 9,
    "regex": 11,
    "dbPointer": 12,
    "javascript": 13,
    "symbol": 14,
    "javascriptWithScope": 15,
    "timestamp": 17,
    "decimal": 19,
    "maxKey": 127,
}

NAMES_BY_NUMBER = {number: name for name, number in (TYPE_NUMBERS | TYPES_BEYOND_JSON).items()}

TYPE_NAMES = frozenset(NAMES_BY_NUMBER.values()) | {"number"}


def exists(_: Value) -> Test:
    """Matches documents that have the field, even when it is null; with false, documents that have not."""
    return is_there


def is_there(value: Maybe) -> bool:
    """Whether there is a value."""
    return value is not MISSING


def existence(operand: Value, site: Site) -> Filter:
    """Matches documents that have the field, even when it is null; with false, documents that have not."""
    there = Field(site.path, "$exists", True, at=site.at)
    return there if operand not in (None, False, 0) else Not(there)


def of_type(operand: Value) -> Test:
    """Matches values of the type, given by name or number, or of any type in a list; "number" is all of them."""
    names = types_named(operand)
    return lambda value: type_name(value) in names


def types_named(operand: Value) -> frozenset[str]:
    """The names of the types that a faultless operand of ``$type`` names."""
    kinds = operand if isinstance(operand, list) else [operand]
    names = {kind if isinstance(kind, str) else NAMES_BY_NUMBER[int(kind)] for kind in kinds if _names_a_kind(kind)}
    return frozenset(names - {"number"} | (NUMBER_TYPES if "number" in names else set()))


def not_types(operand: Value) -> Fault | None:
    """``$type`` takes the name or number of a type, or a list of them."""
    if operand == []:
        return Fault("takes at least one type", FAILED_TO_PARSE)
    if not isinstance(operand, list):
        return _not_a_type(operand)
    for position, kind in enumerate(operand):
        if fault := _not_a_type(kind):
            return Fault(fault.problem, fault.mongo_code, position)
    return None


def _names_a_kind(kind: Value) -> TypeGuard[str | int | float]:
    return isinstance(kind, str) or is_number(kind)


def _not_a_type(kind: Value) -> Fault | None:
    if not _names_a_kind(kind):
        return Fault(f"takes the name or the number of a type; it got {described(kind)}", TYPE_MISMATCH)
    if kind in TYPE_NAMES or kind in NAMES_BY_NUMBER:
        return None
    return Fault(f"knows no type {described(kind)}: the types of JSON are {', '.join(TYPE_NUMBERS)}")


OPERATORS = (
    Operator("$exists", exists, whole=True),
    Operator("$type", of_type, problem_with=not_types),
)

FORMS = (FilterForm("$exists", existence),)
