"""Filters and facets on ``_registry`` without documents say what looking at every document says."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rollbook.documents.values import Value
from rollbook.limits import DEFAULT_LIMITS
from rollbook.registry.listing.tables import column_of_field
from rollbook.registry.liveness.lease_facts import LeaseFacts
from rollbook.registry.reading import registry_columns
from rollbook.registry.reading.facet_requests import parse_facets
from rollbook.registry.reading.facts import Facts
from rollbook.registry.reading.plan_steps import plan_with
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
    {"$or": [{"_registry.flapping": True}, {"_registry.flapping": None, "tags": {"$ne": "odd"}}]},
    {"_registry.revision": {"$in": [3, 5.0, 99]}, "_registry.updatedAt": {"$lte": "2100"}},
    {"_registry.revision": {"$gt": "3"}, "_registry.statusSince": {"$not": {"$gte": 4}}},
    {"$or": [{"_registry.liveness": "alive"}, {"clusterMetadata.description": {"$regex": "test|late"}}]},
    {"_registry.turns": {"$exists": True}},
    {"_registry": {"$exists": True}},
    {"_registry.liveness": "alive", "clusterMetadata.description": {"$regex": "test"}},
)
FACETS = [
    f"_registry.{name}"
    for name in ("liveness", "protected", "revision", "turns", "flapping", "updatedAt", "statusSince")
] + ["regionId"]


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


@pytest.mark.parametrize("different", [registry_columns.DIFFERENT_MAX, 1])
@pytest.mark.parametrize("query", FILTERS)
async def test_both_ways_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: dict[str, Any], different: int
) -> None:
    monkeypatch.setattr(registry_columns, "DIFFERENT_MAX", different)
    async with fleet_in(tmp_path / "data") as fleet:
        await furnish(fleet)
        await compare(fleet, query)


async def compare(fleet: Fleet, query: dict[str, Any]) -> None:
    """What columns say is what the documents with their ``_registry`` say."""
    seen = fleet.registry.reader.fleet(TESTER)
    beside = replace(seen, facts=Facts(LeaseFacts(fleet.registry.liveness.leases, read_clocks=fleet.clocks)))
    asked = parse_query({"query": query}, limits=DEFAULT_LIMITS)
    facets = parse_facets({"query": query, "facets": FACETS, "limit": 3}, limits=DEFAULT_LIMITS)
    assert await seen.count(asked) == await beside.count(asked), query
    assert list(await seen.find(asked)) == list(await beside.find(asked)), query
    assert await seen.facets(facets) == await beside.facets(facets), query
    assert observed_in_columns(fleet) == {
        entry.id: fleet.registry.facts.of(entry)["observedAt"] for entry in filter(None, fleet.registry.view.by_number)
    }


def observed_in_columns(fleet: Fleet) -> dict[str, Value]:
    """When each cluster was last heard, as a table shows it."""
    entries, columns = list(filter(None, fleet.registry.view.by_number)), fleet.registry.facts.columns()
    assert columns is not None
    field = columns.copies({"heard": "observedAt"})["heard"]
    column = column_of_field(field, np.array([entry.number for entry in entries], dtype=np.uint32))
    return dict(zip([entry.id for entry in entries], column.values(), strict=True))


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_columns_follow_what_happens(data: st.DataObject) -> None:
    """Clusters come, change and go, send heartbeats, fall silent and come back, between the questions."""

    async def live(directory: Path) -> None:
        async with fleet_in(directory) as fleet:
            for _ in range(data.draw(st.integers(1, 12))):
                id = data.draw(st.sampled_from(("a", "b", "c")))
                match data.draw(st.sampled_from(("create", "beat", "beat", "go", "update", "delete", "ask", "ask"))):
                    case "create" if fleet.registry.view.entry(id) is None:
                        await create(fleet.registry, id)
                    case "beat" if fleet.registry.view.entry(id) is not None:
                        await fleet.beat(id)
                    case "update" if fleet.registry.view.entry(id) is not None:
                        await update(fleet.registry, id, {"$inc": {"reputation": 1}})
                    case "delete" if fleet.registry.view.entry(id) is not None:
                        await delete(fleet.registry, id)
                    case "go":
                        fleet.clocks.go(data.draw(st.sampled_from((0.5, 3.0))))
                        await fleet.go(data.draw(st.sampled_from((0.25, 6.0))))
                    case "ask":
                        await compare(fleet, data.draw(st.sampled_from(FILTERS)))
            for query in ({}, {"_registry.liveness": "alive"}, {"_registry.updatedAt": {"$gt": "1971"}}):
                await compare(fleet, query)

    with TemporaryDirectory() as directory:
        asyncio.run(live(Path(directory) / "data"))


@pytest.mark.parametrize("query", [query for query in FILTERS if "description" not in str(query)])
async def test_no_document_is_needed_for_the_usual_questions(tmp_path: Path, query: dict[str, Any]) -> None:
    async with fleet_in(tmp_path / "data") as fleet:
        await furnish(fleet)
        asked = parse_query({"query": query}, limits=DEFAULT_LIMITS)
        has_column = not any(word in str(query) for word in ("'_registry':", "turns"))
        assert plan_with(fleet.registry.facts, fleet.registry.view, asked).exact == has_column
