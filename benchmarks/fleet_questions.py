"""Questions about a whole fleet, as Rollbook, PostgreSQL and MongoDB's language put them. Each asks for the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

COLUMNS = (
    "id",
    "clusterMetadata.name",
    "clusterMetadata.owner",
    "regionId",
    "status",
    "tags",
    "gpus.count",
    "gpus.memory",
    "nodes.count",
    "vcpus.count",
    "memory",
    "reputation",
)
FACETS = ("status", "regionId", "clusterMetadata.owner", "tags")
MODEL, GPUS = "NVIDIA H100", 8

Pipeline = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``path`` and ``body`` are Rollbook's request (no body: GET), ``sql`` are statements, and
    ``pipelines`` what MongoDB's drivers send."""

    name: str
    path: str
    body: Mapping[str, Any] | Pipeline | None
    sql: tuple[str, ...]
    pipelines: tuple[Pipeline, ...]


def at(path: str) -> str:
    """The text at a path, in SQL."""
    return f"document #>> '{{{path.replace('.', ',')}}}'"


def summed(path: str) -> str:
    """The sum of the numbers at a path, in SQL."""
    return f"sum(({at(path)})::numeric)"


def count_by(path: str) -> str:
    """How many clusters have each value at a path, in SQL; of an array, each element."""
    if path == "tags":
        return "SELECT tag, count(*) FROM clusters, jsonb_array_elements_text(document -> 'tags') tag GROUP BY 1"
    return f"SELECT {at(path)}, count(*) FROM clusters GROUP BY 1"


def facet(path: str) -> Pipeline:
    """The same as a pipeline."""
    unwind = [{"$unwind": "$tags"}] if path == "tags" else []
    return [*unwind, {"$group": {"_id": f"${path}", "n": {"$sum": 1}}}]


SUMS = {"n": {"$sum": 1}, "gpus": {"$sum": "$gpus.count"}, "memory": {"$sum": "$memory"}}
BY_REGION: Pipeline = [{"$group": {"_id": "$regionId", **SUMS}}]
BY_MODEL: Pipeline = [
    {"$unwind": "$nodes.nodeData"},
    {"$unwind": "$nodes.nodeData.gpus.modelNames"},
    {"$group": {"_id": "$nodes.nodeData.gpus.modelNames", "gpus": {"$sum": "$nodes.nodeData.gpus.count"}}},
]
NODES = "clusters, jsonb_array_elements(document #> '{nodes,nodeData}') node"
ON_ONE_NODE = {"$elemMatch": {"gpus.count": {"$gte": GPUS}, "gpus.modelNames": MODEL}}

QUESTIONS = (
    Question(
        "a page of 100 by `-reputation,id`",
        "/clusters?sort=-reputation,id&limit=100",
        None,
        (
            f"SELECT document::text FROM clusters ORDER BY ({at('reputation')})::numeric DESC NULLS LAST, id LIMIT 100",
            "SELECT count(*) FROM clusters",
        ),
        ([{"$sort": {"reputation": -1, "id": 1}}, {"$limit": 100}], [{"$count": "n"}]),
    ),
    Question(
        "a table of 12 columns, of all",
        "/clusters/table",
        {"columns": COLUMNS},
        (f"SELECT {', '.join(map(at, COLUMNS))} FROM clusters",),
        ([{"$project": dict.fromkeys(COLUMNS, 1)}],),
    ),
    Question(
        "capacity by region",
        "/clusters/aggregate",
        BY_REGION,
        (f"SELECT {at('regionId')}, count(*), {summed('gpus.count')}, {summed('memory')} FROM clusters GROUP BY 1",),
        (BY_REGION,),
    ),
    Question(
        "capacity by GPU model, node by node",
        "/clusters/aggregate",
        BY_MODEL,
        (
            f"SELECT model, sum((node #>> '{{gpus,count}}')::numeric) FROM {NODES}, "
            "jsonb_array_elements_text(node #> '{gpus,modelNames}') model GROUP BY 1",
        ),
        (BY_MODEL,),
    ),
    Question(
        "facets of status, region, owner and tags",
        "/clusters/facets",
        {"query": {}, "facets": FACETS},
        tuple(map(count_by, FACETS)),
        tuple(map(facet, FACETS)),
    ),
    Question(
        "10 live clusters with 8 H100 on one node",
        "/clusters/fit",
        {"query": {"status": "live"}, "gpus": GPUS, "gpuModel": MODEL, "onOneNode": True},
        (
            f'SELECT id FROM clusters WHERE document @> \'{{"status": "live", "nodes": {{"nodeData": '
            f'[{{"gpus": {{"modelNames": ["{MODEL}"]}}}}]}}}}\' AND EXISTS (SELECT FROM '
            "jsonb_array_elements(document #> '{nodes,nodeData}') node WHERE "
            f"(node #>> '{{gpus,count}}')::int >= {GPUS} AND node #> '{{gpus,modelNames}}' ? '{MODEL}') LIMIT 10",
        ),
        ([{"$match": {"status": "live", "nodes.nodeData": ON_ONE_NODE}}, {"$limit": 10}],),
    ),
)
