"""HTTP as bytes on a raw socket: what clients that are large, slow, odd or broken get."""

import contextlib
import json
import re
import select
import socket
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from tests.examples import cluster, node
from tests.serving import ServerProcess

LIMIT_BYTES = 8 * 1024 * 1024


def exchange(server: ServerProcess, request: bytes) -> bytes:
    """Everything that the server answers to ``request``, until it hangs up or stops talking."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(request)
        connection.settimeout(2)
        return received(connection)


def received(connection: socket.socket) -> bytes:
    """What arrives until the other side hangs up or is silent."""
    answer = b""
    try:
        while piece := connection.recv(65536):
            answer += piece
    except TimeoutError:
        pass
    return answer


def head(method: str, path: str, *headers: str) -> bytes:
    """The head of a request. Both ways through the server repeat its id."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", "X-Request-Id: r1", *headers, "", ""]).encode()


def test_a_413_reaches_a_client_that_is_still_sending(server: ServerProcess) -> None:
    size = LIMIT_BYTES + 4 * 1024 * 1024
    request = head("POST", "/clusters", "Content-Type: application/json", f"Content-Length: {size}") + b" " * size
    answer = exchange(server, request)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "body-too-large"


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("/api/filter", {"success": False}),
        ("/%61pi/filter", {"success": False}),
        ("/api/nowhere", {}),
        ("/clusters/query", {}),
    ],
)
def test_a_413_has_the_shape_that_its_operation_declares(
    server: ServerProcess, path: str, members: dict[str, object]
) -> None:
    answer = exchange(server, head("POST", path, "Content-Type: application/json", "Content-Length: 9000000000"))
    problem = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert problem["code"] == "body-too-large"
    assert {name: value for name, value in problem.items() if name == "success"} == members


def test_a_413_reaches_a_client_that_sends_chunks(server: ServerProcess) -> None:
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    headers = head("PUT", "/clusters/a", "Content-Type: application/json", "Transfer-Encoding: chunked")
    answer = exchange(server, headers + chunk * 12 + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_client_that_waits_for_a_go_ahead_is_refused_before_it_sends(server: ServerProcess) -> None:
    expecting = ("Content-Type: application/json", f"Content-Length: {LIMIT_BYTES + 1}", "Expect: 100-continue")
    assert exchange(server, head("POST", "/clusters", *expecting)).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_waits_for_a_go_ahead_gets_it(server: ServerProcess) -> None:
    expecting = ("Content-Type: application/json", "Content-Length: 2", "Expect: 100-continue", "Connection: close")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head("POST", "/clusters/query", *expecting))
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"{}")
        assert received(connection).startswith(b"HTTP/1.1 200 ")


def test_a_body_at_the_limit_is_read(server: ServerProcess) -> None:
    body = b"{}" + b" " * (LIMIT_BYTES - 2)
    reply = httpx.post(f"{server.url}/clusters/query", content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 200


def test_requests_in_a_row_on_one_connection_are_answered_in_their_order(server: ServerProcess) -> None:
    requests = (
        head("GET", "/clusters/first") + head("GET", "/healthz") + head("GET", "/clusters/last", "Connection: close")
    )
    answer = exchange(server, requests)
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"404", b"200", b"404"]
    assert answer.index(b"first") < answer.index(b"version") < answer.index(b"last")


def test_a_chunked_body_is_read(server: ServerProcess) -> None:
    chunked = ("Content-Type: application/json", "Transfer-Encoding: chunked", "Connection: close")
    answer = exchange(server, head("POST", "/clusters/query", *chunked) + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_413_hangs_up_whatever_the_envelope(server: ServerProcess) -> None:
    size = LIMIT_BYTES + 1
    request = head("POST", "/api/addNode", "Content-Type: application/json", f"Content-Length: {size}") + b" " * size
    answer = exchange(server, request)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nconnection: close\r\n" in answer


def test_a_head_without_end_is_refused(server: ServerProcess) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                connection.sendall(b"x" * 10_000)
                if select.select([connection], [], [], 0)[0]:
                    break
        answer = received(connection)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "head-too-large"


def test_an_address_that_is_too_long_is_called_so(server: ServerProcess) -> None:
    answer = exchange(server, head("GET", "/clusters/watch?filter=" + "x" * 65_536, "Connection: close"))
    assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_head_of_many_pieces_and_bodies_between_heads_are_read(server: ServerProcess) -> None:
    body = b"{}" + b" " * 200_000
    query = head("POST", "/clusters/count", "Content-Type: application/json", f"Content-Length: {len(body)}") + body
    requests = query * 3 + head("GET", "/healthz", "X-Long: " + "x" * 60_000) * 3 + head("GET", "/none") * 5000
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        sending = threading.Thread(target=connection.sendall, args=[requests + head("GET", "/", "Connection: close")])
        sending.start()
        answer = received(connection)
        sending.join()
    assert len(re.findall(rb"HTTP/1.1 200 ", answer)) == 7
    assert len(re.findall(rb"HTTP/1.1 404 ", answer)) == 5000


@pytest.mark.parametrize("garbage", [b"hello\r\n\r\n", b"GET  HTTP\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"])
def test_bytes_that_are_no_http_get_a_problem(server: ServerProcess, garbage: bytes) -> None:
    answer = exchange(server, garbage)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "request-refused"


def test_a_cluster_of_5000_nodes_is_accepted_and_updated(server: ServerProcess) -> None:
    document = cluster("large", *(node(f"node-{number}", gpus=1) for number in range(5000)))
    with httpx.Client(base_url=server.url, timeout=60) as http:
        created = http.post("/clusters", json=document)
        assert created.status_code == 201
        assert created.json()["gpus"] == {"count": 5000, "memory": 5000 * 16384}
        updated = http.put("/clusters/large", json={"$set": {"nodes.nodeData.4999.memory": 1}})
        assert updated.json()["memory"] == 4999 * 1024 + 1
        assert http.delete("/clusters/large").status_code == 200


def test_a_stop_finishes_what_is_under_way(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data").start()
    body = json.dumps(cluster("west")).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(
            head("POST", "/clusters", "Content-Type: application/json", f"Content-Length: {len(body)}") + body[:-1]
        )
        assert server.process is not None
        server.process.terminate()
        connection.sendall(body[-1:])
        assert connection.recv(65536).startswith(b"HTTP/1.1 201 ")
    assert server.process.wait(30) == 0
    with ServerProcess(tmp_path / "data") as again:
        assert httpx.get(f"{again.url}/clusters/west").status_code == 200


def test_plain_reads_in_a_row_and_between_others_keep_their_order(server: ServerProcess) -> None:
    with httpx.Client(base_url=server.url) as http:
        created = http.post("/clusters", json=cluster("plain"))
    plain, other = head("GET", "/clusters/plain"), head("GET", "/clusters/plain?include=registry")

    answer = exchange(server, plain * 3 + other + plain + other + head("GET", "/clusters/plain", "Connection: close"))

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200"] * 7
    assert ["_registry" in part for part in answer.decode().split("HTTP/1.1 ")[1:]] == [
        False,
        False,
        False,
        True,
        False,
        True,
        False,
    ]
    assert answer.count(created.content) == 5


def test_a_connection_outlasts_the_time_between_two_heartbeats(server: ServerProcess) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    opened = set()
    for pause in (0, 6):  # uvicorn by itself would hang up after five
        time.sleep(pause)
        connection.request("GET", "/healthz")
        opened.add(connection.sock)
        assert connection.getresponse().read()
    assert len(opened) == 1


def test_a_read_with_a_body_or_of_an_older_http_is_answered_too(server: ServerProcess) -> None:
    httpx.post(f"{server.url}/clusters", json=cluster("plain"))
    with_body = (
        head("GET", "/clusters/plain", "Content-Length: 2") + b"{}" + head("GET", "/healthz", "Connection: close")
    )
    assert (
        re.findall(rb"HTTP/1.1 (\d+)", exchange(server, with_body + head("GET", "/healthz", "Connection: close")))
        == [b"200"] * 2
    )
    older = exchange(server, b"GET /clusters/plain HTTP/1.0\r\n\r\n")
    assert b" 200 " in older.partition(b"\r\n")[0]
    assert b'"plain"' in older


def test_a_reader_that_is_slow_is_not_written_at_without_bound(server: ServerProcess) -> None:
    document = cluster("bulky", note="x" * 15_000)
    httpx.post(f"{server.url}/clusters", json=document)
    requests = head("GET", "/clusters/bulky") * 2000
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.setblocking(False)
        sent = 0
        for _ in range(200):
            try:
                sent += connection.send(requests[sent:])
            except BlockingIOError:
                break
        connection.setblocking(True)
        connection.settimeout(5)
        expected = sent // len(head("GET", "/clusters/bulky"))
        answer = b""
        while answer.count(b"HTTP/1.1 200") < expected or not answer.endswith(b"}"):
            answer += connection.recv(1 << 20)
    assert answer.count(b"HTTP/1.1 200") == expected
