"""Which paths an update may name. One rule: what can be known without a document is refused here.

A path component is a field name or an array index, or one of the positions that vary: ``$`` (the element that the
filter matched), ``$[]`` (every element), ``$[identifier]`` (the elements that an array filter selects).
"""

from collections.abc import Collection

from rollbook.documents.editing import depth_of
from rollbook.documents.paths import Path, parse_path
from rollbook.documents.values import Value
from rollbook.language.updates.array_filters import identifier_in
from rollbook.language.updates.operators import Parsing

MATCHED = "$"


def parse_target(dotted: str, identifiers: Collection[str], parsing: Parsing) -> Path:
    """The path of a change; ``identifiers`` are those that have an array filter."""
    path = parse_plain_target(dotted, parsing)
    if dotted.find("$") < 0:
        return path
    _check_positions(path, parsing)
    for component in path:
        identifier = identifier_in(component)
        if identifier and identifier not in identifiers:
            raise parsing.refused(2, f"no array filter is named {identifier!r}, which {dotted!r} uses")
    if path[0].startswith("$"):
        raise parsing.refused(52, f"a field of a document can't begin with '$': {path[0]!r}")
    return path


def parse_plain_target(dotted: str, parsing: Parsing) -> Path:
    """A path without regard to the positions that vary."""
    path = parse_path(dotted)
    if "" in path:
        raise parsing.refused(56, "a path needs a name before and after each dot")
    if len(path) > parsing.limits.body_depth_max:
        raise parsing.refused(15, f"a path has at most {parsing.limits.body_depth_max} components")
    return path


def _check_positions(path: Path, parsing: Parsing) -> None:
    if path[0] == MATCHED or identifier_in(path[0]) is not None:
        raise parsing.refused(2, f"a path can't begin with {path[0]!r}: name the array first")
    if path.count(MATCHED) > 1:
        raise parsing.refused(2, "a path can hold '$' only once; use '$[]' or '$[name]' for arrays in arrays")
    if MATCHED in path and any(identifier_in(component) is not None for component in path[: path.index(MATCHED)]):
        raise parsing.refused(2, "'$' can't follow '$[]' or '$[name]': the filter matched an element of an outer array")


def varies(path: Path) -> bool:
    """Whether a component stands for positions that only a document shows."""
    return any(component == MATCHED or identifier_in(component) is not None for component in path)


def check_depth(path: Path, operand: Value, parsing: Parsing) -> None:
    """Refuses a document nested deeper than a request may be. A path of two components adds nothing to its request."""
    if len(path) > 2 and len(path) + depth_of(operand) > parsing.limits.body_depth_max:
        raise parsing.refused(15, f"the document would be nested more than {parsing.limits.body_depth_max} levels deep")
