"""The handlers: parse, ask, answer. Refusals travel as exceptions to the table in ``problems``."""

from collections.abc import Collection
from functools import partial
from typing import cast, get_args

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import responses
from rollbook.api.asking import (
    caller_of,
    check_parameters,
    flag_values,
    moment_of,
    parsed_body,
    parsed_optional_body,
    precondition_of,
    reason_of,
)
from rollbook.clusters.acceptance import SchemaRules, UnknownFields
from rollbook.registry.history.past_fleets import PastFleet
from rollbook.registry.reading.facet_requests import parse_facets
from rollbook.registry.reading.queries import Reader
from rollbook.registry.reading.requests import (
    COUNT_KEYS,
    parse_aggregation,
    parse_creation,
    parse_query,
    parse_update_request,
)
from rollbook.registry.registry import Registry
from rollbook.registry.writing.commands import Delete
from rollbook.view.entries import Entry


def registry_of(request: Request) -> Registry:
    """The registry that this application serves."""
    registry: Registry = request.app.state.registry
    return registry


async def read_cluster(request: Request) -> Response:
    """``GET /clusters/{id}``: the document, or 304 when the caller has it already."""
    registry, entry = registry_of(request), await entry_of(request)
    if "registry" in flag_values(request, "include", ("registry",)):
        facts = registry.facts if moment_of(request) is None else registry.history.facts
        return responses.json_response(facts.document_of(entry))
    seen = precondition_of(request).differs
    if seen is not None and seen & {"*", str(entry.revision)}:
        return Response(status_code=304, headers={"etag": responses.entity_tag(entry.revision)})
    return responses.document(
        entry.body, revision=entry.revision, headers={responses.REVISION_HEADER: str(registry.view.revision)}
    )


async def update_cluster(request: Request) -> Response:
    """``PUT /clusters/{id}``: the document after the update."""
    registry = registry_of(request)
    parse = partial(
        parse_update_request,
        request.path_params["id"],
        rules=rules_of(request),
        limits=registry.limits,
        precondition=precondition_of(request),
    )
    command = await parsed_body(request, parse, limits=registry.limits)
    return responses.stored(await registry.write(caller_of(request), command, reason=reason_of(request)))


async def delete_cluster(request: Request) -> Response:
    """``DELETE /clusters/{id}``."""
    command = Delete(request.path_params["id"], precondition_of(request))
    await registry_of(request).write(caller_of(request), command, reason=reason_of(request))
    return responses.json_response({"message": "Cluster deleted"})


async def create_cluster(request: Request) -> Response:
    """``POST /clusters``: the document as it was enrolled."""
    registry = registry_of(request)
    parse = partial(parse_creation, rules=rules_of(request), limits=registry.limits)
    command = await parsed_body(request, parse, limits=registry.limits)
    result = await registry.write(caller_of(request), command, reason=reason_of(request))
    return responses.stored(result, status=201, headers={"location": f"/clusters/{result.id}"})


async def query_clusters(request: Request) -> Response:
    """``POST /clusters/query``: the matching documents."""
    registry = registry_of(request)
    parse = partial(parse_query, limits=registry.limits)
    query = await parsed_optional_body(request, parse, limits=registry.limits)
    if "registry" in flag_values(request, "include", ("registry",)):
        query = replace(query, include_registry=True)
    if query.explain:
        return responses.json_response(await (await reader_of(request)).explain(query))
    revision = registry.view.revision
    found = await (await reader_of(request)).find(query)
    return responses.documents(found, revision=revision, form=responses.form_of(request))


async def explain_query(request: Request) -> Response:
    """``POST /clusters/explain``: how a query is answered, in words and figures."""
    registry = registry_of(request)
    parse = partial(parse_query, limits=registry.limits)
    query = await parsed_optional_body(request, parse, limits=registry.limits)
    return responses.json_response(await (await reader_of(request)).explain(query))


async def count_clusters(request: Request) -> Response:
    """``POST /clusters/count``: how many documents match."""
    registry = registry_of(request)
    parse = partial(parse_query, limits=registry.limits, keys=COUNT_KEYS)
    query = await parsed_optional_body(request, parse, limits=registry.limits)
    revision = str(registry.view.revision)
    count = await (await reader_of(request)).count(query)
    return responses.json_response({"count": count}, headers={responses.REVISION_HEADER: revision})


async def aggregate_clusters(request: Request) -> Response:
    """``POST /clusters/aggregate``: what comes out of the pipeline."""
    registry = registry_of(request)
    parse = partial(parse_aggregation, limits=registry.limits)
    aggregation = await parsed_body(request, parse, limits=registry.limits)
    revision = registry.view.revision
    results = await (await reader_of(request)).aggregate(aggregation)
    return responses.documents(results, revision=revision, form=responses.form_of(request))


async def facet_clusters(request: Request) -> Response:
    """``POST /clusters/facets``: how many of the matching documents have which values."""
    registry = registry_of(request)
    asked = await parsed_optional_body(request, partial(parse_facets, limits=registry.limits), limits=registry.limits)
    revision = str(registry.view.revision)
    facets = await (await reader_of(request)).facets(asked)
    return responses.json_response(facets, headers={responses.REVISION_HEADER: revision})


async def reader_of(request: Request) -> Reader | PastFleet:
    """What answers questions about the fleet: of now, or of the moment that is asked for."""
    check_parameters(request, READING, hint="; the body takes the others, beside 'query'")
    registry, moment = registry_of(request), moment_of(request)
    return registry.reader if moment is None else await registry.history.fleet(moment)


async def entry_of(request: Request) -> Entry:
    """The cluster that a request is about, as it is now or was at the moment that is asked for."""
    check_parameters(request, READING)
    registry, id, moment = registry_of(request), request.path_params["id"], moment_of(request)
    return registry.entry(caller_of(request), id) if moment is None else await registry.history.version(id, moment)


def rules_of(request: Request, *, beside: Collection[str] = ()) -> SchemaRules:
    """The registry's rules of documents, as strict as ``?fieldValidation=`` asks. Others may stand ``beside`` it."""
    check_parameters(request, ("fieldValidation", *beside))
    rules = registry_of(request).rules
    asked = flag_values(request, "fieldValidation", get_args(UnknownFields))
    return rules.with_unknown_fields(cast(UnknownFields, asked[-1])) if asked else rules


READING = ("revision", "at", "include")
