"""Answers: documents as they are stored, arrays of them streamed, and the headers that every answer carries."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
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


def documents(bodies: Sequence[bytes], *, revision: int, form: "Form") -> Response:
    """Many documents. A large answer is sent in pieces, as fast as its reader takes them."""
    size_bytes = form.size_bytes(bodies)
    headers = {REVISION_HEADER: str(revision), "vary": "accept, accept-encoding"}
    if size_bytes <= PIECE_BYTES:
        return Response(b"".join(form.pieces(bodies)), 200, headers, form.media_type)
    headers["content-length"] = str(size_bytes)
    return StreamingResponse(aiter_of(form.pieces(bodies)), 200, headers, form.media_type)


@dataclass(frozen=True, slots=True)
class Form:
    """How many documents follow one another: what stands before, between and after them."""

    media_type: str
    before: bytes
    between: bytes
    after: bytes

    def size_bytes(self, bodies: Sequence[bytes]) -> int:
        """The size of the whole."""
        joints = len(self.between) * max(len(bodies) - 1, 0)
        ends = len(self.before) + len(self.after) if bodies or self is ARRAY else 0
        return sum(map(len, bodies)) + joints + ends

    def pieces(self, bodies: Sequence[bytes]) -> Iterator[bytes]:
        """The whole, in pieces of about PIECE_BYTES."""
        if not bodies:
            yield self.before + self.after if self is ARRAY else b""
            return
        piece, size_bytes = [self.before], 0
        for place, body in enumerate(bodies):
            if place:
                piece.append(self.between)
            piece.append(body)
            size_bytes += len(body)
            if size_bytes >= PIECE_BYTES:
                yield b"".join(piece)
                piece, size_bytes = [], 0
        yield b"".join([*piece, self.after])


ARRAY = Form(JSON, b"[", b",", b"]")
LINES = Form("application/x-ndjson", b"", b"\n", b"\n")


def form_of(request: Request) -> Form:
    """A JSON array, or a line a document where the caller's ``Accept`` asks for NDJSON."""
    return LINES if LINES.media_type in request.headers.get("accept", "") else ARRAY


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


async def aiter_of(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces, each made only when the one before it has been taken."""
    for piece in pieces:
        yield piece
