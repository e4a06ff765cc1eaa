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


def test_a_slash_at_the_end_of_an_id_is_not_taken_for_one_of_the_address(http: httpx.Client, nodes: str) -> None:
    http.post(nodes, json=node("node-1/"))

    assert http.get(f"{nodes}/node-1%2F/").json()["id"] == "node-1/"
    assert http.delete(f"{nodes}/node-1%2F").status_code == 200
    assert [each["id"] for each in http.get(nodes).json()] == ["node-1"]


def test_a_synchronised_list_replaces_the_nodes_and_keeps_what_people_wrote(http: httpx.Client, nodes: str) -> None:
    http.patch(f"{nodes}/node-1", json={"tags": ["spare"]})

    reply = http.put(nodes, json=[node("node-3"), node("node-1", gpus=1)])

    assert reply.json() == [node("node-3"), {**node("node-1", gpus=1), "tags": ["spare"]}]
    assert totals(http, nodes) == (2, 3, 2048)


def test_a_node_is_replaced_whole_patched_and_removed(http: httpx.Client, nodes: str) -> None:
    assert http.put(f"{nodes}/node-1", json=node("node-1", memory=1)).status_code == 200
    assert http.post(nodes, json=node("node-2")).status_code == 201
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


def test_a_report_that_says_nothing_new_leaves_no_trace(http: httpx.Client, nodes: str) -> None:
    before = http.get(nodes).headers["etag"]

    again = http.post(nodes, json=node("node-1"))

    assert (again.status_code, again.headers["etag"]) == (200, before)


def test_an_operation_holds_only_for_the_cluster_that_was_read(http: httpx.Client, nodes: str) -> None:
    seen = {"if-match": http.get(f"{nodes}/node-1").headers["etag"]}
    assert http.patch(f"{nodes}/node-1", json={"memory": 1}, headers=seen).status_code == 200

    for method, path, body in (
        ("PATCH", "/node-1", {"memory": 2}),
        ("PUT", "/node-1", node("node-1")),
        ("DELETE", "/node-1", None),
        ("POST", "", node("node-2")),
        ("PUT", "", []),
    ):
        assert http.request(method, nodes + path, json=body, headers=seen).status_code == 412
    assert http.get(f"{nodes}/node-1").json()["memory"] == 1


@pytest.mark.parametrize("condition", [{}, {"if-match": "*"}, {"if-match": '"1"'}, {"if-none-match": "*"}])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_node_that_is_not_there_is_not_found_whatever_the_condition(
    http: httpx.Client, nodes: str, method: str, condition: dict[str, str]
) -> None:
    body = None if method == "DELETE" else node("nobody")
    assert http.request(method, f"{nodes}/nobody", json=body, headers=condition).status_code == 404
    assert len(http.get(nodes).json()) == 1


@pytest.mark.parametrize("path", ["", "/node-1"])
def test_what_has_been_seen_is_not_sent_again(http: httpx.Client, nodes: str, path: str) -> None:
    first = http.get(nodes + path)
    again = http.get(nodes + path, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


def test_the_nodes_of_the_past_are_told(http: httpx.Client, nodes: str) -> None:
    before = http.get(nodes).headers["x-registry-revision"]
    http.delete(f"{nodes}/node-1")

    assert http.get(nodes).json() == []
    assert http.get(nodes, params={"revision": before}).json() == [node("node-1")]
    assert http.get(f"{nodes}/node-1", params={"revision": before}).json() == node("node-1")


@pytest.mark.parametrize(
    ("media_type", "body", "status"),
    [
        ("application/json", '{"memory": 1}', 200),
        ("application/merge-patch+json", '{"memory": 1, "rack": null}', 200),
        ("application/json; charset=utf-8", '{"$set": {"memory": "1"}}', 200),
        ("application/merge-patch+json", '{"$set": {"memory": 1}}', 400),
        ("application/json-patch+json", '[{"op": "replace", "path": "/memory", "value": 1}]', 200),
        ("text/plain", '{"memory": 1}', 415),
    ],
)
def test_a_patch_says_what_it_is(http: httpx.Client, nodes: str, media_type: str, body: str, status: int) -> None:
    reply = http.patch(f"{nodes}/node-1", content=body, headers={"content-type": media_type})
    assert reply.status_code == status, reply.text
    assert http.get(f"{nodes}/node-1").json()["memory"] == (1 if status == 200 else 1024)


@pytest.mark.parametrize("id", ["rack 7/node 2", "Knoten-ü", "a?b#c", "%41"])
def test_any_text_can_be_the_id_of_a_node(http: httpx.Client, nodes: str, id: str) -> None:
    place = http.post(nodes, json=node(id)).headers["location"]
    assert http.get(place).json() == node(id)
    assert http.delete(place).status_code == 200
    assert http.get(place).status_code == 404


def test_the_nodes_of_a_large_cluster_are_read_and_reported(http: httpx.Client, nodes: str) -> None:
    many = [node(f"node-{number}") for number in range(1500)]
    many[7]["tags"] = ["spare"]

    assert len(http.put(nodes, json=many).json()) == 1500
    assert http.put(nodes, json=[node(each["id"]) for each in many]).json()[7]["tags"] == ["spare"]
    assert http.get(f"{nodes}/node-1499").json()["id"] == "node-1499"
    assert totals(http, nodes) == (1500, 3000, 1500 * 1024)


IN_ENVELOPE = {"header": {"templateUri": "Parser/V1", "parameters": {}}}


@pytest.mark.parametrize("envelope", [True, False])
@pytest.mark.parametrize("shape", ["a node", "nodeData", "an array"])
def test_the_parser_adds_nodes(http: httpx.Client, nodes: str, envelope: bool, shape: str) -> None:
    id = nodes.split("/")[2]
    values: dict[str, Any] = {
        "a node": {"clusterId": id, **node("node-2")},
        "nodeData": {"clusterId": id, "nodeData": node("node-2")},
        "an array": {"clusterId": id, "nodeData": [node("node-2"), node("node-1")]},
    }[shape]
    body = {**IN_ENVELOPE, "body": {"spec": {"values": values}}} if envelope else values

    reply = http.post("/api/addNode", json=body)

    assert reply.status_code == 200
    assert reply.json() == {"success": True, "task_id": "", "result": http.get(f"/clusters/{id}").json()}
    assert http.get(nodes).json() == [node("node-1"), node("node-2")]


def test_what_the_parser_says_beside_the_nodes_is_not_lost_in_silence(http: httpx.Client, nodes: str) -> None:
    values = {"clusterId": nodes.split("/")[2], "nodeData": node("node-2"), "mode": "fast"}
    assert "mode" in http.post("/api/addNode", json=values).headers["warning"]


@pytest.mark.parametrize(
    ("values", "status", "at"),
    [
        (node("node-2"), 400, "/body/spec/values/clusterId"),
        ({"clusterId": 5, **node("node-2")}, 400, "/body/spec/values/clusterId"),
        ({"clusterId": "nobody", **node("node-2")}, 404, None),
        ({"clusterId": "{id}", "nodeData": []}, 400, "/body/spec/values/nodeData"),
        ({"clusterId": "{id}", "nodeData": [node("node-2"), {"memory": 1}]}, 422, "/body/spec/values/nodeData/1/id"),
        ({"clusterId": "{id}", "nodeData": 5}, 422, "/body/spec/values/nodeData"),
        ({"clusterId": "{id}", "memory": 1}, 422, "/body/spec/values/id"),
        ({"clusterId": "{id}", **node("node-2", memory=-1)}, 422, "/body/spec/values/memory"),
        ([], 400, "/body/spec/values"),
    ],
)
def test_nodes_that_the_parser_can_not_add_are_refused(
    http: httpx.Client, nodes: str, values: Any, status: int, at: str | None
) -> None:
    if isinstance(values, dict) and values.get("clusterId") == "{id}":
        values = {**values, "clusterId": nodes.split("/")[2]}

    reply = http.post("/api/addNode", json={**IN_ENVELOPE, "body": {"spec": {"values": values}}})

    told = reply.json()
    assert (reply.status_code, told["success"], told["message"]) == (status, False, told["error"])
    assert (told["errors"][0]["at"] if at else told.get("errors")) == at
    assert http.get(nodes).json() == [node("node-1")]


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
