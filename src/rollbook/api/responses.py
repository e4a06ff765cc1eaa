"""Answers: documents as they are stored, arrays of them streamed, and the headers that every answer carries."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse

from rollbook.registry.committing import Stored

JSON = "application/json"
REVISION_HEADER = "x-registry-revision"
PIECE_BYTES = 256 * 1024
WARNINGS_MAX = 5
WARNING_BYTES_MAX = 1024


def json_response(value: Any, status: int = 200, *, headers: dict[str, str] | None = None) -> Response:
    """A small JSON answer."""
    return Response(orjson.dumps(value), status, headers, JSON)


def document(body: bytes, *, revision: int, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """One document as it is stored, with its revision as entity tag."""
    return Response(body, status, {"etag": entity_tag(revision), "vary": "accept-encoding", **(headers or {})}, JSON)


def stored(
    result: Stored, *, body: bytes | None = None, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """The document after a write, or the ``body`` that is a part of it, with what there is to warn of."""
    body = result.body if body is None else body
    assert body is not None
    response = document(body, revision=result.revision, status=status, headers=headers)
    for name, value in warning_headers(result.warnings):
        response.headers.append(name, value)
    return response


def documents(bodies: Sequence[bytes], *, revision: int) -> Response:
    """A JSON array of documents. A large one is sent in pieces, as fast as its reader takes them."""
    size_bytes = sum(map(len, bodies)) + max(len(bodies) - 1, 0) + 2
    headers = {REVISION_HEADER: str(revision)}
    if size_bytes <= PIECE_BYTES:
        return Response(b"[" + b",".join(bodies) + b"]", 200, headers, JSON)
    headers["content-length"] = str(size_bytes)
    return StreamingResponse(_pieces(bodies), 200, headers, JSON)


def entity_tag(revision: int) -> str:
    """The strong entity tag of a document at a revision."""
    return f'"{revision}"'


def warning_headers(warnings: Sequence[str]) -> list[tuple[str, str]]:
    """``Warning`` headers (RFC 9111's predecessor's form): at most 5, 1 KB in all, in escaped ASCII."""
    headers, left_bytes = [], WARNING_BYTES_MAX
    for warning in warnings[:WARNINGS_MAX]:
        text = warning.encode("ascii", "backslashreplace").decode().replace("\\", "\\\\").replace('"', '\\"')
        value = f'299 rollbook "{text}"'
        left_bytes -= len(value)
        if left_bytes < 0:
            break
        headers.append(("warning", value))
    return headers


async def _pieces(bodies: Sequence[bytes]) -> AsyncIterator[bytes]:
    piece, size_bytes = [b"["], 1
    for place, body in enumerate(bodies):
        if place:
            piece.append(b",")
        piece.append(body)
        size_bytes += len(body) + 1
        if size_bytes >= PIECE_BYTES:
            yield b"".join(piece)
            piece, size_bytes = [], 0
    piece.append(b"]")
    yield b"".join(piece)
