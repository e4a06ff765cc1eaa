"""JSON Merge Patch (RFC 7396): null removes a member, objects merge, all else replaces."""

from rollbook.documents.paths import Path
from rollbook.documents.values import Document, Value


def merged(target: Value, patch: Value) -> Value:
    """The value after a merge patch. Neither argument is changed."""
    return merged_members(target if isinstance(target, dict) else {}, patch) if isinstance(patch, dict) else patch


def merged_members(document: Document, patch: Document) -> Document:
    """The object after a merge patch that is an object."""
    result = dict(document)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def paths_in_merge(patch: Document) -> frozenset[Path]:
    """The paths that a merge patch names: those of its members that are no objects, or empty ones."""
    return frozenset(_leaves(patch, ()))


def _leaves(patch: Document, path: Path) -> list[Path]:
    found: list[Path] = []
    for name, value in patch.items():
        found += _leaves(value, (*path, name)) if isinstance(value, dict) and value else [(*path, name)]
    return found
