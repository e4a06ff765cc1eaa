"""JSON to an update. One rule: what is wrong with an update whatever the document is refused here, and only here."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Literal, TypeAlias

from msgspec import Struct

from rollbook.documents.codec import encode_json
from rollbook.documents.paths import Path, dotted
from rollbook.documents.values import MISSING, Document, Maybe, Value, type_name
from rollbook.errors import UpdateRefused
from rollbook.language import foreign
from rollbook.language.filters import Filter
from rollbook.language.updates.array_filters import check_identifiers, identifier_in, parse_array_filters
from rollbook.language.updates.nodes import Change, Modification, Rename, Replacement, Update
from rollbook.language.updates.operators import Parsing
from rollbook.language.updates.renaming import parse_rename
from rollbook.language.updates.table import OPERATORS
from rollbook.language.updates.targets import check_depth, parse_target
from rollbook.language.updates.trees import Leaf, tree_of
from rollbook.limits import DEFAULT_LIMITS, Limits

Bare: TypeAlias = Literal["set", "replace"]

RENAME = "$rename"


def parse_update(
    json: Value,
    *,
    array_filters: Maybe = MISSING,
    at: str = "",
    array_filters_at: str = "/arrayFilters",
    identity: str = "id",
    bare: Bare = "set",
    limits: Limits = DEFAULT_LIMITS,
) -> Update:
    """The update that an object of operators says.

    ``bare`` says what fields outside operators mean: ``$set`` of them, or, where the first key is none of an operator,
    a replacement. ``identity`` is the field that no update changes. Refuses with UpdateRefused.
    """
    parsing = Parsing(at, limits)
    if not isinstance(json, dict):
        raise parsing.refused(9, f"an update is an object, not a value of type {type_name(json)}")
    filters_parsing = Parsing(array_filters_at, limits)
    filters = parse_array_filters(array_filters, filters_parsing)
    if bare == "replace" and not next(iter(json), "").startswith("$"):
        return _parse_replacement(json, identity, parsing)
    named = tuple(islice(_Body(filters, bare, parsing).named_in(json), limits.update_changes_max + 1))
    if len(named) > limits.update_changes_max:
        raise parsing.refused(9, f"an update names at most {limits.update_changes_max} paths")
    check_identifiers(paths_of(named), filters, filters_parsing)
    _check_conflicts(named)
    changes = tuple(one if isinstance(one, Rename) else _change_of(one) for one in named)
    return Modification(changes, filters, identity, limits)


def _parse_replacement(json: Document, identity: str, parsing: Parsing) -> Replacement:
    for name in json:
        if name.startswith("$"):
            raise parsing.refused(52, f"a field of a document can't begin with '$': {name!r}", name)
    return Replacement(json, identity, parsing.at)


class _Named(Struct, frozen=True):
    """What a body says at one path, its operand not looked at yet."""

    path: Path
    operator: str
    operand: Value
    parsing: Parsing


class _Body(Struct, frozen=True):
    """The body of an update while its paths are read."""

    array_filters: dict[str, Filter]
    bare: Bare
    parsing: Parsing

    def named_in(self, json: Document) -> Iterator[_Named | Rename]:
        for name, operand in json.items():
            within = self.parsing.below(name)
            if name == RENAME or name in OPERATORS:
                yield from self._named_by(name, operand, within)
            elif self.bare == "set" and not name.startswith("$"):
                yield _Named(parse_target(name, self.array_filters, within), "$set", operand, within)
            else:
                raise _unknown(name, within)

    def _named_by(self, operator: str, operands: Value, parsing: Parsing) -> Iterator[_Named | Rename]:
        if not isinstance(operands, dict):
            raise parsing.refused(9, f"{operator} takes an object of paths, not a value of type {type_name(operands)}")
        for name, operand in operands.items():
            within = parsing.below(name)
            if operator == RENAME:
                yield parse_rename(name, operand, within)
            else:
                yield _Named(parse_target(name, self.array_filters, within), operator, operand, within)


def _unknown(name: str, within: Parsing) -> UpdateRefused:
    if name in foreign.UPDATES:
        return within.refused(9, f"{name} is no operator of updates: {foreign.UPDATES[name]}")
    known = sorted([*OPERATORS, RENAME])
    sentence = foreign.unknown(name, known, "operator of updates")
    return within.refused(9, sentence if "; " in sentence else f"{sentence}; there are {', '.join(known)}")


def _check_conflicts(named: Sequence[_Named | Rename]) -> None:
    if len(named) == 1 and isinstance(named[0], _Named):
        return
    leaves: list[tuple[Path, Leaf]] = []
    for one in named:
        if isinstance(one, Rename):
            leaves += [(path, Leaf(_unchanged, path, RENAME, one.at)) for path in (one.source, one.target)]
        else:
            leaves.append((one.path, Leaf(_unchanged, one.path, one.operator, one.parsing.at)))
    tree_of(leaves)


def _unchanged(old: Maybe) -> Maybe:
    return old


def _change_of(named: _Named) -> Change:
    operator = OPERATORS[named.operator]
    try:
        operand = operator.parse(named.operand, named.parsing)
    except UpdateRefused as refused:
        why = f"{named.operator} of {dotted(named.path)!r}: {refused.message}"
        raise UpdateRefused(why, at=refused.at, mongo_code=refused.mongo_code) from None
    if not operator.stores:
        return Change(named.path, named.operator, operand, named.parsing.at)
    check_depth(named.path, named.operand, named.parsing)
    return Change(named.path, named.operator, operand, named.parsing.at, _weight(named.path, named.operand))


def _weight(path: Path, operand: Value) -> int:
    repeats = any(identifier_in(component) is not None for component in path)
    return len(encode_json(operand)) if repeats else 0


def paths_of(changes: Iterable[Change | Rename | _Named]) -> Iterator[Path]:
    """Every path that the changes name, as named."""
    for change in changes:
        if isinstance(change, Rename):
            yield from (change.source, change.target)
        else:
            yield change.path
