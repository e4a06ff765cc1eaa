"""Decoding the body of a large cluster beside another version of it: the nodes that both have are not decoded again.

Theory: the splices between two bodies say which stretches they share. Nodes within one are cut out of the JSON, with a
string in their place that the JSON does not hold elsewhere; what is left is small, and is decoded. A string of these
that is then found among the nodes stands for the nodes that were cut out: elements with commas between them, where one
element was, give the array with those elements.

One rule: where anything is not as it would have to be, there is no answer, and the body is decoded whole.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rollbook.clusters.layouts import Layout, shell_of
from rollbook.clusters.nodes import NODE_LIST, nodes_in
from rollbook.documents.codec import decode_stored, encode_json
from rollbook.documents.splices import splices_between
from rollbook.documents.values import Document, Value

MARK = "\0shared "
MARK_JSON = encode_json(MARK)[:-1]
BLOCK_NODES_MIN = 8


class _Block(NamedTuple):
    """Nodes that both bodies have: which of the layout, and where they stand in the other body."""

    first: int
    end: int
    at: int
    size_bytes: int


def decoded_beside(layout: Layout, body: bytes) -> Layout | None:
    """The layout of the body of another version, which shares nodes with ``layout``; None where that is not sure."""
    blocks = list(_blocks(layout, body))
    texts, position = [], 0
    for number, block in enumerate(blocks):
        texts.append(body[position : block.at])
        if MARK_JSON in texts[-1]:
            return None
        texts.append(encode_json(f"{MARK}{number}"))
        position = block.at + block.size_bytes
    if MARK_JSON in body[position:] or not blocks:
        return None
    document = decode_stored(b"".join((*texts, body[position:])))
    return _filled(layout, body, document, blocks)


def _blocks(layout: Layout, body: bytes) -> Iterator[_Block]:
    """The nodes within the stretches that both bodies share, in order."""
    start, other_start = 0, 0
    for splice in splices_between(layout.body, body):
        end = splice.start - other_start + start
        yield from _block_in(layout, start, end, other_start)
        start, other_start = end + len(splice.removed), splice.start + len(splice.inserted)
    yield from _block_in(layout, start, len(layout.body), other_start)


def _block_in(layout: Layout, start: int, end: int, other_start: int) -> Iterator[_Block]:
    """The nodes that lie wholly between two places of the layout's body."""
    offsets = layout.offsets
    first = int(np.searchsorted(offsets[:-1], start - layout.start))
    last = int(np.searchsorted(offsets[1:] - 1, end - layout.start, side="right"))
    if last - first >= BLOCK_NODES_MIN:
        size_bytes = int(offsets[last] - offsets[first]) - 1
        yield _Block(first, last, other_start + layout.start + int(offsets[first]) - start, size_bytes)


def _filled(layout: Layout, body: bytes, document: Document, blocks: Sequence[_Block]) -> Layout | None:
    """The layout of ``document``, in which marks stand for the blocks."""
    head, tail = shell_of(document) if nodes_in(document) else (b"", b"")
    if not head or not body.startswith(head) or not body.endswith(tail):
        return None
    nodes: list[Value] = []
    sizes: list[NDArray[np.int64]] = []
    position, met = len(head), 0
    for node in nodes_in(document):
        if met < len(blocks) and node == f"{MARK}{met}":
            block, met = blocks[met], met + 1
            if block.at != position:
                return None
            nodes += nodes_in(layout.document)[block.first : block.end]
            sizes.append(np.diff(layout.offsets[block.first : block.end + 1]))
            position += block.size_bytes + 1
        else:
            text = encode_json(node)
            if body[position : position + len(text)] != text:
                return None
            nodes.append(node)
            sizes.append(np.array([len(text) + 1]))
            position += len(text) + 1
    if met < len(blocks) or position - 1 + len(tail) != len(body):
        return None
    holder = document[NODE_LIST[0]]
    assert isinstance(holder, dict)
    holder[NODE_LIST[1]] = nodes
    offsets = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(np.concatenate(sizes))))
    return Layout(body, document, len(head), offsets)
