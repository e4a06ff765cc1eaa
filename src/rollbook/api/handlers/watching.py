"""The routes of watching: a stream of events, or a wait for the next ones."""

import asyncio
import re
from contextlib import AbstractContextManager
from typing import get_args

from starlette.requests import Request
from starlette.responses import Response

from rollbook.api.asking import check_parameters, optional_json_body
from rollbook.api.events import NDJSON, SSE, EventStream
from rollbook.api.handlers.clusters import registry_of
from rollbook.api.responses import JSON, REVISION_HEADER
from rollbook.documents.codec import decode_json
from rollbook.documents.values import MISSING
from rollbook.errors import RequestRefused
from rollbook.language.filters.nodes import EVERYTHING
from rollbook.registry.feed.change_events import Detail
from rollbook.registry.reading.requests import WatchRequest, parse_watch, parse_watch_filter
from rollbook.registry.watching.watching import Watch

WAIT_SECONDS_MAX = 300.0
WAIT = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m)?", re.ASCII)
UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, None: 1.0}
REVISION = re.compile(r"\d{1,18}", re.ASCII)
LINES_OF_JSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
PARAMETERS = ("filter", "since", "as", "wait")


async def watch_by_address(request: Request) -> Response:
    """``GET /clusters/watch?since=REV&filter=JSON``. Refusals of the filter have their place within it."""
    check_parameters(request, PARAMETERS)
    limits, text = registry_of(request).limits, request.query_params.get("filter")
    if text is None:
        return await _watch(request, WatchRequest(EVERYTHING))
    filter = decode_json(text.encode(), limits=limits, name="the parameter filter")
    return await _watch(request, WatchRequest(parse_watch_filter(filter, at="", limits=limits)))


async def watch_by_body(request: Request) -> Response:
    """``POST /clusters/watch`` with ``{"query": filter, "since": REV}``."""
    check_parameters(request, [name for name in PARAMETERS if name != "filter"])
    limits = registry_of(request).limits
    body = await optional_json_body(request, limits=limits)
    return await _watch(request, parse_watch({} if body is MISSING else body, limits=limits))


async def _watch(request: Request, asked: WatchRequest) -> Response:
    registry = registry_of(request)
    form, wait, since = _form(request), request.query_params.get("wait"), _since(request, asked.since)
    wait_seconds = None if wait is None else seconds_of(wait)
    if since is not None:
        await registry.watching.check_past(since)
    opening = registry.watching.open(asked.filter, form=form, since=since)
    if wait_seconds is not None:
        return await _next_events(request, opening, wait_seconds)
    accepted = request.headers.get("accept", "").lower()
    media_type = NDJSON if any(name in accepted for name in LINES_OF_JSON) else SSE
    return Response(media_type=media_type) if request.method == "HEAD" else EventStream(opening, media_type)


async def _next_events(request: Request, opening: AbstractContextManager[Watch], wait_seconds: float) -> Response:
    """The events that are there, or else the first ones that come within the wait; and where to resume."""
    with opening as watch:
        answering = asyncio.create_task(watch.answer(wait_seconds=wait_seconds))
        leaving = asyncio.create_task(_disconnection_of(request))
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                return Response()  # nobody reads it
            messages, revision = answering.result()
            newest = watch.watching.revision
        finally:
            answering.cancel()
            leaving.cancel()
    body = b'{"revision":%d,"events":[%s]}' % (revision, b",".join(message.body for message in messages))
    return Response(body, 200, {"cache-control": "no-store", REVISION_HEADER: str(newest)}, JSON)


async def _disconnection_of(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def seconds_of(wait: str) -> float:
    """The seconds that ``30s``, ``500ms``, ``2m`` or ``30`` mean. Refuses what is none, and more than five minutes."""
    parts = WAIT.fullmatch(wait)
    seconds = float(parts[1]) * UNIT_SECONDS[parts[2]] if parts else -1
    if not 0 <= seconds <= WAIT_SECONDS_MAX:
        raise RequestRefused(f"wait={wait} is not a time such as 30s, of at most {WAIT_SECONDS_MAX:.0f}s")
    return seconds


def _since(request: Request, in_body: int | None) -> int | None:
    """Where to begin. What a reader has seen, ``Last-Event-ID``, goes before where it once began."""
    for source, text in (
        ("Last-Event-ID", request.headers.get("last-event-id")),
        ("since", request.query_params.get("since")),
    ):
        if text:
            if not REVISION.fullmatch(text):
                raise RequestRefused(f"{source} must be a revision, a whole number, not {text!r}")
            return int(text)
    return in_body


def _form(request: Request) -> Detail:
    asked = request.query_params.get("as", "document")
    for form in get_args(Detail):
        if asked == form:
            return form  # type: ignore[no-any-return]
    raise RequestRefused(f"as={asked} is not known; it can be {' or '.join(get_args(Detail))}")
