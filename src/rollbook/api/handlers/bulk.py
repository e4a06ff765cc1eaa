"""Many writes in one request: a line each, read while they arrive, each answered with a line.

Theory: lines are parsed on a thread, a group at a time, and submitted at once, so that they share the commits of the
journal; new clusters that follow each other are submitted as one. Their results are sent in their order. What is under
way is bounded: beyond that, nothing is taken from the connection. Lines on one cluster are done in their order: those
behind one that may take long, or has another way to the journal, wait for it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TypeVar

from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rollbook import errors
from rollbook.api import events, headers
from rollbook.api.asking import is_revoked, media_type_of, registry_of
from rollbook.api.atomic_batches import write_atomically
from rollbook.api.declarations import NDJSON, Answer, Body, Operation
from rollbook.api.handlers.clusters import rules_of
from rollbook.api.line_writes import LinesAsked, Parsed, lines_asked, result_line
from rollbook.api.lines import Line, groups_of_lines
from rollbook.api.parameters import ATOMIC, DRY_RUN, FIELD_VALIDATION
from rollbook.api.schemas.messages import TEXT
from rollbook.api.writing import owner_of
from rollbook.documents.values import Value
from rollbook.errors import MediaTypeUnsupported, RegistryError, Unauthenticated
from rollbook.registry.reading.bulk_lines import BulkLine
from rollbook.registry.registry import Registry
from rollbook.registry.writing.commands import Create
from rollbook.registry.writing.commit_queue import URGENT
from rollbook.registry.writing.committing import WriteResult
from rollbook.registry.writing.idempotency import IdempotencyKey
from rollbook.registry.writing.submissions import Outcomes

T = TypeVar("T")

UNDER_WAY_MAX = 2048
UNDER_WAY_BYTES_MAX = 32 * 1024 * 1024
TOGETHER_MAX = 256
TOGETHER_BYTES_MAX = 4 * 1024 * 1024
"""At most this many new clusters, of at most this size together, are submitted as one."""


class Share(Struct, frozen=True):
    """What becomes of one of the new clusters that were submitted as one."""

    answer: "asyncio.Future[Outcomes]"
    place: int


class UnderWay(Struct, frozen=True):
    """A line whose result is not sent yet."""

    number: int
    size_bytes: int
    outcome: "asyncio.Future[WriteResult] | Share | RegistryError"
    line: BulkLine | None = None

    @property
    def waits_for(self) -> "asyncio.Future[WriteResult] | asyncio.Future[Outcomes] | None":
        """What has the outcome once it is done; None: it is here."""
        if isinstance(self.outcome, RegistryError):
            return None
        return self.outcome.answer if isinstance(self.outcome, Share) else self.outcome


async def write_in_bulk(request: Request) -> Response:
    """A line of result for every line."""
    if media_type_of(request) != NDJSON or request.headers.get("content-encoding", "identity") != "identity":
        raise MediaTypeUnsupported(f"lines are sent as {NDJSON}, not compressed")
    asked, registry = lines_asked(request, rules_of(request)), registry_of(request)
    if ATOMIC.of(request):
        return await write_atomically(request, asked)
    return LinesAnswer(Bulk(registry, asked, is_revoked=lambda: is_revoked(request.scope)).results(request.stream()))


def as_it_is(body: Value) -> Value:
    """A line that ``bulk_lines`` parses."""
    return body


class LinesAnswer(Response):
    """An answer of lines that goes out while the body of its request comes in."""

    media_type = NDJSON

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        super().__init__(headers=events.HEADERS)
        self._pieces = pieces
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Bulk:
    """One bulk request on its way."""

    def __init__(self, registry: Registry, asked: LinesAsked, *, is_revoked: Callable[[], bool]) -> None:
        self._is_revoked = is_revoked
        self._registry = registry
        self._asked = asked
        self._under_way: deque[UnderWay] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._taking = asyncio.Event()
        self._slow: dict[str, asyncio.Future[WriteResult]] = {}
        self._ordinary: dict[str, asyncio.Future[WriteResult]] = {}
        self._urgent: dict[str, asyncio.Future[WriteResult]] = {}
        """By cluster, the last that has each of the lanes to the journal (see ``commit_queue``)."""
        self._created: dict[str, asyncio.Future[Outcomes]] = {}
        self._gathered: list[tuple[Line, BulkLine, Create]] = []
        self._gathered_bytes = 0

    async def results(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The lines of the answer, in pieces, as they are ready. What breaks the body off is the last of them."""
        reading = asyncio.create_task(self._read(chunks))
        reading.add_done_callback(lambda _: self._changed.set())
        try:
            while self._under_way or not reading.done():
                if self._under_way:
                    yield await self._ready()
                else:
                    self._changed.clear()
                    await self._changed.wait()
            with suppress(ClientDisconnect):
                await reading
        finally:
            reading.cancel()

    async def _read(self, chunks: AsyncIterator[bytes]) -> None:
        """Submit the lines as they come."""
        number = 0
        try:
            async for lines in groups_of_lines(chunks, line_bytes_max=self._asked.line_bytes_max):
                if self._is_revoked():
                    raise Unauthenticated("the token is no longer in force; what came before this line is done")
                for line, parsed in zip(lines, await self._asked.parsed(lines), strict=True):
                    number = line.number
                    if not isinstance(parsed, RegistryError) and (creation := self._creation_in(parsed)) is not None:
                        await self._gather(line, parsed, creation)
                        continue
                    await self._create_gathered()
                    await self._room()
                    await self._submit(line, parsed)
                await self._create_gathered()
        except RegistryError as refusal:
            self._add(UnderWay(number + 1, 0, refusal))

    async def _submit(self, line: Line, parsed: Parsed) -> None:
        size_bytes = len(line.text or b"")
        if isinstance(parsed, RegistryError):
            self._add(UnderWay(line.number, size_bytes, parsed))
            return
        id = parsed.command.id
        lane, other = self._ordinary, self._urgent
        if parsed.command.verb in URGENT:
            lane, other = other, lane
        await _ended(self._slow, id)
        await _ended(self._created, id)
        await _ended(other, id)
        asked, key = self._asked, None
        if asked.key is not None:
            name = f"{line.number} {asked.key}"
            key = IdempotencyKey.of(owner_of(asked.caller), name, line.text or b"", keeps_body=False)
        result = self._registry.write(asked.caller, parsed.command, reason=asked.reason, dry_run=asked.dry_run, key=key)
        result.add_done_callback(lambda done: done.cancelled() or done.exception())  # also when nobody asks any more
        lane[id] = result
        if parsed.may_take_long:
            self._slow[id] = result
        self._add(UnderWay(line.number, size_bytes, result, parsed))

    def _creation_in(self, line: BulkLine) -> Create | None:
        """The creation that a line asks for, if it may be submitted together with others."""
        if self._asked.key is not None or self._asked.dry_run or not isinstance(line.command, Create):
            return None
        return line.command

    async def _gather(self, line: Line, parsed: BulkLine, creation: Create) -> None:
        """Add a creation to those that are submitted next."""
        for before in (self._ordinary, self._urgent):
            if creation.id in before:
                await self._create_gathered()
                await _ended(before, creation.id)
        size_bytes = len(line.text or b"")
        if len(self._gathered) >= TOGETHER_MAX or self._gathered_bytes + size_bytes > TOGETHER_BYTES_MAX:
            await self._create_gathered()
        self._gathered.append((line, parsed, creation))
        self._gathered_bytes += size_bytes

    async def _create_gathered(self) -> None:
        """Submit the creations that were gathered, as one."""
        if not self._gathered:
            return
        await self._room()
        asked, creations = self._asked, [creation for _, _, creation in self._gathered]
        answer = self._registry.committer.create_each(asked.caller, creations, reason=asked.reason)
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())  # also when nobody asks any more
        for place, (line, parsed, creation) in enumerate(self._gathered):
            self._created[creation.id] = answer
            self._add(UnderWay(line.number, len(line.text or b""), Share(answer, place), parsed))
        self._gathered.clear()
        self._gathered_bytes = 0

    async def _room(self) -> None:
        """Wait until another line may be submitted."""
        while len(self._under_way) >= UNDER_WAY_MAX or (self._under_way and self._bytes > UNDER_WAY_BYTES_MAX):
            self._taking.clear()
            await self._taking.wait()

    def _add(self, line: UnderWay) -> None:
        self._under_way.append(line)
        self._bytes += line.size_bytes
        self._changed.set()

    async def _ready(self) -> bytes:
        """The next result once it is there, and those behind it that are ready too."""
        if (first := self._under_way[0].waits_for) is not None:
            await asyncio.wait([first])
        pieces: list[bytes] = []
        while self._under_way:
            if (answer := self._under_way[0].waits_for) is not None and not answer.done():
                break
            pieces.append(self._taken(self._under_way.popleft()))
        self._taking.set()
        return b"".join(pieces)

    def _taken(self, done: UnderWay) -> bytes:
        self._bytes -= done.size_bytes
        if done.line is not None:
            for under_way in (self._slow, self._ordinary, self._urgent, self._created):
                if under_way.get(done.line.command.id) is done.waits_for:
                    del under_way[done.line.command.id]
        return _line_of(done)


async def _ended(under_way: "dict[str, asyncio.Future[T]]", id: str) -> None:
    """Return when what is under way on a cluster has ended; it is there no more."""
    if id in under_way:
        await asyncio.wait([under_way.pop(id)])


def _line_of(done: UnderWay) -> bytes:
    """What became of a line, as a line."""
    id = None if done.line is None else done.line.command.id
    if isinstance(done.outcome, RegistryError):
        return result_line(done.number, done.outcome, id)
    if isinstance(done.outcome, Share):
        answer = done.outcome.answer
        return result_line(done.number, answer.exception() or answer.result().each[done.outcome.place], id)
    return result_line(done.number, done.outcome.exception() or done.outcome.result(), id)


EXAMPLE = (
    '{"op": "create", "document": {"id": "east", "config": {"publicHostname": "east.example.net"}, '
    '"clusterMetadata": {"name": "East", "description": "An example", "owner": "Platform team"}}}\n'
    '{"op": "update", "id": "east", "update": {"$set": {"status": "live"}}}\n'
    '{"op": "delete", "id": "east"}\n'
)

LINES = Body(as_it_is, TEXT, "[a line a write](#many-writes)", EXAMPLE, media_types=(NDJSON,))

OPERATIONS = (
    Operation(
        name="writeInBulk",
        method="POST",
        path="/clusters/bulk",
        handler=write_in_bulk,
        tag="clusters",
        summary="Write many clusters",
        verb="update",
        verb_instead="create",
        parameters=(FIELD_VALIDATION, DRY_RUN, ATOMIC),
        headers=(headers.REASON, headers.IDEMPOTENCY_KEY),
        body=LINES,
        answers=(
            Answer(
                200,
                "a line a write, in their order",
                TEXT,
                (headers.CACHE_CONTROL, headers.NO_BUFFERING),
                (NDJSON,),
            ),
        ),
        refuses=(errors.IdempotencyKeyReused,),
        reads_lines=True,
    ),
)
