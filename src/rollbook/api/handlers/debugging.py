"""The operation on what the server is doing now."""

from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import headers
from rollbook.api.declarations import Answer, Operation, array_of, reference
from rollbook.api.responses import json_response

NOT_STORED = {"cache-control": "no-store"}


async def running_requests(request: Request) -> Response:
    """What is being answered now, the longest first; this request is among it."""
    running = sorted(request.app.traffic.running, key=lambda each: each.begun)
    return json_response([each.as_json() for each in running], headers=NOT_STORED)


OPERATIONS = (
    Operation(
        name="listRunningRequests",
        method="GET",
        path="/debug/requests",
        handler=running_requests,
        tag="operations",
        summary="List the requests that are running",
        verb="debug",
        answers=(
            Answer(
                200,
                "an array of the requests that are running, the longest first; watches and this request are among them",
                array_of(reference("RunningRequest")),
                (headers.CACHE_CONTROL,),
            ),
        ),
    ),
)
