"""``arrayFilters``: conditions by the identifier that stands in a path as ``$[identifier]``.

One rule: every field that one array filter names begins with the same identifier, and no two filters share one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from rollbook.documents.paths import Path
from rollbook.documents.values import MISSING, Document, Maybe, Value, type_name
from rollbook.language.filters import Filter, parse_filter
from rollbook.language.updates.operators import Parsing
from rollbook.language.updates.pulling import as_update_refusal

IDENTIFIER = re.compile(r"[a-z][a-zA-Z0-9]*", re.ASCII)


def identifier_in(component: str) -> str | None:
    """The identifier of a component ``$[identifier]``; empty for ``$[]``, which takes every element; else None."""
    if component.startswith("$[") and component.endswith("]"):
        return component[2:-1]
    return None


def parse_array_filters(json: Maybe, parsing: Parsing) -> dict[str, Filter]:
    """The filters by identifier; none when ``json`` is missing."""
    if json is MISSING:
        return {}
    if not isinstance(json, list):
        raise parsing.refused(14, f"arrayFilters is an array of filters, not a value of type {type_name(json)}")
    if len(json) > parsing.limits.array_filters_max:
        raise parsing.refused(9, f"there are more than {parsing.limits.array_filters_max} array filters")
    filters: dict[str, Filter] = {}
    for position, item in enumerate(json):
        identifier, filter = _parse_array_filter(item, parsing.below(position))
        if identifier in filters:
            raise parsing.refused(9, f"two array filters are named {identifier!r}; join them in one", position)
        filters[identifier] = filter
    return filters


def _parse_array_filter(json: Value, parsing: Parsing) -> tuple[str, Filter]:
    if not isinstance(json, dict):
        raise parsing.refused(14, f"an array filter is an object, not a value of type {type_name(json)}")
    with as_update_refusal():
        filter = parse_filter(json, at=parsing.at, limits=parsing.limits)
    identifiers = {dotted.partition(".")[0] for dotted in _fields_of(json, parsing)}
    if len(identifiers) != 1:
        named = " and ".join(sorted(identifiers)) or "none"
        raise parsing.refused(9, f"an array filter names exactly one identifier, and this names {named}")
    identifier = identifiers.pop()
    if not IDENTIFIER.fullmatch(identifier):
        raise parsing.refused(2, f"an identifier is letters and digits after a small letter; {identifier!r} is not")
    return identifier, filter


def _fields_of(filter: Document, parsing: Parsing) -> Iterator[str]:
    for key, operand in filter.items():
        if not key.startswith("$"):
            yield key
        elif key in ("$and", "$or", "$nor") and isinstance(operand, list):
            for clause in operand:
                if isinstance(clause, dict):
                    yield from _fields_of(clause, parsing)
        elif key != "$comment":
            raise parsing.refused(224, f"{key} can't be used in an array filter", key)


def check_identifiers(paths: Iterable[Path], filters: Mapping[str, Filter], parsing: Parsing) -> None:
    """Refuses array filters that no path uses."""
    if not filters:
        return
    used = {identifier_in(component) for path in paths for component in path}
    for position, identifier in enumerate(filters):
        if identifier not in used:
            raise parsing.refused(9, f"no path of the update uses the array filter {identifier!r}", position)
