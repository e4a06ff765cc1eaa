"""Reading beyond the plain query: options beside it, counting, aggregating, explaining."""

import json
from typing import Any

import httpx
import pytest

from rollbook.api.compression import COMPRESS_FROM_BYTES
from tests.examples import cluster, node

CODINGS_CHOSEN = (
    ("gzip;q=0.5, br", "gzip"),
    ("gzip, deflate", "gzip"),
    ("gzip, deflate, br, zstd", "zstd"),
    ("zstd;q=0.5, gzip;q=0.8", "gzip"),
    ("GZIP", "gzip"),
    ("*", "zstd"),
    ("identity;q=0.1, zstd; q=1.0", "zstd"),
)


@pytest.fixture(scope="module")
def fleet(http: httpx.Client) -> str:
    """A region of three clusters: small, medium and large, by their GPUs."""
    for id, gpus in (("large", 8), ("small", 1), ("medium", 4)):
        document = cluster(f"reading-{id}", node(gpus=gpus), regionId="reading", reputation=gpus)
        assert http.post("/clusters", json=document).status_code == 201
    return "reading"


def names(reply: httpx.Response) -> list[str]:
    """The short names of the clusters in a reply."""
    assert reply.status_code == 200, reply.text
    return [each["id"].removeprefix("reading-") for each in reply.json()]


def test_without_a_sort_the_order_is_that_of_creation(http: httpx.Client, fleet: str) -> None:
    assert names(http.post("/clusters/query", json={"regionId": fleet})) == ["large", "small", "medium"]


def test_sort_skip_limit_and_projection_stand_beside_the_query(http: httpx.Client, fleet: str) -> None:
    asked = {"query": {"regionId": fleet}, "sort": {"gpus.count": -1}, "skip": 1, "limit": 1, "projection": {"tags": 1}}
    reply = http.post("/clusters/query", json=asked)
    assert reply.json() == [{"id": "reading-medium", "tags": ["gpu"]}]
    assert "etag" not in reply.headers
    assert names(http.post("/clusters/query", json={"query": {"regionId": fleet}, "limit": 0})) == [
        "large",
        "small",
        "medium",
    ]


def test_counting_answers_a_number(http: httpx.Client, fleet: str) -> None:
    assert http.post("/clusters/count", json={"regionId": fleet, "gpus.count": {"$gte": 4}}).json() == {"count": 2}
    windowed = {"query": {"regionId": fleet}, "skip": 1, "limit": 5}
    assert http.post("/clusters/count", json=windowed).json() == {"count": 2}
    computed = {"regionId": fleet, "$expr": {"$gt": ["$gpus.count", 1]}}
    assert http.post("/clusters/count", json=computed).json() == {"count": 2}


def test_aggregating_runs_a_pipeline(http: httpx.Client, fleet: str) -> None:
    stages = [
        {"$match": {"regionId": fleet, "gpus.count": {"$gt": "1"}}},
        {"$group": {"_id": "$regionId", "gpus": {"$sum": "$gpus.count"}}},
    ]
    for body in (stages, {"pipeline": stages, "maxTimeMS": 5000}):
        assert http.post("/clusters/aggregate", json=body).json() == [{"_id": fleet, "gpus": 12}]


@pytest.mark.parametrize("operator", ["$and", "$nor"])
@pytest.mark.parametrize(
    "before", [{"$sort": {"id": 1}}, {"$skip": 0}, {"$limit": 1000}, {"$sample": {"size": 1000}}, {"$match": {}}]
)
def test_numbers_sent_as_text_are_read_while_clusters_pass_whole(
    http: httpx.Client, fleet: str, before: dict[str, Any], operator: str
) -> None:
    within = {"regionId": fleet}
    count = [{"$match": {**within, operator: [{"gpus.count": {"$gte": "4"}}]}}, {"$count": "n"}]
    expected = [{"n": 2 if operator == "$and" else 1}]
    assert http.post("/clusters/aggregate", json=[before, *count]).json() == expected
    assert http.post("/clusters/aggregate", json=[before, {"$facet": {"a": count}}]).json() == [{"a": expected}]
    other = [{"$set": {"gpus.count": "4"}}, {"$match": {**within, "gpus.count": "4"}}, {"$count": "n"}]
    assert http.post("/clusters/aggregate", json=other).json() == [{"n": 3}]


def test_explaining_says_how_a_query_is_answered(http: httpx.Client, fleet: str) -> None:
    filter = {"regionId": fleet, "gpus.count": {"$gte": 4}}
    for reply in (
        http.post("/clusters/explain", json=filter),
        http.post("/clusters/query", json={"query": filter, "explain": True}),
    ):
        told = reply.json()
        assert (told["exact"], told["candidates"], told["returned"]) == (True, 2, 2)
        assert "2 of" in told["summary"]
        assert any("gpus.count" in line for line in told["text"])
    scanned = http.post("/clusters/explain", json={"$expr": {"$eq": ["$regionId", fleet]}}).json()
    assert (scanned["exact"], scanned["returned"]) == (False, 3)
    assert "looked at" in scanned["summary"]


@pytest.mark.parametrize(
    ("group", "answered"),
    [
        ({"_id": "$status"}, "indexes"),
        ({"_id": "$status", "gpus": {"$sum": "$gpus.count"}}, "indexes"),
        ({"_id": {"s": "$status", "r": "$regionId"}, "gpus": {"$sum": "$gpus.count"}}, "indexes"),
        ({"_id": {"s": {"$toUpper": "$status"}}, "gpus": {"$sum": "$gpus.count"}}, "3 documents are looked at"),
        ({"_id": "$_registry.liveness", "gpus": {"$sum": "$gpus.count"}}, "the indexes alone"),
        ({"_id": {"l": "$_registry.liveness", "s": "$status"}, "n": {"$sum": 1}}, "the indexes alone"),
        ({"_id": "$_registry.ageSeconds", "gpus": {"$sum": "$gpus.count"}}, "3 documents are looked at"),
    ],
)
def test_explaining_a_pipeline_says_what_answers_it(http: httpx.Client, fleet: str, group: Any, answered: str) -> None:
    match = {"regionId": fleet}
    told = http.post("/clusters/explain", json={"pipeline": [{"$match": match}, {"$group": group}]}).json()
    assert answered in told["pipeline"]
    assert (told["query"], told["exact"], told["candidates"]) == (match, True, 3)
    now = http.get("/readyz").json()["revision"]
    past = http.post("/clusters/explain", params={"revision": now}, json={"pipeline": [{"$group": group}]})
    assert past.status_code == 400 if "_registry" in str(group) else "not indexed" in past.json()["pipeline"]
    refused = http.post("/clusters/explain", json={"pipeline": [{"$grup": group}]})
    assert (refused.status_code, refused.json()["code"]) == (400, "pipeline-refused")


def test_explaining_says_where_the_order_comes_from(http: httpx.Client, fleet: str) -> None:
    def summary_of(**asked: Any) -> str:
        told: str = http.post("/clusters/explain", json={"query": {"regionId": fleet}, **asked}).json()["summary"]
        return told

    assert "order" not in summary_of()
    assert summary_of(sort={"id": 1}, limit=2).endswith("the index has them in the order that is asked for")
    for asked in ({"sort": {"id": 1}}, {"sort": {"status": 1, "id": 1}, "limit": 2}, {"sort": {"tags": 1}, "limit": 2}):
        assert summary_of(**asked).endswith("what matches is sorted")


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("window", [{"limit": 1}, {"limit": 2}, {"skip": 1, "limit": 1}, {"skip": 2, "limit": 9}])
def test_an_order_from_the_index_is_that_of_a_sort(
    http: httpx.Client, fleet: str, direction: int, window: dict[str, int]
) -> None:
    asked = {"query": {"regionId": fleet}, "projection": {"reputation": 1}}
    for path in ("id", "reputation", "status", "nothing"):
        sort = {path: direction}
        whole = http.post("/clusters/query", json={**asked, "sort": sort}).json()
        part = http.post("/clusters/query", json={**asked, "sort": sort, **window}).json()
        skip = window.get("skip", 0)
        assert part == whole[skip : skip + window["limit"]]


def test_a_query_that_takes_too_long_ends_at_its_time(http: httpx.Client, fleet: str) -> None:
    endless = {"$map": {"input": {"$range": [0, 1000000]}, "in": {"$size": {"$range": [0, 1000]}}}}
    asked = {"query": {"regionId": fleet, "$expr": {"$gt": [{"$size": endless}, 0]}}, "maxTimeMS": 50}

    reply = http.post("/clusters/query", json=asked)

    assert (reply.status_code, reply.json()["mongoCode"]) == (400, 50)


def test_lines_of_json_are_the_same_documents(http: httpx.Client, fleet: str) -> None:
    asked = {"query": {"regionId": fleet}}
    lines = http.post("/clusters/query", json=asked, headers={"accept": "application/x-ndjson"})

    assert lines.headers["content-type"].startswith("application/x-ndjson")
    assert lines.text.endswith("\n")
    assert [json.loads(line) for line in lines.text.splitlines()] == http.post("/clusters/query", json=asked).json()
    nothing = http.post("/clusters/query", json={"id": "nobody"}, headers={"accept": "application/x-ndjson"})
    assert (nothing.status_code, nothing.content) == (200, b"")


def test_an_answer_is_compressed_when_asked_for_and_worth_it(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id, *(node(f"node-{number}") for number in range(200))))
    path = f"/clusters/{fresh_id}"

    plain = http.get(path, headers={"accept-encoding": "identity"})

    assert "content-encoding" not in plain.headers
    for accepted, coding in CODINGS_CHOSEN:
        packed = http.get(path, headers={"accept-encoding": accepted})
        assert packed.headers["content-encoding"] == coding, accepted
        assert packed.headers["etag"] == plain.headers["etag"][:-1] + f'-{coding}"'
        assert "accept-encoding" in packed.headers["vary"]
        assert packed.content == plain.content
        assert http.get(path, headers={"if-none-match": packed.headers["etag"]}).status_code == 304
    for refused in ("gzip;q=0", "br", "zstd;q=0, *;q=0", ""):
        assert "content-encoding" not in http.get(path, headers={"accept-encoding": refused}).headers, refused


@pytest.mark.parametrize("nodes", [1, 30])
def test_an_answer_that_is_compressed_or_not_is_the_same(http: httpx.Client, fresh_id: str, nodes: int) -> None:
    http.post("/clusters", json=cluster(fresh_id, *(node(f"node-{number}") for number in range(nodes))))
    plain = http.post("/clusters/query", json={"id": fresh_id}, headers={"accept-encoding": "identity"})
    for coding in ("gzip", "zstd"):
        reply = http.post("/clusters/query", json={"id": fresh_id}, headers={"accept-encoding": coding})
        assert reply.json() == plain.json()
        assert reply.headers.get("content-encoding") == (coding if len(plain.content) >= COMPRESS_FROM_BYTES else None)


def test_a_large_answer_arrives_whole_in_every_form(http: httpx.Client, fresh_id: str) -> None:
    note = "x" * 200_000
    for number in range(20):
        http.post("/clusters", json=cluster(f"{fresh_id}-{number}", regionId=fresh_id, note=note))
    for encoding in ("identity", "gzip", "zstd"):
        for accept in ("application/json", "application/x-ndjson"):
            headers = {"accept-encoding": encoding, "accept": accept}
            reply = http.post("/clusters/query", json={"regionId": fresh_id}, headers=headers)
            found = (
                reply.json() if accept == "application/json" else [json.loads(row) for row in reply.text.splitlines()]
            )
            assert [each["id"] for each in found] == [f"{fresh_id}-{number}" for number in range(20)]
            assert ("content-encoding" in reply.headers) == (encoding != "identity")
