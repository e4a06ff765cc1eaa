"""Recognizing in microseconds a document that nothing is wrong with and nothing has to be done to.

One rule: yes is certain, no only means "look closer". The types are made from the schema; msgspec checks a document
of 4 KB against them in a few microseconds, first as it is documented, then with fields that no schema knows.
"""

from functools import cache
from typing import Annotated, Any, assert_never

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, defstruct

from rollbook.clusters.ids import NODE_ID_LENGTH_MAX, NODE_ID_PATTERN
from rollbook.clusters.modes import Mode
from rollbook.clusters.normalizing import holds_wrapped
from rollbook.clusters.schema import (
    CLUSTER,
    LARGEST,
    URL_MAP,
    Fields,
    Flag,
    Free,
    Kind,
    ListOf,
    Member,
    NodeId,
    Number,
    Presence,
    Text,
)
from rollbook.documents.values import Document

_ANYTHING = bool | int | float | str | list | dict  # type: ignore[type-arg]


class Recognized(Struct, frozen=True):
    """A document that needs nothing: ``cluster`` has its documented members as attributes, UNSET where it has none.

    ``is_documented``: it has no fields but those that the schema documents.
    """

    cluster: Any
    is_documented: bool


def recognized(document: Document, mode: Mode, *, new: bool) -> Recognized | None:
    """The document, if it is sound and whole as it is; ``new``: with all that is filled at creation only."""
    for is_documented in (True, False):
        cluster = _read(document, _types(mode, new=new, closed=is_documented))
        if cluster is not None:
            return Recognized(cluster, is_documented)
    return None


def needs_nothing(document: Document, mode: Mode) -> bool:
    """Whether the document of a cluster that is there is sound and whole as it is."""
    return _read(document, _types(mode, new=False, closed=False)) is not None


def _read(document: Document, types: Any) -> Any:
    """The document as one of ``types``, or None when it is not one, or has something to be unwrapped."""
    try:
        cluster = msgspec.convert(document, types)
    except msgspec.ValidationError:
        return None
    config = document["config"]
    assert isinstance(config, dict)
    url_map = config.get("urlMap")
    return None if isinstance(url_map, dict) and holds_wrapped(url_map) else cluster


@cache
def _types(mode: Mode, *, new: bool, closed: bool) -> Any:
    """The type of such a cluster; ``closed``: without fields that the schema does not document."""
    return _type_of(CLUSTER, _ABSENT[mode], new=new, closed=closed)


def _type_of(kind: Kind, optional: frozenset[Presence], *, new: bool, closed: bool) -> Any:
    match kind:
        case Text(may_be_empty):
            return Annotated[str, Meta(min_length=0 if may_be_empty else 1)]
        case NodeId():
            return Annotated[str, Meta(max_length=NODE_ID_LENGTH_MAX, pattern=NODE_ID_PATTERN)]
        case Number(may_be_negative):
            if may_be_negative:
                return int | Annotated[float, Meta(ge=-LARGEST, le=LARGEST)]
            return Annotated[int, Meta(ge=0)] | Annotated[float, Meta(ge=0, le=LARGEST)]
        case Flag():
            return bool
        case Free():
            return _ANYTHING
        case ListOf(item):
            return list[_type_of(item, optional, new=new, closed=closed)]  # type: ignore[misc]
        case Fields(members):
            filled_once = new and kind is URL_MAP
            absent = frozenset[Presence]() if filled_once else optional
            fields = [_field(name, m, absent, new=new, closed=closed) for name, m in members.items()]
            return defstruct("Documented", fields, kw_only=True, gc=False, forbid_unknown_fields=closed)
    assert_never(kind)


def _field(name: str, member: Member, optional: frozenset[Presence], *, new: bool, closed: bool) -> tuple[Any, ...]:
    type_ = _type_of(member.kind, optional, new=new, closed=closed)
    if member.presence in optional and not (new and member.kind is URL_MAP):
        return name, type_ | UnsetType, UNSET
    return name, type_


_ABSENT: dict[Mode, frozenset[Presence]] = {
    "default": frozenset({Presence.OPTIONAL}),
    "lenient": frozenset({Presence.OPTIONAL, Presence.REQUIRED}),
}
