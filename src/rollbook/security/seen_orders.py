"""The first documents in some order, of those that a caller sees, as the caller sees them.

One rule: an order by what is hidden is not read off the index: documents are sorted by what is shown of them.
"""

from collections.abc import Sequence

from pyroaring import BitMap

from rollbook.documents.paths import Path
from rollbook.security.seeing import SeenEntries, SeenView
from rollbook.view import orders
from rollbook.view.entries import Entry
from rollbook.view.views import View


def first_by(
    view: View | SeenView,
    path: Path,
    candidates: BitMap | None,
    count: int,
    *,
    descending: bool,
) -> Sequence[Entry] | None:
    """Like ``orders.first_by``; None also where something of the path is hidden."""
    if view.veil is not None and not view.veil.shows(path):
        return None
    if not isinstance(view, SeenView):
        return orders.first_by(view, path, candidates, count, descending=descending)
    first = orders.first_by(view.whole, path, candidates, count, descending=descending)
    return None if first is None else list(SeenEntries(view, first))
