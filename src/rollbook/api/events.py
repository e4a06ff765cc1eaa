"""Streams of events: server-sent events, and the same as lines of JSON (NDJSON)."""

import asyncio
import logging
from asyncio import FIRST_COMPLETED
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, ExitStack, aclosing
from time import monotonic

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rollbook.api.asking import is_revoked
from rollbook.api.problems import members_of, problem
from rollbook.api.responses import REVISION_HEADER
from rollbook.documents.lines import one_line
from rollbook.errors import Compacted, DataDirectoryUnsound, JournalUnavailable, RegistryError, Unauthenticated
from rollbook.registry.feed.change_events import Message
from rollbook.registry.watching.watching import Bookmark, Overflow, Watch, WatchEvent

BOOKMARK_SECONDS = 5.0
SEND_SECONDS_MAX = 20.0
LOOK_SECONDS = 5.0
SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
RETRY_MS = 1000
HEADERS = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}
"""Nobody on the way may keep events, nor collect them, as compressing them would."""
ENDED = "the token of this watch was revoked or has expired, or may no longer watch as it did; ask again"

logger = logging.getLogger(__name__)


class EventStream(Response):
    """The events of a watch, for as long as its reader takes what it is sent.

    The watch is open before the answer begins: who sees the answer's head misses nothing that comes after.
    """

    def __init__(self, opening: AbstractContextManager[Watch], media_type: str) -> None:
        super().__init__(None, headers=HEADERS, media_type=media_type)
        del self.headers["content-length"]
        self._opening = opening
        self._framed = sse_event if media_type == SSE else json_line
        self._position = 0
        self._sending_since: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with ExitStack() as stack:
            try:
                watch = stack.enter_context(self._opening)
            except RegistryError as refusal:  # too many watchers: the answer has not begun
                await problem(refusal)(scope, receive, send)
                return
            self.headers[REVISION_HEADER] = str(watch.start)
            sending = asyncio.create_task(self._send(watch, send))
            leaving = asyncio.create_task(disconnection(receive))
            try:
                while not (sending.done() or leaving.done() or self._is_stuck):
                    await asyncio.wait((sending, leaving), timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            finally:
                for task in (sending, leaving):
                    task.cancel()
                await asyncio.wait((sending, leaving))
            if not sending.cancelled():
                sending.result()
            if is_revoked(scope):
                last = self._framed("revoked", None, _closing("revoked", self._position, Unauthenticated(ENDED)))
                await send({"type": "http.response.body", "body": last, "more_body": False})

    @property
    def _is_stuck(self) -> bool:
        if self._sending_since is None or monotonic() - self._sending_since < SEND_SECONDS_MAX:
            return False
        logger.info("a watch ends, for its reader has taken nothing for %d s", SEND_SECONDS_MAX)
        return True

    async def _send(self, watch: Watch, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._pieces(watch)) as pieces:
            async for piece in pieces:
                self._sending_since = monotonic()
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                self._sending_since = None
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pieces(self, watch: Watch) -> AsyncGenerator[bytes, None]:
        framed = self._framed
        # Something goes out at once, if only nothing: the head of the answer may wait for it.
        yield b"retry: %d\nid: %d\n\n" % (RETRY_MS, watch.start) if framed is sse_event else b""
        self._position = watch.start
        try:
            async for events in watch.events(bookmark_seconds=BOOKMARK_SECONDS):
                yield b"".join([piece_of(each, framed) for each in events])
                self._position = events[-1].revision
        except Compacted as gone:  # without an id, so that nobody resumes after what was never sent
            yield framed("compacted", None, _closing("compacted", self._position, gone))
        except (JournalUnavailable, DataDirectoryUnsound) as problem:
            logger.warning("a watch ends, for the journal can't be read: %s", problem.message)
            yield framed("overflow", self._position, _closing("overflow", self._position, problem))


async def disconnection(receive: Receive) -> None:
    """Return once the client has left, or is to be left."""
    while (await receive())["type"] != "http.disconnect":
        pass


Frame = Callable[[str, int | None, bytes], bytes]
"""Name of the event, revision to resume from, JSON: the bytes that go out."""


def piece_of(event: WatchEvent, framed: Frame) -> bytes:
    """The bytes that are sent for one event of a watch."""
    match event:
        case Message():
            return event.framed(MESSAGE_FRAMES[framed])
        case Bookmark(revision):
            return framed("bookmark", revision, orjson.dumps({"event": "bookmark", "revision": revision}))
        case Overflow(revision, refusal):
            return framed("overflow", revision, _closing("overflow", revision, refusal))


def sse_event(name: str, revision: int | None, body: bytes) -> bytes:
    """One server-sent event; its id is the revision."""
    id = b"" if revision is None else b"id: %d\n" % revision
    return b"%sevent: %s\ndata: %s\n\n" % (id, name.encode(), one_line(body))


def json_line(name: str, revision: int | None, body: bytes) -> bytes:
    """One line of JSON; its ``event`` member is the name."""
    return one_line(body) + b"\n"


def _closing(name: str, revision: int, reason: RegistryError | None) -> bytes:
    return orjson.dumps({"event": name, "revision": revision, **({} if reason is None else members_of(reason))})


def _message_as_sse(message: Message) -> bytes:
    return sse_event(message.name, message.revision, message.body)


def _message_as_line(message: Message) -> bytes:
    return one_line(message.body) + b"\n"


MESSAGE_FRAMES: dict[Frame, Callable[[Message], bytes]] = {sse_event: _message_as_sse, json_line: _message_as_line}
