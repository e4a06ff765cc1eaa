"""The operations that write all clusters that match a filter: one update of each, or their deletion."""

from collections.abc import Mapping, Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import caller_of, reason_of, registry_of
from rollbook.api.declarations import Answer, Body, Operation, Parameter, reference
from rollbook.api.handlers.clusters import rules_of
from rollbook.api.handlers.queries import OF_FILTERS
from rollbook.api.offloading import off_the_loop
from rollbook.api.parameters import DRY_RUN, FIELD_VALIDATION, parse_flag
from rollbook.api.writing import key_of, rehearsal_of
from rollbook.registry.reading.filtered_write_requests import (
    DELETE_KEYS,
    UPDATE_KEYS,
    FilteredWrite,
    parse_filtered_deletion,
    parse_filtered_update,
)
from rollbook.registry.writing.submissions import Outcomes, WriteResult

SHOWN_MAX = 100
"""How many clusters the answer to a dry run shows."""

DRY_RUN_FIRST: Parameter[bool | None] = Parameter(
    "dryRun",
    lambda text, limits: parse_flag("dryRun", text),
    "without it, a dry run unless the body brings `confirm`; `true`: a dry run in any case; `false`: deletes at once",
    {"type": "string", "enum": ["true", "false"]},
    None,
)


async def update_clusters(request: Request) -> Response:
    """One update of every cluster that matches, of all or none."""
    registry = registry_of(request)
    asked = await UPDATE.of(
        request, rules=rules_of(request), limits=registry.limits, facts=registry.facts_for(caller_of(request))
    )
    if DRY_RUN.of(request):
        done = await _done(request, asked, dry_run=True)
        return await _rehearsed(done.each, {"changed": _count(done)})
    done = await _done(request, asked, dry_run=False)
    return _answered(done, {"changed": _count(done)})


async def delete_clusters(request: Request) -> Response:
    """The deletion of every cluster that matches, once a dry run has shown them; of all or none."""
    registry, caller, dry_run = registry_of(request), caller_of(request), DRY_RUN_FIRST.of(request)
    asked = await DELETION.of(request, limits=registry.limits)
    if dry_run or (dry_run is None and asked.confirm is None):
        done = await _done(request, asked, dry_run=True)
        confirm = registry.filtered_writes.confirmation(caller, asked, [each.id for each in _results(done)])
        return await _rehearsed(done.each, {"confirm": confirm})
    done = await _done(request, asked, dry_run=False)
    return _answered(done, {"deleted": _count(done)})


async def _done(request: Request, asked: FilteredWrite, *, dry_run: bool) -> Outcomes:
    writes, caller = registry_of(request).filtered_writes, caller_of(request)
    key = None if dry_run else await key_of(request, keeps_body=False)
    return await writes.write(caller, asked, reason=reason_of(request), dry_run=dry_run, key=key)


def _results(done: Outcomes) -> list[WriteResult]:
    return [each for each in done.each if isinstance(each, WriteResult)]


def _count(done: Outcomes) -> int:
    return sum(each.kind is not None for each in _results(done))


def _answered(done: Outcomes, counts: dict[str, int]) -> Response:
    changed = [each for each in _results(done) if each.kind is not None]
    response = responses.json_response(
        {
            "matched": len(done.each),
            **counts,
            "revision": max((each.revision for each in changed), default=None),
            "ids": [each.id for each in changed],
        }
    )
    if done.replayed:
        response.headers["idempotency-replayed"] = "true"
    return response


async def _rehearsed(results: Sequence[object], more: Mapping[str, object]) -> Response:
    """What the write would do: how many match, and what becomes of the first of them."""
    shown = [each for each in results[:SHOWN_MAX] if isinstance(each, WriteResult)]
    size_bytes = sum(len(each.before or b"") + len(each.body or b"") for each in shown)

    def body() -> bytes:
        clusters = [orjson.Fragment(rehearsal_of(each)) for each in shown]
        return orjson.dumps({"dryRun": True, "matched": len(results), **more, "clusters": clusters})

    return Response(await off_the_loop(body, size_bytes=size_bytes), 200, None, responses.JSON)


UPDATE = Body(
    parse_filtered_update,
    reference("FilteredUpdate"),
    '`{"filter": filter, "update": update, "arrayFilters", "atMost", "maxTimeMS"}`, or `where` instead of `filter`',
    {"filter": {"status": "live", "regionId": "us-west-2"}, "update": {"$set": {"status": "draining"}}},
    options=UPDATE_KEYS,
)
DELETION = Body(
    parse_filtered_deletion,
    reference("FilteredDeletion"),
    '`{"filter": filter, "confirm", "atMost", "maxTimeMS"}`, or `where` instead of `filter`',
    {"filter": {"status": "gone"}},
    options=DELETE_KEYS,
)

OPERATIONS = (
    Operation(
        name="updateClusters",
        method="POST",
        path="/clusters/update",
        handler=update_clusters,
        tag="clusters",
        summary="Update all clusters that match",
        verb="update",
        parameters=(FIELD_VALIDATION, DRY_RUN),
        headers=(headers.REASON, headers.IDEMPOTENCY_KEY),
        body=UPDATE,
        answers=(
            Answer(
                200,
                '`{"matched", "changed", "revision", "ids"}`; with `dryRun`, `{"matched", "changed", "clusters"}`',
                reference("FilteredUpdateResult"),
                (headers.IDEMPOTENCY_REPLAYED,),
            ),
        ),
        refuses=(
            *OF_FILTERS,
            errors.UpdateRefused,
            errors.PipelineRefused,
            errors.ProjectionRefused,
            errors.IdImmutable,
            errors.DocumentInvalid,
            errors.IdempotencyKeyReused,
        ),
    ),
    Operation(
        name="deleteClusters",
        method="POST",
        path="/clusters/delete",
        handler=delete_clusters,
        tag="clusters",
        summary="Delete all clusters that match",
        verb="delete",
        parameters=(DRY_RUN_FIRST,),
        headers=(headers.REASON, headers.IDEMPOTENCY_KEY),
        body=DELETION,
        answers=(
            Answer(
                200,
                'first, `{"dryRun", "matched", "clusters", "confirm"}`; with `confirm`, `{"matched", "deleted", '
                '"revision", "ids"}`',
                reference("FilteredDeletionResult"),
                (headers.IDEMPOTENCY_REPLAYED,),
            ),
        ),
        refuses=(*OF_FILTERS, errors.ClusterProtected, errors.PreconditionFailed, errors.IdempotencyKeyReused),
    ),
)
