"""uvicorn's HTTP protocol, with two answers of our own.

Bytes that are no HTTP get a problem like any other refusal. And the hottest question, a plain ``GET /clusters/{id}`` of
a cluster that is there, is answered straight from the view as soon as its head is read: no task, no messages between
server and application.

One rule: what is answered here is byte for byte what the application would answer. Whatever takes a thought (a
condition, a query string, a body, an unknown id, a slow reader, requests that wait before it) goes the ordinary way.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rollbook.api.problems import MEDIA_TYPE, problem
from rollbook.errors import RequestRefused
from rollbook.view.entries import View

PREFIX = b"/clusters/"
PLAIN_BYTES_MAX = 16 * 1024
DECISIVE = frozenset({b"if-none-match", b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade"})
DECISIVE_FOR_LARGE = DECISIVE | {b"accept-encoding"}


class RegistryProtocol(HttpToolsProtocol):
    """The protocol of one connection. ``view`` is set by ``protocol_for``."""

    view: View
    _answered = False

    def on_headers_complete(self) -> None:
        """The head of a request is read: answer it here, or let it go on."""
        self._answered = self._answer_plainly()
        if not self._answered:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of a request's body is read."""
        if not self._answered:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is read to its end."""
        if self._answered:
            self._answered = False
            self.on_response_complete()
        else:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that can't be understood, and hang up."""
        body = bytes(problem(RequestRefused("the request is not valid HTTP/1.1")).body)
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: {MEDIA_TYPE}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def _answer_plainly(self) -> bool:
        url = self.url
        if not url.startswith(PREFIX) or self.parser.get_method() != b"GET" or self._is_occupied():
            return False
        entry = self.view.entry(url[len(PREFIX) :].decode("latin-1"))
        if entry is None or self.parser.get_http_version() != "1.1":
            return False
        decisive = DECISIVE_FOR_LARGE if len(entry.body) > PLAIN_BYTES_MAX else DECISIVE
        if any(name in decisive for name, _ in self.headers):
            return False
        defaults = b"".join([b"%s: %s\r\n" % header for header in self.server_state.default_headers])
        head = (
            b'HTTP/1.1 200 OK\r\n%setag: "%d"\r\nvary: accept-encoding\r\nx-registry-revision: %d\r\n'
            b"content-length: %d\r\ncontent-type: application/json\r\n\r\n"
        )
        facts = (defaults, entry.revision, self.view.revision, len(entry.body))
        self.transport.write(head % facts + entry.body)
        return True

    def _is_occupied(self) -> bool:
        """Whether earlier requests of the connection are still being answered, or its reader is slow."""
        cycle = self.cycle
        return (cycle is not None and not cycle.response_complete) or self.flow.write_paused


def protocol_for(view: View) -> type[RegistryProtocol]:
    """The protocol of connections to the registry whose documents are in ``view``."""
    return type("RegistryProtocol", (RegistryProtocol,), {"view": view})
