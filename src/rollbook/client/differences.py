"""The difference of two JSON values as a JSON Patch (RFC 6902).

One rule: applied to the first value, the patch makes the second one. Members of objects are compared one by one,
arrays of one length element by element, and other arrays are replaced whole.
"""

from typing import Any

from rollbook.client.calls import Json

OPERATIONS_MAX = 500
"""Where there are more differences than this, the member of the document that holds them is replaced whole."""


def json_patch(before: Json, after: Json) -> list[Json]:
    """The operations that turn the document ``before`` into ``after``; none where they are equal."""
    patch = _object(before, after, "", _compared)
    return patch if len(patch) <= OPERATIONS_MAX else _object(before, after, "", _replaced)


def equal(before: Any, after: Any) -> bool:
    """Whether two JSON values are the same; unlike in Python, 1 is not true."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(equal(before[name], after[name]) for name in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(equal, before, after))
    return isinstance(before, bool) == isinstance(after, bool) and bool(before == after)


def _compared(before: Any, after: Any, at: str) -> list[Json]:
    if isinstance(before, dict) and isinstance(after, dict):
        return _object(before, after, at, _compared)
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [each for place, (old, new) in pairs for each in _compared(old, new, f"{at}/{place}")]
    return _replaced(before, after, at)


def _replaced(before: Any, after: Any, at: str) -> list[Json]:
    return [] if equal(before, after) else [{"op": "replace", "path": at, "value": after}]


def _object(before: Json, after: Json, at: str, member: Any) -> list[Json]:
    patch: list[Json] = [{"op": "remove", "path": f"{at}/{_step(name)}"} for name in before if name not in after]
    for name, value in after.items():
        path = f"{at}/{_step(name)}"
        if name in before:
            patch += member(before[name], value, path)
        else:
            patch.append({"op": "add", "path": path, "value": value})
    return patch


def _step(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
