"""Nothing is imported on the event loop while requests are answered: a large package would hold up everybody."""

from pathlib import Path

import httpx

from tests.examples import cluster, node
from tests.serving import ServerProcess

WATCHING_IMPORTS = """\
import asyncio, os, sys

def note(event, arguments):
    if event == "import" and asyncio._get_running_loop() is not None:
        with open(os.environ["IMPORTED"], "a") as file:
            print(arguments[0], file=file)

sys.addaudithook(note)
"""
QUESTIONS = (
    ("/clusters/query", {"query": {"$expr": {"$gt": ["$gpus.count", 1]}}, "sort": {"gpus.count": -1}}),
    ("/clusters/query", {"query": {}, "collation": {"locale": "en", "strength": 1}, "sort": {"regionId": 1}}),
    ("/clusters/query", {"clusterMetadata.description": {"$regex": "x+y"}}),
    (
        "/clusters/aggregate",
        [{"$group": {"_id": "$regionId", "clusters": {"$sum": 1}, "gpus": {"$sum": "$gpus.count"}}}],
    ),
    ("/clusters/aggregate", [{"$group": {"_id": {"region": "$regionId", "status": "$status"}, "n": {"$sum": 1}}}]),
    ("/clusters/facets", {"facets": ["regionId", "_registry.liveness"]}),
    ("/clusters/table", {"columns": ["id", "regionId", "_registry.updatedAt"]}),
    ("/clusters/fit", {"gpus": 1}),
    ("/clusters/explain", {"regionId": "eu"}),
    ("/webhooks", {"id": "first", "url": "http://127.0.0.1:9/hook"}),
)


def test_nothing_is_imported_on_the_event_loop_while_requests_are_answered(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(WATCHING_IMPORTS)
    imported = tmp_path / "imported"
    watched = {
        "PYTHONPATH": str(tmp_path / "site"),
        "IMPORTED": str(imported),
        "ROLLBOOK_WEBHOOKS_PRIVATE": "127.0.0.0/8",
    }
    with ServerProcess(tmp_path / "data", environment=watched) as server:
        known = set(imported.read_text().split()) if imported.exists() else set()
        with httpx.Client(base_url=server.url) as client:
            assert client.post("/clusters", json=cluster("west", node("n1"))).status_code == 201
            for path, body in QUESTIONS:
                answer = client.post(path, json=body)
                assert answer.status_code < 300, (path, answer.text)
        late = set(imported.read_text().split() if imported.exists() else ()) - known
    assert not late
