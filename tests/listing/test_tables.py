"""Tables: made from the index they say what the documents say, whatever is written meanwhile."""

import asyncio
import csv
import io
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbook.assembly import open_registry
from rollbook.documents.ordering import sort_key
from rollbook.documents.paths import parse_path
from rollbook.registry.history.moments import AtRevision
from rollbook.registry.listing.columns import cell_in
from rollbook.registry.listing.rendering import as_columns, as_csv, as_lines
from rollbook.registry.listing.table_requests import parse_table
from rollbook.registry.listing.tables import Table
from rollbook.registry.reading.requests import parse_query
from rollbook.registry.registry import Registry
from rollbook.settings import Settings
from rollbook.view.index import pairs
from tests.examples import node
from tests.listing.fleets import change
from tests.registry.writing import TESTER, create

Json = Any

COLUMNS = [
    "id",
    "regionId",
    "reputation",
    "tags",
    "a",
    "b",
    "a.a",
    "b.c",
    "a.0",
    "gpus.count",
    "nodes.nodeData",
    "nodes.nodeData.memory",
    "nodes.nodeData.id",
    "config.urlMap.blocksQuery",
    "made.up",
    "_registry.revision",
    "_registry.liveness",
    "_registry.observedAt",
    "_registry.protected",
    "_registry.updatedAt",
]
SORTS: tuple[dict[str, int] | None, ...] = (
    None,
    {"id": -1},
    {"reputation": 1},
    {"regionId": -1, "reputation": 1},
    {"a": 1, "b": -1},
    {"_registry.revision": -1},
    {"_registry.protected": -1, "a": 1, "_registry.updatedAt": 1},
    {"_registry.statusSince": 1, "b": -1},
)
FILTERS: tuple[Json, ...] = ({}, {"regionId": "us-west-2"}, {"b": {"$regex": "x"}}, {"a": {"$type": "object"}})


def rows_of(columns: dict[str, Json]) -> list[dict[str, Json]]:
    """The rows of a table as JSON, as a client would put them together."""
    cells = {name: list(cells_in(column)) for name, column in columns.items()}
    assert len({len(each) for each in cells.values()}) == 1
    return [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]


def cells_in(column: Json) -> list[Json]:
    if "values" in column:
        return column["values"]
    values = [column["dictionary"][code] for code in column["codes"]]
    if "lengths" not in column:
        return values
    assert sum(column["lengths"]) == len(values)
    following = iter(values)
    return [[next(following) for _ in range(length)] for length in column["lengths"]]


def expected(documents: list[Json], name: str) -> list[Json]:
    """The cells by looking at every document."""
    cells = [cell_in(document, parse_path(name)) for document in documents]
    if name == "tags" or name.startswith("nodes.nodeData") or any(is_list for is_list, _ in cells):
        return [values for _, values in cells]
    return [values[0] if values else None for _, values in cells]


def equal(left: Json, right: Json) -> bool:
    return sort_key(left) == sort_key(right)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32), filter=st.sampled_from(FILTERS), sort=st.sampled_from(SORTS), limit=st.integers(0, 9)
)
def test_a_table_says_what_the_documents_say(seed: int, filter: Json, sort: Json, limit: int) -> None:
    random = Random(seed)

    async def make(directory: Path) -> None:
        async with open_registry(Settings(data=directory, schema="lenient")) as registry:
            for _ in range(40):
                await change(registry, random, 14)
            columns = random.sample(COLUMNS, random.randint(1, len(COLUMNS)))
            asked = {"query": filter, "columns": columns, "sort": sort, "limit": limit}
            making = asyncio.create_task(registry.tables.table(TESTER, parse_table(asked, limits=registry.limits)))
            await asyncio.sleep(0)
            for _ in range(random.randint(0, 5)):
                await change(registry, random, 14)
            await check(registry, await making, asked)
            for _ in range(random.randint(0, 5)):
                await change(registry, random, 14)
            await check(
                registry, await registry.tables.table(TESTER, parse_table(asked, limits=registry.limits)), asked
            )

    with TemporaryDirectory() as directory:
        asyncio.run(make(Path(directory)))


async def check(registry: Registry, table: Table, asked: dict[str, Json]) -> None:
    query = {"query": asked["query"], "sort": asked["sort"], "include": "registry"}
    fleet = await registry.history.fleet(TESTER, AtRevision(table.revision))
    documents = list(map(orjson.loads, await fleet.find(parse_query(query, limits=registry.limits))))
    for document in documents:
        document["_registry"]["liveness"] = "unknown"
    answer = orjson.loads(as_columns(table))
    assert (answer["count"], answer["revision"]) == (len(documents), table.revision)
    shown = documents[: asked["limit"] or None]
    found = {name: cells_in(column) for name, column in answer["columns"].items()}
    for name in asked["columns"]:
        assert equal(found[name], expected(shown, name)), name
    lines = [orjson.loads(line) for line in as_lines(table)]
    assert equal(lines, rows_of(answer["columns"]))
    written = list(csv.reader(io.StringIO(b"".join(as_csv(table)).decode())))
    assert written[0] == asked["columns"]
    assert len(written) == len(shown) + 1


async def test_what_is_remembered_of_a_path_is_forgotten_when_nobody_asks(tmp_path: Path) -> None:
    async with open_registry(Settings(data=tmp_path / "data")) as registry:
        await create(registry, "one", regionId="x")
        await registry.tables.table(TESTER, parse_table({"columns": ["regionId"]}, limits=registry.limits))
        kept = registry.view.index.root.children["regionId"].pairs
        assert kept is not None
        pairs.forget_unused()
        assert kept.get() is not None
        pairs.forget_unused()
        pairs.forget_unused()
        assert kept.get() is None


async def test_numbers_of_many_kinds_come_from_a_column(tmp_path: Path) -> None:
    """More distinct numbers than postings are united for, with nothing, with fractions and beside other types."""
    async with open_registry(Settings(data=tmp_path / "data", schema="lenient")) as registry:
        for number in range(200):
            more = {"x": number / 4} if number % 3 else {}
            odd = {"y": number if number % 50 else "text"}
            await create(registry, f"c{number:03}", node=node(), z=2**60 + number, **more, **odd)
        columns = ["id", "x", "y", "z", "memory"]
        for sort in (None, {"x": -1, "id": 1}, {"y": 1}, {"z": -1}):
            asked = {"query": {}, "columns": columns, "sort": sort, "limit": 150}
            table = await registry.tables.table(TESTER, parse_table(asked, limits=registry.limits))
            await check(registry, table, asked)


async def test_the_form_of_a_column_depends_on_its_values(tmp_path: Path) -> None:
    async with open_registry(Settings(data=tmp_path / "data")) as registry:
        for id, region, more in (
            ("a", "x", {"reputation": 5}),
            ("b", "x", {}),
            ("c", "y", {"tags": []}),
            ("d", "x", {}),
        ):
            await create(registry, id, regionId=region, **more)
        columns = ["id", "regionId", "reputation", "tags", "_registry.protected"]
        table = await registry.tables.table(TESTER, parse_table({"columns": columns}, limits=registry.limits))
        assert orjson.loads(as_columns(table)) == {
            "revision": 4,
            "count": 4,
            "columns": {
                "id": {"values": ["a", "b", "c", "d"]},
                "regionId": {"dictionary": ["x", "y"], "codes": [0, 0, 1, 0]},
                "reputation": {"dictionary": [None, 5], "codes": [1, 0, 0, 0]},
                "tags": {"dictionary": ["gpu"], "lengths": [1, 1, 0, 1], "codes": [0, 0, 0]},
                "_registry.protected": {"dictionary": [False], "codes": [0, 0, 0, 0]},
            },
        }


async def test_pages_of_a_table_are_of_one_revision(tmp_path: Path) -> None:
    async with open_registry(Settings(data=tmp_path / "data")) as registry:
        for number in range(7):
            await create(registry, f"c{number}", reputation=number)
        asked: dict[str, Json] = {
            "columns": ["id", "reputation"],
            "sort": {"reputation": -1},
            "limit": 3,
            "cursor": None,
        }
        found: list[Json] = []
        while True:
            table = await registry.tables.table(TESTER, parse_table(asked, limits=registry.limits))
            found += table.columns["id"].values()
            asked["cursor"] = table.cursor
            if table.cursor is None:
                break
            await create(registry, f"new-{len(found)}", reputation=3)
        assert found == [f"c{number}" for number in reversed(range(7))]
        assert (table.count, table.revision) == (7, 7)
