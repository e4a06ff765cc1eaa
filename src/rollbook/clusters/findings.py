"""What can be found wrong with a document, and the sentence that says so.

One rule: a finding holds facts; words are made only for those that are shown.
"""

from typing import Literal, TypeAlias

import orjson
from msgspec import Struct

from rollbook.clusters.ids import NODE_ID_LENGTH_MAX
from rollbook.clusters.schema import Fields, Flag, Free, Kind, ListOf, NodeId, Number, Text
from rollbook.documents.values import Maybe, Missing
from rollbook.errors import Problem, below

Place: TypeAlias = "tuple[str | int, ...]"
Fault: TypeAlias = Literal["missing", "wrong", "unknown", "repeated"]

SHOWN_LENGTH_MAX = 40


class Finding(Struct, frozen=True):
    """One fault of the value at ``place``, where ``kind`` is documented."""

    place: Place
    fault: Fault
    value: Maybe
    kind: Kind | None
    meaning: str = ""

    def problem(self) -> Problem:
        """The finding as callers see it."""
        return Problem(pointer(self.place), self._sentence())

    def _sentence(self) -> str:
        path = ".".join(map(str, self.place))
        meaning = f" ({self.meaning})" if self.meaning else ""
        match self.fault:
            case "unknown":
                return f"{path} is not a documented field; leave it out, or ask without fieldValidation=strict"
            case "repeated":
                return f"{path} is {shown(self.value)}, which is the id of another node; nodes have ids of their own"
            case "missing" if isinstance(self.value, Missing):
                return f"{path} is missing; expected {expectation(self.kind)}{meaning}"
        return f"{path} is {shown(self.value)}; expected {expectation(self.kind)}{meaning}"


def pointer(place: Place) -> str:
    """The JSON Pointer of a place."""
    at = ""
    for component in place:
        at = below(at, component)
    return at


def expectation(kind: Kind | None) -> str:
    """What belongs to a documented place, in words."""
    match kind:
        case Text(may_be_empty=False):
            return "text that is not empty"
        case Text():
            return "text"
        case NodeId():
            return (
                f"a text of 1 to {NODE_ID_LENGTH_MAX} characters, none of them a control character, with no part "
                'between slashes that is "." or ".."'
            )
        case Number(may_be_negative=True):
            return "a number"
        case Number():
            return "a number of at least 0"
        case Flag():
            return "true or false"
        case ListOf(Text()):
            return "an array of texts"
        case ListOf():
            return "an array of objects"
        case Fields():
            return "an object"
        case Free() | None:
            return "any value"


def shown(value: Maybe) -> str:
    """A value as a sentence shows it: its JSON when that is short."""
    match value:
        case dict():
            return "an object"
        case list():
            return "an array"
        case str():
            short = value if len(value) <= SHOWN_LENGTH_MAX else value[:SHOWN_LENGTH_MAX] + "..."
            return f'"{short}"'
        case float() if value != value or value in (float("inf"), float("-inf")):
            return "not a finite number"
    return orjson.dumps(value).decode()
