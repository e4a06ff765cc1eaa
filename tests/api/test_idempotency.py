"""Idempotency keys: a POST that is sent again is done once, and the answer says that it was done before."""

import json
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.test_refusals import refusal
from tests.examples import cluster, node
from tests.serving import ServerProcess

JSON = {"content-type": "application/json"}
KEY = "idempotency-key"
REPLAYED = "idempotency-replayed"


def posts(id: str) -> list[tuple[str, str, Any]]:
    """Each POST that takes a key, with a field that it is warned of. One after the other works."""
    at = f"/clusters/{id}"
    return [
        ("createCluster", "/clusters", cluster(id, node("n-1"), odd="field")),
        ("joinNode", f"{at}/nodes", {**node("n-2"), "odd": "field"}),
        ("rejoinNode", f"{at}/nodes", {**node("n-1"), "odd": "field"}),
        ("addNode", "/api/addNode", {"clusterId": id, "nodeData": node("n-3")}),
        ("createClusterFromSpec", "/api/createCluster", {"body": {"spec": {"values": cluster(f"{id}-spec")}}}),
        ("restoreCluster", f"{at}/restore", {"revision": 0}),
    ]


def test_a_post_that_is_sent_again_is_done_once(http: httpx.Client, fresh_id: str) -> None:
    id, revision = f"keyed-{fresh_id}", 0
    for name, address, body in posts(id):
        body = {"revision": revision} if name == "restoreCluster" else body
        headers = {KEY: f"{fresh_id}-{name}"}
        first = http.post(address, json=body, headers=headers)
        assert first.is_success, first.text
        assert REPLAYED not in first.headers
        revision = revision or int(first.headers["etag"].strip('"'))
        newest = http.get("/readyz").json()["revision"]

        second = http.post(address, json=body, headers=headers)
        assert (second.status_code, second.content) == (first.status_code, first.content), name
        for header in ("etag", "location", "warning"):
            assert second.headers.get(header) == first.headers.get(header)
        assert second.headers[REPLAYED] == "true"
        assert http.get("/readyz").json()["revision"] == newest

        another = http.post(address, content=json.dumps(body, indent=1), headers={**headers, **JSON})
        refusal(another, 422, "idempotency-key-reused")


def test_a_key_belongs_to_one_request(http: httpx.Client, fresh_id: str) -> None:
    headers = {KEY: f"key-{fresh_id}"}
    assert http.post("/clusters", json=cluster(f"one-{fresh_id}"), headers=headers).status_code == 201
    for address, options in (("/clusters", {"params": {"fieldValidation": "ignore"}}), ("/api/createCluster", {})):
        again = http.post(address, json=cluster(f"one-{fresh_id}"), headers=headers, **options)
        refusal(again, 422, "idempotency-key-reused")


def test_a_refusal_is_not_kept(http: httpx.Client, fresh_id: str) -> None:
    id, headers = f"refused-{fresh_id}", {KEY: f"refused-{fresh_id}"}
    http.post("/clusters", json=cluster(id))
    refusal(http.post("/clusters", json=cluster(id), headers=headers), 409, "cluster-exists")
    http.delete(f"/clusters/{id}")
    assert http.post("/clusters", json=cluster(id), headers=headers).status_code == 201


def test_a_dry_run_keeps_nothing_and_replays_nothing(http: httpx.Client, fresh_id: str) -> None:
    id, headers, dry = f"dry-{fresh_id}", {KEY: f"dry-{fresh_id}"}, {"dryRun": "true"}
    assert http.post("/clusters", json=cluster(id), headers=headers, params=dry).json()["event"] == "created"
    assert REPLAYED not in http.post("/clusters", json=cluster(id), headers=headers).headers
    refusal(http.post("/clusters", json=cluster(id), headers=headers, params=dry), 409, "cluster-exists")


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tkey"])
def test_what_is_no_key_is_refused(http: httpx.Client, fresh_id: str, key: str) -> None:
    refusal(http.post("/clusters", json=cluster(fresh_id), headers={KEY: key}), 400, "request-refused")


def test_the_longest_key_is_one(http: httpx.Client, fresh_id: str) -> None:
    headers = {KEY: f"{fresh_id}{'x' * 255}"[:255]}
    assert http.post("/clusters", json=cluster(f"long-{fresh_id}"), headers=headers).status_code == 201


def test_many_at_once_with_one_key_do_it_once(server: ServerProcess, http: httpx.Client, fresh_id: str) -> None:
    id, answers = f"raced-{fresh_id}", []

    def post() -> None:
        body, headers = cluster(id), {KEY: f"raced-{fresh_id}"}
        answers.append(httpx.post(f"{server.url}/clusters", json=body, headers=headers, timeout=20))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 8
    assert len({answer.content for answer in answers}) == 1
    assert sum(REPLAYED not in answer.headers for answer in answers) == 1
    assert len(http.get(f"/clusters/{id}/history").json()) == 1


def test_kill_9_leaves_each_write_done_once_or_not_at_all_and_the_replay_says_which(tmp_path: Path) -> None:
    """Nodes join under keys while the server is killed; every join is sent again to the next process."""
    joins = [(f"k-{number}", node(f"n-{number}")) for number in range(100)]
    answered: set[str] = set()

    def post(url: str, key: str, body: Any) -> httpx.Response:
        return httpx.post(f"{url}/clusters/west/nodes?onConflict=refuse", json=body, headers={KEY: key}, timeout=20)

    with ServerProcess(tmp_path / "data") as server:
        httpx.post(f"{server.url}/clusters", json=cluster("west"))

        def work(part: list[tuple[str, Any]]) -> None:
            for key, body in part:
                try:
                    assert post(server.url, key, body).status_code == 201
                except httpx.TransportError:
                    return
                answered.add(key)

        threads = [threading.Thread(target=work, args=(joins[start::4],)) for start in range(4)]
        for thread in threads:
            thread.start()
        while len(answered) < 20:
            threads[0].join(0.005)
        server.kill()
        for thread in threads:
            thread.join()
        assert len(answered) < len(joins)

        server.start()
        done = {each["id"] for each in httpx.get(f"{server.url}/clusters/west/nodes").json()}
        for key, body in joins:
            again = post(server.url, key, body)
            assert again.status_code == 201  # a join that was done and forgotten would be refused (409)
            assert (REPLAYED in again.headers) == (body["id"] in done)
            assert key not in answered or body["id"] in done
        nodes = [each["id"] for each in httpx.get(f"{server.url}/clusters/west/nodes").json()]
        assert sorted(nodes) == sorted(["node-1", *(body["id"] for _, body in joins)])
