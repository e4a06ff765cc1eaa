"""Where something fits, and why nothing matches: fits, explanations, and the Parser's search."""

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from rollbook.limits import DEFAULT_LIMITS
from rollbook.registry.reading.fit_requests import parse_fit
from rollbook.registry.reading.fitting import WITHOUT, fit_of
from tests.api.test_refusals import refusal
from tests.examples import cluster, node
from tests.serving import ServerProcess

Json = Any


def sized(id: str, gpus: int, vcpus: int, memory: int, model: str = "NVIDIA A100") -> Json:
    return {**node(id, gpus=gpus, model=model, memory=memory), "vcpus": {"count": vcpus}}


FLEET = [
    cluster("big", sized("b1", 8, 64, 512), sized("b2", 8, 64, 512), reputation=1),
    cluster("small", sized("s1", 2, 16, 128), sized("s2", 2, 16, 128), reputation=9),
    cluster("other", sized("o1", 8, 64, 512, "NVIDIA H100")),
    cluster("idle", sized("i1", 4, 32, 256), status="draining"),
]


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with ServerProcess(tmp_path_factory.mktemp("fits") / "data") as server, httpx.Client(base_url=server.url) as http:
        for each in FLEET:
            assert http.post("/clusters", json=each).status_code == 201
        yield http


def fit(http: httpx.Client, **asked: Json) -> Json:
    reply = http.post("/clusters/fit", json=asked)
    assert reply.status_code == 200, reply.text
    return reply.json()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"gpus": 4}, [("small", ["s1", "s2"]), ("idle", ["i1"]), ("other", ["o1"]), ("big", ["b1", "b2"])]),
        ({"gpus": 4, "gpuModel": "a100", "onOneNode": True}, [("idle", ["i1"]), ("big", ["b1"])]),
        ({"gpus": 2, "nodes": 2}, [("small", ["s1", "s2"]), ("big", ["b1", "b2"])]),
        ({"gpuModel": "H100"}, [("other", ["o1"])]),
        ({"gpus": 1, "gpuMemory": 16385}, []),
        ({"memory": 1024}, [("big", ["b1", "b2"])]),
        ({"vcpus": 33, "onOneNode": True, "where": "status = live"}, [("big", ["b1"]), ("other", ["o1"])]),
        ({"nodes": 1, "limit": 1}, [("small", ["s1"])]),
    ],
)
def test_the_tightest_fit_comes_first(http: httpx.Client, asked: Json, found: list[Any]) -> None:
    assert [(match["id"], match["nodes"]) for match in fit(http, **asked)["matches"]] == found


def test_a_fit_says_what_is_left_and_why_others_do_not_fit(http: httpx.Client) -> None:
    assert fit(http, query={"status": "live"}, gpus=4, gpuModel="A100", memory=200, onOneNode=True) == {
        "count": 1,
        "matches": [{"id": "big", "nodes": ["b1"], "left": {"gpus": 4, "vcpus": 64, "memory": 312}}],
        "whyNot": [
            {"clause": 'status $eq "live"', "removes": 1, "removesAlone": 1},
            {"clause": "gpus", "removes": 1, "removesAlone": 0},
            {"clause": "gpuModel", "removes": 1, "removesAlone": 1},
            {"clause": "memory", "removes": 1, "removesAlone": 0},
        ],
        "nearest": [
            {"id": "small", "missing": {"nodes": 1, "gpus": 2, "memory": 72}},
            {"id": "other", "missing": {"nodes": 1, "gpus": 4, "memory": 200}},
        ],
    }


def test_the_nearest_misses_lack_least(http: httpx.Client) -> None:
    answer = fit(http, gpus=20)
    assert answer["count"] == 0
    assert answer["nearest"] == [
        {"id": "big", "missing": {"gpus": 4}},
        {"id": "other", "missing": {"gpus": 12}},
        {"id": "small", "missing": {"gpus": 16}},
        {"id": "idle", "missing": {"gpus": 16}},
    ]


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, ""),
        ({"gpus": 0}, ""),
        ({"gpus": -1}, "/gpus"),
        ({"gpus": 1.5}, "/gpus"),
        ({"gpuModel": 5}, "/gpuModel"),
        ({"memory": "1"}, "/memory"),
        ({"gpus": 1, "nodes": 2, "onOneNode": True}, "/onOneNode"),
        ({"gpus": 1, "onOneNode": 1}, "/onOneNode"),
        ({"gpus": 1, "limit": 0}, "/limit"),
        ({"gpus": 1, "sort": {}}, "/sort"),
    ],
)
def test_what_is_no_fit_is_refused(http: httpx.Client, body: Json, at: str) -> None:
    problem = refusal(http.post("/clusters/fit", json=body), 400, "language-refused")
    assert problem.get("errors", [{"at": ""}])[0]["at"] == at


def test_a_fit_lacks_nothing() -> None:
    """Over many small clusters and needs: what fits lacks nothing, leaves nothing short, and fits with a need less."""
    random = Random(7)
    for amounts in product((0, 1, 3), (None, "A100"), (0, 16384, 99999), (0, 9), (0, 100), (0, 1, 2)):
        names = ("gpus", "gpuModel", "gpuMemory", "vcpus", "memory", "nodes")
        asked = {name: amount for name, amount in zip(names, amounts, strict=True) if amount}
        if not asked:
            continue
        needs = parse_fit(asked, limits=DEFAULT_LIMITS).needs
        nodes = [
            sized(str(at), random.randint(0, 3), random.choice((8, 16)), random.choice((64, 128)), random.choice("AB"))
            for at in range(random.randint(0, 3))
        ]
        document = cluster("c", *nodes) if nodes else {"nodes": {"nodeData": []}}
        found = fit_of(document, needs)
        assert not (found.missing and found.nodes)
        assert all(amount > 0 for amount in found.missing.values())
        if not found.missing:
            assert min(found.left) >= 0
            assert not any(fit_of(document, replace(needs, **WITHOUT[name])).missing for name in asked)


def test_lenient_documents_fit_nowhere_by_mistake() -> None:
    needs = parse_fit({"gpus": 1}, limits=DEFAULT_LIMITS).needs
    for nodes in (None, 5, [5], [{}], [{"gpus": 3}], [{"gpus": {"count": "3"}}], [{"gpus": {"gpus": [5]}}]):
        assert fit_of({"nodes": {"nodeData": nodes}}, needs).missing == {"gpus": 1}
    by_totals = {"nodes": {"nodeData": [{"id": 1, "gpus": {"count": 2, "memory": 100, "modelNames": ["A100"]}}]}}
    for asked, fits in (
        ({"gpus": 2}, True),
        ({"gpus": 3}, False),
        ({"gpuModel": "NVIDIA A100"}, True),
        ({"gpuModel": "H100"}, False),
        ({"gpus": 1, "gpuMemory": 50}, True),
        ({"gpus": 1, "gpuMemory": 51}, False),
    ):
        assert (not fit_of(by_totals, parse_fit(asked, limits=DEFAULT_LIMITS).needs).missing) == fits, asked


def test_an_explanation_has_the_filter_in_both_forms_and_says_why_not(http: httpx.Client) -> None:
    body = {"where": "status = draining and gpus >= 8 and name ~ big"}
    answer = http.post("/clusters/explain", json=body).json()
    assert answer["query"] == {
        "status": "draining",
        "gpus.count": {"$gte": 8},
        "clusterMetadata.name": {"$regex": "big", "$options": "i"},
    }
    assert answer["where"] == 'status = draining and gpus.count >= 8 and clusterMetadata.name ~ "big"'
    assert answer["whyNot"] == [
        {"clause": 'status $eq "draining"', "removes": 3, "removesAlone": 1},
        {"clause": "gpus.count $gte 8", "removes": 2, "removesAlone": 0},
        {"clause": 'clusterMetadata.name $regex "big"', "removes": 3, "removesAlone": 0},
    ]
    assert answer["nearest"][0] == {"id": "big", "missing": ['status $eq "draining"']}
    past = http.post("/clusters/explain", json=body, params={"revision": "1"}).json()
    assert past["whyNot"][0] == {"clause": 'status $eq "draining"', "removes": 1, "removesAlone": 1}
    same = http.post("/clusters/query", json={**body, "explain": True}).json()
    assert {name: same[name] for name in ("query", "where", "whyNot", "nearest")} == {
        name: answer[name] for name in ("query", "where", "whyNot", "nearest")
    }
    assert http.post("/clusters/explain", json={}).json()["whyNot"] == []


def test_the_parsers_search_is_answered_and_runs_no_policy(http: httpx.Client) -> None:
    values = {
        "matchType": "cluster",
        "filter": {"clusterQuery": {"variable": "status", "operator": "==", "value": "draining"}},
        "rankingPolicy": {},
    }
    reply = http.post("/api/search", json={"header": {"templateUri": "Parser/V1"}, "body": {"values": values}})
    assert [each["id"] for each in reply.json()["data"]] == ["idle"]
    values["rankingPolicy"] = {"values": {"policyRuleURI": "policies.rank:1.0"}}
    refused = http.post("/api/search", json={"body": {"values": values}})
    assert refused.json()["success"] is False
    problem = refusal(refused, 400, "request-refused")
    assert "runs no code" in problem["detail"]
    assert problem["errors"][0]["at"] == "/body/values/rankingPolicy/values/policyRuleURI"
