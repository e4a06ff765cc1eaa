"""A server that is told to stop, while requests compute for long: they are ended, and it is gone within seconds."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.examples import cluster
from tests.serving import ServerProcess

STOP_SECONDS_MAX = 15.0
"""Far less than the 60 s that each request may take, and enough for a busy machine."""

RANGE = {"$range": [0, {"$add": [100_000, {"$mod": ["$$this", 2]}]}]}
ENDLESS = {"$sum": {"$map": {"input": {"$range": [0, 500_000]}, "in": {"$sum": RANGE}}}}
GROWN = {
    "$reduce": {
        "input": {"$range": [0, 20]},
        "initialValue": "abcdefgh x",
        "in": {"$concat": ["$$value", "$$value"]},
    }
}
SEARCH = {"$regexMatch": {"input": GROWN, "regex": {"$concat": ["((a?){90}){1}(.*){90}x", {"$toString": "$$this"}]}}}
SEARCHING = {"$anyElementTrue": [{"$map": {"input": {"$range": [0, 500_000]}, "as": "this", "in": SEARCH}}]}


def test_requests_that_compute_for_long_do_not_keep_it_from_stopping(tmp_path: Path) -> None:
    environment = {"ROLLBOOK_MAX_TIME_MS": "60000", "ROLLBOOK_RESULT_BYTES_MAX": str(1 << 36)}
    requests: list[tuple[str, str, object]] = [
        ("POST", "/clusters/query", {"$expr": {"$gt": [ENDLESS, 0]}}),
        ("POST", "/clusters/count?revision=1", {"$expr": {"$gt": [ENDLESS, 0]}}),
        ("POST", "/clusters/aggregate", [{"$project": {"x": ENDLESS}}]),
        ("PUT", "/clusters/west", [{"$set": {"clusterMetadata.x": SEARCHING}}]),
        ("PUT", "/clusters/east", {"update": {"$set": {"x": 1}}, "filter": {"$expr": {"$gt": [ENDLESS, 0]}}}),
        ("PUT", "/clusters/east", [{"$set": {"clusterMetadata.x": ENDLESS}}]),  # waits for its turn
    ]
    with ServerProcess(tmp_path / "data", environment=environment) as server, ThreadPoolExecutor(8) as clients:
        for id in ("west", "east"):
            assert httpx.post(server.url + "/clusters", json=cluster(id)).status_code == 201
        asked = [
            clients.submit(httpx.request, method, server.url + path, json=body, timeout=90)
            for method, path, body in requests
        ]
        time.sleep(2)
        assert not [answer.result().text for answer in asked if answer.done()]
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < STOP_SECONDS_MAX
        answers = [answer.result() for answer in asked]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "overloaded")] * len(requests)
    assert "Traceback" not in server.log.read_text()
