"""A registry that holds its documents packed answers as any other one."""

from pathlib import Path

import httpx

from rollbook.view.packing import SAMPLE_BYTES
from tests.examples import cluster, node
from tests.serving import ServerProcess

NODES = [node(f"node-{number}") for number in range(20)]
COUNT = SAMPLE_BYTES // 4096


def test_documents_are_what_they_were_before_and_after_a_start(tmp_path: Path) -> None:
    packed, plain = ({"ROLLBOOK_BODIES": name} for name in ("packed", "plain"))
    with ServerProcess(tmp_path / "data", environment=packed) as server, httpx.Client(base_url=server.url) as http:
        for number in range(COUNT):
            document = cluster(f"c{number}", *NODES, reputation=number)
            assert http.post("/clusters", json=document).status_code == 201
        last = f"/clusters/c{COUNT - 1}"
        changed = http.put(last, json={"$set": {"tags": ["packed"]}, "$inc": {"nodes.nodeData.3.memory": 1}}).json()
        assert http.get(last).json() == changed
        assert http.post("/clusters/query", json={"tags": "packed"}).json() == [changed]
        asked = {
            "query": {"reputation": {"$gte": 2}},
            "sort": {"reputation": -1},
            "limit": 2,
            "projection": {"tags": 1},
        }
        found = http.post("/clusters/query", json=asked).json()
        assert [each["id"] for each in found] == [f"c{COUNT - 1}", f"c{COUNT - 2}"]
        assert http.get(last, params={"include": "registry"}).json()["_registry"]["revision"] == COUNT + 1
        everything = http.post("/clusters/query", json={}).content
    for environment in (packed, plain):
        with ServerProcess(tmp_path / "data", environment=environment) as server:
            assert httpx.post(f"{server.url}/clusters/query", json={}).content == everything
