"""Which ids nodes may have: those that lead to the node in an address, and each only once in a cluster.

Documents that an older version stored with others stay readable, changeable and repairable.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rollbook.journal.changes import Change
from tests.engines import journal_of
from tests.examples import cluster, node
from tests.serving import ServerProcess

CARRIED = ["a b", "é", "%", "?x=1#y", "a/b", "/a", "a/", "//", "a\\b", "...", "..a", "%2F", "+", ";v=1", ":", "x" * 253]
NOT_CARRIED = [
    ".", "..", "%2e", "%2E%2e", ".%2e", "a/..", "../a", "a/./b", "a\\..", "", "a\n", "\x00", "\x7f", "\x9b", "x" * 254,
]  # fmt: skip


@pytest.fixture
def nodes(http: httpx.Client, fresh_id: str) -> str:
    """The address of the nodes of a fresh cluster, which has one: node-1."""
    assert http.post("/clusters", json=cluster(fresh_id)).status_code == 201
    return f"/clusters/{fresh_id}/nodes"


@pytest.mark.parametrize("id", CARRIED)
def test_the_address_of_a_joined_node_leads_to_it(http: httpx.Client, nodes: str, id: str) -> None:
    joined = http.post(nodes, json=node(id))
    assert joined.status_code == 201, joined.text
    assert http.get(joined.headers["location"]).json() == node(id)
    assert http.delete(joined.headers["location"]).status_code == 200
    assert [each["id"] for each in http.get(nodes).json()] == ["node-1"]


@pytest.mark.parametrize("id", NOT_CARRIED)
def test_an_id_that_no_address_carries_is_refused_by_every_way(http: httpx.Client, nodes: str, id: str) -> None:
    at = nodes.removesuffix("/nodes")
    before = http.get(at).json()
    answers = {
        "/id": http.post(nodes, json=node(id)),
        "/1/id": http.put(nodes, json=[node("node-1"), node(id)]),
        "/nodeData/id": http.post("/api/addNode", json={"clusterId": before["id"], "nodeData": node(id)}),
        "/nodes/nodeData/1/id": http.put(at, json={"$push": {"nodes.nodeData": node(id)}}),
        "/nodes/nodeData/0/id": http.put(at, json={"nodes.nodeData.0.id": id}),
    }
    for pointer, answer in answers.items():
        assert answer.status_code == 422, answer.text
        assert [each["at"] for each in answer.json()["errors"]] == [pointer]
    pipeline = [{"$set": {"nodes.nodeData": {"$literal": [node(id)]}}}]
    assert http.put(at, json=pipeline).status_code == 422
    assert http.post("/clusters", json=cluster(f"{before['id']}-b", node(id))).status_code == 422
    assert http.get(at).json() == before


def test_a_second_node_of_one_id_is_refused_by_every_way(http: httpx.Client, nodes: str) -> None:
    at = nodes.removesuffix("/nodes")
    http.post(nodes, json=node("node-2"))
    before = http.get(at).json()
    answers = {
        "/1/id": http.put(nodes, json=[node("n"), node("n")]),
        "/nodeData/1/id": http.post("/api/addNode", json={"clusterId": before["id"], "nodeData": [node(), node()]}),
        "/nodes/nodeData/2/id": http.put(at, json={"$push": {"nodes.nodeData": node("node-2")}}),
        "/nodes/nodeData/1/id": http.put(at, json={"nodes.nodeData.1.id": "node-1"}),
    }
    for pointer, answer in answers.items():
        assert answer.status_code == 422, answer.text
        assert [each["at"] for each in answer.json()["errors"]] == [pointer]
        assert "id" in answer.json()["detail"]
    twice = {"$concatArrays": ["$nodes.nodeData", "$nodes.nodeData"]}
    refused = http.put(at, json=[{"$set": {"nodes.nodeData": twice}}])
    assert [each["at"] for each in refused.json()["errors"]] == ["/nodes/nodeData/2/id", "/nodes/nodeData/3/id"]
    assert http.patch(f"{nodes}/node-2", json={"id": "node-1"}).status_code == 422
    assert http.patch(f"{nodes}/node-2", json={"$set": {"id": "node-1"}}).status_code == 422
    assert http.get(at).json() == before


def test_a_new_document_may_repeat_ids_and_its_writer_is_warned(http: httpx.Client, fresh_id: str) -> None:
    at = f"/clusters/{fresh_id}"
    created = http.post("/clusters", json=cluster(fresh_id, node("n"), node("n"), node("m")))

    assert created.status_code == 201
    assert 'the id "n"' in created.headers["warning"].replace("\\", "")
    assert created.json()["nodes"]["count"] == 3  # every node of the list counts
    for fine in (
        http.put(at, json={"$set": {"reputation": 1}}),
        http.put(at, json={"$set": {"nodes.nodeData.0.swap": 5}}),
        http.post(f"{at}/nodes", json=node("k")),
        http.patch(f"{at}/nodes/n", json={"memory": 7}),
        http.put(at, json={"$push": {"nodes.nodeData": {"$each": [], "$sort": {"id": -1}}}}),
    ):
        assert fine.status_code in (200, 201), fine.text
    assert http.put(at, json={"$push": {"nodes.nodeData": node("n")}}).status_code == 422
    assert http.put(at, json={"$push": {"nodes.nodeData": node("m")}}).status_code == 422
    repaired = http.put(f"{at}/nodes", json=[node("n"), node("m")])
    assert [each["id"] for each in repaired.json()] == ["n", "m"]
    back = http.post(f"{at}/restore", json={"revision": int(created.headers["etag"].strip('"'))})
    assert back.status_code == 422  # it would add a second one


def test_lenient_registries_refuse_them_too(tmp_path: Path) -> None:
    with (
        ServerProcess(tmp_path / "data", environment={"ROLLBOOK_SCHEMA": "lenient"}) as server,
        httpx.Client(base_url=server.url) as http,
    ):
        assert http.post("/clusters", json={"id": "west", "nodes": {"nodeData": [{"id": "n"}]}}).status_code == 201
        assert http.put("/clusters/west", json={"$push": {"nodes.nodeData": {"id": "n"}}}).status_code == 422
        assert http.put("/clusters/west/nodes", json=[{"id": "n"}, {"id": "n"}]).status_code == 422
        assert http.post("/clusters/west/nodes", json={"id": ".."}).status_code == 422


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server of a journal in which an older version stored a cluster with nodes of any ids."""
    data = tmp_path_factory.mktemp("old") / "data"
    ids = ["..", "x" * 70_000, "n", "n", "a\r\nSet-Cookie: x=1"]
    totals: Any = {"gpus": {"count": 0, "memory": 0}, "vcpus": {"count": 0}, "memory": 0, "swap": 0}
    totals |= {"storage": {"disks": 0, "size": 0}, "network": {"interfaces": 0, "txBandwidth": 0, "rxBandwidth": 0}}
    document = cluster("old", *map(node, ids), **totals)
    document["nodes"]["count"] = len(ids)
    journal = journal_of(data)
    now_ms = time.time_ns() // 1_000_000
    journal.append([Change(1, "old", "created", now_ms, None, json.dumps(document).encode())], after=0)
    journal.close()
    with ServerProcess(data) as running, httpx.Client(base_url=running.url, timeout=20) as client:
        yield client


def test_an_old_document_with_such_ids_is_read_changed_and_repaired(old: httpx.Client) -> None:
    ids = [each["id"] for each in old.get("/clusters/old/nodes").json()]
    assert ids[0] == ".."
    assert old.put("/clusters/old", json={"$set": {"nodes.nodeData.0.swap": 5}}).status_code == 200
    assert old.post("/clusters/old/nodes", json=node("..", memory=5)).status_code == 200
    assert "location" not in old.post("/clusters/old/nodes", json=node("..", memory=6)).headers
    assert old.put("/clusters/old", json={"$push": {"nodes.nodeData": node("..")}}).status_code == 422
    assert old.put("/clusters/old", json={"$set": {"nodes.nodeData.1.id": "short"}}).status_code == 200
    assert old.put("/clusters/old", json={"$pull": {"nodes.nodeData": {"id": ".."}}}).status_code == 200
    assert old.put("/clusters/old", json={"nodes.nodeData.2.id": "/.."}).status_code == 422
    assert [each["id"] for each in old.get("/clusters/old/nodes").json()] == ["short", "n", "n", ids[4]]


@pytest.mark.parametrize(
    ("method", "path", "body", "pointers"),
    [
        ("POST", "", {**node("n"), "memory": -1}, ["/memory"]),
        ("POST", "", {"id": "n", "gpus": {"count": "x"}}, ["/gpus/count", "/gpus/memory"]),
        ("PUT", "", [node("n"), {**node("m"), "gpus": {"count": 1, "memory": -1}}], ["/1/gpus/memory"]),
        ("PUT", "", [node("n"), 5], ["/1"]),
        ("PUT", "/node-1", {**node(), "storage": {"disks": -1, "size": 1}}, ["/storage/disks"]),
        ("PATCH", "/node-1", {"storage": {"disks": -1}}, ["/storage/disks"]),
        ("PATCH", "/node-1", {"memory": None}, ["/memory"]),
        ("PATCH", "/node-1", {"$set": {"storage.disks": -1}}, ["/$set/storage.disks"]),
        ("PATCH", "/node-1", {"$set": {"storage": {"disks": -1, "size": 1}}}, ["/$set/storage/disks"]),
        ("PATCH", "/node-1", {"$unset": {"gpus.count": ""}}, ["/$unset/gpus.count"]),
        ("PATCH", "/node-1", {"$set": {"id": "other"}}, ["/$set/id"]),
        ("PATCH", "/node-1", {"id": "other"}, ["/id"]),
    ],
)
def test_a_refusal_names_places_of_the_request(
    http: httpx.Client, nodes: str, method: str, path: str, body: Any, pointers: list[str]
) -> None:
    refused = http.request(method, nodes + path, json=body)
    assert refused.status_code == 422
    found = [each["at"] for each in refused.json()["errors"]]
    assert found[: len(pointers)] == pointers
    assert "nodeData" not in refused.json()["detail"]


def test_a_refusal_of_an_envelope_names_places_in_the_envelope(http: httpx.Client, nodes: str) -> None:
    values = {"clusterId": nodes.split("/")[2], "nodeData": [node("a"), {**node("b"), "memory": -1}]}
    refused = http.post("/api/addNode", json={"header": {}, "body": {"spec": {"values": values}}})
    assert [each["at"] for each in refused.json()["errors"]] == ["/body/spec/values/nodeData/1/memory"]


def test_tags_and_metadata_of_nodes_are_documented(http: httpx.Client, nodes: str) -> None:
    noted = {**node("n"), "tags": ["spare"], "nodeMetadata": {"rack": {"row": 7}}}
    joined = http.post(f"{nodes}?fieldValidation=strict", json=noted)
    assert (joined.status_code, joined.headers.get("warning")) == (201, None)
    refused = http.post(nodes, json={**node("m"), "tags": "spare"})
    assert [each["at"] for each in refused.json()["errors"]] == ["/tags"]
