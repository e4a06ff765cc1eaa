"""The operations of history: changes, restoring, and protection against deletion."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import caller_of, precondition_of, reason_of, registry_of, short_reason
from rollbook.api.declarations import JSON, NDJSON, Answer, Body, Operation, array_of, reference
from rollbook.api.handlers.clusters import AFTER_UPDATE, rules_of
from rollbook.api.parameters import AS_PATCH, BEFORE, DRY_RUN, FIELD_VALIDATION, LIMIT, SINCE
from rollbook.api.writing import DRY_RUN_ANSWER, write
from rollbook.registry.history.history import HistoryPage
from rollbook.registry.history.restoring import parse_restore, restoration
from rollbook.registry.writing.committing import WriteResult
from rollbook.registry.writing.protecting import Protect, parse_reason

COMPACTED_HEADER = "x-registry-compacted"


async def read_history(request: Request) -> Response:
    """Who changed the cluster, newest first."""
    registry, id = registry_of(request), request.path_params["id"]
    page = await registry.history.of(
        caller_of(request), id, before=BEFORE.of(request), limit=LIMIT.of(request), form=AS_PATCH.of(request)
    )
    return _changes(request, page, going_on="before")


async def read_changes(request: Request) -> Response:
    """What changed in the fleet, oldest first."""
    page = await registry_of(request).history.changes(
        caller_of(request), since=SINCE.of(request), limit=LIMIT.of(request), form=AS_PATCH.of(request)
    )
    return _changes(request, page, going_on="since")


async def restore_cluster(request: Request) -> Response:
    """The cluster, as it was at a revision or before its deletion."""
    registry = registry_of(request)
    command = await restoration(
        caller_of(request),
        registry.history,
        request.path_params["id"],
        await RESTORE.of(request),
        rules=rules_of(request),
        precondition=precondition_of(request),
        limits=registry.limits,
        words=registry.liveness.status_words,
    )
    reason = reason_of(request) or command.reason
    return await write(request, command, responses.stored, reason=reason)


async def protect_cluster(request: Request) -> Response:
    """The cluster can't be deleted any more."""
    return await _protection(request, protected=True)


async def unprotect_cluster(request: Request) -> Response:
    """It can be deleted again."""
    return await _protection(request, protected=False)


async def _protection(request: Request, *, protected: bool) -> Response:
    reason = await WHY.of(request)
    reason = reason_of(request) if reason is None else short_reason(reason, name="reason", at="/reason")
    command = Protect(request.path_params["id"], protected, precondition_of(request))

    def answer(stored: WriteResult) -> Response:
        headers = {"etag": responses.entity_tag(stored.revision)}
        return responses.json_response({"protected": protected}, headers=headers)

    return await write(request, command, answer, reason=reason)


def _changes(request: Request, page: HistoryPage, *, going_on: str) -> Response:
    """A page of changes, with the address of the next one when there is more."""
    registry = registry_of(request)
    response = responses.documents(page.items, revision=registry.view.revision, form=responses.form_of(request))
    response.headers[COMPACTED_HEADER] = str(registry.compactor.mark)
    if page.last is not None:
        following = request.url.include_query_params(**{going_on: page.last})
        response.headers["link"] = f'<{following.path}?{following.query}>; rel="next"'
    return response


RESTORE = Body(
    parse_restore,
    reference("RestoreRequest"),
    '`{"revision": number}`, or `{}` for a deleted cluster',
    {"revision": 1},
    optional=True,
    options=("revision",),
)
WHY = Body(
    parse_reason,
    reference("ReasonRequest"),
    'nothing, or `{"reason": text}`',
    {"reason": "in production"},
    optional=True,
    options=("reason",),
)
PAGE_HEADERS = (headers.COMPACTED, headers.LINK)
PROTECTION_HEADERS = (headers.IF_MATCH, headers.REASON)

OPERATIONS = (
    Operation(
        name="getHistory",
        method="GET",
        path="/clusters/{id}/history",
        handler=read_history,
        tag="history",
        summary="List the changes of a cluster",
        verb="history",
        parameters=(BEFORE, LIMIT, AS_PATCH),
        headers=(headers.ACCEPT,),
        answers=(
            Answer(
                200,
                "an array of its changes, newest first",
                array_of(reference("Change")),
                PAGE_HEADERS,
                (JSON, NDJSON),
            ),
        ),
        refuses=(errors.ClusterNotFound, errors.Compacted),
    ),
    Operation(
        name="getChanges",
        method="GET",
        path="/changes",
        handler=read_changes,
        tag="history",
        summary="List the changes of all clusters",
        verb="history",
        parameters=(SINCE, LIMIT, AS_PATCH),
        headers=(headers.ACCEPT,),
        answers=(
            Answer(
                200,
                "an array of the changes of all clusters, oldest first",
                array_of(reference("Change")),
                PAGE_HEADERS,
                (JSON, NDJSON),
            ),
        ),
        refuses=(errors.Compacted,),
    ),
    Operation(
        name="restoreCluster",
        method="POST",
        path="/clusters/{id}/restore",
        handler=restore_cluster,
        tag="history",
        summary="Restore a cluster",
        verb="restore",
        parameters=(FIELD_VALIDATION, DRY_RUN),
        headers=(headers.IF_MATCH, headers.REASON, headers.IDEMPOTENCY_KEY),
        body=RESTORE,
        answers=(
            replace(AFTER_UPDATE, headers=(*AFTER_UPDATE.headers, headers.IDEMPOTENCY_REPLAYED)),
            DRY_RUN_ANSWER,
        ),
        refuses=(
            errors.ClusterNotFound,
            errors.ClusterExists,
            errors.Compacted,
            errors.PreconditionFailed,
            errors.DocumentInvalid,
            errors.IdempotencyKeyReused,
        ),
    ),
    Operation(
        name="protectCluster",
        method="PUT",
        path="/clusters/{id}/protection",
        handler=protect_cluster,
        tag="history",
        summary="Protect a cluster against deletion",
        verb="protect",
        parameters=(DRY_RUN,),
        headers=PROTECTION_HEADERS,
        body=WHY,
        answers=(Answer(200, '`{"protected": true}`', reference("Protection"), (headers.ETAG,)), DRY_RUN_ANSWER),
        refuses=(errors.ClusterNotFound, errors.PreconditionFailed),
    ),
    Operation(
        name="unprotectCluster",
        method="DELETE",
        path="/clusters/{id}/protection",
        handler=unprotect_cluster,
        tag="history",
        summary="Lift the protection of a cluster",
        verb="protect",
        parameters=(DRY_RUN,),
        headers=PROTECTION_HEADERS,
        body=WHY,
        answers=(Answer(200, '`{"protected": false}`', reference("Protection"), (headers.ETAG,)), DRY_RUN_ANSWER),
        refuses=(errors.ClusterNotFound, errors.PreconditionFailed),
    ),
)
