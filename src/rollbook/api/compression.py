"""Content encodings: answers are compressed when the caller accepts it and they are large enough.

One rule: what is sent compressed is another representation, so its entity tag says which: ``"12-gzip"``.
"""

import re
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

import zstandard
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COMPRESS_FROM_BYTES = 16 * 1024
"""Less is sent as it is: it takes longer to compress than to send."""

LEVEL = 1
GZIP_WINDOW = 31
ENCODED_TYPES = ("application/json", "application/x-ndjson", "application/problem+json", "text/plain")
STEP_BYTES = 64 * 1024

CODING = re.compile(r"\s*([\w*.-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")


class Encoder(Protocol):
    """What compresses a stream of bytes."""

    def compress(self, data: bytes, /) -> bytes:
        """More of the stream; what comes out so far."""
        ...

    def flush(self) -> bytes:
        """The end of the stream."""
        ...


ENCODERS: Mapping[str, Callable[[], Encoder]] = {
    "zstd": lambda: zstandard.ZstdCompressor(level=LEVEL).compressobj(),
    "gzip": lambda: zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP_WINDOW),
}
"""The codings there are, the best first."""


class Encoded:
    """Compresses what the application answers, where the caller accepts it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        coding = accepted_coding(Headers(scope=scope)) if scope["type"] == "http" else None
        await self._app(scope, receive, send if coding is None else _Encoding(send, coding).send)


class _Encoding:
    """One answer on its way out. It begins once it is known whether it is large enough to compress."""

    def __init__(self, send: Send, coding: str) -> None:
        self._send = send
        self._coding = coding
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
                self._encoder = ENCODERS[self._coding]()
                mark_encoded(headers, self._coding)
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


def accepted_coding(headers: Headers) -> str | None:
    """The coding of ours that ``Accept-Encoding`` likes best, of equals the better one; None when it names none."""
    weights: dict[str, float] = {}
    for each in ",".join(headers.getlist("accept-encoding")).lower().split(","):
        if found := CODING.fullmatch(each):
            weights[found[1]] = float(found[2] or 1)
    rest = weights.get("*", 0.0)
    best = max(ENCODERS, key=lambda coding: weights.get(coding, rest))
    return best if weights.get(best, rest) > 0 else None


def is_worth_it(headers: MutableHeaders, body: bytes, more: bool) -> bool:
    """Whether an answer gets smaller by more than it costs: text, not small, not encoded yet, and not watched live."""
    media_type = headers.get("content-type", "").partition(";")[0]
    return (
        media_type in ENCODED_TYPES
        and "content-encoding" not in headers
        and "no-transform" not in headers.get("cache-control", "")
        and (more or len(body) >= COMPRESS_FROM_BYTES)
    )


def mark_encoded(headers: MutableHeaders, coding: str) -> None:
    """Say in the head of an answer how its body is encoded."""
    headers["content-encoding"] = coding
    del headers["content-length"]
    tag = headers.get("etag")
    if tag is not None:
        headers["etag"] = f'{tag[:-1]}-{coding}"'
    if "accept-encoding" not in headers.get("vary", ""):
        headers.add_vary_header("accept-encoding")
