"""Calls over the standard library's HTTP, for programs that send a few and end: commands.

Theory: importing an HTTP library takes longer than most commands. What goes well needs none: plain HTTP, no proxy, an
answer. All else (watches, retries, certificates, failures, and their words) is handed to a ``Client``.

One rule: what is sent here, and how its answer is read, are the same calls; there is no second client.
"""

import http.client
import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import SplitResult, urlsplit

from rollbook.client.calls import Answer, Call, Headers, Stream, Warn
from rollbook.client.nouns import WaitingNouns
from rollbook.client.replies import check, warnings_in
from rollbook.client.retrying import DEFAULT_RETRIES
from rollbook.errors import RegistryUnreachable

if TYPE_CHECKING:
    from rollbook.client.blocking import Client

T = TypeVar("T")

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
PIECE_BYTES = 65536
PROXIES = ("HTTP_PROXY", "ALL_PROXY")
LOST = (OSError, http.client.HTTPException, ValueError)
"""What the standard library raises for a connection that is lost and for an answer that is none."""


class PlainClient(WaitingNouns):
    """As ``Client``, for threads that do not share it. What it does not have itself is that of a ``Client``."""

    def __init__(self, url: str, *, token: str | None = None, warn: Warn | None = None) -> None:
        self._url, self._token, self._warn = url, token, warn
        self._address = urlsplit(url)
        self._headers = {"accept": "*/*"} | ({"authorization": f"Bearer {token}"} if token else {})
        self._connection: http.client.HTTPConnection | None = None
        self._whole: Client | None = None
        super().__init__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)

    @property
    def whole(self) -> "Client":
        """The client that does the rest."""
        if self._whole is None:
            from rollbook.client.blocking import Client

            self._whole = Client(self._url, token=self._token, warn=self._warn)
        return self._whole

    def send(self, call: Call[T]) -> T:
        """As ``Client.send``."""
        try:
            self._connect()
        except LOST:
            return self.whole.send(call)
        try:
            response = self._request(call)
            body = response.read()
        except LOST as error:
            self._forget()
            if call.repeatable:
                return self.whole.send(call)
            raise self._lost(error, call) from error
        answer = answer_of(response, body)
        pause = DEFAULT_RETRIES.pause_after_answer(1, answer, time.time(), repeatable=call.repeatable)
        if pause is None:
            self._heed(answer.headers)
            return call.read(answer)
        time.sleep(pause)
        return self.whole.send(call)

    def stream(self, stream: Stream[T]) -> Iterator[T]:
        """As ``Client.stream``."""
        call, decoder = stream.call, stream.decoder()
        try:
            self._connect()
        except LOST:
            yield from self.whole.stream(stream)
            return
        try:
            response = self._request(call)
            with closing(response):
                self._heed(headers_in(response))
                if not 200 <= response.status < 300:
                    check(answer_of(response, response.read()))
                while piece := response.read1(PIECE_BYTES):
                    yield from decoder.feed(piece)
                yield from decoder.end()
        except LOST as error:
            raise self._lost(error, call) from error
        finally:
            self._forget()

    def close(self) -> None:
        """Close the connections."""
        self._forget()
        if self._whole is not None:
            self._whole.close()

    def _connect(self) -> None:
        """Have a connection: a new one for each call, for the registry may have closed another one meanwhile."""
        self._forget()
        host, port = self._address.hostname or "", self._address.port
        self._connection = http.client.HTTPConnection(host, port)
        address: Any = host.encode(), self._connection.port  # a name as a str would import the tables of IDNA
        self._connection.sock = socket.create_connection(address, CONNECT_SECONDS)
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _request(self, call: Call[Any]) -> http.client.HTTPResponse:
        connection = self._connection
        assert connection is not None
        assert connection.sock is not None
        connection.sock.settimeout(READ_SECONDS if call.read_seconds is None else call.read_seconds)
        headers = {**self._headers, **call.headers}
        if call.body is not None:
            headers.setdefault("content-type", "application/json")
        connection.request(call.method, self._address.path.rstrip("/") + call.target, call.body, headers)
        return connection.getresponse()

    def _heed(self, headers: Headers) -> None:
        if self._warn is not None:
            for warning in warnings_in(headers):
                self._warn(warning)

    def _lost(self, error: Exception, call: Call[Any]) -> RegistryUnreachable:
        from rollbook.client.connections import Connection

        return Connection(self._url, None, None, DEFAULT_RETRIES).unreachable(error, call)

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def is_plain(url: str) -> bool:
    """Whether this address is asked over plain HTTP, without a proxy, and has nothing unusual in it."""
    if any(os.environ.get(name) or os.environ.get(name.lower()) for name in PROXIES) or not url.isascii():
        return False
    try:
        parts: SplitResult = urlsplit(url)
        usual = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        usual
        and parts.scheme == "http"
        and bool(parts.hostname)
        and not (parts.username or parts.query or parts.fragment)
    )


def answer_of(response: http.client.HTTPResponse, body: bytes) -> Answer:
    return Answer(response.status, response.reason, headers_in(response), body)


def headers_in(response: http.client.HTTPResponse) -> Headers:
    return [(name.lower(), value) for name, value in response.getheaders()]
