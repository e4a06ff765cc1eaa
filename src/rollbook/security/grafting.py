"""Grafting: what a caller made of a masked document, with what was hidden from it put back in its place.

One rule: nobody removes or moves what they can't see. Where a hidden value has lost the object or the element that held
it, the change is refused rather than guessed.
"""

from typing import cast

from rollbook.documents.editing import identical
from rollbook.documents.paths import Path, dotted
from rollbook.documents.values import MISSING, Document, Maybe, Value
from rollbook.errors import PermissionDenied
from rollbook.security.masks import SHOWN, Mask, hidden_part


def grafted(mask: Mask, before: Document, after: Document) -> Document:
    """``after``, which was made of ``mask.masked(before)``, with the hidden members of ``before``.

    A value that ``after`` has at a hidden path stays: whether it may be written is not decided here. Refuses
    (PermissionDenied) a change that leaves hidden values without a place.
    """
    return after if before is after or mask == SHOWN else _grafted_object(mask, before, after, ())


def _grafted(mask: Mask, before: Maybe, after: Maybe, path: Path) -> Maybe:
    if before is after or (mask.shown and not mask.children):
        return after
    if not mask.children:
        return before if after is MISSING else after
    if isinstance(before, dict) and isinstance(after, dict):
        return _grafted_object(mask, before, after, path)
    if isinstance(before, list) and isinstance(after, list):
        return _grafted_array(mask, before, after, path)
    hidden = hidden_part(mask, before)
    if hidden is MISSING:
        return after
    if after is MISSING and not isinstance(hidden, list):
        return hidden
    raise _without_place(path)


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
    if hidden_part(mask, before) is MISSING:
        return after
    shown = mask.masked_elements(before)
    if identical(shown, after):
        return before
    ids_before, ids_after = _ids(before), _ids(after)
    if ids_before is not None and ids_after is not None:
        known = dict(zip(ids_before, before, strict=True))
        pairs = [(known.get(id, MISSING), element) for id, element in zip(ids_after, after, strict=True)]
    elif len(before) == len(shown) == len(after):
        pairs = list(zip(before, after, strict=True))
    else:
        raise _without_place(path)
    return [cast(Value, _grafted(mask, was, element, path)) for was, element in pairs]


def _ids(elements: list[Value]) -> list[str] | None:
    """The ids of the elements, when each is an object with an id of its own."""
    ids = [element.get("id") if isinstance(element, dict) else None for element in elements]
    known = [id for id in ids if isinstance(id, str)]
    return known if len(set(known)) == len(elements) else None


def _without_place(path: Path) -> PermissionDenied:
    return PermissionDenied(
        f"{dotted(path)!r} holds values that are not visible to you, and this change would remove them: "
        "change its visible members one by one"
    )
