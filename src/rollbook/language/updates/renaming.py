"""``$rename``: the value at one path moves to another.

One rule: neither path goes through an array. MongoDB gives the element a place by its name, and an array has none.
"""

from rollbook.documents.editing import depth_of, element_index
from rollbook.documents.paths import dotted
from rollbook.documents.values import MISSING, Document, Maybe, Value, type_name
from rollbook.errors import UpdateRefused
from rollbook.language.updates.nodes import Rename
from rollbook.language.updates.operators import Parsing
from rollbook.language.updates.targets import parse_plain_target, parse_target, varies
from rollbook.limits import Limits


def parse_rename(source: str, target: Value, parsing: Parsing) -> Rename:
    """Moves the field to the path given as text, over what may be there; does nothing where the field is missing."""
    source_path = parse_plain_target(source, parsing)
    if not isinstance(target, str):
        raise parsing.refused(2, f"the new path is text, not a value of type {type_name(target)}")
    target_path = parse_plain_target(target, parsing)
    shared = min(len(source_path), len(target_path))
    if source_path[:shared] == target_path[:shared]:
        raise parsing.refused(2, "the old and the new path must differ, and neither may lead through the other")
    if varies(source_path) or varies(target_path):
        raise parsing.refused(2, "$rename can't use '$', '$[]' or '$[name]'")
    return Rename(source_path, parse_target(target, (), parsing), parsing.at)


def moved_value(document: Document, rename: Rename, limits: Limits) -> Maybe:
    """The value that the rename moves in this document, or MISSING. Refuses what it may not move, or not to there."""
    value = _source_value(document, rename)
    if value is MISSING:
        return MISSING
    _check_target(document, rename)
    if len(rename.target) > len(rename.source) and len(rename.target) + depth_of(value) > limits.body_depth_max:
        raise _refused(rename, 15, f"the document would be nested more than {limits.body_depth_max} levels deep")
    return value


def _source_value(document: Document, rename: Rename) -> Maybe:
    value: Maybe = document
    in_array = False
    for component in rename.source:
        match value:
            case dict():
                value = value.get(component, MISSING)
            case list() if (index := element_index(component)) is not None:
                in_array = True
                value = value[index] if index < len(value) else MISSING
            case _ if value is MISSING:
                return MISSING
            case _:
                raise _refused(rename, 28, f"the path can't go on through the {type_name(value)} before {component!r}")
    if in_array and value is not MISSING:
        raise _refused(rename, 2, "the old path leads into an array, and elements of arrays can't be renamed")
    return value


def _check_target(document: Document, rename: Rename) -> None:
    value: Maybe = document
    for component in rename.target:
        if isinstance(value, list):
            raise _refused(rename, 2, f"the new path {dotted(rename.target)!r} leads into an array")
        value = value.get(component, MISSING) if isinstance(value, dict) else MISSING


def _refused(rename: Rename, mongo_code: int, why: str) -> UpdateRefused:
    return UpdateRefused(f"$rename of {dotted(rename.source)!r}: {why}", at=rename.at, mongo_code=mongo_code)
