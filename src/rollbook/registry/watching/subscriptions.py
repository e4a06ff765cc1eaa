"""Who is concerned by a change: an index over the filters of watches.

Theory: watches with the same filter and the same sight share a subscription, which is asked once for all its members.
Subscriptions are entered under the index bounds of their filters (``index_bounds``): a value under itself, a bound in
order of bounds. A change is looked up by what its documents hold at the paths of all bounds; only the subscriptions
found so, and those whose filters have no bounds, are asked whether they match.
"""

import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from msgspec import Struct, field

from rollbook.documents.ordering import SortKey
from rollbook.documents.paths import Path, array_index
from rollbook.documents.values import Document
from rollbook.language.filters import Filter, Predicate, compile_filter
from rollbook.language.filters.costs import is_cheap
from rollbook.limits import RequestBudget
from rollbook.registry.feed.change_events import ChangeEvent, Name
from rollbook.registry.watching.index_bounds import IndexBound, index_bounds_of, keys_at
from rollbook.security.sights import WHOLE, Sight

Member = TypeVar("Member")

BOUNDS_MAX = 1000
MATCH_SECONDS_MAX = 0.05
MATCH_BYTES_MAX = 16 * 1024 * 1024


class Subscription(Struct, Generic[Member], eq=False, dict=True):
    """All who watch with one filter and one sight. ``seconds``: how long evaluating it took lately."""

    filter: Filter
    sight: Sight = WHOLE
    members: list[Member] = field(default_factory=list)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.name = repr(self.filter), self.sight
        self.bounds = index_bounds_of(self.filter)
        if self.sight is not WHOLE and any(map(_names_a_position, self.bounds or ())):
            self.bounds = None  # where elements are hidden, the others have other positions
        # What shares the machine with other threads is judged by its own CPU time, which costs more to ask for.
        self._clock = time.monotonic if is_cheap(self.filter) else time.thread_time
        self._work = RequestBudget(clock=self._clock)
        self._predicate: Predicate = compile_filter(self.filter, work=self._work)

    def seen(self, event: ChangeEvent) -> ChangeEvent | None:
        """The change as the members see it; None when they see nothing of it."""
        return event.seen_by(self.sight)

    def name_of(self, event: ChangeEvent) -> Name | None:
        """What a change is to the members. Refuses (LanguageRefused) what can't be evaluated."""
        seen = self.seen(event)
        return None if seen is None else seen.name_for(self.matches)

    def matches(self, document: Document) -> bool:
        """Whether the filter matches. Refuses (LanguageRefused) what can't be evaluated, or takes too long."""
        self._work.deadline = self._clock() + MATCH_SECONDS_MAX
        self._work.bytes_left = MATCH_BYTES_MAX
        return self._predicate(document)


class SubscriptionIndex(Generic[Member]):
    """The subscriptions of all watches, found by filter or by change."""

    def __init__(self) -> None:
        self._by_filter: dict[tuple[str, Sight], Subscription[Member]] = {}
        self._at: dict[Path, _Place[Member]] = {}
        self._without_bounds: set[Subscription[Member]] = set()
        self._members = 0

    def __len__(self) -> int:
        return self._members

    def __iter__(self) -> Iterator[Subscription[Member]]:
        return iter(self._by_filter.values())

    def join(self, filter: Filter, member: Member, sight: Sight = WHOLE) -> Subscription[Member]:
        """Add a member to the subscription of ``filter`` that sees documents by ``sight``."""
        joined = Subscription[Member](filter, sight)
        subscription = self._by_filter.setdefault(joined.name, joined)
        if subscription is joined:
            self._enter(subscription)
        subscription.members.append(member)
        self._members += 1
        return subscription

    def leave(self, subscription: Subscription[Member], member: Member) -> None:
        """Take a member out; the last one takes the subscription with it."""
        subscription.members.remove(member)
        self._members -= 1
        if not subscription.members:
            del self._by_filter[subscription.name]
            self._strike(subscription)

    def members(self) -> Iterator[Member]:
        """Every member of every subscription."""
        return (member for subscription in self._by_filter.values() for member in subscription.members)

    def concerned_by(self, documents: Iterable[Document]) -> set[Subscription[Member]]:
        """The subscriptions whose filters may match one of the documents."""
        concerned = set(self._without_bounds)
        if self._at:
            documents = list(documents)
            for path, place in self._at.items():
                place.add_concerned({key for document in documents for key in keys_at(document, path)}, concerned)
        return concerned

    def _enter(self, subscription: Subscription[Member]) -> None:
        if subscription.bounds is None or len(subscription.bounds) > BOUNDS_MAX:
            self._without_bounds.add(subscription)
            return
        for bound in subscription.bounds:
            self._at.setdefault(bound.path, _Place()).enter(bound, subscription)

    def _strike(self, subscription: Subscription[Member]) -> None:
        self._without_bounds.discard(subscription)
        for bound in subscription.bounds or []:
            place = self._at.get(bound.path)
            if place is not None and place.strike(bound, subscription):
                del self._at[bound.path]


def _names_a_position(bound: IndexBound) -> bool:
    return any(array_index(name) is not None for name in bound.path)


class _Place(Generic[Member]):
    """The subscriptions with bounds at one path."""

    def __init__(self) -> None:
        self._equal: dict[SortKey, set[Subscription[Member]]] = {}
        self._at_least: _Bounds[Member] = _Bounds()
        self._at_most: _Bounds[Member] = _Bounds()

    def enter(self, bound: IndexBound, subscription: Subscription[Member]) -> None:
        match bound.relation:
            case "equal":
                self._equal.setdefault(bound.key, set()).add(subscription)
            case "at least":
                self._at_least.enter(bound.key, subscription)
            case "at most":
                self._at_most.enter(bound.key, subscription)

    def strike(self, bound: IndexBound, subscription: Subscription[Member]) -> bool:
        """Take one out; whether nobody is left."""
        if bound.relation == "equal":
            interested = self._equal.get(bound.key, set())
            interested.discard(subscription)
            if not interested:
                self._equal.pop(bound.key, None)
        else:
            (self._at_least if bound.relation == "at least" else self._at_most).strike(bound.key, subscription)
        return not (self._equal or self._at_least.keys or self._at_most.keys)

    def add_concerned(self, keys: set[SortKey], concerned: set[Subscription[Member]]) -> None:
        for key in keys:
            if key in self._equal:
                concerned |= self._equal[key]
        if self._at_least.keys or self._at_most.keys:
            for rank in {key[0] for key in keys}:
                of_type = [key for key in keys if key[0] == rank]
                self._at_least.add_between((rank,), max(of_type), concerned)
                self._at_most.add_between(min(of_type), (rank + 1,), concerned)


class _Bounds(Generic[Member]):
    """Subscriptions by the bounds of their ranges, in order."""

    def __init__(self) -> None:
        self.keys: list[SortKey] = []
        self._by_key: dict[SortKey, set[Subscription[Member]]] = {}

    def enter(self, key: SortKey, subscription: Subscription[Member]) -> None:
        if key not in self._by_key:
            insort(self.keys, key)
        self._by_key.setdefault(key, set()).add(subscription)

    def strike(self, key: SortKey, subscription: Subscription[Member]) -> None:
        interested = self._by_key.get(key, set())
        interested.discard(subscription)
        if key in self._by_key and not interested:
            del self._by_key[key]
            del self.keys[bisect_left(self.keys, key)]

    def add_between(self, least: SortKey, most: SortKey, concerned: set[Subscription[Member]]) -> None:
        for key in self.keys[bisect_left(self.keys, least) : bisect_right(self.keys, most)]:
            concerned |= self._by_key[key]
