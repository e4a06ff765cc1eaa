"""JSON Patch (RFC 6902): parsing the operations, and doing them in their order, all or none.

One rule: neither the document nor the patch is changed. A container is copied when an operation first changes it, and
later operations change that copy in place, so a patch costs what it touches.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Literal, TypeAlias, cast, get_args

from msgspec import Struct

from rollbook.documents.codec import decode_stored, encode_json
from rollbook.documents.values import MISSING, Maybe, Value
from rollbook.errors import PreconditionFailed, UpdateRefused, below
from rollbook.limits import DEFAULT_LIMITS, Limits, RequestBudget

Name: TypeAlias = Literal["add", "remove", "replace", "move", "copy", "test"]
Pointer: TypeAlias = tuple[str, ...]

FAILED_TO_PARSE, BAD_VALUE = 9, 2
SHIFTED_PER_UNIT = 1000
"""Elements of an array that are moved along in the time of a unit of work."""


class PatchOperation(Struct, frozen=True):
    """One operation. ``source`` is the pointer ``from``; ``at`` is the place of the operation in the request."""

    name: Name
    path: Pointer
    at: str
    value: Maybe = MISSING
    source: Pointer = ()


def parse_json_patch(patch: Value, *, limits: Limits = DEFAULT_LIMITS) -> tuple[PatchOperation, ...]:
    """The operations of a patch. Refuses (UpdateRefused) what RFC 6902 does not allow, and too many operations."""
    if not isinstance(patch, list):
        raise _malformed('a JSON Patch is an array of operations: [{"op", "path", ...}]', "")
    if len(patch) > limits.update_changes_max:
        raise _malformed(f"the patch has {len(patch)} operations; the most is {limits.update_changes_max}", "")
    return tuple(_parsed(operation, below("", index)) for index, operation in enumerate(patch))


def patched(
    document: Value,
    operations: Sequence[PatchOperation],
    *,
    work: RequestBudget | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Value:
    """The value after all operations.

    Refuses an operation that can't be done to it (UpdateRefused) and a test that fails (PreconditionFailed).
    """
    patching = _Patching(document, work or RequestBudget(), limits.value_bytes_max)
    for operation in operations:
        patching.do(operation)
    return patching.document


class _Patching:
    """One application of a patch: the document as it is by now, and the containers that belong to it alone."""

    def __init__(self, document: Value, work: RequestBudget, copied_bytes_max: int) -> None:
        self.document = document
        self._work = work
        self._copied_bytes_left = copied_bytes_max
        self._own: dict[int, Value] = {}

    def do(self, operation: PatchOperation) -> None:
        self._work.spend()
        path, at = operation.path, below(operation.at, "path")
        match operation.name:
            case "test":
                self._test(operation)
            case "remove":
                self._remove(path, at)
            case "move":
                if path != operation.source:
                    value = self._found(operation.source, below(operation.at, "from"))
                    self._remove(operation.source, below(operation.at, "from"))
                    self._add(path, value, at)
            case "copy":
                self._add(path, self._copy(operation), at)
            case "add":
                self._add(path, cast(Value, operation.value), at)
            case "replace":
                self._found(path, at)
                self._replace(path, cast(Value, operation.value), at)

    def _test(self, operation: PatchOperation) -> None:
        found = self._found(operation.path, below(operation.at, "path"))
        if not same_json(found, cast(Value, operation.value)):
            shown = _shown(operation.path)
            problem = f"the test of {shown} fails: the document has another value there, so nothing was changed"
            raise PreconditionFailed(problem, at=operation.at)

    def _copy(self, operation: PatchOperation) -> Value:
        """A copy of its own, so that no later operation changes both."""
        value = self._found(operation.source, below(operation.at, "from"))
        if not isinstance(value, dict | list):
            return value
        body = encode_json(value)
        self._copied_bytes_left -= len(body)
        if self._copied_bytes_left < 0:
            raise UpdateRefused("the copies make the document too large", at=operation.at, mongo_code=10334)
        return decode_stored(body)

    def _found(self, path: Pointer, at: str) -> Value:
        value = self.document
        for depth, key in enumerate(path):
            following = _child(value, key)
            if following is MISSING:
                raise _impossible(f"there is nothing at {_shown(path[: depth + 1])}", at)
            value = following
        return value

    def _holder(self, path: Pointer, at: str) -> Value:
        """The container that holds the last key of a path, ready to be changed."""
        self._found(path[:-1], at)
        self.document = holder = self._owned(self.document)
        for key in path[:-1]:
            child = self._owned(cast(Value, _child(holder, key)))
            _put(holder, key, child)
            holder = child
        if not isinstance(holder, dict | list):
            raise _impossible(f"{_shown(path[:-1])} is no object or array, and can't hold {path[-1]!r}", at)
        return holder

    def _owned(self, value: Value) -> Value:
        if not isinstance(value, dict | list) or id(value) in self._own:
            return value
        self._work.spend(1 + len(value) // SHIFTED_PER_UNIT)
        copy = value.copy()
        self._own[id(copy)] = copy
        return copy

    def _add(self, path: Pointer, value: Value, at: str) -> None:
        if not path:
            self.document = value
            return
        holder, key = self._holder(path, at), path[-1]
        if isinstance(holder, list):
            index = len(holder) if key == "-" else _index(key)
            if index is None or index > len(holder):
                raise _impossible(f"{key!r} is no place in the array of {len(holder)} at {_shown(path[:-1])}", at)
            self._work.spend(1 + (len(holder) - index) // SHIFTED_PER_UNIT)
            holder.insert(index, value)
        else:
            _put(holder, key, value)

    def _replace(self, path: Pointer, value: Value, at: str) -> None:
        if path:
            _put(self._holder(path, at), path[-1], value)
        else:
            self.document = value

    def _remove(self, path: Pointer, at: str) -> None:
        if not path:
            raise _impossible("the whole document can't be removed by a patch", at)
        self._found(path, at)
        holder, key = self._holder(path, at), path[-1]
        if isinstance(holder, list):
            self._work.spend(1 + len(holder) // SHIFTED_PER_UNIT)
            del holder[int(key)]
        elif isinstance(holder, dict):
            del holder[key]


def same_json(left: Value, right: Value) -> bool:
    """Whether two values are equal as RFC 6902 says: numbers by value, objects whatever the order of their members."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    match left, right:
        case dict(), dict():
            return left.keys() == right.keys() and all(same_json(value, right[name]) for name, value in left.items())
        case list(), list():
            return len(left) == len(right) and all(map(same_json, left, right))
    return left == right


def parse_pointer(text: Value, *, at: str) -> Pointer:
    """The keys of a JSON Pointer (RFC 6901). Refuses (UpdateRefused) what is none."""
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise _malformed('a JSON Pointer is a string such as "/gpus/count", or "" for the whole document', at)
    keys = text.split("/")[1:]
    if any(key.replace("~0", "").replace("~1", "").count("~") for key in keys):
        raise _malformed("in a JSON Pointer a tilde is written ~0 and a slash in a name ~1", at)
    return tuple(key.replace("~1", "/").replace("~0", "~") for key in keys)


def _parsed(operation: Value, at: str) -> PatchOperation:
    if not isinstance(operation, dict):
        raise _malformed('an operation is an object: {"op", "path", ...}', at)
    name = operation.get("op")
    if name not in get_args(Name):
        close = get_close_matches(str(name), get_args(Name), n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise _malformed(f"the op is one of {', '.join(get_args(Name))}, not {name!r:.50}{meant}", below(at, "op"))
    for member in MEMBERS[cast(Name, name)]:
        if member not in operation:
            raise _malformed(f"{name} takes {' and '.join(MEMBERS[cast(Name, name)])}; {member!r} is missing", at)
    path = parse_pointer(operation["path"], at=below(at, "path"))
    source: Pointer = ()
    if name in ("move", "copy"):
        source = parse_pointer(operation["from"], at=below(at, "from"))
        if name == "move" and len(source) < len(path) and path[: len(source)] == source:
            raise _malformed("a value can't be moved into itself", below(at, "path"))
    value = operation["value"] if name in ("add", "replace", "test") else MISSING
    return PatchOperation(cast(Name, name), path, at, value, source)


def _child(value: Value, key: str) -> Maybe:
    if isinstance(value, dict):
        return value.get(key, MISSING)
    if isinstance(value, list):
        index = _index(key)
        return value[index] if index is not None and index < len(value) else MISSING
    return MISSING


def _put(holder: Value, key: str, value: Value) -> None:
    if isinstance(holder, dict):
        holder[key] = value
    elif isinstance(holder, list):
        holder[int(key)] = value


def _index(key: str) -> int | None:
    """An index as RFC 6901 writes it: digits without a leading zero."""
    is_index = key.isascii() and key.isdigit() and len(key) < 10 and (key == "0" or key[0] != "0")
    return int(key) if is_index else None


def _shown(path: Pointer) -> str:
    pointer = ""
    for key in path:
        pointer = below(pointer, key)
    return repr(pointer if len(pointer) <= 100 else f"{pointer[:100]}...")


def _malformed(problem: str, at: str) -> UpdateRefused:
    return UpdateRefused(problem, at=at, mongo_code=FAILED_TO_PARSE)


def _impossible(problem: str, at: str) -> UpdateRefused:
    return UpdateRefused(problem, at=at, mongo_code=BAD_VALUE)


MEMBERS: dict[Name, tuple[str, ...]] = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("from", "path"),
    "copy": ("from", "path"),
    "test": ("path", "value"),
}
