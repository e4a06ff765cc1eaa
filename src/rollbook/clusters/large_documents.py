"""Large documents stay decoded for a while: who writes, follows or reads one again pays for what changed alone.

Theory: decoding 5 MB takes 50 ms or more, and the same bytes are decoded by the command that changes them, the index,
every watch and every reader of a node. The newest large bodies are remembered with their documents and layouts, by the
identity of the bytes; successive versions share all nodes that did not change.

One rule: what is remembered is what decoding would give, so nobody can tell, but by the time it takes. Documents are
never mutated, here as elsewhere.
"""

from msgspec import Struct

from rollbook.clusters.layouts import Layout
from rollbook.clusters.shared_decoding import decoded_beside
from rollbook.documents import codec
from rollbook.documents.identity_caches import IdentityCache
from rollbook.documents.values import Document

LARGE_BYTES = 128 * 1024
"""Smaller bodies are decoded each time: that is quick enough, and they are too many to remember."""

REMEMBERED_BYTES_MAX = 256 * 1024 * 1024
"""About as much memory may be taken by what is remembered."""

DECODED_SHARE = 8
"""How many times the memory of its JSON a decoded document takes."""


class _Remembered(Struct):
    document: Document
    layout: Layout | None = None
    has_layout: bool = True
    """False once it is known that there is none."""


_REMEMBERED: IdentityCache[_Remembered] = IdentityCache(weight_max=REMEMBERED_BYTES_MAX)

forget_unused = _REMEMBERED.forget_unused


def decode_stored(body: bytes) -> Document:
    """The document of a stored body; not to be changed, for others may be given the same one."""
    return codec.decode_stored(body) if len(body) < LARGE_BYTES else _remembered(body).document


def decode_versions(before: bytes, after: bytes) -> tuple[Document, Document]:
    """The documents of two versions that follow each other; nodes that both have are the same objects."""
    if min(len(before), len(after)) >= LARGE_BYTES:
        if _REMEMBERED.get(before) is not None:
            _decode_beside(after, before)
        else:
            _decode_beside(before, after)
    return decode_stored(before), decode_stored(after)


def encode_next(document: Document, before: bytes) -> bytes:
    """The body of ``document``, which was made by an edit of the document stored as ``before``."""
    if len(before) < LARGE_BYTES:
        return codec.encode_to_keep(document)
    layout = _layout_of(before)
    try:
        following = None if layout is None else layout.encoded(document)
    except TypeError:  # deeper than orjson goes
        following = None
    if following is None:
        return codec.encode_to_keep(document)
    body = following.body
    if len(body) >= LARGE_BYTES:
        _remember_beside(body, following, before)
    return body


def _remembered(body: bytes) -> _Remembered:
    remembered = _REMEMBERED.get(body)
    if remembered is None:
        remembered = _Remembered(codec.decode_stored(body))
        _REMEMBERED.put(body, remembered, weight=(1 + DECODED_SHARE) * len(body))
    return remembered


def _decode_beside(body: bytes, other: bytes) -> None:
    """Remember the document of a body, with the nodes of another version where both have them."""
    if _REMEMBERED.get(body) is not None:
        return
    layout = _layout_of(other)
    found = None if layout is None else decoded_beside(layout, body)
    if found is not None:
        _remember_beside(body, found, other)


def _remember_beside(body: bytes, layout: Layout, other: bytes) -> None:
    """Remember the document of a body, which shares most of its nodes with that of ``other``."""
    remembered, weight = _Remembered(layout.document, layout), (1 + DECODED_SHARE) * len(body)
    _REMEMBERED.put_after(body, remembered, weight=weight, former=other, former_weight=len(other))


def _layout_of(body: bytes) -> Layout | None:
    remembered = _remembered(body)
    if remembered.layout is None and remembered.has_layout:
        remembered.layout = Layout.of(body, remembered.document)
        remembered.has_layout = remembered.layout is not None
    return remembered.layout
