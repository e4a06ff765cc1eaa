"""Tokens and roles on the command line: beside a server, through its admin socket, or over HTTP with a token."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rollbook.security.tokens import token_id_of
from tests.examples import cluster
from tests.serving import ServerProcess

HTTP = {"path": "/clusters/query", "json": {}}


def rollbook(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rollbook", *arguments],
        capture_output=True,
        text=True,
        check=False,
        input=stdin,
        timeout=60,
        env={**os.environ, **environment},
    )


def said(*arguments: str, **options: str) -> str:
    """What a command that succeeds prints on standard output."""
    done = rollbook(*arguments, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def status(server: ServerProcess, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return httpx.post(server.url + "/clusters/query", json={}, headers=headers).status_code


@pytest.fixture(params=["stopped", "served", "over HTTP"])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[str]]:
    """The options that lead to a registry, by each way."""
    data = tmp_path / "data"
    if request.param == "stopped":
        yield ["--data", str(data)]
        return
    (tmp_path / "admin").write_text("x" * 40)
    environment = {"ROLLBOOK_ADMIN_TOKEN_FILE": str(tmp_path / "admin")}
    with ServerProcess(data, environment=environment) as server:
        by_http = ["--url", server.url, "--token-file", str(tmp_path / "admin")]
        yield by_http if request.param == "over HTTP" else ["--data", str(data)]


def test_accounts_are_managed_alike_by_every_way(options: list[str], tmp_path: Path) -> None:
    token = said("token", "create", "ci", "--role", "reader", "--network", "10.0.0.0/8", "--expires", "1h", *options)
    id = token_id_of(token)
    assert id is not None
    (listed,) = map(json.loads, said("token", "ls", "-o", "jsonl", *options).splitlines())
    assert (listed["id"], listed["networks"], "token" in listed) == (id, ["10.0.0.0/8"], False)
    rotated = said("token", "rotate", id, "--grace", "60", *options)
    assert (token_id_of(rotated), rotated == token) == (id, False)
    assert rollbook("token", "create", "ci", "--role", "reader", *options).returncode == 4
    assert rollbook("token", "create", "b", "--role", "readr", *options).returncode == 3

    role = json.loads(said("role", "get", "reader", *options))
    (tmp_path / "role.json").write_text(json.dumps({**role, "name": "mine"}))
    said("role", "apply", str(tmp_path / "role.json"), *options)
    assert "mine" in said("role", "ls", *options)
    said("role", "apply", "-", *options, stdin=json.dumps({"name": "mine", "rules": [{"verbs": ["delete"]}]}))
    assert json.loads(said("role", "get", "mine", *options))["rules"] == [{"verbs": ["delete"]}]

    assert said("access", "can", "delete", "--role", "mine", *options) == "yes: the role 'mine' allows it"
    refused = rollbook("access", "can", "delete", "--token", id, *options)
    assert (refused.returncode, refused.stdout) == (3, "no: no role has the verb 'delete'\n")
    said("token", "revoke", id, *options)
    assert said("token", "ls", "-o", "name", *options) == ""
    assert rollbook("token", "revoke", id, *options).returncode == 4


def test_a_registry_off_loopback_starts_once_a_token_is_made(tmp_path: Path) -> None:
    data = tmp_path / "data"
    token = said("token", "create", "root", "--role", "admin", "--data", str(data))
    with ServerProcess(data, environment={"ROLLBOOK_HOST": "0.0.0.0"}) as server:
        assert (status(server, token), status(server, "wrong")) == (200, 401)


def test_a_registry_in_an_engine_starts_off_loopback_once_a_token_is_made_there(
    tmp_path: Path, postgresql_url: str
) -> None:
    environment = {"ROLLBOOK_HOST": "0.0.0.0", "ROLLBOOK_JOURNAL": postgresql_url}
    refused = rollbook("serve", "--data", str(tmp_path / "cache"), **environment)
    assert (refused.returncode, "--role admin --journal postgresql://" in refused.stderr) == (2, True)
    token = said("token", "create", "root", "--role", "admin", "--journal", postgresql_url)
    with ServerProcess(tmp_path / "data", environment=environment) as server:
        assert (status(server, token), status(server, "wrong")) == (200, 401)
        id = token_id_of(token)
        assert said("token", "ls", "-o", "name", "--journal", postgresql_url) == id
    both = rollbook("token", "ls", "--journal", postgresql_url, "--url", server.url)
    assert (both.returncode, "--journal and --url" in both.stderr) == (2, True)


def test_who_opens_the_admin_socket_is_an_administrator_with_a_name(tmp_path: Path) -> None:
    data = tmp_path / "data"
    token = said("token", "create", "root", "--role", "admin", "--data", str(data))
    with ServerProcess(data) as server:
        path = data / "admin.sock"
        assert path.stat().st_mode & 0o777 == 0o600
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://localhost") as local:
            access = local.get("/access").json()
            assert (access["caller"], access["kind"]) == (f"local:{os.getuid()}", "local")
            local.post("/clusters", json=cluster("west")).raise_for_status()
            assert local.get("/clusters/west/history").json()[0]["actor"] == f"local:{os.getuid()}"
            logged = local.get("/audit").json()[-1]
            assert (logged["event"], logged["actor"]) == ("createCluster", f"local:{os.getuid()}")
            weak = said("token", "create", "weak", "--role", "reader", "--data", str(data))
            assert local.get("/access", headers={"authorization": f"Bearer {weak}"}).json()["roles"] == ["reader"]
        assert status(server, token) == 200
        server.stop()
        assert not path.exists()


def test_a_command_sends_the_token_of_the_environment(tmp_path: Path) -> None:
    data = tmp_path / "data"
    root = said("token", "create", "root", "--role", "admin", "--data", str(data))
    weak = said("token", "create", "weak", "--role", "reader", "--data", str(data))
    with ServerProcess(data) as server:
        place = {"ROLLBOOK_URL": server.url}
        assert said("token", "ls", "-o", "name", ROLLBOOK_TOKEN=root, **place).count("\n") == 1
        assert rollbook("token", "ls", ROLLBOOK_TOKEN=weak, **place).returncode == 3
        assert rollbook("token", "ls", **place).returncode == 3
        assert rollbook("token", "ls", "--token-file", "nowhere", **place).returncode == 2


def test_the_directory_and_its_files_are_their_owner_s_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(0o755)
    with ServerProcess(data) as server:
        httpx.post(server.url + "/clusters", json=cluster("west")).raise_for_status()
        httpx.post(server.url + "/webhooks", json={"url": "https://example.net/"}).raise_for_status()
        assert {path.name for path in [data, *data.iterdir()] if path.stat().st_mode & 0o077} == set()
        (data / "rollbook.sqlite3").chmod(0o644)
        server.stop()
        server.start()
        assert (data / "rollbook.sqlite3").stat().st_mode & 0o777 == 0o600


def test_a_path_too_long_for_a_socket_is_no_reason_not_to_start(tmp_path: Path) -> None:
    data = tmp_path / ("x" * 100) / "data"
    data.parent.mkdir()
    with ServerProcess(data) as server:
        assert httpx.get(server.url + "/healthz").status_code == 200
        assert "there is no admin socket, for its path would be longer than 107 bytes" in server.log.read_text()
    assert said("token", "ls", "-o", "name", "--data", str(data)) == ""


def test_a_socket_that_a_killed_server_left_is_no_hindrance(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = ServerProcess(data).start()
    server.kill()
    assert (data / "admin.sock").exists()
    said("token", "create", "root", "--role", "admin", "--data", str(data))
    with server:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(data / "admin.sock"))
        assert len(said("token", "ls", "-o", "name", "--data", str(data)).splitlines()) == 1


@pytest.mark.parametrize("here", [("--data", "data"), ("--journal", "postgresql://127.0.0.1:1/x")])
@pytest.mark.parametrize("there", [("--url", "http://127.0.0.1:1"), ("--context", "lab")])
def test_one_registry_is_named_and_not_two(here: tuple[str, str], there: tuple[str, str]) -> None:
    ran = rollbook("token", "ls", *here, *there)
    assert ran.returncode == 2
    assert f"{here[0]} and {there[0]} exclude each other" in ran.stderr
