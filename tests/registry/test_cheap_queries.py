"""Which queries are answered where everybody waits: those that are cheap for every document."""

from typing import Any

import pytest

from rollbook.limits import DEFAULT_LIMITS
from rollbook.registry.reading.requests import parse_query


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"regionId": "eu", "gpus.count": {"$gte": 8}},
        {"query": {"nodes.nodeData": {"$elemMatch": {"memory": {"$gt": 1}}}}, "projection": {"id": 1}},
        {"id": {"$in": ["west"] * 1000}},
        {"query": {}, "projection": {"nodes.nodeData": {"$slice": 2}}},
    ],
)
def test_plain_queries_are_cheap(body: Any) -> None:
    assert not parse_query(body, limits=DEFAULT_LIMITS).may_be_slow


@pytest.mark.parametrize(
    "body",
    [
        {"$expr": True},
        {"id": {"$not": {"$regex": "a"}}},
        {"$jsonSchema": {}},
        {"$or": [{"a": number} for number in range(51)]},
        {"$or": [{"$and": [{"a": number} for number in range(8)]} for _ in range(8)]},
        {"a": {"$elemMatch": {"$or": [{"a": number} for number in range(51)]}}},
        {"id": {"$in": ["west"] * 2000}},
        {"query": {}, "projection": {"x": {"$size": {"$range": [0, 900_000]}}}},
        {"query": {}, "projection": {"a.b.c": "$id"}},
        {"query": {}, "projection": {"nodes": {"$elemMatch": {"x": {"$regex": "a"}}}}},
    ],
)
def test_what_can_cost_much_is_not(body: Any) -> None:
    assert parse_query(body, limits=DEFAULT_LIMITS).may_be_slow
