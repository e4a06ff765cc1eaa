"""Many writes in one request: a result a line, while the lines arrive."""

import json
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from rollbook.limits import DEFAULT_LIMITS
from tests.api.test_refusals import refusal
from tests.examples import cluster, node
from tests.serving import ServerProcess

LINES = {"content-type": "application/x-ndjson"}
KEY = "idempotency-key"
BATCH_LINES = int(os.environ.get("ROLLBOOK_BATCH_LINES", "2000"))
"""How many lines are on their way when a server is killed; ``make bulk`` sends 10,000."""


def encoded(lines: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def results(http: httpx.Client, lines: Iterable[Any], **options: Any) -> list[dict[str, Any]]:
    headers = {**LINES, **options.pop("headers", {})}
    answer = http.post("/clusters/bulk", content=encoded(lines), headers=headers, timeout=60, **options)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson"), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def create(id: str, *nodes: Any, **more: Any) -> dict[str, Any]:
    return {"op": "create", "document": cluster(id, *nodes, **more)}


def test_each_line_is_done_in_its_order_and_answered(http: httpx.Client, fresh_id: str) -> None:
    id = f"bulk-{fresh_id}"
    answered = results(
        http,
        [
            create(id, node("n-1")),
            {"op": "update", "id": id, "update": {"$inc": {"counted": 1}}},
            {"op": "patch", "id": id, "patch": {"tags": ["a"]}},
            {"op": "patch", "id": id, "patch": [{"op": "add", "path": "/tags/-", "value": "b"}]},
            {"op": "join", "id": id, "node": node("n-2")},
            {"op": "leave", "id": id, "nodeId": "n-1"},
            create(id, replace=1),
            {**create(id, node("n-3")), "replace": True},
            {"op": "update", "id": f"{id}-new", "update": {"$set": cluster(f"{id}-new")}, "upsert": True},
            {"op": "delete", "id": f"{id}-new"},
        ],
    )
    assert [each["line"] for each in answered] == list(range(1, 11))
    assert [each["status"] for each in answered] == [201, 200, 200, 200, 201, 200, 409, 200, 201, 200]
    revisions = [each["revision"] for each in answered if each["status"] < 300]
    assert revisions == list(range(revisions[0], revisions[0] + 9))
    assert [each["id"] for each in answered] == [id] * 8 + [f"{id}-new"] * 2
    history = http.get(f"/clusters/{id}/history", params={"as": "document"}).json()
    assert history[1]["document"]["tags"] == ["a", "b"]
    assert [each["id"] for each in history[1]["document"]["nodes"]["nodeData"]] == ["n-2"]
    assert [each["id"] for each in http.get(f"/clusters/{id}/nodes").json()] == ["n-3"]


def test_lines_on_one_cluster_are_done_in_their_order_whatever_they_ask(http: httpx.Client, fresh_id: str) -> None:
    ids = [f"order-{fresh_id}-{number}" for number in range(30)]
    steps = [
        [create(id) for id in ids],
        [{"op": "delete", "id": id} for id in ids],
        [create(id) for id in ids],
        [{"op": "update", "id": id, "update": {"$set": {"reputation": 7}}} for id in ids],
        [create(id) for id in ids],
        [{**create(id, reputation=8), "replace": True} for id in ids],
    ]
    together = results(http, [line for step in steps for line in step])
    mixed = results(http, [{"op": "delete", "id": id} for id in ids] + [step[at] for at in range(30) for step in steps])
    expected = [201, 200, 201, 200, 409, 200]
    assert [each["status"] for each in together] == [status for status in expected for _ in ids]
    assert [each["status"] for each in mixed] == [200] * 30 + expected * 30
    assert http.get(f"/clusters/{ids[0]}").json()["reputation"] == 8


def test_lines_on_nodes_overtake_none_on_the_same_cluster(http: httpx.Client, fresh_id: str) -> None:
    ids = [f"overtaken-{fresh_id}-{number}" for number in range(30)]
    results(http, [create(id) for id in ids])
    steps = [
        [{"op": "update", "id": id, "update": {"$set": {"reputation": 7}}} for id in ids],
        [{"op": "delete", "id": id} for id in ids],
        [{"op": "join", "id": id, "node": node("n-1")} for id in ids],
        [create(id) for id in ids],
        [{"op": "join", "id": id, "node": node("n-1")} for id in ids],
        [{"op": "delete", "id": id} for id in ids],
    ]
    answered = results(http, [line for step in steps for line in step])
    assert [each["status"] for each in answered] == [s for s in (200, 200, 404, 201, 201, 200) for _ in ids]


@pytest.mark.parametrize(
    ("line", "status", "at"),
    [
        ([], 400, None),
        ({"op": "creat", "document": {}}, 400, "/op"),
        ({"op": "create"}, 400, None),
        ({"op": "create", "document": {"id": "incomplete"}}, 422, "/document/config/publicHostname"),
        ({"op": "create", "document": {}, "ifRevision": 1}, 400, "/ifRevision"),
        ({"op": "create", "document": {}, "replace": 1}, 400, "/replace"),
        ({"op": "update", "id": 5, "update": {}}, 400, "/id"),
        ({"op": "update", "id": "nobody", "update": {"$set": {}}, "filters": {}}, 400, "/filters"),
        ({"op": "update", "id": "nobody", "update": {"$foo": {}}}, 400, "/update/$foo"),
        ({"op": "update", "id": "nobody", "update": {"status": "live"}}, 404, None),
        ({"op": "patch", "id": "nobody", "patch": 5}, 400, "/patch"),
        ({"op": "patch", "id": "nobody", "patch": {"$set": {}}}, 400, "/patch/$set"),
        ({"op": "delete", "id": "nobody"}, 404, None),
        ({"op": "delete", "id": "nobody", "ifRevision": "1"}, 400, "/ifRevision"),
        ({"op": "join", "id": "nobody", "node": {}}, 422, "/node/id"),
        ({"op": "leave", "id": "nobody", "nodeId": None}, 400, "/nodeId"),
    ],
)
def test_a_line_is_refused_by_itself(http: httpx.Client, fresh_id: str, line: Any, status: int, at: str | None) -> None:
    first, refused, last = results(http, [create(f"a-{fresh_id}"), line, create(f"b-{fresh_id}")])
    assert (first["status"], last["status"]) == (201, 201)
    assert (refused["line"], refused["status"]) == (2, status), refused
    assert refused.get("errors", [{}])[0].get("at") == at
    assert refused["detail"]


def test_what_is_no_json_is_refused_with_its_line(http: httpx.Client, fresh_id: str) -> None:
    body = b'{"op"\n\n  \r\n' + encoded([create(fresh_id)]).rstrip()
    answer = http.post("/clusters/bulk", content=body, headers=LINES)
    first, second = map(json.loads, answer.text.splitlines())
    assert (first["line"], first["status"], first["code"]) == (1, 400, "malformed-json")
    assert (second["line"], second["status"]) == (4, 201)


def test_a_document_of_a_line_may_be_as_deep_as_one_of_its_own(http: httpx.Client, fresh_id: str) -> None:
    depth = DEFAULT_LIMITS.body_depth_max - 3  # the document, the metadata, and their additional information
    for more, status in ((0, 201), (1, 400)):
        deep: Any = []
        for _ in range(depth - 1 + more):
            deep = [deep]
        line = create(f"{fresh_id}-{more}")
        line["document"]["clusterMetadata"]["additionalInfo"] = {"deep": deep}
        assert results(http, [line])[0]["status"] == status
        assert http.post("/clusters", json={**line["document"], "id": f"{fresh_id}-{more}-own"}).status_code == status


def test_if_revision_is_a_condition(http: httpx.Client, fresh_id: str) -> None:
    revision = results(http, [create(fresh_id)])[0]["revision"]
    update = {"op": "update", "id": fresh_id, "update": {"$set": {"tags": []}}, "ifRevision": revision}
    assert [each["status"] for each in results(http, [update, update])] == [200, 412]


def test_warnings_are_in_the_result(http: httpx.Client, fresh_id: str) -> None:
    assert "odd" in results(http, [create(fresh_id, odd="field")])[0]["warnings"][0]
    strict = results(http, [create(f"{fresh_id}-2", odd="field")], params={"fieldValidation": "strict"})
    assert strict[0]["status"] == 422


def test_a_dry_run_writes_nothing(http: httpx.Client, fresh_id: str) -> None:
    answered = results(http, [create(fresh_id), create("a b")], params={"dryRun": "true"})
    assert [each["status"] for each in answered] == [201, 400]
    refusal(http.get(f"/clusters/{fresh_id}"), 404, "cluster-not-found")


def test_a_body_may_be_longer_than_any_other_and_a_line_as_long_as_a_document(
    http: httpx.Client, fresh_id: str
) -> None:
    text = "x" * (DEFAULT_LIMITS.body_bytes_max + 1000)
    ids = [f"{fresh_id}-{number}" for number in range(3)]
    too_long = create("never", text="x" * (DEFAULT_LIMITS.document_bytes_max + 100_000))
    answered = results(http, [*(create(id, text=text) for id in ids), too_long, create(f"{fresh_id}-last")])
    assert [(each["line"], each["status"]) for each in answered] == [(1, 201), (2, 201), (3, 201), (4, 413), (5, 201)]
    for id in ids:
        http.delete(f"/clusters/{id}")


def test_thousands_of_lines(http: httpx.Client, fresh_id: str) -> None:
    answered = results(http, (create(f"{fresh_id}-{number}") for number in range(5_000)))
    assert [each["line"] for each in answered if each["status"] == 201] == list(range(1, 5_001))


def test_another_media_type_is_refused_and_the_connection_ends(http: httpx.Client, server: ServerProcess) -> None:
    refusal(http.post("/clusters/bulk", content=b"{}", headers={"content-type": "application/json"}), 415,
            "media-type-unsupported")  # fmt: skip
    refusal(http.post("/clusters/bulk", content=b"{}", headers=LINES, params={"atomi": "1"}), 400, "request-refused")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"POST /clusters/bulk HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{")
        assert received(client).startswith(b"HTTP/1.1 415")


def received(client: socket.socket) -> bytes:
    """What comes until the server closes."""
    parts = []
    while part := client.recv(65536):
        parts.append(part)
    return b"".join(parts)


HEAD = b"POST /clusters/bulk HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def until(client: socket.socket, end: bytes) -> bytes:
    data = b""
    while end not in data:
        part = client.recv(65536)
        assert part, data
        data += part
    return data


def test_results_come_while_lines_arrive(server: ServerProcess, fresh_id: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(HEAD + b"transfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n")
        assert until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        for number in (1, 2):
            line = encoded([create(f"{fresh_id}-{number}")])
            client.sendall(chunk(line[:50]))
            client.sendall(chunk(line[50:]))
            assert b'"status":201' in until(client, b'{"line":%d,' % number)
        client.sendall(b"0\r\n\r\n")
        until(client, b"0\r\n\r\n")
        client.sendall(b"GET /version HTTP/1.1\r\nhost: localhost\r\n\r\n")  # the connection goes on
        assert until(client, b"}").startswith(b"HTTP/1.1 200")


def test_a_body_that_breaks_off_is_done_as_far_as_it_came(
    server: ServerProcess, http: httpx.Client, fresh_id: str
) -> None:
    line = encoded([create(fresh_id)])
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(HEAD + b"content-length: 100000\r\n\r\n" + line + b'{"op": "cre')
        client.shutdown(socket.SHUT_WR)
        answer = received(client)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'{"line":1,"status":201' in answer
    assert b"the body ends after" in answer
    assert http.get(f"/clusters/{fresh_id}").status_code == 200


def test_a_client_that_goes_away_breaks_nothing(server: ServerProcess, http: httpx.Client, fresh_id: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(HEAD + b"content-length: 100000\r\n\r\n" + encoded([create(fresh_id)]) + b"{")
        until(client, b'"line":1')
    assert http.get(f"/clusters/{fresh_id}").status_code == 200
    assert results(http, [{"op": "delete", "id": fresh_id}])[0]["status"] == 200


def test_with_a_key_a_request_that_was_broken_off_goes_on(http: httpx.Client, fresh_id: str) -> None:
    lines = [create(f"{fresh_id}-{number}") for number in range(20)]
    headers = {KEY: f"bulk-{fresh_id}"}
    assert not any("replayed" in each for each in results(http, lines[:8], headers=headers))
    again = results(http, lines, headers=headers)
    assert [each["status"] for each in again] == [201] * 20
    assert [each.get("replayed", False) for each in again] == [True] * 8 + [False] * 12
    other = results(http, [create(f"{fresh_id}-other")], headers=headers)
    assert (other[0]["status"], other[0]["code"]) == (422, "idempotency-key-reused")


def test_kill_9_in_the_middle_loses_no_line_that_was_answered(tmp_path: Path) -> None:
    lines = [create(f"c-{number}") for number in range(BATCH_LINES)]
    answered: list[dict[str, Any]] = []

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(lines), 100):
            yield encoded(lines[start : start + 100])

    def send(url: str) -> None:
        with httpx.stream(
            "POST", f"{url}/clusters/bulk", content=pieces(), headers={**LINES, KEY: "k"}, timeout=60
        ) as answer:
            answered.extend(json.loads(line) for line in answer.iter_lines())

    with ServerProcess(tmp_path / "data") as server:

        def work() -> None:
            with pytest.raises(httpx.TransportError):
                send(server.url)

        sending = threading.Thread(target=work)
        sending.start()
        count = 0
        while count < BATCH_LINES // 8:
            count = httpx.post(f"{server.url}/clusters/count", json={}, timeout=20).json()["count"]
        server.kill()
        sending.join()
        server.start()
        kept = httpx.post(f"{server.url}/clusters/count", json={}, timeout=20).json()["count"]
        assert BATCH_LINES // 8 <= kept < len(lines)
        answered.clear()
        send(server.url)
        assert [each["status"] for each in answered] == [201] * len(lines)
        assert sum("replayed" in each for each in answered) == kept
        assert httpx.post(f"{server.url}/clusters/count", json={}, timeout=20).json()["count"] == len(lines)


ATOMIC = {"atomic": "true"}


def statuses(answered: list[dict[str, Any]]) -> list[int]:
    return [each["status"] for each in answered]


def test_an_atomic_batch_is_one_step(http: httpx.Client, fresh_id: str) -> None:
    """Each line meets what those before it did; the revisions follow each other, and are of one moment."""
    lines = [
        create(fresh_id),
        {"op": "update", "id": fresh_id, "update": {"$inc": {"counted": 1}}},
        {"op": "join", "id": fresh_id, "node": node("n-2")},
        create(f"{fresh_id}-2"),
        {"op": "delete", "id": f"{fresh_id}-2"},
    ]
    answered = results(http, lines, params=ATOMIC)
    assert statuses(answered) == [201, 200, 201, 201, 200]
    first = answered[0]["revision"]
    assert [each["revision"] for each in answered] == [*range(first, first + 5)]
    history = http.get(f"/clusters/{fresh_id}/history").json()
    assert len({each["time"] for each in history}) == 1


def test_one_refused_line_leaves_an_atomic_batch_undone(http: httpx.Client, fresh_id: str) -> None:
    newest = http.get("/readyz").json()["revision"]
    for refused, status in (
        ({"op": "delete", "id": "nobody"}, 404),
        ({"op": "creat"}, 400),
        (create(f"{fresh_id}-1"), 409),
        ({"op": "update", "id": f"{fresh_id}-1", "update": {"$set": {"memory": -1}}}, 422),
    ):
        lines = [create(f"{fresh_id}-1"), refused, create(f"{fresh_id}-2")]
        answered = results(http, lines, params=ATOMIC)
        assert statuses(answered) == [424, status, 424], answered
        assert answered[0]["code"] == "batch-refused"
        assert "line 2" in answered[0]["detail"]
    assert http.get("/readyz").json()["revision"] == newest
    refusal(http.get(f"/clusters/{fresh_id}-1"), 404, "cluster-not-found")


def test_a_dry_run_of_an_atomic_batch_shows_what_its_lines_do_after_each_other(
    http: httpx.Client, fresh_id: str
) -> None:
    lines = [create(fresh_id), {"op": "delete", "id": fresh_id}, create(fresh_id)]
    answered = results(http, lines, params={**ATOMIC, "dryRun": "true"})
    assert [(each["status"], each["revision"]) for each in answered] == [(201, 0), (200, 0), (201, 0)]
    refusal(http.get(f"/clusters/{fresh_id}"), 404, "cluster-not-found")


def test_an_atomic_batch_with_a_key_is_done_once(http: httpx.Client, fresh_id: str) -> None:
    lines, headers = [create(f"{fresh_id}-{n}") for n in range(3)], {KEY: f"atomic-{fresh_id}"}
    first = results(http, lines, params=ATOMIC, headers=headers)
    newest = http.get("/readyz").json()["revision"]
    again = results(http, lines, params=ATOMIC, headers=headers)
    assert again == [{**each, "replayed": True} for each in first]
    assert http.get("/readyz").json()["revision"] == newest
    other = {"content": encoded(lines[:2]), "headers": {**LINES, **headers}, "params": ATOMIC}
    refusal(http.post("/clusters/bulk", **other), 422, "idempotency-key-reused")


def test_an_atomic_batch_is_bounded(tmp_path: Path) -> None:
    """By the bytes of its body, announced or not, and by the documents that it changes."""
    environment = {"ROLLBOOK_ATOMIC_BYTES_MAX": "10000"}
    with (
        ServerProcess(tmp_path / "data", environment=environment) as server,
        httpx.Client(base_url=server.url, timeout=20) as http,
    ):
        options: Any = {"headers": LINES, "params": ATOMIC}
        body = encoded(create(f"c-{n}", text="x" * 1000) for n in range(20))
        refusal(http.post("/clusters/bulk", content=body, **options), 413, "body-too-large")
        refusal(http.post("/clusters/bulk", content=iter([body]), **options), 413, "body-too-large")
        assert http.post("/clusters/count", json={}).json()["count"] == 0
        assert statuses(results(http, [create(f"c-{n}", text="x" * 1000) for n in range(20)])) == [201] * 20
        deletes = encoded({"op": "delete", "id": f"c-{n}"} for n in range(20))
        answer = http.post("/clusters/bulk", content=deletes, **options)
        assert "documents" in refusal(answer, 413, "body-too-large")["detail"]
        assert statuses(results(http, [{"op": "delete", "id": f"c-{n}"} for n in range(3)], params=ATOMIC)) == [200] * 3


def test_nothing_of_an_atomic_batch_is_done_before_its_last_line(
    server: ServerProcess, http: httpx.Client, fresh_id: str
) -> None:
    head = HEAD.replace(b"/bulk ", b"/bulk?atomic=true ")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(head + b"content-length: 100000\r\n\r\n" + encoded([create(fresh_id)]) + b'{"op": "cre')
        client.shutdown(socket.SHUT_WR)
        assert received(client).startswith(b"HTTP/1.1 400")
    refusal(http.get(f"/clusters/{fresh_id}"), 404, "cluster-not-found")


def test_kill_9_in_the_middle_of_an_atomic_batch_leaves_all_or_nothing(tmp_path: Path) -> None:
    """The server is killed while the batch is on its way into the journal's log."""
    lines = [create(f"c-{number}") for number in range(BATCH_LINES)]
    options: Any = {"content": encoded(lines), "params": ATOMIC, "headers": {**LINES, KEY: "k"}, "timeout": 60}
    with ServerProcess(tmp_path / "data") as server:

        def work() -> None:
            with suppress(httpx.TransportError):
                httpx.post(f"{server.url}/clusters/bulk", **options)

        sending = threading.Thread(target=work)
        sending.start()
        while sending.is_alive() and sum(each.stat().st_size for each in (tmp_path / "data").glob("*-wal")) < 500_000:
            sending.join(0.001)
        server.kill()
        sending.join()
        server.start()
        kept = httpx.post(f"{server.url}/clusters/count", json={}, timeout=20).json()["count"]
        assert kept in (0, len(lines))
        answer = httpx.post(f"{server.url}/clusters/bulk", **options)
        answered = [json.loads(line) for line in answer.text.splitlines()]
        assert statuses(answered) == [201] * len(lines)
        assert sum("replayed" in each for each in answered) == kept
