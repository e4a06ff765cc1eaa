"""Grafting: what a caller made of a masked document, with what was hidden from it put back in its place.

Theory: an object or array that may hold something hidden is where that is put back. So it has to stay an object or an
array; objects are joined by the names of members, arrays by the ids of elements, else by their places.

One rule: nobody removes or moves what they can't see, and nobody learns whether it is there. A change that would leave
hidden values without a place is refused by what the caller sees, whether there are such values or not.
"""

from typing import cast

from rollbook.documents.editing import identical
from rollbook.documents.paths import Path, dotted
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.errors import PermissionDenied
from rollbook.security.masks import SHOWN, Mask


def grafted(mask: Mask, before: Document, after: Document) -> Document:
    """``after``, which was made of ``mask.masked(before)``, with the hidden members of ``before``.

    A scalar that ``after`` has at a hidden path stays: whether it may be written is not decided here. Refuses
    (PermissionDenied) an object or array at one, which would replace what the caller does not see, and a change that
    leaves hidden values without a place.
    """
    return after if before is after or mask == SHOWN else _grafted_object(mask, before, after, ())


def _grafted(mask: Mask, before: Maybe, after: Maybe, path: Path) -> Maybe:
    if before is after or (mask.shown and not mask.children):
        return after
    if not mask.children:
        if isinstance(after, dict | list):
            raise _without_place(path)
        return before if after is MISSING else after
    if isinstance(before, dict) and isinstance(after, dict):
        return _grafted_object(mask, before, after, path)
    if isinstance(before, list) and isinstance(after, list):
        return _grafted_array(mask, before, after, path)
    if isinstance(before, dict | list) or (isinstance(after, dict | list) and not mask.shown):
        raise _without_place(path)  # what is partly shown may be hidden as a whole: as a scalar, in a lenient registry
    return before if after is MISSING and not mask.shown else after


def _grafted_object(mask: Mask, before: Document, after: Document, path: Path) -> Document:
    """The members of ``after`` in its order; a hidden one follows the member that it followed before."""
    members = {
        name: _grafted(mask.child(name), before.get(name, MISSING), after[name], (*path, name)) for name in after
    }
    names, at = list(after), 0
    for name, member in before.items():
        if name in members:
            at = names.index(name) + 1
        elif (kept := _grafted(mask.child(name), member, MISSING, (*path, name))) is not MISSING:
            members[name] = kept
            names.insert(at, name)
            at += 1
    return {name: cast(Value, members[name]) for name in names}


def _grafted_array(mask: Mask, before: list[Value], after: list[Value], path: Path) -> list[Value]:
    """The elements of ``after``, then those that are hidden as a whole."""
    parts = [(element, mask.masked_elements([element])) for element in before]
    seen = [element for element, shown in parts if shown]
    shown = [each for _, shown in parts for each in shown]
    if identical(shown, after):
        return before
    known: list[Maybe]
    ids, ids_after = _ids(shown), _ids(after)
    if ids is not None and ids_after is not None:
        places = {id: place for place, id in enumerate(ids)}
        known = [seen[places[id]] if id in places else MISSING for id in ids_after]
    elif not after or len(shown) == len(after) or identical(shown, after[: len(shown)]):
        known = [*seen, *[MISSING] * (len(after) - len(seen))]
    else:
        raise _without_place(path)
    pairs = zip(known, after, strict=False)
    made = [element if was is MISSING else cast(Value, _grafted(mask, was, element, path)) for was, element in pairs]
    return [*made, *(element for element, shown in parts if not shown)]


def _ids(elements: list[Value]) -> list[str] | None:
    """The ids of the elements, when each is an object with an id of its own."""
    ids = [element.get("id") if isinstance(element, dict) else None for element in elements]
    known = [id for id in ids if isinstance(id, str)]
    return known if len(set(known)) == len(elements) else None


def _without_place(path: Path) -> PermissionDenied:
    return PermissionDenied(
        f"{dotted(path)!r} may hold values that are not visible to you, and this change could remove them: "
        "change its visible members one by one"
    )
