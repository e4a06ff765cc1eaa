"""What callers ask for in facets: how many of the clusters that match have which value, at a few paths.

One rule: without paths, ``USUAL_FACETS`` are counted. ``gpuModels`` among them is no path: it is the models of all
GPUs, each under its one name, wherever a document names them.
"""

from msgspec import Struct
from msgspec.structs import replace

from rollbook.clusters.gpu_aliases import GPU_PATHS, names_gpus
from rollbook.clusters.registry_fields import registry_fields_in
from rollbook.clusters.schema import REGISTRY_FIELD
from rollbook.documents.paths import Path, parse_path
from rollbook.documents.values import MISSING, Maybe, Value, is_integer
from rollbook.errors import LanguageRefused, below
from rollbook.limits import Limits
from rollbook.registry.reading.filters_in_words import has_filter_beside
from rollbook.registry.reading.requests import Query, parse_query

GPU_MODELS = "gpuModels"
USUAL_FACETS = (
    "regionId",
    "status",
    "tags",
    "clusterMetadata.owner",
    "clusterMetadata.countries",
    GPU_MODELS,
    "config.useGateway",
    "config.policyExecutionMode",
)
FACETS_MAX = 20
VALUES_MAX = 1000
USUAL_VALUES = 100
KEYS = ("query", "where", "facets", "limit", "maxTimeMS", "comment")
BAD_VALUE, TYPE_MISMATCH = 2, 14


class FacetAsked(Struct, frozen=True):
    """A facet: its name in the answer and where it looks. ``of_gpus``: the values are names of GPUs."""

    name: str
    paths: tuple[Path, ...]
    of_gpus: bool

    @property
    def reads_registry(self) -> bool:
        """Whether it looks at what the registry knows."""
        return self.paths[0][0] == REGISTRY_FIELD


class FacetQuery(Struct, frozen=True):
    """Facets of the clusters that match a query, each with its ``values_max`` most frequent values."""

    query: Query
    facets: tuple[FacetAsked, ...]
    values_max: int

    @property
    def reads_registry(self) -> bool:
        """Whether the filter or a facet looks at what the registry knows."""
        return self.query.reads_registry or any(facet.reads_registry for facet in self.facets)


def parse_facets(body: Maybe, *, limits: Limits) -> FacetQuery:
    """The facets of a request body: a filter, or ``{"query": filter, "facets": [...], "limit": n}``."""
    options = body if isinstance(body, dict) and (has_filter_beside(body) or "facets" in body) else {}
    asked = {"query": {}, **options} if options and not has_filter_beside(body) else body
    query = parse_query(asked, limits=limits, keys=KEYS)
    names = options.get("facets", MISSING)
    facets = USUAL_FACETS if names is MISSING else _names_in(names)
    _, lease_fields = registry_fields_in(dict.fromkeys(facets), LanguageRefused, at="/facets")
    asked_facets = tuple(map(facet_named, facets))
    named = () if names is MISSING else tuple(path for facet in asked_facets for path in facet.paths)
    query = replace(query, lease_fields=(*query.lease_fields, *lease_fields), paths=(*query.paths, *named))
    return FacetQuery(query, asked_facets, _values_max(options.get("limit", USUAL_VALUES)))


def facet_named(name: str) -> FacetAsked:
    """The facet of a path, or of the models of GPUs."""
    if name == GPU_MODELS:
        return FacetAsked(name, GPU_PATHS, of_gpus=True)
    path = parse_path(name)
    return FacetAsked(name, (path,), names_gpus(path))


def _names_in(names: Value) -> list[str]:
    at = "/facets"
    if not isinstance(names, list) or not names or len(names) > FACETS_MAX:
        raise LanguageRefused(f"facets is an array of 1 to {FACETS_MAX} paths", at=at, mongo_code=TYPE_MISMATCH)
    found: list[str] = []
    for index, name in enumerate(names):
        if not isinstance(name, str) or any(not each or each.startswith("$") for each in name.split(".")):
            problem = "a facet is a dotted path, no component of which is empty or begins with '$'"
            raise LanguageRefused(problem, at=below(at, index), mongo_code=BAD_VALUE)
        found.append(name)
    return list(dict.fromkeys(found))


def _values_max(limit: Value) -> int:
    if not is_integer(limit) or not 1 <= limit <= VALUES_MAX:
        raise LanguageRefused(f"limit is an integer from 1 to {VALUES_MAX}", at="/limit", mongo_code=BAD_VALUE)
    return limit
