"""What a writer should know about a document that was accepted all the same.

One rule: a warning is one short sentence that names at most a few places; it becomes a line of a reply's head.
"""

from collections.abc import Iterator, Sequence

from rollbook.clusters.findings import Finding, shown
from rollbook.clusters.schema import generic
from rollbook.clusters.totals import Contradiction
from rollbook.documents.paths import dotted

NAMED_MAX = 4
NAME_LENGTH_MAX = 80


def warnings_of_repeated_ids(ids: Sequence[str]) -> Iterator[str]:
    """More than one node has the same id."""
    if ids:
        yield f"more than one node in nodes.nodeData has the id {_few([shown(id) for id in ids])}"


def warnings_of_contradictions(contradictions: Sequence[Contradiction]) -> Iterator[str]:
    """Totals that the writer gave are not the sums over the nodes."""
    if contradictions:
        yield f"totals are kept as given: {_few(list(map(str, contradictions)), separator='; ')}"


def warnings_of_unknown_fields(unknown: Sequence[Finding]) -> Iterator[str]:
    """The document has fields that no schema documents."""
    names = list(dict.fromkeys(dotted(generic(finding.place)) for finding in unknown))
    if names:
        yield f"fields that no schema documents are kept as they are: {_few(names)}"


def _few(names: Sequence[str], *, separator: str = ", ") -> str:
    named = [name if len(name) <= NAME_LENGTH_MAX else name[:NAME_LENGTH_MAX] + "..." for name in names[:NAMED_MAX]]
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    return separator.join(named) + more
