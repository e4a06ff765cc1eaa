"""The operation on the audit log: its entries so far, and those that come."""

from collections.abc import AsyncIterator

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import registry_of, security_of
from rollbook.api.declarations import JSON, NDJSON, Answer, Operation, Parameter, array_of, reference
from rollbook.api.events import HEADERS as STREAMED
from rollbook.api.parameters import FILTER, FOLLOW, LIMIT, LIMIT_DEFAULT, LIMIT_MAX, SINCE
from rollbook.language.filters import Filter

PAGE_ENTRIES = 256
LOOK_SECONDS = 1.0


async def read_audit(request: Request) -> Response:
    """Entries after a sequence number that match a filter, oldest first; or all of them, and those that come."""
    since, filter, limit = SINCE_ENTRY.of(request) or 0, FILTER.of(request), LIMIT_ENTRIES.of(request)
    if FOLLOW.of(request):
        return StreamingResponse(_following(request, filter, since), headers=STREAMED, media_type=NDJSON)
    found = await security_of(request).auditor.entries(filter, since=since, most=limit + 1)
    page = found[:limit]
    form = responses.form_of(request)
    response = responses.documents(map(orjson.dumps, page), form=form)
    response.headers.update(NOT_STORED)
    if len(found) > limit:
        following = request.url.include_query_params(since=page[-1]["seq"])
        response.headers["link"] = f'<{following.path}?{following.query}>; rel="next"'
    return response


async def _following(request: Request, filter: Filter, since: int) -> AsyncIterator[bytes]:
    """A line for each entry, until the registry stops."""
    auditor, watching = security_of(request).auditor, registry_of(request).watching
    yield b""  # something goes out at once: the head of the answer may wait for it
    while not watching.is_stopping:
        entries = await auditor.entries(filter, since=since, most=PAGE_ENTRIES)
        if entries:
            since = int(str(entries[-1]["seq"]))
            yield b"".join(orjson.dumps(entry) + b"\n" for entry in entries)
        else:
            await auditor.wait(LOOK_SECONDS)


NOT_STORED = {"cache-control": "no-store"}
SINCE_ENTRY: Parameter[int | None] = Parameter(
    SINCE.name,
    SINCE.parse,
    "entries after this sequence number; without it, from the oldest that is kept",
    SINCE.schema,
    None,
)
LIMIT_ENTRIES: Parameter[int] = Parameter(
    LIMIT.name,
    LIMIT.parse,
    f"at most this number of entries, 1 to {LIMIT_MAX}; the default is {LIMIT_DEFAULT}",
    LIMIT.schema,
    LIMIT.default,
)

OPERATIONS = (
    Operation(
        name="getAudit",
        method="GET",
        path="/audit",
        handler=read_audit,
        tag="audit",
        summary="Read the audit log",
        verb="audit",
        parameters=(SINCE_ENTRY, FILTER, LIMIT_ENTRIES, FOLLOW),
        headers=(headers.ACCEPT,),
        answers=(
            Answer(
                200,
                "an array of entries, oldest first; with `follow`, a line for each, now and as they come",
                array_of(reference("AuditEntry")),
                (headers.LINK, headers.CACHE_CONTROL, headers.NO_BUFFERING),
                (JSON, NDJSON),
            ),
        ),
        refuses=(errors.FilterRefused, errors.ExpressionRefused, errors.MalformedJson, errors.JsonTooDeep),
    ),
)
