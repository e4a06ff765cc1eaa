"""A snapshot of the index that can't be written is reported, and never fails the stop."""

from pathlib import Path

import httpx

from rollbook.documents.codec import encode_json
from rollbook.journal.changes import Change
from rollbook.journal.sqlite.journal import SqliteJournal
from rollbook.view.opening import SAVED_AT_ONCE_MIN
from tests.examples import cluster
from tests.serving import ServerProcess

LONG_MEMORY = {"$mergeObjects": ["$$this", {"memory": {"$toLong": 9}}]}

LONGS = [
    [{"$set": {"clusterMetadata.z": {"$toLong": "5"}}}],
    [{"$set": {"memory": {"$toLong": "7"}}}],
    [{"$set": {"clusterMetadata.z": {"a": [{"b": {"$toLong": 5}}]}}}],
    [{"$set": {"nodes.nodeData": {"$map": {"input": "$nodes.nodeData", "in": LONG_MEMORY}}}}],
    [{"$replaceWith": {"$mergeObjects": ["$$ROOT", {"reputation": {"$toLong": 3}}]}}],
    [{"$set": {"clusterMetadata.z": {"$convert": {"input": "12", "to": "long"}}}}],
    [{"$set": {"clusterMetadata.z": {"$arrayToObject": [[["k", {"$toLong": 1}]]]}}}],
]  # fmt: skip


def test_what_an_expression_makes_is_indexed_and_snapshot_like_any_number(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data").start()
    updated = {}
    with httpx.Client(base_url=server.url) as http:
        for number, update in enumerate(LONGS):
            id = f"c{number}"
            http.post("/clusters", json=cluster(id))
            reply = http.put(f"/clusters/{id}", json=update)
            assert reply.status_code == 200, reply.text
            assert isinstance(reply.json()["memory"], int)
            updated[id] = reply.json()
    assert server.stop() == 0
    assert (tmp_path / "data" / "index.snapshot").exists()
    assert "snapshot" not in server.log.read_text()
    with ServerProcess(tmp_path / "data") as again:
        assert {each["id"]: each for each in httpx.post(f"{again.url}/clusters/query", json={}).json()} == updated


def test_a_snapshot_that_the_disk_refuses_is_reported_and_the_stop_is_clean(tmp_path: Path) -> None:
    (tmp_path / "data" / "index.snapshot").mkdir(parents=True)  # nothing can be written over a directory
    (tmp_path / "data" / "index.snapshot" / "in-the-way").touch()
    server = ServerProcess(tmp_path / "data").start()
    with httpx.Client(base_url=server.url) as http:
        http.post("/clusters", json=cluster("west"))
        assert http.get("/readyz").json()["snapshot"] == {"revision": 0}
    assert server.stop() == 0
    assert "the snapshot of the index could not be written" in server.log.read_text()


def test_a_failure_at_the_start_is_counted_and_shown(tmp_path: Path) -> None:
    """A thousand clusters are worth a snapshot as soon as they are read."""
    data = tmp_path / "data"
    journal = SqliteJournal.open(data)
    bodies = {f"c{number}": encode_json(cluster(f"c{number}")) for number in range(SAVED_AT_ONCE_MIN)}
    changes = [Change(number, id, "created", 1, None, body) for number, (id, body) in enumerate(bodies.items(), 1)]
    journal.append(changes, after=0)
    journal.close()
    (data / "index.snapshot").mkdir()
    (data / "index.snapshot" / "in-the-way").touch()
    with ServerProcess(data) as server, httpx.Client(base_url=server.url) as http:
        assert "directory" in http.get("/readyz").json()["snapshot"]["trouble"].lower()
        assert "\nrollbook_index_snapshot_failures_total 1.0" in http.get("/metrics").text
