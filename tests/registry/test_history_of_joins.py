"""Many nodes that join and leave at once, checked over the whole history: nothing is lost, totals are sums."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from tests.examples import cluster, node
from tests.serving import ServerProcess

EDITS = 64
WRITERS = 16


def edit(http: httpx.Client, number: int) -> int:
    """A node joins, by a node route or by an update; every fourth leaves again."""
    joined = node(f"node-{number}", gpus=number)
    if number % 2:
        status = http.post("/clusters/west/nodes", json=joined).status_code
    else:
        status = http.put("/clusters/west", json={"$push": {"nodes.nodeData": joined}}).status_code
    match number % 8:
        case 3:
            assert http.delete(f"/clusters/west/nodes/node-{number}").status_code == 200
        case 6:
            leaving = {"$pull": {"nodes.nodeData": {"id": f"node-{number}"}}}
            assert http.put("/clusters/west", json=leaving).status_code == 200
    return status


def test_joins_and_leaves_at_once_are_all_in_the_history_and_the_totals_are_sums_at_every_revision(
    tmp_path: Path,
) -> None:
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=30) as http:
        http.post("/clusters", json=cluster("west", node("first")))
        with ThreadPoolExecutor(WRITERS) as pool:
            statuses = set(pool.map(lambda number: edit(http, number), range(1, EDITS + 1)))
        changes = http.get("/changes?as=document&limit=1000").json()

    assert statuses == {200, 201}
    leavers = {number for number in range(1, EDITS + 1) if number % 8 in (3, 6)}
    assert [change["revision"] for change in changes] == list(range(1, 1 + EDITS + len(leavers) + 1))
    for change in changes:
        check_totals(change["document"])
    counts = [change["document"]["nodes"]["count"] for change in changes]
    assert {abs(after - before) for before, after in pairwise(counts)} == {1}
    stayed = {each["id"] for each in changes[-1]["document"]["nodes"]["nodeData"]}
    assert stayed == {"first", *(f"node-{n}" for n in range(1, EDITS + 1) if n not in leavers)}


def check_totals(document: dict[str, Any]) -> None:
    """The totals of a cluster are the sums over its nodes."""
    nodes = document["nodes"]["nodeData"]
    assert document["nodes"]["count"] == len(nodes)
    assert document["gpus"]["count"] == sum(each["gpus"]["count"] for each in nodes)
    assert document["gpus"]["memory"] == sum(each["gpus"]["memory"] for each in nodes)
    assert document["memory"] == sum(each["memory"] for each in nodes)
