"""How much one caller may ask: requests a second, and watches, by its token or by the settings."""

import time
from collections.abc import Iterator

import httpx
import pytest

from rollbook.cli.remote import open_server
from tests.examples import cluster
from tests.serving import ServerProcess

ADMIN = "admin-" + "x" * 40
BEARER = {"authorization": f"Bearer {ADMIN}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("rates")
    (directory / "admin").write_text(ADMIN)
    environment = {
        "ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin"),
        "ROLLBOOK_ANONYMOUS": "reader@127.0.0.0/8",
        "ROLLBOOK_CALLER_REQUESTS_PER_SECOND": "1000000",
        "ROLLBOOK_CALLER_WATCHES_MAX": "1",
        "ROLLBOOK_TRUSTED_PROXIES": "127.0.0.0/8",
    }
    with ServerProcess(directory / "data", environment=environment) as running:
        httpx.post(running.url + "/clusters", json=cluster("west"), headers=BEARER).raise_for_status()
        yield running


def token(server: ServerProcess, name: str, **limits: object) -> dict[str, str]:
    """The header of a new token with limits."""
    asked = {"name": name, "roles": ["reader"], **limits}
    reply = httpx.post(server.url + "/tokens", json=asked, headers=BEARER)
    assert reply.status_code == 201, reply.text
    return {"authorization": f"Bearer {reply.json()['token']}"}


@pytest.mark.parametrize("path", ["/clusters/west", "/access"])
def test_a_caller_over_its_rate_is_refused_and_told_when_to_come_back(server: ServerProcess, path: str) -> None:
    headers = token(server, f"slow-{path[1:4]}", requestsPerSecond=0.05)
    with httpx.Client(base_url=server.url, headers=headers, timeout=20) as client:
        assert client.get(path).status_code == 200
        refused = client.get(path)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate-exceeded")
        assert 15 <= int(refused.headers["retry-after"]) <= 20
        assert refused.headers["ratelimit-policy"] == '"requests";q=1;w=20'
        assert refused.headers["ratelimit"].startswith('"requests";r=0;t=')
        assert len(refused.headers.get_list("retry-after")) == 1
    assert httpx.get(server.url + path, headers=token(server, f"other-{path[1:4]}")).status_code == 200


def test_an_answer_says_how_many_requests_remain(server: ServerProcess) -> None:
    headers = token(server, "watched", requestsPerSecond=0.5)
    answer = httpx.get(server.url + "/access", headers=headers)
    assert answer.headers["ratelimit-policy"] == '"requests";q=1;w=2'
    assert answer.headers["ratelimit"] == '"requests";r=0;t=2'


def test_two_connections_of_one_token_share_its_rate_and_a_wrong_token_costs_it_nothing(server: ServerProcess) -> None:
    headers = token(server, "shared", requestsPerSecond=0.05)
    assert httpx.get(server.url + "/access", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert [httpx.get(server.url + "/access", headers=headers).status_code for _ in range(2)] == [200, 429]


async def test_an_import_waits_where_its_token_has_asked_too_often(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = token(server, "importing", roles=["operator"], requestsPerSecond=2)
    monkeypatch.setenv("ROLLBOOK_TOKEN", headers["authorization"].removeprefix("Bearer "))
    with httpx.Client(base_url=server.url, headers=headers) as client:
        while client.get("/access").status_code != 429:
            pass
    async with open_server(server.url, None) as place:
        assert [outcome async for outcome in place.put([cluster("imported")], replace=False)] == [()]


def test_a_caller_has_at_most_the_watches_of_its_token(server: ServerProcess) -> None:
    headers = token(server, "watching", watchesMax=2)
    with httpx.Client(base_url=server.url, headers=headers, timeout=20) as client:
        with client.stream("GET", "/clusters/watch") as one, client.stream("GET", "/clusters/watch") as two:
            assert (one.status_code, two.status_code) == (200, 200)
            third = client.get("/clusters/watch")
            assert (third.status_code, third.json()["code"]) == (429, "too-many-watches")
            assert "retry-after" in third.headers
        deadline = time.monotonic() + 10  # until the server sees that they were closed
        while client.get("/clusters/watch?wait=0s").status_code != 200:
            assert time.monotonic() < deadline


def test_callers_without_a_token_are_counted_by_their_address(server: ServerProcess) -> None:
    with httpx.stream("GET", server.url + "/clusters/watch", headers={"x-forwarded-for": "127.0.0.7"}) as watch:
        assert watch.status_code == 200
        for address, expected in (("127.0.0.7", 429), ("127.0.0.8", 200)):
            again = httpx.get(server.url + "/clusters/watch?wait=0s", headers={"x-forwarded-for": address})
            assert again.status_code == expected


@pytest.mark.parametrize(
    "limits", [{"requestsPerSecond": 0}, {"requestsPerSecond": "1"}, {"watchesMax": -1}, {"watchesMax": 1.5}]
)
def test_limits_that_can_not_be_are_refused(server: ServerProcess, limits: dict[str, object]) -> None:
    asked = {"name": "odd", "roles": ["reader"], **limits}
    reply = httpx.post(server.url + "/tokens", json=asked, headers=BEARER)
    assert (reply.status_code, reply.json()["errors"][0]["at"]) == (400, f"/{next(iter(limits))}")
