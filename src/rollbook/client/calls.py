"""Calls: what an operation sends and how its answer is read, as values that know nothing of connections.

One rule: an operation is a function that makes a ``Call``; who sends it, and whether they wait or await, is none of
its concern.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

T = TypeVar("T")

Json: TypeAlias = dict[str, Any]
Headers: TypeAlias = Sequence[tuple[str, str]]
Warn: TypeAlias = Callable[[str], Any]


class Answer(Struct, frozen=True):
    """An answer that has arrived whole. ``headers`` have names in lower case."""

    status: int
    reason: str
    headers: Headers
    body: bytes

    @property
    def is_success(self) -> bool:
        """Whether the registry did what it was asked."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for each, value in self.headers if each == name), None)


class Call(Struct, Generic[T], frozen=True):
    """One request. ``read`` makes a value of the answer to it, or raises the refusal that the answer holds.

    ``repeatable``: sending it twice does what sending it once does, so it may be sent again when no answer came.
    ``read_seconds``: how long each wait for the network may be, where the client's own limit does not fit.
    """

    method: str
    path: str
    read: Callable[[Answer], T]
    parameters: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    repeatable: bool = False
    read_seconds: float | None = None

    @property
    def target(self) -> str:
        """The path and the query string."""
        return f"{self.path}?{urlencode(self.parameters)}" if self.parameters else self.path


class Stream(Struct, Generic[T], frozen=True):
    """A request whose answer is read as it arrives. ``decoder`` makes the state of one reading.

    ``waits``: where the registry refuses all of it for now, it is sent again when the refusal says, as other calls are.
    """

    call: Call[None]
    decoder: "Callable[[], Decoder[T]]"
    waits: bool = False


class Decoder(Generic[T]):
    """Turns the bytes of an answer into values as they come."""

    def feed(self, data: bytes) -> Sequence[T]:
        """The values that are whole now."""
        raise NotImplementedError

    def end(self) -> Sequence[T]:
        """The last values, when the answer has ended. Raises RegistryUnreachable when it ended too early."""
        raise NotImplementedError


def encoded(value: Any) -> bytes:
    """The JSON of a body."""
    return msgspec.json.encode(value)


def path_of(*segments: str) -> str:
    """A path of these segments, each escaped."""
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def parameters_of(**given: Any) -> dict[str, str]:
    """The parameters that are given, as the registry reads them; None is not given."""
    return {name: _text(value) for name, value in given.items() if value is not None}


def headers_of(*, if_match: str | None = None, reason: str | None = None, key: str | None = None) -> dict[str, str]:
    """The headers of a write that are given."""
    given = {"if-match": if_match, "x-reason": None if reason is None else quote(reason), "idempotency-key": key}
    return {name: value for name, value in given.items() if value is not None}


def patch_type_of(patch: Any) -> str:
    """The media type of a patch: a list is a JSON Patch, all else a merge patch or operators."""
    return "application/json-patch+json" if isinstance(patch, list) else "application/json"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return encoded(value).decode()
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
