"""The routes that the network's Parser and search server speak: envelopes in, ``{"success": ...}`` out."""

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import responses
from rollbook.api.handlers import registry_of, rules_of
from rollbook.api.problems import problem
from rollbook.api.requests import author_of, json_body
from rollbook.clusters.onboarding import search_values_in, values_in
from rollbook.documents.values import Value
from rollbook.errors import RegistryError
from rollbook.registry.requests import parse_search_request

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
    result = await registry.create(document, author=author_of(request), rules=rules_of(request))
    assert result.body is not None
    body = b'{"success":true,"task_id":"","result":' + result.body + b"}"
    return Response(body, 200, dict(responses.warning_headers(result.warnings)), responses.JSON)


@in_envelope
async def filter_with_envelope(request: Request) -> Response:
    """``POST /api/filter``: the clusters that a search in the Parser's envelope finds."""
    body = await json_body(request, limits=registry_of(request).limits)
    return await _search(request, *search_values_in(body))


@in_envelope
async def filter_without_envelope(request: Request) -> Response:
    """``POST /api/no-ir/filter``: the clusters that a search finds."""
    return await _search(request, await json_body(request, limits=registry_of(request).limits), "")


async def _search(request: Request, values: Value, at: str) -> Response:
    registry = registry_of(request)
    query = parse_search_request(values, at=at, limits=registry.limits)
    found = await registry.reader.find(query)
    return Response(b'{"success":true,"data":[' + b",".join(found) + b"]}", 200, None, responses.JSON)
