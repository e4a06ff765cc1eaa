"""Content encodings: answers are compressed when the caller asks for it and it is worth it.

One rule: what is sent compressed is another representation, so its entity tag says which: ``"12-gzip"``.
"""

import zlib
from typing import Protocol

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WORTH_IT_BYTES = 2048
GZIP_LEVEL = 1
GZIP_WINDOW = 31
ENCODED_TYPES = ("application/json", "application/x-ndjson", "application/problem+json")
STEP_BYTES = 64 * 1024


class Encoder(Protocol):
    """What compresses a stream of bytes."""

    def compress(self, data: bytes, /) -> bytes:
        """More of the stream; what comes out so far."""
        ...

    def flush(self) -> bytes:
        """The end of the stream."""
        ...


class Encoded:
    """Compresses what the application answers, where the caller accepts gzip."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and accepts_gzip(scope["headers"]):
            await self._app(scope, receive, _Encoding(send).send)
        else:
            await self._app(scope, receive, send)


class _Encoding:
    """One answer on its way out. It begins once it is known whether compressing is worth it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._encoder: Encoder | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._start is not None:
            start, self._start = self._start, None
            headers = MutableHeaders(raw=start["headers"])
            if is_worth_it(headers, body, more):
                self._encoder = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW)
                mark_encoded(headers)
            await self._send(start)
        if self._encoder is None:
            await self._send(message)
            return
        for begin in range(0, len(body), STEP_BYTES):  # so that one large piece does not hold others up
            encoded = self._encoder.compress(body[begin : begin + STEP_BYTES])
            if encoded:
                await self._send({"type": "http.response.body", "body": encoded, "more_body": True})
        rest = b"" if more else self._encoder.flush()
        if rest or not more:
            await self._send({"type": "http.response.body", "body": rest, "more_body": more})


def accepts_gzip(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether ``Accept-Encoding`` names gzip, and not with a weight of zero."""
    for name, value in headers:
        if name == b"accept-encoding":
            for coding in value.decode("latin-1").split(","):
                token, _, weight = coding.strip().partition(";")
                if token.strip().lower() == "gzip":
                    return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def is_worth_it(headers: MutableHeaders, body: bytes, more: bool) -> bool:
    """Whether an answer gets smaller by more than it costs: JSON, not small, not encoded yet."""
    media_type = headers.get("content-type", "").partition(";")[0]
    declared = headers.get("content-length", "")
    size_bytes = int(declared) if declared.isdigit() else len(body)
    is_endless = more and not declared
    return (
        media_type in ENCODED_TYPES
        and "content-encoding" not in headers
        and not is_endless
        and size_bytes >= WORTH_IT_BYTES
    )


def mark_encoded(headers: MutableHeaders) -> None:
    """Say in the head of an answer that its body is gzip."""
    headers["content-encoding"] = "gzip"
    del headers["content-length"]
    tag = headers.get("etag")
    if tag is not None:
        headers["etag"] = f'{tag[:-1]}-gzip"'
    if "accept-encoding" not in headers.get("vary", ""):
        headers.add_vary_header("accept-encoding")
