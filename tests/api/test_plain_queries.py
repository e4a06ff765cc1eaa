"""Plain queries, which the protocol answers by itself: the same answers, in the same order, as any other."""

import json
import re
import socket
import time
from typing import Any, BinaryIO

import httpx
import pytest

from tests.api.test_wire import head
from tests.examples import cluster
from tests.serving import ServerProcess

JSON = "Content-Type: application/json"


def query(filter: Any, *headers: str) -> bytes:
    """A query as bytes."""
    body = json.dumps(filter).encode()
    return head("POST", "/clusters/query", JSON, f"Content-Length: {len(body)}", *headers) + body


def replies(server: ServerProcess, *parts: bytes, count: int = 1) -> list[bytes]:
    """So many answers to requests that are sent in parts, without their dates."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.05)
        stream = connection.makefile("rb")
        return [reply(stream) for _ in range(count)]


def reply(stream: BinaryIO) -> bytes:
    """The next answer of a connection."""
    lines = [line for line in iter(stream.readline, b"\r\n") if not line.startswith(b"date:")]
    (size,) = (int(line.split()[1]) for line in lines if line.startswith(b"content-length:"))
    return b"".join(lines) + stream.read(size)


@pytest.fixture(scope="module", autouse=True)
def fleet(server: ServerProcess) -> None:
    """Three clusters: two in the west, one in the east."""
    with httpx.Client(base_url=server.url) as http:
        for id, region in (("a", "west"), ("b", "east"), ("c", "west")):
            assert http.post("/clusters", json=cluster(id, regionId=region)).status_code == 201


@pytest.mark.parametrize(
    "filter",
    [
        {"regionId": "west"},
        {"query": {"regionId": "west"}, "skip": 1},
        {"query": {}, "limit": 2},
        {"regionId": "nowhere"},
        {"regionId": {"$near": 1}},
        {"query": {"regionId": "west"}, "sort": {"id": -1}},
        {"$expr": {"$eq": ["$regionId", "east"]}},
        [],
    ],
    ids=str,
)
def test_a_query_is_answered_alike_when_its_body_comes_in_parts(server: ServerProcess, filter: Any) -> None:
    request = query(filter)
    whole = replies(server, request)
    assert replies(server, request[:-1], request[-1:]) == whole
    assert replies(server, request[:40], request[40:90], request[90:]) == whole


@pytest.mark.parametrize(
    "header", ["Connection: keep-alive", "Accept: */*", "Accept: text/html", "Content-Encoding: identity"]
)
def test_a_header_that_changes_nothing_changes_nothing(server: ServerProcess, header: str) -> None:
    filter = {"regionId": "west"}
    assert replies(server, query(filter, header)) == replies(server, query(filter))


def test_queries_in_a_row_and_between_others_keep_their_order(server: ServerProcess) -> None:
    west, east, scanned = query({"regionId": "west"}), query({"regionId": "east"}), query({"$expr": {"$eq": [1, 1]}})
    read = head("GET", "/clusters/b")

    requests = west + scanned + east + read + scanned + west + query({"$nor": 1}) + read
    answers = replies(server, requests, count=8)

    assert [answer.split()[1] for answer in answers] == [b"200"] * 6 + [b"400", b"200"]
    assert [re.findall(r'\{"id":"([abc])"', answer.decode()) for answer in answers] == [
        ["a", "c"],
        ["a", "b", "c"],
        ["b"],
        ["b"],
        ["a", "b", "c"],
        ["a", "c"],
        [],
        ["b"],
    ]


def test_a_query_sees_the_write_before_it(server: ServerProcess) -> None:
    update = b'{"status":"draining"}'
    write = head("PUT", "/clusters/a", JSON, f"Content-Length: {len(update)}") + update

    written, found = replies(server, write + query({"status": "draining"}), count=2)

    assert b'"status":"draining"' in written
    assert b'[{"id":"a"' in found


@pytest.mark.parametrize("media_type", ["text/plain", "application/jsonp"])
def test_a_query_that_is_not_called_json_is_refused(server: ServerProcess, media_type: str) -> None:
    request = query({}).replace(b"application/json", media_type.encode())
    assert replies(server, request)[0].startswith(b"HTTP/1.1 415 ")


def test_a_query_whose_sender_hangs_up_leaves_the_server_well(server: ServerProcess) -> None:
    for length in (60, 110, len(query({})) - 1):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(query({})[:length])
    assert replies(server, query({"regionId": "east"}))[0].startswith(b"HTTP/1.1 200 ")
