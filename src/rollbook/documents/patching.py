"""The difference of two values as a JSON Patch (RFC 6902): the operations that make the second of the first.

One rule: applied in their order to the first value, the operations give the second, to the letter of JSON (``1`` is not
``1.0``), the order of members included: an added member is the last one of its object, and an object whose members are
in an order that additions and removals don't give is replaced as a whole. Where an array changed, what is the same at
both its ends is left alone, so a node that leaves a list of thousands is one operation.
"""

from operator import eq
from typing import Any, TypeAlias

from rollbook.documents.codec import encode_json
from rollbook.documents.sharing import shared_ends
from rollbook.documents.values import Value
from rollbook.errors import below

Operation: TypeAlias = dict[str, Any]
"""``{"op": "add" | "remove" | "replace", "path": JSON Pointer, "value": ...}``; a removal has no value."""


def patch_between(before: Value, after: Value) -> list[Operation]:
    """The operations that lead from one value to the other; none when they are the same."""
    operations: list[Operation] = []
    _compare(before, after, "", operations)
    return operations


def _compare(before: Value, after: Value, at: str, out: list[Operation]) -> None:
    if _are_same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict) and _keeps_order(before, after):
        out += [_removal(below(at, name)) for name in before if name not in after]
        for name, value in after.items():
            if name in before:
                _compare(before[name], value, below(at, name), out)
            else:
                out.append(_addition(below(at, name), value))
    elif isinstance(before, list) and isinstance(after, list):
        _compare_arrays(before, after, at, out)
    else:
        out.append({"op": "replace", "path": at, "value": after})


def _keeps_order(before: dict[str, Value], after: dict[str, Value]) -> bool:
    """Whether the members of ``after`` are in the order that removals from ``before`` and additions to it give."""
    if before.keys() == after.keys():
        return all(map(eq, before, after))
    kept = [name for name in before if name in after]
    return all(map(eq, kept, after))


def _compare_arrays(before: list[Value], after: list[Value], at: str, out: list[Operation]) -> None:
    shorter = min(len(before), len(after))
    start, end = shared_ends(before, after)
    while start < shorter - end and _are_same(before[start], after[start]):
        start += 1
    while end < shorter - start and _are_same(before[-1 - end], after[-1 - end]):
        end += 1
    for index in range(start, shorter - end):
        _compare(before[index], after[index], below(at, index), out)
    out += [_removal(below(at, index)) for index in range(len(before) - end - 1, shorter - end - 1, -1)]
    out += [_addition(below(at, index), after[index]) for index in range(shorter - end, len(after) - end)]


def _are_same(before: Value, after: Value) -> bool:
    """Whether both are the same JSON. Python alone would take ``true`` for ``1``, and ``1`` for ``1.0``."""
    if before is after:
        return True
    if type(before) is not type(after) or before != after:
        return False
    return not isinstance(before, (dict, list)) or encode_json(before) == encode_json(after)


def _addition(at: str, value: Value) -> Operation:
    return {"op": "add", "path": at, "value": value}


def _removal(at: str) -> Operation:
    return {"op": "remove", "path": at}
