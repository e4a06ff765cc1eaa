"""What a request carries: its body as a value, its conditions, its author. Refusals are those of ``errors``."""

import asyncio
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from starlette.requests import ClientDisconnect, Request

from rollbook.api.offloading import is_quick_to_parse, off_the_loop
from rollbook.documents.codec import decode_json
from rollbook.documents.values import MISSING, Maybe, Missing, Value
from rollbook.errors import BodyIncomplete, BodyTooLarge, MalformedJson, MediaTypeUnsupported
from rollbook.limits import Limits
from rollbook.registry.registry import Registry
from rollbook.registry.writing.commands import Precondition
from rollbook.security.callers import Caller

Parsed = TypeVar("Parsed")

DRAIN_BYTES_MAX = 64 * 1024 * 1024
DRAIN_SECONDS_MAX = 10.0
REASON_LENGTH_MAX = 500
CHARSET = re.compile(r'charset\s*=\s*"?([^\s;"]*)', re.IGNORECASE)
UTF_8 = ("utf-8", "utf8", "us-ascii")


def registry_of(request: Request) -> Registry:
    """The registry that the application of this request serves."""
    registry: Registry = request.app.registry
    return registry


async def json_body(request: Request, *, limits: Limits) -> Value:
    """The JSON value that the request carries. Refuses a body that is absent, too large, no JSON, or not called so."""
    return await parsed_body(request, lambda value: value, limits=limits)


async def parsed_body(request: Request, parse: Callable[[Value], Parsed], *, limits: Limits) -> Parsed:
    """What ``parse`` makes of the request's JSON. A body that may take long is read on a thread."""
    return await parsed_optional_body(request, lambda value: parse(required(value)), limits=limits)


def required(value: Maybe) -> Value:
    """The value of a body. Refuses (MalformedJson) an empty one."""
    if isinstance(value, Missing):
        raise MalformedJson("the body is empty; it must be JSON")
    return value


async def parsed_optional_body(request: Request, parse: Callable[[Maybe], Parsed], *, limits: Limits) -> Parsed:
    """As ``parsed_body``, but an empty body is parsed as MISSING."""
    body = await _bytes_of(request, limits=limits)
    _check_media_type(request, required=bool(body))
    if is_quick_to_parse(body):
        return parse(decode_json(body, limits=limits) if body else MISSING)
    return await off_the_loop(lambda: parse(decode_json(body, limits=limits)), size_bytes=len(body))


def precondition_of(request: Request) -> Precondition:
    """What ``If-Match`` and ``If-None-Match`` ask."""
    return Precondition(
        matches=_entity_tags(request.headers.getlist("if-match")),
        differs=_entity_tags(request.headers.getlist("if-none-match")),
    )


def caller_of(request: Request) -> Caller:
    """Who asks, by the address of the peer."""
    peer = request.client.host if request.client else "unknown"
    return Caller(f"anonymous@{peer}")


def reason_of(request: Request) -> str | None:
    """Why a caller asks, by ``X-Reason``."""
    return reason_in(request.headers.get("x-reason", ""))


def reason_in(header: str) -> str | None:
    """The reason that a header gives: percent-encoded UTF-8, or plain text. It becomes one line, not a long one."""
    try:
        text = unquote_to_bytes(header.encode("latin-1")).decode()
    except UnicodeDecodeError:
        text = header
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line[:REASON_LENGTH_MAX] or None


async def _bytes_of(request: Request, *, limits: Limits) -> bytes:
    body_bytes_max = limits.body_bytes_max
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > body_bytes_max:
        if request.headers.get("expect", "").lower() != "100-continue":  # who waits for a go-ahead has not sent yet
            await _drain(request)
        raise _too_large(body_bytes_max)
    body = await _body_of(request, body_bytes_max, limits.body_pause_seconds_max)
    if len(body) > body_bytes_max:
        await _drain(request)
        raise _too_large(body_bytes_max)
    return body


async def _body_of(request: Request, body_bytes_max: int, pause_seconds_max: float) -> bytes:
    """The body, or some bytes more than the most. Refuses (BodyIncomplete) one that stops coming."""
    chunks: list[bytes] = []
    left_bytes, now = body_bytes_max, asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(pause_seconds_max) as patience:
            async for chunk in request.stream():
                if chunk:
                    chunks.append(chunk)
                    left_bytes -= len(chunk)
                    if left_bytes < 0:
                        break
                    patience.reschedule(now() + pause_seconds_max)
    except TimeoutError:
        raise BodyIncomplete(
            f"no more of the body came for {pause_seconds_max:g} s: is it shorter than its Content-Length says?"
        ) from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _drain(request: Request) -> None:
    """Read on for a while and forget it: a client that is still sending sees no answer until it is done."""
    left_bytes = DRAIN_BYTES_MAX
    try:
        async with asyncio.timeout(DRAIN_SECONDS_MAX):
            while left_bytes > 0:
                message = await request.receive()
                left_bytes -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except (TimeoutError, ClientDisconnect):
        return


def _too_large(body_bytes_max: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body is larger than {body_bytes_max} bytes, the most that this registry accepts")


def _check_media_type(request: Request, *, required: bool) -> None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise MediaTypeUnsupported(f"the body must not be compressed; Content-Encoding is {encoding!r}")
    given = request.headers.get("content-type")
    if given is None:
        if required:
            raise MediaTypeUnsupported("there is no Content-Type; send Content-Type: application/json")
        return
    media_type, _, parameters = given.partition(";")
    media_type = media_type.strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise MediaTypeUnsupported(f"the Content-Type is {media_type!r}; send Content-Type: application/json")
    charset = CHARSET.search(parameters)
    if charset is not None and charset[1].lower() not in UTF_8:
        raise MediaTypeUnsupported(f"the charset is {charset[1]!r}; a body must be UTF-8, and its charset utf-8")


def _entity_tags(headers: list[str]) -> frozenset[str] | None:
    """The revisions that entity tags name: ``"12"``, ``W/"12"`` and ``"12-gzip"`` are all revision 12."""
    if not headers:
        return None
    tags = (tag.strip().removeprefix("W/").strip('"') for header in headers for tag in header.split(","))
    return frozenset(tag.partition("-")[0] for tag in tags if tag)
