"""MongoDB's total order over values, and equality as that order sees it.

Null and missing come first, then numbers, strings, objects, arrays, booleans. ``sort_key`` maps a value to something
Python compares in that order and hashes by that equality: ``1`` equals ``1.0``, ``true`` equals no number, objects are
equal only with their fields in the same order.

Theory: a key is ``(rank, payload)``, so payloads of different types never meet. Strings compare by code point, which is
their order as UTF-8. An object compares field by field: type, then name, then value; an array element by element; both
as tuples do, the shorter first. NaN, which only expressions can make, is less than every number.
"""

from typing import Any, TypeAlias

from rollbook.documents.values import Maybe

SortKey: TypeAlias = tuple[Any, ...]

RANK_MISSING, RANK_NULL, RANK_NAN, RANK_NUMBER, RANK_STRING, RANK_OBJECT, RANK_ARRAY, RANK_BOOL = range(8)

MISSING_KEY: SortKey = (RANK_MISSING, 0)
NULL_KEY: SortKey = (RANK_NULL, 0)
NAN_KEY: SortKey = (RANK_NAN, 0)


def sort_key(value: Maybe) -> SortKey:
    """The place of ``value`` in MongoDB's order; equal keys mean equal values. Hashable."""
    # By class and not by match: this is called for every value of a sort, an index or a list of values.
    kind = value.__class__
    if kind is str:
        return (RANK_STRING, value)
    if kind is int:
        return (RANK_NUMBER, value)
    if kind is float:
        return (RANK_NUMBER, value) if value == value else NAN_KEY
    if value is None:
        return NULL_KEY
    if kind is bool:
        return (RANK_BOOL, value)
    if isinstance(value, dict):
        return (RANK_OBJECT, tuple([_field_key(name, member) for name, member in value.items()]))
    if isinstance(value, list):
        return (RANK_ARRAY, tuple([sort_key(element) for element in value]))
    return (RANK_NUMBER, value) if isinstance(value, int) else MISSING_KEY


def _field_key(name: str, member: Maybe) -> SortKey:
    rank, payload = sort_key(member)
    return (rank, name, payload)


def compare(left: Maybe, right: Maybe) -> int:
    """-1, 0 or 1: where ``left`` stands to ``right`` in MongoDB's order."""
    left_key, right_key = sort_key(left), sort_key(right)
    return (left_key > right_key) - (left_key < right_key)


def equal(left: Maybe, right: Maybe) -> bool:
    """Whether MongoDB holds the two values equal."""
    if isinstance(left, str) or isinstance(right, str):
        return left == right
    return sort_key(left) == sort_key(right)


def bracket(value: Maybe) -> int:
    """The type bracket: ``$gt`` and its kin compare only values of one bracket. NaN is in the numbers' bracket."""
    rank: int = (
        sort_key(value)[0]
        if not isinstance(value, (dict, list))
        else (RANK_OBJECT if isinstance(value, dict) else RANK_ARRAY)
    )
    return RANK_NUMBER if rank == RANK_NAN else rank
