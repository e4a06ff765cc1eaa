"""The routes of liveness: a cluster's heartbeat, and how it has spent its time."""

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers
from rollbook.api.asking import caller_of, reason_of, registry_of
from rollbook.api.declarations import Answer, Body, Operation, reference
from rollbook.api.responses import json_response
from rollbook.clusters.liveness import Lease
from rollbook.clusters.uptime import SLOT_SECONDS, Share
from rollbook.documents.values import Value
from rollbook.registry.feed.times import iso_time
from rollbook.registry.liveness.heartbeats import MEMBERS, parse_heartbeat


async def beat(request: Request) -> Response:
    """The lease, which begins again."""
    registry = registry_of(request)
    heard = await HEARTBEAT.of(request)
    id, caller = request.path_params["id"], caller_of(request)
    lease = await registry.liveness.beat(caller, id, heard, reason=reason_of(request))
    return json_response(lease_as_json(lease))


async def read_uptime(request: Request) -> Response:
    """Shares of the quarters of an hour of the last day, and of the last 90 days."""
    registry = registry_of(request)
    entry = registry.entry(caller_of(request), request.path_params["id"])
    slots, days = await registry.liveness.uptime(caller_of(request), entry)
    return json_response(
        {
            "id": entry.id,
            "slotSeconds": SLOT_SECONDS,
            "slots": [{"begins": iso_time(share.begins * 1000), **shares(share)} for share in slots],
            "days": [{"date": datetime.fromtimestamp(share.begins, UTC).date(), **shares(share)} for share in days],
        }
    )


def lease_as_json(lease: Lease) -> dict[str, Value]:
    """The answer to a beat: when it was heard, until when the cluster is not silent, and the nodes that it named and
    that the cluster does not have.
    """
    return {
        "id": lease.id,
        "ttlSeconds": lease.ttl_seconds,
        "observedAt": iso_time(lease.observed_at_ms),
        "expiresAt": iso_time(lease.observed_at_ms + lease.ttl_seconds * 1000),
        "liveness": "alive",
        **({"unknownNodes": [*lease.unknown_nodes]} if lease.unknown_nodes else {}),
    }


def shares(share: Share) -> dict[str, float]:
    """The share of each state."""
    return {"alive": share.alive, "late": share.late, "silent": share.silent, "unknown": share.unknown}


HEARTBEAT = Body(
    parse_heartbeat,
    reference("Heartbeat"),
    'none, or `{"ttlSeconds", "status", "nodes"}`, each optional',
    {"ttlSeconds": 60, "nodes": ["node-1"]},
    optional=True,
    options=MEMBERS,
)

OPERATIONS = (
    Operation(
        name="sendHeartbeat",
        method="POST",
        path="/clusters/{id}/heartbeat",
        handler=beat,
        tag="liveness",
        summary="Report that a cluster is alive",
        verb="heartbeat",
        headers=(headers.REASON,),
        body=HEARTBEAT,
        answers=(
            Answer(
                200,
                'the lease: `{"id", "ttlSeconds", "observedAt", "expiresAt", "liveness"}`, with `unknownNodes` if it '
                "named any",
                reference("Lease"),
            ),
        ),
        refuses=(errors.HeartbeatRefused, errors.ClusterNotFound, errors.ClusterDeleted, errors.DocumentInvalid),
        shortcut=True,
    ),
    Operation(
        name="getUptime",
        method="GET",
        path="/clusters/{id}/uptime",
        handler=read_uptime,
        tag="liveness",
        summary="Read how a cluster has spent its time",
        verb="read",
        answers=(Answer(200, '`{"id", "slotSeconds", "slots", "days"}`', reference("Uptime")),),
        refuses=(errors.ClusterNotFound,),
    ),
)
