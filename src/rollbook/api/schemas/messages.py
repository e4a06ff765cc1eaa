"""JSON Schemas of the smaller bodies: what is said about clusters, and what the registry says about itself."""

from typing import Any

from rollbook.api.declarations import Schema, array_of, reference
from rollbook.api.schemas.tables import WHY_NOT
from rollbook.clusters.liveness import TTL_SECONDS_DEFAULT, TTL_SECONDS_MAX, TTL_SECONDS_MIN
from rollbook.registry.liveness.heartbeats import NODE_ID_LENGTH_MAX, NODES_MAX, STATUS_LENGTH_MAX

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
NULLABLE_TEXT: Schema = {"type": ["string", "null"]}


def object_of(members: dict[str, Any], *, optional: tuple[str, ...] = (), **more: Any) -> Schema:
    """An object with these members, all but the ``optional`` ones required; it may grow others."""
    return {
        "type": "object",
        "properties": members,
        "required": [name for name in members if name not in optional],
        **more,
    }


def closed(members: dict[str, Any], *, required: tuple[str, ...] = ()) -> Schema:
    """An object of a request, which may hold these members and no others."""
    required_members = {"required": [*required]} if required else {}
    return {"type": "object", "properties": members, "additionalProperties": False, **required_members}


_SHARES = {"alive": NUMBER, "late": NUMBER, "silent": NUMBER, "unknown": NUMBER}
_CHANGE = {
    "event": TEXT,
    "revision": COUNT,
    "id": TEXT,
    "time": TIME,
    "actor": NULLABLE_TEXT,
    "reason": NULLABLE_TEXT,
    "problem": {**TEXT, "description": "Instead of the documents, where they can't be read or encoded."},
    "document": {"anyOf": [reference("Cluster"), {"type": "null"}]},
    "patch": array_of(reference("PatchOperation")),
}
_ENVELOPE = {"header": {"type": ["object", "null"]}}

REVISION_OR_NULL: Schema = {"type": ["integer", "null"], "description": "the newest; null where nothing changed"}
DRY_RUNS: Schema = {**array_of(reference("DryRun")), "description": "of the first 100 that match"}

COMPONENTS: dict[str, Schema] = {
    "Message": object_of({"message": TEXT}),
    "Count": object_of({"count": COUNT}),
    "Explanation": object_of(
        {
            "query": reference("Filter"),
            "where": TEXT,
            "pipeline": TEXT,
            "summary": TEXT,
            "exact": FLAG,
            "documents": COUNT,
            "notes": array_of(TEXT),
            "whyNot": WHY_NOT,
            "nearest": array_of(object_of({"id": TEXT, "missing": array_of(TEXT)})),
        },
        optional=("pipeline", "whyNot", "nearest"),
    ),
    "Facets": object_of(
        {
            "count": COUNT,
            "facets": {
                "type": "object",
                "additionalProperties": object_of(
                    {
                        "values": array_of(object_of({"value": {}, "count": COUNT})),
                        "distinct": COUNT,
                        "missing": COUNT,
                        "unlisted": COUNT,
                    }
                ),
            },
        }
    ),
    "PatchOperation": object_of(
        {"op": TEXT, "path": TEXT, "from": TEXT, "value": {}},
        optional=("from", "value"),
        description="A JSON Patch operation (RFC 6902).",
    ),
    "Verdict": object_of(
        {
            "valid": FLAG,
            "problems": array_of(object_of({"at": TEXT, "problem": TEXT})),
            "warnings": array_of(TEXT),
            "document": {"anyOf": [reference("Cluster"), {"type": "null"}]},
        }
    ),
    "DryRun": object_of(
        {
            "dryRun": {"const": True},
            "event": {"enum": ["created", "updated", "deleted", "protected", "unprotected", None]},
            "id": TEXT,
            "revision": {"type": ["integer", "null"]},
            "document": {"anyOf": [reference("Cluster"), {"type": "null"}]},
            "diff": array_of(reference("PatchOperation")),
            "warnings": array_of(TEXT),
        },
        description="What a write would do. `event` is null where it would change nothing; `revision` is that of the "
        "document as it is, `diff` the JSON Patch (RFC 6902) that leads from it to `document`.",
    ),
    "FilteredUpdateResult": {
        "anyOf": [
            object_of({"matched": COUNT, "changed": COUNT, "revision": REVISION_OR_NULL, "ids": array_of(TEXT)}),
            object_of({"dryRun": {"const": True}, "matched": COUNT, "changed": COUNT, "clusters": DRY_RUNS}),
        ]
    },
    "FilteredDeletionResult": {
        "anyOf": [
            object_of({"matched": COUNT, "deleted": COUNT, "revision": REVISION_OR_NULL, "ids": array_of(TEXT)}),
            object_of({"dryRun": {"const": True}, "matched": COUNT, "confirm": TEXT, "clusters": DRY_RUNS}),
        ]
    },
    "Change": object_of(_CHANGE, optional=("document", "patch", "problem"), description="A change of a cluster."),
    "Events": object_of(
        {"revision": COUNT, "events": array_of(reference("Change"))},
        description="With `wait`: the events, and the revision to go on from.",
    ),
    "RestoreRequest": closed({"revision": COUNT}),
    "ReasonRequest": closed({"reason": NULLABLE_TEXT}),
    "Protection": object_of({"protected": FLAG}),
    "Heartbeat": closed(
        {
            "ttlSeconds": {
                "type": "integer",
                "minimum": TTL_SECONDS_MIN,
                "maximum": TTL_SECONDS_MAX,
                "default": TTL_SECONDS_DEFAULT,
            },
            "status": {"type": "string", "maxLength": STATUS_LENGTH_MAX},
            "nodes": {
                **array_of({"type": "string", "minLength": 1, "maxLength": NODE_ID_LENGTH_MAX}),
                "maxItems": NODES_MAX,
            },
        }
    ),
    "Lease": object_of(
        {
            "id": TEXT,
            "ttlSeconds": COUNT,
            "observedAt": TIME,
            "expiresAt": TIME,
            "liveness": TEXT,
            "unknownNodes": array_of(TEXT),
        },
        optional=("unknownNodes",),
    ),
    "Uptime": object_of(
        {
            "id": TEXT,
            "slotSeconds": COUNT,
            "slots": array_of(object_of({"begins": TIME, **_SHARES})),
            "days": array_of(object_of({"date": {"type": "string", "format": "date"}, **_SHARES})),
        }
    ),
    "Health": object_of({"status": TEXT, "version": TEXT}),
    "Readiness": object_of(
        {
            "status": TEXT,
            "writable": FLAG,
            "trouble": TEXT,
            "revision": COUNT,
            "clusters": COUNT,
            "compacted": COUNT,
            "keeper": FLAG,
            "processes": COUNT,
            "lagMs": COUNT,
            "engine": TEXT,
            "liveness": {"type": "object"},
        },
        optional=(
            *("writable", "trouble", "revision", "clusters", "compacted", "liveness"),
            *("keeper", "processes", "lagMs", "engine"),
        ),
    ),
    "RunningRequest": object_of(
        {
            "id": NULLABLE_TEXT,
            "operation": NULLABLE_TEXT,
            "method": TEXT,
            "path": TEXT,
            "caller": TEXT,
            "address": TEXT,
            "since": TIME,
            "milliseconds": NUMBER,
        }
    ),
    "Version": object_of({"name": TEXT, "version": TEXT, "api": TEXT}),
    "Welcome": object_of({"name": TEXT, "version": TEXT, "description": TEXT, "links": {"type": "object"}}),
    "SpecEnvelope": {
        "anyOf": [
            object_of(
                {**_ENVELOPE, "body": object_of({"spec": object_of({"values": reference("NewCluster")})})},
                optional=("header",),
            ),
            reference("NewCluster"),
        ]
    },
    "NodeEnvelope": {
        "anyOf": [
            object_of(
                {**_ENVELOPE, "body": object_of({"spec": object_of({"values": {"type": "object"}})})},
                optional=("header",),
            ),
            object_of({"clusterId": TEXT}),
        ]
    },
    "Search": object_of({"matchType": {"const": "cluster"}, "filter": object_of({"clusterQuery": {"type": "object"}})}),
    "SearchEnvelope": {
        "anyOf": [
            object_of({**_ENVELOPE, "body": object_of({"values": reference("Search")})}, optional=("header",)),
            reference("Search"),
        ]
    },
    "ParserResult": object_of({"success": {"const": True}, "task_id": TEXT, "result": reference("Cluster")}),
    "SearchResult": object_of({"success": {"const": True}, "data": array_of(reference("AnyDocument"))}),
    "Retrying": object_of({"retrying": COUNT}),
    "Deleted": object_of({"deleted": COUNT}),
}
