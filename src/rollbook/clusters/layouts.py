"""Where the nodes of a large cluster stand in its JSON, so that a change of one node costs that node's bytes.

Theory: a stored body is the compact JSON of its document. It is a head, the elements of ``nodes.nodeData`` joined with
commas, and a tail; head and tail together are the *shell*, the cluster without its nodes. An edit shares the nodes that
it leaves alone (``documents.editing``), so the next body is a new shell, the texts of the nodes that came, and the
bytes of all others, copied at the speed of memory.

One rule: the body is, byte for byte, what ``encode_json`` makes of the document, and the document is what decoding
makes of the body.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
import orjson
from msgspec import Struct
from numpy.typing import NDArray

from rollbook.clusters.nodes import NODE_LIST, nodes_in
from rollbook.documents.codec import decode_stored, encode_json
from rollbook.documents.editing import identical
from rollbook.documents.sharing import shared_ends
from rollbook.documents.values import Document, Value

HOLE = b"\xff"
"""A byte that no UTF-8 has: it marks in a shell where the nodes belong."""


class Layout(Struct, frozen=True):
    """A body, its document, and where the nodes stand.

    ``start`` is where the first node stands in the body. ``offsets`` count from there: one for each node, and one for
    where another node would stand.
    """

    body: bytes
    document: Document
    start: int
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, body: bytes, document: Document) -> Self | None:
        """The layout of a stored body; None where it has no nodes, or was not written by ``encode_json``."""
        nodes = nodes_in(document)
        if not nodes:
            return None
        texts = [encode_json(node) for node in nodes]
        head, tail = shell_of(document)
        if body != b"".join((head, b",".join(texts), tail)):
            return None
        return cls(body, document, len(head), _offsets_of(texts))

    def encoded(self, document: Document) -> "Layout | None":
        """The layout of another version of the document; None where that has no nodes."""
        before, after = nodes_in(self.document), nodes_in(document)
        if not after:
            return None
        start, end = shared_ends(before, after)
        last = len(before) - end
        came = after[start : len(after) - end]
        texts = [encode_json(node) for node in came]
        head, tail = shell_of(document)
        body = b"".join((head, b",".join(self._around(start, last, texts)), tail))
        went = int(self.offsets[last] - self.offsets[start])
        moved = self.offsets[last:] + (sum(map(len, texts)) + len(texts) - went)
        offsets = np.concatenate((self.offsets[:start], self.offsets[start] + _offsets_of(texts)[:-1], moved))
        return Layout(body, self._as_decoded(document, (head, tail), start, texts), len(head), offsets)

    def _around(self, start: int, last: int, texts: Sequence[bytes]) -> list[bytes | memoryview]:
        """The nodes up to ``start``, those that came, and those from ``last`` on, to be joined with commas."""
        view = memoryview(self.body)[self.start :]
        end = int(self.offsets[-1]) - 1
        parts: list[bytes | memoryview] = [view[: int(self.offsets[start]) - 1]] if start else []
        parts += texts
        if int(self.offsets[last]) < end:
            parts.append(view[int(self.offsets[last]) : end])
        return parts

    def _as_decoded(
        self, document: Document, shell: tuple[bytes, bytes], start: int, texts: Sequence[bytes]
    ) -> Document:
        """The document as decoding its body would give it; mostly the very same object."""
        decoded = decode_stored(b"".join(shell))
        holder, nodes = decoded["nodes"], nodes_in(document)
        assert isinstance(holder, dict)
        came = nodes[start : start + len(texts)]
        read: list[Value] = [decode_stored(text) for text in texts]
        if not all(map(identical, came, read)):
            nodes = [*nodes[:start], *read, *nodes[start + len(texts) :]]
        holder["nodeData"] = nodes
        return document if identical(document, decoded) else decoded


def shell_of(document: Document) -> tuple[bytes, bytes]:
    """The JSON before the first node, and after the last."""
    holder = document[NODE_LIST[0]]
    assert isinstance(holder, dict)
    shell = {**document, NODE_LIST[0]: {**holder, NODE_LIST[1]: orjson.Fragment(HOLE)}}
    head, tail = orjson.dumps(shell).split(HOLE)
    return head + b"[", b"]" + tail


def _offsets_of(texts: Sequence[bytes]) -> NDArray[np.int64]:
    """Where texts stand that are joined with commas, and where the next one would."""
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1, out=offsets[1:])
    return offsets
