"""What a caller may with clusters: ``?include=access``."""

from collections.abc import Iterator

import httpx
import pytest

from tests.examples import cluster
from tests.serving import ServerProcess

ADMIN = "admin-" + "x" * 40
BEARER = {"authorization": f"Bearer {ADMIN}"}
PAGE = "https://console.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("rights")
    (directory / "admin").write_text(ADMIN)
    environment = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin"), "ROLLBOOK_ORIGINS": PAGE}
    with ServerProcess(directory / "data", environment=environment) as running:
        for id in ("west", "east"):
            httpx.post(running.url + "/clusters", json=cluster(id), headers=BEARER).raise_for_status()
        rule = {"verbs": ["read"], "only": ["status", "config.publicHostname"]}
        httpx.put(running.url + "/roles/narrow", json={"rules": [rule]}, headers=BEARER).raise_for_status()
        yield running


def rights(server: ServerProcess, id: str, *roles: str, include: str = "access", **more: object) -> dict[str, object]:
    """What a new token with these roles may with a cluster."""
    name = f"{id}-{'-'.join(roles)}-{include.replace(',', '-')}"
    asked = {"name": name, "roles": roles, **more}
    token = httpx.post(server.url + "/tokens", json=asked, headers=BEARER).json()["token"]
    headers = {"authorization": f"Bearer {token}"}
    document = httpx.get(f"{server.url}/clusters/{id}?include={include}", headers=headers).json()
    assert document["id"] == id
    return document["_registry"]


def test_a_document_says_what_its_reader_may_with_it(server: ServerProcess) -> None:
    own = rights(server, "west", "controller", clusters=["west"])["access"]
    assert own["verbs"] == ["heartbeat", "history", "nodes", "read", "update", "watch"]
    assert own["write"][-2:] == ["swap", "vcpus"]
    assert "config.urlMap" in own["write"]
    assert "hide" not in own
    other = rights(server, "east", "controller", clusters=["west"])["access"]
    assert other["verbs"] == ["history", "read", "watch"]
    assert "config.joinCommand" in other["hide"]
    assert "write" not in other
    assert rights(server, "west", "narrow")["access"] == {
        "verbs": ["read"],
        "only": ["id", "config.publicHostname", "status"],
    }
    assert rights(server, "west", "operator")["access"]["write"] is None


def test_rights_come_beside_what_the_registry_knows(server: ServerProcess) -> None:
    both = rights(server, "east", "reader", include="registry,access")
    assert both["protected"] is False
    assert both["access"]["verbs"] == ["history", "read", "watch"]


@pytest.mark.parametrize("more", ["&revision=1", "&fields=status"])
def test_rights_are_those_of_now_and_of_the_whole_document(server: ServerProcess, more: str) -> None:
    reply = httpx.get(f"{server.url}/clusters/west?include=access{more}", headers=BEARER)
    assert (reply.status_code, "include=access" in reply.json()["error"]) == (400, True)


def test_lists_and_pages_of_queries_say_it_of_each_cluster(server: ServerProcess) -> None:
    asked = {"name": "lister", "roles": ["controller"], "clusters": ["west"]}
    token = httpx.post(server.url + "/tokens", json=asked, headers=BEARER).json()["token"]
    with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {token}"}) as client:
        listed = client.get("/clusters?include=access,registry")
        queried = client.post("/clusters/query?include=access", json={"query": {}, "cursor": None})
        single = {id: client.get(f"/clusters/{id}?include=access").json() for id in ("west", "east")}
        assert queried.json() == [single["west"], single["east"]]
        rights = [document["_registry"].pop("access") for document in listed.json()]
        assert rights == [single[id]["_registry"]["access"] for id in ("west", "east")]
        assert listed.json()[0]["_registry"]["protected"] is False
        first = client.get("/clusters?include=access&limit=1")
        httpx.delete(server.url + "/clusters/east", headers=BEARER).raise_for_status()
        (gone,) = client.get(first.links["next"]["url"]).json()
        assert (gone["id"], gone["_registry"]["access"]) == ("east", {"verbs": []})
    httpx.post(server.url + "/clusters", json=cluster("east"), headers=BEARER).raise_for_status()


def test_what_the_registry_knows_comes_with_pages_of_queries(server: ServerProcess) -> None:
    body = {"query": {"id": "west"}, "cursor": None}
    (page,) = httpx.post(server.url + "/clusters/query?include=registry", json=body, headers=BEARER).json()
    assert page["_registry"]["protected"] is False


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/clusters?include=access&fields=status", None),
        ("GET", "/clusters?include=access&revision=1", None),
        ("POST", "/clusters/query?include=access", {}),
        ("POST", "/clusters/query?include=access", {"query": {}, "cursor": None, "projection": {"status": 1}}),
        ("POST", "/clusters/query?include=access&at=2026-01-01T00:00:00Z", {"query": {}, "cursor": None}),
    ],
)
def test_rights_are_refused_where_they_would_not_be_those_of_a_whole_document_of_now(
    server: ServerProcess, method: str, path: str, body: object
) -> None:
    reply = httpx.request(method, server.url + path, json=body, headers=BEARER)
    assert (reply.status_code, "include=access" in reply.json()["error"]) == (400, True)


def test_a_page_of_a_listed_origin_may_ask_with_a_token(server: ServerProcess) -> None:
    page = {"origin": PAGE, "sec-fetch-site": "cross-site"}
    asked = {**page, "access-control-request-method": "PUT", "access-control-request-headers": "authorization,if-match"}
    preflight = httpx.options(server.url + "/clusters/west", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == PAGE
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert {"authorization", "if-match"} <= {*preflight.headers["access-control-allow-headers"].split(", ")}
    for method, path, body, status in (
        ("GET", "/clusters/west", None, 200),
        ("PUT", "/clusters/west", {"status": "draining"}, 200),
        ("POST", "/clusters/query", {}, 200),
        ("GET", "/clusters/none", None, 404),
        ("GET", "/access", None, 200),
    ):
        answer = httpx.request(method, server.url + path, json=body, headers={**page, **BEARER})
        assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (status, PAGE), path
        assert "origin" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers
    assert httpx.get(server.url + "/clusters/west", headers=page).headers["access-control-allow-origin"] == PAGE


def test_a_page_of_another_origin_may_not(server: ServerProcess) -> None:
    page = {"origin": "https://console.example.evil", "sec-fetch-site": "cross-site", **BEARER}
    assert "access-control-allow-origin" not in httpx.get(server.url + "/clusters/west", headers=page).headers
    refused = httpx.put(server.url + "/clusters/west", json={"status": "x"}, headers=page)
    assert (refused.status_code, refused.json()["code"]) == (403, "cross-origin-refused")
    assert "access-control-allow-origin" not in refused.headers


def test_a_page_of_a_listed_origin_can_not_use_a_session(server: ServerProcess) -> None:
    with httpx.Client(base_url=server.url) as client:
        client.post("/session", headers=BEARER).raise_for_status()
        page = {"origin": PAGE, "sec-fetch-site": "cross-site"}
        assert client.put("/clusters/west", json={"status": "x"}, headers=page).status_code == 403
