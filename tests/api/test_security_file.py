"""The security file of a running server: in force from the start, and again a second after each change."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.test_accounts import rollbook
from tests.examples import cluster
from tests.serving import ServerProcess

ADMIN = "admin-" + "x" * 40
BEARER = {"authorization": f"Bearer {ADMIN}"}
FILE = """
secret_paths = ["config.publicHostname"]
[limits.roles.legacy-masked]
requests_per_second = 0.05
watches_max = 1
[limits.roles.west]
watches_max = 1
[roles.west]
rules = [{ verbs = ["read", "watch"], filter = { id = "west" }, hide = ["$secrets"] }]
"""


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("security")
    (directory / "admin").write_text(ADMIN)
    (directory / "security.toml").write_text(FILE)
    environment = {
        "ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin"),
        "ROLLBOOK_SECURITY_FILE": str(directory / "security.toml"),
        "ROLLBOOK_ANONYMOUS": "west@127.0.0.2/32",
    }
    with ServerProcess(directory / "data", environment=environment) as running:
        for id in ("west", "east"):
            httpx.post(running.url + "/clusters", json=cluster(id), headers=BEARER).raise_for_status()
        yield running


@pytest.fixture
def file(server: ServerProcess) -> Iterator[Path]:
    """The security file, which a test may change."""
    path = server.data.parent / "security.toml"
    yield path
    path.write_text(FILE)
    until(lambda: readiness(server) == {"current": True} and "west" in roles(server))


def readiness(server: ServerProcess) -> object:
    return httpx.get(server.url + "/readyz", headers=BEARER).json()["security"]


def roles(server: ServerProcess) -> dict[str, dict[str, object]]:
    return {role["name"]: role for role in httpx.get(server.url + "/roles", headers=BEARER).json()}


def token(server: ServerProcess, name: str, role: str, **limits: object) -> dict[str, str]:
    reply = httpx.post(server.url + "/tokens", json={"name": name, "roles": [role], **limits}, headers=BEARER)
    assert reply.status_code == 201, reply.text
    return {"authorization": f"Bearer {reply.json()['token']}"}


def test_a_role_of_the_file_is_given_like_any_other_and_changed_in_the_file_alone(server: ServerProcess) -> None:
    headers = token(server, "west", "west")
    assert [httpx.get(f"{server.url}/clusters/{id}", headers=headers).status_code for id in ("west", "east")] == [
        200,
        404,
    ]
    assert roles(server)["west"]["inFile"] is True
    for method, body in (("PUT", {"rules": [{"verbs": ["read"]}]}), ("DELETE", None)):
        reply = httpx.request(method, server.url + "/roles/west", json=body, headers=BEARER)
        assert (reply.status_code, "security file" in reply.json()["error"]) == (400, True), reply.text


def test_secret_paths_are_those_of_the_file(server: ServerProcess) -> None:
    headers = token(server, "secrets", "reader")
    config = httpx.get(server.url + "/clusters/east", headers=headers).json()["config"]
    assert "publicHostname" not in config
    assert "useGateway" in config
    rules = httpx.get(server.url + "/access", headers=headers).json()["rules"]
    assert rules[0]["hide"] == ["config.publicHostname"]
    asked = {"verb": "read", "id": "east", "paths": ["config.publicHostname"], "as": {"roles": ["reader"]}}
    assert httpx.post(server.url + "/access/can", json=asked, headers=BEARER).json()["allowed"] is False


def test_a_role_limits_its_callers_unless_their_token_says_otherwise(server: ServerProcess) -> None:
    slow, own = token(server, "slow", "legacy-masked"), token(server, "own", "legacy-masked", requestsPerSecond=100)
    assert [httpx.get(server.url + "/access", headers=slow).status_code for _ in range(2)] == [200, 429]
    assert [httpx.get(server.url + "/access", headers=own).status_code for _ in range(3)] == [200] * 3


def test_a_role_limits_the_watches_of_each_of_its_callers(server: ServerProcess) -> None:
    one, other = token(server, "watch-one", "west"), token(server, "watch-other", "west")
    with httpx.stream("GET", server.url + "/clusters/watch", headers=one) as watch:
        assert watch.status_code == 200
        again = [httpx.get(server.url + "/clusters/watch?wait=0s", headers=each) for each in (one, other)]
        assert [each.status_code for each in again] == [429, 200]


def test_a_role_that_is_put_has_limits_too(server: ServerProcess) -> None:
    role = {"rules": [{"verbs": ["read"]}], "limits": {"requestsPerSecond": 0.05}}
    assert httpx.put(server.url + "/roles/slow", json=role, headers=BEARER).json()["limits"] == role["limits"]
    headers = token(server, "of-slow", "slow")
    refused = [httpx.get(server.url + "/clusters/east", headers=headers) for _ in range(2)][1]
    assert (refused.status_code, refused.headers["ratelimit-policy"]) == (429, '"requests";q=1;w=20')
    for limits, at in (({"requestsPerSecond": 0}, "/limits/requestsPerSecond"), ({"bodies": 1}, "/limits/bodies")):
        reply = httpx.put(server.url + "/roles/slow", json={**role, "limits": limits}, headers=BEARER)
        assert (reply.status_code, reply.json()["errors"][0]["at"]) == (400, at)


def test_a_change_of_the_file_is_in_force_and_a_wrong_one_changes_nothing(server: ServerProcess, file: Path) -> None:
    headers = token(server, "changing", "west")
    file.write_text(FILE.replace('id = "west"', 'id = "east"'))
    until(lambda: httpx.get(server.url + "/clusters/east", headers=headers).status_code == 200)
    file.write_text("roles = 1")
    until(lambda: readiness(server) != {"current": True})
    assert "roles" in str(readiness(server))
    assert httpx.get(server.url + "/clusters/east", headers=headers).status_code == 200
    assert "what was read before it stays in force" in server.log.read_text()
    file.unlink()
    until(lambda: "can't be read" in str(readiness(server)))
    assert httpx.get(server.url + "/clusters/east", headers=headers).status_code == 200
    assert "rollbook_security_file_refused 1.0" in httpx.get(server.url + "/metrics", headers=BEARER).text


def test_proxies_of_the_file_are_believed(server: ServerProcess, file: Path) -> None:
    def callers() -> list[str]:
        claims = {"x-forwarded-for": "203.0.113.9"}
        return [httpx.get(server.url + "/access", headers=claims).json()["caller"]]

    assert callers() == ["anonymous@127.0.0.1"]
    file.write_text("trusted_proxies = ['127.0.0.0/8']\n" + FILE)
    until(lambda: callers() == ["anonymous@203.0.113.9"])


def test_a_start_with_a_wrong_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text("[roles.x]\nrules = [{verbs = ['red']}]")
    options = {"ROLLBOOK_SECURITY_FILE": str(tmp_path / "wrong.toml"), "ROLLBOOK_DATA": str(tmp_path / "data")}
    for command in (("serve", "--port", "0"), ("security", "check")):
        done = rollbook(*command, **options)
        assert (done.returncode, "roles.x.rules.0.verbs.0" in done.stderr) == (2, True), done.stderr


def test_a_file_can_be_checked_without_a_registry(tmp_path: Path) -> None:
    (tmp_path / "right.toml").write_text(FILE)
    done = rollbook("security", "check", str(tmp_path / "right.toml"))
    assert (done.returncode, "1 role" in done.stderr) == (0, True), done.stderr
    assert rollbook("security", "check", str(tmp_path / "absent.toml")).returncode == 2
    assert rollbook("security", "check").returncode == 3
