"""Sessions of browsers, and requests that pages of other origins make browsers send."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.examples import cluster
from tests.serving import ServerProcess

ADMIN = "admin-" + "x" * 40
BEARER = {"authorization": f"Bearer {ADMIN}"}
OWN = {"sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    directory = tmp_path_factory.mktemp("sessions")
    (directory / "admin").write_text(ADMIN)
    environment = {
        "ROLLBOOK_ADMIN_TOKEN_FILE": str(directory / "admin"),
        "ROLLBOOK_TRUSTED_PROXIES": "127.0.0.2/32",
    }
    with ServerProcess(directory / "data", environment=environment) as running:
        httpx.post(running.url + "/clusters", json=cluster("west"), headers=BEARER).raise_for_status()
        yield running


@pytest.fixture
def browser(server: ServerProcess) -> Iterator[httpx.Client]:
    """A client that keeps the cookie of a session."""
    with httpx.Client(base_url=server.url, timeout=20) as client:
        opened = client.post("/session", headers=BEARER)
        assert (opened.status_code, opened.json()["caller"]) == (201, "token:admin-token-file@127.0.0.1")
        yield client


def proxied(server: ServerProcess) -> httpx.Client:
    """A client behind a trusted proxy."""
    return httpx.Client(base_url=server.url, transport=httpx.HTTPTransport(local_address="127.0.0.2"))


def test_a_session_stands_for_its_token(browser: httpx.Client) -> None:
    assert browser.get("/clusters/west").status_code == 200
    assert browser.get("/access").json()["caller"] == "token:admin-token-file@127.0.0.1"


def test_the_cookie_can_not_be_read_by_scripts_and_goes_to_no_other_site(server: ServerProcess) -> None:
    cookie = httpx.post(server.url + "/session", headers=BEARER).headers["set-cookie"]
    name, *attributes = cookie.split("; ")
    assert name.startswith("rollbook=")
    assert attributes == ["Path=/", "Max-Age=43200", "HttpOnly", "SameSite=Strict"]
    assert ADMIN not in cookie


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "OWN"}, 200),
        ({}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "OWN"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_a_change_by_cookie_needs_a_page_of_ours(
    server: ServerProcess, browser: httpx.Client, headers: dict[str, str], expected: int
) -> None:
    headers = {name: value.replace("OWN", server.url) for name, value in headers.items()}
    reply = browser.put("/clusters/west", json={"$set": {"tags": ["a"]}}, headers=headers)
    assert reply.status_code == expected
    if expected == 403:
        assert reply.json()["code"] == "cross-origin-refused"
    assert browser.get("/clusters/west", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "http://evil.example"}])
@pytest.mark.parametrize("credentials", [{}, BEARER])
def test_a_page_of_another_origin_changes_nothing_with_whatever_credentials(
    server: ServerProcess, headers: dict[str, str], credentials: dict[str, str]
) -> None:
    reply = httpx.post(server.url + "/clusters/west/heartbeat", headers={**headers, **credentials})
    assert (reply.status_code, reply.json()["code"]) == (403, "cross-origin-refused")
    assert httpx.get(server.url + "/clusters/west", headers={**headers, **BEARER}).status_code == 200


def test_an_open_registry_on_this_machine_is_changed_by_no_page_of_another_origin(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        httpx.post(server.url + "/clusters", json=cluster("west"))
        for headers, expected in (({"sec-fetch-site": "cross-site"}, 403), ({"sec-fetch-site": "same-origin"}, 200)):
            assert httpx.post(server.url + "/clusters/west/heartbeat", headers=headers).status_code == expected


def test_a_session_ends_when_it_is_ended(browser: httpx.Client) -> None:
    kept = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    assert browser.delete("/session").status_code == 403
    ended = browser.delete("/session", headers=OWN)
    assert (ended.status_code, "Max-Age=0" in ended.headers["set-cookie"]) == (200, True)
    assert browser.get("/clusters/west", headers={"cookie": kept}).status_code == 401
    assert browser.delete("/session", headers=OWN).status_code == 200


def test_a_session_ends_with_its_token(server: ServerProcess) -> None:
    token = httpx.post(server.url + "/tokens", json={"name": "ann", "roles": ["reader"]}, headers=BEARER).json()
    with httpx.Client(base_url=server.url, timeout=20) as client:
        client.post("/session", headers={"authorization": f"Bearer {token['token']}"}).raise_for_status()
        assert client.get("/clusters/west").status_code == 200
        assert client.put("/clusters/west", json={}, headers=OWN).status_code == 403
        with client.stream("GET", "/clusters/watch") as watch:
            httpx.delete(f"{server.url}/tokens/{token['id']}", headers=BEARER).raise_for_status()
            assert "event: revoked\n" in "".join(watch.iter_text())
        assert client.get("/clusters/west").status_code == 401


def test_a_cookie_that_is_no_session_is_nobody(server: ServerProcess) -> None:
    for cookie in ("rollbook=made-up", "rollbook=", "other=1", "__Host-rollbook=x"):
        assert httpx.get(server.url + "/clusters/west", headers={"cookie": cookie}).status_code == 401


def test_one_connection_tells_requests_with_and_without_the_cookie_apart(server: ServerProcess) -> None:
    with httpx.Client(base_url=server.url, limits=httpx.Limits(max_connections=1)) as client:
        assert client.get("/clusters/west").status_code == 401
        client.post("/session", headers=BEARER).raise_for_status()
        assert client.get("/clusters/west").status_code == 200
        client.cookies.clear()
        assert client.get("/clusters/west").status_code == 401


def test_a_session_needs_a_token(server: ServerProcess, browser: httpx.Client) -> None:
    assert httpx.post(server.url + "/session").status_code == 401
    assert browser.post("/session", headers=OWN).status_code == 401  # a session makes no other one


def test_a_session_off_loopback_needs_https(server: ServerProcess) -> None:
    with proxied(server) as client:
        for scheme, expected in (("http", 400), ("https", 201)):
            headers = {**BEARER, "x-forwarded-for": "10.0.0.5", "x-forwarded-proto": scheme}
            opened = client.post("/session", headers=headers)
            assert opened.status_code == expected, scheme
        cookie = opened.headers["set-cookie"]
        assert cookie.startswith("__Host-rollbook=")
        assert cookie.endswith("; Secure")
        value, forwarded = cookie.partition(";")[0], {"x-forwarded-for": "10.0.0.5"}
        for scheme, expected in (("https", 200), ("http", 401)):
            headers = {"cookie": value, "forwarded": f"for=10.0.0.5;proto={scheme}"}
            assert client.get("/clusters/west", headers=headers).status_code == expected
        assert client.delete("/session", headers={**forwarded, "x-forwarded-proto": "http"}).status_code == 400
