"""Results of expressions that are to be stored or returned: whether JSON can hold them.

One rule: nothing that an expression made leaves the language unchecked. Expressions can make NaN and the infinities,
and share what they embed: ``["$$a", "$$a"]`` nested sixty times is small in memory and endless when written out.
"""

from math import isfinite

from rollbook.documents.values import Value
from rollbook.errors import ExpressionRefused, WorkExceeded, below
from rollbook.language.expressions.growth import ELEMENT_BYTES
from rollbook.limits import DEFAULT_LIMITS, Limits


def checked_result(value: Value, *, at: str = "", limits: Limits = DEFAULT_LIMITS) -> Value:
    """``value``, checked: refuses NaN and the infinities (ExpressionRefused), and what is too large or nested too deep.

    ``at`` is where the expression stands. Does not recurse, and stops where it has seen too much.
    """
    bytes_left = limits.value_bytes_max
    level: list[list[Value] | dict[str, Value]] = [[value]]
    for _ in range(limits.body_depth_max + 1):
        following: list[list[Value] | dict[str, Value]] = []
        for container in level:
            bytes_left -= ELEMENT_BYTES * len(container)
            _check_size(bytes_left, at)
            for member in container.values() if isinstance(container, dict) else container:
                if isinstance(member, str):
                    bytes_left -= len(member)
                elif isinstance(member, (dict, list)):
                    following.append(member)
                elif isinstance(member, float) and not isfinite(member):
                    raise _not_json(member, value, at)
        if not following:
            _check_size(bytes_left, at)
            return value
        level = following
    raise WorkExceeded("the expression makes a value that is nested too deeply", at=at, mongo_code=15)


def _check_size(bytes_left: int, at: str) -> None:
    if bytes_left < 0:
        raise WorkExceeded("the expression makes a value larger than a document may be", at=at, mongo_code=10334)


def _not_json(number: float, value: Value, at: str) -> ExpressionRefused:
    where = _path_to(number, value)
    place = f" at {where} of its result" if where else ""
    return ExpressionRefused(f"the expression gives {number}{place}, which JSON can't hold", at=at, mongo_code=2)


def _path_to(sought: float, value: Value) -> str:
    """The JSON Pointer of that very object in ``value``, which is known to hold it."""
    waiting = [("", value)]
    for path, inner in waiting:
        if inner is sought:
            return path
        if isinstance(inner, dict):
            waiting += [(below(path, name), member) for name, member in inner.items()]
        elif isinstance(inner, list):
            waiting += [(below(path, index), element) for index, element in enumerate(inner)]
    return ""
