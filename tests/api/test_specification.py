"""The specification's own example and its four calls, as they stand there, through curl."""

import json
import subprocess
from typing import Any

import httpx
import pytest

from tests.api.specified import EXAMPLE
from tests.serving import ServerProcess


def curl(*arguments: str) -> Any:
    """What curl prints, as JSON; curl itself must succeed."""
    return json.loads(subprocess.run(["curl", "-sS", *arguments], check=True, capture_output=True).stdout)


def test_the_example_round_trips_byte_for_byte_in_its_order_of_fields(http: httpx.Client) -> None:
    created = http.post("/clusters", json=EXAMPLE)
    try:
        assert created.status_code == 201
        assert created.headers["location"] == f"/clusters/{EXAMPLE['id']}"
        assert json.dumps(http.get(f"/clusters/{EXAMPLE['id']}").json()) == json.dumps(EXAMPLE)
    finally:
        http.delete(f"/clusters/{EXAMPLE['id']}")


def test_the_four_specified_curl_commands(http: httpx.Client, server: ServerProcess) -> None:
    http.post("/clusters", json=EXAMPLE)
    one = f"{server.url}/clusters/cluster-west-vision-001"
    json_type = ("-H", "Content-Type: application/json")

    assert curl("-X", "GET", one) == EXAMPLE
    updated = curl("-X", "PUT", one, *json_type, "-d", '{"$set": {"tags": ["gpu", "updated"], "reputation": 97}}')
    assert updated == {**EXAMPLE, "tags": ["gpu", "updated"], "reputation": 97}
    query = '{"gpus.count": {"$gte": 2}, "clusterMetadata.countries": {"$in": ["USA"]}}'
    assert curl("-X", "POST", f"{server.url}/clusters/query", *json_type, "-d", query) == [updated]
    assert curl("-X", "DELETE", one) == {"message": "Cluster deleted"}
    assert http.get("/clusters/cluster-west-vision-001").status_code == 404


@pytest.mark.parametrize("body", [b"", b"{}", b'{"query": {}}'])
def test_an_empty_query_means_every_cluster(http: httpx.Client, body: bytes) -> None:
    http.post("/clusters", json=EXAMPLE)
    try:
        found = http.post("/clusters/query", content=body, headers={"content-type": "application/json"})
        assert EXAMPLE in found.json()
    finally:
        http.delete(f"/clusters/{EXAMPLE['id']}")
