"""The operations on dead letters: what a webhook could not deliver, and another attempt at it."""

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import responses
from rollbook.api.asking import caller_of
from rollbook.api.declarations import Answer, Operation, array_of, reference
from rollbook.api.handlers.webhooks import id_of, webhooks_of
from rollbook.errors import DeadLetterNotFound
from rollbook.registry.history.moments import parse_number


async def list_dead_letters(request: Request) -> Response:
    """All, oldest first, without their messages."""
    return responses.json_response(await webhooks_of(request).letters.list(caller_of(request), id_of(request)))


async def read_dead_letter(request: Request) -> Response:
    """One, with its message."""
    letters = webhooks_of(request).letters
    return responses.json_response(await letters.read(caller_of(request), id_of(request), _number(request)))


async def retry_dead_letters(request: Request) -> Response:
    """Try all again that have a message."""
    count = await webhooks_of(request).letters.retry(caller_of(request), id_of(request))
    return responses.json_response({"retrying": count}, 202)


async def retry_dead_letter(request: Request) -> Response:
    """Try one again."""
    count = await webhooks_of(request).letters.retry(caller_of(request), id_of(request), _number(request))
    return responses.json_response({"retrying": count}, 202)


async def drop_dead_letters(request: Request) -> Response:
    """Throw all away."""
    count = await webhooks_of(request).letters.drop(caller_of(request), id_of(request))
    return responses.json_response({"deleted": count})


async def drop_dead_letter(request: Request) -> Response:
    """Throw one away."""
    count = await webhooks_of(request).letters.drop(caller_of(request), id_of(request), _number(request))
    return responses.json_response({"deleted": count})


def _number(request: Request) -> int:
    text: str = request.path_params["number"]
    number = parse_number(text)
    if number is None:
        raise DeadLetterNotFound(f"{text[:50]!r} is not the number of a dead letter")
    return number


RETRYING = Answer(202, '`{"retrying": number}`', reference("Retrying"))
DELETED = Answer(200, '`{"deleted": number}`', reference("Deleted"))

OPERATIONS = (
    Operation(
        name="listDeadLetters",
        method="GET",
        path="/webhooks/{id}/dead-letters",
        handler=list_dead_letters,
        tag="dead letters",
        summary="List what was not delivered",
        verb="webhooks",
        answers=(Answer(200, "the array of what was not delivered", array_of(reference("DeadLetter"))),),
        refuses=(errors.WebhookNotFound,),
    ),
    Operation(
        name="deleteDeadLetters",
        method="DELETE",
        path="/webhooks/{id}/dead-letters",
        handler=drop_dead_letters,
        tag="dead letters",
        summary="Delete all dead letters",
        verb="webhooks",
        answers=(DELETED,),
        refuses=(errors.WebhookNotFound,),
    ),
    Operation(
        name="retryDeadLetters",
        method="POST",
        path="/webhooks/{id}/dead-letters/retry",
        handler=retry_dead_letters,
        tag="dead letters",
        summary="Try all dead letters again",
        verb="webhooks",
        answers=(RETRYING,),
        refuses=(errors.WebhookNotFound,),
    ),
    Operation(
        name="getDeadLetter",
        method="GET",
        path="/webhooks/{id}/dead-letters/{number}",
        handler=read_dead_letter,
        tag="dead letters",
        summary="Read a dead letter",
        verb="webhooks",
        answers=(Answer(200, "the dead letter with its message", reference("DeadLetter")),),
        refuses=(errors.WebhookNotFound, errors.DeadLetterNotFound),
    ),
    Operation(
        name="deleteDeadLetter",
        method="DELETE",
        path="/webhooks/{id}/dead-letters/{number}",
        handler=drop_dead_letter,
        tag="dead letters",
        summary="Delete a dead letter",
        verb="webhooks",
        answers=(DELETED,),
        refuses=(errors.WebhookNotFound, errors.DeadLetterNotFound),
    ),
    Operation(
        name="retryDeadLetter",
        method="POST",
        path="/webhooks/{id}/dead-letters/{number}/retry",
        handler=retry_dead_letter,
        tag="dead letters",
        summary="Try a dead letter again",
        verb="webhooks",
        answers=(RETRYING,),
        refuses=(errors.WebhookNotFound, errors.DeadLetterNotFound),
    ),
)
