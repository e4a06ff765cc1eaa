"""The paths of a filter that the schema does not document: a misspelt one finds nothing, and nothing fails.

One rule: what stands below a free-form field is documented with it, and so is what the registry knows (``_registry``).
"""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from itertools import islice

from rollbook.clusters.gpu_aliases import names_gpus
from rollbook.clusters.schema import CLUSTER, REGISTRY_FIELD, Fields, Free, Kind, ListOf, element_kind
from rollbook.documents.codec import shortened
from rollbook.documents.paths import Path, array_index, dotted
from rollbook.language.expressions.reading import paths_read
from rollbook.language.filters import Filter
from rollbook.language.filters.nodes import All, Any, Computed, ElemMatch, Field, Not
from rollbook.security.sights import WHOLE, Sight

HIDDEN_NOTES_MAX = 3
UNDOCUMENTED_MAX = 100
"""Of more undocumented paths in one filter, the first of them are looked at."""


def undocumented_paths(*filters: Filter | None) -> tuple[Path, ...]:
    """The first undocumented paths that the filters ask about, each once, from the document's root."""
    return paths_of(*filters)[1]


def asked_paths(*filters: Filter | None) -> tuple[Path, ...]:
    """The first paths that the filters ask about, each once, from the document's root."""
    return paths_of(*filters)[0]


def paths_of(*filters: Filter | None) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The first paths that the filters ask about, and the first undocumented ones, each once, from the root."""
    paths = dict.fromkeys(path for filter in filters if filter is not None for path in _paths_in(filter, ()) if path)
    unknown = [path for path in paths if not is_documented(path)]
    return tuple(islice(paths, UNDOCUMENTED_MAX)), tuple(unknown[:UNDOCUMENTED_MAX])


def notes_on_hidden(sight: Sight, paths: Collection[Path]) -> list[str]:
    """A note on each of the paths, of at most HIDDEN_NOTES_MAX, that ``sight`` hides in some cluster, or in all."""
    if sight is WHOLE or not any(map(sight.may_hide, paths)):
        return []
    hidden = (path for path in dict.fromkeys(paths) if sight.may_hide(path))
    return [
        f"{shortened(dotted(path))} is not visible to you, or not in every cluster: there it is answered as missing"
        for path in islice(hidden, HIDDEN_NOTES_MAX)
    ]


def is_documented(path: Path) -> bool:
    """Whether the schema documents ``path``, or a free-form field above it, or documents are known to name GPUs."""
    return path[0] == REGISTRY_FIELD or names_gpus(path) or _first_unknown(path) is None


def note_on(path: Path) -> str:
    """What is said about an undocumented path that no cluster has."""
    note = f"{shortened(dotted(path))} is no documented field, and no cluster has it: nothing is found there"
    unknown = _first_unknown(path)
    if unknown is None:
        return note
    place, fields = unknown
    close = get_close_matches(path[place], fields.members, 1) if fields is not None else []
    return f'{note}. Did you mean "{dotted((*path[:place], close[0], *path[place + 1 :]))}"?' if close else note


def _first_unknown(path: Path) -> tuple[int, Fields | None] | None:
    """Which component of the path is not documented, and the object that has no such member; None when all are."""
    kind: Kind | None = CLUSTER
    for place, component in enumerate(path):
        if isinstance(kind, ListOf) and array_index(component) is not None:
            kind = kind.item
            continue
        kind = element_kind(kind)
        if isinstance(kind, Free):
            return None
        if not isinstance(kind, Fields):
            return place, None
        if component not in kind.members:
            return place, kind
        kind = kind.members[component].kind
    return None


def _paths_in(filter: Filter, above: Path) -> Iterator[Path]:
    match filter:
        case Field(path):
            yield above + path
        case ElemMatch(path, clause):
            yield above + path
            yield from _paths_in(clause, above + path)
        case All(clauses) | Any(clauses):
            for clause in clauses:
                yield from _paths_in(clause, above)
        case Not(clause):
            yield from _paths_in(clause, above)
        case Computed(expression):
            yield from paths_read(expression)
