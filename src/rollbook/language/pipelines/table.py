"""Every stage, by name: the families' tables, merged, and what is refused."""

from collections.abc import Mapping
from types import MappingProxyType

from rollbook.language.pipelines import auto_buckets, buckets, facets, grouping, ordering, selecting, shaping, unwinding
from rollbook.language.pipelines.operators import RefusedStage, StageOperator

FAMILIES: tuple[tuple[StageOperator, ...], ...] = (
    selecting.STAGES,
    ordering.STAGES,
    shaping.STAGES,
    unwinding.STAGES,
    grouping.STAGES,
    buckets.STAGES,
    auto_buckets.STAGES,
    facets.STAGES,
)

ONE_COLLECTION = "there is one collection here, the clusters: nothing to join with"
READING_ONLY = "a pipeline reads; to write, use an update"
NO_SERVER = "it tells about the inside of a MongoDB server"
NO_WINDOWS = "windows over neighbouring documents are not part of this registry"

REFUSED = (
    RefusedStage("$lookup", ONE_COLLECTION),
    RefusedStage("$graphLookup", ONE_COLLECTION),
    RefusedStage("$unionWith", ONE_COLLECTION),
    RefusedStage("$out", READING_ONLY, in_facets=False),
    RefusedStage("$merge", READING_ONLY, in_facets=False),
    RefusedStage("$geoNear", "documents here have no geographic positions", in_facets=False),
    RefusedStage("$documents", "the documents of a pipeline are the clusters", in_facets=False),
    RefusedStage("$setWindowFields", NO_WINDOWS),
    RefusedStage("$densify", NO_WINDOWS),
    RefusedStage("$fill", NO_WINDOWS),
    RefusedStage("$changeStream", "to watch changes, use the registry's own watch", in_facets=False),
    RefusedStage("$search", "full-text search is not part of this registry", in_facets=False),
    RefusedStage("$searchMeta", "full-text search is not part of this registry", in_facets=False),
    RefusedStage("$vectorSearch", "vector search is not part of this registry", in_facets=False),
    RefusedStage("$collStats", NO_SERVER, in_facets=False),
    RefusedStage("$indexStats", NO_SERVER, in_facets=False),
    RefusedStage("$planCacheStats", NO_SERVER, in_facets=False),
    RefusedStage("$currentOp", NO_SERVER, in_facets=False),
    RefusedStage("$listSessions", NO_SERVER, in_facets=False),
    RefusedStage("$listLocalSessions", NO_SERVER, in_facets=False),
)

STAGES: Mapping[str, StageOperator | RefusedStage] = MappingProxyType(
    {
        **{operator.name: operator for family in FAMILIES for operator in family},
        **{refused.name: refused for refused in REFUSED},
    }
)
