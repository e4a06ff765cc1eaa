"""The operations on webhooks: their registration, and how their deliveries stand."""

from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import caller_of, registry_of
from rollbook.api.declarations import Answer, Body, Operation, array_of, reference
from rollbook.documents.values import Document, Value
from rollbook.errors import WebhookRefused
from rollbook.registry.reading.requests import parse_since
from rollbook.registry.reading.undocumented import undocumented_paths
from rollbook.registry.webhooks.targets import Registration, TargetParser, parse_delivery_filter, prepare_targets
from rollbook.registry.webhooks.webhooks import TargetEdit, Webhooks


async def create_webhook(request: Request) -> Response:
    """The webhook with its secret, which is sent this once."""
    webhooks = webhooks_of(request)
    registration = await REGISTRATION.of(request, await _parser_of(request))
    await webhooks.create(caller_of(request), registration)
    (described,) = await webhooks.describe(caller_of(request), registration.id)
    headers = {"location": f"/webhooks/{registration.id}", **NOT_STORED}
    response = responses.json_response({**described, "secret": registration.secret}, 201, headers=headers)
    return responses.warned(response, await _notes_on(request, described))


async def list_webhooks(request: Request) -> Response:
    """All, in order of creation."""
    return responses.json_response(
        await webhooks_of(request).describe(
            caller_of(request),
        ),
        headers=NOT_STORED,
    )


async def read_webhook(request: Request) -> Response:
    """The webhook and how its deliveries stand."""
    return await _described(request)


async def replace_webhook(request: Request) -> Response:
    """The webhook becomes the one that is sent; its secret stays unless another is given."""
    return await _change(request, await REPLACEMENT.of(request, await _parser_of(request), id_of(request)))


async def patch_webhook(request: Request) -> Response:
    """The members that are sent replace those that are there; null is the default."""
    return await _change(request, await PATCH.of(request, await _parser_of(request), id_of(request)))


async def delete_webhook(request: Request) -> Response:
    """The webhook is deleted."""
    await webhooks_of(request).delete(caller_of(request), id_of(request))
    return responses.json_response({"message": "Webhook deleted"})


async def replay_webhook(request: Request) -> Response:
    """Deliver everything after a revision, again or not."""
    await webhooks_of(request).replay(caller_of(request), id_of(request), await REPLAY.of(request))
    return await _described(request, status=202)


def id_of(request: Request) -> str:
    """The id in the path."""
    id: str = request.path_params["id"]
    return id


def parse_registration(body: Value, parser: TargetParser) -> Registration:
    """The webhook that the body of a POST asks for."""
    return parser.registration(body)


def parse_replacement(body: Value, parser: TargetParser, id: str) -> TargetEdit:
    """What a PUT does to a webhook. The body is judged when the webhook is known to be there."""
    return lambda _: parser.replacement(body, id=id)


def parse_patch(body: Value, parser: TargetParser, id: str) -> TargetEdit:
    """What a PATCH does to a webhook, likewise."""
    return lambda target: parser.patched(target, body, id=id)


def parse_replay(body: Value) -> int:
    """The revision after which to deliver again."""
    if not isinstance(body, dict) or body.keys() != {"since"} or body["since"] is None:
        raise WebhookRefused("a replay says from after which revision, and nothing else: {'since': revision}")
    return cast(int, parse_since(body))


def webhooks_of(request: Request) -> Webhooks:
    """The webhooks of the registry."""
    return registry_of(request).webhooks


async def _parser_of(request: Request) -> TargetParser:
    """What reads targets, ready to do so at once."""
    await prepare_targets()
    return webhooks_of(request).parser


async def _change(request: Request, edit: TargetEdit) -> Response:
    await webhooks_of(request).change(caller_of(request), id_of(request), edit)
    (described,) = await webhooks_of(request).describe(caller_of(request), id_of(request))
    response = responses.json_response(described, headers=NOT_STORED)
    return responses.warned(response, await _notes_on(request, described))


async def _notes_on(request: Request, described: Document) -> list[str]:
    """What is to be said about the filter of a webhook."""
    registry = registry_of(request)
    filter = parse_delivery_filter(described["filter"], limits=registry.limits)
    return await registry.reader.fleet(caller_of(request)).notes_on(undocumented_paths(filter))


async def _described(request: Request, *, status: int = 200) -> Response:
    (described,) = await webhooks_of(request).describe(caller_of(request), id_of(request))
    return responses.json_response(described, status, headers=NOT_STORED)


NOT_STORED = {"cache-control": "no-store"}

EXAMPLE = {"url": "https://example.net/hooks", "filter": {"status": "unreachable"}, "as": "patch"}
REGISTRATION = Body(
    parse_registration,
    reference("NewWebhook"),
    "a webhook: `url`, and any of `id`, `secret`, `since` and the members below",
    {"id": "alerts", **EXAMPLE},
)
REPLACEMENT = Body(
    parse_replacement,
    reference("WebhookReplacement"),
    "the webhook as it shall be; what is left out takes its default, the secret stays",
    EXAMPLE,
)
PATCH = Body(parse_patch, reference("WebhookPatch"), "members to replace; `null` is the default", {"enabled": False})
REPLAY = Body(parse_replay, reference("ReplayRequest"), '`{"since": revision}`', {"since": 0}, options=("since",))

NO_STORE = (headers.CACHE_CONTROL,)
CHANGED = Answer(200, "the webhook", reference("Webhook"), (*NO_STORE, headers.WARNING))
OPERATIONS = (
    Operation(
        name="createWebhook",
        method="POST",
        path="/webhooks",
        handler=create_webhook,
        tag="webhooks",
        summary="Register a webhook",
        verb="webhooks",
        audited=True,
        body=REGISTRATION,
        answers=(
            Answer(
                201,
                "the webhook with its `secret`, which is shown this once",
                reference("WebhookWithSecret"),
                (headers.LOCATION, *NO_STORE, headers.WARNING),
            ),
        ),
        refuses=(
            errors.WebhookRefused,
            errors.LanguageRefused,
            errors.FilterRefused,
            errors.ExpressionRefused,
            errors.WebhookExists,
            errors.TooManyWebhooks,
            errors.Compacted,
        ),
    ),
    Operation(
        name="listWebhooks",
        method="GET",
        path="/webhooks",
        handler=list_webhooks,
        tag="webhooks",
        summary="List the webhooks",
        verb="webhooks",
        answers=(Answer(200, "the array of webhooks", array_of(reference("Webhook")), NO_STORE),),
    ),
    Operation(
        name="getWebhook",
        method="GET",
        path="/webhooks/{id}",
        handler=read_webhook,
        tag="webhooks",
        summary="Read a webhook",
        verb="webhooks",
        answers=(Answer(200, "the webhook and how its deliveries stand", reference("Webhook"), NO_STORE),),
        refuses=(errors.WebhookNotFound,),
    ),
    Operation(
        name="replaceWebhook",
        method="PUT",
        path="/webhooks/{id}",
        handler=replace_webhook,
        tag="webhooks",
        summary="Replace a webhook",
        verb="webhooks",
        audited=True,
        body=REPLACEMENT,
        answers=(CHANGED,),
        refuses=(errors.WebhookRefused, errors.FilterRefused, errors.ExpressionRefused, errors.WebhookNotFound),
    ),
    Operation(
        name="patchWebhook",
        method="PATCH",
        path="/webhooks/{id}",
        handler=patch_webhook,
        tag="webhooks",
        summary="Change members of a webhook",
        verb="webhooks",
        audited=True,
        body=PATCH,
        answers=(CHANGED,),
        refuses=(errors.WebhookRefused, errors.FilterRefused, errors.ExpressionRefused, errors.WebhookNotFound),
    ),
    Operation(
        name="deleteWebhook",
        method="DELETE",
        path="/webhooks/{id}",
        handler=delete_webhook,
        tag="webhooks",
        summary="Delete a webhook",
        verb="webhooks",
        audited=True,
        answers=(Answer(200, '`{"message": "Webhook deleted"}`', reference("Message")),),
        refuses=(errors.WebhookNotFound,),
    ),
    Operation(
        name="replayWebhook",
        method="POST",
        path="/webhooks/{id}/replay",
        handler=replay_webhook,
        tag="webhooks",
        summary="Deliver again",
        verb="webhooks",
        audited=True,
        body=REPLAY,
        answers=(
            Answer(
                202,
                "the webhook, which delivers everything after that revision, again or not",
                reference("Webhook"),
                NO_STORE,
            ),
        ),
        refuses=(errors.WebhookRefused, errors.LanguageRefused, errors.WebhookNotFound, errors.Compacted),
    ),
)
