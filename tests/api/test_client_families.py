"""The calls of the existing clients, family by family: what they send, and the statuses that each can live with.

The families differ in what they take for success: A, B, D and E any status below 400 with a JSON body; C only 201 for
creation and exactly 200 for everything else. A failed creation must have a JSON body, or family A's client breaks.
"""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.examples import cluster, node
from tests.serving import ServerProcess

Success = Callable[[str, int], bool]


def below_400(operation: str, status: int) -> bool:
    """What families A, B, D and E take for success."""
    return status < 400


def exact(operation: str, status: int) -> bool:
    """What family C takes for success."""
    return status == (201 if operation == "create" else 200)


FAMILIES: dict[str, Success] = {"A": below_400, "B": below_400, "C": exact, "D": below_400, "E": below_400}


ADMIN = "admin-" + "x" * 40


@pytest.fixture(scope="module", params=["an open registry", "a token in the URL", "a role for its network"])
def http(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client that is not modified, by each of the ways in which a registry can know it."""
    directory = tmp_path_factory.mktemp("families")
    (directory / "admin").write_text(ADMIN)
    environment = {
        "an open registry": {},
        "a token in the URL": {"ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin")},
        "a role for its network": {"ROLLBOOK_ANONYMOUS": "legacy@127.0.0.0/8"},
    }[request.param]
    with ServerProcess(directory / "data", environment=environment) as server:
        url = server.url
        if request.param == "a token in the URL":
            asked, headers = {"name": "old", "roles": ["legacy"]}, {"authorization": f"Bearer {ADMIN}"}
            token = httpx.post(url + "/tokens", json=asked, headers=headers).json()["token"]
            url = f"http://x:{token}@127.0.0.1:{server.port}"
        with httpx.Client(base_url=url, timeout=20) as client:
            yield client


@pytest.fixture(params=FAMILIES)
def succeeded(request: pytest.FixtureRequest) -> Callable[[str, httpx.Response], Any]:
    """How the family reads a reply: its JSON, used directly, when the status is a success for it."""

    def value_of(operation: str, reply: httpx.Response) -> Any:
        assert FAMILIES[request.param](operation, reply.status_code), (operation, reply.status_code, reply.text)
        return reply.json()

    return value_of


def test_every_family_can_create_read_update_query_and_delete(
    http: httpx.Client, fresh_id: str, succeeded: Callable[[str, httpx.Response], Any]
) -> None:
    created = succeeded("create", http.post("/clusters", json=cluster(fresh_id)))
    assert created["id"] == fresh_id

    read = succeeded("read", http.get(f"/clusters/{fresh_id}"))
    assert read == created
    assert read["config"]["urlMap"]["controllerService"] == f"http://{fresh_id}.example.net:32000/controller"

    updated = succeeded("update", http.put(f"/clusters/{fresh_id}", json={"$set": {"regionId": "eu-1"}}))
    assert updated == {**created, "regionId": "eu-1"}

    assert succeeded("query", http.post("/clusters/query", json={"query": {"id": fresh_id}})) == [updated]
    assert succeeded("query", http.post("/clusters/query", json={"query": {"id": "nobody"}})) == []

    assert succeeded("delete", http.delete(f"/clusters/{fresh_id}")) == {"message": "Cluster deleted"}


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PUT", {"$set": {"regionId": "x"}}), ("DELETE", None)])
def test_an_unknown_id_is_404_with_an_error_that_every_family_reads(http: httpx.Client, method: str, body: Any) -> None:
    reply = http.request(method, "/clusters/nobody", json=body)

    assert reply.status_code == 404
    assert reply.json()["error"] == "no cluster has the id 'nobody'"


def test_a_refused_creation_has_a_json_body(http: httpx.Client, fresh_id: str) -> None:
    assert http.post("/clusters", json=cluster(fresh_id)).status_code == 201

    again = http.post("/clusters", json=cluster(fresh_id))
    assert (again.status_code, again.json()["code"]) == (409, "cluster-exists")
    wrong = http.post("/clusters", json={"id": f"{fresh_id}-2", "memory": "lots"})
    assert wrong.status_code == 422
    assert "/memory" in [error["at"] for error in wrong.json()["errors"]]


def test_the_gateway_updates_metadata_region_and_tags_in_one_set(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))

    after = http.put(
        f"/clusters/{fresh_id}",
        json={"$set": {"clusterMetadata.creator": "x", "regionId": "us-west-2", "tags": ["a", "b"]}},
    ).json()

    assert (after["clusterMetadata"]["creator"], after["regionId"], after["tags"]) == ("x", "us-west-2", ["a", "b"])


def test_the_gateway_writes_a_merged_policy_map_by_its_plain_dotted_path(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))

    after = http.put(f"/clusters/{fresh_id}", json={"config.actionsPolicyMap": {"add_node": "uri"}}).json()

    assert after["config"]["actionsPolicyMap"] == {"add_node": "uri"}
    assert after["config"]["publicHostname"] == f"{fresh_id}.example.net"


def test_the_gateway_writes_a_url_map_with_one_element_arrays_and_empties_it(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    host = "http://h.example.net"
    sent = {"controllerService": f"{host}:32300", "publicGateway": [f"{host}:32000"], "membershipServer": [f"{host}:1"]}

    after = http.put(f"/clusters/{fresh_id}", json={"$set": {"config.urlMap": sent}}).json()
    assert after["config"]["urlMap"] == {
        "controllerService": f"{host}:32300",
        "publicGateway": f"{host}:32000",
        "membershipServer": f"{host}:1",
    }

    emptied = http.put(f"/clusters/{fresh_id}", json={"$set": {"config.urlMap": {}}}).json()
    assert emptied["config"]["urlMap"] == {}


def test_membership_sets_thirteen_paths_when_a_node_joins(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    nodes = [node("node-1"), node("node-2", gpus=1, model="NVIDIA V100")]
    totals = {
        "nodes.count": 2,
        "nodes.nodeData": nodes,
        "gpus.count": 3,
        "gpus.memory": 49152,
        "gpus.modelNames": ["NVIDIA A100", "NVIDIA V100"],
        "vcpus.count": 16,
        "memory": 2048,
        "swap": 0,
        "storage.disks": 2,
        "storage.size": 4096,
        "network.interfaces": 2,
        "network.txBandwidth": 200,
        "network.rxBandwidth": 200,
    }

    reply = http.put(f"/clusters/{fresh_id}", json={"$set": totals})

    assert reply.status_code == 200
    after = reply.json()
    assert after["nodes"] == {"count": 2, "nodeData": nodes}
    assert after["gpus"] == {"count": 3, "memory": 49152, "modelNames": ["NVIDIA A100", "NVIDIA V100"]}


def test_membership_synchronises_with_plain_dotted_and_whole_fields(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    sent = {
        "nodes.nodeData": [node("node-9", gpus=1)],
        "nodes.count": 1,
        "gpus": {"count": 1, "memory": 16384},
        "vcpus": {"count": 8},
        "memory": 1024,
        "swap": 0,
        "storage": {"disks": 1, "size": 512000},
        "network": {"interfaces": 1, "txBandwidth": 10000, "rxBandwidth": 10000},
    }

    after = http.put(f"/clusters/{fresh_id}", json=sent).json()

    assert [each["id"] for each in after["nodes"]["nodeData"]] == ["node-9"]
    assert after["storage"] == {"disks": 1, "size": 512000}


def test_block_transactions_push_a_node_and_the_totals_follow(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))

    after = http.put(
        f"/clusters/{fresh_id}", json={"$push": {"nodes.nodeData": node("node-2", gpus=4)}, "$inc": {"nodes.count": 1}}
    ).json()

    assert (after["nodes"]["count"], after["gpus"]["count"], after["memory"]) == (2, 6, 2048)


def test_block_transactions_replace_the_config_and_defaults_are_filled_again(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))

    after = http.put(f"/clusters/{fresh_id}", json={"$set": {"config": {"publicHostname": "new.example.net"}}}).json()

    assert after["config"] == {
        "policyExecutorId": "",
        "policyExecutionMode": "local",
        "publicHostname": "new.example.net",
        "useGateway": True,
    }


def test_block_transactions_query_with_and(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))

    found = http.post("/clusters/query", json={"query": {"$and": [{"gpus.count": {"$gte": 2}}, {"id": fresh_id}]}})

    assert [each["id"] for each in found.json()] == [fresh_id]


def test_the_allocator_queries_by_a_list_of_ids(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))

    found = http.post("/clusters/query", json={"query": {"id": {"$in": [fresh_id, "nobody"]}}})

    assert [each["id"] for each in found.json()] == [fresh_id]


def test_the_search_server_sends_numbers_as_text(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id, reputation=3))
    conditions = [{"gpus.count": {"$gte": "2"}}, {"reputation": {"$gt": "2"}}, {"id": fresh_id}]

    found = http.post("/clusters/query", json={"query": {"$and": conditions}})
    too_many = http.post("/clusters/query", json={"query": {"$and": [{"gpus.count": {"$gt": "2"}}, {"id": fresh_id}]}})

    assert [each["id"] for each in found.json()] == [fresh_id]
    assert too_many.json() == []


def test_the_parser_creates_through_its_envelope_or_without(http: httpx.Client, fresh_id: str) -> None:
    enveloped = {
        "header": {"templateUri": "Parser/V1", "parameters": {}},
        "body": {"spec": {"values": {**cluster(fresh_id), "reputation": None}}},
    }

    reply = http.post("/api/createCluster", json=enveloped)
    assert reply.status_code == 200
    assert {**reply.json(), "result": reply.json()["result"]["id"]} == {
        "success": True,
        "task_id": "",
        "result": fresh_id,
    }
    assert "reputation" not in reply.json()["result"]

    again = http.post("/api/createCluster", json=cluster(fresh_id))
    assert (again.status_code, again.json()["success"]) == (409, False)


def test_a_search_finds_clusters_with_and_without_the_envelope(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id, reputation=7))
    conditions = [
        {"variable": "id", "operator": "==", "value": fresh_id},
        {"variable": "gpus.count", "operator": ">", "value": "1"},
    ]
    values = {
        "matchType": "cluster",
        "filter": {"clusterQuery": {"logicalOperator": "AND", "conditions": conditions}},
    }

    for reply in (
        http.post("/api/filter", json={"header": {}, "body": {"values": values}}),
        http.post("/api/filter", json={"body": {"values": values}}),
        http.post("/api/no-ir/filter", json=values),
    ):
        assert (reply.status_code, reply.json()["success"]) == (200, True)
        assert [each["id"] for each in reply.json()["data"]] == [fresh_id]

    refused = http.post("/api/no-ir/filter", json={"matchType": "cluster", "filter": {}})
    assert (refused.status_code, refused.json()["success"]) == (400, False)
