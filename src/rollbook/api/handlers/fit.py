"""The operation that says which clusters can place some nodes or GPUs."""

from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import responses
from rollbook.api.asking import caller_of, registry_of
from rollbook.api.declarations import Answer, Body, Operation, reference
from rollbook.api.handlers.queries import NOTED, OF_FILTERS
from rollbook.registry.reading.fit_requests import KEYS, parse_fit


async def fit_clusters(request: Request) -> Response:
    """The clusters that fit, the best first, and why others do not."""
    registry, caller = registry_of(request), caller_of(request)
    asked = await FIT.of(request, limits=registry.limits)
    revision = str(registry.view.revision)
    found = await registry.fits.fit(caller, asked)
    response = responses.json_response(found, headers={responses.REVISION_HEADER: revision})
    return responses.warned(response, await registry.reader.fleet(caller).notes_on(asked.query.undocumented))


FIT = Body(
    parse_fit,
    reference("FitRequest"),
    '`{"query": filter, "nodes", "gpus", "gpuModel", "gpuMemory", "vcpus", "memory", "onOneNode", "limit"}`, as '
    "[below](#fits)",
    {"query": {"status": "live"}, "gpus": 2, "gpuModel": "A100", "memory": 65536, "onOneNode": True},
    options=KEYS,
)

OPERATIONS = (
    Operation(
        name="fitClusters",
        method="POST",
        path="/clusters/fit",
        handler=fit_clusters,
        tag="queries",
        summary="Find where something fits",
        verb="read",
        body=FIT,
        answers=(
            Answer(
                200,
                '`{"count", "matches": [{"id", "nodes", "left"}], "whyNot": [{"clause", "removes", "removesAlone"}], '
                '"nearest": [{"id", "missing"}]}`',
                reference("Fit"),
                NOTED,
            ),
        ),
        refuses=OF_FILTERS,
    ),
)
