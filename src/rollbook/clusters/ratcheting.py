"""Which findings an update brings in: those that the stored document did not have already.

One rule: a finding is an old one when the same fault, of the same value, was found at the same place before. Arrays
shift, so a place counts without its indexes: of nodes the one with that id, of other arrays any element; and as often
as it was found before, so the number of findings never grows.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from itertools import islice

from rollbook.clusters.findings import Finding, Place
from rollbook.clusters.nodes import NODE_LIST, node_id, nodes_in
from rollbook.clusters.schema import generic
from rollbook.documents.ordering import sort_key
from rollbook.documents.values import Document

FINDINGS_COMPARED_MAX = 60_000
"""How many old findings are known again: more of them than this, and the rest is taken for new."""


def new_findings(
    before: Document, found_before: Iterable[Finding], after: Document, found_after: Iterable[Finding]
) -> Iterator[Finding]:
    """The findings in ``after`` beyond those in ``before``, which is only asked when there are any."""
    old: Counter[Hashable] | None = None
    for finding in found_after:
        if old is None:
            old = Counter(_identity(known, before) for known in islice(found_before, FINDINGS_COMPARED_MAX))
        identity = _identity(finding, after)
        if old[identity] > 0:
            old[identity] -= 1
        else:
            yield finding


def _identity(finding: Finding, document: Document) -> Hashable:
    return _node_named(finding.place, document), generic(finding.place), finding.fault, sort_key(finding.value)


def _node_named(place: Place, document: Document) -> str | None:
    """The id of the node that a place is in."""
    depth = len(NODE_LIST)
    if place[:depth] != NODE_LIST or len(place) == depth:
        return None
    index = place[depth]
    return node_id(nodes_in(document)[index]) if isinstance(index, int) else None
