"""Filters on clusters: MongoDB's language, read as people write it who ask a registry.

One rule: what is surely not meant is refused. Words of the language that stand where fields stand would match nothing,
and numbers sent as strings would compare with nothing.
"""

from rollbook.clusters.casting import cast_filter
from rollbook.documents.values import Value
from rollbook.errors import below
from rollbook.language.filters import Filter, parse_filter
from rollbook.language.pipelines import PASSING_STAGES
from rollbook.language.strays import check_filter_words
from rollbook.limits import Limits

OPTIONS = (
    "sort",
    "skip",
    "limit",
    "projection",
    "include",
    "maxTimeMS",
    "explain",
    "collation",
    "comment",
    "hint",
    "facets",
    "key",
    "since",
)

BESIDE_A_FILTER = {
    "query": '{"query": {...}}',
    "filter": '{"query": {...}}, with options beside it',
    **{name: f'{{"query": {{...}}, "{name}": ...}}, where this request has it' for name in OPTIONS},
    "pipeline": '{"pipeline": [...]}, which POST /clusters/aggregate takes',
    "update": '{"update": {...}, "filter": {...}}, which PUT /clusters/{id} takes',
    "arrayFilters": '{"update": {...}, "arrayFilters": [...]}, which PUT /clusters/{id} takes',
}


def parse_cluster_filter(json: Value, *, at: str, limits: Limits) -> Filter:
    """A filter on clusters: MongoDB's language, with numbers given as text cast on documented numeric paths.

    Stray words are refused: names of options, and of operators without their ``$``.
    """
    check_filter_words(json, at=at, options=BESIDE_A_FILTER)
    return cast_filter(parse_filter(json, at=at, limits=limits))


def check_matches(stages: Value, *, at: str) -> None:
    """Refuses stray words in the filters of a pipeline that see whole clusters. (A later one may see such fields.)"""
    for place, stage in enumerate(stages if isinstance(stages, list) else []):
        if not isinstance(stage, dict) or stage.keys().isdisjoint(PASSING_STAGES):
            return
        if "$match" in stage:
            check_filter_words(stage["$match"], at=below(below(at, place), "$match"), options=BESIDE_A_FILTER)
