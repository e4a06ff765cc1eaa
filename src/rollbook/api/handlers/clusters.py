"""The operations on one cluster. Handlers parse, ask, answer; refusals travel as exceptions to ``problems``."""

from collections.abc import Sequence
from urllib.parse import quote

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import caller_of, precondition_of, registry_of, tag_seen
from rollbook.api.declarations import Answer, Body, Operation, reference
from rollbook.api.paging import FIELDS
from rollbook.api.parameters import AT, DRY_RUN, FIELD_VALIDATION, INCLUDE, REVISION, UPSERT, moment_of
from rollbook.api.rights import check_rights, document_with_rights
from rollbook.api.writing import DRY_RUN_ANSWER, write
from rollbook.clusters.acceptance import SchemaRules
from rollbook.documents.values import Document, Value
from rollbook.limits import Limits, budget_from_now
from rollbook.registry.history.past_fleets import check_past
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.requests import parse_creation, parse_query
from rollbook.registry.reading.scanning import Scan
from rollbook.registry.reading.undocumented import asked_paths, undocumented_paths
from rollbook.registry.reading.update_requests import parse_update_request
from rollbook.registry.writing.commands import Delete, Update
from rollbook.registry.writing.committing import WriteResult
from rollbook.registry.writing.preconditions import Precondition
from rollbook.view.entries import Entry


async def read_cluster(request: Request) -> Response:
    """The document, or 304 when the caller has it already."""
    registry, entry, fields = registry_of(request), await entry_of(request), FIELDS.of(request)
    include = INCLUDE.of(request)
    if "access" in include:
        check_rights(request, is_whole=not fields)
        return document_with_rights(request, entry, with_facts="registry" in include)
    if fields:
        return await _fields_of(request, entry, fields)
    if "registry" in include:
        known = registry if moment_of(request) is None else registry.history
        facts = known.facts_for(caller_of(request))
        return responses.json_response(facts.document_of(entry))
    seen = tag_seen(request, entry.revision)
    if seen is not None:
        return responses.not_modified(seen)
    return responses.document(
        entry.body, revision=entry.revision, headers={responses.REVISION_HEADER: str(registry.view.revision)}
    )


async def _fields_of(request: Request, entry: Entry, fields: Sequence[str]) -> Response:
    """Some paths of the document: no entity tag, for it is not the document at its revision."""
    registry, moment = registry_of(request), moment_of(request)
    projection: Document = dict.fromkeys(fields, 1)
    include: list[Value] = [*INCLUDE.of(request)]
    query = parse_query({"query": {}, "projection": projection, "include": include}, limits=registry.limits)
    if moment is not None:
        check_past(query)
    facts = (registry if moment is None else registry.history).facts_for(caller_of(request))
    scan = Scan((entry,), facts, budget_from_now(registry.limits), certain=None)
    (found,) = await registry.reader.threads.run(lambda: scan.find(query), scan.work)
    return Response(found, 200, {responses.REVISION_HEADER: str(registry.view.revision)}, responses.JSON)


async def update_cluster(request: Request) -> Response:
    """The document after the update."""
    registry = registry_of(request)
    command = await UPDATE.of(
        request,
        request.path_params["id"],
        rules=rules_of(request),
        limits=registry.limits,
        precondition=precondition_of(request),
        facts=registry.facts_for(caller_of(request)),
        upsert=UPSERT.of(request),
    )
    notes = await registry.reader.fleet(caller_of(request)).notes_on(
        undocumented_paths(command.condition), asked_paths(command.condition)
    )
    command = replace(command, notes=tuple(notes)) if notes else command
    return await write(request, command, updated)


async def delete_cluster(request: Request) -> Response:
    """The cluster is deleted."""
    command = Delete(request.path_params["id"], precondition_of(request))
    return await write(request, command, lambda _: responses.json_response({"message": "Cluster deleted"}))


async def create_cluster(request: Request) -> Response:
    """The document as it was stored."""
    registry = registry_of(request)
    command = await CREATION.of(
        request, rules=rules_of(request), limits=registry.limits, access=caller_of(request).access
    )
    return await write(request, command, created)


def updated(result: WriteResult) -> Response:
    """The document after an update, which may have created it."""
    return created(result) if result.kind == "created" else responses.stored(result)


def created(result: WriteResult) -> Response:
    """The document of a new cluster, and its address."""
    return responses.stored(result, status=201, headers={"location": f"/clusters/{quote(result.id, safe='')}"})


async def entry_of(request: Request) -> Entry:
    """The cluster that a request is about, as it is now or was at the moment that is asked for."""
    registry, id, moment = registry_of(request), request.path_params["id"], moment_of(request)
    caller = caller_of(request)
    return registry.entry(caller, id) if moment is None else await registry.history.version(caller, id, moment)


def rules_of(request: Request) -> SchemaRules:
    """The registry's rules of documents, as strict as ``?fieldValidation=`` asks."""
    rules, asked = registry_of(request).rules, FIELD_VALIDATION.of(request)
    return rules if asked is None else rules.with_unknown_fields(asked)


def parse_update(
    body: Value,
    id: str,
    *,
    rules: SchemaRules,
    limits: Limits,
    precondition: Precondition,
    facts: Facts,
    upsert: bool,
) -> Update:
    """The command that the body of an update of cluster ``id`` means."""
    return parse_update_request(
        id, body, rules=rules, limits=limits, precondition=precondition, facts=facts, upsert=upsert
    )


UPDATE = Body(
    parse_update,
    reference("UpdateRequest"),
    "an [update](#updates)",
    {"$set": {"status": "draining"}, "$addToSet": {"tags": "maintenance"}},
)
CREATION = Body(
    parse_creation,
    reference("NewCluster"),
    "a [document](documents.md)",
    {
        "id": "east",
        "regionId": "us-east-1",
        "config": {"publicHostname": "east.example.net"},
        "clusterMetadata": {"name": "East", "description": "An example", "owner": "Platform team"},
    },
)

DOCUMENT = Answer(200, "the document", reference("Cluster"), (headers.ETAG,))
AFTER_UPDATE = Answer(200, "the document after it", reference("Cluster"), (headers.ETAG, headers.WARNING))
NOT_MODIFIED = Answer(304, "the caller has it", None, (headers.ETAG,))
OF_THE_PAST = (errors.Compacted,)
"""The refusals of a read as of a moment."""

OF_FIELDS = (errors.ProjectionRefused, errors.FilterRefused, errors.LanguageRefused)
"""What a choice of fields may be refused with: no path, no field of ``_registry``, none that is known of the past."""

OF_UPDATES = (
    errors.UpdateRefused,
    errors.FilterRefused,
    errors.ExpressionRefused,
    errors.PipelineRefused,
    errors.ProjectionRefused,
)

OPERATIONS = (
    Operation(
        name="getCluster",
        method="GET",
        path="/clusters/{id}",
        handler=read_cluster,
        tag="clusters",
        summary="Read a cluster",
        verb="read",
        parameters=(REVISION, AT, INCLUDE, FIELDS),
        headers=(headers.IF_NONE_MATCH,),
        answers=(DOCUMENT, NOT_MODIFIED),
        refuses=(
            errors.ClusterNotFound,
            errors.FilterRefused,
            errors.ProjectionRefused,
            errors.LanguageRefused,
            *OF_THE_PAST,
        ),
        shortcut=True,
    ),
    Operation(
        name="updateCluster",
        method="PUT",
        path="/clusters/{id}",
        handler=update_cluster,
        tag="clusters",
        summary="Update a cluster",
        verb="update",
        parameters=(FIELD_VALIDATION, DRY_RUN, UPSERT),
        headers=(headers.IF_MATCH, headers.REASON),
        body=UPDATE,
        answers=(
            AFTER_UPDATE,
            Answer(
                201,
                "the document, when `upsert` created it",
                reference("Cluster"),
                (headers.LOCATION, headers.ETAG, headers.WARNING),
            ),
            DRY_RUN_ANSWER,
        ),
        refuses=(
            *OF_UPDATES,
            errors.IdRefused,
            errors.ClusterNotFound,
            errors.ClusterExists,
            errors.PreconditionFailed,
            errors.DocumentInvalid,
            errors.IdImmutable,
        ),
        shortcut=True,
    ),
    Operation(
        name="deleteCluster",
        method="DELETE",
        path="/clusters/{id}",
        handler=delete_cluster,
        tag="clusters",
        summary="Delete a cluster",
        verb="delete",
        parameters=(DRY_RUN,),
        headers=(headers.IF_MATCH, headers.REASON),
        answers=(Answer(200, '`{"message": "Cluster deleted"}`', reference("Message")), DRY_RUN_ANSWER),
        refuses=(errors.ClusterNotFound, errors.ClusterProtected, errors.PreconditionFailed),
    ),
    Operation(
        name="createCluster",
        method="POST",
        path="/clusters",
        handler=create_cluster,
        tag="clusters",
        summary="Create a cluster",
        verb="create",
        parameters=(FIELD_VALIDATION, DRY_RUN),
        headers=(headers.REASON, headers.IDEMPOTENCY_KEY),
        body=CREATION,
        answers=(
            Answer(
                201,
                "the document as stored",
                reference("Cluster"),
                (headers.LOCATION, headers.ETAG, headers.WARNING, headers.IDEMPOTENCY_REPLAYED),
            ),
            DRY_RUN_ANSWER,
        ),
        refuses=(errors.IdRefused, errors.ClusterExists, errors.DocumentInvalid, errors.IdempotencyKeyReused),
    ),
)
