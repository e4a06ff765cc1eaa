"""uvicorn's HTTP protocol, with answers of our own.

Bytes that are no HTTP, or a head without end, get a problem like any other refusal. And plain requests of the hottest
kinds are answered as soon as they are read (``plain_answers``) or durable (``plain_writes``), with no task and no
messages between server and application. Whatever else there is goes the ordinary way: what is not plain, a body that
comes in parts, a slow reader, requests that wait before it.

Theory: uvicorn makes three things for every request that a plain one has no use for: the scope of the application, a
timer that ends an idle connection, and another one's end. Here a scope is made for what goes the ordinary way; and one
timer runs on, and looks how long the connection has been idle when it is over.
"""

from asyncio import Event, Future, TimerHandle, Transport
from http import HTTPStatus
from time import perf_counter

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rollbook.api.metrics.histograms import Histogram
from rollbook.api.metrics.request_counts import OTHER, RequestCounts
from rollbook.api.problems import MEDIA_TYPE, problem, status_of
from rollbook.api.serving.plain_answers import PlainAnswers
from rollbook.api.serving.plain_writes import PlainWrites
from rollbook.errors import HeadTooLarge, RegistryError, RequestRefused
from rollbook.registry.registry import Registry
from rollbook.registry.writing.committing import WriteResult

HEAD_BYTES_MAX = 64 * 1024 - 1
"""What the parser takes as an address. A head that comes in few pieces may have more, by what one piece can hold."""

LINGER_SECONDS = 2.0

NO_HTTP = RequestRefused("the request is not valid HTTP/1.1")
HEAD_TOO_LARGE = HeadTooLarge(
    f"the address and the headers have more than {HEAD_BYTES_MAX} bytes; a long filter goes into the body of a POST"
)


class RegistryProtocol(HttpToolsProtocol):
    """The protocol of one connection. What all connections share is set by ``protocol_for``."""

    plain: PlainAnswers
    writes: PlainWrites
    malformed: Histogram
    default_headers: "DefaultHeaders"
    url = b""
    timeout_keep_alive_task: TimerHandle | None
    _answered = False
    _refused = False
    _reads_head = True
    _head_bytes = 0
    _heard_at = 0.0
    _held: bytes | None = None
    """The body of a POST or a PUT so far, while it may be answered here; its head has not gone the ordinary way yet."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """A connection begins, and with it the time that it may be idle."""
        super().connection_made(transport)
        self._heard_at = self.loop.time()
        self._start_timer(self.timeout_keep_alive)

    def data_received(self, data: bytes) -> None:
        """Some bytes have come. A body that is not whole by now goes the ordinary way."""
        if self._refused:
            return
        if self._reads_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._refused or self.transport.is_closing():
            return
        if self._head_bytes > HEAD_BYTES_MAX:
            self._refuse(HEAD_TOO_LARGE)
        elif self._held is not None:
            self._hand_on()

    def on_message_begin(self) -> None:
        """A request begins. Its scope is made when it goes the ordinary way."""
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """The head of a request is read: answer it here, wait for its body, or let it go on."""
        self._reads_head, self._head_bytes = False, 0
        if not self._is_occupied() and self.parser.get_http_version() == "1.1":
            method = self.parser.get_method()
            if method == b"GET":
                answer = self.plain.to_read(self.url, self.headers, self._default_headers())
                if answer is not None:
                    self._answer(answer)
                    return
            elif (method == b"POST" and self.plain.takes_post(self.url, self.headers)) or (
                method == b"PUT" and self.writes.takes(self.url, self.headers)
            ):
                self._held = b""
                return
        self._go_on()

    def on_body(self, body: bytes) -> None:
        """Some of a request's body is read."""
        if self._held is not None:
            self._held += body
        elif not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is read to its end."""
        self._reads_head = True
        if self._held is not None and not self._answer_to_body(self._held):
            self._hand_on()
        if self._answered:
            self._answered = False
        else:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer has gone out the ordinary way."""
        self._end_timer()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._end_timer()
        super().connection_lost(exc)

    def timeout_keep_alive_handler(self) -> None:
        """The connection may have been idle for too long: what came meanwhile has not stopped the timer."""
        self.timeout_keep_alive_task = None
        if self._is_answering():
            return
        idle_seconds = self.loop.time() - self._heard_at
        if idle_seconds >= self.timeout_keep_alive:
            super().timeout_keep_alive_handler()
        else:
            self._start_timer(self.timeout_keep_alive - idle_seconds)

    def send_400_response(self, msg: str) -> None:
        """Answer a request that can't be understood, and hang up."""
        self._refuse(HEAD_TOO_LARGE if len(self.url) > HEAD_BYTES_MAX else NO_HTTP)

    def _unset_keepalive_if_required(self) -> None:
        """Something has come: uvicorn would end the timer."""
        self._heard_at = self.loop.time()

    def _unsupported_upgrade_warning(self) -> None:
        """A client that offers another protocol is answered in this one, and nobody has to be warned of it."""

    def _answer_to_body(self, body: bytes) -> bool:
        if self.parser.get_method() == b"PUT":
            return self._begin_update(body)
        answer = self.plain.to_post(self.url, self.headers, body, self._default_headers())
        if answer is None:
            return False
        self._held = None
        self._answer(answer)
        return True

    def _begin_update(self, body: bytes) -> bool:
        begun, peer = perf_counter(), self.client[0] if self.client else "unknown"
        update = self.writes.asked(self.url, self.headers, body, peer=peer)
        if update is None:
            return False
        self._held, self._answered = None, True
        self.cycle = cycle = UpdateCycle()  # type: ignore[assignment]
        update.add_done_callback(lambda done: self._end_update(done, cycle, begun))
        return True

    def _end_update(self, update: "Future[WriteResult]", cycle: "UpdateCycle", begun: float) -> None:
        closes = not cycle.keep_alive
        answer = self.writes.answer_to(update, begun, default=self._default_headers(), closes=closes)
        if not self.transport.is_closing():
            self.transport.write(answer)
            if closes:
                self.transport.close()
        cycle.response_complete = True
        if self.pipeline or self.transport.is_closing():
            self.on_response_complete()
            return
        self._heard_at = self.loop.time()
        self.flow.resume_reading()
        self._count_answer()

    def _answer(self, answer: bytes) -> None:
        self.transport.write(answer)
        self._answered = True
        self._count_answer()

    def _count_answer(self) -> None:
        self.server_state.total_requests += 1
        if self.timeout_keep_alive_task is None:
            self._start_timer(self.timeout_keep_alive)

    def _go_on(self) -> None:
        """Let a request whose head is read go the ordinary way."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers  # the scope has this very list
        super().on_headers_complete()

    def _hand_on(self) -> None:
        """Let what has been held back go the ordinary way."""
        body, self._held = self._held, None
        self._go_on()
        if body:
            super().on_body(body)

    def _refuse(self, refusal: RegistryError) -> None:
        """Answer, and hang up a little later: a client that is still sending would not see the answer otherwise."""
        self._refused = True
        self._end_timer()
        self.malformed.add(0.0)
        status, body = HTTPStatus(status_of(refusal)), bytes(problem(refusal).body)
        head = (
            f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _start_timer(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _end_timer(self) -> None:
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def _default_headers(self) -> bytes:
        """What every answer has, rendered anew when the server has a new list: when the second of ``date`` turns."""
        listed = self.server_state.default_headers
        if self.default_headers.listed is not listed:
            rendered = b"".join([b"%s: %s\r\n" % header for header in listed])
            self.default_headers.listed, self.default_headers.rendered = listed, rendered
        return self.default_headers.rendered

    def _is_occupied(self) -> bool:
        """Whether earlier requests of the connection are still being answered, or its reader is slow.

        (The first is ``_is_answering``, written out here: this is asked with every request.)
        """
        return (self.cycle is not None and not self.cycle.response_complete) or self.flow.write_paused

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete


class DefaultHeaders:
    """The headers that every answer has, as the server lists them and as they are sent."""

    __slots__ = ("listed", "rendered")

    def __init__(self) -> None:
        self.listed: list[tuple[bytes, bytes]] | None = None
        self.rendered = b""


class UpdateCycle:
    """What uvicorn asks of a request that is being answered: those after it wait for it, and so does a stop."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")

    message_event = Event()
    """Nobody waits for it: one for all."""

    def __init__(self) -> None:
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = True


def protocol_for(registry: Registry, traffic: RequestCounts) -> type[RegistryProtocol]:
    """The protocol of connections to ``registry``; what it answers by itself is counted in ``traffic``."""
    shared = {
        "plain": PlainAnswers(registry, traffic),
        "writes": PlainWrites(registry, traffic),
        "malformed": traffic.of(OTHER, OTHER, 400),
        "default_headers": DefaultHeaders(),
    }
    return type("RegistryProtocol", (RegistryProtocol,), shared)
