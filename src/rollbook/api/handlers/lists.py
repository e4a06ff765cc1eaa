"""The list of clusters: filtered and sorted by parameters, page by page."""

from collections.abc import Callable
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import Response

from rollbook import errors
from rollbook.api import headers
from rollbook.api.asking import registry_of
from rollbook.api.declarations import JSON, NDJSON, Answer, Operation, Parameter, Schema, array_of, reference
from rollbook.api.handlers.queries import MOMENT, NOTED, OF_QUERIES
from rollbook.api.paging import CURSOR, FIELDS, PAGE_HEADERS, PAGE_LIMIT, SORT, page_of
from rollbook.api.parameters import INCLUDE, moment_of, one_of_words, shown, text_of
from rollbook.clusters.liveness import Liveness
from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.codec import decode_json
from rollbook.documents.values import Document
from rollbook.errors import FilterRefused, RequestRefused
from rollbook.limits import Limits
from rollbook.registry.history.moments import REVISION_MAX, parse_number
from rollbook.registry.listing.list_filters import all_of, one_of, with_gpu, with_words
from rollbook.registry.listing.page_requests import parse_page
from rollbook.registry.reading.cluster_filters import parse_cluster_filter
from rollbook.registry.reading.filters_in_words import filter_in_words


async def list_clusters(request: Request) -> Response:
    """A page of the clusters that the parameters ask for."""
    registry, moment = registry_of(request), moment_of(request)
    asked = parse_page(body_of(request), limits=registry.limits, moment=repr(moment))
    return await page_of(request, asked, moment)


def body_of(request: Request) -> Document:
    """What the parameters ask for, as the body of a query says it."""
    sort, fields = SORT.of(request), FIELDS.of(request)
    return {
        "query": all_of(
            [make(values) for parameter, make in FILTERS if (values := parameter.of(request)) not in (None, ())]
        ),
        "sort": dict(sort) if sort else None,
        "projection": dict.fromkeys(fields, 1) if fields else None,
        "include": [word for word in INCLUDE.of(request) if word != "access"],
        "limit": PAGE_LIMIT.of(request),
        "cursor": CURSOR.of(request),
    }


def _number(text: str, limits: Limits) -> int:
    number = parse_number(text)
    if number is None:
        raise RequestRefused(f"minGpus must be an integer from 0 to {REVISION_MAX}, not {shown(text)!r}")
    return number


def _filter(text: str, limits: Limits) -> Document:
    json = decode_json(text.encode(), limits=limits, name="the parameter filter")
    parse_cluster_filter(json, at="", limits=limits)
    if not isinstance(json, dict):
        raise FilterRefused("a filter is an object", mongo_code=14)
    return json


def _values(name: str, meaning: str, example: str) -> Parameter[Any]:
    schema: Schema = {"type": "array", "items": {"type": "string"}, "examples": [[example]]}
    return Parameter(name, text_of(name), f"{meaning}; several are alternatives", schema, (), lists=True)


STATUS = _values("status", "the status of the cluster", "live")
REGION = _values("region", "`regionId`", "us-west-2")
TAG = _values("tag", "one of `tags`", "vision")
COUNTRY = _values("country", "one of `clusterMetadata.countries`", "US")
GPU = _values("gpu", "the model of some GPU, by any of its names", "A100")
OWNER: Parameter[str | None] = Parameter(
    "owner", text_of("owner"), "`clusterMetadata.owner`", {"type": "string", "examples": ["Platform team"]}, None
)
MIN_GPUS: Parameter[int | None] = Parameter(
    "minGpus", _number, "at least this number of GPUs: `gpus.count`", {"type": "integer", "minimum": 0}, None
)
LIVENESS: Parameter[Any] = Parameter(
    "liveness",
    one_of_words("liveness", get_args(Liveness)),
    f"what heartbeats say: `{REGISTRY_FIELD}.liveness`; several are alternatives",
    {"type": "array", "items": {"type": "string", "enum": [*get_args(Liveness)]}},
    (),
    lists=True,
)
TEXT: Parameter[str | None] = Parameter(
    "q",
    text_of("q"),
    "words that are all in the id, the region, the tags, or the name, owner or description, in any case of letters",
    {"type": "string", "examples": ["vision west"]},
    None,
)
LIST_FILTER: Parameter[Document | None] = Parameter(
    "filter",
    _filter,
    "the filter, as JSON",
    {"type": "string", "contentMediaType": "application/json", "examples": ['{"regionId":"us-west-2"}']},
    None,
)
WHERE: Parameter[Document | None] = Parameter(
    "where",
    lambda text, limits: filter_in_words(text_of("where")(text, limits), at="", limits=limits),
    "the filter, [in words](words.md)",
    {"type": "string", "examples": ["gpus >= 2 and status = live"]},
    None,
)
FILTERS: tuple[tuple[Parameter[Any], Callable[[Any], Document]], ...] = (
    (STATUS, lambda values: one_of("status", values)),
    (REGION, lambda values: one_of("regionId", values)),
    (TAG, lambda values: one_of("tags", values)),
    (OWNER, lambda value: one_of("clusterMetadata.owner", [value])),
    (COUNTRY, lambda values: one_of("clusterMetadata.countries", values)),
    (GPU, with_gpu),
    (MIN_GPUS, lambda number: {"gpus.count": {"$gte": number}}),
    (LIVENESS, lambda values: one_of(f"{REGISTRY_FIELD}.liveness", values)),
    (TEXT, with_words),
    (LIST_FILTER, lambda filter: filter),
    (WHERE, lambda filter: filter),
)
"""The filter that the value of a parameter means."""

OPERATIONS = (
    Operation(
        name="listClusters",
        method="GET",
        path="/clusters",
        handler=list_clusters,
        tag="clusters",
        summary="List clusters",
        verb="read",
        parameters=(*(parameter for parameter, _ in FILTERS), SORT, FIELDS, PAGE_LIMIT, CURSOR, *MOMENT, INCLUDE),
        headers=(headers.ACCEPT,),
        answers=(
            Answer(
                200,
                "a page: an array of documents",
                array_of(reference("AnyDocument")),
                (*PAGE_HEADERS, *NOTED),
                (JSON, NDJSON),
            ),
        ),
        refuses=(*OF_QUERIES, errors.MalformedJson, errors.JsonTooDeep, errors.CursorRefused),
    ),
)
