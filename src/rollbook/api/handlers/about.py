"""The operations that say what this server is, and how it is asked. Their answers are made once, at the start."""

from collections.abc import Mapping, Sequence

import orjson
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from rollbook import __version__
from rollbook.api import headers
from rollbook.api.console_files import PAGE as CONSOLE_PAGE
from rollbook.api.console_files import ConsoleFile, read_console_files
from rollbook.api.declarations import JSON, JSON_SCHEMA, Answer, Operation, reference
from rollbook.api.openapi import DESCRIPTION, describe
from rollbook.api.pages import CONTENT_SECURITY_POLICY, LINKS, reference_page
from rollbook.api.schemas.documents import cluster_schema

HTML = "text/html"
API_VERSION = "1"


class Pages(Struct, frozen=True):
    """What is answered, as bytes; and the files of the console."""

    openapi: bytes
    documentation: bytes
    welcome: bytes
    version: bytes
    schema: bytes
    console: Mapping[str, ConsoleFile]


def make_pages(operations: Sequence[Operation]) -> Pages:
    """The pages about a table of operations."""
    description = describe(operations)
    about = {"name": "Rollbook", "version": __version__}
    return Pages(
        openapi=orjson.dumps(description),
        documentation=reference_page(description),
        welcome=orjson.dumps({**about, "description": DESCRIPTION, "links": LINKS}),
        version=orjson.dumps({**about, "api": API_VERSION}),
        schema=orjson.dumps(cluster_schema()),
        console=read_console_files(),
    )


async def welcome(request: Request) -> Response:
    """What this is, with links; the console for a caller that prefers HTML."""
    pages = pages_of(request)
    if prefers_html(request.headers.get("accept", "")):
        return pages.console[CONSOLE_PAGE].answer(request.headers)
    return Response(pages.welcome, media_type=JSON, headers={"vary": "accept"})


async def read_version(request: Request) -> Response:
    """The version of the server, and of the API."""
    return Response(pages_of(request).version, media_type=JSON)


async def read_openapi(request: Request) -> Response:
    """The description of the API in OpenAPI 3.1."""
    return Response(pages_of(request).openapi, media_type=JSON)


async def read_documentation(request: Request) -> Response:
    """The same description as a page."""
    return html(pages_of(request).documentation)


async def read_schema(request: Request) -> Response:
    """The JSON Schema of a cluster document."""
    return Response(pages_of(request).schema, media_type=JSON_SCHEMA)


def pages_of(request: Request) -> Pages:
    """The pages that the application has made."""
    pages: Pages = request.app.pages
    return pages


def prefers_html(accept: str) -> bool:
    """Whether a caller names HTML, and likes it at least as much as JSON."""
    weights: dict[str, float] = {}
    for each in accept.lower().split(","):
        media_type, *options = (part.strip() for part in each.split(";"))
        weight = next((option[2:] for option in options if option.startswith("q=")), "1")
        weights[media_type] = float(weight) if weight.replace(".", "", 1).isdecimal() else 0.0
    wanted = weights.get(HTML, 0.0)
    return wanted > 0 and wanted >= weights.get(JSON, 0.0)


def html(body: bytes) -> Response:
    """A page that loads nothing from elsewhere."""
    safe = {
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "x-content-type-options": "nosniff",
        "vary": "accept",
    }
    return Response(body, media_type=HTML, headers=safe)


SAFE = (headers.CONTENT_SECURITY_POLICY, headers.NO_SNIFF)
OF_CONSOLE = (*SAFE, headers.NO_REFERRER, headers.CACHE_CONTROL, headers.FILE_TAG, headers.VARY)
PAGE: dict[str, str] = {"type": "string"}

OPERATIONS = (
    Operation(
        name="getWelcome",
        method="GET",
        path="/",
        handler=welcome,
        tag="about",
        summary="See what this is",
        verb=None,
        headers=(headers.ACCEPT_HTML, headers.IF_NONE_MATCH),
        answers=(
            Answer(
                200,
                "what this is, with links; with `Accept: text/html` the console",
                reference("Welcome"),
                OF_CONSOLE,
                (JSON, HTML),
            ),
            Answer(304, "the caller has the console's page", None, OF_CONSOLE),
        ),
    ),
    Operation(
        name="getVersion",
        method="GET",
        path="/version",
        handler=read_version,
        tag="about",
        summary="Read the version",
        verb=None,
        answers=(Answer(200, '`{"name", "version", "api"}`', reference("Version")),),
    ),
    Operation(
        name="getOpenapi",
        method="GET",
        path="/openapi.json",
        handler=read_openapi,
        tag="about",
        summary="Read the description of the API",
        verb=None,
        answers=(Answer(200, "this API in OpenAPI 3.1", {"type": "object"}),),
    ),
    Operation(
        name="getDocumentation",
        method="GET",
        path="/docs",
        handler=read_documentation,
        tag="about",
        summary="Read the description of the API as a page",
        verb=None,
        answers=(Answer(200, "the same as a page", PAGE, SAFE, (HTML,)),),
        ignores_parameters=True,
    ),
    Operation(
        name="getSchema",
        method="GET",
        path="/schema",
        handler=read_schema,
        tag="about",
        summary="Read the JSON Schema of a cluster",
        verb=None,
        answers=(Answer(200, "the JSON Schema of a cluster document", {"type": "object"}, (), (JSON_SCHEMA,)),),
    ),
)
