"""The routes of nodes: joining, reporting and leaving, with totals that follow."""

from typing import Any

import httpx
import pytest

from tests.examples import cluster, node


@pytest.fixture
def nodes(http: httpx.Client, fresh_id: str) -> str:
    """The address of the nodes of a fresh cluster, which has one: node-1."""
    assert http.post("/clusters", json=cluster(fresh_id)).status_code == 201
    return f"/clusters/{fresh_id}/nodes"


def totals(http: httpx.Client, nodes: str) -> tuple[int, int, int]:
    """The cluster's numbers of nodes and GPUs, and its memory."""
    document = http.get(nodes.removesuffix("/nodes")).json()
    return document["nodes"]["count"], document["gpus"]["count"], document["memory"]


def test_a_node_joins_and_is_answered(http: httpx.Client, nodes: str) -> None:
    joined = http.post(nodes, json=node("node-2", gpus=4))

    assert (joined.status_code, joined.json()) == (201, node("node-2", gpus=4))
    assert joined.headers["location"] == f"{nodes}/node-2"
    assert http.get(f"{nodes}/node-2").json() == node("node-2", gpus=4)
    assert [each["id"] for each in http.get(nodes).json()] == ["node-1", "node-2"]
    assert totals(http, nodes) == (2, 6, 2048)


def test_the_same_node_joining_again_is_replaced_and_keeps_what_people_wrote(http: httpx.Client, nodes: str) -> None:
    http.patch(f"{nodes}/node-1", json={"tags": ["spare"], "nodeMetadata": {"rack": 7}})

    again = http.post(nodes, json=node("node-1", gpus=8))

    assert again.status_code == 200
    assert again.json() == {**node("node-1", gpus=8), "tags": ["spare"], "nodeMetadata": {"rack": 7}}
    assert totals(http, nodes) == (1, 8, 1024)
    refused = http.post(f"{nodes}?onConflict=refuse", json=node("node-1"))
    assert (refused.status_code, refused.json()["code"]) == (409, "node-exists")


def test_a_synchronised_list_replaces_the_nodes_and_keeps_what_people_wrote(http: httpx.Client, nodes: str) -> None:
    http.patch(f"{nodes}/node-1", json={"tags": ["spare"]})

    reply = http.put(nodes, json=[node("node-3"), node("node-1", gpus=1)])

    assert reply.json() == [node("node-3"), {**node("node-1", gpus=1), "tags": ["spare"]}]
    assert totals(http, nodes) == (2, 3, 2048)


def test_a_node_is_replaced_whole_patched_and_removed(http: httpx.Client, nodes: str) -> None:
    assert http.put(f"{nodes}/node-1", json=node("node-1", memory=1)).status_code == 200
    assert http.put(f"{nodes}/node-2", json=node("node-2")).status_code == 201
    assert http.patch(f"{nodes}/node-2", json={"memory": 5, "vcpus": {"count": 1}}).json()["memory"] == 5
    assert http.patch(f"{nodes}/node-2", json={"$inc": {"memory": 2}}).json()["memory"] == 7
    assert totals(http, nodes) == (2, 4, 8)

    gone = http.delete(f"{nodes}/node-2")
    assert (gone.status_code, gone.json()) == (200, {"message": "Node deleted"})
    assert http.get(f"{nodes}/node-2").status_code == 404
    assert totals(http, nodes) == (1, 2, 1)


def test_totals_that_were_given_wrong_are_derived_by_an_operation_on_nodes(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id, memory=9, gpus={"count": 9, "memory": 9, "modelNames": ["old"]}))

    http.post(f"/clusters/{fresh_id}/nodes", json=node("node-2", model="NVIDIA V100"))

    after = http.get(f"/clusters/{fresh_id}").json()
    assert (after["memory"], after["gpus"]["count"]) == (2048, 4)
    assert after["gpus"]["modelNames"] == ["NVIDIA A100", "NVIDIA V100"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/clusters/nobody/nodes", None, 404),
        ("POST", "/clusters/nobody/nodes", node(), 404),
        ("DELETE", "{nodes}/nobody", None, 404),
        ("PATCH", "{nodes}/nobody", {"memory": 1}, 404),
        ("POST", "{nodes}", {"memory": 1}, 422),
        ("POST", "{nodes}", 5, 422),
        ("POST", "{nodes}", {**node(), "memory": -1}, 422),
        ("PUT", "{nodes}/node-1", node("node-2"), 422),
        ("PATCH", "{nodes}/node-1", {"id": "node-2"}, 422),
        ("PATCH", "{nodes}/node-1", {"memory": None}, 422),
        ("PATCH", "{nodes}/node-1", [], 400),
        ("PUT", "{nodes}", {}, 422),
        ("PUT", "{nodes}", [{}], 422),
        ("POST", "{nodes}?onConflict=ignore", node(), 400),
    ],
)
def test_a_wrong_operation_is_refused_and_changes_nothing(
    http: httpx.Client, nodes: str, method: str, path: str, body: Any, status: int
) -> None:
    before = http.get(nodes).json()

    reply = http.request(method, path.format(nodes=nodes), json=body)

    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json"), reply.text
    assert http.get(nodes).json() == before
