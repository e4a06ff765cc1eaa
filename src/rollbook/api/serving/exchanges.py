"""One request that the application answers: what ASGI calls ``receive`` and ``send``.

The request is whole when its exchange begins, so ``receive`` never waits for a body. ``send`` waits while the client
does not read. A client that hangs up is no error: what is sent from then on is dropped.
"""

import logging
from asyncio import Event
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.types import Message, Scope

from rollbook.api.asking import CALLER, REVOKED
from rollbook.api.metrics.running_requests import RunningRequest
from rollbook.api.problems import mistake
from rollbook.api.serving.body_streams import AHEAD_BYTES_MAX
from rollbook.api.serving.logs import escaped, request_id
from rollbook.api.serving.rendering import rendered, rendered_head
from rollbook.api.serving.requests import IncomingRequest

if TYPE_CHECKING:
    from rollbook.api.serving.protocol import Connection

ASGI = {"version": "3.0", "spec_version": "2.3"}
BODILESS = frozenset({204, 304})

logger = logging.getLogger(__name__)


class Exchange:
    """A request on its way through the application."""

    __slots__ = (
        "_chunked",
        "_connection",
        "_gone",
        "_head",
        "_left",
        "_received",
        "_running",
        "_sends_body",
        "_state",
        "_status",
        "complete",
        "id",
        "keep_alive",
        "request",
    )

    def __init__(self, connection: "Connection", request: IncomingRequest, *, id: str) -> None:
        self.request = request
        self.id = id
        self.keep_alive = request.keep_alive
        self.complete = False
        self._connection = connection
        self._running = RunningRequest(request, perf_counter(), id, {})
        self._received = False
        self._gone = False
        self._left = Event()
        self._head: Message | None = None
        self._status = 0
        self._chunked = False
        self._sends_body = True
        self._state: dict[str, bool] = {}

    async def run(self) -> None:
        """Have the application answer, whatever it does."""
        request_id.set(self.id)
        edge = self._connection.edge
        self._running.scope = scope = self._scope()
        edge.traffic.running.add(self._running)
        if edge.observer is not None:
            edge.observer.begin(self.request)
        try:
            await edge.app(scope, self.receive, self.send)
        except Exception:
            if not self.complete and not self._gone:
                logger.exception("%s %s failed", self.request.method.decode(), escaped(self.request.url.decode()))
        finally:
            self._end()

    def leave(self) -> None:
        """Note that the client sends nothing more: a stream to it ends. An answer that is on its way may be read."""
        self._left.set()

    def revoke(self) -> None:
        """End a stream to a caller who is no longer who it was. It asks anew, and is recognised anew."""
        self._state[REVOKED] = True
        self._left.set()

    def disconnect(self) -> None:
        """Note that the client has hung up."""
        self._gone = True
        self._left.set()

    async def receive(self) -> Message:
        """The body, which is whole, or a part of one that arrives; then, when it comes, the client's leaving."""
        stream = self.request.stream
        if stream is not None and not self._received:
            try:
                chunk = await stream.next()
            except ConnectionError:
                return {"type": "http.disconnect"}
            self._received = chunk is None
            return {"type": "http.request", "body": chunk or b"", "more_body": not self._received}
        if not self._received:
            self._received = True
            return {"type": "http.request", "body": self.request.body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send a part of the answer. The head goes out together with the first of the body."""
        if self._gone or self.complete:
            return
        if message["type"] == "http.response.start":
            self._head = message
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        head = self._rendered_head(body, more) if self._status == 0 else b""
        self._connection.outgoing.write(head + self._framed(body, more) if head else self._framed(body, more))
        self.complete = not more
        if more and not self._may_write_on():
            await self._connection.outgoing.drained()

    def _may_write_on(self) -> bool:
        """Whether the client may not read yet, for it is still sending."""
        stream = self.request.stream
        if stream is None or stream.has_ended:
            return False
        return self._connection.transport.get_write_buffer_size() <= AHEAD_BYTES_MAX

    def _rendered_head(self, body: bytes, more: bool) -> bytes:
        assert self._head is not None
        self._status, headers = self._head["status"], list(self._head["headers"])
        self._running.answered = perf_counter()
        names = [name for name, _ in headers]
        bodiless = self.request.method == b"HEAD" or self._status in BODILESS
        self._sends_body = not bodiless
        if b"content-length" not in names and not bodiless:
            if not more:
                headers.append((b"content-length", b"%d" % len(body)))
            elif self.request.version == "1.1":
                self._chunked = True
                headers.append((b"transfer-encoding", b"chunked"))
            else:
                self.keep_alive = False  # the end of the connection is the end of the body
        self.keep_alive = self.keep_alive and not self._connection.edge.is_stopping
        if (b"connection", b"close") in headers:
            self.keep_alive = False
        elif not self.keep_alive:
            headers.append((b"connection", b"close"))
        elif self.request.version == "1.0":
            headers.append((b"connection", b"keep-alive"))
        headers += [(name.encode(), value.encode()) for name, value in self.request.limits.items()]
        return rendered_head(self._status, self._connection.edge.default_headers(self.request, self.id), headers)

    def _framed(self, body: bytes, more: bool) -> bytes:
        if not self._sends_body:
            return b""
        if not self._chunked:
            return body
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        return chunk if more else chunk + b"0\r\n\r\n"

    def _end(self) -> None:
        """Close what can't be ended properly, and let the next request begin."""
        connection = self._connection
        if not self.complete and not self._gone:
            if self._status == 0:
                answer = rendered(mistake(), connection.edge.default_headers(self.request, self.id), closes=True)
                connection.outgoing.write(answer)
                self._status = 500
            self.keep_alive = False
        connection.edge.end(self._running, self._status)
        connection.end(keep_alive=self.keep_alive)

    def _scope(self) -> Scope:
        request = self.request
        path, _, query = request.url.partition(b"?")
        text = path.decode("ascii", "replace")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": ASGI,
            "http_version": request.version,
            "server": self._connection.peer.server,
            "client": (request.client, 0),
            "scheme": request.scheme,
            "method": request.method.decode("ascii"),
            "root_path": "",
            "path": unquote(text) if "%" in text else text,
            "raw_path": path,
            "query_string": query,
            "headers": request.headers,
            "state": self._state,
            "request_id": self.id,
            CALLER: request.caller,
        }
        return scope
