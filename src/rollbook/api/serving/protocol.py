"""One connection: bytes come in, requests are answered in their order, bytes go out.

Theory: a chunk of bytes may hold thousands of pipelined requests, so it is read in small pieces, and only while no
request waits; the rest stays as bytes, and the socket is not read meanwhile. A request is answered by a shortcut, in
the same turn of the event loop; or by the update that a PUT has begun; or by the application, in a task
(``exchanges``). The edge calls ``tick`` once a second: no connection needs a timer of its own.
"""

import asyncio
from asyncio import Future, Task, Transport
from time import perf_counter
from typing import cast

from rollbook.api.metrics.running_requests import RunningRequest
from rollbook.api.serving.access_logs import log_access
from rollbook.api.serving.admission import NOBODY_YET, Recognised, TurnedAway
from rollbook.api.serving.deadlines import Lingering, overdue
from rollbook.api.serving.edge import Edge
from rollbook.api.serving.exchanges import Exchange
from rollbook.api.serving.outgoing import Outgoing
from rollbook.api.serving.peers import Peer, peer_of
from rollbook.api.serving.reading import GO_AHEAD, LARGE_READ_BYTES, PIECE_BYTES, PIECES_AT_ONCE, RequestReader
from rollbook.api.serving.refusing import refused
from rollbook.api.serving.requests import IncomingRequest
from rollbook.errors import Overloaded, RegistryError
from rollbook.registry.writing.committing import WriteResult


class Connection(asyncio.Protocol):
    """The protocol of one connection."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self.peer = Peer()
        self._answering: Exchange | Future[WriteResult] | Task[None] | None = None
        self._refusal: RegistryError | None = None
        self._recognised, self._turned_away = NOBODY_YET, TurnedAway()
        self._unread, self._held_bytes, self._used_at = b"", 0, 0.0
        self._is_closing = self._has_ended = self._reading_paused = False
        self._lingering: Lingering | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection begins."""
        self.transport = cast(Transport, transport)
        self.outgoing = Outgoing(self.transport, self.edge.patience)
        self.peer = peer_of(transport)
        self.reader = RequestReader(self.edge.gates, self.edge.clock, self.peer)
        self.edge.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Some bytes have come. They wait while an earlier request is being answered."""
        if self._unread or self._is_blocked:
            if self._lingering is not None:
                self._lingering.hear(self.edge.clock.now)
            elif not self._is_closing:
                self._unread += data
                self._pause_reading()
            return
        if len(data) > PIECE_BYTES:
            self._read(data)
            return
        reader = self.reader  # what follows is ``_read``, for the usual case: one small request
        try:
            reader.feed(data)
        except RegistryError as refusal:
            self._refusal = refusal
        if reader.whole and self._refusal is None:
            self._answer(reader.whole.popleft())
        if reader.whole or reader.phase != "idle" or self._refusal is not None:
            self._answer_whole()
            self._settle()

    def eof_received(self) -> bool:
        """The client sends nothing more. It may still read the answers to what it has sent."""
        self._has_ended = True
        if isinstance(self._answering, Exchange):
            self._answering.leave()
        self._go_on()
        return not self.peer.is_secure  # TLS has no half of a connection to keep open

    def pause_writing(self) -> None:
        """The client reads more slowly than answers are written."""
        self.outgoing.pause(self.edge.clock.now)

    def resume_writing(self) -> None:
        """The client has read most of what was written."""
        self.outgoing.resume(self.edge.clock.now)
        self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._is_closing = True
        if isinstance(self._answering, Exchange):
            self._answering.disconnect()
        self.outgoing.release()
        self.reader.forget()
        self._unread = b""
        self._account()
        self.edge.connections.discard(self)

    def end(self, *, keep_alive: bool) -> None:
        """End the request that is being answered, and begin the next one."""
        self._answering = None
        if self.transport.is_closing():
            return
        if keep_alive and not self.edge.is_stopping and self.reader.stream is None:
            self.reader.since = self.edge.clock.now
            self._go_on()
        else:
            self._close()

    def stop(self) -> None:
        """Close as soon as nothing is under way."""
        if self._answering is None and self.reader.phase == "idle" and not self._unread and not self._is_closing:
            self._close()

    def abort(self) -> None:
        """Close at once."""
        self.transport.abort()

    def tick(self) -> int:
        """Look after the deadlines; how many bytes wait until the client reads them."""
        now, patience, reader = self.edge.clock.now, self.edge.patience, self.reader
        if self._answering is not None or self._used_at != reader.since:
            self._used_at = reader.since
            self.edge.admission.note_use(self._recognised.caller)
        if isinstance(self._answering, Exchange) and not self.edge.admission.is_current(self._recognised):
            self._answering.revoke()
        if self.outgoing.is_stalled(now):
            self.transport.abort()
        elif self._is_closing:  # once the client has read what was written
            if self._lingering and not self.outgoing.buffered_bytes and self._lingering.is_over(now, patience):
                self.transport.abort()
        elif not self._is_blocked:
            refusal = overdue(reader, now, patience)
            if refusal is not None:
                self._refuse(refusal)
            elif reader.phase == "idle" and now - reader.since >= patience.idle_seconds:
                self._close()
        return self.outgoing.buffered_bytes

    @property
    def _is_blocked(self) -> bool:
        stream = self.reader.stream
        if stream is not None and stream.is_answered:
            return self._is_closing or stream.is_full
        return self._answering is not None or self.outgoing.is_paused or self._is_closing

    def _read(self, data: bytes) -> None:
        """Read and answer requests until one has to wait; what is behind it stays unread."""
        reader, offset, size, pieces = self.reader, 0, len(data), 0
        while offset < size and not self._is_blocked and self._refusal is None and pieces < PIECES_AT_ONCE:
            step = size if size <= PIECE_BYTES or reader.stream else max(PIECE_BYTES, reader.body_left)
            try:
                reader.feed(data if size <= PIECE_BYTES else data[offset : offset + step])
            except RegistryError as refusal:
                self._refusal, offset = refusal, size
            offset, pieces = offset + step, pieces + 1
            self._answer_whole()
        if offset < size and not self._is_closing:
            self._unread = data[offset:]
            if not self._is_blocked:
                asyncio.get_running_loop().call_soon(self._go_on)
        elif size >= LARGE_READ_BYTES and reader.phase == "body" and not self._is_blocked:
            self._pause_reading()
            asyncio.get_running_loop().call_soon(self._go_on)
        self._settle()

    def _settle(self) -> None:
        if self._unread or self.reader.whole:
            self._pause_reading()
        if self.reader.phase == "body" or self._held_bytes or self._unread:
            self._account()

    def _answer_whole(self) -> None:
        """Answer the requests that are whole, as far as they need not wait; then refuse what follows them, if so."""
        reader = self.reader
        while reader.whole and not self._is_blocked:
            self._answer(reader.whole.popleft())
        if self._is_blocked or reader.whole:
            return
        if self._refusal is not None:
            self._refuse(self._refusal)
        elif reader.wants_go_ahead:
            reader.wants_go_ahead = False
            self.transport.write(GO_AHEAD)

    def _go_on(self) -> None:
        self._answer_whole()
        if self._unread and not self._is_blocked:
            data, self._unread = self._unread, b""
            self._read(data)
        if self._is_blocked or self._unread or self.reader.whole:
            return
        self._account()
        if self._has_ended and self.reader.phase == "body":
            self._refuse(self.reader.cut_off())
        elif self._has_ended:
            self._close()
        elif self._reading_paused:
            self._reading_paused, self.reader.body_at = False, self.edge.clock.now
            self.transport.resume_reading()

    def _answer(self, request: IncomingRequest) -> None:
        edge, shortcuts, seen = self.edge, self.edge.shortcuts, self._recognised
        if (
            seen.generation != edge.admission.identities.generation
            or seen.credentials != (request.known.get(b"authorization") or request.known.get(b"cookie"))
            or seen.address != request.client
        ):
            found = edge.admission.recognise(request, self.peer, self._turned_away)
            if not isinstance(found, Recognised):
                self._hold_off(request, found)
                return
            self._recognised = seen = found
        request.caller, request.tally = seen.caller, seen.tally
        if seen.caller.rate is not None and (refusal := edge.admission.take(request, seen.caller.rate)) is not None:
            self._hold_off(request, refusal)
            return
        if shortcuts is not None and request.version == "1.1":
            default = edge.default_headers(request, request.id) if request.id or request.cors else edge.date
            answer = shortcuts.answer(request, default)
            if answer is not None:
                self.transport.write(answer)
                if edge.logs_access:
                    log_access(request, 200, perf_counter(), request.id)
                return
            update = shortcuts.begin_update(request)
            if update is not None:
                running, self._answering = RunningRequest(request, perf_counter(), request.id), update
                edge.traffic.running.add(running)
                update.add_done_callback(lambda done: self._end_update(done, running))
                return
        if request.stream is not None:
            request.stream.answer(self._go_on)
        self._answering = exchange = Exchange(self, request, id=request.id or edge.new_id())
        edge.run(exchange.run())

    def _hold_off(self, request: IncomingRequest, until: RegistryError | Task[None]) -> None:
        """Answer a request later, when the keys are there; or with a refusal, after which the connection goes on."""
        if isinstance(until, RegistryError):
            closes = bool(request.stream or self.edge.is_stopping) or not request.keep_alive or request.version == "1.0"
            self.outgoing.write(refused(self.edge, request, until, closes=closes))
            if closes:
                self._close()
            return
        self._answering = until
        until.add_done_callback(lambda _: self._answer_again(request))

    def _answer_again(self, request: IncomingRequest) -> None:
        self._answering = None
        if not self.transport.is_closing():
            self._answer(request)
            if self._answering is None:
                self.end(keep_alive=True)

    def _end_update(self, update: "Future[WriteResult]", running: RunningRequest) -> None:
        self.outgoing.write(self.edge.finish_update(update, running))
        self.end(keep_alive=True)

    def _refuse(self, refusal: RegistryError) -> None:
        request, stream = self.reader.request, self.reader.stream
        if stream is not None and stream.is_answered:
            stream.end(refusal=refusal)
            return
        self.outgoing.write(refused(self.edge, request, refusal, closes=True))
        self._close(lingers=True)

    def _close(self, *, lingers: bool = False) -> None:
        """Close at once; or, where the client may still be sending, stop writing and read on for a while."""
        if self._is_closing:
            return
        self._is_closing = True
        if not lingers and not self._unread and not self.reader.whole and self.reader.stream is None:
            self.transport.close()
            return
        self._lingering = Lingering(self.edge.clock.now)
        self.reader.forget()
        self._unread = b""
        self._account()
        if not self.transport.is_closing():
            if self.transport.can_write_eof():
                self.transport.write_eof()
            if self._reading_paused:
                self._reading_paused = False
                self.transport.resume_reading()

    def _account(self) -> None:
        """Count what this connection holds of requests. The edge has a bound over all connections."""
        body = len(self._answering.request.body) if isinstance(self._answering, Exchange) else 0
        held_bytes = self.reader.held_bytes + len(self._unread) + body
        self.edge.held_bytes += held_bytes - self._held_bytes
        self._held_bytes = held_bytes
        if self.edge.held_bytes > self.edge.held_bytes_max and self.reader.phase == "body" and not self._is_closing:
            self._refuse(Overloaded("the registry holds as many bytes of requests as it may; try again later"))

    def _pause_reading(self) -> None:
        if not self._reading_paused and not self.transport.is_closing():
            self._reading_paused = True
            self.transport.pause_reading()
