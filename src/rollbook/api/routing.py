"""Which operation an address and a method mean.

One rule: the path is matched as it was sent, segment by segment, and each segment is decoded by itself. A slash that is
percent-encoded belongs to a name and never parts two segments.

Theory: the paths of all operations make a tree of segments. A word of a path is tried as it is written first, then the
name (``{id}``) that may stand there, then the word that is written with percent-encoded letters. So a cluster whose id
is the word of a route has an address of its own: in ``/clusters/%77atch`` the segment is an id. Only the last segment
may take the rest of an address (``{node_id:path}``), slashes included.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from rollbook.api.declarations import Operation
from rollbook.errors import MethodNotAllowed, RegistryError, RequestRefused, RouteNotFound

SHOWN_LENGTH_MAX = 200

Names: TypeAlias = dict[str, str]
Found: TypeAlias = "tuple[Branch, Names]"


@dataclass(slots=True)
class Branch:
    """What follows a part of a path: words, a name, or a name that takes the rest; and the operations that end here."""

    words: "dict[bytes, Branch]" = field(default_factory=dict)
    name: "tuple[str, Branch] | None" = None
    rest: "tuple[str, Branch] | None" = None
    operations: dict[str, Operation] = field(default_factory=dict)


class Router:
    """Finds operations by address and method. HEAD is answered by the operation of GET."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = Branch()
        for operation in operations:
            branch = self._root
            for segment in operation.path.strip("/").split("/"):
                branch = _grown(branch, segment)
            assert operation.method not in branch.operations, f"{operation.name}: another one has its method and path"
            branch.operations[operation.method] = operation

    def find(self, method: str, raw_path: bytes) -> tuple[Operation, Names]:
        """The operation, and the names in its path.

        Refuses an address that no operation has (RouteNotFound) or that can't be one (RequestRefused), and a method
        that its address does not take (MethodNotAllowed).
        """
        wanted = "GET" if method == "HEAD" else method
        found = None
        for branch, names in self.at(raw_path):
            operation = branch.operations.get(wanted)
            if operation is not None:
                return operation, names
            found = branch
        shown = _shown(raw_path)
        if found is None:
            raise RouteNotFound(
                f"there is nothing at {shown}; clusters are at /clusters and /clusters/{{id}}, and / says what there is"
            )
        raise MethodNotAllowed(f"{shown} takes {self.allowed(raw_path)}, not {method}")

    def at(self, raw_path: bytes) -> Iterator[Found]:
        """Where an address leads, the likeliest first. Refuses (RequestRefused) one that can't be an address."""
        segments = raw_path.rstrip(b"/").removeprefix(b"/").split(b"/")
        yield from _matches(self._root, segments, [_decoded(segment) for segment in segments], 0, {})

    def allowed(self, raw_path: bytes) -> str:
        """The methods that an address takes, for ``Allow``."""
        methods = {method for branch, _ in self.at(raw_path) for method in branch.operations}
        return ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))

    def nearest(self, method: str, raw_path: bytes) -> Operation | None:
        """The operation of an address and a method, else any operation at that address; None where there is none."""
        with suppress(RegistryError):
            return self.find(method, raw_path)[0]
        with suppress(RegistryError):
            return next((each for branch, _ in self.at(raw_path) for each in branch.operations.values()), None)
        return None


def _grown(branch: Branch, segment: str) -> Branch:
    if not segment.startswith("{"):
        return branch.words.setdefault(segment.encode(), Branch())
    name, _, kind = segment[1:-1].partition(":")
    if kind == "path":
        branch.rest = branch.rest or (name, Branch())
        return branch.rest[1]
    branch.name = branch.name or (name, Branch())
    return branch.name[1]


def _matches(
    branch: Branch, written: Sequence[bytes], decoded: Sequence[str], index: int, names: Mapping[str, str]
) -> Iterator[Found]:
    if index == len(written):
        if branch.operations:
            yield branch, dict(names)
        return
    word = branch.words.get(written[index])
    if word is not None:
        yield from _matches(word, written, decoded, index + 1, names)
    if branch.name is not None and written[index]:
        name, following = branch.name
        yield from _matches(following, written, decoded, index + 1, {**names, name: decoded[index]})
    if branch.rest is not None and written[index]:
        name, end = branch.rest
        yield end, {**names, name: "/".join(decoded[index:])}
    if word is None and (encoded := branch.words.get(decoded[index].encode())) is not None:
        yield from _matches(encoded, written, decoded, index + 1, names)


def _decoded(segment: bytes) -> str:
    try:
        text = (unquote_to_bytes(segment) if b"%" in segment else segment).decode()
    except UnicodeDecodeError:
        raise RequestRefused(f"the path is not UTF-8, percent-encoded: {_shown(segment)}") from None
    if text in (".", ".."):
        raise RequestRefused(f"a segment of a path can't be {text!r}: clients and proxies fold such paths")
    return text


def _shown(raw_path: bytes) -> str:
    text = raw_path.decode("ascii", "backslashreplace")
    return text if len(text) <= SHOWN_LENGTH_MAX else text[:SHOWN_LENGTH_MAX] + "..."
