"""Tables of nodes: a row a node, page by page, all of one revision."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.test_refusals import refusal
from tests.examples import cluster, node
from tests.serving import ServerProcess


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A registry of 7 clusters; cluster ``c-N`` has N nodes, each with ``slot`` from 0 on."""
    data: Path = tmp_path_factory.mktemp("nodes") / "data"
    with ServerProcess(data) as server, httpx.Client(base_url=server.url, timeout=20) as client:
        for number in range(7):
            nodes = [{**node(f"n-{at}"), "slot": at} for at in range(number)]
            client.post("/clusters", json={**cluster(f"c-{number}", *nodes), "nodes": {"nodeData": nodes}})
        yield client


def rows_of(table: dict[str, Any]) -> list[tuple[Any, ...]]:
    columns = []
    for column in table["columns"].values():
        if "values" in column:
            columns.append(column["values"])
        elif "lengths" in column:
            codes = iter(column["codes"])
            columns.append([[column["dictionary"][next(codes)] for _ in range(n)] for n in column["lengths"]])
        else:
            columns.append([column["dictionary"][code] for code in column["codes"]])
    return list(zip(*columns, strict=True))


def pages(http: httpx.Client, body: dict[str, Any]) -> list[list[tuple[Any, ...]]]:
    found, address = [], "/nodes/table"
    while True:
        answer = http.post(address, json=body)
        assert answer.status_code == 200, answer.text
        found.append(rows_of(answer.json()))
        if "next" not in answer.links:
            return found
        address = str(answer.links["next"]["url"])


EXPECTED = [(f"c-{number}", f"n-{at}", at) for number in range(7) for at in range(number)]
COLUMNS = ["clusterId", "id", "slot"]


@pytest.mark.parametrize("limit", [1, 2, 5, 6, 20, 21, 22])
def test_each_node_is_on_one_page(http: httpx.Client, limit: int) -> None:
    found = pages(http, {"columns": COLUMNS, "limit": limit})
    assert [row for page in found for row in page] == EXPECTED
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)


def test_all_pages_are_of_one_revision(http: httpx.Client) -> None:
    first = http.post("/nodes/table", json={"columns": COLUMNS, "limit": 4})
    for change in (
        lambda: http.post("/clusters/c-3/nodes", json=node("n-new")),
        lambda: http.delete("/clusters/c-4/nodes/n-0"),
        lambda: http.delete("/clusters/c-5"),
    ):
        assert change().is_success
    second = http.post(first.links["next"]["url"], json={"columns": COLUMNS, "limit": 100})
    assert second.json()["revision"] == first.json()["revision"]
    assert rows_of(first.json()) + rows_of(second.json()) == EXPECTED
    time = http.get("/clusters/c-6/history").json()[0]["time"]
    for moment in ({"revision": 7}, {"at": time}):
        past = http.post("/nodes/table", json={"columns": COLUMNS, "limit": 100}, params=moment)
        assert rows_of(past.json()) == EXPECTED
    for change in (
        lambda: http.post("/clusters/c-5/restore", json={}),
        lambda: http.post("/clusters/c-4/restore", json={"revision": 5}),
        lambda: http.post("/clusters/c-3/restore", json={"revision": 4}),
    ):
        assert change().is_success


def test_clusters_and_nodes_are_filtered_apart(http: httpx.Client) -> None:
    body = {"columns": COLUMNS, "query": {"id": {"$in": ["c-2", "c-6"]}}, "nodeQuery": {"slot": {"$gte": 1}}}
    (found,) = pages(http, body)
    assert found == [row for row in EXPECTED if row[0] in ("c-2", "c-6") and row[2] >= 1]
    words = {"columns": COLUMNS, "where": "id = c-2"}
    assert pages(http, words) == [[row for row in EXPECTED if row[0] == "c-2"]]


def test_a_row_has_what_its_cluster_has_too(http: httpx.Client) -> None:
    columns = ["cluster.id", "cluster._registry.protected", "cluster.tags", "nothing"]
    (found,) = pages(http, {"columns": columns, "query": {"id": "c-1"}})
    assert found == [("c-1", False, ["gpu"], None)]


def test_a_table_of_nodes_is_csv_and_lines_too(http: httpx.Client) -> None:
    body = {"columns": COLUMNS, "query": {"id": "c-2"}}
    text = http.post("/nodes/table", json=body, headers={"accept": "text/csv"}).text
    assert list(csv.reader(io.StringIO(text))) == [COLUMNS, ["c-2", "n-0", "0"], ["c-2", "n-1", "1"]]
    lines = http.post("/nodes/table", json=body, headers={"accept": "application/x-ndjson"}).text.splitlines()
    assert [json.loads(line) for line in lines] == [dict(zip(COLUMNS, row, strict=True)) for row in EXPECTED[1:3]]


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, "/columns"),
        ({"columns": ["id"], "sort": {"id": 1}}, "/sort"),
        ({"columns": ["id"], "limit": 0}, "/limit"),
        ({"columns": ["id"], "nodeQuery": {"a": {"$foo": 1}}}, "/nodeQuery/a/$foo"),
        ({"columns": ["id"], "nodeQeury": {}}, "/nodeQeury"),
    ],
)
def test_a_body_is_refused_with_its_place(http: httpx.Client, body: Any, at: str) -> None:
    answer = http.post("/nodes/table", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["at"] == at


def test_a_cursor_is_good_for_its_own_request(http: httpx.Client) -> None:
    following = http.post("/nodes/table", json={"columns": ["id"], "limit": 4}).links["next"]["url"]
    refusal(http.post(following, json={"columns": ["id"], "query": {"id": "c-2"}}), 400, "cursor-refused")
    refusal(http.post(following, json={"columns": ["id"], "nodeQuery": {"slot": 1}}), 400, "cursor-refused")
    listed = http.post("/clusters/query", json={"query": {}, "cursor": None, "limit": 1}).links["next"]["url"]
    cursor = listed.partition("cursor=")[2]
    refusal(http.post(f"/nodes/table?cursor={cursor}", json={"columns": ["id"]}), 400, "cursor-refused")
