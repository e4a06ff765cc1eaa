"""The operations on tokens: by whose secrets callers are recognised."""

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import AUDITED, caller_of
from rollbook.api.declarations import Answer, Body, Operation, array_of, reference
from rollbook.api.handlers.access import accounts_of
from rollbook.security.accounts import Issued
from rollbook.security.issuing import as_json, parse_grace_ms, parse_new_token
from rollbook.security.tokens import Token


async def create_token(request: Request) -> Response:
    """A new token with its secret, which is sent this once."""
    accounts = accounts_of(request)
    asked = await NEW_TOKEN.of(request, roles=accounts.roles, now_ms=accounts.now_ms())
    issued = await accounts.create(caller_of(request), asked)
    _audit(request, issued.token)
    return _issued(issued, 201, {"location": f"/tokens/{issued.token.id}"})


async def list_tokens(request: Request) -> Response:
    """All, in order of creation, without their secrets."""
    return responses.json_response([as_json(token) for token in accounts_of(request).tokens], headers=NOT_STORED)


async def read_token(request: Request) -> Response:
    """One token, without its secret."""
    return responses.json_response(as_json(accounts_of(request).token(_id_of(request))), headers=NOT_STORED)


async def rotate_token(request: Request) -> Response:
    """The token with its new secret; the former one holds for the grace period."""
    grace_ms = await ROTATION.of(request)
    issued = await accounts_of(request).rotate(caller_of(request), _id_of(request), grace_ms=grace_ms)
    _audit(request, issued.token)
    return _issued(issued, 200, {})


async def revoke_token(request: Request) -> Response:
    """The token ends."""
    _audit(request, await accounts_of(request).revoke(_id_of(request)))
    return responses.json_response({"message": "Token revoked"})


def _issued(issued: Issued, status: int, more: dict[str, str]) -> Response:
    described = {**as_json(issued.token), "token": issued.secret}
    return responses.json_response(described, status, headers={**NOT_STORED, **more})


def _audit(request: Request, token: Token) -> None:
    request.scope[AUDITED] = {"token": token.id, "name": token.name, "roles": list(token.roles)}


def _id_of(request: Request) -> str:
    id: str = request.path_params["id"]
    return id


NOT_STORED = {"cache-control": "no-store"}
NO_STORE = (headers.CACHE_CONTROL,)

NEW_TOKEN = Body(
    parse_new_token,
    reference("NewToken"),
    "`name` and `roles`, and any of the members below",
    {"name": "ci-east", "roles": ["reader"], "networks": ["10.0.0.0/8"], "ttlSeconds": 86_400},
    options=("name", "roles", "ttlSeconds"),
)
ROTATION = Body(
    parse_grace_ms,
    reference("Rotation"),
    "nothing, or `graceSeconds`: how long the former secret holds, a day where it is left out",
    {"graceSeconds": 3_600},
    optional=True,
    options=("graceSeconds",),
)

OPERATIONS = (
    Operation(
        name="createToken",
        method="POST",
        path="/tokens",
        handler=create_token,
        tag="tokens",
        summary="Make a token",
        verb="tokens",
        body=NEW_TOKEN,
        answers=(
            Answer(
                201,
                "the token with its secret in `token`, which is shown this once",
                reference("TokenWithSecret"),
                (headers.LOCATION, *NO_STORE),
            ),
        ),
        refuses=(errors.TokenExists,),
        audited=True,
    ),
    Operation(
        name="listTokens",
        method="GET",
        path="/tokens",
        handler=list_tokens,
        tag="tokens",
        summary="List the tokens",
        verb="tokens",
        verb_instead="audit",
        answers=(Answer(200, "the array of tokens, without secrets", array_of(reference("Token")), NO_STORE),),
    ),
    Operation(
        name="getToken",
        method="GET",
        path="/tokens/{id}",
        handler=read_token,
        tag="tokens",
        summary="Read a token",
        verb="tokens",
        verb_instead="audit",
        answers=(Answer(200, "the token, without its secret", reference("Token"), NO_STORE),),
        refuses=(errors.TokenNotFound,),
    ),
    Operation(
        name="rotateToken",
        method="POST",
        path="/tokens/{id}/rotate",
        handler=rotate_token,
        tag="tokens",
        summary="Give a token a new secret",
        verb="tokens",
        body=ROTATION,
        answers=(
            Answer(
                200,
                "the token with its new secret; the former one holds until `formerUntil`, and one before it ends now",
                reference("TokenWithSecret"),
                NO_STORE,
            ),
        ),
        refuses=(errors.TokenNotFound,),
        audited=True,
    ),
    Operation(
        name="revokeToken",
        method="DELETE",
        path="/tokens/{id}",
        handler=revoke_token,
        tag="tokens",
        summary="End a token",
        verb="tokens",
        answers=(Answer(200, '`{"message": "Token revoked"}`', reference("Message")),),
        refuses=(errors.TokenNotFound,),
        audited=True,
    ),
)
