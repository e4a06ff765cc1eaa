"""Plain heartbeats, which the protocol answers by itself: the same answers, in the same order, as any other."""

import json
import re
from typing import Any

import httpx
import pytest

from tests.api.test_plain_queries import replies
from tests.api.test_wire import head
from tests.examples import cluster
from tests.serving import ServerProcess

JSON = "Content-Type: application/json"
MOMENT = re.compile(rb'"\d{4}-\d\d-\d\dT[\d:.]+Z"')


def beat(id: str, body: Any = None, *headers: str) -> bytes:
    """A heartbeat as bytes."""
    content = b"" if body is None else json.dumps(body).encode()
    described = [JSON] if content else []
    return head("POST", f"/clusters/{id}/heartbeat", *described, f"Content-Length: {len(content)}", *headers) + content


def timeless(answers: list[bytes]) -> list[bytes]:
    """Answers without the moments that they tell."""
    return [MOMENT.sub(b'"..."', answer) for answer in answers]


@pytest.fixture(scope="module", autouse=True)
def fleet(server: ServerProcess) -> None:
    """Three clusters, two of which have sent a heartbeat."""
    with httpx.Client(base_url=server.url) as http:
        for id in ("a", "b", "c"):
            assert http.post("/clusters", json=cluster(id)).status_code == 201
        for id in ("a", "b"):
            assert http.post(f"/clusters/{id}/heartbeat").status_code == 200


@pytest.mark.parametrize(
    ("id", "body"),
    [
        ("a", None),
        ("a", {}),
        ("a", {"ttlSeconds": 60, "nodes": ["n1", "n2"]}),
        ("a", {"status": "live"}),
        ("a", {"ttlSeconds": 0}),
        ("a", []),
        ("nobody", None),
        ("nobody", {"ttlSeconds": 60}),
        ("%61", None),
        ("a?b=", None),
    ],
    ids=str,
)
def test_a_beat_is_answered_alike_when_it_comes_in_parts(server: ServerProcess, id: str, body: Any) -> None:
    request = beat(id, body)
    whole = timeless(replies(server, request))
    assert timeless(replies(server, request[:-1], request[-1:])) == whole
    assert timeless(replies(server, request[:40], request[40:90], request[90:])) == whole


@pytest.mark.parametrize(
    "header", ["Connection: keep-alive", "Accept: text/html", "Accept-Encoding: gzip", "X-Reason: x"]
)
def test_a_header_that_changes_nothing_changes_nothing(server: ServerProcess, header: str) -> None:
    assert timeless(replies(server, beat("a", None, header))) == timeless(replies(server, beat("a")))


@pytest.mark.parametrize("header", ["Content-Type: text/plain", "Content-Encoding: gzip"])
def test_a_beat_whose_body_would_be_refused_is_refused_without_one(server: ServerProcess, header: str) -> None:
    assert replies(server, beat("a", None, header))[0].startswith(b"HTTP/1.1 415 ")


def test_a_beat_without_a_length_is_one(server: ServerProcess) -> None:
    request = head("POST", "/clusters/a/heartbeat") + head("GET", "/clusters/b")
    assert [answer.split()[1] for answer in replies(server, request, count=2)] == [b"200", b"200"]


def test_beats_in_a_row_and_between_others_keep_their_order(server: ServerProcess) -> None:
    read, first, refused = head("GET", "/clusters/b"), beat("c"), beat("a", {"ttlSeconds": 0})

    answers = replies(server, beat("a") + first + beat("b", {}) + read + refused + beat("c") + read, count=7)

    assert [answer.split()[1] for answer in answers] == [b"200"] * 4 + [b"400", b"200", b"200"]
    assert [re.findall(r'"id":"([abc])"', answer.decode())[:1] for answer in answers] == [
        ["a"],
        ["c"],
        ["b"],
        ["b"],
        [],
        ["c"],
        ["b"],
    ]


def test_a_beat_that_says_a_status_is_written(server: ServerProcess) -> None:
    written, read = replies(server, beat("b", {"status": "draining"}) + head("GET", "/clusters/b"), count=2)
    assert written.startswith(b"HTTP/1.1 200 ")
    assert b'"status":"draining"' in read
