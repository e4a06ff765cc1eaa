"""The first documents in some order: that of their creation, or that of the values at one path, as of now.

One rule: each call is about one moment, so all of it happens on the thread that applies changes to the view.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.view.entries import Entry
from rollbook.view.planning.planning_budgets import effort_from_now
from rollbook.view.sorting import SortPosition, first_numbers, is_quicker_than_sorting
from rollbook.view.views import View


def first_by(
    view: View,
    path: Path,
    candidates: BitMap | None,
    count: int,
    *,
    descending: bool,
    behind: SortPosition | None = None,
    until: int | None = None,
) -> Sequence[Entry] | None:
    """The first ``count`` candidates (None: all documents) in the order of ``path`` and then of creation.

    Those after the place ``behind``, and of them those that have not changed since the revision ``until``, where these
    are given. None: the index does not know, or sorting the candidates is likely to be quicker.
    """
    within = view.index.live if candidates is None else candidates
    if not is_quicker_than_sorting(view.index.root, path, within, count):
        return None
    numbers = first_numbers(
        view.index.root,
        path,
        within,
        count,
        descending=descending,
        behind=behind,
        counts=None if until is None else _standing_since(view, until),
        effort=effort_from_now(),
    )
    return None if numbers is None else _entries_at(view, numbers)


def first_created(
    view: View, candidates: BitMap | None, count: int, *, behind: int | None = None, until: int | None = None
) -> Sequence[Entry]:
    """The first ``count`` candidates (None: all documents) in order of creation.

    Those with a greater number than ``behind``, and of them those that have not changed since the revision ``until``,
    where these are given.
    """
    within = view.index.live if candidates is None else candidates & view.index.live
    start = 0 if behind is None or behind < 0 else within.rank(behind)
    if until is None:
        return _entries_at(view, within[start : start + count])
    return _entries_at(view, islice(filter(_standing_since(view, until), within[start:]), count))


def last_created(view: View, revision: int) -> int:
    """The number of the last document that was created at this revision or before it; -1 when there is none."""
    live = view.index.live
    place = bisect_right(range(len(live)), revision, key=lambda at: _entry_at(view, live[at]).created_revision)
    return live[place - 1] if place else -1


def created_after(view: View, candidates: BitMap | None, revision: int) -> BitMap:
    """The candidates (None: all documents) that were created after this revision."""
    within: BitMap = view.index.live.copy() if candidates is None else candidates & view.index.live
    within.remove_range(0, last_created(view, revision) + 1)
    return within


def _standing_since(view: View, revision: int) -> Callable[[int], bool]:
    return lambda number: _entry_at(view, number).revision <= revision


def _entry_at(view: View, number: int) -> Entry:
    entry = view.by_number[number]
    assert entry is not None, "the number is that of a live document"
    return entry


def _entries_at(view: View, numbers: Iterable[int]) -> Sequence[Entry]:
    return [_entry_at(view, number) for number in numbers]
