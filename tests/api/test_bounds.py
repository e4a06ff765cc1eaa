"""How deep and how large a document may become, and what readers get of one that an older version let grow deeper.

Deep documents are written into the journal directly, as a version without these bounds stored them.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from rollbook.journal.changes import Change
from tests.api.test_watching import server_sent
from tests.engines import journal_of
from tests.examples import cluster, node
from tests.serving import ServerProcess
from tests.webhooks.receiving import target

DEPTHS = [130, 250, 254]
"""The deepest is as deep as an older version could store."""
LEVELS_MAX = 128
SHALLOW = 2
NOW_MS = time.time_ns() // 1_000_000


def nested(levels: int) -> Any:
    """Objects in objects, so many levels of them."""
    value: Any = {}
    for _ in range(levels - 1):
        value = {"c": value}
    return value


def stored_deep(id: str, levels: int, **fields: Any) -> bytes:
    """A document of so many levels, as it is stored."""
    totals = {"nodes": {"count": 0, "nodeData": []}, "gpus": {"count": 0, "memory": 0}, "vcpus": {"count": 0}}
    totals |= {"memory": 0, "swap": 0, "storage": {"disks": 0, "size": 0}}
    totals |= {"network": {"interfaces": 0, "txBandwidth": 0, "rxBandwidth": 0}}
    document = cluster(id, **totals, **fields)
    document["clusterMetadata"]["h"] = None
    if levels == SHALLOW:
        return json.dumps(document).encode()
    deep = b'{"c":' * (levels - 3) + b"{}" + b"}" * (levels - 3)
    return json.dumps(document).encode().replace(b'"h": null', b'"h": ' + deep)


@pytest.fixture(scope="module")
def deep_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of a journal with a document of each depth, which became so deep by an update."""
    data = tmp_path_factory.mktemp("deep") / "data"
    journal = journal_of(data)
    changes = []
    for levels in DEPTHS:
        before, after = (stored_deep(f"deep-{levels}", depth, reputation=depth) for depth in (SHALLOW, levels))
        changes.append(Change(len(changes) + 1, f"deep-{levels}", "created", NOW_MS, None, before))
        changes.append(Change(len(changes) + 1, f"deep-{levels}", "updated", NOW_MS, before, after))
    journal.append(changes, after=0)
    journal.close()
    with ServerProcess(data, environment={"ROLLBOOK_WEBHOOKS_PRIVATE": "127.0.0.0/8"}) as running:
        yield running


@pytest.fixture(scope="module")
def deep(deep_server: ServerProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=deep_server.url, timeout=20) as client:
        yield client


def test_a_pipeline_makes_no_document_that_is_nested_too_deeply(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    assert http.put(f"/clusters/{fresh_id}", json={"$set": {"h": nested(100)}}).status_code == 200
    before = http.get(f"/clusters/{fresh_id}").json()

    refused = http.put(f"/clusters/{fresh_id}", json=[{"$set": {"w." + ".".join(["c"] * 100): "$h"}}])

    assert refused.status_code == 422
    assert "nested more than 128 levels" in refused.json()["detail"]
    assert refused.json()["errors"][0]["at"].startswith("/w/c/c/c/")
    assert http.get(f"/clusters/{fresh_id}").json() == before


@pytest.mark.parametrize(
    ("inner", "path", "fits"),
    [
        (100, "w" + ".c" * 27, True),
        (100, "w" + ".c" * 28, False),
        (1, "w" + ".c" * 126, True),
        (1, "w" + ".c" * 127, False),
    ],
)
def test_the_bound_is_the_same_for_every_operator(
    http: httpx.Client, fresh_id: str, inner: int, path: str, fits: bool
) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    for id, update in (("a", {"$set": {path: nested(inner)}}), ("b", [{"$set": {path: {"$literal": nested(inner)}}}])):
        http.post("/clusters", json=cluster(f"{fresh_id}-{id}"))
        assert (http.put(f"/clusters/{fresh_id}-{id}", json=update).status_code == 200) is fits
    http.put(f"/clusters/{fresh_id}", json={"$set": {"h": nested(inner)}})
    assert (http.put(f"/clusters/{fresh_id}", json={"$rename": {"h": path}}).status_code == 200) is fits


def test_nodes_count_with_the_levels_that_they_lie_below(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    fits = {**node("deep"), "nodeMetadata": nested(LEVELS_MAX - 4)}
    too_deep = {**node("deep"), "nodeMetadata": nested(LEVELS_MAX - 3)}
    at = f"/clusters/{fresh_id}/nodes"
    for answer in (
        http.post(at, json=too_deep),
        http.put(at, json=[too_deep]),
        http.put(f"{at}/node-1", json={**too_deep, "id": "node-1"}),
        http.patch(f"{at}/node-1", json={"nodeMetadata": too_deep["nodeMetadata"]}),
        http.patch(f"{at}/node-1", json={"$set": {"nodeMetadata": too_deep["nodeMetadata"]}}),
    ):
        assert answer.status_code == 422, answer.text
    assert http.post(at, json=fits).status_code == 201


@pytest.mark.parametrize("levels", DEPTHS)
def test_a_deep_document_is_read_by_every_reader(deep: httpx.Client, levels: int) -> None:
    id = f"deep-{levels}"
    wanted = deep.get(f"/clusters/{id}")
    assert wanted.status_code == 200
    assert deep.post("/clusters/query", json={"id": id}).content == b"[" + wanted.content + b"]"
    for query in (
        {"query": {"id": id}, "include": "registry"},
        {"query": {"id": id}, "projection": {"clusterMetadata": 1}},
        {"query": {"clusterMetadata.name": id}, "sort": {"clusterMetadata.h": 1}},
    ):
        assert deep.post("/clusters/query", json=query).status_code == 200
    aggregated = deep.post("/clusters/aggregate", json=[{"$group": {"_id": "$regionId", "all": {"$push": "$$ROOT"}}}])
    assert aggregated.status_code in (200, 400), aggregated.text


@pytest.mark.parametrize("detail", ["document", "patch", "both"])
def test_the_past_of_a_deep_document_is_told(deep: httpx.Client, detail: str) -> None:
    for levels in DEPTHS:
        assert len(deep.get(f"/clusters/deep-{levels}/history", params={"as": detail}).json()) >= 2
    changes = deep.get("/changes", params={"as": detail, "limit": 2 * len(DEPTHS)})
    assert changes.status_code == 200
    assert len(changes.json()) == 2 * len(DEPTHS)


@pytest.mark.parametrize("levels", DEPTHS)
def test_a_watcher_gets_past_a_deep_document(deep: httpx.Client, levels: int) -> None:
    query = {"query": {"clusterMetadata.owner": "tests"}}
    with (
        deep.stream("POST", "/clusters/watch", json=query, params={"as": "patch", "since": 0}) as resumed,
        deep.stream("POST", "/clusters/watch", json=query, params={"as": "patch"}) as live,
    ):
        updated = deep.put(f"/clusters/deep-{levels}", json={"$inc": {"reputation": 1}})
        assert updated.status_code == 200, updated.text
        revision = int(updated.headers["etag"].strip('"'))
        names = {}
        for reader in (resumed, live):
            for name, number, data in server_sent(reader.iter_lines()):
                names[number] = name
                if number == revision:
                    assert data["patch"][0]["op"] == "replace"
                    break
        assert set(names.values()) == {"created", "updated"}


def test_a_webhook_with_patches_gets_past_deep_documents(deep: httpx.Client) -> None:
    with target() as receiver:
        made = deep.post("/webhooks", json={"url": receiver.url, "as": "patch", "since": 0})
        assert made.status_code == 201, made.text
        received = receiver.wait_for(2 * len(DEPTHS))
        assert [each.revision for each in received][: 2 * len(DEPTHS)] == list(range(1, 2 * len(DEPTHS) + 1))
        deep.delete(f"/webhooks/{made.json()['id']}")


@pytest.mark.parametrize("levels", DEPTHS)
def test_a_deep_document_keeps_its_right_to_other_updates(deep: httpx.Client, levels: int) -> None:
    at = f"/clusters/deep-{levels}"
    assert deep.put(at, json={"$set": {"regionId": f"r-{levels}"}}).status_code == 200
    assert deep.post(f"{at}/nodes", json=node("joined")).status_code == 201
    assert deep.delete(f"{at}/nodes/joined").status_code == 200
    deeper = deep.put(at, json=[{"$set": {"clusterMetadata.h": {"c": "$clusterMetadata.h"}}}])
    assert deeper.status_code in (400, 422), deeper.text


def test_a_deep_document_is_repaired_through_the_document(tmp_path: Path) -> None:
    journal = journal_of(tmp_path / "data")
    journal.append([Change(1, "deep", "created", NOW_MS, None, stored_deep("deep", 254))], after=0)
    journal.close()
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url) as http:
        assert http.put("/clusters/deep", json={"$unset": {"clusterMetadata.h": ""}}).status_code == 200
        back = http.post("/clusters/deep/restore", json={"revision": 1})
        assert back.status_code == 422
        assert "levels" in back.json()["detail"]


def test_a_body_of_too_many_values_is_refused_before_they_are_made(deep_server: ServerProcess) -> None:
    of_json = {"content-type": "application/json"}
    zeros = b'{"x":[' + b",".join([b"0"] * 1_100_000) + b"]}"
    refused = httpx.post(f"{deep_server.url}/clusters/query", content=zeros, headers=of_json)
    assert (refused.status_code, refused.json()["code"]) == (400, "json-too-deep")
    assert "1,048,576 values" in refused.json()["detail"]

    commas = b'{"x":"%s"}' % (b"," * 2_200_000)
    assert httpx.post(f"{deep_server.url}/clusters/query", content=commas, headers=of_json).json() == []
