"""JSON Schemas of webhooks and dead letters. The members' table in the reference is made from these."""

from typing import Any

from rollbook.api.declarations import Schema, reference
from rollbook.api.schemas.messages import COUNT, FLAG, TEXT, TIME, closed, object_of
from rollbook.registry.webhooks.targets import DESCRIPTION_LENGTH_MAX, URL_LENGTH_MAX, Target

DEFAULT = Target(url="").as_json()
RETRY = Target(url="").retry.as_json()
NULLABLE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}


def _member(schema: Schema, meaning: str, default: Any = None) -> dict[str, Any]:
    return {**schema, "description": meaning, **({} if default is None else {"default": default})}


def _number(least: float, most: float, kind: str = "number") -> Schema:
    return {"type": kind, "minimum": least, "maximum": most}


RETRY_MEMBERS = {
    "attempts": _member(
        _number(1, 100, "integer"), "attempts before a message becomes a dead letter, 1 to 100", RETRY["attempts"]
    ),
    "firstSeconds": _member(
        _number(0.1, 3600),
        "about how long the first pause is, 0.1 to 3,600; each is twice the one before",
        RETRY["firstSeconds"],
    ),
    "longestSeconds": _member(_number(0.1, 86_400), "the longest pause, 0.1 to 86,400", RETRY["longestSeconds"]),
}
MEMBERS = {
    "url": _member(
        {"type": "string", "maxLength": URL_LENGTH_MAX},
        "where to: `http` or `https`, no user or password in it",
    ),
    "filter": _member(
        reference("Filter"), "which clusters matter: MongoDB's language, without `_registry`", DEFAULT["filter"]
    ),
    "as": _member(
        {"type": "string", "enum": ["document", "patch", "both"]},
        "`document`, `patch` or `both`: how a message describes the change",
        DEFAULT["as"],
    ),
    "enabled": _member(FLAG, "whether to deliver; what happens meanwhile is delivered afterwards", DEFAULT["enabled"]),
    "description": _member({"type": "string", "maxLength": DESCRIPTION_LENGTH_MAX}, "a text for people"),
    "timeoutSeconds": _member(_number(0.1, 60), "how long an attempt may take, 0.1 to 60", DEFAULT["timeoutSeconds"]),
    "retry": _member({"type": "object", "properties": RETRY_MEMBERS, "additionalProperties": False}, "how to retry"),
}
SECRET = {
    "secret": _member(TEXT, "what messages are signed with: `whsec_` and 24 to 64 bytes in base64; never shown by GET")
}
AT_CHANGE = {
    "keepFormerSecrets": _member(
        FLAG, "on change: `false` ends former secrets at once, instead of a day after they were replaced", True
    )
}
AT_CREATION = {
    "id": _member(
        {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"},
        "on creation: 1 to 64 letters, digits, `_` and `-`; made up where it is left out",
    ),
    "since": _member(COUNT, "on creation: deliver what is later than this revision; from now on where it is left out"),
}
IN_WORDS = {"where": _member(TEXT, "the filter in words, instead of `filter`; what it became is shown as `filter`")}
_READ = {"id": TEXT, "createdAt": TIME, "updatedAt": TIME, "status": {"type": "object"}}
_WEBHOOK = {**MEMBERS, **_READ}


def _nullable(members: dict[str, Any]) -> dict[str, Any]:
    return {name: {"anyOf": [schema, {"type": "null"}]} for name, schema in members.items()}


COMPONENTS: dict[str, Schema] = {
    "NewWebhook": closed({**MEMBERS, **IN_WORDS, **SECRET, **AT_CREATION}, required=("url",)),
    "WebhookReplacement": closed({**MEMBERS, **IN_WORDS, **SECRET, **AT_CHANGE, **_READ}, required=("url",)),
    "WebhookPatch": closed({**_nullable({**MEMBERS, **SECRET, **AT_CHANGE}), **IN_WORDS, **_READ}),
    "Webhook": object_of(_WEBHOOK),
    "WebhookWithSecret": object_of({**_WEBHOOK, **SECRET}),
    "ReplayRequest": closed({"since": COUNT}, required=("since",)),
    "DeadLetter": object_of(
        {
            "number": COUNT,
            "kind": TEXT,
            "firstRevision": COUNT,
            "revision": COUNT,
            "at": NULLABLE_TIME,
            "attempts": COUNT,
            "problem": TEXT,
            "retrying": FLAG,
            "message": {"type": ["object", "null"]},
        },
        optional=("message",),
    ),
}
