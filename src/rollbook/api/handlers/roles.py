"""The operations on roles: what callers may."""

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import AUDITED, caller_of, registry_of
from rollbook.api.declarations import Answer, Body, Operation, array_of, reference
from rollbook.api.handlers.access import accounts_of
from rollbook.documents.values import Value
from rollbook.limits import Limits
from rollbook.security.roles import Role, parse_role


async def list_roles(request: Request) -> Response:
    """All, by name."""
    roles = accounts_of(request).roles
    return responses.json_response([roles[name].as_json() for name in sorted(roles)])


async def read_role(request: Request) -> Response:
    """One role, which can be put under another name."""
    return responses.json_response(accounts_of(request).role(_name_of(request)).as_json())


async def put_role(request: Request) -> Response:
    """The role is made, or takes the place of the one with its name."""
    name = _name_of(request)
    role = await ROLE.of(request, name, limits=registry_of(request).limits)
    is_new = await accounts_of(request).put_role(caller_of(request), role)
    request.scope[AUDITED] = {"role": role.as_json()}
    if is_new:
        return responses.json_response(role.as_json(), 201, headers={"location": f"/roles/{name}"})
    return responses.json_response(role.as_json())


async def delete_role(request: Request) -> Response:
    """The role is deleted."""
    await accounts_of(request).delete_role(_name_of(request))
    return responses.json_response({"message": "Role deleted"})


def parse_role_body(body: Value, name: str, *, limits: Limits) -> Role:
    """The role that a body describes. A name in it is passed over: what is read can be put under another one."""
    return parse_role(name, body, limits=limits)


def _name_of(request: Request) -> str:
    name: str = request.path_params["name"]
    return name


ROLE = Body(
    parse_role_body,
    reference("RoleRequest"),
    "`rules`, and any of `description` and `limits`",
    {
        "description": "Reads live clusters without secrets.",
        "rules": [{"verbs": ["read", "watch"], "filter": {"status": "live"}, "hide": ["$secrets"]}],
    },
    options=("rules", "description"),
)

OPERATIONS = (
    Operation(
        name="listRoles",
        method="GET",
        path="/roles",
        handler=list_roles,
        tag="roles",
        summary="List the roles",
        verb="roles",
        verb_instead="audit",
        answers=(Answer(200, "the array of roles, built-in ones among them", array_of(reference("Role"))),),
    ),
    Operation(
        name="getRole",
        method="GET",
        path="/roles/{name}",
        handler=read_role,
        tag="roles",
        summary="Read a role",
        verb="roles",
        verb_instead="audit",
        answers=(Answer(200, "the role, as it can be put under another name", reference("Role")),),
        refuses=(errors.RoleNotFound,),
    ),
    Operation(
        name="putRole",
        method="PUT",
        path="/roles/{name}",
        handler=put_role,
        tag="roles",
        summary="Make or replace a role",
        verb="roles",
        body=ROLE,
        answers=(
            Answer(201, "the new role", reference("Role"), (headers.LOCATION,)),
            Answer(200, "the role, which replaces the one of its name", reference("Role")),
        ),
        refuses=(errors.FilterRefused, errors.ExpressionRefused),
        audited=True,
    ),
    Operation(
        name="deleteRole",
        method="DELETE",
        path="/roles/{name}",
        handler=delete_role,
        tag="roles",
        summary="Delete a role",
        verb="roles",
        answers=(Answer(200, '`{"message": "Role deleted"}`', reference("Message")),),
        refuses=(errors.RoleNotFound, errors.RoleInUse),
        audited=True,
    ),
)
