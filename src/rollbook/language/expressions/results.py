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
    if not isinstance(value, (float, str, dict, list)):
        return value
    bytes_left = limits.value_bytes_max
    level: list[tuple[str, Value]] = [("", value)]
    for _ in range(limits.body_depth_max + 1):
        following: list[tuple[str, Value]] = []
        for path, inner in level:
            if isinstance(inner, float):
                _check_number(inner, path, at)
            elif isinstance(inner, str):
                bytes_left -= len(inner)
            elif isinstance(inner, (dict, list)):
                bytes_left -= ELEMENT_BYTES * len(inner)
                _check_size(bytes_left, at)
                following += _members(path, inner)
        _check_size(bytes_left, at)
        if not following:
            return value
        level = following
    raise WorkExceeded("the expression makes a value that is nested too deeply", at=at, mongo_code=15)


def _members(path: str, container: dict[str, Value] | list[Value]) -> list[tuple[str, Value]]:
    members = container.items() if isinstance(container, dict) else enumerate(container)
    return [(below(path, key), value) for key, value in members if isinstance(value, (float, str, dict, list))]


def _check_number(number: float, path: str, at: str) -> None:
    if not isfinite(number):
        where = f" at {path} of its result" if path else ""
        raise ExpressionRefused(f"the expression gives {number}{where}, which JSON can't hold", at=at, mongo_code=2)


def _check_size(bytes_left: int, at: str) -> None:
    if bytes_left < 0:
        raise WorkExceeded("the expression makes a value larger than a document may be", at=at, mongo_code=10334)
