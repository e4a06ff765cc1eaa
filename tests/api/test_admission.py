"""Admission: who is let in with which credentials, by both ways through a server, and what the others are answered."""

import base64
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rollbook.security.holdings import Holdings
from rollbook.security.tokens import Token, digest_of, new_token, new_token_id, row_of
from rollbook.setting_values import SecretFile
from rollbook.settings import Settings
from tests.api.edges import served
from tests.engines import token_store_of
from tests.postgresql import IS_SHARED
from tests.registry.writing import create
from tests.serving import ServerProcess

ADMIN = "admin-" + "x" * 40
READER = new_token(new_token_id())
ELSEWHERE = new_token(new_token_id())
CLUSTER = {"id": "west", "status": "live"}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("admission")
    data, secret = directory / "data", directory / "admin-token"
    data.mkdir()
    secret.write_text(ADMIN + "\n")
    store = token_store_of(data)
    store.save_token(row_of(Token("reader0001", "reader", ("reader",), digest_of(READER), 1)))
    store.save_token(row_of(Token("elsewhere1", "far", ("admin",), digest_of(ELSEWHERE), 1, networks=("10.9.0.0/16",))))
    store.close()
    environment = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(secret), "ROLLBOOK_SCHEMA": "lenient", "ROLLBOOK_ACCESS_LOG": "on"}
    with ServerProcess(data, environment=environment) as running:
        httpx.post(running.url + "/clusters", json=CLUSTER, headers=bearer(ADMIN)).raise_for_status()
        yield running


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/clusters/west", None),  # the first four are answered by shortcuts, where the caller may
        ("POST", "/clusters/query", {}),
        ("PUT", "/clusters/west", {"$set": {"a": 1}}),
        ("POST", "/clusters/west/heartbeat", None),
        ("GET", "/clusters/west?projection=id", None),
        ("DELETE", "/clusters/west", None),
        ("GET", "/tokens", None),
        ("GET", "/roles", None),
        ("GET", "/webhooks", None),
        ("POST", "/api/filter", {}),
    ],
)
def test_without_a_token_nothing_is_read_or_changed(
    server: ServerProcess, method: str, path: str, body: object
) -> None:
    answer = httpx.request(method, server.url + path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="rollbook", Basic realm="rollbook"'


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/access", "/", "/openapi.json"])
def test_probes_and_descriptions_are_open_on_loopback(server: ServerProcess, path: str) -> None:
    assert httpx.get(server.url + path).status_code == 200


def test_a_token_is_taken_as_bearer_and_as_the_password_of_basic(server: ServerProcess) -> None:
    for scheme in ("Bearer", "bearer"):
        assert httpx.get(server.url + "/clusters/west", headers={"authorization": f"{scheme} {READER}"}).is_success
    assert httpx.get(f"http://any:{READER}@127.0.0.1:{server.port}/clusters/west").is_success


@pytest.mark.parametrize(
    ("method", "path", "verb"),
    [
        ("PUT", "/clusters/west", "update"),
        ("POST", "/clusters/west/heartbeat", "heartbeat"),
        ("DELETE", "/clusters/west", "delete"),
        ("DELETE", "/clusters/nowhere", "delete"),
    ],
)
def test_a_caller_without_the_verb_is_refused_before_its_request_is_judged(
    server: ServerProcess, method: str, path: str, verb: str
) -> None:
    broken = None if method == "DELETE" else b"{"
    headers = {**bearer(READER), "content-type": "application/json"}
    answer = httpx.request(method, server.url + path, content=broken, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission-denied")
    assert repr(verb) in answer.json()["detail"]


def test_changes_have_the_caller_as_their_actor(server: ServerProcess) -> None:
    changed = httpx.put(server.url + "/clusters/west", json={"$set": {"tags": ["a"]}}, headers=bearer(ADMIN))
    assert changed.status_code == 200
    history = httpx.get(server.url + "/clusters/west/history", headers=bearer(READER)).text
    assert "token:admin-token-file@127.0.0.1" in history


@pytest.mark.parametrize(
    "credentials",
    [
        f"Bearer {ELSEWHERE}",
        f"Bearer {new_token(new_token_id())}",
        "Bearer",
        "Digest abc",
        "Basic !!!",
        "Basic " + base64.b64encode(ADMIN.encode()).decode(),  # a user name without a password
        "",
    ],
    ids=range(7),
)
def test_wrong_credentials_are_refused_and_the_connection_goes_on(server: ServerProcess, credentials: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire, wire.makefile("rb") as lines:
        host = f"host: 127.0.0.1:{server.port}\r\n"
        wire.sendall(f"GET /clusters/west HTTP/1.1\r\n{host}authorization: {credentials}\r\n\r\n".encode())
        assert lines.readline().startswith(b"HTTP/1.1 4")
        headers = dict(line.split(b": ") for line in iter(lambda: lines.readline().strip(), b""))
        lines.read(int(headers[b"content-length"]))
        wire.sendall(f"GET /clusters/west HTTP/1.1\r\n{host}authorization: Bearer {READER}\r\n\r\n".encode())
        assert lines.readline() == b"HTTP/1.1 200 OK\r\n"


def test_two_headers_of_credentials_are_refused(server: ServerProcess) -> None:
    headers = [("authorization", f"Bearer {READER}"), ("authorization", f"Bearer {ADMIN}")]
    assert httpx.get(server.url + "/clusters/west", headers=headers).status_code == 400


def test_many_wrong_tokens_of_an_address_are_refused_and_valid_ones_never(server: ServerProcess) -> None:
    with httpx.Client(base_url=server.url) as client:
        statuses = [client.get("/clusters/west", headers=bearer("rbk_wrong")).status_code for _ in range(25)]
        assert statuses[-1] == 429
        assert set(statuses) <= {401, 429}
        limited = client.get("/clusters/west", headers=bearer("rbk_wrong"))
        assert (limited.json()["code"], limited.headers["retry-after"]) == ("too-many-wrong-tokens", "3")
        assert limited.headers["ratelimit-policy"] == '"wrong-tokens";q=20;w=60'
        assert limited.headers["ratelimit"] == '"wrong-tokens";r=0;t=60'
        assert client.get("/clusters/west", headers=bearer(READER)).status_code == 200
        assert client.get("/clusters/west").status_code == 401


def test_no_file_and_no_log_line_holds_a_token(server: ServerProcess) -> None:
    httpx.get(f"{server.url}/clusters/west?token={READER}", headers=bearer(READER))
    httpx.get(f"http://any:{READER}@127.0.0.1:{server.port}/clusters/west")
    written = [path.read_bytes() for path in server.data.iterdir() if path.is_file()] + [server.log.read_bytes()]
    assert IS_SHARED or len(written) > 3
    assert not any(secret.encode() in content for content in written for secret in (READER, ELSEWHERE, ADMIN))


def test_a_registry_that_had_a_token_stays_closed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    store = token_store_of(data)
    store.save_token(row_of(Token("reader0001", "reader", ("reader",), digest_of(READER), 1)))
    store.forget_token("reader0001")
    store.close()
    with ServerProcess(data) as running:
        assert httpx.post(running.url + "/clusters/query", json={}).status_code == 401


def test_without_identities_everybody_may_whatever_credentials_are_sent(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as running:
        for headers in ({}, bearer("rbk_wrong")):
            assert httpx.post(running.url + "/clusters/query", json={}, headers=headers).status_code == 200


def test_a_watch_ends_with_the_token_that_opened_it(server: ServerProcess) -> None:
    asked = {"name": "brief", "roles": ["reader"], "ttlSeconds": 3}
    begun = time.monotonic()
    token = httpx.post(server.url + "/tokens", json=asked, headers=bearer(ADMIN)).json()["token"]
    with httpx.Client(base_url=server.url, timeout=20, headers=bearer(token)) as client:
        with client.stream("GET", "/clusters/watch") as watch:
            assert watch.status_code == 200
            assert "event: revoked\n" in "".join(watch.iter_text())
        assert 2 < time.monotonic() - begun < 6
        assert client.post("/clusters/query", json={}).status_code == 401


async def test_a_token_that_was_wrong_on_a_connection_is_right_there_once_it_is_made(tmp_path: Path) -> None:
    token, secret = new_token("reader0001"), tmp_path / "admin-token"
    secret.write_text(ADMIN)
    asked = f"GET /clusters/west HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n".encode()
    async with served(tmp_path / "data", settings=Settings(admin_token_file=SecretFile(secret))) as here:
        await create(here.registry, "west")
        reader, writer = await here.connect()

        async def status() -> bytes:
            writer.write(asked)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
            return head[9:12]

        assert [await status() for _ in range(22)] == [b"401"] * 20 + [b"429"] * 2
        made = Token("reader0001", "reader", ("reader",), digest_of(token), 1)
        here.edge.admission.identities.enforce(Holdings({made.id: made}, {}, had_identities=True))
        assert await status() == b"200"
        here.edge.admission.identities.enforce(Holdings({}, {}, had_identities=True))
        assert await status() == b"429"
        writer.close()
