"""A plain PUT is answered without the application, and as the application would answer it."""

import json
import re
import socket
import threading
from typing import Any

import httpx
import pytest

from tests.examples import cluster, node
from tests.serving import ServerProcess

ORDINARY = "?fieldValidation=warn"
"""A query string makes a request go the ordinary way, and this one asks for what is done anyway."""


def put(path: str, body: str, *headers: str) -> bytes:
    lines = [
        f"PUT {path} HTTP/1.1",
        "Host: localhost",
        "X-Request-Id: r1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, *headers, "", body]).encode()


def answers(server: ServerProcess, requests: bytes, count: int) -> list[tuple[bytes, bytes]]:
    """The heads and bodies of so many answers on one connection."""
    found = []
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(requests)
        stream = connection.makefile("rb")
        for _ in range(count):
            head = b"".join(iter(stream.readline, b"\r\n"))
            length = re.search(rb"content-length: (\d+)", head)
            assert length is not None
            found.append((head, stream.read(int(length[1]))))
    return found


def told(answer: tuple[bytes, bytes]) -> tuple[bytes, Any]:
    """An answer without what differs from one to the next: times and revisions."""
    head, body = answer
    return re.sub(rb"(date: |etag: |x-registry-revision: )[^\r]*", rb"\1", head), json.loads(body)


@pytest.mark.parametrize(
    "body",
    [
        '{"$set": {"reputation": 5}}',
        '{"reputation": 6, "tags": ["a"]}',
        '{"$set": {"gpus.count": 99, "unknown": 1}}',
        '{"$set": {"memory": -1, "swap": "lots"}}',
        '{"$set": {"id": "another"}}',
        '{"$atLeast": 1}',
        '{"$set": ',
        "[]",
        "5",
        "{}",
        '{"filter": {"status": "nothing"}, "update": {"$set": {"reputation": 1}}}',
        '{"$push": {"nodes.nodeData": {"id": "half"}}}',
    ],
)
def test_the_answer_is_that_of_the_application(
    http: httpx.Client, server: ServerProcess, fresh_id: str, body: str
) -> None:
    http.post("/clusters", json=cluster(fresh_id)).raise_for_status()
    path = f"/clusters/{fresh_id}"
    before = http.get(path).json()
    (plain,) = answers(server, put(path, body), 1)
    between = http.get(path).json()
    http.put(path, json=[{"$replaceWith": {"$literal": before}}]).raise_for_status()
    (ordinary,) = answers(server, put(path + ORDINARY, body), 1)
    assert told(plain) == told(ordinary)
    assert http.get(path).json() == between


@pytest.mark.parametrize(
    "header", ['If-Match: "1"', "X-Reason: moved", "Accept-Encoding: gzip", "Connection: keep-alive"]
)
def test_headers_mean_what_they_mean_elsewhere(
    http: httpx.Client, server: ServerProcess, fresh_id: str, header: str
) -> None:
    http.post("/clusters", json=cluster(fresh_id)).raise_for_status()
    path, body = f"/clusters/{fresh_id}", '{"$set": {"reputation": 5}}'
    plain, ordinary = answers(server, put(path, body, header) + put(path + ORDINARY, body, header), 2)
    assert told(plain) == told(ordinary)
    last = http.get(f"{path}/history").json()[0]
    assert last["actor"] == "anonymous@127.0.0.1"
    assert (last.get("reason") == "moved") == (header.startswith("X-Reason"))


def test_an_unknown_cluster_is_not_found(server: ServerProcess) -> None:
    ((head, body),) = answers(server, put("/clusters/nobody", '{"$set": {"reputation": 5}}'), 1)
    assert b" 404 " in head
    assert json.loads(body)["code"] == "cluster-not-found"


def test_requests_in_a_row_are_answered_in_their_order(
    http: httpx.Client, server: ServerProcess, fresh_id: str
) -> None:
    http.post("/clusters", json=cluster(fresh_id)).raise_for_status()
    path = f"/clusters/{fresh_id}"
    read = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    row = b"".join(put(path, json.dumps({"$set": {"reputation": n}})) + read for n in range(20))
    found = answers(server, row + put(path + ORDINARY, '{"$inc": {"reputation": 1}}') + read, 42)
    assert [json.loads(body)["reputation"] for _, body in found] == [*(n // 2 for n in range(40)), 20, 20]


def test_an_update_whose_sender_has_gone_is_done(http: httpx.Client, server: ServerProcess, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id)).raise_for_status()
    path = f"/clusters/{fresh_id}"
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(put(path, '{"$inc": {"reputation": 1}}') * 2)
    assert http.put(path, json={"$inc": {"reputation": 1}}).status_code == 200
    assert "Traceback" not in server.log.read_text()


def test_a_document_that_is_large_is_compressed_as_elsewhere(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id, *(node(f"node-{n}") for n in range(60)))).raise_for_status()
    reply = http.put(f"/clusters/{fresh_id}", json={"reputation": 5}, headers={"accept-encoding": "gzip"})
    assert reply.headers["content-encoding"] == "gzip"
    assert reply.json()["reputation"] == 5


def test_many_at_once_are_all_counted(http: httpx.Client, server: ServerProcess, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id, reputation=0)).raise_for_status()

    def increment() -> None:
        answers(server, put(f"/clusters/{fresh_id}", '{"$inc": {"reputation": 1}}') * 10, 10)

    threads = [threading.Thread(target=increment) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert http.get(f"/clusters/{fresh_id}").json()["reputation"] == 160
