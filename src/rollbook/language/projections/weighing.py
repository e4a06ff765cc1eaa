"""Weighing what expressions make, before it joins a document: how many bytes it would take as JSON.

One rule: every computed value is counted against the request. Values share what they embed, so a request of a few lines
can name more data than any memory holds; only counting shows it.
"""

from collections.abc import Callable
from math import isfinite
from typing import TypeAlias

from rollbook.documents.values import Value
from rollbook.language.expressions import checked_result
from rollbook.limits import DEFAULT_LIMITS, Work

Charge: TypeAlias = Callable[[Value], None]

SCALAR_BYTES = 8


def charging(work: Work, *, at: str = "") -> Charge:
    """A function that counts a computed value; it refuses one that is too large, too deep, or no JSON (NaN).

    ``at`` is where the expression stands that makes the values.
    """
    allocate, spend = work.allocate, work.spend

    def charge(value: Value) -> None:
        kind = type(value)
        if kind is str:
            allocate(len(value))  # type: ignore[arg-type]
        elif kind is float or kind is dict or kind is list:
            weight = weight_of(value)
            if weight is None:
                checked_result(value, at=at)
                weight = DEFAULT_LIMITS.value_bytes_max
            allocate(weight)
            spend(1 + weight // 1024)

    return charge


def weight_of(value: Value) -> int | None:
    """About how many bytes ``value`` takes; None when it is too large or too deep for a value, or holds no JSON."""
    most = DEFAULT_LIMITS.value_bytes_max
    weight = 0
    level = [value]
    for _ in range(DEFAULT_LIMITS.body_depth_max + 1):
        following: list[Value] = []
        for item in level:
            if isinstance(item, str):
                weight += len(item) + SCALAR_BYTES
            elif isinstance(item, dict):
                weight += sum(map(len, item)) + SCALAR_BYTES * len(item)
                following.extend(item.values())
            elif isinstance(item, list):
                weight += SCALAR_BYTES * len(item)
                following.extend(item)
            elif isinstance(item, float) and not isfinite(item):
                return None
            if weight > most:
                return None
        if not following:
            return weight
        level = following
    return None
