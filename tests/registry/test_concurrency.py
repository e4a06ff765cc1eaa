"""Many writers of one document: no update is lost, and a condition holds for one of them only."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import orjson

from rollbook.clusters.totals import TOTALS, contradictions_in, derived_total
from rollbook.journal.sqlite.journal import SqliteJournal
from tests.examples import cluster, node
from tests.serving import ServerProcess

WRITERS = 16


def test_nodes_that_join_at_once_are_all_there_and_the_totals_are_their_sums(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=30) as http:
        http.post("/clusters", json=cluster("west", node("first")))

        def join(number: int) -> int:
            update = {"$push": {"nodes.nodeData": node(f"node-{number}", gpus=number)}}
            return http.put("/clusters/west", json=update).status_code

        with ThreadPoolExecutor(WRITERS) as pool:
            statuses = list(pool.map(join, range(1, 65)))

        assert set(statuses) == {200}
        after = http.get("/clusters/west").json()
        assert {each["id"] for each in after["nodes"]["nodeData"]} == {"first", *(f"node-{n}" for n in range(1, 65))}
        assert after["nodes"]["count"] == 65
        assert after["gpus"]["count"] == 2 + sum(range(1, 65))


def test_nodes_that_come_and_go_at_once_by_any_way_are_right_at_every_revision(tmp_path: Path) -> None:
    """32 nodes join and 32 leave, half of each by the routes of nodes and half by updates of the cluster."""

    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=30) as http:
        there = [node(f"old-{number}", gpus=1) for number in range(32)]
        gpus = {"count": 34, "memory": 34 * 16384, "modelNames": ["NVIDIA A100"]}
        http.post("/clusters", json=cluster("west", node("stays"), *there, gpus=gpus))

        def push(joining: dict[str, Any]) -> int:
            return http.put("/clusters/west", json={"$push": {"nodes.nodeData": joining}}).status_code

        def post(joining: dict[str, Any]) -> int:
            return http.post("/clusters/west/nodes", json=joining).status_code

        def pull(leaving: dict[str, Any]) -> int:
            return http.put("/clusters/west", json={"$pull": {"nodes.nodeData": {"id": leaving["id"]}}}).status_code

        def delete(leaving: dict[str, Any]) -> int:
            return http.delete(f"/clusters/west/nodes/{leaving['id']}").status_code

        def come_and_go(number: int) -> set[int]:
            join: Callable[[dict[str, Any]], int] = (push, post)[number % 2]
            leave: Callable[[dict[str, Any]], int] = (pull, delete)[number // 2 % 2]
            return {join(node(f"new-{number}", gpus=number, model=f"GPU {number % 4}")), leave(there[number])}

        with ThreadPoolExecutor(WRITERS) as pool:
            statuses = set().union(*pool.map(come_and_go, range(32)))
        assert statuses == {200, 201}

    with closing(SqliteJournal.open(tmp_path / "data")) as journal:
        versions = [orjson.loads(change.after or b"") for change in journal.follow(1)]
    assert len(versions) == 64
    for version in versions:
        assert contradictions_in(version) == []
        assert [total for total in TOTALS if derived_total(version, total) is None] == []
    ids = {each["id"] for each in versions[-1]["nodes"]["nodeData"]}
    assert ids == {"stays", *(f"new-{number}" for number in range(32))}
    assert set(versions[-1]["gpus"]["modelNames"]) == {"NVIDIA A100", *(f"GPU {number}" for number in range(4))}


def test_of_many_that_hold_the_same_tag_one_wins(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=30) as http:
        tag = http.post("/clusters", json=cluster("west")).headers["etag"]

        def claim(number: int) -> int:
            update = {"$set": {"claimedBy": number}}
            return http.put("/clusters/west", json=update, headers={"if-match": tag}).status_code

        with ThreadPoolExecutor(WRITERS) as pool:
            statuses = sorted(pool.map(claim, range(WRITERS)))

        assert statuses == [200] + [412] * (WRITERS - 1)


def test_of_many_creations_of_one_id_one_wins(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server, httpx.Client(base_url=server.url, timeout=30) as http:

        def create(number: int) -> int:
            return http.post("/clusters", json=cluster("west", reputation=number)).status_code

        with ThreadPoolExecutor(WRITERS) as pool:
            statuses = sorted(pool.map(create, range(WRITERS)))

        assert statuses == [201] + [409] * (WRITERS - 1)
