"""Values that expressions make: how large one may grow, and whether JSON can hold it.

One rule: no container that an expression makes is larger than a document may be, written out. Expressions share what
they embed, so ``["$$a", "$$a"]`` nested sixty times is small in memory and endless in full: who makes a container of
given values calls ``made``, and everything that walks values can trust its size.
"""

from collections.abc import Iterable
from math import isfinite

import orjson

from rollbook.documents.values import Value
from rollbook.errors import ExpressionRefused, WorkExceeded, below
from rollbook.limits import DEFAULT_LIMITS, Work

_SCALAR_BYTES = 8


def made(values: Iterable[object], work: Work) -> None:
    """Count a container that was just made of ``values``; refuses (WorkExceeded) one too large or nested too deep."""
    size = 0
    for value in values:
        if isinstance(value, (dict, list)):
            size += _container_bytes(value)
        elif isinstance(value, str):
            size += len(value)
        else:
            size += _SCALAR_BYTES
        if size > DEFAULT_LIMITS.value_bytes_max:
            raise WorkExceeded("an expression makes a value larger than a document may be", mongo_code=10334)
    work.spend(1 + (size >> 10))


def _container_bytes(value: Value) -> int:
    try:
        return len(orjson.dumps(value))
    except orjson.JSONEncodeError:
        raise WorkExceeded("an expression makes a value that is nested too deeply", mongo_code=15) from None


def checked_result(value: Value, *, at: str = "") -> Value:
    """``value``, checked to be one that JSON can hold; refuses (ExpressionRefused) NaN and the infinities.

    For results that are to be stored or returned; ``at`` is where the expression stands.
    """
    waiting: list[tuple[str, Value]] = [("", value)]
    for path, inner in waiting:
        if isinstance(inner, float) and not isfinite(inner):
            where = f" at {path[1:]} of its result" if path else ""
            raise ExpressionRefused(f"the expression gives {inner}{where}, which JSON can't hold", at=at, mongo_code=2)
        if isinstance(inner, dict):
            waiting += [(below(path, k), v) for k, v in inner.items() if isinstance(v, (float, dict, list))]
        elif isinstance(inner, list):
            waiting += [(below(path, i), v) for i, v in enumerate(inner) if isinstance(v, (float, dict, list))]
    return value
