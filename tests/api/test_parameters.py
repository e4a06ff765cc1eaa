"""What a query string says is understood or refused, on every operation, and means the same everywhere."""

import httpx
import pytest

from rollbook.api.declarations import Operation
from rollbook.api.operations import OPERATIONS
from rollbook.api.parameters import parameters_of
from rollbook.errors import RequestRefused
from rollbook.limits import DEFAULT_LIMITS
from rollbook.registry.history.moments import AtRevision, AtTime
from tests.api.test_refusals import refusal
from tests.examples import cluster

BY_NAME = {operation.name: operation for operation in OPERATIONS}


def values(operation: str, query: str) -> dict[str, object]:
    return dict(parameters_of(BY_NAME[operation], query.encode(), DEFAULT_LIMITS))


def problem(operation: str, query: str) -> str:
    with pytest.raises(RequestRefused) as refused:
        values(operation, query)
    return refused.value.message


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_parameter_that_is_not_declared_is_refused_on_every_operation(
    http: httpx.Client, operation: Operation
) -> None:
    path = operation.template.replace("{id}", "nobody").replace("{node_id}", "n").replace("{number}", "1")
    body = None if operation.body is None else operation.body.example
    reply = http.request(operation.method, path, params={"dry_run": "1"}, json=body)
    if operation.ignores_parameters:
        assert reply.status_code == 200
    else:
        assert "there is no parameter 'dry_run' here" in refusal(reply, 400, "request-refused")["detail"]


def test_only_probes_scrapers_and_readers_may_send_any_parameter() -> None:
    ignoring = {operation.path for operation in OPERATIONS if operation.ignores_parameters}
    assert ignoring <= {"/healthz", "/readyz", "/metrics", "/docs", "/console", "/console/{page:path}"}


def test_a_refused_parameter_keeps_the_envelope_of_the_parser(http: httpx.Client) -> None:
    reply = http.post("/api/filter?limit=1", json={"matchType": "cluster", "filter": {"clusterQuery": {}}})
    assert refusal(reply, 400, "request-refused")["success"] is False


def test_a_heartbeat_whose_lease_stands_in_the_address_is_refused(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    reply = http.post(f"/clusters/{fresh_id}/heartbeat?ttlSeconds=60")
    assert "'ttlSeconds' goes into the body" in refusal(reply, 400, "request-refused")["detail"]
    assert http.get(f"/clusters/{fresh_id}?include=registry").json()["_registry"]["liveness"] != "alive"


@pytest.mark.parametrize(
    ("operation", "query", "message"),
    [
        ("updateCluster", "fieldvalidation=strict", "did you mean 'fieldValidation'?"),
        ("getHistory", "limt=5", "did you mean 'limit'?"),
        ("queryClusters", "limit=5", "'limit' goes into the body"),
        ("queryClusters", "sorrt=id", "did you mean 'sort', which goes into the body?"),
        ("deleteWebhook", "force=true", "this operation takes none"),
        ("deleteCluster", "force=true", "only dryRun"),
        ("getCluster", "x=1", "only revision, at, include"),
        ("countClusters", "include=registry", "there is no parameter 'include' here"),
        ("getCluster", "=1", "there is no parameter '' here"),
        ("getCluster", "x", "there is no parameter 'x' here"),
        ("getCluster", "n" * 1000, "'" + "n" * 50 + "...'"),
    ],
)
def test_a_misspelt_parameter_is_told_what_was_meant(operation: str, query: str, message: str) -> None:
    assert message in problem(operation, query)


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        (operation.name, parameter.name)
        for operation in OPERATIONS
        for parameter in operation.parameters
        if not parameter.lists
    ],
)
def test_an_empty_value_and_a_second_one_are_refused(operation: str, name: str) -> None:
    sound = {
        "at": "0",
        "as": "both",
        "wait": "0s",
        "filter": "{}",
        "fieldValidation": "warn",
        "onConflict": "refuse",
        **dict.fromkeys(("dryRun", "upsert", "follow", "atomic"), "true"),
    }
    value = sound.get(name, "1")
    assert values(operation, f"{name}={value}")
    assert f"{name} is given 2 times" in problem(operation, f"{name}={value}&{name}={value}")
    assert problem(operation, f"{name}=")


@pytest.mark.parametrize("limit", ["0", "-1", "+1", "1001", "1e3", "1.0", "", " 1", "9" * 30, "9" * 5000, "١", "0x5"])
def test_a_limit_outside_its_bounds_is_told_them(limit: str) -> None:
    for operation in ("getHistory", "getChanges"):
        assert "limit must be an integer from 1 to 1000" in problem(operation, f"limit={limit.replace('+', '%2B')}")


def test_numbers_are_read_alike_everywhere() -> None:
    assert values("getHistory", "limit=0001000&before=0") == {"limit": 1000, "before": 0, "as": "patch"}
    assert values("getCluster", "revision=007")["revision"] == AtRevision(7)
    assert values("getCluster", "at=1")["at"] == AtTime(1000)
    for operation, name in (("getHistory", "before"), ("getChanges", "since"), ("watchClusters", "since")):
        assert values(operation, f"{name}={10**18 - 1}")[name] == 10**18 - 1
        assert f"{name} must be a revision" in problem(operation, f"{name}={10**18}")
        assert f"{name} must be a revision" in problem(operation, f"{name}=-1")


def test_a_list_may_be_repeated_or_separated_by_commas() -> None:
    assert values("getCluster", "include=registry,registry&include=registry")["include"] == ("registry",) * 3
    assert "it can be registry" in problem("getCluster", "include=registry,")
    assert "it can be registry" in problem("getCluster", "include=")


def test_a_query_string_is_utf_8() -> None:
    assert "not UTF-8" in problem("watchClusters", "filter=%ff")
    with pytest.raises(RequestRefused, match="not UTF-8"):
        parameters_of(BY_NAME["watchClusters"], b"filter=\xff", DEFAULT_LIMITS)


def test_a_moment_is_a_revision_or_a_time(http: httpx.Client, fresh_id: str) -> None:
    http.post("/clusters", json=cluster(fresh_id))
    for method, path in (("GET", f"/clusters/{fresh_id}"), ("POST", "/clusters/query"), ("POST", "/clusters/count")):
        reply = http.request(method, f"{path}?revision=1&at=0")
        assert "exclude each other" in refusal(reply, 400, "request-refused")["detail"]


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/clusters/query", {"skip": 1, "limit": 2**63 - 1}),
        ("/clusters/query", {"skip": 2**63 - 1, "limit": 2**63 - 1}),
        ("/clusters/query", {"skip": 2**63 - 1}),
        ("/clusters/query", {"skip": 1, "limit": 2**63 - 1, "sort": {"regionId": 1}}),
        ("/clusters/query", {"skip": 1, "limit": 2**63 - 1, "projection": {"id": 1}}),
        ("/clusters/query", {"skip": 1, "limit": 2**63 - 1, "query": {"id": {"$regex": "c"}}}),
        ("/clusters/query", {"skip": 1, "limit": 2**63 - 1, "query": {"$expr": {"$gt": ["$memory", 0]}}}),
        ("/clusters/explain", {"skip": 1, "limit": 2**63 - 1}),
        ("/clusters/count", {"skip": 1, "limit": 2**63 - 1}),
        ("/clusters/count", {"skip": 2**63 - 1, "limit": 2**63 - 1, "query": {"id": {"$regex": "c"}}}),
        ("/clusters/aggregate", {"pipeline": [{"$skip": 1}, {"$limit": 2**63 - 1}]}),
        ("/clusters/aggregate", {"pipeline": [{"$skip": 2**63 - 1}, {"$skip": 2**63 - 1}]}),
        ("/clusters/aggregate", {"pipeline": [{"$sample": {"size": 2**63 - 1}}]}),
        ("/clusters/query", {"maxTimeMS": 2**63 - 1}),
    ],
)
def test_the_largest_numbers_are_numbers(http: httpx.Client, fresh_id: str, path: str, options: dict) -> None:
    for number in "ab":
        http.post("/clusters", json=cluster(f"{fresh_id}-{number}"))
    body = options if "pipeline" in options else {"query": {}, **options}
    for query in ("", "?revision=2"):
        assert http.post(path + query, json=body).status_code == 200
