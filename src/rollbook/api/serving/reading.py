"""Requests as they are read from bytes: httptools parses, the gates check the headers, whole requests come out.

One rule: nothing leaves before the whole of it is there. So a body that is shorter than announced, too large or too
slow is refused on every route, and none of it can be taken for the next request. Nothing here knows a socket.

Theory: an offer to change the protocol (``Upgrade``) is ignored. The parser would stop behind the headers of such a
request, so a new parser goes on, which is first given headers that frame the same body and offer nothing.
"""

from collections import deque
from typing import Literal, TypeAlias

import httptools

from rollbook.api.serving.body_limits import check_read
from rollbook.api.serving.body_streams import BodyStream
from rollbook.api.serving.gates import Gates, check_version
from rollbook.api.serving.peers import Peer
from rollbook.api.serving.requests import IncomingRequest, SecureRequest
from rollbook.errors import HeadTooLarge, RegistryError, RequestRefused

HEAD_BYTES_MAX = 64 * 1024 - 1
FRAMING_PER_BODY_BYTE_MAX = 16
"""What chunks may add to a body: a chunk of one byte has five more."""
PIECE_BYTES = 4096
"""How much is read at a time, where requests may follow one another."""
PIECES_AT_ONCE = 4
"""How many pieces are read in one turn of the event loop. They may hold hundreds of requests, and others wait."""

NOT_HTTP = RequestRefused("the request is not valid HTTP/1.1")
HEAD_TOO_LARGE = HeadTooLarge(
    f"the address and the headers have more than {HEAD_BYTES_MAX} bytes; a long filter goes into the body of a POST"
)

LARGE_READ_BYTES = 32 * 1024  # of a body: then others have the loop, which would read on for megabytes
GO_AHEAD = b"HTTP/1.1 100 Continue\r\n\r\n"

Phase: TypeAlias = Literal["idle", "head", "body"]


class Clock:
    """The time in seconds of the event loop, as of the last tick: precise enough for deadlines, and free to read."""

    __slots__ = ("now",)

    def __init__(self, now: float) -> None:
        self.now = now


class RequestReader:
    """Reads the requests of one connection. ``peer`` is who is at its other end.

    ``phase`` is what is being read, ``since`` the time since when; where it is idle, since the last request began or
    had its body. ``body_at`` is when the last of a body came. ``whole`` are the requests that wait to be answered;
    after the one that ``ended`` no other is read.
    """

    def __init__(self, gates: Gates, clock: Clock, peer: Peer) -> None:
        self.whole: deque[IncomingRequest] = deque()
        self.phase: Phase = "idle"
        self.since = self.body_at = clock.now
        self.body_bytes = 0
        self.body_left = 0
        self.ended = False
        self.stream: BodyStream | None = None
        """The body that is arriving, where it is answered meanwhile."""
        self.wants_go_ahead = False
        self._kind = SecureRequest if peer.is_secure else IncomingRequest
        self.request = self._kind(peer.address)
        self._gates = gates
        self._clock = clock
        self._peer = peer.address
        self._is_trusted = gates.trusts(peer.address)
        self._headers = self.request.headers
        self._parser = httptools.HttpRequestParser(self)
        self._offering: IncomingRequest | None = None
        self._body: list[bytes] = []
        self._bytes_fed = 0

    def feed(self, data: bytes) -> None:
        """Read on. Refuses (RegistryError) what can't be answered; ``whole`` has what came before it."""
        if self.ended:
            return
        self._bytes_fed += len(data)
        behind_offer = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            behind_offer = offer.args[0]
        except httptools.HttpParserError as error:
            if not self.ended:
                raise self._refusal(error) from None
        if behind_offer is not None:
            self._ignore_offer(data[behind_offer:])
            return
        if self.phase != "idle" and self._bytes_fed > HEAD_BYTES_MAX:
            self._check_framing()

    @property
    def held_bytes(self) -> int:
        """How much of a body is held here."""
        return self.body_bytes if self.stream is None else self.stream.held_bytes

    def cut_off(self) -> RegistryError:
        """The refusal of a body that ends too early."""
        of = f" of {self.body_bytes + self.body_left}" if self.body_left > 0 else ""
        return RequestRefused(f"the body ends after {self.body_bytes}{of} bytes")

    def forget(self) -> None:
        """Drop what is read: nothing of it will be answered."""
        self.whole.clear()
        if self.stream is not None:
            self.stream.end(is_gone=True)
            self.stream = None
        self._body, self.body_bytes, self.body_left = [], 0, 0

    def on_message_begin(self) -> None:
        """A request begins."""
        self.request = request = self._kind(self._peer)
        self._headers = request.headers
        self.phase, self.since = "head", self._clock.now

    def on_url(self, url: bytes) -> None:
        """Some of the address is read."""
        self.request.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header is read; or a trailer, which nothing here reads."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The headers are read: the gates may refuse the request."""
        parser, request = self._parser, self.request
        if self._offering is not None:
            self.request = request = self._offering
            self._offering = None
        elif parser.should_upgrade():
            self._offering = request
        request.method = parser.get_method()
        request.known = known = dict(request.headers)
        keeps_alive = parser.should_keep_alive()
        if not keeps_alive or not OF_CONNECTIONS.isdisjoint(known):  # else it is HTTP/1.1, and need not be asked
            version = parser.get_http_version()
            if version != "1.1":
                request.version = version
                check_version(request)
        self._gates.check(request)
        if self._offering is None:
            if not keeps_alive:
                request.keep_alive = False
            if b"content-length" in known or b"transfer-encoding" in known:
                if self._gates.streams(request):
                    self._gates.check_encoding(known)
                    self._begin_stream(request)
                else:
                    self._gates.check_framing(known)
                self._begin_body(known)

    def on_body(self, body: bytes) -> None:
        """Some of the body is read."""
        self.body_bytes += len(body)
        self.body_left -= len(body)
        self.body_at = self._clock.now
        if self.stream is not None:
            self.stream.feed(body)
            return
        check_read(self.body_bytes, self._gates.body_bytes_max)
        self._body.append(body)

    def on_message_complete(self) -> None:
        """A request is read to its end."""
        if self._offering is not None:
            return
        request, body = self.request, self._body
        if self.stream is not None:
            self._end_stream(request)
            return
        if body:
            request.body = body[0] if len(body) == 1 else b"".join(body)
            self._body, self.body_bytes, self.body_left = [], 0, 0
            self.wants_go_ahead = False
            self.since = self._clock.now
        if self._is_trusted:
            self._gates.read_claims(request, self._peer)
        self.phase, self._bytes_fed = "idle", 0
        if not request.keep_alive:
            self.ended = True
        self.whole.append(request)

    def _begin_stream(self, request: IncomingRequest) -> None:
        """Let a request be answered whose body has only begun."""
        if self._is_trusted:
            self._gates.read_claims(request, self._peer)
        request.stream = self.stream = BodyStream()
        self.whole.append(request)

    def _end_stream(self, request: IncomingRequest) -> None:
        assert self.stream is not None
        self.stream.end()
        self.stream, self.body_bytes, self.body_left, self.wants_go_ahead = None, 0, 0, False
        self.phase, self.since, self._bytes_fed = "idle", self._clock.now, 0
        self.ended = self.ended or not request.keep_alive

    def _begin_body(self, known: dict[bytes, bytes]) -> None:
        self._headers = []  # for trailers, which nothing here reads
        self.phase, self.since, self._bytes_fed = "body", self._clock.now, 0
        self.body_at = self.since
        self.body_left = int(known.get(b"content-length", 0))
        self.wants_go_ahead = known.get(b"expect", b"").lower() == b"100-continue" and self.request.version == "1.1"

    def _ignore_offer(self, rest: bytes) -> None:
        """Read the body of a request that offers another protocol, and what follows it."""
        request = self._offering
        if request is None or request.method == b"CONNECT":
            raise RequestRefused("this registry is no proxy and opens no tunnel")
        self._parser = httptools.HttpRequestParser(self)
        framing = [b"%s: %s\r\n" % (name, request.known[name]) for name in FRAMING if name in request.known]
        if b"close" in request.known.get(b"connection", b"").lower():
            framing.append(b"connection: close\r\n")
        version = request.version.encode()
        self.feed(b"%s / HTTP/%s\r\n%s\r\n" % (request.method, version, b"".join(framing)))
        self.feed(rest)

    def _check_framing(self) -> None:
        """Refuses headers, or chunks and trailers, that are larger than what they are for."""
        if self.phase == "head":
            raise HEAD_TOO_LARGE
        if self._bytes_fed > HEAD_BYTES_MAX + FRAMING_PER_BODY_BYTE_MAX * self.body_bytes:
            raise RequestRefused("the chunks of the body are too small for what comes with them")

    def _refusal(self, error: httptools.HttpParserError) -> RegistryError:
        """What to answer when the parser, or one of the methods that it calls, has stopped."""
        if isinstance(error.__context__, RegistryError):
            return error.__context__
        if error.__context__ is not None:
            raise error.__context__
        return HEAD_TOO_LARGE if len(self.request.url) > HEAD_BYTES_MAX else NOT_HTTP


FRAMING = (b"content-length", b"transfer-encoding")
OF_CONNECTIONS = frozenset({b"connection", b"proxy-connection"})
"""Headers without which HTTP/1.1 is kept alive, and HTTP/1.0 is not."""
