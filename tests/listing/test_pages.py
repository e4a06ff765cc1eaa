"""Pages: put together, they are one answer of one revision, whatever is written meanwhile."""

import asyncio
import os
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.assembly import open_registry
from rollbook.errors import CursorRefused
from rollbook.limits import Limits
from rollbook.registry.history.moments import AtRevision, Moment
from rollbook.registry.listing.page_requests import parse_page
from rollbook.registry.reading.requests import parse_query
from rollbook.registry.registry import Registry
from rollbook.settings import Settings
from tests.listing.fleets import change
from tests.registry.writing import TESTER, create, delete, update

FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"regionId": {"$ne": "eu"}},
    {"a": {"$exists": True}},
    {"b": {"$regex": "x|long"}},
    {"a": {"$type": "object"}},
    {"_registry.liveness": "unknown"},
)
SORTS: tuple[dict[str, int] | None, ...] = (
    None,
    {"id": 1},
    {"id": -1},
    {"reputation": -1},
    {"reputation": 1, "id": -1},
    {"regionId": 1, "reputation": -1},
    {"a": 1},
    {"b": -1, "a": 1},
    {"_registry.updatedAt": -1},
    {"_registry.createdAt": 1, "a": -1},
)

CLUSTERS = int(os.environ.get("ROLLBOOK_PAGED_CLUSTERS", "2000"))
"""How many clusters are paged through; ``make bulk`` takes 100,000."""


async def pages_of(
    registry: Registry, body: dict[str, Any], random: Random, *, moment: Moment | None = None, changes: int = 3
) -> tuple[list[Any], int, int]:
    """All pages one after another, with changes between them; the total and the revision that the first one names."""
    found: list[Any] = []
    body = {**body, "cursor": None}
    first = None
    while True:
        asked = parse_page(body, limits=registry.limits, moment=repr(moment))
        page, bodies = await registry.pages.documents(TESTER, asked, moment)
        first = first or page
        assert (page.total, page.revision) == (first.total, first.revision)
        assert len(bodies) <= body["limit"]
        found += map(orjson.loads, bodies)
        if page.cursor is None:
            return found, first.total, first.revision
        assert len(bodies) == body["limit"]
        body["cursor"] = page.cursor
        for _ in range(random.randint(0, changes)):
            await change(registry, random, 12)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32), filter=st.sampled_from(FILTERS), sort=st.sampled_from(SORTS), limit=st.integers(1, 5)
)
def test_pages_put_together_are_one_answer_of_one_revision(
    seed: int, filter: dict[str, Any], sort: dict[str, int] | None, limit: int
) -> None:
    random = Random(seed)

    async def walk(directory: Path) -> None:
        async with open_registry(Settings(data=directory, schema="lenient")) as registry:
            for _ in range(30):
                await change(registry, random, 12)
            body = {"query": filter, "sort": sort, "limit": limit}
            at = AtRevision(random.randint(1, 30)) if random.random() < 0.4 else None
            if at is not None and "_registry.liveness" in filter:
                at = None
            found, total, revision = await pages_of(registry, body, random, moment=at)
            assert at is None or revision == at.revision
            assert total == len(found)
            if "_registry.liveness" in filter:
                body["query"] = {}
            query = parse_query({key: value for key, value in body.items() if key != "limit"}, limits=registry.limits)
            whole = await (await registry.history.fleet(TESTER, AtRevision(revision))).find(query)
            assert found == list(map(orjson.loads, whole))

    with TemporaryDirectory() as directory:
        asyncio.run(walk(Path(directory)))


async def test_every_cluster_that_exists_throughout_is_on_one_page(tmp_path: Path) -> None:
    """Others come and go, and all change, while their pages are turned. (Many of them take their time to be seen.)"""
    async with open_registry(Settings(data=tmp_path / "data", limits=Limits(max_time_ms=60_000))) as registry:
        stay = [f"stays-{number}" for number in range(CLUSTERS)]
        await asyncio.gather(*(create(registry, id, reputation=n % 7) for n, id in enumerate(stay)))
        await asyncio.gather(*(create(registry, f"goes-{number}") for number in range(200)))
        for sort in (None, {"id": 1}, {"reputation": -1}, {"reputation": 1, "regionId": 1}):
            going, step = iter(list(registry.view.entries())), max(97, CLUSTERS // 20)
            turned, body = 0, {"query": {}, "sort": sort, "limit": min(1000, CLUSTERS // 20 + 1), "cursor": None}
            seen: list[str] = []
            while turned == 0 or body["cursor"] is not None:
                page = await registry.pages.page(TESTER, parse_page(body, limits=registry.limits))
                seen += [entry.id for entry in page.entries]
                body["cursor"], turned = page.cursor, turned + 1
                await create(registry, f"new-{id(sort)}-{turned}")
                await asyncio.gather(*(update(registry, id, {"$inc": {"reputation": 3}}) for id in stay[turned::step]))
                gone = next((entry.id for entry in going if not entry.id.startswith("stays")), None)
                if gone is not None and registry.view.entry(gone) is not None:
                    await delete(registry, gone)
            assert len(set(seen)) == len(seen) == page.total
            assert set(stay) <= set(seen)


async def test_a_cursor_outlives_a_restart(tmp_path: Path) -> None:
    asked = {"query": {}, "limit": 2, "cursor": None}
    async with open_registry(Settings(data=tmp_path / "data")) as registry:
        for number in range(3):
            await create(registry, f"c{number}")
        page = await registry.pages.page(TESTER, parse_page(asked, limits=registry.limits))
    async with open_registry(Settings(data=tmp_path / "data")) as registry:
        asked["cursor"] = page.cursor
        page = await registry.pages.page(TESTER, parse_page(asked, limits=registry.limits))
        assert [entry.id for entry in page.entries] == ["c2"]
    async with open_registry(Settings(data=tmp_path / "other")) as other:
        for number in range(3):
            await create(other, f"c{number}")
        with pytest.raises(CursorRefused, match="no cursor of this registry"):
            await other.pages.page(TESTER, parse_page(asked, limits=other.limits))


async def test_a_cursor_whose_revision_is_no_longer_kept_has_expired(tmp_path: Path) -> None:
    async with open_registry(Settings(data=tmp_path / "data", history_changes=1)) as registry:
        for number in range(4):
            await create(registry, f"c{number}")
        asked: dict[str, Any] = {"query": {}, "limit": 2, "cursor": None}
        asked["cursor"] = (await registry.pages.page(TESTER, parse_page(asked, limits=registry.limits))).cursor
        for _ in range(3):
            await update(registry, "c1", {"$inc": {"reputation": 1}})
        while registry.journal.compaction.step(registry.journal.newest() - 1) < registry.journal.newest() - 1:
            pass
        with pytest.raises(CursorRefused, match="expired"):
            await registry.pages.page(TESTER, parse_page(asked, limits=registry.limits))


@pytest.mark.parametrize("change", [{"query": {"id": "c1"}}, {"sort": {"id": -1}}])
async def test_a_cursor_is_good_for_its_own_request(tmp_path: Path, change: dict[str, Any]) -> None:
    async with open_registry(Settings(data=tmp_path / "data")) as registry:
        for number in range(3):
            await create(registry, f"c{number}")
        asked: dict[str, Any] = {"query": {}, "sort": {"id": 1}, "limit": 1, "cursor": None}
        cursor = (await registry.pages.page(TESTER, parse_page(asked, limits=registry.limits))).cursor
        other = parse_page({**asked, **change, "cursor": cursor}, limits=registry.limits)
        with pytest.raises(CursorRefused, match="another request"):
            await registry.pages.page(TESTER, other)
        page = await registry.pages.page(
            TESTER, parse_page({**asked, "limit": 5, "projection": {"id": 1}, "cursor": cursor}, limits=registry.limits)
        )
        assert [entry.id for entry in page.entries] == ["c1", "c2"]
