"""How a handler writes: one door to the registry, for writes and for dry runs alike.

One rule: a dry run is decided like the write, in its turn and on the newest document, and answered with what would be
stored. What the write would be refused with, the dry run is refused with.
"""

import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import orjson
from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import responses
from rollbook.api.asking import caller_of, reason_of, registry_of
from rollbook.api.declarations import Answer, reference
from rollbook.api.offloading import QUICK_BYTES_MAX, off_the_loop
from rollbook.api.parameters import DRY_RUN
from rollbook.clusters.large_documents import decode_stored
from rollbook.documents.codec import encode_json
from rollbook.documents.patching import patch_between
from rollbook.errors import RequestRefused
from rollbook.registry.writing.commands import Command
from rollbook.registry.writing.committing import WriteResult
from rollbook.registry.writing.idempotency import IdempotencyKey
from rollbook.security.callers import Caller

Answering: TypeAlias = Callable[[WriteResult], Response] | Callable[[WriteResult], Awaitable[Response]]

DRY_RUN_ANSWER = Answer(200, "with `dryRun`: what would be stored", reference("DryRun"))


IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}")


async def write(request: Request, command: Command, answer: Answering, *, reason: str | None = None) -> Response:
    """Carry out a command, and make its answer; or, where ``?dryRun=true`` asks for it, say what it would do."""
    registry, dry_run = registry_of(request), DRY_RUN.of(request)
    why = reason or reason_of(request)
    caller, key = caller_of(request), None if dry_run else await key_of(request)
    result = await registry.write(caller, command, reason=why, dry_run=dry_run, key=key)
    if dry_run:
        return await rehearsed(result)
    answered = answer(result)
    response = answered if isinstance(answered, Response) else await answered
    if result.replayed:
        response.headers["idempotency-replayed"] = "true"
    return response


async def key_of(request: Request, *, keeps_body: bool = True) -> IdempotencyKey | None:
    """The idempotency key of a POST that has one. Refuses (RequestRefused) one that can't be a key."""
    given = idempotency_key_in(request) if request.method == "POST" else None
    if given is None:
        return None
    asked = (request.method.encode(), request.scope["raw_path"], request.scope["query_string"], await request.body())
    return IdempotencyKey.of(owner_of(caller_of(request)), given, *asked, keeps_body=keeps_body)


def idempotency_key_in(request: Request) -> str | None:
    """The header ``Idempotency-Key``; None where there is none. Refuses (RequestRefused) one that can't be a key."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not IDEMPOTENCY_KEY.fullmatch(keys[0]):
        raise RequestRefused("an Idempotency-Key is one text of 1 to 255 printable characters, such as a UUID")
    return keys[0]


def owner_of(caller: Caller) -> str:
    """Whose a key is: callers who are not known share theirs, for a second attempt may come from another address."""
    return "anonymous" if caller.kind == "anonymous" else caller.name


async def rehearsed(result: WriteResult) -> Response:
    """What a write would have done."""
    size_bytes = len(result.before or b"") + len(result.body or b"")
    if size_bytes > QUICK_BYTES_MAX:
        body = await off_the_loop(lambda: rehearsal_of(result), size_bytes=size_bytes)
    else:
        body = rehearsal_of(result)
    return Response(body, 200, None, responses.JSON)


def rehearsal_of(result: WriteResult) -> bytes:
    """The body that says what a write would have done, as JSON."""
    return orjson.dumps(
        {
            "dryRun": True,
            "event": result.kind,
            "id": result.id,
            "revision": result.revision or None,
            "document": None if result.body is None else orjson.Fragment(result.body),
            "diff": orjson.Fragment(difference(result.before, result.body)),
            "warnings": result.warnings,
        }
    )


def difference(before: bytes | None, after: bytes | None) -> bytes:
    """The JSON Patch between two stored documents, None where there is none, as JSON.

    Documents that are too deep to be compared differ as a whole.
    """
    if before == after:
        return b"[]"
    versions = [None if body is None else decode_stored(body) for body in (before, after)]
    try:
        return encode_json([*patch_between(*versions)])
    except RecursionError:
        return encode_json([{"op": "replace", "path": "", "value": versions[1]}])
