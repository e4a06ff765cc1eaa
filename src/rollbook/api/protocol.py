"""uvicorn's HTTP protocol, with four answers of our own.

Bytes that are no HTTP get a problem like any other refusal. And the three hottest requests are answered as soon as they
are read, with no task and no messages between server and application: a plain ``GET /clusters/{id}`` of a cluster that
is there, straight from the view; a plain ``POST /clusters/query`` that the indexes alone can answer; and a plain
``POST /clusters/{id}/heartbeat`` that no document takes note of.

One rule: what is answered here is byte for byte what the application would answer. Whatever takes a thought (a
condition, a query string, a body that comes in parts or large, a refusal, documents that must be looked at, a slow
reader, requests that wait before it) goes the ordinary way.
"""

from collections.abc import Collection, Sequence
from time import perf_counter

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rollbook.api.durations import UNTIMED_MAX, Durations
from rollbook.api.encodings import WORTH_IT_BYTES
from rollbook.api.liveness_handlers import lease_as_json
from rollbook.api.problems import MEDIA_TYPE, problem
from rollbook.api.responses import ARRAY
from rollbook.api.traffic import OTHER, Traffic
from rollbook.clusters.liveness import Lease
from rollbook.documents.codec import decode_json
from rollbook.documents.values import MISSING
from rollbook.errors import RegistryError, RequestRefused
from rollbook.registry.heartbeats import parse_beat
from rollbook.registry.registry import Registry
from rollbook.registry.requests import parse_query

PREFIX, QUERY, HEARTBEAT = b"/clusters/", b"/clusters/query", b"/heartbeat"
PLAIN_BYTES_MAX = 16 * 1024
DECISIVE = frozenset({b"if-none-match", b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade"})
ENCODING = frozenset({b"accept-encoding"})
DECISIVE_FOR_LARGE = DECISIVE | ENCODING
DECISIVE_FOR_QUERIES = DECISIVE - {b"content-length", b"if-none-match"} | {
    b"accept",
    b"content-encoding",
    b"content-type",
}
DECISIVE_FOR_BEATS = DECISIVE - {b"content-length", b"if-none-match"} | {b"content-encoding", b"content-type"}
HARMLESS = frozenset(
    {
        (b"connection", b"keep-alive"),
        (b"accept", b"*/*"),
        (b"accept", b"application/json"),
        (b"content-type", b"application/json"),
    }
)

READ_HEAD = (
    b'HTTP/1.1 200 OK\r\n%setag: "%d"\r\nvary: accept-encoding\r\nx-registry-revision: %d\r\n'
    b"content-length: %d\r\ncontent-type: application/json\r\n\r\n"
)
QUERY_HEAD = (
    b"HTTP/1.1 200 OK\r\n%sx-registry-revision: %d\r\nvary: accept, accept-encoding\r\n"
    b"content-length: %d\r\ncontent-type: application/json\r\n\r\n"
)
BEAT_HEAD = (
    b"HTTP/1.1 200 OK\r\n%scontent-length: %d\r\ncontent-type: application/json\r\nx-registry-revision: %d\r\n\r\n"
)


class RegistryProtocol(HttpToolsProtocol):
    """The protocol of one connection. What all connections share is set by ``protocol_for``."""

    registry: Registry
    reads: Durations
    queries: Durations
    beats: Durations
    malformed: Durations
    _answered = False
    _held: bytes | None = None
    """The body of a POST so far, while it may be answered here; its head has not gone the ordinary way yet."""

    def data_received(self, data: bytes) -> None:
        """Some bytes have come. A POST that is not whole by now goes the ordinary way."""
        super().data_received(data)
        if self._held is not None and not self.transport.is_closing():
            self._hand_on()

    def on_headers_complete(self) -> None:
        """The head of a request is read: answer it here, wait for its body, or let it go on."""
        method = self.parser.get_method()
        if method == b"GET":
            self._answered = self._answer_read()
        elif method == b"POST" and (self._is_plain_query() if self.url == QUERY else self._is_plain_beat()):
            self._held = b""
            return
        if not self._answered:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of a request's body is read."""
        if self._held is not None:
            self._held += body
        elif not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is read to its end."""
        if self._held is not None:
            self._answered = self._answer_query(self._held) if self.url == QUERY else self._answer_beat(self._held)
            if self._answered:
                self._held = None
            else:
                self._hand_on()
        if self._answered:
            self._answered = False
            self.on_response_complete()
        else:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that can't be understood, and hang up."""
        self.malformed.add(0.0)
        body = bytes(problem(RequestRefused("the request is not valid HTTP/1.1")).body)
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _answer_read(self) -> bool:
        url, view, reads = self.url, self.registry.view, self.reads
        begun = perf_counter() if reads.untimed == UNTIMED_MAX else None
        if not url.startswith(PREFIX) or self._is_occupied():
            return False
        entry = view.entry(url[len(PREFIX) :].decode("latin-1"))
        if entry is None:
            return False
        body = entry.body
        if not self._is_plain(DECISIVE if len(body) < WORTH_IT_BYTES else DECISIVE_FOR_LARGE):
            return False
        head = READ_HEAD % (self._default_headers(), entry.revision, view.revision, len(body))
        self.transport.write(head + body)
        if begun is None:
            reads.untimed += 1
        else:
            reads.settle(perf_counter() - begun)
        return True

    def _is_plain_query(self) -> bool:
        return self._has_plain_body() and self._is_plain(DECISIVE_FOR_QUERIES) and not self._is_occupied()

    def _is_plain_beat(self) -> bool:
        return (
            self.url.endswith(HEARTBEAT)
            and self.url.startswith(PREFIX)
            and (self._has_no_body() or self._has_plain_body())
            and self._is_plain(DECISIVE_FOR_BEATS)
            and not self._is_occupied()
        )

    def _answer_query(self, body: bytes) -> bool:
        begun = perf_counter()
        bodies = self._found(body)
        if bodies is None:
            return False
        pieces = ARRAY.pieces(bodies)
        answer = next(pieces)
        if next(pieces, None) is not None or (len(answer) >= WORTH_IT_BYTES and not self._is_plain(ENCODING)):
            return False
        head = QUERY_HEAD % (self._default_headers(), self.registry.view.revision, len(answer))
        self.transport.write(head + answer)
        self.queries.add(perf_counter() - begun)
        return True

    def _found(self, body: bytes) -> Sequence[bytes] | None:
        """What a query finds, if the indexes alone say so."""
        registry = self.registry
        try:
            query = parse_query(decode_json(body, limits=registry.limits), limits=registry.limits)
            return registry.reader.find_at_once(query)
        except Exception:  # the ordinary way comes to the same, and tells of it
            return None

    def _answer_beat(self, body: bytes) -> bool:
        begun = perf_counter()
        lease = self._heard(body)
        if lease is None:
            return False
        answer = orjson.dumps(lease_as_json(lease))
        head = BEAT_HEAD % (self._default_headers(), len(answer), self.registry.view.revision)
        self.transport.write(head + answer)
        self.beats.add(perf_counter() - begun)
        return True

    def _heard(self, body: bytes) -> Lease | None:
        """The lease that a beat renews, if nothing is to be waited for."""
        id = self.url[len(PREFIX) : -len(HEARTBEAT)].decode("latin-1")
        try:
            beat = parse_beat(decode_json(body, limits=self.registry.limits) if body else MISSING)
        except RegistryError:  # the ordinary way refuses it too, and says why
            return None
        return self.registry.liveness.beat_at_once(id, beat)

    def _hand_on(self) -> None:
        """Let what has been held back go the ordinary way."""
        body, self._held = self._held, None
        super().on_headers_complete()
        if body:
            super().on_body(body)

    def _is_plain(self, decisive: Collection[bytes]) -> bool:
        """Whether no header decides about the answer, and requests may follow on the connection."""
        if self.parser.get_http_version() != "1.1":
            return False
        return not any(header[0] in decisive and header not in HARMLESS for header in self.headers)

    def _has_no_body(self) -> bool:
        return all(value == b"0" for name, value in self.headers if name == b"content-length")

    def _has_plain_body(self) -> bool:
        headers = dict(self.headers)
        length = headers.get(b"content-length", b"")
        return length.isdigit() and int(length) <= PLAIN_BYTES_MAX and b"content-type" in headers

    def _default_headers(self) -> bytes:
        return b"".join([b"%s: %s\r\n" % header for header in self.server_state.default_headers])

    def _is_occupied(self) -> bool:
        """Whether earlier requests of the connection are still being answered, or its reader is slow."""
        cycle = self.cycle
        return (cycle is not None and not cycle.response_complete) or self.flow.write_paused


def protocol_for(registry: Registry, traffic: Traffic) -> type[RegistryProtocol]:
    """The protocol of connections to ``registry``; what it answers by itself is counted in ``traffic``."""
    shared = {
        "registry": registry,
        "reads": traffic.of("/clusters/{id}", "GET", 200),
        "queries": traffic.of("/clusters/query", "POST", 200),
        "beats": traffic.of("/clusters/{id}/heartbeat", "POST", 200),
        "malformed": traffic.of(OTHER, OTHER, 400),
    }
    return type("RegistryProtocol", (RegistryProtocol,), shared)
