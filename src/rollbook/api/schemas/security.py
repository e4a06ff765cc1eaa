"""JSON Schemas of tokens, roles, and what callers may. The members' table in the reference is made from these."""

from typing import Any

from rollbook.api.declarations import Schema, array_of
from rollbook.api.schemas.messages import COUNT, FLAG, NULLABLE_TEXT, TEXT, TIME, closed, object_of
from rollbook.api.schemas.webhooks import NULLABLE_TIME
from rollbook.security.issuing import (
    CERTIFICATES_MAX,
    CLUSTERS_MAX,
    GRACE_SECONDS_MAX,
    NETWORKS_MAX,
    ROLES_MAX,
    SECONDS_MAX,
    TEXT_LENGTH_MAX,
    TOKEN_NAME,
)
from rollbook.security.limits import REQUESTS_MAX, WATCHES_MAX
from rollbook.security.questions import PATHS_MAX
from rollbook.security.roles import RULES_MAX, VERBS


def _texts(most: int, meaning: str, **of: Any) -> dict[str, Any]:
    items = {**TEXT, "minLength": 1, "maxLength": TEXT_LENGTH_MAX}
    return {"type": "array", "items": items, "maxItems": most, "description": meaning, **of}


NEW_TOKEN = {
    "name": {
        "type": "string",
        "pattern": f"^{TOKEN_NAME.pattern}$",
        "description": "what the history and the log call its callers; no two tokens have the same",
    },
    "roles": _texts(ROLES_MAX, "names of [roles](#roles): what it allows", minItems=1),
    "clusters": _texts(CLUSTERS_MAX, "ids of clusters that it is bound to, for rules that ask for `clusters`"),
    "owner": {
        "anyOf": [{**TEXT, "minLength": 1, "maxLength": TEXT_LENGTH_MAX}, {"type": "null"}],
        "description": "whom it is bound to, for rules that ask for `owner`",
    },
    "networks": _texts(NETWORKS_MAX, "the only networks that it can be used from, such as `10.0.0.0/8`"),
    "certificates": _texts(
        CERTIFICATES_MAX, "names (SAN) of clients' certificates that stand for it, with `ROLLBOOK_TLS_CLIENT_CA`"
    ),
    "requestsPerSecond": {
        "anyOf": [{"type": "number", "minimum": 0.01, "maximum": REQUESTS_MAX}, {"type": "null"}],
        "description": "how many requests a second its callers may send together, in place of the setting",
    },
    "watchesMax": {
        "anyOf": [{"type": "integer", "minimum": 0, "maximum": WATCHES_MAX}, {"type": "null"}],
        "description": "how many watches its callers may have together, in place of the setting",
    },
    "expiresAt": {**NULLABLE_TIME, "description": "when it ends, in ISO 8601; never where it is left out"},
    "ttlSeconds": {
        "anyOf": [{"type": "number", "minimum": 1, "maximum": SECONDS_MAX}, {"type": "null"}],
        "description": "how long it holds, instead of `expiresAt`",
    },
}
_TOKEN = {
    "id": TEXT,
    "name": TEXT,
    "roles": array_of(TEXT),
    "clusters": array_of(TEXT),
    "owner": NULLABLE_TEXT,
    "networks": array_of(TEXT),
    "certificates": array_of(TEXT),
    "requestsPerSecond": {"type": ["number", "null"]},
    "watchesMax": {"type": ["integer", "null"]},
    "createdAt": TIME,
    "createdBy": NULLABLE_TEXT,
    "expiresAt": NULLABLE_TIME,
    "lastUsedAt": NULLABLE_TIME,
    "formerUntil": NULLABLE_TIME,
}
_PATHS = {"type": "array", "items": TEXT, "maxItems": PATHS_MAX}
_RULE = {
    "verbs": {"type": "array", "items": {"type": "string", "enum": sorted(VERBS)}, "minItems": 1},
    "filter": {"type": "object"},
    "hide": _PATHS,
    "only": _PATHS,
    "write": _PATHS,
    "logged": FLAG,
}
_LIMITS = {
    "requestsPerSecond": {"type": "number", "minimum": 0.01, "maximum": REQUESTS_MAX},
    "watchesMax": {"type": "integer", "minimum": 0, "maximum": WATCHES_MAX},
}
_OPTIONAL = ("filter", "hide", "only", "write", "logged")
_DESCRIPTION = {"type": "string", "maxLength": 500}

COMPONENTS: dict[str, Schema] = {
    "NewToken": closed(NEW_TOKEN, required=("name", "roles")),
    "Rotation": closed({"graceSeconds": {"type": "number", "minimum": 0, "maximum": GRACE_SECONDS_MAX}}),
    "Token": object_of(_TOKEN),
    "TokenWithSecret": object_of({**_TOKEN, "token": TEXT}),
    "RoleRequest": closed(
        {
            "name": TEXT,
            "builtIn": FLAG,
            "inFile": FLAG,
            "description": _DESCRIPTION,
            "limits": closed(_LIMITS),
            "rules": {
                "type": "array",
                "items": closed(_RULE, required=("verbs",)),
                "minItems": 1,
                "maxItems": RULES_MAX,
            },
        },
        required=("rules",),
    ),
    "Role": object_of(
        {
            "name": TEXT,
            "description": TEXT,
            "builtIn": FLAG,
            "inFile": FLAG,
            "rules": array_of(object_of(_RULE, optional=_OPTIONAL)),
            "limits": object_of(_LIMITS, optional=tuple(_LIMITS)),
        },
        optional=("inFile", "limits"),
    ),
    "Access": object_of(
        {
            "caller": TEXT,
            "kind": TEXT,
            "enforcement": {"type": "string", "enum": ["open", "enforced", "observed"]},
            "roles": array_of(TEXT),
            "bindings": {"type": "object"},
            "expiresAt": NULLABLE_TIME,
            "verbs": array_of(TEXT),
            "rules": array_of(object_of({"role": TEXT, **_RULE, "void": TEXT}, optional=(*_OPTIONAL, "void"))),
        }
    ),
    "AccessQuestion": closed(
        {
            "verb": {"type": "string", "enum": sorted(VERBS)},
            "id": NULLABLE_TEXT,
            "paths": _PATHS,
            "as": {
                "anyOf": [
                    closed({"token": NULLABLE_TEXT, "roles": _PATHS, "clusters": _PATHS, "owner": NULLABLE_TEXT}),
                    {"type": "null"},
                ]
            },
        },
        required=("verb",),
    ),
    "Session": object_of({"caller": TEXT, "seconds": COUNT}),
    "AuditEntry": object_of({"seq": COUNT, "at": TIME, "actor": TEXT, "event": TEXT, "previous": TEXT}),
    "AccessJudgement": object_of({"allowed": FLAG, "caller": TEXT, "reason": TEXT, "roles": array_of(TEXT)}),
}
