"""The audit log over HTTP: what is in it, and how it is read and followed."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rollbook.security.audit import problems_in_audit
from tests.engines import EMBEDDED
from tests.examples import cluster
from tests.postgresql import IS_SHARED
from tests.serving import ServerProcess

ADMIN = "admin-" + "x" * 40


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("audit")
    (directory / "admin").write_text(ADMIN)
    with ServerProcess(
        directory / "data", environment={"ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin")}
    ) as running:
        yield running


@pytest.fixture
def admin(server: ServerProcess) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {ADMIN}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=20) as client:
        yield client


def newest(admin: httpx.Client) -> int:
    entries = admin.get("/audit?limit=1000").json()
    return entries[-1]["seq"] if entries else 0


def test_a_backup_is_logged(admin: httpx.Client) -> None:
    since = newest(admin)
    assert admin.get("/backup").status_code == 200
    (entry,) = admin.get(f"/audit?since={since}").json()
    assert (entry["event"], entry["operation"]) == ("getBackup", "getBackup")


def test_changes_of_accounts_and_webhooks_are_logged_before_they_are_answered(admin: httpx.Client) -> None:
    since = newest(admin)
    token = admin.post("/tokens", json={"name": "ci", "roles": ["reader"]}).json()
    admin.post(f"/tokens/{token['id']}/rotate")
    admin.delete(f"/tokens/{token['id']}")
    admin.put("/roles/mine", json={"rules": [{"verbs": ["read"]}]})
    admin.delete("/roles/mine")
    admin.post("/webhooks", json={"id": "hook", "url": "https://example.net/", "enabled": False})
    admin.delete("/webhooks/hook")
    admin.get("/tokens")
    admin.post("/clusters", json=cluster("west"))
    entries = admin.get(f"/audit?since={since}").json()
    assert [entry["event"] for entry in entries] == [
        "createToken",
        "rotateToken",
        "revokeToken",
        "putRole",
        "deleteRole",
        "createWebhook",
        "deleteWebhook",
    ]
    assert {entry["actor"] for entry in entries} == {"token:admin-token-file@127.0.0.1"}
    assert (entries[0]["token"], entries[0]["roles"]) == (token["id"], ["reader"])
    assert entries[3]["role"]["rules"] == [{"verbs": ["read"]}]


def test_refused_callers_are_logged(server: ServerProcess, admin: httpx.Client) -> None:
    since = newest(admin)
    token = admin.post("/tokens", json={"name": "weak", "roles": ["reader"]}).json()["token"]
    headers = {"authorization": f"Bearer {token}"}
    assert httpx.delete(server.url + "/clusters/west", headers=headers).status_code == 403
    assert httpx.get(server.url + "/clusters/west", headers={"authorization": "Bearer made-up"}).status_code == 401
    assert httpx.get(server.url + "/clusters/west").status_code == 401  # who says nothing is not worth a line
    refused = admin.get("/audit", params={"since": since, "filter": '{"event":"refused"}'}).json()
    assert [(entry["actor"], entry["operation"]) for entry in refused] == [("token:weak@127.0.0.1", "deleteCluster")]
    wrong = admin.get("/audit", params={"since": since, "filter": '{"event":"unauthenticated"}'}).json()
    assert [entry["address"] for entry in wrong] == ["127.0.0.1"]


def test_the_chain_of_the_log_holds_and_it_holds_no_token(server: ServerProcess, admin: httpx.Client) -> None:
    token = admin.post("/tokens", json={"name": "hidden", "roles": ["reader"]}).json()["token"]
    if not IS_SHARED:  # the log is in the engine, which tests/many looks at
        assert problems_in_audit(server.data) == []
    logged = admin.get("/audit?limit=1000").text if IS_SHARED else (server.data / "audit.ndjson").read_text()
    assert token not in logged
    assert ADMIN not in logged


def test_pages_of_the_log_lead_to_one_another(admin: httpx.Client) -> None:
    for number in range(3):
        admin.put(f"/roles/r{number}", json={"rules": [{"verbs": ["read"]}]})
    all_of_it = admin.get("/audit?limit=1000").json()
    walked, address = [], "/audit?limit=2"
    while address:
        page = admin.get(address)
        walked += page.json()
        address = page.links.get("next", {}).get("url")
    assert walked == all_of_it
    lines = admin.get("/audit?limit=1000", headers={"accept": "application/x-ndjson"}).text.splitlines()
    assert [json.loads(line) for line in lines] == all_of_it


def test_the_log_can_be_followed(server: ServerProcess, admin: httpx.Client) -> None:
    since = newest(admin)
    headers = {"authorization": f"Bearer {ADMIN}"}
    address = f"{server.url}/audit?follow=true&since={since}"
    with httpx.stream("GET", address, headers=headers, timeout=20) as followed:
        assert followed.headers["content-type"].startswith("application/x-ndjson")
        lines = followed.iter_lines()
        for name in ("one", "two"):
            threading.Timer(
                0.2,
                httpx.put,
                (f"{server.url}/roles/{name}",),
                {"json": {"rules": [{"verbs": ["read"]}]}, "headers": headers},
            ).start()
            entry = json.loads(next(lines))
            assert (entry["event"], entry["role"]["name"]) == ("putRole", name)


def test_only_who_may_read_it_does(server: ServerProcess, admin: httpx.Client) -> None:
    reader = admin.post("/tokens", json={"name": "reader", "roles": ["reader"]}).json()["token"]
    auditor = admin.post("/tokens", json={"name": "auditor", "roles": ["auditor"]}).json()["token"]
    for token, expected in ((reader, 403), (auditor, 200)):
        assert httpx.get(server.url + "/audit", headers={"authorization": f"Bearer {token}"}).status_code == expected


def test_a_log_that_can_not_be_written_stops_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "audit.ndjson").mkdir(parents=True)
    with ServerProcess(data, environment=EMBEDDED) as server:
        made = httpx.post(server.url + "/tokens", json={"name": "root", "roles": ["admin"]})
        assert made.status_code == 201
        assert "the audit log can't be written" in server.log.read_text()
