"""A caller that may write nodes but does not see them removes none: its node would take the place of them all."""

from pathlib import Path

import httpx

from tests.examples import cluster, node
from tests.serving import ServerProcess

ADMIN = "admin-" + "x" * 40


def test_a_node_does_not_join_where_its_writer_sees_none(tmp_path: Path) -> None:
    (tmp_path / "admin").write_text(ADMIN)
    environment = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(tmp_path / "admin"), "ROLLBOOK_SCHEMA": "lenient"}
    admin = {"authorization": f"Bearer {ADMIN}"}
    with (
        ServerProcess(tmp_path / "data", environment=environment) as server,
        httpx.Client(base_url=server.url, headers=admin) as http,
    ):
        http.post("/clusters", json=cluster("west", node("n-1"))).raise_for_status()
        http.put("/roles/narrow", json={"rules": [{"verbs": ["read", "nodes"], "only": ["status"]}]}).raise_for_status()
        token = http.post("/tokens", json={"name": "narrow", "roles": ["narrow"]}).json()["token"]
        headers = {"authorization": f"Bearer {token}"}

        joined = http.post("/clusters/west/nodes", json=node("n-2"), headers=headers)

        assert (joined.status_code, joined.json()["code"]) == (403, "permission-denied")
        assert [each["id"] for each in http.get("/clusters/west/nodes").json()] == ["n-1"]


def test_a_node_joins_in_sight_of_a_part_and_totals_that_are_not_seen_follow(tmp_path: Path) -> None:
    (tmp_path / "admin").write_text(ADMIN)
    environment = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(tmp_path / "admin")}
    with (
        ServerProcess(tmp_path / "data", environment=environment) as server,
        httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {ADMIN}"}) as http,
    ):
        for id, rule in (
            ("nodes", {"verbs": ["read", "update", "nodes"], "only": ["nodes"]}),
            ("ids", {"verbs": ["read", "update", "nodes"], "only": ["nodes.nodeData.id", "status"]}),
            ("totals", {"verbs": ["read", "update", "nodes"], "hide": ["gpus", "vcpus"]}),
        ):
            http.post("/clusters", json=cluster(id, node("n-1", gpus=2))).raise_for_status()
            http.put(f"/roles/{id}", json={"rules": [rule]}).raise_for_status()
            token = http.post("/tokens", json={"name": id, "roles": [id]}).json()["token"]
            headers = {"authorization": f"Bearer {token}"}
            joined = http.post(f"/clusters/{id}/nodes", json=node("n-2", gpus=3), headers=headers)
            assert joined.status_code == 201, joined.text
            pushed = http.put(
                f"/clusters/{id}", json={"$push": {"nodes.nodeData": node("n-3", gpus=1)}}, headers=headers
            )
            assert pushed.status_code == 200, pushed.text
            whole = http.get(f"/clusters/{id}").json()
            assert [each["id"] for each in whole["nodes"]["nodeData"]] == ["n-1", "n-2", "n-3"]
            assert whole["gpus"]["count"] == 6
            assert whole["config"]["publicHostname"]
