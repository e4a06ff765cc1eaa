"""Many writers of one document: no update is lost, and a condition holds for one of them only."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

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
