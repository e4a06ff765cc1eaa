"""The operations on sessions: what a browser has instead of a token."""

from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers, responses
from rollbook.api.asking import (
    CHALLENGE,
    HTTPS_COOKIE,
    LOOPBACK_COOKIE,
    caller_of,
    secret_in,
    security_of,
    session_in,
)
from rollbook.api.declarations import Answer, Operation, reference
from rollbook.errors import SessionRefused, Unauthenticated
from rollbook.security.sessions import SECONDS

NOT_STORED = {"cache-control": "no-store"}


async def open_session(request: Request) -> Response:
    """A cookie that stands for the token of the request."""
    caller, security = caller_of(request), security_of(request)
    secret = secret_in(request.headers.get("authorization", "").encode("latin-1"))
    if caller.kind not in ("token", "jwt") or secret is None:
        raise Unauthenticated(f"a session is opened by a token; {CHALLENGE}")
    cookie = _cookie(request, security.sessions.open(secret), seconds=SECONDS)
    answer = {"caller": caller.name, "seconds": SECONDS}
    return responses.json_response(answer, 201, headers={"set-cookie": cookie, **NOT_STORED})


async def close_session(request: Request) -> Response:
    """The session of the cookie ends, if there is one."""
    secret = session_in(request.headers.get("cookie", "").encode("latin-1"), request.scope["scheme"])
    cookie = _cookie(request, "", seconds=0)
    if secret is not None:
        await security_of(request).sessions.close(secret)
    return responses.json_response({"message": "Session ended"}, headers={"set-cookie": cookie, **NOT_STORED})


def _cookie(request: Request, value: str, *, seconds: int) -> str:
    """The cookie of a session. Refuses (SessionRefused) one that would cross a network in the clear."""
    rest = f"Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict"
    if request.scope["scheme"] == "https":
        return f"{HTTPS_COOKIE}={value}; {rest}; Secure"
    address = request.client.host if request.client else ""
    if not security_of(request).identities.policy.is_loopback or not _is_loopback(address):
        raise SessionRefused(
            "a session needs HTTPS here: its cookie would cross a network in the clear, where it can be read and used"
        )
    return f"{LOOPBACK_COOKIE}={value}; {rest}"


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


COOKIE = (headers.SET_COOKIE, headers.CACHE_CONTROL)

OPERATIONS = (
    Operation(
        name="openSession",
        method="POST",
        path="/session",
        handler=open_session,
        tag="sessions",
        summary="Open a session",
        verb=None,
        answers=(
            Answer(
                201,
                "a cookie that stands for the token of the request for 12 hours, or until the token ends",
                reference("Session"),
                COOKIE,
            ),
        ),
        refuses=(errors.SessionRefused,),
    ),
    Operation(
        name="closeSession",
        method="DELETE",
        path="/session",
        handler=close_session,
        tag="sessions",
        summary="End a session",
        verb=None,
        answers=(Answer(200, '`{"message": "Session ended"}`', reference("Message"), COOKIE),),
        refuses=(errors.SessionRefused,),
    ),
)
