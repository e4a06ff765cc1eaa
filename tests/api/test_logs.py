"""What the log says of requests: their ids, one line each, faults once, and nothing of clients that hang up."""

import json
import re
import socket
from pathlib import Path

import httpx
import pytest

from tests.api.test_wire import exchange, head
from tests.examples import cluster
from tests.serving import ServerProcess

VERBOSE = {"ROLLBOOK_ACCESS_LOG": "on", "ROLLBOOK_LOG_FORMAT": "json"}


def lines_of(server: ServerProcess) -> list[dict[str, object]]:
    """The lines of a log in JSON."""
    return [json.loads(line) for line in server.log.read_text().splitlines()]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/clusters/nobody"),
        ("GET", "/healthz"),
        ("POST", "/clusters/query"),
        ("GET", "/nothing"),
        ("PUT", "/clusters/a"),
    ],
)
def test_every_answer_of_the_application_has_an_id(http: httpx.Client, method: str, path: str) -> None:
    assert http.request(method, path, headers={"x-request-id": "mine-1"}).headers["x-request-id"] == "mine-1"
    made = {http.request(method, path).headers["x-request-id"] for _ in range(3)}
    assert len(made) == 3


@pytest.mark.parametrize("id", ["a b", 'a"b', "x" * 129, "", "é".encode(), "a,b"])
def test_an_id_that_is_not_sane_is_not_repeated(http: httpx.Client, id: str) -> None:
    assert re.fullmatch(
        r"[0-9a-f]{12}-[0-9a-f]{6}", http.get("/healthz", headers={"x-request-id": id}).headers["x-request-id"]
    )


@pytest.mark.parametrize("request_", [b"nonsense\r\n\r\n", head("GET", "/a").replace(b"localhost", b"evil.example")])
def test_every_refusal_of_the_edge_has_an_id(server: ServerProcess, request_: bytes) -> None:
    assert re.search(rb"\r\nx-request-id: (r1|[0-9a-f]{12}-[0-9a-f]{6})\r\n", exchange(server, request_))


def test_shortcuts_repeat_the_id_that_was_sent(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    assert http.get(f"/clusters/{fresh_id}", headers={"x-request-id": "r/7"}).headers["x-request-id"] == "r/7"
    put = http.put(f"/clusters/{fresh_id}", json={"reputation": 1}, headers={"x-request-id": "r/8"})
    assert put.headers["x-request-id"] == "r/8"


def test_requests_are_logged_where_that_is_asked_for(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", environment=VERBOSE) as server, httpx.Client(base_url=server.url) as http:
        http.post("/clusters", json=cluster("west"), headers={"x-request-id": "one"})
        http.get("/clusters/west", headers={"x-request-id": "two"})
        http.put("/clusters/west", json={"reputation": 1}, headers={"x-request-id": "three"})
        http.get("/clusters/nobody", headers={"x-request-id": "four"})
        exchange(server, head("GET", "/a").replace(b"localhost", b"evil.example").replace(b"r1", b"five"))
    said = {line["requestId"]: str(line["message"]) for line in lines_of(server) if line["logger"] == "rollbook.access"}
    expected = {
        "one": "POST /clusters 201",
        "two": "GET /clusters/west 200",
        "three": "PUT /clusters/west 200",
        "four": "GET /clusters/nobody 404",
        "five": "GET /a 421",
    }
    assert {id: said[id].rpartition(" ")[0].rpartition(" ")[0] for id in expected} == expected


def test_the_start_says_what_is_served_and_the_level_holds(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", environment={"ROLLBOOK_LOG_FORMAT": "json"}) as server:
        httpx.post(f"{server.url}/clusters", json=cluster("west"))
        server.stop()
        server.start()
    starts = [str(line["message"]) for line in lines_of(server) if "listening" in str(line["message"])]
    assert [start.partition(": ")[2] for start in starts] == ["0 clusters at revision 0", "1 clusters at revision 1"]
    with ServerProcess(tmp_path / "quiet", environment={"ROLLBOOK_LOG_LEVEL": "warning"}) as quiet:
        pass
    assert quiet.log.read_text() == ""


def test_a_client_that_hangs_up_is_no_error(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        httpx.post(f"{server.url}/clusters", json=cluster("west"))
        put = (
            head("PUT", "/clusters/west", "Content-Type: application/json", "Content-Length: 16") + b'{"reputation":1}'
        )
        for sent in (put[:-5], put * 50, head("GET", "/clusters/watch"), head("GET", "/metrics") * 20, b"GET /"):
            for _ in range(5):
                with socket.create_connection(("127.0.0.1", server.port)) as connection:
                    connection.sendall(sent)
        assert httpx.get(f"{server.url}/healthz").status_code == 200
    said = server.log.read_text()
    assert "Traceback" not in said
    assert "ERROR" not in said
