"""Who is concerned by a change: an index over the filters of watches.

Theory: most filters can only match a document that holds one of a few values at some path: ``{"regionId": "eu"}`` needs
the region, ``{"id": {"$in": [...]}}`` one of the ids. These (path, value) pairs are the filter's *handles*. A change is
looked up by the values that its two documents hold at the paths of all handles; only the audiences found so, and those
whose filters have no handles, are asked. Handles narrow; the predicate decides.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from rollbook.documents.ordering import SortKey, sort_key
from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value
from rollbook.errors import LanguageRefused
from rollbook.language.filters import Filter, Predicate, compile_filter
from rollbook.language.filters.nodes import All, Any, Field
from rollbook.limits import Work
from rollbook.registry.occurrences import Occurrence

Member = TypeVar("Member")
Handle: TypeAlias = tuple[Path, SortKey]

HANDLES_MAX = 1000
MATCH_SECONDS_MAX = 0.05
MATCH_BYTES_MAX = 16 * 1024 * 1024


@dataclass(eq=False)
class Audience(Generic[Member]):
    """All who watch with one filter. ``failed`` says why its filter could not be evaluated, once that happened."""

    filter: Filter
    members: list[Member] = field(default_factory=list)
    failed: LanguageRefused | None = None

    def __post_init__(self) -> None:
        self._work = Work()
        self._predicate: Predicate = compile_filter(self.filter, work=self._work)

    def matches(self, document: Document) -> bool:
        """Whether the filter matches; a filter that fails or takes too long on a document does not, and is marked."""
        self._work.deadline = time.monotonic() + MATCH_SECONDS_MAX
        self._work.bytes_left = MATCH_BYTES_MAX
        try:
            return self._predicate(document)
        except LanguageRefused as failure:
            self.failed = failure
            return False


class Audiences(Generic[Member]):
    """The audiences of all watches, found by filter or by change."""

    def __init__(self) -> None:
        self._by_filter: dict[str, Audience[Member]] = {}
        self._by_handle: dict[Path, dict[SortKey, set[Audience[Member]]]] = defaultdict(dict)
        self._without_handles: set[Audience[Member]] = set()
        self._members = 0

    def __len__(self) -> int:
        return self._members

    def join(self, filter: Filter, member: Member) -> Audience[Member]:
        """Add a member to the audience of ``filter``."""
        name = repr(filter)
        audience = self._by_filter.get(name)
        if audience is None:
            audience = self._by_filter[name] = Audience(filter)
            for interested in self._places_of(audience):
                interested.add(audience)
        audience.members.append(member)
        self._members += 1
        return audience

    def leave(self, audience: Audience[Member], member: Member) -> None:
        """Take a member out; the last one takes the audience with it."""
        audience.members.remove(member)
        self._members -= 1
        if not audience.members:
            del self._by_filter[repr(audience.filter)]
            for interested in self._places_of(audience):
                interested.discard(audience)
            self._forget_empty(audience)

    def members(self) -> Iterator[Member]:
        """Every member of every audience."""
        return (member for audience in self._by_filter.values() for member in audience.members)

    def concerned_by(self, occurrence: Occurrence) -> set[Audience[Member]]:
        """The audiences that the change may matter to."""
        concerned = set(self._without_handles)
        for path, by_value in self._by_handle.items():
            for document in (occurrence.before, occurrence.after):
                if document is not None:
                    for key in keys_at(document, path):
                        concerned |= by_value.get(key, set())
        return concerned

    def _places_of(self, audience: Audience[Member]) -> list[set[Audience[Member]]]:
        handles = handles_of(audience.filter)
        if handles is None or len(handles) > HANDLES_MAX:
            return [self._without_handles]
        return [self._by_handle[path].setdefault(key, set()) for path, key in handles]

    def _forget_empty(self, audience: Audience[Member]) -> None:
        for path, key in handles_of(audience.filter) or []:
            by_value = self._by_handle.get(path, {})
            if key in by_value and not by_value[key]:
                del by_value[key]
            if not by_value:
                self._by_handle.pop(path, None)


def handles_of(filter: Filter) -> list[Handle] | None:
    """The (path, value) pairs of which a matching document holds one; None when the filter does not say."""
    match filter:
        case Field(path, "$eq", operand) if is_scalar(operand):
            return [(path, sort_key(operand))]
        case Field(path, "$in", list() as operands) if all(map(is_scalar, operands)):
            return [(path, sort_key(operand)) for operand in operands]
        case All(clauses):
            known = [handles for clause in clauses if (handles := handles_of(clause)) is not None]
            return min(known, key=len, default=None)
        case Any(clauses):
            each = [handles_of(clause) for clause in clauses]
            return None if None in each else [handle for handles in each for handle in handles or []]
    return None


def is_scalar(value: Value) -> bool:
    """Whether only the value itself can equal it: no null (missing equals it), no container."""
    return isinstance(value, (str, int, float, bool))


def keys_at(value: Value, path: Path) -> Iterator[SortKey]:
    """The sort keys of every scalar that a filter's path can reach, through arrays and by their indexes."""
    if isinstance(value, list):
        if path and path[0].isdecimal() and int(path[0]) < len(value):
            yield from keys_at(value[int(path[0])], path[1:])
        for element in value:
            if isinstance(element, dict) or not path:
                yield from keys_at(element, path)
    elif not path:
        if is_scalar(value):
            yield sort_key(value)
    elif isinstance(value, dict) and path[0] in value:
        yield from keys_at(value[path[0]], path[1:])
