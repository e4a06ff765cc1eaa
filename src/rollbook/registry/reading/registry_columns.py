"""What the registry knows beside the documents, of all clusters at once: filters and facets on it need no document.

Theory: each field of ``_registry`` that is one plain value is a column, with a row for each number of the view. What
the view knows (revisions, times, protection) is read again where entries have changed since, what heartbeats say comes
from the columns of leases. A clause is decided once for each different value, and where its operator compares, by the
place at which the verdict turns: values of integers and of times stand in order.

One rule: the same as looking at every document with its ``_registry``. What is not one plain value is left to that.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray
from pyroaring import BitMap

from rollbook.clusters.liveness import ClockReading
from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.values import MISSING, Maybe
from rollbook.language.filters import Filter, compile_filter
from rollbook.language.filters.nodes import All, Field, Not
from rollbook.language.filters.nodes import Any as AnyOf
from rollbook.registry.feed.times import iso_time
from rollbook.registry.liveness.lease_columns import LIVENESSES, LeaseColumns
from rollbook.registry.liveness.leases import Leases
from rollbook.registry.reading.facet_requests import FacetQuery
from rollbook.registry.reading.narrowing import looks_at_registry, on_documents
from rollbook.security.seeing import SeenView
from rollbook.view.facets import Bucket, Facet
from rollbook.view.index.postings import EMPTY, numbers_in
from rollbook.view.planning.plans import Plan
from rollbook.view.views import View

Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Show: TypeAlias = Callable[[int], Maybe]
"""Makes the value that ``_registry`` has of what a column holds."""

SCALARS = (str, int, float, bool)
DIFFERENT_MAX = 256
"""A clause on more different values than these takes long: the documents are looked at, on a thread."""

RISING, FALLING = frozenset({"$gt", "$gte"}), frozenset({"$lt", "$lte"})

OF_ENTRIES: dict[str, tuple[Callable[[Any], int], Show]] = {
    "revision": (attrgetter("revision"), int),
    "createdAt": (attrgetter("created_at_ms"), iso_time),
    "updatedAt": (attrgetter("updated_at_ms"), iso_time),
    "statusSince": (attrgetter("status_since_ms"), iso_time),
    "protected": (attrgetter("protected"), bool),
}
FLAPPING: tuple[Maybe, ...] = (False, True, MISSING)
HIDDEN_BY_SIGHT = "statusSince"
"""What is said of the clusters of which a caller sees the status, and of no others."""


class FieldColumn(Struct, frozen=True):
    """A value for each number of the view: what ``show`` makes of an integer. Values rise with their integers.

    -1 is nothing in a column of codes (int8); other columns hold something everywhere.
    """

    integers: NDArray[Any]
    show: Show


class RegistryColumns:
    """The columns of one registry, brought up to date when they are asked for.

    Called from the thread that applies changes to the view.
    """

    def __init__(self, view: View, leases: Leases) -> None:
        self._view = view
        self._leases = LeaseColumns(view, leases)
        self._by_number: object = None
        self._kept: dict[str, Integers] = {}

    def column(self, name: str, at: ClockReading) -> FieldColumn | None:
        """The column of a field of ``_registry``; None where it is not one plain value."""
        match name:
            case "liveness":
                return FieldColumn(self._leases.livenesses(at), LIVENESSES.__getitem__)
            case "flapping":
                return FieldColumn(self._leases.flapping(at), FLAPPING.__getitem__)
        if name not in OF_ENTRIES:
            return None
        return FieldColumn(self._of_entries(name), OF_ENTRIES[name][1])

    def column_to_show(self, name: str, at: ClockReading) -> FieldColumn | None:
        """Like ``column``, also where nothing stands for null: what is compared has to tell the two apart."""
        if name == "observedAt":
            return FieldColumn(self._leases.observed_at_ms(), lambda at_ms: MISSING if at_ms < 0 else iso_time(at_ms))
        return self.column(name, at)

    def _of_entries(self, name: str) -> Integers:
        view, read = self._view, OF_ENTRIES[name][0]
        self._follow()
        known = self._kept.get(name)
        if known is None:
            known = np.array([0 if entry is None else read(entry) for entry in view.by_number], dtype=np.int64)
            self._kept[name] = known
        return known

    def _follow(self) -> None:
        """Bring what is kept up to date with the entries that have changed."""
        view = self._view
        changed = view.changed_numbers
        if changed is None or self._by_number is not view.by_number:
            self._by_number, self._kept, changed = view.by_number, {}, set()
        view.changed_numbers = set()
        entries = [(number, entry) for number in changed if (entry := view.by_number[number]) is not None]
        for name, known in self._kept.items():
            read, missing = OF_ENTRIES[name][0], len(view.by_number) - len(known)
            column = np.concatenate([known, np.zeros(missing, dtype=np.int64)]) if missing else known
            for number, entry in entries:
                column[number] = read(entry)
            self._kept[name] = column


class ColumnsNow(Struct, frozen=True):
    """The columns at one time. ``narrowed``: for a caller who does not see everything."""

    columns: RegistryColumns
    at: ClockReading
    narrowed: bool = False

    def column(self, name: str) -> FieldColumn | None:
        """As ``RegistryColumns.column``."""
        return None if self.narrowed and name == HIDDEN_BY_SIGHT else self.columns.column(name, self.at)

    def copies(self, fields: Mapping[str, str]) -> dict[str, FieldColumn]:
        """Columns to show of some fields by the names that are given to them, for any thread: they stay as they are."""
        hidden = HIDDEN_BY_SIGHT if self.narrowed else None
        found = {name: self.columns.column_to_show(field, self.at) for name, field in fields.items() if field != hidden}
        return {
            name: replace(column, integers=column.integers.copy())
            for name, column in found.items()
            if column is not None
        }

    def plan(self, view: View | SeenView, filter: Filter) -> Plan:
        """The plan for a filter that looks at ``_registry``: clause by clause, where the columns can tell."""
        documents = view.plan(on_documents(filter))
        clauses = filter.clauses if isinstance(filter, All) else (filter,)
        asked = [clause for clause in clauses if looks_at_registry(clause)]
        known = [found for clause in asked if (found := self.matching(view, clause)) is not None]
        if not known:
            return Plan(documents.candidates)
        among = view.index.live if documents.candidates is None else documents.candidates
        candidates = BitMap.intersection(among, *known)
        if len(known) < len(asked):
            return Plan(candidates)
        return Plan(candidates, documents.exact, EMPTY if documents.exact else documents.certain & candidates)

    def facets(self, asked: FacetQuery, numbers: BitMap) -> dict[str, Facet]:
        """The facets of fields that have columns, among the clusters with these numbers."""
        paths = {facet.name: facet.paths[0] for facet in asked.facets if facet.reads_registry}
        fields = {name: path[1] for name, path in paths.items() if len(path) == 2}
        found = {name: self._facet(field, numbers, values_max=asked.values_max) for name, field in fields.items()}
        return {name: facet for name, facet in found.items() if facet is not None}

    def _facet(self, name: str, numbers: BitMap, *, values_max: int) -> Facet | None:
        column = self.column(name)
        if column is None:
            return None
        integers, counts = np.unique(column.integers[numbers_in(numbers)], return_counts=True)
        there = integers >= 0
        missing, integers, counts = int(counts[~there].sum()), integers[there], counts[there]
        order = np.lexsort((integers, -counts))[:values_max]
        listed = zip(integers[order].tolist(), counts[order].tolist(), strict=True)
        buckets = tuple(Bucket(column.show(integer), count) for integer, count in listed)  # type: ignore[arg-type]
        return Facet(buckets, len(integers), missing, 0)

    def matching(self, view: View | SeenView, filter: Filter) -> BitMap | None:
        """The numbers of the clusters that match, and perhaps of some that are not seen; None: nobody knows."""
        if not looks_at_registry(filter):
            plan = view.plan(filter)
            found = view.index.live if plan.candidates is None else plan.candidates
            return found if plan.exact else None
        match filter:
            case Not(clause):
                matching = self.matching(view, clause)
                return None if matching is None else view.index.live - matching
            case All(clauses) | AnyOf(clauses):
                parts = [self.matching(view, clause) for clause in clauses]
                known = [part for part in parts if part is not None]
                if len(known) < len(parts):
                    return None
                return BitMap.intersection(*known) if isinstance(filter, All) else BitMap.union(*known)
            case Field(path) if len(path) == 2 and path[0] == REGISTRY_FIELD:
                column = self.column(path[1])
                if column is None:
                    return None
                flags = _verdicts(filter, path[1], column)
                return None if flags is None else BitMap(np.flatnonzero(flags).astype(np.uint32)) & view.index.live
        return None


def _verdicts(clause: Field, name: str, column: FieldColumn) -> Flags | None:
    """Whether the value of each number meets a clause; None: too many different values to decide at once."""
    integers = column.integers
    if not len(integers):
        return np.zeros(0, dtype=np.bool_)
    compiled = compile_filter(clause)

    def meets(integer: int) -> bool:
        value = column.show(integer)
        return compiled({REGISTRY_FIELD: {} if value is MISSING else {name: value}})

    if integers.dtype == np.int64 and (flags := _verdicts_in_order(clause, name, column, meets)) is not None:
        return flags
    places: NDArray[np.intp]
    low, high = int(integers.min()), int(integers.max())
    if high - low < DIFFERENT_MAX:
        different, places = np.arange(low, high + 1), integers - low
    else:
        different, places = np.unique(integers, return_inverse=True)
        if len(different) > DIFFERENT_MAX:
            return None
    verdicts: Flags = np.array([meets(integer) for integer in different.tolist()], dtype=np.bool_)
    return verdicts[places]


def _verdicts_in_order(clause: Field, name: str, column: FieldColumn, meets: Callable[[int], bool]) -> Flags | None:
    """The same, where the operator compares with plain values: the verdict turns once."""
    integers, operator, operand = column.integers, clause.operator, clause.operand
    ends = int(integers.min()), int(integers.max())
    if operator in RISING and isinstance(operand, SCALARS):
        return integers >= _first(ends, meets)
    if operator in FALLING and isinstance(operand, SCALARS):
        return integers < _first(ends, lambda integer: not meets(integer))
    values = operand if operator == "$in" else [operand] if operator == "$eq" else None
    if not isinstance(values, list) or not all(isinstance(value, SCALARS) for value in values):
        return None
    flags = np.zeros(len(integers), dtype=np.bool_)
    for value in values:
        least = compile_filter(replace(clause, operator="$gte", operand=value))
        first = _first(ends, lambda integer, least=least: least({REGISTRY_FIELD: {name: column.show(integer)}}))  # type: ignore[misc]
        if meets(first):
            flags |= integers == first
    return flags


def _first(ends: tuple[int, int], is_there: Callable[[int], bool]) -> int:
    """The first integer from the first end to the last for which ``is_there`` holds, or the one behind them."""
    low, high = ends[0], ends[1] + 1
    while low < high:
        middle = (low + high) // 2
        if is_there(middle):
            high = middle
        else:
            low = middle + 1
    return low
