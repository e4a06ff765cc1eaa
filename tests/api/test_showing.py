"""Rules that are logged: what they alone show of clusters is in the audit log."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rollbook.security.access import access_of
from rollbook.security.roles import BUILT_IN, parse_role
from rollbook.security.sights import WHOLE
from tests.examples import cluster
from tests.serving import ServerProcess

ADMIN = {"authorization": "Bearer admin-" + "x" * 40}
SECRET = "sha256:0123456789abcdef"
ROLES = {
    "secrets-reader": [{"verbs": ["read", "watch", "history"], "logged": True}],
    "former": [{"verbs": ["read", "history"], "logged": True}],
    "operating": [{"verbs": ["read", "update"], "hide": ["$secrets"]}],
    "blind-writer": [{"verbs": ["update"], "logged": True}],
    "explainer": [{"verbs": ["explain"], "logged": True}],
    "beating": [{"verbs": ["heartbeat"]}],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory: Path = tmp_path_factory.mktemp("showing")
    (directory / "admin").write_text("admin-" + "x" * 40)
    environment = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin"), "ROLLBOOK_SCHEMA": "lenient"}
    with ServerProcess(directory / "data", environment=environment) as running:
        with httpx.Client(base_url=running.url, headers=ADMIN) as client:
            secret = {**cluster("west"), "config": {"certHash": SECRET}}
            for document in (secret, {"id": "plain", "status": "live"}):
                client.post("/clusters", json=document).raise_for_status()
            for role, rules in ROLES.items():
                client.put(f"/roles/{role}", json={"rules": rules}).raise_for_status()
        yield running


def client_with(server: ServerProcess, *roles: str) -> httpx.Client:
    """A client whose new token has these roles."""
    asked = {"name": "-".join(roles), "roles": roles}
    token = httpx.post(server.url + "/tokens", json=asked, headers=ADMIN).json()["token"]
    return httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {token}"})


def shown(server: ServerProcess, name: str) -> list[str]:
    """What was logged as shown to a token, as operations and addresses."""
    filter = f'{{"event":"shown","actor":{{"$regex":"^token:{name}@"}}}}'
    entries = httpx.get(server.url + "/audit", params={"filter": filter}, headers=ADMIN).json()
    return [f"{entry['operation']} {entry['path']}{'?' * bool(entry['query'])}{entry['query']}" for entry in entries]


def test_a_secret_is_shown_by_grant_and_that_is_logged(server: ServerProcess) -> None:
    with client_with(server, "auditor", "secrets-reader") as auditor:
        assert auditor.get("/clusters/west").json()["config"]["certHash"] == SECRET
        assert auditor.post("/clusters/query", json={"config.certHash": SECRET}).json()[0]["id"] == "west"
        assert auditor.get("/clusters?limit=1").status_code == 200
        assert auditor.get("/clusters/west/history").status_code == 200
    assert shown(server, "auditor-secrets-reader") == [
        "getCluster /clusters/west",
        "queryClusters /clusters/query",
        "listClusters /clusters?limit=1",
        "getHistory /clusters/west/history",
    ]


def test_what_holds_no_secret_and_what_is_not_found_is_not_logged(server: ServerProcess) -> None:
    with client_with(server, "reader", "secrets-reader") as reader:
        assert reader.get("/clusters/plain").status_code == 200
        assert reader.get("/clusters/nobody").status_code == 404
        assert reader.get("/access").status_code == 200
    assert shown(server, "reader-secrets-reader") == []


def test_what_another_role_shows_anyway_is_not_logged(server: ServerProcess) -> None:
    with client_with(server, "operator", "secrets-reader") as operator:
        assert operator.get("/clusters/west").json()["config"]["certHash"] == SECRET
        assert operator.post("/clusters/query", json={}).status_code == 200
        assert operator.put("/clusters/west", json={"$set": {"reputation": 1}}).status_code == 200
    assert shown(server, "operator-secrets-reader") == []


def test_the_answer_to_a_write_is_logged_where_it_shows_a_secret(server: ServerProcess) -> None:
    rule = {"verbs": ["update"], "write": ["reputation"]}
    httpx.put(server.url + "/roles/rater", json={"rules": [rule]}, headers=ADMIN).raise_for_status()
    with client_with(server, "reader", "rater", "secrets-reader") as rater:
        assert rater.put("/clusters/west", json={"$set": {"reputation": 2}}).json()["config"]["certHash"] == SECRET
    assert shown(server, "reader-rater-secrets-reader") == ["updateCluster /clusters/west"]


def test_what_a_cluster_no_longer_holds_is_logged_when_it_is_shown(server: ServerProcess) -> None:
    with (
        httpx.Client(base_url=server.url, headers=ADMIN) as admin,
        client_with(server, "former", "operating") as client,
    ):
        admin.post("/clusters", json={"id": "past", "config": {"certHash": SECRET}}).raise_for_status()
        then = admin.get("/clusters/past").headers["etag"].strip('"')
        taken = {"update": {"$unset": {"config.certHash": ""}}, "returnDocument": "before"}
        assert client.put("/clusters/past", json=taken).json()["config"]["certHash"] == SECRET
        assert client.get("/clusters/past", params={"revision": then}).json()["config"]["certHash"] == SECRET
        assert "certHash" not in client.get("/clusters/past").json()["config"]
    assert shown(server, "former-operating") == [
        "updateCluster /clusters/past",
        f"getCluster /clusters/past?revision={then}",
    ]


def test_what_a_logged_rule_of_writing_shows_is_logged(server: ServerProcess) -> None:
    with client_with(server, "blind-writer") as writer:
        assert writer.put("/clusters/west", json={"$set": {"reputation": 5}}).json()["config"]["certHash"] == SECRET
    assert shown(server, "blind-writer") == ["updateCluster /clusters/west"]


def test_a_query_that_is_explained_by_a_logged_rule_is_logged(server: ServerProcess) -> None:
    with client_with(server, "reader", "explainer") as client:
        asked = {"query": {"config.certHash": SECRET}, "explain": True}
        assert client.post("/clusters/query", json=asked).json()["returned"] >= 1
    assert shown(server, "reader-explainer") == ["queryClusters /clusters/query"]


def test_a_heartbeat_shows_nothing(server: ServerProcess) -> None:
    with client_with(server, "reader", "secrets-reader", "beating") as client:
        assert client.post("/clusters/west/heartbeat").status_code == 200
    assert shown(server, "reader-secrets-reader-beating") == []


def test_a_rule_is_logged_or_not(server: ServerProcess) -> None:
    role = httpx.get(server.url + "/roles/secrets-reader", headers=ADMIN).json()
    assert role["rules"][0]["logged"] is True
    refused = httpx.put(server.url + "/roles/x", json={"rules": [{"verbs": ["read"], "logged": "yes"}]}, headers=ADMIN)
    assert (refused.status_code, refused.json()["errors"][0]["at"]) == (400, "/rules/0/logged")


def test_a_webhook_is_sent_nothing_by_a_rule_that_is_logged() -> None:
    access = access_of([BUILT_IN["auditor"], parse_role("secrets-reader", {"rules": ROLES["secrets-reader"]})], {})
    assert access.sight("watch") is WHOLE
    assert access.unlogged.sight("watch").shown({"id": "west"}) is None
    assert access.logged == {"read", "watch", "history"}
