"""Streams of events: server-sent events, and the same as lines of JSON (NDJSON)."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, aclosing

import orjson
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from rollbook.api.problems import members_of
from rollbook.errors import Compacted
from rollbook.registry.watching import Bookmark, Message, Overflow, Told, Watch

BOOKMARK_SECONDS = 5.0
SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
RETRY_MS = 1000

Encode = Callable[[str, int | None, bytes], bytes]
"""Event name, revision to resume from, JSON: the bytes that go out."""


class EventStream(StreamingResponse):
    """What a watch tells, for as long as its reader listens."""

    def __init__(self, opening: AbstractContextManager[Watch], media_type: str) -> None:
        self._opening = opening
        self._encode = sse_event if media_type == SSE else ndjson_line
        super().__init__(self._pieces(), headers={"cache-control": "no-store"}, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pieces = self.body_iterator
        async with aclosing(pieces):  # type: ignore[type-var]
            await super().__call__(scope, receive, send)

    async def _pieces(self) -> AsyncIterator[bytes]:
        encode = self._encode
        if encode is sse_event:
            yield f"retry: {RETRY_MS}\n\n".encode()
        try:
            with self._opening as watch:
                async for told in watch.events(bookmark_seconds=BOOKMARK_SECONDS):
                    yield encode(*event_of(told))
        except Compacted as gone:
            yield encode("compacted", None, orjson.dumps({"event": "compacted", **members_of(gone)}))


def event_of(told: Told) -> tuple[str, int | None, bytes]:
    """An event's name, the revision that a reader resumes from after it, and its JSON."""
    match told:
        case Message(revision, name, body):
            return name, revision, body
        case Bookmark(revision):
            return "bookmark", revision, orjson.dumps({"event": "bookmark", "revision": revision})
        case Overflow(revision):
            return "overflow", revision, orjson.dumps({"event": "overflow", "revision": revision})


def sse_event(name: str, revision: int | None, body: bytes) -> bytes:
    """One server-sent event; its id is the revision."""
    id = b"" if revision is None else b"id: %d\n" % revision
    return b"%sevent: %s\ndata: %s\n\n" % (id, name.encode(), body)


def ndjson_line(name: str, revision: int | None, body: bytes) -> bytes:
    """One line of JSON; its ``event`` member is the name."""
    return body + b"\n"
