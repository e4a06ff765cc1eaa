"""What operations that answer page by page share: their parameters, and the headers of a page."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from rollbook.api import headers, responses
from rollbook.api.asking import caller_of, registry_of
from rollbook.api.declarations import Parameter
from rollbook.api.parameters import INCLUDE, LIMIT_DEFAULT, LIMIT_MAX, parse_limit, text_of
from rollbook.api.rights import check_rights, page_with_rights
from rollbook.language.projections import parse_projection
from rollbook.language.sorting import parse_sort
from rollbook.limits import Limits
from rollbook.registry.history.moments import Moment
from rollbook.registry.listing.page_requests import PageRequest

TOTAL_HEADER = "x-total-count"


async def page_of(request: Request, asked: PageRequest, moment: Moment | None) -> Response:
    """The page of clusters that is asked for, with what ``include`` adds."""
    registry, caller, include, query = registry_of(request), caller_of(request), INCLUDE.of(request), asked.query
    if "registry" in include:
        query = replace(query, include_registry=True)
    if "access" in include:
        check_rights(request, is_whole=query.projection is None)
    page, bodies = await registry.pages.documents(caller, replace(asked, query=query), moment)
    if "access" in include:
        bodies = await page_with_rights(request, page, bodies)
    response = responses.documents(bodies, revision=page.revision, form=responses.form_of(request))
    notes = await registry.reader.fleet(caller).notes_on(query.undocumented, query.paths)
    page_headers(request, response, cursor=page.cursor, total=page.total)
    return responses.warned(response, notes)


def page_headers(request: Request, response: Response, *, cursor: str | None, total: int) -> None:
    """Add how many match in all, and the addresses of the first page and the next one."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    settled = [(name, value) for name, value in pairs if name != CURSOR.name]
    links = [] if cursor is None else [(urlencode([*settled, (CURSOR.name, cursor)]), "next")]
    links.append((urlencode(settled), "first"))
    path = request.url.path
    response.headers["link"] = ", ".join(f'<{path}{"?" * bool(query)}{query}>; rel="{rel}"' for query, rel in links)
    response.headers[TOTAL_HEADER] = str(total)


def _criterion(text: str, limits: Limits) -> tuple[str, int]:
    path, direction = text.strip().removeprefix("-"), -1 if text.strip().startswith("-") else 1
    parse_sort({path: direction})
    return path, direction


def _field(text: str, limits: Limits) -> str:
    path = text.strip()
    parse_projection({path: 1}, limits=limits)
    return path


SORT: Parameter[Any] = Parameter(
    "sort",
    _criterion,
    "the paths to sort by, the most important first; `-` before one: descending. Without it, in order of creation",
    {"type": "array", "items": {"type": "string"}, "examples": [["-reputation", "id"]]},
    (),
    lists=True,
)
FIELDS: Parameter[Any] = Parameter(
    "fields",
    _field,
    "only these paths of the document, and its id",
    {"type": "array", "items": {"type": "string"}, "examples": [["regionId", "gpus.count"]]},
    (),
    lists=True,
)
PAGE_LIMIT: Parameter[int] = Parameter(
    "limit",
    lambda text, limits: parse_limit(text),
    f"at most this number on a page, 1 to {LIMIT_MAX}; the default is {LIMIT_DEFAULT}",
    {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
    LIMIT_DEFAULT,
)
CURSOR: Parameter[str | None] = Parameter(
    "cursor", text_of("cursor"), "where the last page ended, as `Link` says it", {"type": "string"}, None
)

PAGE_HEADERS = (headers.LINK, headers.TOTAL)
