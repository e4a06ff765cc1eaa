"""A target for tests: a real HTTP server on the loopback address that remembers what it was sent, and answers as told.

One rule: it verifies signatures by itself, from the text of Standard Webhooks, and with none of our code.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECONDS_MAX = 20.0


@dataclass(frozen=True)
class Received:
    """One request that came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def event(self) -> dict[str, Any]:
        """What it tells."""
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def revision(self) -> int:
        """The revision of the change that it tells."""
        revision: int = self.event["revision"]
        return revision


@dataclass(frozen=True)
class Answer:
    """How the target answers: after so many seconds, and with a body of so many bytes, sent slowly if asked."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    after_seconds: float = 0.0
    body_bytes: int = 2
    drip_seconds: float = 0.0


class Target:
    """Remembers every request, also those that it answers with an error. ``answer`` may be exchanged at any time."""

    def __init__(self, port: int = 0) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received], Answer] = lambda _: Answer()
        self._arrived = threading.Condition()
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                target.reply(self, target.take(Received(self.path, headers, body)))

            do_GET = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, received: Received) -> Answer:
        """Remember a request; how to answer it."""
        answer = self.answer(received)
        with self._arrived:
            self.received.append(received)
            self._arrived.notify_all()
        return answer

    def reply(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        """Answer a request."""
        time.sleep(answer.after_seconds)
        try:
            handler.send_response(answer.status)
            for name, value in answer.headers.items():
                handler.send_header(name, value)
            handler.send_header("content-length", str(answer.body_bytes))
            handler.end_headers()
            pieces = [answer.body_bytes] if not answer.drip_seconds else [1] * answer.body_bytes
            for size in pieces:
                handler.wfile.write(b"x" * size)
                time.sleep(answer.drip_seconds)
        except OSError:
            handler.close_connection = True

    def wait_for(self, count: int) -> list[Received]:
        """All requests, as soon as there are ``count``."""
        with self._arrived:
            arrived = self._arrived.wait_for(lambda: len(self.received) >= count, SECONDS_MAX)
            assert arrived, f"{len(self.received)} requests of {count} came"
            return list(self.received)

    def wait_for_revision(self, revision: int) -> list[Received]:
        """All requests, as soon as one of them tells of ``revision``."""
        with self._arrived:
            arrived = self._arrived.wait_for(
                lambda: any(each.revision == revision for each in self.received), SECONDS_MAX
            )
            assert arrived, f"revision {revision} did not come in {[each.revision for each in self.received]}"
            return list(self.received)

    def close(self) -> None:
        """Stop listening: whoever connects is refused."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def target(port: int = 0) -> Iterator[Target]:
    """A target for the length of the block."""
    opened = Target(port)
    try:
        yield opened
    finally:
        opened.close()


def is_signed(received: Received, secret: str) -> bool:
    """Whether a request is signed with a secret, as Standard Webhooks has it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    headers = received.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + received.body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, each) for each in headers["webhook-signature"].split(" "))


def first_told(received: list[Received]) -> list[int]:
    """The revisions in the order in which they were first told: what is left when duplicates are thrown away."""
    return list(dict.fromkeys(each.revision for each in received))
