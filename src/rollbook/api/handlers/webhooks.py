"""The routes of webhooks: their registration, how their deliveries stand, and what could not be delivered."""

from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import responses
from rollbook.api.asking import json_body
from rollbook.api.handlers.clusters import registry_of
from rollbook.documents.values import Value
from rollbook.errors import DeadLetterNotFound, WebhookRefused
from rollbook.registry.reading.requests import parse_since
from rollbook.registry.webhooks.webhooks import TargetEdit, Webhooks


async def create_webhook(request: Request) -> Response:
    """``POST /webhooks``: the webhook with its secret, which is told this once."""
    webhooks = _webhooks_of(request)
    registration = webhooks.parser.registration(await _body(request))
    await webhooks.create(registration)
    (described,) = await webhooks.describe(registration.id)
    headers = {"location": f"/webhooks/{registration.id}", **NOT_STORED}
    return responses.json_response({**described, "secret": registration.secret}, 201, headers=headers)


async def list_webhooks(request: Request) -> Response:
    """``GET /webhooks``: all, in order of creation."""
    return responses.json_response(await _webhooks_of(request).describe(), headers=NOT_STORED)


async def read_webhook(request: Request) -> Response:
    """``GET /webhooks/{id}``."""
    return await _described(request)


async def replace_webhook(request: Request) -> Response:
    """``PUT /webhooks/{id}``: the webhook becomes the one that is sent; its secret stays unless another is given."""
    parser, body, id = _webhooks_of(request).parser, await _body(request), request.path_params["id"]
    return await _change(request, lambda _: parser.replacement(body, id=id))


async def patch_webhook(request: Request) -> Response:
    """``PATCH /webhooks/{id}``: the members that are sent replace those that are there; null is the default."""
    parser, body, id = _webhooks_of(request).parser, await _body(request), request.path_params["id"]
    return await _change(request, lambda target: parser.patched(target, body, id=id))


async def delete_webhook(request: Request) -> Response:
    """``DELETE /webhooks/{id}``."""
    await _webhooks_of(request).delete(request.path_params["id"])
    return responses.json_response({"message": "Webhook deleted"})


async def replay_webhook(request: Request) -> Response:
    """``POST /webhooks/{id}/replay``: deliver everything after a revision, again or not."""
    body = await _body(request)
    if not isinstance(body, dict) or body.keys() != {"since"} or body["since"] is None:
        raise WebhookRefused("a replay says from after which revision, and nothing else: {'since': revision}")
    await _webhooks_of(request).replay(request.path_params["id"], cast(int, parse_since(body)))
    return await _described(request, status=202)


async def list_dead_letters(request: Request) -> Response:
    """``GET /webhooks/{id}/dead-letters``: all, oldest first, without their messages."""
    return responses.json_response(await _webhooks_of(request).letters.list(request.path_params["id"]))


async def read_dead_letter(request: Request) -> Response:
    """``GET /webhooks/{id}/dead-letters/{number}``: one, with its message."""
    letters = _webhooks_of(request).letters
    return responses.json_response(await letters.read(request.path_params["id"], _number(request)))


async def retry_dead_letters(request: Request) -> Response:
    """``POST /webhooks/{id}/dead-letters/retry``: try all again that have a message."""
    count = await _webhooks_of(request).letters.retry(request.path_params["id"])
    return responses.json_response({"retrying": count}, 202)


async def retry_dead_letter(request: Request) -> Response:
    """``POST /webhooks/{id}/dead-letters/{number}/retry``: try one again."""
    count = await _webhooks_of(request).letters.retry(request.path_params["id"], _number(request))
    return responses.json_response({"retrying": count}, 202)


async def drop_dead_letters(request: Request) -> Response:
    """``DELETE /webhooks/{id}/dead-letters``: throw all away."""
    count = await _webhooks_of(request).letters.drop(request.path_params["id"])
    return responses.json_response({"deleted": count})


async def drop_dead_letter(request: Request) -> Response:
    """``DELETE /webhooks/{id}/dead-letters/{number}``: throw one away."""
    count = await _webhooks_of(request).letters.drop(request.path_params["id"], _number(request))
    return responses.json_response({"deleted": count})


def _webhooks_of(request: Request) -> Webhooks:
    return registry_of(request).webhooks


async def _body(request: Request) -> Value:
    return await json_body(request, limits=registry_of(request).limits)


async def _change(request: Request, edit: TargetEdit) -> Response:
    await _webhooks_of(request).change(request.path_params["id"], edit)
    return await _described(request)


async def _described(request: Request, *, status: int = 200) -> Response:
    (described,) = await _webhooks_of(request).describe(request.path_params["id"])
    return responses.json_response(described, status, headers=NOT_STORED)


def _number(request: Request) -> int:
    text: str = request.path_params["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_LENGTH_MAX):
        raise DeadLetterNotFound(f"{text!r} is no number of a dead letter")
    return int(text)


NOT_STORED = {"cache-control": "no-store"}
NUMBER_LENGTH_MAX = 18
