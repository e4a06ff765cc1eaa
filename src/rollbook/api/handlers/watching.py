"""The routes of watching: a stream of events, or a wait for the next ones."""

import asyncio
from contextlib import AbstractContextManager

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import caller_of, is_revoked, registry_of
from rollbook.api.declarations import JSON, NDJSON, Answer, Body, Operation, reference
from rollbook.api.events import ENDED, SSE, EventStream, disconnection
from rollbook.api.offloading import is_quick_to_parse, off_the_loop
from rollbook.api.parameters import AS, FILTER, SINCE, WAIT_FOR, WATCH_WHERE
from rollbook.api.responses import REVISION_HEADER, prefers
from rollbook.documents.values import MISSING, Maybe
from rollbook.errors import RequestRefused, Unauthenticated
from rollbook.language.filters import Filter
from rollbook.limits import Limits
from rollbook.registry.history.moments import parse_revision
from rollbook.registry.reading.requests import WATCH_KEYS, WatchRequest, parse_watch
from rollbook.registry.reading.undocumented import asked_paths, undocumented_paths
from rollbook.registry.watching.watching import Watch

LINES_OF_JSON = (NDJSON, "application/ndjson", "application/jsonl")


async def watch_by_address(request: Request) -> Response:
    """A watch whose filter is a parameter. Refusals of the filter have their place within it."""
    text = request.query_params.get(FILTER.name, "").encode()
    if is_quick_to_parse(text):
        return await _watch(request, WatchRequest(_filter_of(request)))
    filter = await off_the_loop(lambda: _filter_of(request), size_bytes=len(text))
    return await _watch(request, WatchRequest(filter))


def _filter_of(request: Request) -> Filter:
    """The filter, as JSON or in words. Refuses (RequestRefused) both."""
    words = WATCH_WHERE.of(request)
    if words is not None and FILTER.name in request.query_params:
        raise RequestRefused("filter and where exclude each other: a filter is given as JSON or in words")
    return FILTER.of(request) if words is None else words


async def watch_by_body(request: Request) -> Response:
    """A watch whose filter is in the body."""
    return await _watch(request, await WATCH.of(request, limits=registry_of(request).limits))


def parse_watch_body(body: Maybe, *, limits: Limits) -> WatchRequest:
    """The watch that a body asks for; an empty one asks for every change from now on."""
    return parse_watch({} if body is MISSING else body, limits=limits)


async def _watch(request: Request, asked: WatchRequest) -> Response:
    registry, since = registry_of(request), _since(request, asked.since)
    wait_seconds = WAIT_FOR.of(request)
    notes = await registry.reader.fleet(caller_of(request), "watch").notes_on(
        undocumented_paths(asked.filter), asked_paths(asked.filter)
    )
    if since is not None:
        await registry.watching.check_past(since)
    opening = registry.watching.open(caller_of(request), asked.filter, form=AS.of(request), since=since)
    if wait_seconds is not None:
        return responses.warned(await _next_events(request, opening, wait_seconds), notes)
    media_type = NDJSON if prefers(request, LINES_OF_JSON, to=SSE) else SSE
    is_head = request.method == "HEAD"
    return responses.warned(Response(media_type=media_type) if is_head else EventStream(opening, media_type), notes)


async def _next_events(request: Request, opening: AbstractContextManager[Watch], wait_seconds: float) -> Response:
    """The events that are there, or else the first ones that come within the wait; and where to resume."""
    with opening as watch:
        answering = asyncio.create_task(watch.answer(wait_seconds=wait_seconds))
        leaving = asyncio.create_task(disconnection(request.receive))
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                if is_revoked(request.scope):
                    raise Unauthenticated(ENDED)
                return Response()  # nobody reads it
            messages, revision = answering.result()
            newest = watch.watching.revision
        finally:
            answering.cancel()
            leaving.cancel()
    body = b'{"revision":%d,"events":[%s]}' % (revision, b",".join(message.body for message in messages))
    return Response(body, 200, {"cache-control": "no-store", REVISION_HEADER: str(newest)}, JSON)


def _since(request: Request, in_body: int | None) -> int | None:
    """Where to begin. What a reader has seen, ``Last-Event-ID``, goes before where it once began."""
    seen = request.headers.get("last-event-id")
    if seen:
        return parse_revision(seen, name="Last-Event-ID")
    since = SINCE.of(request)
    return in_body if since is None else since


WATCH = Body(
    parse_watch_body,
    reference("WatchRequest"),
    '`{"query": filter, "since": revision}`, or `where` instead of `query`',
    {"query": {"status": "live"}},
    optional=True,
    options=WATCH_KEYS,
)
STREAM = Answer(
    200,
    "a stream of events about clusters that match; with `wait`, the next ones",
    reference("Events"),
    (headers.CACHE_CONTROL, headers.NO_BUFFERING, headers.WARNING),
    (JSON, SSE, NDJSON),
)
REFUSES = (
    errors.FilterRefused,
    errors.ExpressionRefused,
    errors.Compacted,
    errors.TooManyWatchers,
    errors.TooManyWatches,
)

OPERATIONS = (
    Operation(
        name="watchClusters",
        method="GET",
        path="/clusters/watch",
        handler=watch_by_address,
        tag="watching",
        summary="Watch clusters",
        verb="watch",
        parameters=(FILTER, WATCH_WHERE, SINCE, AS, WAIT_FOR),
        headers=(headers.ACCEPT, headers.LAST_EVENT_ID),
        answers=(STREAM,),
        refuses=(*REFUSES, errors.MalformedJson, errors.JsonTooDeep),
        streams=True,
    ),
    Operation(
        name="watchClustersByBody",
        method="POST",
        path="/clusters/watch",
        handler=watch_by_body,
        tag="watching",
        summary="Watch clusters, with a filter in the body",
        verb="watch",
        parameters=(SINCE, AS, WAIT_FOR),
        headers=(headers.ACCEPT, headers.LAST_EVENT_ID),
        body=WATCH,
        answers=(STREAM,),
        refuses=(errors.LanguageRefused, *REFUSES),
        streams=True,
    ),
)
