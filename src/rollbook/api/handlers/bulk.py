"""Many writes in one request: a line each, read while they arrive, each answered with a line.

Theory: lines are parsed on a thread, a group at a time, and submitted at once, so that they share the commits of the
journal. Their results are sent in their order. What is under way is bounded: beyond that, nothing is taken from the
connection. Lines on one cluster are done in their order: those behind one that may take long wait for it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

import orjson
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rollbook.api import events, headers
from rollbook.api.asking import caller_of, is_revoked, media_type_of, reason_of, registry_of
from rollbook.api.declarations import NDJSON, Answer, Body, Operation
from rollbook.api.handlers.clusters import rules_of
from rollbook.api.lines import Line, groups_of_lines
from rollbook.api.offloading import off_the_loop
from rollbook.api.parameters import DRY_RUN, FIELD_VALIDATION
from rollbook.api.problems import MISTAKE, members_of
from rollbook.api.schemas.messages import TEXT
from rollbook.api.writing import idempotency_key_in, owner_of
from rollbook.documents.codec import check_values, decode_json
from rollbook.documents.values import Value
from rollbook.errors import BodyTooLarge, MediaTypeUnsupported, PermissionDenied, RegistryError, Unauthenticated
from rollbook.registry.reading.bulk_lines import BulkLine, LineRules, parse_bulk_line
from rollbook.registry.registry import Registry
from rollbook.registry.writing.committing import WriteResult
from rollbook.registry.writing.idempotency import IdempotencyKey
from rollbook.security.callers import Caller

UNDER_WAY_MAX = 2048
UNDER_WAY_BYTES_MAX = 32 * 1024 * 1024
ENVELOPE_BYTES = 64 * 1024
"""What a line may have beside a document of the largest size."""

Parsed: TypeAlias = BulkLine | RegistryError


class UnderWay(Struct, frozen=True):
    """A line whose result is not sent yet."""

    number: int
    size_bytes: int
    outcome: "asyncio.Future[WriteResult] | RegistryError"
    line: BulkLine | None = None


async def write_in_bulk(request: Request) -> Response:
    """A line of result for every line."""
    if media_type_of(request) != NDJSON or request.headers.get("content-encoding", "identity") != "identity":
        raise MediaTypeUnsupported(f"lines are sent as {NDJSON}, not compressed")
    registry, caller = registry_of(request), caller_of(request)
    bulk = Bulk(
        registry,
        caller,
        LineRules(rules_of(request), registry.limits, registry.facts_for(caller), caller.access),
        reason=reason_of(request),
        dry_run=DRY_RUN.of(request),
        key=idempotency_key_in(request),
        is_revoked=lambda: is_revoked(request.scope),
    )
    return LinesAnswer(bulk.results(request.stream()))


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

    def __init__(
        self,
        registry: Registry,
        caller: Caller,
        asked: LineRules,
        *,
        reason: str | None,
        dry_run: bool,
        key: str | None,
        is_revoked: Callable[[], bool],
    ) -> None:
        self._is_revoked = is_revoked
        self._registry = registry
        self._caller = caller
        self._asked = asked
        self._reason = reason
        self._dry_run = dry_run
        self._key = None if dry_run else key
        self._line_bytes_max = max(asked.limits.body_bytes_max, asked.limits.document_bytes_max) + ENVELOPE_BYTES
        self._under_way: deque[UnderWay] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._taking = asyncio.Event()
        self._slow: dict[str, asyncio.Future[WriteResult]] = {}

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
            async for lines in groups_of_lines(chunks, line_bytes_max=self._line_bytes_max):
                if self._is_revoked():
                    raise Unauthenticated("the token is no longer in force; what came before this line is done")
                for line, parsed in zip(lines, await self._parsed(lines), strict=True):
                    number = line.number
                    await self._room()
                    await self._submit(line, parsed)
        except RegistryError as refusal:
            self._add(UnderWay(number + 1, 0, refusal))

    async def _parsed(self, lines: Sequence[Line]) -> Sequence[Parsed]:
        size_bytes = sum(len(line.text or b"") for line in lines)
        return await off_the_loop(lambda: [self._parse(line) for line in lines], size_bytes=size_bytes)

    def _parse(self, line: Line) -> Parsed:
        try:
            if line.text is None:
                raise BodyTooLarge(f"the line has more than {self._line_bytes_max} bytes")
            check_values(line.text, bytes_max=self._asked.limits.document_bytes_max, name="the line")
            value: Value = decode_json(line.text, limits=self._asked.limits, name="the line")
            return parse_bulk_line(value, self._asked)
        except RegistryError as refusal:
            return refusal

    async def _submit(self, line: Line, parsed: Parsed) -> None:
        size_bytes = len(line.text or b"")
        if isinstance(parsed, BulkLine) and not self._caller.may(parsed.verb) and self._caller.observed is None:
            parsed = PermissionDenied(f"{self._caller.name} may not do this: it takes the verb {parsed.verb!r}")
        if isinstance(parsed, RegistryError):
            self._add(UnderWay(line.number, size_bytes, parsed))
            return
        id = parsed.command.id
        if id in self._slow:
            await asyncio.wait([self._slow.pop(id)])
        key = None
        if self._key is not None:
            name = f"{line.number} {self._key}"
            key = IdempotencyKey.of(owner_of(self._caller), name, line.text or b"", keeps_body=False)
        result = self._registry.write(self._caller, parsed.command, reason=self._reason, dry_run=self._dry_run, key=key)
        result.add_done_callback(lambda done: done.cancelled() or done.exception())  # also when nobody asks any more
        if parsed.may_take_long:
            self._slow[id] = result
        self._add(UnderWay(line.number, size_bytes, result, parsed))

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
        first = self._under_way[0].outcome
        if not isinstance(first, RegistryError):
            await asyncio.wait([first])
        pieces: list[bytes] = []
        while self._under_way:
            outcome = self._under_way[0].outcome
            if not isinstance(outcome, RegistryError) and not outcome.done():
                break
            pieces.append(self._taken(self._under_way.popleft()))
        self._taking.set()
        return b"".join(pieces)

    def _taken(self, done: UnderWay) -> bytes:
        self._bytes -= done.size_bytes
        if done.line is not None and self._slow.get(done.line.command.id) is done.outcome:
            del self._slow[done.line.command.id]
        return result_line(done)


def result_line(done: UnderWay) -> bytes:
    """What became of a line, as a line."""
    outcome: WriteResult | BaseException
    if isinstance(done.outcome, RegistryError):
        outcome = done.outcome
    else:
        outcome = done.outcome.exception() or done.outcome.result()
    members: dict[str, object] = {"line": done.number}
    if isinstance(outcome, WriteResult):
        is_new = outcome.kind == "created" or outcome.outcome == "joined"
        members |= {"status": 201 if is_new else 200, "id": outcome.id, "revision": outcome.revision}
        members |= {"warnings": outcome.warnings} if outcome.warnings else {}
        members |= {"replayed": True} if outcome.replayed else {}
    else:
        members |= {} if done.line is None else {"id": done.line.command.id}
        members |= members_of(outcome if isinstance(outcome, RegistryError) else RegistryError(MISTAKE))
    return orjson.dumps(members, option=orjson.OPT_APPEND_NEWLINE)


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
        parameters=(FIELD_VALIDATION, DRY_RUN),
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
        reads_lines=True,
    ),
)
