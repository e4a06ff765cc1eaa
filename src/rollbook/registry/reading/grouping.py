"""Groups with sums, from the index where it has all the numbers, and from columns of what the registry knows.

One rule: both ways give the same groups in the same order, that in which the first of each came.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.codec import decode_stored
from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Document, Value
from rollbook.language.pipelines import Measure, Sums, Tally, leading_sums, leading_tally, stream_pipeline
from rollbook.registry.reading.narrowing import index_at
from rollbook.registry.reading.registry_columns import FieldColumn
from rollbook.registry.reading.requests import Aggregation
from rollbook.registry.reading.scanning import Scan
from rollbook.security.seeing import SeenView
from rollbook.view.cells import Floats
from rollbook.view.groups import Grouped, GroupKey, KeyColumn, group_by_several, group_documents, group_elements
from rollbook.view.index.indexes import Index
from rollbook.view.index.resolved_paths import place_of
from rollbook.view.planning.planning_budgets import effort_from_now
from rollbook.view.planning.plans import Plan
from rollbook.view.selections import Selection
from rollbook.view.tallies import tally_of
from rollbook.view.views import View

GROUPS_AT_ONCE_MAX = 2_000
"""More groups take longer than the event loop may be held."""

AT_ONCE_MAX, BY_SEVERAL_AT_ONCE_MAX = 20_000, 4_000
"""More documents than these are grouped on a thread."""


class Grouping(Struct, frozen=True):
    """Sums over the documents of a selection, from the index that they are in. ``scan`` has the budget.

    ``beside`` are the columns of what the registry knows by which they are grouped.
    """

    sums: Sums
    index: Index
    selection: Selection
    scan: Scan
    beside: Mapping[Path, FieldColumn]

    @property
    def is_quick(self) -> bool:
        """Whether there are few documents and groups, and nothing to be done with them."""
        at_once_max = BY_SEVERAL_AT_ONCE_MAX if self.sums.several else AT_ONCE_MAX
        if len(self.selection) > at_once_max or self.sums.rest.stages:
            return False
        paths = [self.sums.path] if self.sums.path is not None else []
        columns = [column.integers for column in self.beside.values() if len(column.integers)]
        spread = [int(integers.max()) - int(integers.min()) for integers in columns]
        return not _has_many_values(self.index, *paths) and all(each <= GROUPS_AT_ONCE_MAX for each in spread)

    def run(self) -> Sequence[bytes] | None:
        """What comes out of the pipeline, as JSON; None where the index does not have all that it takes.

        What has changed since the selection was made may be counted as it is now, so then it is None too.
        """
        groups = self._groups()
        if groups is None or self.selection.changed():
            return None
        return self.scan.run(self.sums.rest, groups) if self.sums.rest.stages else self.scan.encoded(groups)

    def _groups(self) -> list[Document] | None:
        """What the ``$group`` gives. Elements of arrays have no order in the index: where several groups came first in
        one document, that says which of them was the first."""
        sums, candidates = self.sums, self.selection.candidates
        beside = {path: _key_column(column) for path, column in self.beside.items()}
        if sums.several:
            grouped = group_by_several(self.index, [path for _, path in sums.several], candidates, beside)
        elif not sums.unwound:
            grouped = group_documents(self.index, sums.path, candidates, beside)
        else:
            grouped = group_elements(self.index, sums.unwound, sums.path, candidates)
        found = None if grouped is None else _with_measures(sums, grouped)
        if grouped is None or found is None:
            return None
        counts, first = grouped.counts(), grouped.first_documents()
        there = [place for place in np.argsort(first, kind="stable").tolist() if counts[place]]
        starting = Counter(first[place] for place in there)
        if sums.unwound:
            order = self._order_within({int(first[place]) for place in there if starting[first[place]] > 1})
            there.sort(key=lambda place: (first[place], order.get(_shown(grouped.keys[place], sums), 0)))
        return [found[place] for place in there]

    def _order_within(self, numbers: Set[int]) -> dict[Value, int]:
        """The keys of the groups that come in the documents with these numbers, by the place at which each came."""
        documents = (decode_stored(self.selection.at(number).body) for number in sorted(numbers))
        groups = stream_pipeline(self.sums.stages, documents, work=self.scan.work)
        return {group["_id"]: at for at, group in enumerate(groups)}


def grouping_of(view: View | SeenView, aggregation: Aggregation, plan: Plan, scan: Scan) -> Grouping | None:
    """The grouping that the aggregation begins with, where the indexes and the columns of the registry may give it."""
    sums = leading_sums(aggregation.pipeline)
    if sums is None or not plan.exact or not isinstance(view, View):
        return None
    paths = [path for path in (sums.path, *(path for _, path in sums.several)) if path is not None]
    fields = {path[1]: path[1] for path in paths if len(path) == 2 and path[0] == REGISTRY_FIELD}
    known = scan.facts.columns() if fields else None
    columns = {} if known is None else known.copies(fields)
    if len(columns) < len(fields) or not (sums.measures or fields):
        return None
    beside: dict[Path, FieldColumn] = {(REGISTRY_FIELD, name): column for name, column in columns.items()}
    return Grouping(sums, view.index, view.selection(plan.candidates), scan, beside)


def counts_in_index(
    view: View | SeenView, aggregation: Aggregation, plan: Plan
) -> tuple[Tally, Sequence[tuple[Value, int]]] | None:
    """The counting that the aggregation begins with, and its counts, where the indexes alone can tell them."""
    tally = leading_tally(aggregation.pipeline)
    if tally is None or not plan.exact:
        return None
    index = index_at(view, tally.path)
    if index is None or _has_many_values(index, tally.path):
        return None
    within = index.live if plan.candidates is None else plan.candidates
    counts = tally_of(index.root, tally.path, within, effort=effort_from_now())
    return None if counts is None else (tally, counts)


def _has_many_values(index: Index, *paths: Path) -> bool:
    places = [place for path in paths if (place := place_of(index.root, path)) is not None]
    return any(len(place.node.postings) > GROUPS_AT_ONCE_MAX for place in places)


def _with_measures(sums: Sums, grouped: Grouped) -> list[Document] | None:
    """The group of each key, with its fields."""
    columns: dict[str, list[Value]] = {}
    numbers: dict[tuple[str, ...], Floats | None] = {}
    for measure in sums.measures:
        if measure.operator == "$count":
            columns[measure.name] = grouped.counts().tolist()
            continue
        if measure.path not in numbers:
            numbers[measure.path] = grouped.numbers_at(measure.path)
        known = numbers[measure.path]
        if known is None:
            return None
        columns[measure.name] = _measured(measure, known, grouped)
    return [
        {"_id": _shown(key, sums), **{name: column[place] for name, column in columns.items()}}
        for place, key in enumerate(grouped.keys)
    ]


def _key_column(field: FieldColumn) -> KeyColumn:
    different, places = np.unique(field.integers, return_inverse=True)
    shown = [field.show(each) for each in different.tolist()]
    keys: list[Value] = [value for value in shown if value is not MISSING]
    codes = np.full(len(shown), len(keys), dtype=np.int32)
    codes[[value is not MISSING for value in shown]] = np.arange(len(keys), dtype=np.int32)
    return KeyColumn([*keys, None], codes[places])


def _shown(key: GroupKey, sums: Sums) -> Value:
    if isinstance(key, tuple):
        return {name: text for (name, _), text in zip(sums.several, key, strict=True)}
    return key


def _measured(measure: Measure, numbers: Floats, grouped: Grouped) -> list[Value]:
    """The field of each group: whole numbers, an average, or null where there is no number."""
    groups, known = len(grouped.keys), ~np.isnan(numbers)
    codes, numbers = grouped.codes[known], numbers[known]
    counts = np.bincount(codes, minlength=groups)
    if measure.operator in ("$sum", "$avg"):
        totals = np.bincount(codes, weights=numbers, minlength=groups)
        if measure.operator == "$sum":
            return [int(total) for total in totals.tolist()]
        return [total / count if count else None for total, count in zip(totals.tolist(), counts.tolist(), strict=True)]
    least = measure.operator == "$min"
    ends: NDArray[np.float64] = np.full(groups, np.inf if least else -np.inf)
    (np.minimum if least else np.maximum).at(ends, codes, numbers)
    return [int(end) if count else None for end, count in zip(ends.tolist(), counts.tolist(), strict=True)]
