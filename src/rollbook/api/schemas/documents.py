"""JSON Schemas of clusters and nodes, read off ``clusters.schema``.

One rule: what is sent may be anything that is accepted; what is answered may be anything that is stored. Documents that
were written with other rules, by an older version or a lenient one, stay readable, so answers are described without
required members.
"""

from typing import Any

from rollbook.api.declarations import Schema
from rollbook.clusters.ids import RESERVED_IDS
from rollbook.clusters.registry_fields import OF_LEASES, STORED
from rollbook.clusters.schema import (
    CLUSTER,
    NODE,
    Fields,
    Flag,
    Free,
    Kind,
    ListOf,
    Member,
    NodeId,
    Number,
    Presence,
    Text,
)
from rollbook.documents.values import MISSING
from rollbook.limits import DEFAULT_LIMITS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
GIVEN = (Presence.IDENTITY, Presence.REQUIRED)


def schema_of(kind: Kind, *, sent: bool) -> dict[str, Any]:
    """The schema of a documented kind. ``sent``: as a writer gives it, with numbers as text where they are cast."""
    match kind:
        case Text(may_be_empty):
            return {"type": "string"} if may_be_empty or not sent else {"type": "string", "minLength": 1}
        case NodeId():
            return {"type": "string", "minLength": 1} if sent else {"type": "string"}
        case Number(may_be_negative):
            number: dict[str, Any] = {"type": ["number", "string"] if sent else "number"}
            return number if may_be_negative else {**number, "minimum": 0}
        case Flag():
            return {"type": ["boolean", "string"] if sent else "boolean"}
        case Free():
            return {}
        case ListOf(item):
            return {"type": "array", "items": schema_of(item, sent=sent)}
        case Fields(members):
            required = [name for name, member in members.items() if member.presence in GIVEN]
            return {
                "type": "object",
                "properties": {name: member_schema(member, sent=sent) for name, member in members.items()},
                **({"required": required} if sent and required else {}),
            }


def member_schema(member: Member, *, sent: bool) -> dict[str, Any]:
    """The schema of a documented member, with its meaning."""
    default = {} if member.default in (MISSING, {}) or not sent else {"default": member.default}
    return {**schema_of(member.kind, sent=sent), "description": member.meaning, **default}


def cluster_schema() -> Schema:
    """The schema of a cluster document as a document of its own, for ``GET /schema``."""
    return {"$schema": DIALECT, "$id": "urn:rollbook:schema:cluster", "title": "Cluster", **COMPONENTS["NewCluster"]}


def _new_cluster() -> dict[str, Any]:
    schema = schema_of(CLUSTER, sent=True)
    schema["properties"]["id"] |= {
        "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        "maxLength": DEFAULT_LIMITS.id_length_max,
        "not": {"enum": sorted(RESERVED_IDS)},
    }
    schema["required"] = ["id", "config", "clusterMetadata"]
    return {"description": "A cluster as it is created. Members that are not documented are kept.", **schema}


FACTS: Schema = {
    "type": "object",
    "description": "What the registry knows of a cluster beside its document, with `include=registry`.",
    "properties": {
        name: {**({"type": list(each.types)} if each.types else {}), "description": each.meaning}
        for name, each in {**STORED, **OF_LEASES}.items()
    },
}
_NODE = schema_of(NODE, sent=True)
_STORED = schema_of(CLUSTER, sent=False)

COMPONENTS: dict[str, Schema] = {
    "Cluster": {
        "description": "A cluster as it is stored.",
        **_STORED,
        "properties": {**_STORED["properties"], "_registry": FACTS},
        "required": ["id"],
    },
    "NewCluster": _new_cluster(),
    "ClusterReplacement": {
        **_new_cluster(),
        "description": "A cluster as it shall be. What the registry fills stays as it is where it is left out.",
        "required": ["config", "clusterMetadata"],
    },
    "Node": {"description": "A node as it is stored.", **schema_of(NODE, sent=False)},
    "NewNode": {**_NODE, "description": "A node as it joins."},
    "NodeReplacement": {
        **_NODE,
        "description": "A node as it shall be; its `id` may be left out.",
        "required": [name for name in _NODE["required"] if name != "id"],
    },
    "AnyDocument": {
        "description": "A cluster, or what a projection leaves of it.",
        "type": "object",
    },
}
