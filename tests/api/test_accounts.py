"""Tokens and roles over HTTP: what is made, what it may, and that it ends when it is ended."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rollbook.security.tokens import token_id_of
from tests.examples import cluster
from tests.serving import ServerProcess

ADMIN = "admin-" + "x" * 40
SECRETS = ["config.joinCommand", "config.certHash", "clusterMetadata.additionalInfo.joinCommand"]


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("accounts")
    (directory / "admin").write_text(ADMIN)
    with ServerProcess(
        directory / "data", environment={"ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin")}
    ) as running:
        httpx.post(running.url + "/clusters", json=cluster("west"), headers=bearer(ADMIN)).raise_for_status()
        yield running


@pytest.fixture
def admin(server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers=bearer(ADMIN), timeout=20) as client:
        yield client
        for token in client.get("/tokens").json():
            client.delete(f"/tokens/{token['id']}")
        for role in client.get("/roles").json():
            if not role["builtIn"]:
                client.delete(f"/roles/{role['name']}")


def made(admin: httpx.Client, name: str, *roles: str, **more: Any) -> dict[str, Any]:
    """A new token."""
    reply = admin.post("/tokens", json={"name": name, "roles": list(roles), **more})
    assert reply.status_code == 201, reply.text
    token: dict[str, Any] = reply.json()
    return token


def status(server: ServerProcess, token: str, method: str = "GET", path: str = "/clusters/west", **more: Any) -> int:
    return httpx.request(method, server.url + path, headers=bearer(token), **more).status_code


def test_a_token_is_shown_once_and_holds_at_once(server: ServerProcess, admin: httpx.Client) -> None:
    token = made(admin, "ci", "reader", networks=["127.0.0.0/8"], ttlSeconds=60)
    assert token_id_of(token["token"]) == token["id"]
    assert status(server, token["token"]) == 200
    assert status(server, token["token"], "DELETE") == 403
    for answer in (admin.get("/tokens").json()[0], admin.get(f"/tokens/{token['id']}").json()):
        assert "token" not in answer
        assert (answer["name"], answer["roles"], answer["networks"]) == ("ci", ["reader"], ["127.0.0.0/8"])
        assert answer["createdBy"] == "token:admin-token-file@127.0.0.1"
        assert answer["expiresAt"] > answer["createdAt"]


def test_a_token_says_when_it_was_last_used_also_on_a_connection_that_stays_open(
    server: ServerProcess, admin: httpx.Client
) -> None:
    token = made(admin, "ci", "reader")
    assert token["lastUsedAt"] is None
    with httpx.Client(base_url=server.url, headers=bearer(token["token"])) as client:
        deadline, uses = time.monotonic() + 20, set[str]()
        while len(uses) < 2:
            assert client.get("/clusters/west").status_code == 200
            uses.add(admin.get(f"/tokens/{token['id']}").json()["lastUsedAt"])
            assert time.monotonic() < deadline, uses
    assert min(uses) >= token["createdAt"]
    rotated = admin.post(f"/tokens/{token['id']}/rotate").json()
    assert rotated["lastUsedAt"] == max(uses)


def test_a_token_of_another_network_is_refused(server: ServerProcess, admin: httpx.Client) -> None:
    assert status(server, made(admin, "far", "reader", networks=["10.0.0.0/8"])["token"]) == 401


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ([], None),
        ({"roles": ["reader"]}, "/name"),
        ({"name": "a@b", "roles": ["reader"]}, "/name"),
        ({"name": "x" * 65, "roles": ["reader"]}, "/name"),
        ({"name": "a"}, "/roles"),
        ({"name": "a", "roles": []}, "/roles"),
        ({"name": "a", "roles": ["readr"]}, "/roles/0"),
        ({"name": "a", "roles": ["reader", 5]}, "/roles/1"),
        ({"name": "a", "roles": ["reader"], "owner": ""}, "/owner"),
        ({"name": "a", "roles": ["reader"], "clusters": "west"}, "/clusters"),
        ({"name": "a", "roles": ["reader"], "networks": ["10.0.0.1/8"]}, "/networks/0"),
        ({"name": "a", "roles": ["reader"], "ttlSeconds": 0}, "/ttlSeconds"),
        ({"name": "a", "roles": ["reader"], "ttlSeconds": True}, "/ttlSeconds"),
        ({"name": "a", "roles": ["reader"], "ttlSeconds": 5, "expiresAt": "2031-01-01T00:00:00Z"}, "/ttlSeconds"),
        ({"name": "a", "roles": ["reader"], "expiresAt": "2001-01-01T00:00:00Z"}, "/expiresAt"),
        ({"name": "a", "roles": ["reader"], "expiresAt": 5}, "/expiresAt"),
        ({"name": "a", "roles": ["reader"], "role": "admin"}, "/role"),
    ],
)
def test_a_request_for_a_token_is_refused_with_its_place(admin: httpx.Client, body: Any, at: str | None) -> None:
    reply = admin.post("/tokens", json=body)
    assert (reply.status_code, reply.json()["code"]) == (400, "request-refused")
    assert [problem["at"] for problem in reply.json().get("errors", [])] == ([] if at is None else [at])
    assert admin.get("/tokens").json() == []


def test_a_misspelt_role_is_named_with_what_was_meant(admin: httpx.Client) -> None:
    reply = admin.post("/tokens", json={"name": "a", "roles": ["readr"]})
    assert "did you mean 'reader'?" in reply.json()["detail"]


def test_a_rotated_token_has_two_secrets_until_the_grace_is_over(server: ServerProcess, admin: httpx.Client) -> None:
    first = made(admin, "ci", "reader")
    second = admin.post(f"/tokens/{first['id']}/rotate", json={"graceSeconds": 2}).json()
    assert second["id"] == first["id"]
    assert [status(server, each["token"]) for each in (first, second)] == [200, 200]
    third = admin.post(f"/tokens/{first['id']}/rotate", json={"graceSeconds": 1}).json()
    assert [status(server, each["token"]) for each in (first, second, third)] == [401, 200, 200]
    time.sleep(1.1)
    assert [status(server, each["token"]) for each in (second, third)] == [401, 200]


def test_a_rotation_without_grace_ends_the_former_secret_at_once(server: ServerProcess, admin: httpx.Client) -> None:
    first = made(admin, "ci", "reader")
    second = admin.post(f"/tokens/{first['id']}/rotate", json={"graceSeconds": 0}).json()
    assert [status(server, each["token"]) for each in (first, second)] == [401, 200]
    assert second["formerUntil"] is None


@pytest.mark.parametrize("grace", [-1, True, "1", 10**9])
def test_a_grace_that_can_not_be_is_refused(admin: httpx.Client, grace: Any) -> None:
    token = made(admin, "ci", "reader")
    assert admin.post(f"/tokens/{token['id']}/rotate", json={"graceSeconds": grace}).status_code == 400
    assert admin.post(f"/tokens/{token['id']}/rotate").json()["formerUntil"] is not None


def test_rotation_under_load_refuses_no_request(server: ServerProcess, admin: httpx.Client) -> None:
    token = made(admin, "ci", "reader")
    secrets, statuses = [token["token"]], []

    def read() -> None:
        with httpx.Client(base_url=server.url, timeout=20) as client:
            reads = (client.get("/clusters/west", headers=bearer(secrets[-1])) for _ in range(100))
            statuses.extend(each.status_code for each in reads)

    reading = threading.Thread(target=read)
    reading.start()
    rotations = 0
    while reading.is_alive():
        secrets[:] = [admin.post(f"/tokens/{token['id']}/rotate").json()["token"]]
        rotations += 1
        time.sleep(0.01)
    assert (len(statuses), set(statuses)) == (100, {200})
    assert rotations > 1


def test_a_revoked_token_ends_on_open_connections_and_streams(server: ServerProcess, admin: httpx.Client) -> None:
    token = made(admin, "ci", "reader")
    with httpx.Client(base_url=server.url, headers=bearer(token["token"]), timeout=20) as client:
        assert client.get("/clusters/west").status_code == 200
        with client.stream("GET", "/clusters/watch") as watch:
            admin.delete(f"/tokens/{token['id']}").raise_for_status()
            begun = time.monotonic()
            text = "".join(watch.iter_text())
        assert time.monotonic() - begun < 2
        assert "event: revoked\n" in text
        assert client.get("/clusters/west").status_code == 401
    assert admin.delete(f"/tokens/{token['id']}").status_code == 404


def test_a_watch_of_lines_ends_with_the_line_that_says_it_is_revoked(
    server: ServerProcess, admin: httpx.Client
) -> None:
    token = made(admin, "ci", "reader")
    headers = {**bearer(token["token"]), "accept": "application/x-ndjson"}
    with httpx.stream("GET", server.url + "/clusters/watch", headers=headers, timeout=20) as watch:
        admin.delete(f"/tokens/{token['id']}").raise_for_status()
        lines = [line for line in watch.iter_lines() if line]
    assert '"event":"revoked"' in lines[-1]


def test_a_wait_for_events_is_refused_once_the_token_is_revoked(server: ServerProcess, admin: httpx.Client) -> None:
    token = made(admin, "ci", "reader")
    threading.Timer(0.3, lambda: admin.delete(f"/tokens/{token['id']}")).start()
    begun = time.monotonic()
    assert status(server, token["token"], path="/clusters/watch?wait=20s", timeout=30) == 401
    assert time.monotonic() - begun < 3


def test_the_built_in_roles_can_be_read_and_copied_but_not_changed(admin: httpx.Client) -> None:
    controller = admin.get("/roles/controller").json()
    assert controller["builtIn"]
    assert admin.put("/roles/controller", json=controller).status_code == 400
    assert admin.delete("/roles/controller").status_code == 400
    copied = admin.put("/roles/my-controller", json=controller)
    assert (copied.status_code, copied.headers["location"]) == (201, "/roles/my-controller")
    assert copied.json() == {**controller, "name": "my-controller", "builtIn": False}
    assert admin.put("/roles/my-controller", json=controller).status_code == 200
    assert [role["name"] for role in admin.get("/roles").json()].count("my-controller") == 1


def test_a_changed_role_changes_what_its_tokens_may(server: ServerProcess, admin: httpx.Client) -> None:
    admin.put("/roles/changing", json={"rules": [{"verbs": ["read"]}]})
    token = made(admin, "ci", "changing")["token"]
    with httpx.Client(base_url=server.url, headers=bearer(token)) as client:
        assert client.get("/clusters/west").status_code == 200
        admin.put("/roles/changing", json={"rules": [{"verbs": ["delete"]}]})
        assert client.get("/clusters/west").status_code == 403
    assert admin.delete("/roles/changing").json()["code"] == "role-in-use"


def test_all_is_there_after_a_restart(tmp_path: Path) -> None:
    (tmp_path / "admin").write_text(ADMIN)
    environment = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(tmp_path / "admin")}
    with ServerProcess(tmp_path / "data", environment=environment) as server:
        admin = httpx.Client(base_url=server.url, headers=bearer(ADMIN))
        admin.put("/roles/mine", json={"rules": [{"verbs": ["read"], "filter": {"status": "live"}}]})
        token, ended = made(admin, "ci", "mine"), made(admin, "old", "mine")
        admin.delete(f"/tokens/{ended['id']}")
        before = admin.get("/tokens").json(), admin.get("/roles").json()
        server.stop()
        server.start()
        assert (admin.get("/tokens").json(), admin.get("/roles").json()) == before
        query = {"path": "/clusters/query", "method": "POST", "json": {}}
        assert status(server, token["token"], **query) == 200
        assert status(server, ended["token"], **query) == 401


def test_who_may_make_tokens_can_not_give_more_than_it_has(server: ServerProcess, admin: httpx.Client) -> None:
    admin.put("/roles/issuer", json={"rules": [{"verbs": ["tokens", "roles", "read", "watch", "history", "explain"]}]})
    admin_token = made(admin, "root", "admin")
    bound = {"owner": "ml", "clusters": ["west"]}
    issuer = made(admin, "issuer", "issuer", "controller", **bound)["token"]
    for roles, more, expected in [
        (["reader"], {}, 201),
        (["issuer"], {}, 201),
        (["operator"], {}, 403),
        (["admin"], {}, 403),
        (["controller"], {"clusters": ["west"]}, 201),
        (["controller"], {"clusters": ["west", "east"]}, 403),
        (["controller"], {"owner": "ops"}, 403),
    ]:
        body = {"name": f"t{len(admin.get('/tokens').json())}", "roles": roles, **more}
        assert status(server, issuer, "POST", "/tokens", json=body) == expected, body
    assert status(server, issuer, "POST", f"/tokens/{admin_token['id']}/rotate") == 403
    for verbs, expected in ((["read"], 201), (["delete"], 403), (["audit"], 403)):
        assert status(server, issuer, "PUT", f"/roles/{verbs[0]}-only", json={"rules": [{"verbs": verbs}]}) == expected


def test_an_auditor_reads_accounts_and_changes_none(server: ServerProcess, admin: httpx.Client) -> None:
    token = made(admin, "auditor", "auditor")
    for path in ("/tokens", f"/tokens/{token['id']}", "/roles", "/roles/reader"):
        assert status(server, token["token"], path=path) == 200
    assert status(server, token["token"], "POST", "/tokens", json={"name": "x", "roles": ["reader"]}) == 403
    assert status(server, token["token"], "DELETE", f"/tokens/{token['id']}") == 403
    assert status(server, token["token"], "PUT", "/roles/x", json={"rules": [{"verbs": ["read"]}]}) == 403


def test_a_caller_sees_who_it_is_and_what_it_may(server: ServerProcess, admin: httpx.Client) -> None:
    token = made(admin, "ci", "controller", "owner", clusters=["west"])["token"]
    access = httpx.get(server.url + "/access", headers=bearer(token)).json()
    assert (access["caller"], access["kind"]) == ("token:ci@127.0.0.1", "token")
    assert (access["enforcement"], access["roles"]) == ("enforced", ["controller", "owner"])
    assert access["bindings"] == {"clusters": ["west"]}
    assert {"read", "nodes", "heartbeat"} <= set(access["verbs"])
    assert "delete" not in access["verbs"]
    first, *_ = access["rules"]
    assert set(SECRETS) <= set(first["hide"])
    assert {"filter": {"id": {"$in": ["west"]}}}.items() <= access["rules"][1].items()
    assert [rule["void"] for rule in access["rules"] if "void" in rule] == ["the caller is bound to no owner"] * 2
    anonymous = httpx.get(server.url + "/access").json()
    assert (anonymous["kind"], anonymous["roles"], anonymous["verbs"]) == ("anonymous", [], ["metrics"])


@pytest.mark.parametrize(
    ("question", "allowed", "reason"),
    [
        ({"verb": "read"}, True, "the role 'controller' allows it"),
        ({"verb": "delete"}, False, "no role has the verb 'delete'"),
        ({"verb": "update", "id": "west"}, True, "the role 'controller' allows it"),
        ({"verb": "update", "id": "east"}, False, "roles have the verb 'update', but no rule's filter matches"),
        ({"verb": "update", "id": "west", "paths": ["status", "tags"]}, False, "not to be written: tags"),
        ({"verb": "read", "id": "west", "paths": ["config.joinCommand"]}, True, "the role 'controller' allows it"),
        ({"verb": "read", "id": "east", "paths": ["config.joinCommand"]}, False, "hidden: config.joinCommand"),
    ],
)
def test_a_caller_asks_what_it_may_and_others_ask_about_it(
    server: ServerProcess, admin: httpx.Client, question: dict[str, Any], allowed: bool, reason: str
) -> None:
    admin.post("/clusters", json=cluster("east"))
    token = made(admin, "ci", "controller", clusters=["west"])
    own = httpx.post(server.url + "/access/can", json=question, headers=bearer(token["token"])).json()
    others = [
        admin.post("/access/can", json={**question, "as": subject}).json()
        for subject in ({"token": token["id"]}, {"roles": ["controller"], "clusters": ["west"]})
    ]
    for answer in (own, *others):
        assert answer["allowed"] is allowed
        assert reason in answer["reason"]
    assert others[0]["caller"] == "token:ci@anywhere"


def test_only_who_may_know_asks_about_others(server: ServerProcess, admin: httpx.Client) -> None:
    token = made(admin, "ci", "reader")["token"]
    body = {"verb": "read", "as": {"roles": ["admin"]}}
    assert status(server, token, "POST", "/access/can", json=body) == 403


@pytest.mark.parametrize(
    "question",
    [
        5,
        {},
        {"verb": "fly"},
        {"verb": "tokens", "id": "west"},
        {"verb": "read", "paths": ["a"]},
        {"verb": "read", "paths": "a", "id": "west"},
        {"verb": "read", "as": {}},
        {"verb": "read", "as": {"token": "a", "roles": []}},
        {"verb": "read", "as": {"roles": ["reader"], "owner": 5}},
        {"verb": "read", "who": "me"},
    ],
)
def test_a_question_that_can_not_be_is_refused(admin: httpx.Client, question: Any) -> None:
    assert admin.post("/access/can", json=question).status_code == 400


def test_an_open_registry_closes_with_its_first_token(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url) as client:
        assert client.get("/access").json()["enforcement"] == "open"
        admin = client.post("/tokens", json={"name": "root", "roles": ["admin"]}).json()["token"]
        assert client.post("/clusters/query", json={}).status_code == 401
        assert client.post("/clusters/query", json={}, headers=bearer(admin)).status_code == 200
