"""Filters and facets on ``_registry`` without documents say what looking at every document says."""

from pathlib import Path
from typing import Any

import pytest

from rollbook.limits import DEFAULT_LIMITS
from rollbook.registry.reading import queries
from rollbook.registry.reading.facet_requests import parse_facets
from rollbook.registry.reading.registry_columns import numbers_matching
from rollbook.registry.reading.requests import parse_query
from tests.registry.fleets import Fleet, fleet_in
from tests.registry.writing import TESTER, create, delete, update

FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"_registry.liveness": "alive"},
    {"_registry.liveness": {"$ne": "unknown"}, "regionId": "us-west-2"},
    {"_registry.liveness": {"$in": ["late", "silent"]}, "_registry.protected": False},
    {"$or": [{"_registry.liveness": "alive"}, {"_registry.revision": {"$gte": 6}}]},
    {"$nor": [{"_registry.liveness": "silent"}]},
    {"_registry.createdAt": {"$regex": "^20"}},
    {"$or": [{"_registry.liveness": "alive"}, {"tags": "odd"}]},
    {"_registry.turns": {"$exists": True}},
    {"_registry": {"$exists": True}},
    {"_registry.liveness": "alive", "clusterMetadata.description": {"$regex": "test"}},
)
FACETS = ["_registry.liveness", "_registry.protected", "_registry.revision", "_registry.turns", "regionId"]


async def furnish(fleet: Fleet) -> None:
    """Clusters of which heartbeats say everything that they can say, one of them with the id of a deleted one."""
    registry = fleet.registry
    await create(registry, "again")
    await fleet.beat("again")
    await delete(registry, "again")
    for number, id in enumerate(("alive", "late", "silent", "again", "never", "east")):
        await create(registry, id, regionId="us-east-1" if id == "east" else "us-west-2", tags=["odd"] * (number % 2))
    await fleet.beat("silent")
    await fleet.go(6)
    await fleet.beat("late", "east")
    await fleet.go(5)
    await fleet.beat("alive")
    await update(registry, "alive", {"$set": {"reputation": 1}})


@pytest.mark.parametrize("query", FILTERS)
async def test_both_ways_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: dict[str, Any]) -> None:
    async with fleet_in(tmp_path / "data") as fleet:
        await furnish(fleet)
        seen = fleet.registry.reader.fleet(TESTER)
        counted = parse_query({"query": query}, limits=DEFAULT_LIMITS)
        facets = parse_facets({"query": query, "facets": FACETS}, limits=DEFAULT_LIMITS)
        without = await seen.count(counted), await seen.facets(facets)
        monkeypatch.setattr(queries, "REGISTRY_AT_ONCE_MAX", -1)
        assert without == (await seen.count(counted), await seen.facets(facets))
        kinds = {bucket["value"] for bucket in without[1]["facets"]["_registry.liveness"]["values"]}
        assert query or kinds == {"alive", "late", "silent", "unknown"}


async def test_no_document_is_needed_for_the_usual_questions(tmp_path: Path) -> None:
    async with fleet_in(tmp_path / "data") as fleet:
        await furnish(fleet)
        entries, facts = list(fleet.registry.view.entries()), fleet.registry.facts.as_of_now()
        for query, is_known in zip(FILTERS, [True] * 7 + [False] * 3 + [True], strict=True):
            filter = parse_query({"query": query}, limits=DEFAULT_LIMITS).filter
            assert (numbers_matching(filter, entries, facts) is not None) == is_known, query
