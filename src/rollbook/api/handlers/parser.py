"""The routes that the network's Parser and search server speak: envelopes in, ``{"success": ...}`` out."""

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import responses
from rollbook.api.asking import caller_of, json_body, reason_of
from rollbook.api.handlers.clusters import registry_of, rules_of
from rollbook.api.problems import problem
from rollbook.clusters.onboarding import nodes_to_add_in, search_values_in, values_in
from rollbook.documents.values import Value
from rollbook.errors import RegistryError
from rollbook.registry.reading.requests import parse_creation, parse_search_request
from rollbook.registry.writing.committing import WriteResult
from rollbook.registry.writing.node_commands import EditNodes
from rollbook.registry.writing.node_edits import joining

Handler = Callable[[Request], Awaitable[Response]]


def in_envelope(handler: Handler) -> Handler:
    """The handler, with refusals that also say ``"success": false`` and ``"message"``."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except RegistryError as refusal:
            return problem(refusal, success=False, message=refusal.message)

    return answer


@in_envelope
async def create_from_spec(request: Request) -> Response:
    """``POST /api/createCluster``: enrol the cluster of a Parser envelope, or of a bare document."""
    registry = registry_of(request)
    document = values_in(await json_body(request, limits=registry.limits))
    command = parse_creation(document, rules=rules_of(request), limits=registry.limits)
    return _succeeded(await registry.write(caller_of(request), command, reason=reason_of(request)))


@in_envelope
async def add_node(request: Request) -> Response:
    """``POST /api/addNode``: nodes join a cluster; it answers the cluster, as ``createCluster`` does."""
    registry = registry_of(request)
    asked = nodes_to_add_in(await json_body(request, limits=registry.limits))
    edit = joining(asked.nodes, at=asked.places.__getitem__)
    command = EditNodes(asked.cluster_id, edit, rules_of(request), limits=registry.limits)
    result = await registry.write(caller_of(request), command, reason=reason_of(request))
    return _succeeded(result, ignored=asked.ignored)


@in_envelope
async def filter_with_envelope(request: Request) -> Response:
    """``POST /api/filter``: the clusters that a search in the Parser's envelope finds."""
    body = await json_body(request, limits=registry_of(request).limits)
    return await _search(request, *search_values_in(body))


@in_envelope
async def filter_without_envelope(request: Request) -> Response:
    """``POST /api/no-ir/filter``: the clusters that a search finds."""
    return await _search(request, await json_body(request, limits=registry_of(request).limits), "")


def _succeeded(result: WriteResult, *, ignored: Sequence[str] = ()) -> Response:
    assert result.body is not None
    warnings = [*result.warnings, *(f"{name} beside nodeData means nothing here" for name in ignored)]
    response = Response(b'{"success":true,"task_id":"","result":' + result.body + b"}", 200, None, responses.JSON)
    for name, value in responses.warning_headers(warnings):
        response.headers.append(name, value)
    return response


async def _search(request: Request, values: Value, at: str) -> Response:
    registry = registry_of(request)
    query = parse_search_request(values, at=at, limits=registry.limits)
    found = await registry.reader.find(query)
    return responses.documents(found, form=responses.SEARCH_RESULT)
