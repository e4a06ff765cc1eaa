"""Answers: documents as they are stored, arrays of them streamed, and the headers that every answer carries."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import orjson
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rollbook.documents.lines import one_line
from rollbook.registry.answer_bytes import HeldAnswer
from rollbook.registry.writing.committing import WriteResult

JSON = "application/json"
REVISION_HEADER = "x-registry-revision"
PIECE_BYTES = 256 * 1024
WARNINGS_MAX = 5
WARNING_BYTES_MAX = 1024
WARNING_LENGTH_MAX = 300
CUT = "..."
WEIGHT = re.compile(r"q\s*=\s*([01](?:\.\d{0,3})?)")
UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


def json_response(value: Any, status: int = 200, *, headers: dict[str, str] | None = None) -> Response:
    """A small JSON answer."""
    return Response(orjson.dumps(value), status, headers, JSON)


def document(body: bytes, *, revision: int, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """One document as it is stored, with its revision as entity tag."""
    return Response(body, status, {"etag": entity_tag(revision), "vary": "accept-encoding", **(headers or {})}, JSON)


def stored(
    result: WriteResult, *, body: bytes | None = None, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """The document after a write, or the ``body`` that is a part of it, with its warnings.

    An answer that the write was asked for instead has no entity tag, for it is not the document at its revision.
    """
    body = result.body if body is None else body
    assert body is not None
    response = document(result.answer or body, revision=result.revision, status=status, headers=headers)
    if result.answer is not None:
        del response.headers["etag"]
    return warned(response, result.warnings)


def documents(bodies: Iterable[bytes], *, form: "Framing", revision: int | None = None) -> Response:
    """Many documents. A large answer is sent in pieces, as fast as its reader takes them, and each is made then."""
    headers = {} if revision is None else {REVISION_HEADER: str(revision)}
    headers["vary"] = "accept, accept-encoding"
    pieces = form.pieces(bodies)
    first, second = next(pieces), next(pieces, None)
    if second is None:
        return Response(first, 200, headers, form.media_type)
    return Streamed(chain((first, second), pieces), bodies, headers, form.media_type)


class Streamed(Response):
    """An answer in pieces, each made when the one before it has been taken. Ends what it holds of ``bodies`` with it.

    An answer that was given up may stay referenced for long, by the trace of what ended it.
    """

    def __init__(
        self, pieces: Iterator[bytes], bodies: Iterable[bytes], headers: dict[str, str], media_type: str
    ) -> None:
        self._pieces = pieces
        self._bodies = bodies
        self.status_code = 200
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            for piece in self._pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(0)  # a reader that takes everything at once would hold all others up
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._pieces = iter(())
            if isinstance(self._bodies, HeldAnswer):
                self._bodies.release()


def pieces_of(pieces: Sequence[bytes], media_type: str, *, headers: dict[str, str]) -> Response:
    """An answer that is there in pieces: as one, or sent as fast as its reader takes them."""
    if len(pieces) == 1:
        return Response(pieces[0], 200, headers, media_type)
    return Streamed(iter(pieces), pieces, headers, media_type)


class Framing(Struct, frozen=True):
    """How many documents follow one another: what stands before them all, between two, behind each, and after all."""

    media_type: str
    before: bytes
    between: bytes
    behind: bytes
    after: bytes

    def pieces(self, bodies: Iterable[bytes]) -> Iterator[bytes]:
        """The whole, in pieces of about PIECE_BYTES; one at least."""
        piece, size_bytes, joint = [self.before], 0, b""
        for body in bodies:
            piece += (joint, one_line(body) if self.behind else body, self.behind)
            size_bytes, joint = size_bytes + len(body), self.between
            if size_bytes >= PIECE_BYTES:
                yield b"".join(piece)
                piece, size_bytes = [], 0
        yield b"".join([*piece, self.after])


ARRAY = Framing(JSON, b"[", b",", b"", b"]")
LINES = Framing("application/x-ndjson", b"", b"", b"\n", b"")
SEARCH_RESULT = Framing(JSON, b'{"success":true,"data":[', b",", b"", b"]}")


def form_of(request: Request) -> Framing:
    """A JSON array, or a line a document where the caller's ``Accept`` asks for NDJSON."""
    return LINES if prefers(request, (LINES.media_type,), to=JSON) else ARRAY


def prefers(request: Request, media_types: Sequence[str], *, to: str) -> bool:
    """Whether ``Accept`` names one of the media types, and ``to``, which is sent otherwise, with no greater weight."""
    weights = {}
    for each in ",".join(request.headers.getlist("accept")).lower().split(","):
        media_type, *parameters = (part.strip() for part in each.split(";"))
        given = [WEIGHT.fullmatch(parameter) for parameter in parameters]
        weights[media_type] = next((float(found[1]) for found in given if found), 1.0)
    weight = max((weights.get(media_type, 0.0) for media_type in media_types), default=0.0)
    return weight > 0 and weight >= weights.get(to, 0.0)


def not_modified(tag: str) -> Response:
    """The answer to a caller that has the representation ``tag`` already."""
    return Response(status_code=304, headers={"etag": tag, "vary": "accept-encoding"})


def entity_tag(revision: int) -> str:
    """The strong entity tag of a document at a revision."""
    return f'"{revision}"'


def warning_headers(warnings: Sequence[str]) -> list[tuple[str, str]]:
    """``Warning`` headers (RFC 9111's predecessor's form): at most 5, 1 KB in all, in escaped ASCII."""
    headers, left_bytes = [], WARNING_BYTES_MAX
    for warning in warnings[:WARNINGS_MAX]:
        value = f'299 rollbook "{_quoted(warning, length_max=WARNING_LENGTH_MAX)}"'
        left_bytes -= len(value)
        if left_bytes < 0:
            break
        headers.append(("warning", value))
    return headers


def warned(response: Response, warnings: Sequence[str]) -> Response:
    """The answer, with what there is to warn of."""
    for name, value in warning_headers(warnings):
        response.headers.append(name, value)
    return response


def header_text(text: str) -> str:
    r"""Text of a caller as a header may carry it: whatever is not printable ASCII as ``\n``, ``\xe9`` or ``\u20ac``."""
    return UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _quoted(text: str, *, length_max: int) -> str:
    """The text as the content of a quoted string, cut where it is too long."""
    escaped = header_text(text[:length_max]).replace("\\", "\\\\").replace('"', '\\"')
    if len(text) <= length_max and len(escaped) <= length_max:
        return escaped
    return escaped[: length_max - len(CUT)].rstrip("\\") + CUT
