"""Both ways through the server answer alike, byte for byte: the shortcuts, and the application alone.

What is counted says which way was taken: with the shortcuts off, every plain request below fails its test.
"""

import re
from pathlib import Path

import pytest

from rollbook.settings import Settings
from tests.api.edges import Served, served
from tests.api.test_wire import head
from tests.registry.writing import create

JSON = "Content-Type: application/json"


def asking(method: str, path: str, body: str = "", *headers: str) -> bytes:
    """A request with a body."""
    return head(method, path, JSON, f"Content-Length: {len(body.encode())}", *headers) + body.encode()


PLAIN = {
    "read": head("GET", "/clusters/west"),
    "read with headers": head("GET", "/clusters/west", "Accept: */*", "Connection: keep-alive", "User-Agent: x"),
    "query": asking("POST", "/clusters/query", '{"regionId": "us-west-2"}'),
    "query for none": asking("POST", "/clusters/query", '{"regionId": "nowhere"}', "Accept: application/json"),
    "query with a limit": asking("POST", "/clusters/query", '{"query": {}, "limit": 1}'),
    "update": asking("PUT", "/clusters/west", '{"$set": {"reputation": 5}}'),
    "update of nothing": asking("PUT", "/clusters/west", '{"$set": {"regionId": "us-west-2"}}'),
    "update with a warning": asking("PUT", "/clusters/west", '{"unknown": 1}'),
    "update with a name of two lines": asking("PUT", "/clusters/west", r'{"$set": {"a\r\nSet-Cookie: x=1": 1}}'),
    "update with many names": asking("PUT", "/clusters/west", "{" + ",".join(f'"u{n}": 1' for n in range(50)) + "}"),
    "update with a long name": asking("PUT", "/clusters/west", '{"' + "x" * 5000 + '": 1}'),
    "update that is invalid": asking("PUT", "/clusters/west", '{"$set": {"memory": -1}}'),
    "update whose condition fails": asking("PUT", "/clusters/west", '{"update": {"a": 1}, "filter": {"status": "x"}}'),
    "update of an id": asking("PUT", "/clusters/west", '{"$set": {"id": "east"}}'),
}
"""What shortcuts answer, by name."""

ODD = {
    "update with names of all kinds": asking("PUT", "/clusters/west", r'{"é€\ud83d\ude00\u0000\u001b[2J\"\\": 1}'),
    "query on a path that nobody has": asking("POST", "/clusters/query", '{"regoinId": "x", "a\\r\\nb: c": 1}'),
    "update on a condition that nobody meets": asking(
        "PUT", "/clusters/west", '{"update": {"reputation": 7}, "filter": {"regoinId": "x"}}'
    ),
    "update on a condition that all meet": asking(
        "PUT", "/clusters/west", '{"update": {"reputation": 7, "u": 1}, "filter": {"regoinId": {"$ne": "x"}}}'
    ),
    "query for all": asking("POST", "/clusters/query", "{}"),
    "read of nothing": head("GET", "/clusters/nobody"),
    "read with parameters": head("GET", "/clusters/west?revision=1"),
    "read with a body": asking("GET", "/clusters/west", "{}"),
    "read of an encoded id": head("GET", "/clusters/%77est"),
    "read with a slash": head("GET", "/clusters/west/"),
    "read that knows": head("GET", "/clusters/west", 'If-None-Match: "1"'),
    "read that knows it compressed": head("GET", "/clusters/west", 'If-None-Match: "7", "1-gzip"'),
    "read that knows nonsense": head("GET", "/clusters/west", "If-None-Match: 1"),
    "read that ends": head("GET", "/clusters/west", "Connection: close"),
    "head": head("HEAD", "/clusters/west"),
    "query as lines": asking("POST", "/clusters/query", "{}", "Accept: application/x-ndjson"),
    "query not as lines": asking("POST", "/clusters/query", "{}", "Accept: application/x-ndjson;q=0, */*"),
    "query that is wrong": asking("POST", "/clusters/query", '{"a": {"$near": 1}}'),
    "query that is no JSON": asking("POST", "/clusters/query", '{"a": '),
    "query of another type": head("POST", "/clusters/query", "Content-Type: text/plain", "Content-Length: 2") + b"{}",
    "query without a body": head("POST", "/clusters/query", "Content-Length: 0"),
    "query in chunks": head("POST", "/clusters/query", JSON, "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n",
    "query that offers": asking("POST", "/clusters/query", "{}", "Connection: Upgrade", "Upgrade: h2c"),
    "query with an expectation": asking("POST", "/clusters/query", "{}", "Expect: 100-continue"),
    "query compressed": asking("POST", "/clusters/query", "{}", "Content-Encoding: gzip"),
    "beat of nobody": head("POST", "/clusters/nobody/heartbeat"),
    "beat that is wrong": asking("POST", "/clusters/west/heartbeat", '{"ttlSeconds": 0}'),
    "beat with parameters": head("POST", "/clusters/west/heartbeat?ttlSeconds=60"),
    "update of nobody": asking("PUT", "/clusters/nobody", '{"a": 1}'),
    "update with a tag": asking("PUT", "/clusters/west", '{"reputation": 7}', 'If-Match: "1"'),
    "update with an old tag": asking("PUT", "/clusters/west", '{"reputation": 7}', 'If-Match: "9-anything"'),
    "update with no tag": asking("PUT", "/clusters/west", '{"reputation": 7}', "If-Match: 1"),
    "update with a reason": asking("PUT", "/clusters/west", '{"reputation": 7}', "X-Reason: moved"),
    "update that ends": asking("PUT", "/clusters/west", '{"reputation": 7}', "Connection: close"),
    "creation with names": asking("POST", "/clusters", r'{"id": "n", "a\r\nSet-Cookie: x=1": 1, "é": 2}'),
    "method unknown here": head("PATCH", "/clusters/west"),
    "under another name": head("GET", "/clusters/west").replace(b"localhost", b"evil.example"),
    "too long": head("GET", "/clusters/" + "x" * 70_000),
}


async def answer(server: Served, request: bytes) -> bytes:
    """What is answered to a request, without the date and without ids that are made."""
    last = head("GET", "/last", "Connection: close")
    return re.sub(rb"(date: [^\r]*|x-request-id: [0-9a-f]{12}-[^\r]*)\r\n", b"", await server.exchange(request + last))


@pytest.mark.parametrize("name", [*PLAIN, *ODD])
async def test_the_answer_is_the_same_and_a_plain_request_takes_the_shortcut(tmp_path: Path, name: str) -> None:
    answers, direct = [], []
    for shortcuts in (True, False):
        async with served(tmp_path / str(shortcuts), takes_shortcuts=shortcuts) as server:
            await create(server.registry, "west")
            await create(server.registry, "east", regionId="east")
            answers.append(await answer(server, (PLAIN | ODD)[name]))
            direct.append(sum(server.edge.traffic.direct.values()))
            counted = {(each.route, each.method, each.status) for each in server.edge.traffic.answers()}
            answers[-1] += repr(sorted(counted - {("other", "GET", "4xx")})).encode()
    assert answers[0] == answers[1]
    assert direct == [1 if name in PLAIN else 0, 0]


async def test_heartbeats_take_the_shortcut(tmp_path: Path) -> None:
    async with served(tmp_path / "data") as server:
        await create(server.registry, "west")
        await answer(server, head("POST", "/clusters/west/heartbeat"))  # the first makes the lease
        before = server.edge.traffic.direct["heartbeat"]
        for request in (head("POST", "/clusters/west/heartbeat"), asking("POST", "/clusters/west/heartbeat", "{}")):
            assert (await answer(server, request)).startswith(b"HTTP/1.1 200 ")
        assert server.edge.traffic.direct["heartbeat"] == before + 2


@pytest.mark.parametrize("name", ["update with a name of two lines", "update with names of all kinds"])
@pytest.mark.parametrize("shortcuts", [True, False])
async def test_names_of_callers_end_no_header(tmp_path: Path, name: str, shortcuts: bool) -> None:
    async with served(tmp_path / "data", takes_shortcuts=shortcuts) as server:
        await create(server.registry, "west")
        headers = (await answer(server, (PLAIN | ODD)[name])).partition(b"\r\n\r\n")[0]
        assert b"warning: 299 rollbook " in headers
        assert not re.search(rb"[^\x20-\x7e\r\n]", headers)
        assert b"\nset-cookie" not in headers.lower()


NAMES = r'"a\r\nSet-Cookie: x=1": 1, "é€": 2, "\u0000\u001b": 3'
NODE = r'{"id": "n\u00e9 1", ' + NAMES + "}"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/clusters", '{"id": "new", "regionId": "r", ' + NAMES + "}", 201),
        ("POST", "/api/createCluster", '{"id": "new", "regionId": "r", ' + NAMES + "}", 200),
        ("POST", "/api/addNode", '{"clusterId": "west", "nodeData": [' + NODE + "]}", 200),
        ("POST", "/clusters/west/nodes", NODE, 201),
        ("PUT", "/clusters/west/nodes", f"[{NODE}]", 200),
        ("PUT", "/clusters/west/nodes/node-1", '{"id": "node-1", ' + NAMES + "}", 200),
        ("PATCH", "/clusters/west/nodes/node-1", "{" + NAMES + "}", 200),
        ("PUT", "/clusters/west?fieldValidation=warn", "{" + NAMES + "}", 200),
    ],
)
async def test_a_write_with_odd_names_is_answered_everywhere(
    tmp_path: Path, method: str, path: str, body: str, status: int
) -> None:
    settings = Settings(schema="lenient")
    async with served(tmp_path / "data", settings=settings) as server:
        await create(server.registry, "west")
        answered = await answer(server, asking(method, path, body))
        headers = answered.partition(b"\r\n\r\n")[0]
        assert headers.startswith(b"HTTP/1.1 %d " % status), answered
        assert not re.search(rb"[^\x20-\x7e\r\n]", headers)
        assert b"\nset-cookie" not in headers.lower()
        warnings = re.findall(rb"warning: ([^\r]*)", headers)
        assert len(warnings) <= 5
        assert sum(map(len, warnings)) <= 1024
