"""Weighing what expressions make and what a run holds: how many bytes it takes as JSON.

One rule: every computed value is checked, and counted against the request. Values share what they embed, so a request
of a few lines can name more data than any memory holds; only counting shows it.
"""

from collections.abc import Callable
from typing import TypeAlias

from orjson import JSONEncodeError

from rollbook.documents.codec import encode_json
from rollbook.documents.values import Document, Value
from rollbook.errors import WorkExceeded
from rollbook.language.expressions import checked_result
from rollbook.limits import DEFAULT_LIMITS, RequestBudget

Charge: TypeAlias = Callable[[Value], int]
"""Counts a computed value, and says how many bytes it has counted."""

MEMBER_BYTES = 16
BYTES_A_UNIT = 1024


def charging(work: RequestBudget, *, at: str = "") -> Charge:
    """A function that counts a computed value; it refuses one that is too large, too deep, or no JSON (NaN).

    ``at`` is where the expression stands that makes the values.
    """

    def charge(value: Value) -> int:
        if isinstance(value, (dict, list)):
            weight = weight_of(value)
            if weight is None:
                checked_result(value, at=at)
                raise _too_large(at)
            work.spend(1 + weight // BYTES_A_UNIT)
        elif isinstance(value, str):
            weight = len(value)
        else:
            if isinstance(value, float):
                checked_result(value, at=at)
            return 0
        work.allocate(weight)
        return weight

    return charge


def size_of_document(document: Document) -> int:
    """How many bytes the document is as JSON; refuses (WorkExceeded) one that is larger or deeper than it may be.

    To be asked of documents whose computed values have been charged: they are bounded, so writing them out is safe, and
    much faster than weighing.
    """
    try:
        size_bytes = len(encode_json(document))
    except (JSONEncodeError, RecursionError):
        raise _too_large("") from None
    if size_bytes > DEFAULT_LIMITS.value_bytes_max:
        raise _too_large("")
    return size_bytes


def weight_of(container: dict[str, Value] | list[Value]) -> int | None:
    """About how many bytes the value takes, as if nothing in it were shared.

    None when it is too large or too deep for a document, or holds a number that is no JSON. Does not recurse, and stops
    where it has seen too much.
    """
    most = DEFAULT_LIMITS.value_bytes_max
    weight = 0
    level: list[dict[str, Value] | list[Value]] = [container]
    for _ in range(DEFAULT_LIMITS.body_depth_max):
        following: list[dict[str, Value] | list[Value]] = []
        for holder in level:
            weight += MEMBER_BYTES * len(holder)
            if weight > most:
                return None
            for member in holder.values() if isinstance(holder, dict) else holder:
                # Exact types, because this loop is the price of every computed object; NaN and infinities minus
                # themselves are not zero.
                kind = type(member)
                if kind is str:
                    weight += len(member)  # type: ignore[arg-type]
                elif kind is dict or kind is list:
                    following.append(member)  # type: ignore[arg-type]
                elif kind is float and member - member != 0:  # type: ignore[operator]
                    return None
        if not following:
            return weight if weight <= most else None
        level = following
    return None


def _too_large(at: str) -> WorkExceeded:
    return WorkExceeded("a value is larger or nested more deeply than a document may be", at=at, mongo_code=10334)
