"""The fields of ``_registry``: what the registry knows about a cluster beside its document.

One rule: requests use these names, and a name that is none of them is refused, for it would
silently match nothing.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.codec import shortened
from rollbook.documents.paths import Path
from rollbook.documents.values import Value
from rollbook.errors import LanguageRefused, below

BAD_VALUE = 2


class RegistryField(NamedTuple):
    """A field of ``_registry``: its types in JSON Schema (none: any), and its meaning."""

    types: tuple[str, ...]
    meaning: str


STORED: Mapping[str, RegistryField] = {
    "revision": RegistryField(("integer",), "revision of the change that made the cluster what it is"),
    "createdAt": RegistryField(("string",), "when the cluster was created (ISO 8601, UTC, as all times)"),
    "updatedAt": RegistryField(("string",), "when it last changed"),
    "statusSince": RegistryField(("string",), "when it was given the `status` that it has"),
    "protected": RegistryField(("boolean",), "whether it can't be deleted"),
}
"""Known of every revision."""

OF_LEASES: Mapping[str, RegistryField] = {
    "liveness": RegistryField(("string",), "what its heartbeats say: `alive`, `late`, `silent` or `unknown`"),
    "observedAt": RegistryField(("string", "null"), "when the last heartbeat was heard; null when none was"),
    "ageSeconds": RegistryField(("number", "null"), "how long ago that was; null when none was"),
    "ttlSeconds": RegistryField(("integer",), "the length of its lease; absent when no heartbeat was heard"),
    "turns": RegistryField(("integer",), "how often it fell silent or came back in the last ten minutes"),
    "flapping": RegistryField(("boolean",), "whether that is four times or more"),
    "formerStatus": RegistryField((), "the `status` over which the registry wrote that it is unreachable"),
    "nodes": RegistryField(("array",), "the nodes that heartbeats named: `id`, `liveness`, `observedAt`, `ageSeconds`"),
}
"""Known of the present only: what heartbeats say is not part of the history."""

STORED_FIELDS, LEASE_FIELDS = tuple(STORED), tuple(OF_LEASES)

NODE_FIELDS: tuple[str, ...] = ("id", "liveness", "observedAt", "ageSeconds")

FIELDS: tuple[str, ...] = (*STORED_FIELDS, *LEASE_FIELDS)

SEARCHED = frozenset((str, list, dict))
IN_EXPRESSION = re.compile(rf"\$(?:\$(?:ROOT|CURRENT)\.)?{REGISTRY_FIELD}(?:\.|$)")


def names_registry(json: Value) -> bool:
    """Whether a request names ``_registry`` anywhere: as a path, or as a field path of an expression."""
    return _may_name_registry(json) and next(registry_paths_in(json), None) is not None


def registry_paths_in(json: Value, at: str = "") -> Iterator[tuple[Path, str]]:
    """Every path below ``_registry`` that a request names (empty: ``_registry`` itself), and where it stands.

    A string that is no field path (``"$_registry.revision"``) may be a name or a value, so its path stays open.
    """
    if isinstance(json, str):
        if (path := _path_in(json)) is not None:
            yield path if json.startswith("$") else (), at
    elif isinstance(json, list):
        for place, element in enumerate(json):
            if isinstance(element, (str, list, dict)):
                yield from registry_paths_in(element, below(at, place))
    elif isinstance(json, dict):
        for name, member in json.items():
            if name.startswith(REGISTRY_FIELD) and (path := _path_in(name)) is not None:
                yield path, below(at, name)
            if isinstance(member, (str, list, dict)):
                yield from registry_paths_in(member, below(at, name))


def registry_fields_in(json: Value, refusal: type[LanguageRefused], *, at: str = "") -> tuple[bool, tuple[str, ...]]:
    """Whether a request names ``_registry``, and which fields of it that are known of the present only.

    Refuses (``refusal``) a name below it at which there is never anything.
    """
    if not _may_name_registry(json):
        return False, ()
    paths = list(registry_paths_in(json, at))
    for path, place in paths:
        _check(path, place, refusal)
    return bool(paths), tuple(dict.fromkeys(path[0] for path, _ in paths if path and path[0] in LEASE_FIELDS))


def _may_name_registry(json: Value) -> bool:
    """Whether ``_registry`` stands in any name or string. Nearly no request has it, and this is quick to find out."""
    left: list[Value] = [json]
    while left:
        value = left.pop()
        if value.__class__ is dict:
            for name, member in value.items():
                if REGISTRY_FIELD in name:
                    return True
                if member.__class__ in SEARCHED:
                    left.append(member)
        elif value.__class__ is list:
            for element in value:
                if element.__class__ is str:
                    if REGISTRY_FIELD in element:
                        return True
                elif element.__class__ in SEARCHED:
                    left.append(element)
        elif value.__class__ is str and REGISTRY_FIELD in value:
            return True
    return False


def _check(path: Path, at: str, refusal: type[LanguageRefused]) -> None:
    names, known = path[:1], FIELDS
    if names == ("nodes",):
        names, known = tuple(name for name in path[1:] if not name.isdigit())[:1], NODE_FIELDS
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f'did you mean "{close[0]}"?' if close else f"there are {', '.join(known)}"
            problem = f"the registry knows no {shortened(name)} of a cluster under {REGISTRY_FIELD}: {hint}"
            raise refusal(problem, at=at, mongo_code=BAD_VALUE)


def _path_in(text: str) -> Path | None:
    """The path below ``_registry`` that a string names, as a path or as a field path of an expression."""
    if text.startswith("$"):
        if IN_EXPRESSION.match(text) is None:
            return None
        text = text[text.index(REGISTRY_FIELD) :]
    first, _, rest = text.partition(".")
    if first != REGISTRY_FIELD:
        return None
    return tuple(rest.split(".")) if rest else ()
