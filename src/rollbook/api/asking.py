"""What a request carries: its body as a value, its conditions, its author. Refusals are those of ``errors``."""

import binascii
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.types import Scope

from rollbook.api.offloading import is_quick_to_parse, off_the_loop
from rollbook.documents.codec import check_values, decode_json
from rollbook.documents.values import MISSING, Maybe, Missing, Value
from rollbook.errors import MalformedJson, MediaTypeUnsupported, RequestRefused
from rollbook.limits import Limits
from rollbook.registry.registry import Registry
from rollbook.registry.writing.preconditions import Precondition
from rollbook.security.callers import Caller
from rollbook.security.security import Security
from rollbook.steps import step

Parsed = TypeVar("Parsed")

CALLER = "rollbook.caller"
"""Where the edge leaves the caller in the scope of a request."""
REVOKED = "revoked"
"""Set in the state of a request's scope once its caller is no longer who it was."""
HTTPS_COOKIE, LOOPBACK_COOKIE = "__Host-rollbook", "rollbook"
"""The cookie of a session, by HTTPS and by HTTP on a loopback address. Only HTTPS can protect the first."""
CREDENTIALS = re.compile(rb"(bearer|basic) +([^ ]+) *", re.IGNORECASE)
AUDITED = "rollbook.audited"
"""Where a handler leaves what the audit log is to know of what it did."""
CHALLENGE = "send a token: Authorization: Bearer TOKEN, or as the password of Basic"

REASON_LENGTH_MAX = 500
ENTITY_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
ENTITY_TAGS = re.compile(rf"\s*(?:{ENTITY_TAG.pattern}\s*)?(?:,\s*(?:{ENTITY_TAG.pattern}\s*)?)*")
CHARSET = re.compile(r'charset\s*=\s*"?([^\s;"]*)', re.IGNORECASE)
UTF_8 = ("utf-8", "utf8", "us-ascii")


def registry_of(request: Request) -> Registry:
    """The registry that the application of this request serves."""
    registry: Registry = request.app.registry
    return registry


def security_of(request: Request) -> Security:
    """The security of the registry that the application of this request serves."""
    security: Security = request.app.security
    return security


async def json_body(request: Request, *, limits: Limits) -> Value:
    """The JSON value that the request carries. Refuses a body that is absent, too large, no JSON, or not called so."""
    return await parsed_body(request, lambda value: value, limits=limits)


async def parsed_body(request: Request, parse: Callable[[Value], Parsed], *, limits: Limits) -> Parsed:
    """What ``parse`` makes of the request's JSON. A body that may take long is read on a thread."""
    return await parsed_optional_body(request, lambda value: parse(required(value)), limits=limits)


def required(value: Maybe) -> Value:
    """The value of a body. Refuses (MalformedJson) an empty one."""
    if isinstance(value, Missing):
        raise MalformedJson("the body is empty; it must be JSON")
    return value


async def parsed_optional_body(request: Request, parse: Callable[[Maybe], Parsed], *, limits: Limits) -> Parsed:
    """As ``parsed_body``, but an empty body is parsed as MISSING."""
    body = await request.body()  # whole, and within the limit: the edge sees to that
    _check_media_type(request, required=bool(body))

    def read() -> Parsed:
        check_values(body, bytes_max=limits.body_bytes_max)
        return parse(decode_json(body, limits=limits))

    with step("parse", bytes=len(body)):
        if is_quick_to_parse(body):
            return parse(decode_json(body, limits=limits) if body else MISSING)
        return await off_the_loop(read, size_bytes=len(body))


def precondition_of(request: Request) -> Precondition:
    """What ``If-Match`` and ``If-None-Match`` ask. Refuses (RequestRefused) what is no list of entity tags."""
    return Precondition(
        matches=_revisions(_entity_tags(request.headers.getlist("if-match"), "If-Match")),
        differs=_revisions(_entity_tags(request.headers.getlist("if-none-match"), "If-None-Match")),
    )


def tag_seen(request: Request, revision: int) -> str | None:
    """The entity tag of the revision that the caller has already, as ``If-None-Match`` names it."""
    tags = _entity_tags(request.headers.getlist("if-none-match"), "If-None-Match") or ()
    plain = str(revision)
    if plain in tags or "*" in tags:
        return f'"{plain}"'
    return next((f'"{tag}"' for tag in tags if _revision(tag) == plain), None)


def caller_of(request: Request) -> Caller:
    """Who asks: as the edge has recognised it, or by the address of the peer."""
    recognised: Caller | None = request.scope.get(CALLER)
    if recognised is not None:
        return recognised
    peer = request.client.host if request.client else "unknown"
    return Caller(f"anonymous@{peer}")


def is_revoked(scope: Scope) -> bool:
    """Whether the caller of a request is no longer who it was when the request came."""
    return bool(scope.get("state", {}).get(REVOKED))


def media_type_of(request: Request) -> str:
    """The media type that a request gives its body, in lower case; empty where it gives none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def session_in(cookie: bytes, scheme: str) -> str | None:
    """The secret of a session in a header ``Cookie`` of a request by ``scheme``; None: there is none."""
    wanted = HTTPS_COOKIE if scheme == "https" else LOOPBACK_COOKIE
    pairs = (pair.strip().partition("=") for pair in cookie.decode("latin-1").split(";"))
    return next((value for name, _, value in pairs if name == wanted), None)


def secret_in(credentials: bytes) -> str | None:
    """The secret in a header ``Authorization``: the token of Bearer, or the password of Basic; None: there is none."""
    found = CREDENTIALS.fullmatch(credentials)
    if found is None:
        return None
    if found[1].lower() == b"bearer":
        return found[2].decode("latin-1")
    try:
        _, colon, password = binascii.a2b_base64(found[2], strict_mode=True).partition(b":")
        return password.decode() if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def reason_of(request: Request) -> str | None:
    """Why a caller asks, by ``X-Reason``."""
    return reason_in(request.headers.get("x-reason", ""))


def reason_in(header: str) -> str | None:
    """The reason that a header gives: percent-encoded UTF-8, or plain text. It becomes one line.

    Refuses (RequestRefused) a long one.
    """
    try:
        text = unquote_to_bytes(header.encode("latin-1")).decode()
    except UnicodeDecodeError:
        text = header
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return short_reason(line, name="X-Reason") or None


def short_reason(reason: str, *, name: str, at: str = "") -> str:
    """The reason, which was given as ``name``. Refuses (RequestRefused) one that is too long to be kept."""
    if len(reason) > REASON_LENGTH_MAX:
        problem = f"{name} has {len(reason)} characters; a reason has at most {REASON_LENGTH_MAX}: shorten it"
        raise RequestRefused(problem, at=at)
    return reason


def _check_media_type(request: Request, *, required: bool) -> None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise MediaTypeUnsupported(f"the body must not be compressed; Content-Encoding is {encoding!r}")
    given = request.headers.get("content-type")
    if given is None:
        if required:
            raise MediaTypeUnsupported("there is no Content-Type; send Content-Type: application/json")
        return
    media_type, _, parameters = given.partition(";")
    media_type = media_type.strip().lower()
    if media_type != "application/json" and not (
        media_type.startswith("application/") and media_type.endswith("+json")
    ):
        raise MediaTypeUnsupported(f"the Content-Type is {media_type!r}; send Content-Type: application/json")
    charset = CHARSET.search(parameters)
    if charset is not None and charset[1].lower() not in UTF_8:
        raise MediaTypeUnsupported(f"the charset is {charset[1]!r}; a body must be UTF-8, and its charset utf-8")


def _entity_tags(headers: list[str], name: str) -> frozenset[str] | None:
    """The tags in the values of a header, without quotes and without ``W/``; None when there is no such header."""
    if not headers:
        return None
    text = ",".join(headers).strip()
    if text == "*":
        return frozenset("*")
    tags = frozenset(found[1] for found in ENTITY_TAG.finditer(text))
    if not tags or not ENTITY_TAGS.fullmatch(text):
        raise RequestRefused(f'{name} must be * or entity tags in double quotes, such as "12", as ETag gives them')
    return tags


def _revisions(tags: frozenset[str] | None) -> frozenset[str] | None:
    return None if tags is None else frozenset(map(_revision, tags))


def _revision(tag: str) -> str:
    """What a tag stands for: ``12`` and ``12-gzip`` for revision 12; no other tag is one of ours."""
    return tag.removesuffix("-gzip").removesuffix("-zstd")
